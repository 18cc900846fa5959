"""The brakes: what would empty or reprice a channel stops before it leaves, until its cause is gone or agreed to.

A hold is a sentence on its channel. The number in it is counted afresh while it lasts: an import of many rows goes on
after the first of them have stopped the channel, and may be taken back.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, case, func, literal, or_, select
from sqlalchemy.orm import Session

from webapp.errors import phrase, phrases
from webapp.models.accounts import WORKER
from webapp.models.base import utc_now
from webapp.models.catalog import Price, Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.models.propagation import Attempt, Outcome, RunKind, SyncRun
from webapp.services import audit
from webapp.services.claims import SHOWN_PRICE
from webapp.services.stock import counted

ZEROED = (50, Decimal("0.10"))  # more than 50 listings and 10 % of those in stock going to zero at once
REPRICED = (5, Decimal("0.10"))  # more than 5 listings and 10 % of those with a price moving by a factor above 2
FACTOR = 2
LATELY = timedelta(minutes=10)  # what went to zero within this time counts as at once
RUNS = 500  # the newest automatic runs that are looked at for that
_TOLD_EARLIER = (  # by a pair of this listing that ended: taking an unsync back makes pairs that were told nothing yet
    select(Attempt.quantity)
    .where(
        Attempt.listing_id == Link.listing_id,
        Attempt.quantity.is_not(None),
        Attempt.outcome.in_([Outcome.APPLIED, Outcome.ACCEPTED]),
    )
    .order_by(Attempt.id.desc())
    .limit(1)
    .correlate(Link)
    .scalar_subquery()
)
# The quantity that a listing has to lose. What it was told last still counts after it was forgotten, and where nobody
# knows what it was told it may be in stock. One that was never told and of which no file says a quantity has nothing
# to lose that we know of: the first sending of a new channel says its zeros.
STANDING_QUANTITY = case(
    (Link.told_stock_version > 0, Link.told_quantity),
    (Link.told_stock_version < 0, func.coalesce(Link.told_quantity, 1)),
    else_=func.coalesce(_TOLD_EARLIER, Listing.quantity),
)


def limit(rule: tuple[int, Decimal], total: int) -> Decimal:
    """How many listings may change at once under a rule, when `total` have something to lose."""
    return max(Decimal(rule[0]), rule[1] * total)


def totals(session: Session, channel: Channel, *which: Any) -> tuple[int, int]:
    """How many of a channel's linked listings are in stock there, and how many show a price."""
    mine = (Link.channel_id == channel.id, *which)
    return (
        _number(session, channel, *mine, STANDING_QUANTITY > 0),
        _number(session, channel, *mine, SHOWN_PRICE > 0),
    )


def check(session: Session, channel: Channel) -> bool:
    """Hold a channel's automatic sending when what is due would empty or reprice it; gives whether it is held."""
    if channel.held or channel.mode != SendMode.AUTOMATIC:
        return bool(channel.held)
    channel.held = reason(session, channel)
    if channel.held:
        words = phrase("Held {channel}: {reason}", channel=channel.name, reason=channel.held)
        audit.record(session, WORKER, "channel.held", f"channel {channel.name}", words)
    return bool(channel.held)


def reason(session: Session, channel: Channel) -> str:
    """Why what is due by itself on a channel must not go, with the number of now; "" when it may. Only reads."""
    due = (Link.channel_id == channel.id, Link.due_at.is_not(None), Link.run_id.is_(None), Link.auto_sync)
    emptied = (Link.want_stock, STANDING_QUANTITY > 0, Product.available <= 0, counted())
    zeroed = _number(session, channel, *due, *emptied)
    gone = _just_emptied(session, channel) if zeroed else 0
    if zeroed + gone > ZEROED[0] and zeroed + gone > limit(ZEROED, totals(session, channel, Link.auto_sync)[0] + gone):
        return phrases(
            "{n} listing would go to zero now. Nothing was sent. Check the stock, then release the channel.",
            "{n} listings would go to zero at once. Nothing was sent. Check the stock, then release the channel.",
            zeroed,
        )
    if not channel.sends_price and not channel.held:
        return ""
    wanted = Price.amount if channel.price_list_id else Product.price
    twofold = literal(FACTOR, Integer)  # a plain number: as an amount it would count as twenty thousand
    leaping = or_(wanted > SHOWN_PRICE * twofold, wanted * twofold < SHOWN_PRICE)
    leaps = _number(session, channel, *due, Link.want_price, SHOWN_PRICE > 0, leaping)
    if leaps > REPRICED[0] and leaps > limit(REPRICED, totals(session, channel, Link.auto_sync)[1]):
        return phrase(
            "{n} prices would move by more than a factor of 2. Nothing was sent. Check them, then release the channel.",
            n=leaps,
        )
    return ""


def _just_emptied(session: Session, channel: Channel) -> int:
    """How many listings went to zero by themselves within `LATELY`: a large file arrives in many small portions."""
    since = utc_now() - LATELY
    runs = select(SyncRun.id).where(SyncRun.channel_id == channel.id, SyncRun.kind == RunKind.AUTOMATIC)
    runs = runs.where(or_(SyncRun.ended_at.is_(None), SyncRun.ended_at > since)).order_by(SyncRun.id.desc()).limit(RUNS)
    told = select(func.count(Attempt.listing_id.distinct())).where(
        Attempt.run_id.in_(runs), Attempt.at > since, Attempt.quantity == 0, Attempt.old_quantity > 0
    )
    return session.scalar(told.where(or_(Attempt.outcome.is_(None), Attempt.outcome != Outcome.FENCED))) or 0


def outdated(session: Session) -> list[tuple[int, str]]:
    """The held channels whose sentence is no longer the one of now: the id of each, and the sentence. Only reads."""
    held = session.scalars(select(Channel).where(Channel.held != "").order_by(Channel.id))
    return [(channel.id, channel.held) for channel in held if reason(session, channel) != channel.held]


def look_again(session: Session, channel_id: int, before: str) -> None:
    """Bring a hold that said `before` up to date; it ends, and the trail says so, when its cause has gone."""
    channel = session.get_one(Channel, channel_id, populate_existing=True, with_for_update={"key_share": True})
    if channel.held != before:  # a person released it meanwhile
        return
    channel.held = reason(session, channel)
    if not channel.held:
        words = phrase("Released {channel}: what it was held for has gone.", channel=channel.name)
        facts = {"held": before}
        audit.record(session, WORKER, "channel.released", f"channel {channel.name}", words, before=facts)


def _number(session: Session, channel: Channel, *which: Any) -> int:
    on_list = (Price.product_id == Product.id) & (Price.price_list_id == channel.price_list_id)
    query = (
        select(func.count())
        .select_from(Link)
        .join(Listing, Listing.id == Link.listing_id)
        .join(Product, Product.id == Link.product_id)
        .outerjoin(Price, on_list)
        .where(*which)
    )
    return int(session.scalar(query) or 0)
