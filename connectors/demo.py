"""An honest marketplace in one file: it keeps listings, compares versions, and writes down everything that arrives."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from connectors.base import (
    Kind,
    Limits,
    Outcome,
    Status,
    Update,
    folder_ready,
    price_text,
    require_aware,
    screen,
    slug,
)
from connectors.wording import phrase

SCHEMA = """
CREATE TABLE IF NOT EXISTS listings (
    listing_id TEXT PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER, price TEXT, currency TEXT NOT NULL,
    product_version INTEGER NOT NULL, link_version INTEGER NOT NULL, key TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS arrivals (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, listing_id TEXT NOT NULL, body TEXT NOT NULL, verdict TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Shown:
    """What the demo marketplace shows for one listing; None where it was never told."""

    sku: str
    quantity: int | None
    price: Decimal | None
    currency: str
    product_version: int
    link_version: int
    available: bool | None = None


@dataclass(frozen=True)
class Arrival:
    """One update as it came in, and whether it was applied, a repetition, or stale."""

    at: datetime
    listing_id: str
    quantity: int | None
    price: Decimal | None
    product_version: int
    link_version: int
    key: str
    verdict: str
    available: bool | None = None


class DemoConnector:
    """The demo marketplace of one channel, kept in `folder`; several processes may use it at once."""

    kind = "demo"
    sends_stock = True
    sends_price = True
    limits = Limits(max_batch=1_000, seconds=10.0)

    def __init__(self, channel: str, folder: Path) -> None:
        self._path = folder / f"{slug(channel)}.marketplace.sqlite3"

    def push(self, updates: Sequence[Update], *, now: datetime) -> list[Outcome]:
        """Apply what is as new as what is shown or newer; refuse what is older."""
        require_aware(now)
        sendable, settled = screen(updates)
        if sendable:
            try:
                with self._open() as db:
                    settled |= {position: _take(db, updates[position], now) for position in sendable}
            except sqlite3.Error as error:
                message = phrase("The demo marketplace is not available: {reason}.", reason=error)
                settled |= {at: Outcome(updates[at].listing_id, Status.FAILED, "database", message) for at in sendable}
        return [settled[position] for position in range(len(updates))]

    def look(self) -> str:
        """Whether the file of the demo marketplace opens."""
        try:
            with self._open():
                return ""
        except (sqlite3.Error, OSError) as error:
            return phrase("The demo marketplace is not available: {reason}.", reason=error)

    def shown(self) -> dict[str, Shown]:
        """What customers see now, by listing id."""
        with self._open() as db:
            rows = db.execute(
                "SELECT listing_id, sku, quantity, price, currency, product_version, link_version, available "
                "FROM listings"
            ).fetchall()
        return {row[0]: Shown(row[1], row[2], _decimal(row[3]), row[4], row[5], row[6], _flag(row[7])) for row in rows}

    def arrivals(self) -> list[Arrival]:
        """Everything that ever arrived, oldest first."""
        with self._open() as db:
            rows = db.execute("SELECT at, listing_id, body, verdict FROM arrivals ORDER BY id").fetchall()
        return [_arrival(*row) for row in rows]

    def sell(self, listing_id: str, units: int = 1) -> int:
        """A customer buys: the shown quantity falls behind our back. Answers what is left.

        Raises ValueError when the listing shows fewer than `units`.
        """
        with self._open() as db:
            row = db.execute(
                "UPDATE listings SET quantity = quantity - ?1 WHERE listing_id = ?2 AND quantity >= ?1 "
                "RETURNING quantity",
                (units, listing_id),
            ).fetchone()
        if row is None:
            raise ValueError(f"{listing_id} does not show {units} for sale")
        return int(row[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction that writes from its beginning, so that two processes queue instead of failing."""
        folder_ready(self._path.parent)
        db = sqlite3.connect(self._path, timeout=self.limits.seconds, isolation_level=None)
        try:
            db.executescript(SCHEMA)
            db.execute("BEGIN IMMEDIATE")
            if not any(column[1] == "available" for column in db.execute("PRAGMA table_info(listings)")):
                db.execute("ALTER TABLE listings ADD COLUMN available INTEGER")  # marketplaces made before it
            yield db
            db.execute("COMMIT")
        finally:
            # Closing an open transaction takes it back.
            db.close()


def _take(db: sqlite3.Connection, update: Update, now: datetime) -> Outcome:
    held = db.execute(
        "SELECT link_version, product_version FROM listings WHERE listing_id = ?", (update.listing_id,)
    ).fetchone()
    # A listing linked anew starts with another product, whose own version may be lower: the link version goes first.
    mine, theirs = (update.link_version, update.product_version), held or (-1, -1)
    verdict = "stale" if mine < theirs else "repeated" if mine == theirs else "applied"
    _log(db, update, verdict, now)
    if verdict == "stale":
        message = phrase("Version {version} of link {link} is already shown.", version=theirs[1], link=theirs[0])
        return Outcome(update.listing_id, Status.REJECTED, "stale_version", message, permanent=True)
    _store(db, update)
    return Outcome(update.listing_id, Status.APPLIED, verdict)


def _store(db: sqlite3.Connection, update: Update) -> None:
    """Show the update; aspects that it leaves alone stay as they are."""
    price = None if update.price is None else price_text(update.price)
    db.execute(
        "INSERT INTO listings (listing_id, sku, quantity, price, currency, product_version, link_version, key, "
        "available) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (listing_id) DO UPDATE SET "
        "sku = excluded.sku, quantity = coalesce(excluded.quantity, quantity), "
        "available = coalesce(excluded.available, available), "
        "currency = CASE WHEN excluded.price IS NULL THEN currency ELSE excluded.currency END, "
        "price = coalesce(excluded.price, price), product_version = excluded.product_version, "
        "link_version = excluded.link_version, key = excluded.key",
        (
            update.listing_id,
            update.sku,
            update.quantity,
            price,
            update.currency,
            update.product_version,
            update.link_version,
            update.key,
            update.available,
        ),
    )


def _log(db: sqlite3.Connection, update: Update, verdict: str, now: datetime) -> None:
    body = {
        "quantity": update.quantity,
        "available": update.available,
        "price": None if update.price is None else price_text(update.price),
        "product_version": update.product_version,
        "link_version": update.link_version,
        "key": update.key,
    }
    at = now.astimezone(UTC).isoformat()
    row = (at, update.listing_id, json.dumps(body), verdict)
    db.execute("INSERT INTO arrivals (at, listing_id, body, verdict) VALUES (?, ?, ?, ?)", row)


def _arrival(at: str, listing_id: str, body: str, verdict: str) -> Arrival:
    said = json.loads(body)
    said["price"] = _decimal(said["price"])
    return Arrival(at=datetime.fromisoformat(at), listing_id=listing_id, verdict=verdict, **said)


def _flag(number: int | None) -> bool | None:
    return None if number is None else bool(number)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


KIND = Kind(
    name="demo",
    title=phrase("Demo marketplace"),
    summary=phrase("A pretend marketplace on this server, for trying things out; nothing leaves the machine."),
    options=(),
)
