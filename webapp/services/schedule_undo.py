"""Take back the last act on a schedule from the line of the trail that tells of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.errors import Conflict, Forbidden, phrase
from webapp.models.accounts import Actor, AuditEntry, Permission
from webapp.models.schedules import Schedule
from webapp.services import schedules
from webapp.services.links import UNDO_DAYS

SUBJECT = "schedule "
#: Events, and what a schedule must be for its line to be undone: it comes round, rests, or is cancelled.
ON, RESTING, OVER = "on", "resting", "over"
STATES = {
    "schedule.added": {ON, RESTING},
    "schedule.changed": {ON, RESTING},
    "schedule.paused": {RESTING},
    "schedule.resumed": {ON},
    "schedule.cancelled": {OVER},
    "schedule.restored": {ON, RESTING},
}


def undoable(session: Session, rows: Iterable[AuditEntry], *, by: Actor, now: datetime) -> set[int]:
    """The ids of those lines that this person may take back: young, and the last thing done to a schedule."""
    if not by.may(Permission.SYNC):
        return set()
    young = now - timedelta(days=UNDO_DAYS)
    ours = {row.subject: row for row in reversed(list(rows)) if row.event in STATES and row.at > young}
    if not ours:
        return set()
    last = select(func.max(AuditEntry.id)).where(AuditEntry.subject.in_(ours)).group_by(AuditEntry.subject)
    newest = set(session.scalars(last))
    numbers = [_number(row) for row in ours.values() if row.id in newest]
    states = {s.id: _state(s) for s in session.scalars(select(Schedule).where(Schedule.id.in_(numbers)))}
    return {row.id for row in ours.values() if row.id in newest and states.get(_number(row)) in STATES[row.event]}


def take_back(session: Session, entry: AuditEntry, *, by: Actor, now: datetime) -> None:
    """Put a schedule back to what it was before this line: the way back is a line of its own.

    Raises NotFound, Forbidden, or Conflict when something else happened to the schedule since.
    """
    if not by.may(Permission.SYNC) or entry.at <= now - timedelta(days=UNDO_DAYS):
        raise Forbidden(phrase("You cannot take this back: it is too old, or somebody else did it to many things."))
    schedule = schedules.get(session, _number(entry), lock=True)
    if entry.id not in undoable(session, [entry], by=by, now=now):
        raise Conflict(phrase("Something else was done to this schedule since. Nothing was changed."))
    if entry.event in ("schedule.paused", "schedule.resumed"):
        schedules.pause(session, schedule, entry.event == "schedule.resumed", by=by, now=now)
    elif entry.event == "schedule.cancelled":
        schedules.restore(session, schedule, by=by, now=now)
    elif entry.event == "schedule.changed" and schedule.replaces_id is not None:
        schedules.restore(session, schedules.get(session, schedule.replaces_id, lock=True), by=by, now=now)
    else:
        schedules.cancel(session, schedule, by=by, now=now)
        for number in (entry.before or {}).get("ended", []):  # what a restored one had put an end to
            schedules.restore(session, schedules.get(session, number, lock=True), by=by, now=now)


def _number(entry: AuditEntry) -> int:
    return int(entry.subject.removeprefix(SUBJECT))


def _state(schedule: Schedule) -> str:
    if schedule.cancelled_at is not None:
        return OVER
    return RESTING if schedule.paused_at is not None else ON
