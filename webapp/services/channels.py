"""Marketplace accounts: connect, change, pause, and open their connector."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from babel.core import get_global
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

import connectors
from webapp.config import Settings
from webapp.db import ring
from webapp.errors import Conflict, NotFound, Refused, Unavailable, phrase
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.models.propagation import Attempt, AttemptState, SyncRun
from webapp.services import audit, counts, targets

TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they turn the words that follow around
#: Currencies somebody pays with today (ISO 4217, as CLDR lists them): PES has been none since 1985.
CURRENCIES = frozenset(
    code
    for listed in get_global("territory_currencies").values()
    for code, _since, until, is_tender in listed
    if is_tender and until is None
)
_BY_NAME = select(Channel).order_by(Channel.name)
BY_HAND = {"file"}  # a person carries these files to the marketplace: a file after each change helps nobody


def connect(
    session: Session,
    name: str,
    kind: str,
    *,
    by: Actor,
    settings: Settings,
    options: Mapping[str, str] | None = None,
    many: bool = False,
    currency: str = "",
    mode: SendMode | None = None,
    in_stock_only: bool = False,
) -> Channel:
    """Add an account; its changes go by themselves where the kind can do that, unless `mode` says otherwise.

    Raises Refused for an unknown kind or a bad option, Conflict for a name in use.
    """
    name = name.strip()
    if not name or len(name) > 80:
        raise Refused(phrase("Give the channel a name of at most 80 characters, such as “Amazon MX”."))
    if odd := next((c for c in name if unicodedata.category(c) == "Cc" or c in TURNS), ""):
        code = f"U+{ord(odd):04X}"
        raise Refused(phrase("The name holds a hidden character ({code}). Type the name again.", code=code))
    if kind not in connectors.kinds():
        kinds = ", ".join(sorted(connectors.kinds()))
        raise Refused(phrase("There is no kind “{kind}”. Choose one of: {kinds}.", kind=kind, kinds=kinds))
    if session.scalar(select(Channel).where(Channel.name == name)):
        raise Conflict(phrase("A channel is called “{name}” already. Choose another name.", name=name))
    given = {**fresh_secrets(kind, options or {}), **{k: v for k, v in (options or {}).items() if v}}
    problems = connectors.check_options(kind, given, _outbound(settings))
    if problems:
        raise Refused(" ".join(problems))
    _require_availability(kind, given, in_stock_only)
    open_options, hidden = _split(kind, given)
    channel = Channel(
        name=name,
        kind=kind,
        many=many,
        options=open_options,
        currency=currency_code(currency) or settings.currency,
        mode=SendMode.MANUAL if kind in BY_HAND else mode or SendMode.AUTOMATIC,
        secrets=_seal(hidden, settings),
        in_stock_only=in_stock_only,
    )
    session.add(channel)
    session.flush()
    counts.open_channel(session, channel.id)
    words = phrase("Connected {channel} ({kind}).", channel=name, kind=kind)
    audit.record(session, by, "channel.connected", f"channel {name}", words, after={"many": many, **_facts(channel)})
    return channel


def fresh_secrets(kind: str, given: Mapping[str, str]) -> dict[str, str]:
    """New values for the required secrets of a kind that nobody gave: the receiver gets ours."""
    return {
        option.name: option.suggest()
        for option in connectors.kinds()[kind].options
        if option.suggest and option.required and not given.get(option.name)
    }


def currency_code(text: str) -> str:
    """The ISO 4217 code that a person typed, in capitals; "" for none. Raises Refused for anything else."""
    code = text.strip().upper()
    if code and code not in CURRENCIES:
        raise Refused(
            phrase("“{code}” is no currency code. Type the three letters, such as MXN, USD or EUR.", code=text.strip())
        )
    return code


def change(
    session: Session,
    channel: Channel,
    *,
    by: Actor,
    settings: Settings,
    mode: SendMode | None = None,
    sends_price: bool | None = None,
    options: Mapping[str, str] | None = None,
    currency: str = "",
    in_stock_only: bool | None = None,
) -> Channel:
    """Change how a channel is sent to; what is due already stays due and is held while the mode is manual.

    With `in_stock_only` it hears from now on whether there is stock, never how much; without it again, every quantity
    counts as not told. Raises Refused for a bad option or currency, Conflict while "in stock" is on its way; a blank
    currency leaves it as it is.
    """
    before = _facts(channel)
    channel.currency = currency_code(currency) or channel.currency
    if mode is not None:
        channel.mode = mode
    if sends_price is not None:
        channel.sends_price = sends_price
    if options is not None:
        merged = {**channel.options, **open_secrets(channel, settings), **{k: v for k, v in options.items() if v != ""}}
        moved = merged.get("url") != channel.options.get("url")  # what stands already is judged when it is sent to
        problems = connectors.check_options(channel.kind, merged, _outbound(settings) if moved else None)
        if problems:
            raise Refused(" ".join(problems))
        channel.options, hidden = _split(channel.kind, merged)
        channel.secrets = _seal(hidden, settings)
        channel.look_at, channel.looked_at, channel.fault = None, None, ""  # what was found is of the former
    heard_no_quantities = channel.in_stock_only
    if in_stock_only is not None:
        channel.in_stock_only = in_stock_only
    _require_availability(channel.kind, channel.options, channel.in_stock_only)
    session.flush()
    if heard_no_quantities and not channel.in_stock_only:
        _say_quantities(session, channel)
    audit.record(
        session,
        by,
        "channel.changed",
        f"channel {channel.name}",
        phrase("Changed {channel}.", channel=channel.name),
        before=before,
        after=_facts(channel),
    )
    return channel


def _facts(channel: Channel) -> dict[str, Any]:
    return {
        "mode": channel.mode.value,
        "sends_price": channel.sends_price,
        "currency": channel.currency,
        "in_stock_only": channel.in_stock_only,
    }


def _require_availability(kind: str, options: Mapping[str, str], in_stock_only: bool) -> None:
    """Raise Refused where the channel is to be told only in stock or not, and cannot be."""
    if in_stock_only and (why := connectors.why_no_availability(kind, options)):
        raise Refused(why)


def _say_quantities(session: Session, channel: Channel) -> None:
    """A channel that heard "in stock" so far hears every quantity; an answer to the former must not count as one."""
    if session.scalar(_on_the_way(channel).limit(1)) is not None:
        raise Conflict(phrase("An update to {channel} is on its way. Save again in a minute.", channel=channel.name))
    targets.forget_stock(session, channel, now=utc_now())


def _on_the_way(channel: Channel) -> Select[str]:
    """The channel's ids of listings to which a request has begun."""
    query = select(Listing.external_id).join(Attempt, Attempt.listing_id == Listing.id).order_by(Listing.id)
    return query.where(Attempt.channel_id == channel.id, Attempt.state == AttemptState.BEGUN)


def pause(session: Session, channel: Channel, paused: bool, *, by: Actor) -> list[str]:
    """Stop or resume all sending to a channel; nothing is lost, and on resuming only the newest value goes.

    Gives the channel's ids of listings to which a request had begun already: nothing else begins any more.
    """
    if (channel.paused_at is not None) != paused:
        channel.paused_at = utc_now() if paused else None
        if not paused:
            channel.rest_until, channel.failures, channel.problem = None, 0, ""
        session.flush()
        name = channel.name
        if paused:
            audit.record(session, by, "channel.paused", f"channel {name}", phrase("Paused {channel}.", channel=name))
        else:
            audit.record(session, by, "channel.resumed", f"channel {name}", phrase("Resumed {channel}.", channel=name))
        ring(session, targets.BELL)
    return list(session.scalars(_on_the_way(channel))) if paused else []


def release(session: Session, channel: Channel, *, by: Actor) -> None:
    """Let a channel go on that the brakes had stopped."""
    if channel.held:
        audit.record(
            session,
            by,
            "channel.released",
            f"channel {channel.name}",
            phrase("Released {channel}.", channel=channel.name),
            before={"held": channel.held},
        )
        channel.held = ""


def allow_many(session: Session, channel: Channel, many: bool, *, by: Actor) -> None:
    """Let a product have several listings on a channel, or one again.

    Raises Refused, naming them, while products have several.
    """
    if channel.many == many:
        return
    if not many:
        _refuse_several(session, channel)
    session.execute(
        update(Link)
        .where(Link.channel_id == channel.id)
        .values(slot=Link.listing_id if many else 0)
        .execution_options(synchronize_session=False)
    )
    channel.many = many
    if many:
        words = phrase("A product can have several listings on {channel} now.", channel=channel.name)
    else:
        words = phrase("A product can have one listing on {channel} now.", channel=channel.name)
    audit.record(
        session,
        by,
        "channel.changed",
        f"channel {channel.name}",
        words,
        before={"many": not many},
        after={"many": many},
    )


def _refuse_several(session: Session, channel: Channel) -> None:
    several = (
        select(Product.sku)
        .join(Link, Link.product_id == Product.id)
        .where(Link.channel_id == channel.id)
        .group_by(Product.sku)
        .having(func.count() > 1)
    )
    skus = list(session.scalars(several.order_by(Product.sku).limit(6)))
    if skus:
        named = ", ".join(skus[:5])
        if len(skus) > 5:
            named = phrase("{skus} and others", skus=named)
        words = phrase(
            "These products have several listings on {channel}: {skus}. "
            "Unlink all but one of each first. Nothing was changed.",
            channel=channel.name,
            skus=named,
        )
        raise Refused(words)


def by_id(session: Session, channel_id: int, *, lock: bool = False) -> Channel:
    """The channel, locked when it is going to be changed; raises NotFound."""
    how: dict[str, Any] = {"with_for_update": {"key_share": True}, "populate_existing": True} if lock else {}
    channel = session.get(Channel, channel_id, **how)
    if channel is None:
        raise NotFound(phrase("This connector is no longer there."))
    return channel


def last_runs(session: Session) -> dict[int, SyncRun]:
    """The newest run of each channel."""
    newest = select(func.max(SyncRun.id)).group_by(SyncRun.channel_id)
    return {run.channel_id: run for run in session.scalars(select(SyncRun).where(SyncRun.id.in_(newest)))}


def get(session: Session, name: str) -> Channel:
    """The channel of that name; raises NotFound with the names there are."""
    channel = session.scalar(select(Channel).where(Channel.name == name))
    if channel is None:
        names = ", ".join(session.scalars(select(Channel.name).order_by(Channel.name)))
        if not names:
            raise NotFound(phrase("There is no channel “{name}”, nor any other one yet.", name=name))
        raise NotFound(phrase("There is no channel “{name}”. Channels: {channels}.", name=name, channels=names))
    return channel


def all_channels(session: Session) -> list[Channel]:
    """Every channel, by name."""
    return list(session.scalars(_BY_NAME))


def open_connector(channel: Channel, settings: Settings) -> connectors.Connector:
    """The client that speaks to this channel, with its credentials unsealed."""
    return connectors.open_connector(
        channel.kind,
        channel=channel.name,
        options={**channel.options, **open_secrets(channel, settings)},
        outbound=_outbound(settings),
        folder=settings.outbox / slug(channel.name),
    )


def _outbound(settings: Settings) -> connectors.OutboundPolicy:
    return connectors.OutboundPolicy(allow=settings.outbound_allow)


def open_secrets(channel: Channel, settings: Settings) -> dict[str, str]:
    """A channel's credentials in the clear; raises Unavailable when the instance key is another one."""
    if not channel.secrets:
        return {}
    try:
        return dict(json.loads(_box(settings).decrypt(channel.secrets)))
    except InvalidToken as error:
        words = phrase(
            "The credentials of {channel} cannot be opened with this instance's secret key. Enter them again.",
            channel=channel.name,
        )
        raise Unavailable(words) from error


def slug(name: str) -> str:
    """A folder name made of a channel's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or hashlib.sha256(name.encode()).hexdigest()[:12]


def _split(kind: str, options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    secret = {option.name for option in connectors.kinds()[kind].options if option.secret}
    return {k: v for k, v in options.items() if k not in secret}, {k: v for k, v in options.items() if k in secret}


def _seal(hidden: Mapping[str, str], settings: Settings) -> bytes | None:
    return _box(settings).encrypt(json.dumps(dict(hidden)).encode()) if hidden else None


def _box(settings: Settings) -> MultiFernet:
    digest = hashlib.sha256(b"pairbook channel secrets:" + settings.secret_key.encode()).digest()
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest))])
