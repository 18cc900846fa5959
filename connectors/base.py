"""The words every connector speaks: an update goes in, an outcome comes out, one for one and in order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from connectors.wording import phrase


class Status(StrEnum):
    """What became of one update."""

    APPLIED = "applied"  # The channel shows the new values.
    ACCEPTED = "accepted"  # Submitted; the channel will apply it later, or a person uploads it.
    REJECTED = "rejected"  # The channel read it and said no.
    THROTTLED = "throttled"  # Too fast; nothing was taken, try later.
    UNKNOWN = "unknown"  # The answer never came: it may have landed, now or later.
    FAILED = "failed"  # It was not taken, and it is nobody's decision.


@dataclass(frozen=True)
class Update:
    """The state one listing ought to show, as of one product version and one link version.

    `quantity` is in units and `price` an exact amount of `currency` (ISO 4217); None means *leave this aspect alone*.
    `available` takes the place of a quantity for channels that hear whether there is stock, never how much.
    `key` names the state (listing, link version, product version), never the value, so that 5, 4, 5 are three keys.
    """

    listing_id: str
    sku: str
    quantity: int | None
    price: Decimal | None
    currency: str
    product_version: int
    link_version: int
    key: str
    available: bool | None = None


@dataclass(frozen=True)
class Outcome:
    """What the channel made of one update.

    `code` is for machines and `message` for people. `retry_after` is in seconds, when the channel named a time.
    `permanent` says that sending the same again cannot help until somebody changes something.
    `artifact` is the name of the file that holds the update, for channels that are served by files.
    `closes_channel` says that the receiver asked to hear no more at all (HTTP 410): switch the channel off.
    """

    listing_id: str
    status: Status
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    permanent: bool = False
    artifact: str = ""
    closes_channel: bool = False


@dataclass(frozen=True)
class Limits:
    """What a channel can take: updates per call, and seconds that one call may last at most."""

    max_batch: int
    seconds: float


class Connector(Protocol):
    """One channel, ready to be told about listings."""

    @property
    def kind(self) -> str:
        """The word that `open_connector` knows it by."""

    @property
    def limits(self) -> Limits:
        """How much one push may carry."""

    @property
    def sends_stock(self) -> bool:
        """Whether quantities reach this channel."""

    @property
    def sends_price(self) -> bool:
        """Whether prices reach this channel."""

    def push(self, updates: Sequence[Update], *, now: datetime) -> list[Outcome]:
        """Tell the channel; answers one outcome per update in the same order, whatever the channel did.

        `now` is aware and in UTC. Raises ValueError for a naive `now`, and nothing else.
        """

    def look(self) -> str:
        """What stands in the way of the next push, and what to do, in words; "" when nothing seems to.

        Nothing is told to the channel, and nothing is raised. It takes as long as `limits.seconds` at most.
        """


@dataclass(frozen=True)
class Option:
    """One setting of a channel kind, as the form and the command line ask for it."""

    name: str
    title: str
    help: str
    required: bool = False
    secret: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    suggest: Callable[[], str] | None = None  # Makes a fresh value, for instance a new secret.


@dataclass(frozen=True)
class Kind:
    """A kind of channel: its title, what it does in one sentence, and its options."""

    name: str
    title: str
    summary: str
    options: tuple[Option, ...]
    check: Callable[[Mapping[str, str]], list[str]] = field(default=lambda options: [])

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the options that must be stored sealed and never shown."""
        return frozenset(option.name for option in self.options if option.secret)


class ConnectorError(ValueError):
    """A connector that cannot be opened; the text says which option to repair."""


LARGEST = 10**15 - 1  # Above every stock and price, and still exact in every program that reads numbers as floats.


def price_text(price: Decimal) -> str:
    """The canonical decimal form: no exponent, at least two places, no zeros beyond them (19.9 is "19.90")."""
    whole, _, places = f"{price:f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def problem_of(update: Update) -> Outcome | None:
    """The refusal of an update that no channel should ever hear, or None when it may be sent."""
    if not update.listing_id:
        return refuse(update, "no_listing_id", phrase("This update names no listing."))
    if update.quantity is None and update.available is None and update.price is None:
        return refuse(update, "nothing_to_send", phrase("Neither a quantity nor a price was given."))
    if update.quantity is not None and not 0 <= update.quantity <= LARGEST:
        what = phrase("The quantity cannot be offered; it must be 0 or more, and below 10^15.")
        return refuse(update, "bad_quantity", what)
    if update.price is not None and not _is_price(update.price):
        what = phrase(
            "The price cannot be offered; it must be a number from 0 up, below 10^15 and of at most 10 places."
        )
        return refuse(update, "bad_price", what)
    if not _is_text(update.listing_id + update.sku + update.currency + update.key):
        what = phrase("The listing id or the SKU holds half a character; import the listing again.")
        return refuse(update, "bad_text", what)
    return None


def _is_price(price: Decimal) -> bool:
    """Whether an amount can be written out in full: Decimal("1E+999999") would fill a megabyte with zeros."""
    return price.is_finite() and 0 <= price <= LARGEST and -10 <= int(price.as_tuple().exponent) <= 15


def _is_text(text: str) -> bool:
    """Whether the text can be written in UTF-8, which lone surrogates (half of a damaged character) cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse(update: Update, code: str, message: str) -> Outcome:
    """An update that is never going to be sent as it is."""
    return Outcome(update.listing_id, Status.REJECTED, code, message, permanent=True)


def screen(updates: Sequence[Update]) -> tuple[list[int], dict[int, Outcome]]:
    """Part the positions that may be sent from those already settled.

    A listing named twice is sent once: two states of one listing in one call have no order, and the answer, which
    names listings only, could not be told apart. The later ones wait for the next call.
    """
    sendable: list[int] = []
    settled: dict[int, Outcome] = {}
    seen: set[str] = set()
    for position, update in enumerate(updates):
        refusal = problem_of(update)
        if refusal is not None:
            settled[position] = refusal
        elif update.listing_id in seen:
            what = phrase("The same call already carries this listing.")
            settled[position] = Outcome(update.listing_id, Status.FAILED, "listing_twice", what)
        else:
            seen.add(update.listing_id)
            sendable.append(position)
    return sendable, settled


def require_aware(now: datetime) -> None:
    """Raise ValueError unless `now` carries a time zone."""
    if now.utcoffset() is None:
        raise ValueError("now must carry a time zone; pass datetime.now(UTC)")


def plain(text: object, limit: int = 300) -> str:
    """A stranger's text made fit for one line of history: no control characters, no line ends, at most `limit` long."""
    shown = "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in str(text))
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def slug(name: str) -> str:
    """A channel's name as a file name: ASCII letters, digits and single hyphens, never empty."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:60].strip("-") or "channel"


def folder_ready(folder: Path) -> Path:
    """The folder, made when missing and closed to other users of the machine."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
