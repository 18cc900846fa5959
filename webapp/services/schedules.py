"""Tell channels by the clock: add, change, pause, cancel and restore schedules, and work the rounds that are due.

A round is claimed under a lease, compared without a lock, and settled in one transaction that starts its run and moves
the schedule on: whoever dies in between has changed nothing, and whoever comes late finds the round gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from webapp.db import among, ring
from webapp.errors import Conflict, NotFound, Refused, phrase
from webapp.models.accounts import WORKER, Actor
from webapp.models.catalog import Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link
from webapp.models.propagation import Attempt, Outcome, SyncRun
from webapp.models.schedules import Every, Schedule
from webapp.services import audit, channels, plans, propagation, targets

LEASE = timedelta(minutes=5)  # a worker that compares for longer may be helped; the first to settle wins
LATE = timedelta(minutes=2)  # a round that begins this long after its time was missed
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Row:
    """A schedule in the list: its channel and the run of its last round."""

    schedule: Schedule
    channel: Channel
    last: SyncRun | None


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be told by the clock. Raises Refused when nothing is sent or the time is none."""

    stock: bool
    price: bool
    every: Every
    at: str = ""
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if not self.stock and not self.price:
            raise Refused(phrase("Choose what to send: stock, price or both."))
        if self.every is not Every.NIGHT:
            object.__setattr__(self, "at", "")
            return
        found = CLOCK.fullmatch(self.at.strip())
        if found is None:
            raise Refused(phrase("“{text}” is no time. Type it as 03:00.", text=self.at.strip()))
        object.__setattr__(self, "at", f"{int(found[1]):02}:{found[2]}")


def add(session: Session, on: Sequence[Channel], wish: Wish, *, by: Actor, now: datetime) -> list[Schedule]:
    """Schedule a sync for each of these channels; raises Refused when there is none."""
    if not on:
        raise Refused(phrase("Choose at least one connector."))
    made = [_make(session, channel, wish, by=by, now=now) for channel in on]
    for channel, schedule in zip(on, made, strict=True):
        words = phrase("Scheduled a sync for {channel}.", channel=channel.name)
        audit.record(session, by, "schedule.added", _subject(schedule), words, after=_facts(schedule))
    return made


def change(session: Session, schedule: Schedule, wish: Wish, *, by: Actor, now: datetime) -> Schedule:
    """Cancel a schedule and put another in its place; the old one stays in the history.

    Gives the new one, or the old one when nothing is different; raises Conflict when it was cancelled meanwhile.
    """
    channel = _live(session, schedule)
    if _wish_of(schedule) == wish:
        return schedule
    _end(schedule, by, now)
    made = _make(session, channel, wish, by=by, now=now, replaces=schedule)
    words = phrase("Changed a schedule for {channel}.", channel=channel.name)
    audit.record(session, by, "schedule.changed", _subject(made), words, before=_facts(schedule), after=_facts(made))
    return made


def pause(session: Session, schedule: Schedule, paused: bool, *, by: Actor, now: datetime) -> None:
    """Let a schedule rest, or go on with its next moment: what it missed while it rested is not caught up on."""
    channel = _live(session, schedule)
    if (schedule.paused_at is not None) == paused:
        return
    schedule.paused_at = now if paused else None
    schedule.next_at = schedule.following(now)
    if paused:
        event, words = "schedule.paused", phrase("Paused a schedule for {channel}.", channel=channel.name)
    else:
        event, words = "schedule.resumed", phrase("Resumed a schedule for {channel}.", channel=channel.name)
    audit.record(session, by, event, _subject(schedule), words)


def cancel(session: Session, schedule: Schedule, *, by: Actor, now: datetime) -> None:
    """End a schedule; it stays in the history and can be restored."""
    channel = _live(session, schedule)
    _end(schedule, by, now)
    words = phrase("Cancelled a schedule for {channel}.", channel=channel.name)
    audit.record(session, by, "schedule.cancelled", _subject(schedule), words, before=_facts(schedule))


def restore(session: Session, schedule: Schedule, *, by: Actor, now: datetime) -> None:
    """Take a cancelling or a change back: the old one comes round again, and what took its place ends."""
    if schedule.cancelled_at is None:
        return
    channel = channels.by_id(session, schedule.channel_id)
    newer = session.scalars(
        select(Schedule).where(Schedule.replaces_id == schedule.id, Schedule.cancelled_at.is_(None))
    ).all()
    for one in newer:
        _end(one, by, now)
    schedule.cancelled_at, schedule.cancelled_by = None, ""
    schedule.next_at = schedule.following(now)
    words = phrase("Restored a schedule for {channel}.", channel=channel.name)
    ended = {"ended": [one.id for one in newer]}
    audit.record(session, by, "schedule.restored", _subject(schedule), words, before=ended, after=_facts(schedule))


# ---- reading ---------------------------------------------------------------------------------------------


def get(session: Session, schedule_id: int, *, lock: bool = False) -> Schedule:
    """The schedule, locked when it is going to be changed; raises NotFound."""
    schedule = session.get(Schedule, schedule_id, with_for_update=lock or None, populate_existing=lock)
    if schedule is None:
        raise NotFound(phrase("There is no schedule {number}.", number=schedule_id))
    return schedule


def listed(session: Session, *, cancelled: bool = False, channel_id: int | None = None, limit: int = 500) -> list[Row]:
    """The schedules by channel, or those that were cancelled, the latest first."""
    query = select(Schedule, Channel).join(Channel, Channel.id == Schedule.channel_id).limit(limit)
    if cancelled:
        query = query.where(Schedule.cancelled_at.is_not(None)).order_by(
            Schedule.cancelled_at.desc(), Schedule.id.desc()
        )
    else:
        query = query.where(Schedule.cancelled_at.is_(None)).order_by(Channel.name, Schedule.id)
    if channel_id is not None:
        query = query.where(Schedule.channel_id == channel_id)
    found = session.execute(query).all()
    last = _last_runs(session, [schedule.id for schedule, _ in found])
    return [Row(schedule, channel, last.get(schedule.id)) for schedule, channel in found]


def told_by_the_clock(session: Session) -> dict[int, list[Schedule]]:
    """The schedules that come round, by their channel."""
    found: dict[int, list[Schedule]] = {}
    on = select(Schedule).where(Schedule.cancelled_at.is_(None), Schedule.paused_at.is_(None))
    for schedule in session.scalars(on.order_by(Schedule.id)):
        found.setdefault(schedule.channel_id, []).append(schedule)
    return found


def same_as(session: Session, schedule: Schedule) -> Schedule | None:
    """Another schedule that tells the same channel something of the same, if there is one."""
    shared = [Schedule.stock] if schedule.stock else []
    shared += [Schedule.price] if schedule.price else []
    others = select(Schedule).where(
        Schedule.channel_id == schedule.channel_id, Schedule.id != schedule.id, Schedule.cancelled_at.is_(None)
    )
    return session.scalar(others.where(or_(*shared)).order_by(Schedule.id).limit(1))


# ---- the rounds ------------------------------------------------------------------------------------------


def due(session: Session, *, now: datetime) -> bool:
    """Whether a round is due that nobody works at."""
    return session.scalar(select(Schedule.id).join(Channel).where(*_due(now)).limit(1)) is not None


def claim(session: Session, *, worker: str, now: datetime) -> Schedule | None:
    """Take the round that has been due for longest under a lease; None when there is none.

    The rounds of a channel that is paused, or held by the brakes, wait for it, and come late but once.
    """
    query = select(Schedule).join(Channel, Channel.id == Schedule.channel_id).where(*_due(now))
    query = query.order_by(Schedule.next_at, Schedule.id).limit(1).with_for_update(of=Schedule, skip_locked=True)
    found = session.scalar(query)
    if found is not None:
        found.worker, found.lease_until = worker, now + LEASE
        session.flush()
    return found


def look(session: Session, schedule: Schedule) -> plans.Plan:
    """What the round would change: pairs with auto-sync on whose listing shows something else. Only reads."""
    channel = channels.by_id(session, schedule.channel_id)
    return plans.plan(session, channel, stock=schedule.stock, price=schedule.price, only_auto=True)


def settle(session: Session, claimed: Schedule, made: plans.Plan, *, now: datetime) -> SyncRun | None:
    """Start the run of a claimed round and move the schedule on; None when the round is no longer to be worked.

    What the brakes hold stops the channel until a person releases it, as after a change; nothing goes then.
    """
    schedule = session.scalar(select(Schedule).where(Schedule.id == claimed.id).with_for_update())
    channel = channels.by_id(session, claimed.channel_id, lock=True)
    if schedule is None or not schedule.is_on or schedule.next_at != claimed.next_at:
        return None
    if channel.paused_at is not None or channel.held:
        schedule.worker, schedule.lease_until = "", None
        return None
    held = len({change.link_id for change in made.held})
    if made.braked:
        _hold(session, channel, made, now=now)
    wanted = {
        aspect: [] if made.braked else _open(session, channel, made.link_ids(aspect)) for aspect in ("stock", "price")
    }
    run = propagation.start_run(
        session,
        channel,
        wanted["stock"],
        stock=schedule.stock,
        price=schedule.price,
        price_ids=wanted["price"],
        by=WORKER,
        now=now,
        unchanged=made.unchanged,
        held=held,
        round_of=(schedule.id, claimed.next_at),
    )
    run.message = made.braked
    schedule.next_at, schedule.worker, schedule.lease_until = schedule.following(now), "", None
    session.flush()
    return run


def is_late(run: SyncRun) -> bool:
    """Whether a round began long after its time: nobody worked then, or the channel was paused."""
    return run.planned_at is not None and run.started_at - run.planned_at > LATE


def _due(now: datetime) -> list[ColumnElement[bool]]:
    return [
        Schedule.cancelled_at.is_(None),
        Schedule.paused_at.is_(None),
        Schedule.next_at <= now,
        or_(Schedule.lease_until.is_(None), Schedule.lease_until < now),
        Channel.paused_at.is_(None),
        Channel.held == "",
    ]


def _open(session: Session, channel: Channel, link_ids: Iterable[int]) -> list[int]:
    """Of these links, those that nobody is about to tell already and that were not refused with the very same value."""
    asked = [Link.run_id.is_not(None)] + ([Link.auto_sync.is_(True)] if channel.mode == SendMode.AUTOMATIC else [])
    waits = and_(Link.due_at.is_not(None), or_(*asked))
    refused = and_(
        Link.problem != "",
        exists().where(
            Attempt.listing_id == Link.listing_id,
            Attempt.link_version == Link.fence,
            Attempt.product_version == Product.version,
            Attempt.outcome == Outcome.REJECTED,
        ),
    )
    left_out = select(Link.id).join(Product, Product.id == Link.product_id).where(Link.channel_id == channel.id)
    closed = set(session.scalars(left_out.where(or_(waits, refused))))
    return [link_id for link_id in link_ids if link_id not in closed]


def _hold(session: Session, channel: Channel, made: plans.Plan, *, now: datetime) -> None:
    """Stop a channel whose round would empty or reprice it; what waits is sent when a person releases it."""
    channel.held = phrase("{reason} Nothing was sent.", reason=made.braked)
    for aspect in ("stock", "price"):
        values: dict[str, object] = {
            f"want_{aspect}": True,
            "due_at": now,
            "dirty_at": func.coalesce(Link.dirty_at, now),
        }
        ids = {change.link_id for change in made.held if change.aspect == aspect}
        waiting = update(Link).where(among(session, Link.id, ids), Link.run_id.is_(None)).values(values)
        session.execute(waiting.execution_options(synchronize_session=False))
    words = phrase("Held {channel}: {reason}", channel=channel.name, reason=channel.held)
    audit.record(session, WORKER, "channel.held", f"channel {channel.name}", words)


def _last_runs(session: Session, ids: Sequence[int]) -> dict[int, SyncRun]:
    newest = select(func.max(SyncRun.id)).where(SyncRun.schedule_id.in_(ids)).group_by(SyncRun.schedule_id)
    runs = session.scalars(select(SyncRun).where(SyncRun.id.in_(newest)))
    return {run.schedule_id: run for run in runs if run.schedule_id is not None}


def _make(
    session: Session, channel: Channel, wish: Wish, *, by: Actor, now: datetime, replaces: Schedule | None = None
) -> Schedule:
    ZoneInfo(wish.zone)  # one that nobody knows would stop every round
    made = Schedule(
        channel_id=channel.id,
        stock=wish.stock,
        price=wish.price,
        every=wish.every,
        at=wish.at,
        zone=wish.zone,
        by_id=by.id,
        by_name=by.name,
        created_at=now,
        replaces_id=replaces.id if replaces else None,
    )
    made.next_at = made.following(now)
    session.add(made)
    session.flush()
    ring(session, targets.BELL)
    return made


def _live(session: Session, schedule: Schedule) -> Channel:
    """The schedule's channel; raises Conflict when it was cancelled."""
    if schedule.cancelled_at is not None:
        raise Conflict(
            phrase("{name} cancelled this schedule meanwhile. Nothing was changed.", name=schedule.cancelled_by)
        )
    return channels.by_id(session, schedule.channel_id)


def _end(schedule: Schedule, by: Actor, now: datetime) -> None:
    schedule.cancelled_at, schedule.cancelled_by = now, by.name
    schedule.worker, schedule.lease_until = "", None


def _wish_of(schedule: Schedule) -> Wish:
    return Wish(schedule.stock, schedule.price, schedule.every, schedule.at, schedule.zone)


def _facts(schedule: Schedule) -> dict[str, object]:
    facts: dict[str, object] = {"stock": schedule.stock, "price": schedule.price, "every": schedule.every.value}
    return facts | ({"at": schedule.at, "zone": schedule.zone} if schedule.at else {})


def _subject(schedule: Schedule) -> str:
    return f"schedule {schedule.id}"
