"""Claim what is due, and begin it: the two short steps before the network.

Claiming reads the newest values and freezes them under a lease; beginning keeps only what may still leave. Both are
few statements however many listings a batch carries, so that a file of ten thousand lines holds no lock for long.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, exists, insert, or_, select, update
from sqlalchemy.orm import Session

import connectors
from webapp.models.accounts import WORKER
from webapp.models.catalog import Price, PriceList, Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.models.propagation import Attempt, AttemptState, Outcome, RunKind, RunState, SyncRun
from webapp.services.settlement import QUARANTINE, Claim, Delivery, close_run
from webapp.services.stock import counted

LEASE = timedelta(seconds=30)
GRACE = timedelta(seconds=10)  # what a lease lasts beyond the longest call of a slow channel
CHUNK = 500
# What a listing shows is what it was told last, or what the channel's last file said when it was told nothing yet.
# Where that was forgotten nobody knows (NULL): told_quantity is then only what it was told before, for the brakes.
SHOWN_QUANTITY = case(
    (Link.told_stock_version == 0, Listing.quantity), (Link.told_stock_version > 0, Link.told_quantity)
)
SHOWN_PRICE = case((Link.told_price_version == 0, Listing.price), else_=Link.told_price)


def lease_of(limits: connectors.Limits) -> timedelta:
    """How long a worker may hold a batch for a channel with these limits: longer than its longest call."""
    return max(LEASE, timedelta(seconds=limits.seconds) + GRACE)


def due_channels(session: Session, *, now: datetime) -> list[int]:
    """The channels that have something due and may be sent to."""
    query = (
        select(Channel.id)
        .where(exists().where(Link.channel_id == Channel.id, *_due(now), _allowed()), *_open(now))
        .order_by(Channel.id)
    )
    return list(session.scalars(query))


def claim_due(
    session: Session,
    channel_id: int,
    *,
    now: datetime,
    limit: int,
    worker: str,
    sends_stock: bool = True,
    sends_price: bool = True,
    lease: timedelta = LEASE,
) -> Claim | None:
    """Take up to `limit` due links of a channel under a lease; None when there is nothing to do.

    A listing with a delivery in flight is left alone, one at a time each; so is one whose last request may still
    land. A claim without deliveries says that what was due had nothing left to tell: there may be more.
    """
    channel = session.scalar(
        select(Channel)
        .where(Channel.id == channel_id, *_open(now))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if channel is None:
        return None
    rows = _take(session, channel, now, limit)
    if not rows:
        return None
    told = [(row, *_says(row, channel, sends_stock, sends_price)) for row in rows]
    silent = [row.id for row, quantity, price in told if quantity is None and price is None]
    told = [each for each in told if each[1] is not None or each[2] is not None]
    run_id = rows[0].run_id
    if silent:
        _nothing_to_say(session, silent, run_id, now)
    if not told:
        return Claim(channel_id, run_id or 0, ())
    run_id = run_id or _automatic_run(session, channel, now)
    values = [
        _attempt(channel, run_id, row, quantity, price, worker=worker, now=now, lease=lease)
        for row, quantity, price in told
    ]
    _name_repeats(session, [row for row, _, _ in told], values)
    made = session.execute(insert(Attempt).returning(Attempt.listing_id, Attempt.id), values).all()
    ids = dict(made)
    _count_try(session, [row.id for row, _, _ in told])
    deliveries = [_delivery(ids[row.listing_id], row, value) for (row, _, _), value in zip(told, values, strict=True)]
    return Claim(channel_id, run_id, tuple(deliveries))


def begin(session: Session, claim: Claim, *, now: datetime) -> Claim:
    """Keep the deliveries that may leave now: lease ours, link live, link and product versions as claimed.

    Runs right before the first byte. A delivery that may not leave is settled as `fenced`.
    """
    ids = [d.attempt_id for d in claim.deliveries]
    if not ids:
        return claim
    _hold_still(session, claim)
    stands = exists().where(
        Link.id == Attempt.link_id,
        Link.listing_id == Attempt.listing_id,
        Link.fence == Attempt.link_version,
        Product.id == Link.product_id,
        Product.version == Attempt.product_version,
    )
    unpaused = exists().where(
        Channel.id == Attempt.channel_id,
        Channel.paused_at.is_(None),
        Channel.in_stock_only == Attempt.in_stock_only,  # a quantity never reaches a channel that hears none any more
    )
    begun: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        mine = (Attempt.id.in_(ids[start : start + CHUNK]), Attempt.state == AttemptState.CLAIMED)
        leaving = update(Attempt).where(*mine, Attempt.lease_until > now, stands, unpaused)
        leaving = leaving.values(state=AttemptState.BEGUN, begun_at=now)
        begun.update(session.scalars(leaving.returning(Attempt.id).execution_options(synchronize_session=False)))
        staying = update(Attempt).where(*mine)
        staying = staying.values(state=AttemptState.DONE, outcome=Outcome.FENCED, ended_at=now)
        session.execute(staying.execution_options(synchronize_session=False))
    session.expire_all()
    if len(begun) < len(ids):
        fenced = len(ids) - len(begun)
        session.execute(update(SyncRun).where(SyncRun.id == claim.run_id).values(fenced=SyncRun.fenced + fenced))
        close_run(session, claim.run_id, now=now)
    return Claim(claim.channel_id, claim.run_id, tuple(d for d in claim.deliveries if d.attempt_id in begun))


def _hold_still(session: Session, claim: Claim) -> None:
    """On PostgreSQL, make an unlink or a pause that is being written wait for us, or wait for it.

    SQLite has one writer at a time and needs none of it.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    session.execute(select(Channel.id).where(Channel.id == claim.channel_id).with_for_update(read=True))
    ids = sorted(d.link_id for d in claim.deliveries)
    for start in range(0, len(ids), CHUNK):
        some = select(Link.id).where(Link.id.in_(ids[start : start + CHUNK])).order_by(Link.id)
        session.execute(some.with_for_update())


def _due(now: datetime) -> list[ColumnElement[bool]]:
    return [Link.due_at.is_not(None), Link.due_at <= now]


def _open(now: datetime) -> list[ColumnElement[bool]]:
    return [Channel.paused_at.is_(None), or_(Channel.rest_until.is_(None), Channel.rest_until <= now)]


def _allowed() -> ColumnElement[bool]:
    """What a person asked for goes; what is due by itself goes only where the mode and the brakes allow it."""
    return or_(Link.run_id.is_not(None), and_(Channel.mode == SendMode.AUTOMATIC, Channel.held == "", Link.auto_sync))


def _take(session: Session, channel: Channel, now: datetime, limit: int) -> list[Any]:
    """The due links with what their listings ought to show, those of one run only: a push belongs to a run."""
    busy = exists().where(
        Attempt.listing_id == Link.listing_id,
        or_(
            Attempt.state != AttemptState.DONE,
            and_(Attempt.outcome == Outcome.UNKNOWN, Attempt.ended_at > now - QUARANTINE),
        ),
    )
    on_list = and_(Price.product_id == Product.id, Price.price_list_id == channel.price_list_id)
    query = (
        select(
            Link.id,
            Link.listing_id,
            Link.product_id,
            Link.fence,
            Link.run_id,
            Link.tries,
            Link.told_stock_version,
            Link.told_price_version,
            Link.dirty_at,
            Link.want_stock,
            Link.want_price,
            SHOWN_QUANTITY.label("shown_quantity"),
            SHOWN_PRICE.label("shown_price"),
            Listing.external_id,
            Listing.sku,
            Product.version,
            Product.available,
            Product.price,
            Product.currency,
            Listing.currency.label("shown_in"),
            PriceList.currency.label("list_currency"),
            Price.amount,
            counted().label("counted"),
            Link.auto_sync,
            SyncRun.stock.label("run_stock"),
            SyncRun.price.label("run_price"),
        )
        .join(Channel, Channel.id == Link.channel_id)
        .join(Listing, Listing.id == Link.listing_id)
        .join(Product, Product.id == Link.product_id)
        .outerjoin(Price, on_list)
        .outerjoin(PriceList, PriceList.id == channel.price_list_id)
        .outerjoin(SyncRun, SyncRun.id == Link.run_id)
        .where(Link.channel_id == channel.id, *_due(now), ~busy, _allowed())
        .order_by(Link.due_at, Link.id)
        .limit(limit)
        .with_for_update(of=Link, skip_locked=True)
    )
    rows = session.execute(query).all()
    return [row for row in rows if row.run_id == rows[0].run_id]


def _says(row: Row[Any], channel: Channel, sends_stock: bool, sends_price: bool) -> tuple[int | None, Decimal | None]:
    """The quantity and the price that go to a listing; None for an aspect that is not due, not known or not sent.

    A run by hand carries what was asked for. What waits beside it goes along only where it may go by itself.
    """
    quantity, price = desired(row.available, row.price, row.amount, channel, is_counted=row.counted)
    alone = row.auto_sync and channel.mode == SendMode.AUTOMATIC and not channel.held
    tells_stock = sends_stock and row.want_stock and (alone or row.run_stock)
    tells_price = sends_price and row.want_price and (alone or row.run_price)
    tells_price = tells_price and not other_money(money(row, channel), row.shown_in)
    return quantity if tells_stock else None, price if tells_price else None


def money(row: Row[Any], channel: Channel) -> str:
    """The currency of a product's price on a channel (ISO 4217): of its list or its own, else the channel's."""
    own: str = row.list_currency if channel.price_list_id else row.currency
    return own or channel.currency


def other_money(ours: str, theirs: str) -> bool:
    """Whether a price in one currency would be shown in another: 189 dollars are not 189 pesos, so it never goes."""
    return bool(ours and theirs and ours != theirs)


def desired(
    available: int, price: Decimal | None, on_list: Decimal | None, channel: Channel, *, is_counted: bool
) -> tuple[int | None, Decimal | None]:
    """What a listing of a product ought to show on a channel: units, never negative (1 or 0 where the channel is told
    only whether there is stock), and the price.

    None means that we do not know: stock that nobody ever counted is not zero, and a missing price is no price.
    """
    quantity = channel.level(max(0, available)) if is_counted else None
    return quantity, on_list if channel.price_list_id else price


def _nothing_to_say(session: Session, link_ids: list[int], run_id: int | None, now: datetime) -> None:
    """Take off the list what is due but has no value that this channel is told."""
    for start in range(0, len(link_ids), CHUNK):
        quiet = update(Link).where(Link.id.in_(link_ids[start : start + CHUNK]))
        quiet = quiet.values(want_stock=False, want_price=False, due_at=None, dirty_at=None, run_id=None, tries=0)
        session.execute(quiet.execution_options(synchronize_session=False))
    if run_id is not None:
        n = len(link_ids)
        numbers = {"asked": SyncRun.asked - n, "unchanged": SyncRun.unchanged + n}
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(numbers))
        close_run(session, run_id, now=now)


def _automatic_run(session: Session, channel: Channel, now: datetime) -> int:
    """The automatic run of this channel that is going on, or a new one."""
    query = select(SyncRun.id).where(
        SyncRun.channel_id == channel.id, SyncRun.kind == RunKind.AUTOMATIC, SyncRun.state == RunState.RUNNING
    )
    found = session.scalar(query.order_by(SyncRun.id.desc()).limit(1).with_for_update())
    if found is not None:
        return found
    run = SyncRun(
        channel_id=channel.id, kind=RunKind.AUTOMATIC, by_name=WORKER.name, price=channel.sends_price, started_at=now
    )
    session.add(run)
    session.flush()
    return run.id


def _count_try(session: Session, link_ids: list[int]) -> None:
    for start in range(0, len(link_ids), CHUNK):
        tried = update(Link).where(Link.id.in_(link_ids[start : start + CHUNK])).values(tries=Link.tries + 1)
        session.execute(tried.execution_options(synchronize_session=False))


def _attempt(
    channel: Channel,
    run_id: int,
    row: Row[Any],
    quantity: int | None,
    price: Decimal | None,
    *,
    worker: str,
    now: datetime,
    lease: timedelta,
) -> dict[str, Any]:
    """The columns of one attempt. Its key names the state, never the value, so that 5, 4, 5 are three keys."""
    stock = "a" if channel.in_stock_only else "s"
    aspects = f"{stock if quantity is not None else ''}{'p' if price is not None else ''}"
    return {
        "run_id": run_id,
        "channel_id": channel.id,
        "listing_id": row.listing_id,
        "product_id": row.product_id,
        "link_id": row.id,
        "link_version": row.fence,
        "product_version": row.version,
        "quantity": quantity,
        "price": price,
        "old_quantity": channel.level(row.shown_quantity),
        "in_stock_only": channel.in_stock_only,
        "old_price": row.shown_price,
        "currency": money(row, channel),
        "key": f"{row.listing_id}-{row.fence}-{row.version}-{aspects}",
        "state": AttemptState.CLAIMED,
        "worker": worker,
        "lease_until": now + lease,
        "tries": row.tries + 1,
        "at": now,
        "due_since": row.dirty_at,
    }


def _name_repeats(session: Session, rows: list[Any], values: list[dict[str, Any]]) -> None:
    """Give a state that its channel took already, and that is said once more on purpose, a key that it has not had.

    Who keeps keys apart would else throw away the repair. A retry keeps its key: nobody took the former try.
    """
    taken = {
        row.listing_id
        for row in rows
        if max(row.told_stock_version, row.told_price_version) >= row.version
        or min(row.told_stock_version, row.told_price_version) < 0  # forgotten: it may have been this one
    }
    repeats = [value for value in values if value["listing_id"] in taken]
    for start in range(0, len(repeats), CHUNK):
        some = repeats[start : start + CHUNK]
        earlier = select(Attempt.key).where(
            Attempt.listing_id.in_([value["listing_id"] for value in some]),
            Attempt.product_version.in_({value["product_version"] for value in some}),
            Attempt.outcome.in_([Outcome.APPLIED, Outcome.ACCEPTED]),
        )
        times = Counter(key.partition(".")[0] for key in session.scalars(earlier))
        for value in some:
            if n := times[value["key"]]:
                value["key"] += f".{n + 1}"


def _delivery(attempt_id: int, row: Row[Any], made: dict[str, Any]) -> Delivery:
    """The frozen update that a connector carries."""
    has_stock, has_price = made["quantity"] is not None, made["price"] is not None
    what = connectors.Update(
        listing_id=row.external_id,
        sku=row.sku,
        quantity=made["quantity"] if not made["in_stock_only"] else None,
        price=made["price"],
        currency=made["currency"],
        product_version=row.version,
        link_version=row.fence,
        key=made["key"],
        available=made["quantity"] > 0 if has_stock and made["in_stock_only"] else None,
    )
    return Delivery(attempt_id, row.id, row.listing_id, has_stock, has_price, made["tries"], what)
