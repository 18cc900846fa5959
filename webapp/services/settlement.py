"""What came of a delivery: write down the channel's answer, free what a dead worker held, end runs.

Nothing here goes backwards: a version that was told is never replaced by an older one, and a link that
ended while a request was on its way only learns that it was too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

import connectors
from webapp.models.accounts import WORKER
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.propagation import Attempt, AttemptState, Outcome, RunState, SyncRun
from webapp.services import audit, targets

QUARANTINE = timedelta(seconds=30)  # a request that timed out may still land; wait before saying it again
TAKEN = {Outcome.APPLIED, Outcome.ACCEPTED}


@dataclass(frozen=True)
class Delivery:
    """One claimed update with what is needed to begin and settle it."""

    attempt_id: int
    link_id: int
    listing_id: int
    stock: bool
    price: bool
    tries: int
    update: connectors.Update


@dataclass(frozen=True)
class Claim:
    """Deliveries of one run to one channel: what one push carries."""

    channel_id: int
    run_id: int
    deliveries: tuple[Delivery, ...]


@dataclass
class Tally:
    """How many deliveries ended how."""

    sent: int = 0
    failed: int = 0
    fenced: int = 0


def settle(
    session: Session,
    claim: Claim,
    outcomes: Sequence[connectors.Outcome],
    *,
    now: datetime,
    delays: Sequence[float | None],
) -> Tally:
    """Write down what the channel answered, one by one; `delays` are seconds until the next try (None: no more)."""
    tally = Tally()
    for delivery, outcome, delay in zip(claim.deliveries, outcomes, delays, strict=True):
        attempt = session.get(Attempt, delivery.attempt_id, with_for_update=True)
        if attempt is None or attempt.state == AttemptState.DONE:
            continue  # rescued meanwhile: it counts as unknown and is said again
        result = _settle_one(session, delivery, attempt, outcome, now=now, delay=delay)
        tally.sent += result in TAKEN
        tally.fenced += result == Outcome.LATE
        tally.failed += result not in TAKEN and result != Outcome.LATE
        if outcome.artifact:
            session.execute(update(SyncRun).where(SyncRun.id == claim.run_id).values(artifact=outcome.artifact))
    session.execute(
        update(SyncRun)
        .where(SyncRun.id == claim.run_id)
        .values(
            sent=SyncRun.sent + tally.sent, failed=SyncRun.failed + tally.failed, fenced=SyncRun.fenced + tally.fenced
        )
    )
    _tell_channel(session, claim, outcomes, now=now)
    close_run(session, claim.run_id, now=now)
    return tally


def rescue(session: Session, *, now: datetime) -> int:
    """Free what a dead worker held: what had not begun is due at once, what had may have landed and is said later."""
    over = list(
        session.scalars(
            select(Attempt)
            .where(Attempt.state != AttemptState.DONE, Attempt.lease_until < now)
            .with_for_update(skip_locked=True)
        )
    )
    for attempt in over:
        begun = attempt.state == AttemptState.BEGUN
        attempt.state, attempt.ended_at = AttemptState.DONE, now
        attempt.outcome = Outcome.UNKNOWN if begun else Outcome.FENCED
        attempt.message = (
            "The worker stopped before the channel answered." if begun else "The worker stopped before sending."
        )
        session.execute(
            update(Link)
            .where(Link.listing_id == attempt.listing_id)
            .values(due_at=now + QUARANTINE if begun else now, dirty_at=func.coalesce(Link.dirty_at, now))
        )
        session.flush()
        close_run(session, attempt.run_id, now=now)
    return len(over)


def close_run(session: Session, run_id: int, *, now: datetime) -> None:
    """End a run when nothing of it is in flight or due."""
    session.flush()
    open_attempt = exists().where(Attempt.run_id == run_id, Attempt.state != AttemptState.DONE)
    due = exists().where(Link.run_id == run_id, Link.due_at.is_not(None))
    run = session.get(SyncRun, run_id, populate_existing=True)
    if run is None or session.scalar(select(or_(open_attempt, due))):
        return
    run.ended_at = now
    run.state = RunState.DONE if not run.failed else RunState.PARTLY if run.sent else RunState.FAILED


def _settle_one(
    session: Session,
    delivery: Delivery,
    attempt: Attempt,
    outcome: connectors.Outcome,
    *,
    now: datetime,
    delay: float | None,
) -> Outcome:
    result = Outcome(outcome.status.value)
    attempt.state, attempt.ended_at = AttemptState.DONE, now
    attempt.code, attempt.message = outcome.code[:120], outcome.message
    link = session.scalar(
        select(Link)
        .where(Link.listing_id == delivery.listing_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if link is None or link.id != delivery.link_id or link.fence != attempt.link_version:
        attempt.outcome = Outcome.LATE
        if link is not None:  # another product owns the listing now: say its values once more
            targets.assert_again(session, delivery.listing_id, now=now)
        session.flush()
        return Outcome.LATE
    attempt.outcome = result
    if result in TAKEN:
        _taken(session, link, delivery, attempt, now)
    elif outcome.permanent or delay is None:
        link.problem = outcome.message or outcome.code
        link.due_at = link.dirty_at = link.run_id = None
        link.want_stock = link.want_price = False
    else:
        wait = timedelta(seconds=delay)
        link.due_at = now + max(wait, QUARANTINE if result == Outcome.UNKNOWN else wait)
        link.problem = outcome.message
    session.flush()
    return result


def _taken(session: Session, link: Link, delivery: Delivery, attempt: Attempt, now: datetime) -> None:
    """Note what the channel was told, never backwards, and whether something is due still."""
    version = session.scalar(select(Product.version).where(Product.id == link.product_id)) or 0
    if delivery.stock and link.told_stock_version < attempt.product_version:
        link.told_stock_version, link.told_quantity = attempt.product_version, attempt.quantity
    if delivery.price and link.told_price_version < attempt.product_version:
        link.told_price_version, link.told_price = attempt.product_version, attempt.price
    link.told_at, link.problem, link.tries = now, "", 0
    changed_meanwhile = version > attempt.product_version
    link.want_stock = link.want_stock and (changed_meanwhile or not delivery.stock)
    link.want_price = link.want_price and (changed_meanwhile or not delivery.price)
    if not link.want_stock and not link.want_price:
        link.due_at = link.dirty_at = link.run_id = None
    else:
        link.due_at = now


def _tell_channel(session: Session, claim: Claim, outcomes: Sequence[connectors.Outcome], *, now: datetime) -> None:
    """Rest a channel that asked for it, and close one that wants to hear no more."""
    waits = [o.retry_after for o in outcomes if o.status == connectors.Status.THROTTLED and o.retry_after]
    channel = session.get_one(Channel, claim.channel_id)
    if waits:
        channel.rest_until = now + timedelta(seconds=max(waits))
    closed = next((o for o in outcomes if o.closes_channel), None)
    if closed is not None and channel.paused_at is None:
        channel.paused_at, channel.problem = now, closed.message
        audit.record(
            session, WORKER, "channel.paused", f"channel {channel.name}", f"Paused {channel.name}: {closed.message}"
        )
