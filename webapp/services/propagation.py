"""Say stock and prices to the channels, across confirmed links only.

The protocol, so that an unlinked listing hears nothing and an older value never follows a newer one:
*claim* takes due links under a lease and reads the current values; *begin*, right before the first byte,
keeps only the deliveries whose link and version still stand, in one statement that an unlink either sees or
prevents; the network stands between two transactions; *settle* writes what the channel said, never backwards;
*rescue* frees what a dead worker held and says it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

import connectors
from webapp.db import ring
from webapp.models.accounts import WORKER, Actor
from webapp.models.catalog import Price, Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.models.propagation import Attempt, AttemptState, Outcome, RunKind, RunState, SyncRun
from webapp.services import audit, targets
from webapp.services.settlement import Claim as Claim
from webapp.services.settlement import Delivery as Delivery
from webapp.services.settlement import close_run as close_run
from webapp.services.settlement import rescue as rescue
from webapp.services.settlement import settle as settle
from webapp.services.stock import available_to_sell

LEASE = timedelta(seconds=60)  # longer than any connector's total deadline
CHUNK = 500


def start_run(
    session: Session,
    channel: Channel,
    link_ids: Sequence[int],
    *,
    stock: bool,
    price: bool,
    by: Actor,
    now: datetime,
    unchanged: int = 0,
    held: int = 0,
) -> SyncRun:
    """Ask for these links to be told now, by hand; the values are read when they are sent."""
    run = SyncRun(
        channel_id=channel.id,
        kind=RunKind.MANUAL,
        by_id=by.id,
        by_name=by.name,
        stock=stock,
        price=price,
        started_at=now,
        asked=len(link_ids),
        unchanged=unchanged,
        held=held,
        state=RunState.RUNNING if link_ids else RunState.DONE,
        ended_at=None if link_ids else now,
    )
    session.add(run)
    session.flush()
    for start in range(0, len(link_ids), CHUNK):
        session.execute(
            update(Link)
            .where(Link.id.in_(link_ids[start : start + CHUNK]))
            .values(
                want_stock=or_(Link.want_stock, literal(stock)),
                want_price=or_(Link.want_price, literal(price)),
                due_at=now,
                run_id=run.id,
                tries=0,
                dirty_at=func.coalesce(Link.dirty_at, now),
            )
            .execution_options(synchronize_session=False)
        )
    what = " and ".join([*(["stock"] if stock else []), *(["price"] if price else [])])
    audit.record(
        session, by, "sync.started", f"run {run.id}", f"Sent {what} of {len(link_ids)} listings to {channel.name}."
    )
    ring(session, targets.BELL)
    return run


def due_channels(session: Session, *, now: datetime) -> list[int]:
    """The channels that have something due and may be sent to."""
    query = (
        select(Channel.id)
        .where(exists().where(Link.channel_id == Channel.id, *_due(now)), *_open(now))
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
) -> Claim | None:
    """Take up to `limit` due links of a channel under a lease; None when there is nothing to do.

    A listing with a delivery in flight is left alone: one at a time each.
    """
    channel = session.scalar(select(Channel).where(Channel.id == channel_id, *_open(now)).with_for_update())
    if channel is None:
        return None
    in_flight = exists().where(Attempt.listing_id == Link.listing_id, Attempt.state != AttemptState.DONE)
    asked = Link.run_id.is_not(None)  # by a person; what is due by itself goes only where the mode and the brakes allow
    allowed = or_(asked, Link.auto_sync) if channel.mode == SendMode.AUTOMATIC and not channel.held else asked
    query = (
        select(Link, Listing, Product)
        .join(Listing, Listing.id == Link.listing_id)
        .join(Product, Product.id == Link.product_id)
        .where(Link.channel_id == channel_id, *_due(now), ~in_flight, allowed)
        .order_by(Link.due_at, Link.id)
        .limit(limit)
        .with_for_update(of=Link, skip_locked=True)
    )
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    if not rows:
        return None
    run_id = rows[0][0].run_id
    rows = [row for row in rows if row[0].run_id == run_id]
    run_id = run_id or _automatic_run(session, channel, now)
    prices = _list_prices(session, channel, [p.id for _, _, p in rows])
    made = [
        _deliver(
            session,
            channel,
            run_id,
            *row,
            prices=prices,
            now=now,
            worker=worker,
            sends_stock=sends_stock,
            sends_price=sends_price,
        )
        for row in rows
    ]
    return Claim(channel_id, run_id, tuple(d for d in made if d is not None))


def begin(session: Session, claim: Claim, *, now: datetime) -> Claim:
    """Keep the deliveries that may leave now: lease ours, link live, link and product versions as claimed.

    Runs right before the first byte. A delivery that may not leave is settled as `fenced`.
    """
    ids = [d.attempt_id for d in claim.deliveries]
    if not ids:
        return claim
    stands = exists().where(
        Link.id == Attempt.link_id,
        Link.listing_id == Attempt.listing_id,
        Link.fence == Attempt.link_version,
        Product.id == Link.product_id,
        Product.version == Attempt.product_version,
    )
    unpaused = exists().where(Channel.id == Attempt.channel_id, Channel.paused_at.is_(None))
    mine = (Attempt.id.in_(ids), Attempt.state == AttemptState.CLAIMED)
    if session.get_bind().dialect.name == "postgresql":  # an unlink that is being written waits for us, or we for it
        session.execute(
            select(Link.id)
            .where(Link.id.in_([d.link_id for d in claim.deliveries]))
            .order_by(Link.id)
            .with_for_update()
        )
    session.execute(
        update(Attempt)
        .where(*mine, Attempt.lease_until > now, stands, unpaused)
        .values(state=AttemptState.BEGUN, begun_at=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Attempt)
        .where(*mine)
        .values(state=AttemptState.DONE, outcome=Outcome.FENCED, ended_at=now)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    begun = set(session.scalars(select(Attempt.id).where(Attempt.id.in_(ids), Attempt.state == AttemptState.BEGUN)))
    fenced = len(ids) - len(begun)
    if fenced:
        session.execute(update(SyncRun).where(SyncRun.id == claim.run_id).values(fenced=SyncRun.fenced + fenced))
        close_run(session, claim.run_id, now=now)
    return Claim(claim.channel_id, claim.run_id, tuple(d for d in claim.deliveries if d.attempt_id in begun))


def count_due(session: Session) -> int:
    """How many links still have something to be told."""
    return int(session.scalar(select(func.count()).select_from(Link).where(Link.due_at.is_not(None))) or 0)


def desired(product: Product, list_price: Decimal | None, channel: Channel) -> tuple[int, Decimal | None]:
    """What a listing of this product ought to show on this channel: units, and the price (None: there is none)."""
    price = list_price if channel.price_list_id else product.price
    return available_to_sell(product), price


def _due(now: datetime) -> list[ColumnElement[bool]]:
    return [Link.due_at.is_not(None), Link.due_at <= now]


def _open(now: datetime) -> list[ColumnElement[bool]]:
    return [Channel.paused_at.is_(None), or_(Channel.rest_until.is_(None), Channel.rest_until <= now)]


def _automatic_run(session: Session, channel: Channel, now: datetime) -> int:
    """The automatic run of this channel that is going on, or a new one."""
    query = select(SyncRun.id).where(
        SyncRun.channel_id == channel.id, SyncRun.kind == RunKind.AUTOMATIC, SyncRun.state == RunState.RUNNING
    )
    found = session.scalar(query.order_by(SyncRun.id.desc()).limit(1))
    if found is not None:
        return found
    run = SyncRun(
        channel_id=channel.id, kind=RunKind.AUTOMATIC, by_name=WORKER.name, price=channel.sends_price, started_at=now
    )
    session.add(run)
    session.flush()
    return run.id


def _list_prices(session: Session, channel: Channel, product_ids: Sequence[int]) -> dict[int, Decimal]:
    if not channel.price_list_id:
        return {}
    query = select(Price.product_id, Price.amount).where(
        Price.price_list_id == channel.price_list_id, Price.product_id.in_(product_ids)
    )
    return dict(session.execute(query).all())


def _deliver(
    session: Session,
    channel: Channel,
    run_id: int,
    link: Link,
    listing: Listing,
    product: Product,
    *,
    prices: dict[int, Decimal],
    now: datetime,
    worker: str,
    sends_stock: bool,
    sends_price: bool,
) -> Delivery | None:
    """Make the attempt and its frozen update; None when there is nothing left to say."""
    quantity, price = desired(product, prices.get(product.id), channel)
    tell_stock = link.want_stock and sends_stock
    tell_price = link.want_price and sends_price and price is not None
    if not tell_stock and not tell_price:
        link.want_stock = link.want_price = False
        link.due_at = link.dirty_at = link.run_id = None
        return None
    link.tries += 1
    attempt = Attempt(
        run_id=run_id,
        channel_id=channel.id,
        listing_id=listing.id,
        product_id=product.id,
        link_id=link.id,
        link_version=link.fence,
        product_version=product.version,
        quantity=quantity if tell_stock else None,
        price=price if tell_price else None,
        old_quantity=link.told_quantity,
        old_price=link.told_price,
        currency=product.currency or channel.currency,
        worker=worker,
        lease_until=now + LEASE,
        at=now,
        tries=link.tries,
        key=f"{listing.id}-{link.fence}-{product.version}-{'s' if tell_stock else ''}{'p' if tell_price else ''}",
    )
    session.add(attempt)
    session.flush()
    update_ = connectors.Update(
        listing_id=listing.external_id,
        sku=listing.sku,
        quantity=attempt.quantity,
        price=attempt.price,
        currency=attempt.currency,
        product_version=product.version,
        link_version=link.fence,
        key=attempt.key,
    )
    return Delivery(attempt.id, link.id, listing.id, tell_stock, tell_price, link.tries, update_)
