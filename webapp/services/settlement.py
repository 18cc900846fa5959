"""What came of a delivery: write down the channel's answer, free what a dead worker held, end runs.

Nothing here goes backwards: a version that was told is never replaced by an older one, and a link that
ended while a request was on its way only learns that it was too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import Session

import connectors
from webapp.errors import phrase
from webapp.models.accounts import WORKER
from webapp.models.catalog import Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link
from webapp.models.propagation import FAILING, Attempt, AttemptState, Outcome, RunKind, RunState, SyncRun
from webapp.services import audit, rechecks, targets

QUARANTINE = timedelta(seconds=30)  # a request that timed out may still land; wait before saying anything newer
SOON = timedelta(seconds=5)  # a refused value that has changed meanwhile is worth another try
TAKEN = {Outcome.APPLIED, Outcome.ACCEPTED}
DOWN = {connectors.Status.FAILED, connectors.Status.UNKNOWN}
CHUNK = 500


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


Answer = tuple[Delivery, connectors.Outcome, float | None]


def settle(
    session: Session,
    claim: Claim,
    outcomes: Sequence[connectors.Outcome],
    *,
    now: datetime,
    delays: Sequence[float | None],
) -> Tally:
    """Write down what the channel answered, one by one; `delays` are seconds until the next try (None: no more)."""
    lock_channels(session, [claim.channel_id])
    tally = Tally()
    answers = list(zip(claim.deliveries, outcomes, delays, strict=True))
    for start in range(0, len(answers), CHUNK):
        _settle_some(session, claim.run_id, answers[start : start + CHUNK], tally, now=now)
    _tell_channel(session, claim, outcomes, now=now)
    close_run(session, claim.run_id, now=now)
    return tally


def lost(session: Session, *, now: datetime) -> bool:
    """Whether a lease ran out: a worker died over its deliveries, or slept for too long. Only reads."""
    late = exists().where(Attempt.state != AttemptState.DONE, Attempt.lease_until < now)
    return bool(session.scalar(select(late)))


def rescue(session: Session, *, now: datetime) -> int:
    """Free what a dead worker held: what had not begun is due at once, what had may have landed and is said later."""
    late = (Attempt.state != AttemptState.DONE, Attempt.lease_until < now)
    concerned = list(session.scalars(select(Attempt.channel_id).where(*late).distinct()))
    if not concerned:
        return 0
    lock_channels(session, concerned)
    over = list(
        session.scalars(select(Attempt).where(*late).order_by(Attempt.link_id).with_for_update(skip_locked=True))
    )
    for attempt in over:
        begun = attempt.state == AttemptState.BEGUN
        _end(attempt, Outcome.UNKNOWN if begun else Outcome.FENCED, now)
        attempt.message = (
            phrase("The worker stopped before the channel answered.")
            if begun
            else phrase("The worker stopped before sending.")
        )
        newly_failed = begun and attempt.listing_id not in _failed_before(session, attempt.run_id, [attempt.listing_id])
        session.flush()
        _say_again(session, attempt, at=now + QUARANTINE if begun else now)
        _add(session, attempt.run_id, failed=int(newly_failed), fenced=int(not begun))
    for run_id in sorted({attempt.run_id for attempt in over}):
        close_run(session, run_id, now=now)
    return len(over)


def lock_channels(session: Session, channel_ids: Sequence[int]) -> None:
    """Take a channel's turn: whoever claims, begins, settles or rescues locks it first, so that nobody waits in a ring.

    A turn is a few statements long and the network stands outside of it. The lock lets foreign keys pass (`FOR NO KEY
    UPDATE`): an unlink writes history that names the channel while it holds links we wait for. SQLite has one writer.
    """
    some = select(Channel.id).where(Channel.id.in_(channel_ids)).order_by(Channel.id)
    session.execute(some.with_for_update(key_share=True))


def close_run(session: Session, run_id: int, *, now: datetime) -> None:
    """End a run when nothing of it is in flight or due; what it never got to say counts as fenced."""
    session.flush()
    run = session.get(SyncRun, run_id, populate_existing=True)
    if run is None or run.ended_at is not None or session.scalar(select(_goes_on(run_id))):
        return
    run.ended_at = now
    run.state = RunState.DONE if not run.failed else RunState.PARTLY if run.sent else RunState.FAILED
    if run.kind != RunKind.AUTOMATIC:
        run.fenced = max(0, run.asked - run.sent - run.failed)
    session.flush()


def close_idle_runs(session: Session, *, now: datetime) -> int:
    """End the runs whose last waiting links were unlinked: nobody is going to settle them."""
    query = select(SyncRun.id).where(SyncRun.state == RunState.RUNNING, ~_goes_on(SyncRun.id))
    ids = list(session.scalars(query))
    for run_id in ids:
        close_run(session, run_id, now=now)
    return len(ids)


def _goes_on(run_id: Any) -> ColumnElement[bool]:
    """Whether something of a run is in flight or due."""
    return or_(
        exists().where(Attempt.run_id == run_id, Attempt.state != AttemptState.DONE),
        exists().where(Link.run_id == run_id, Link.due_at.is_not(None)),
    )


def _settle_some(session: Session, run_id: int, answers: Sequence[Answer], tally: Tally, *, now: datetime) -> None:
    """Settle some deliveries in a handful of statements; links are locked in id order, as everywhere."""
    ids = [delivery.listing_id for delivery, _, _ in answers]
    links = {link.listing_id: link for link in session.scalars(_locked(Link, Link.listing_id.in_(ids)))}
    mine = _locked(Attempt, Attempt.id.in_([delivery.attempt_id for delivery, _, _ in answers]))
    attempts = {attempt.id: attempt for attempt in session.scalars(mine)}
    product_ids = {link.product_id for link in links.values()}
    versions = dict(session.execute(select(Product.id, Product.version).where(Product.id.in_(product_ids))).all())
    off = [link.listing_id for link in links.values() if link.apart]  # told now, so perhaps no longer
    rechecks.ask_listings(session, off, soon=False)
    before = _failed_before(session, run_id, ids)
    numbers = {"sent": 0, "failed": 0, "fenced": 0}
    artifact = ""
    for delivery, outcome, delay in answers:
        attempt, link = attempts[delivery.attempt_id], links.get(delivery.listing_id)
        if attempt.state == AttemptState.DONE:
            continue  # rescued meanwhile: it counts as unknown and is said again
        version = versions[link.product_id] if link is not None else 0
        late = _settle_one(session, attempt, link, outcome, version=version, now=now, delay=delay)
        taken, again = attempt.outcome in TAKEN, delivery.listing_id in before
        tally.sent, tally.fenced = tally.sent + taken, tally.fenced + late
        tally.failed += not taken and not late
        numbers["sent"] += taken
        numbers["fenced"] += late
        numbers["failed"] += -again if taken or late else not again  # a run counts listings, not tries
        artifact = outcome.artifact or artifact
    session.flush()
    _add(session, run_id, **numbers)
    if artifact:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(artifact=artifact))


def _settle_one(
    session: Session,
    attempt: Attempt,
    link: Link | None,
    outcome: connectors.Outcome,
    *,
    version: int,
    now: datetime,
    delay: float | None,
) -> bool:
    """Note one answer on its attempt and its link; gives whether it came too late for the link."""
    result = Outcome(outcome.status.value)
    why = outcome.message or outcome.code or phrase("The channel gave no reason.")  # an empty one would say: no trouble
    attempt.code, attempt.message = outcome.code[:120], outcome.message if result in TAKEN else why
    if link is None or link.id != attempt.link_id or link.fence != attempt.link_version:
        # A late answer that never came may still land: it stays "unknown", and the listing is left alone for a while.
        _end(attempt, Outcome.UNKNOWN if result == Outcome.UNKNOWN else Outcome.LATE, now)
        session.flush()
        _say_again(session, attempt, at=now + QUARANTINE if result == Outcome.UNKNOWN else now)
        return True
    _end(attempt, result, now)
    changed = version > attempt.product_version
    if result in TAKEN:
        _taken(link, attempt, changed, now)
    elif changed:
        link.tries, link.problem = 0, why
        link.due_at = now + min(timedelta(seconds=delay or 0), SOON)
    elif outcome.permanent or delay is None:
        link.problem = why
        link.due_at = link.dirty_at = link.run_id = None
        link.want_stock = link.want_price = False
    else:
        wait = timedelta(seconds=delay)
        link.due_at = now + (max(wait, QUARANTINE) if result == Outcome.UNKNOWN else wait)
        link.problem = why
    return False


def _taken(link: Link, attempt: Attempt, changed: bool, now: datetime) -> None:
    """Note what the channel was told, never backwards, and whether something is due still."""
    if attempt.quantity is not None and link.told_stock_version < attempt.product_version:
        link.told_stock_version, link.told_quantity = attempt.product_version, attempt.quantity
    if attempt.price is not None and link.told_price_version < attempt.product_version:
        link.told_price_version, link.told_price = attempt.product_version, attempt.price
    link.told_at, link.problem, link.tries = now, "", 0
    link.want_stock = link.want_stock and (changed or attempt.quantity is None)
    link.want_price = link.want_price and (changed or attempt.price is None)
    link.run_id = None  # what was asked for is told; what is due still, or again, goes the channel's own way
    link.due_at, link.dirty_at = (now, link.dirty_at) if link.want_stock or link.want_price else (None, None)


def _say_again(session: Session, attempt: Attempt, *, at: datetime) -> None:
    """Make a listing due once more whose last request was lost or came late.

    Its own link goes on with what it wanted. Another link that owns the listing by now says its values once more; on
    a channel that is sent to by hand it only forgets what was told, so that the next plan shows the difference.
    """
    row = session.execute(
        select(Link.id, Channel.mode)
        .join(Channel, Channel.id == Link.channel_id)
        .where(Link.listing_id == attempt.listing_id)
    ).first()
    if row is None:
        return
    if row.id == attempt.link_id:
        due = func.coalesce(Link.dirty_at, at)
        session.execute(
            update(Link)
            .where(Link.id == row.id, or_(Link.want_stock, Link.want_price))
            .values(due_at=at, dirty_at=due)
            .execution_options(synchronize_session="fetch")
        )
        return
    targets.assert_again(
        session,
        row.id,
        stock=attempt.quantity is not None,
        price=attempt.price is not None,
        due=row.mode == SendMode.AUTOMATIC,
        at=at,
    )


def _end(attempt: Attempt, outcome: Outcome, now: datetime) -> None:
    attempt.state, attempt.outcome, attempt.ended_at = AttemptState.DONE, outcome, now


def _locked(table: Any, which: ColumnElement[bool]) -> Any:
    """Rows to change, fresh and locked in id order."""
    return select(table).where(which).order_by(table.id).with_for_update().execution_options(populate_existing=True)


def _failed_before(session: Session, run_id: int, listing_ids: Sequence[int]) -> set[int]:
    """The listings whose last finished try in this run failed: they are counted as failed."""
    newest = (
        select(func.max(Attempt.id))
        .where(
            Attempt.run_id == run_id,
            Attempt.listing_id.in_(listing_ids),
            Attempt.state == AttemptState.DONE,
            Attempt.outcome != Outcome.FENCED,
        )
        .group_by(Attempt.listing_id)
    )
    return set(session.scalars(select(Attempt.listing_id).where(Attempt.id.in_(newest), Attempt.outcome.in_(FAILING))))


def _add(session: Session, run_id: int, **numbers: int) -> None:
    """Add to a run's numbers where they stand."""
    values = {name: getattr(SyncRun, name) + n for name, n in numbers.items() if n}
    if values:
        done = update(SyncRun).where(SyncRun.id == run_id).values(values)
        session.execute(done.execution_options(synchronize_session=False))


def _tell_channel(session: Session, claim: Claim, outcomes: Sequence[connectors.Outcome], *, now: datetime) -> None:
    """Rest a channel that asked for it or does not answer at all, and close one that wants to hear no more."""
    channel = session.get_one(Channel, claim.channel_id, populate_existing=True)
    breaker = connectors.Breaker(failures=channel.failures)
    waits = [o.retry_after for o in outcomes if o.status == connectors.Status.THROTTLED and o.retry_after]
    if all(o.status in DOWN and not o.permanent for o in outcomes):
        after = max((o.retry_after for o in outcomes if o.retry_after), default=None)
        breaker = breaker.failed(now, after)
        channel.failures, channel.rest_until = breaker.failures, breaker.open_until
    else:
        channel.failures = 0
    if waits:
        channel.rest_until = now + timedelta(seconds=max(waits))
    closed = next((o for o in outcomes if o.closes_channel), None)
    if closed is not None and channel.paused_at is None:
        channel.paused_at, channel.problem = now, closed.message
        words = phrase("Paused {channel}: {reason}", channel=channel.name, reason=closed.message)
        audit.record(session, WORKER, "channel.paused", f"channel {channel.name}", words)
