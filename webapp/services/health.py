"""Health: who works, what waits and since when, and what needs a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, literal_column, or_, select
from sqlalchemy.orm import Session

from webapp.db import unit_of_work
from webapp.models.accounts import Setting
from webapp.models.base import utc_now
from webapp.models.channels import Channel, SendMode
from webapp.models.imports import ImportJob, ImportState
from webapp.models.links import Link
from webapp.models.listings import Listing, ListingCount
from webapp.models.propagation import Attempt, AttemptState
from webapp.models.schedules import Schedule
from webapp.services import brakes

HEARTBEAT = timedelta(seconds=10)
LOST = timedelta(seconds=45)  # a worker that was silent for this long is gone
OLD = timedelta(minutes=15)  # a target that waits for this long needs a person
RECENT = timedelta(days=7)  # a failed import is old news after this
NAMED = 5  # listings in trouble that the answer names
WORKER = "worker:"
_LAST_BEAT = select(func.max(Setting.value)).where(Setting.key.startswith(WORKER))
_NEXT_ROUND = (
    select(func.min(Schedule.next_at))
    .join(Channel, Channel.id == Schedule.channel_id)
    .where(Schedule.cancelled_at.is_(None), Schedule.paused_at.is_(None))
    .where(Channel.paused_at.is_(None), Channel.held == "")
)


def beat(session: Session, worker: str, *, now: datetime) -> None:
    """Note that a worker lives; workers that were silent for a day are forgotten."""
    row = session.get(Setting, WORKER + worker) or Setting(key=WORKER + worker)
    row.value = now.isoformat()
    session.add(row)
    session.execute(
        delete(Setting).where(Setting.key.startswith(WORKER), Setting.value < (now - timedelta(days=1)).isoformat())
    )


def sign_off(session: Session, worker: str) -> None:
    """Note that a worker ended as it should."""
    session.execute(delete(Setting).where(Setting.key == WORKER + worker))


def last_beat(session: Session) -> datetime | None:
    """When a worker was last heard of."""
    newest_value = session.scalar(_LAST_BEAT)
    return datetime.fromisoformat(newest_value) if newest_value else None


def works(session: Session, *, now: datetime) -> bool:
    """Whether any worker was heard of lately."""
    seen = last_beat(session)
    return seen is not None and now - seen < LOST


def silent(session: Session, worker: str, *, now: datetime, since: timedelta) -> bool:
    """Whether a process has not told for so long that it lives; one that never tells is silent."""
    row = session.get(Setting, WORKER + worker)
    return row is None or datetime.fromisoformat(row.value) < now - since


def next_due(session: Session) -> datetime | None:
    """When the next delivery may be tried: what is due, channels that rest, schedules, leases of dead workers."""
    by_hand_or_open = or_(
        Link.run_id.is_not(None), and_(Channel.mode == SendMode.AUTOMATIC, Channel.held == "", Link.auto_sync)
    )
    waiting = session.execute(
        select(func.min(Link.due_at), Channel.rest_until)
        .join(Channel, Channel.id == Link.channel_id)
        .where(Link.due_at.is_not(None), Channel.paused_at.is_(None), by_hand_or_open)
        .group_by(Channel.id, Channel.rest_until)
    )
    moments = [max(due, rest) if rest else due for due, rest in waiting if due]
    lease = session.scalar(select(func.min(Attempt.lease_until)).where(Attempt.state != AttemptState.DONE))
    following = next_round(session)
    return min([*moments, *(moment for moment in (lease, following) if moment)], default=None)


def next_round(session: Session) -> datetime | None:
    """When the next schedule comes round whose channel may be sent to; in the past when one is overdue."""
    return session.scalar(_NEXT_ROUND)


def look(found: str | None, wanted: str) -> dict[str, Any]:
    """Everything `pairbook status` says; `ok` is false when `problems` names something for a person.

    `found` is the database's revision and `wanted` the one of this version.
    """
    tables = {"revision": found, "newest": wanted, "current": found == wanted}
    if found != wanted:
        return {"ok": False, "migrations": tables, "problems": [_outdated(found, wanted)]}
    with unit_of_work(read_only=True) as session:
        now = utc_now()
        answer = {
            "migrations": tables,
            "worker": _worker(session, now),
            "targets": _targets(session, now),
            "channels": _channels(session),
            "imports": _imports(session, now),
            "schedules": _schedules(session, now),
            "counts": _doubted(session),
        }
    problems = _problems(answer)
    return {"ok": not problems, **answer, "problems": problems}


def _outdated(found: str | None, wanted: str) -> str:
    if found is None:
        return "The database has no tables yet. Run “pairbook upgrade”."
    return f"The database stands at revision {found} and this version wants {wanted}. Run “pairbook upgrade”."


def _worker(session: Session, now: datetime) -> dict[str, Any]:
    return {"seen_at": last_beat(session), "alive": works(session, now=now)}


def _targets(session: Session, now: datetime) -> dict[str, Any]:
    dirty, oldest = session.execute(select(func.count(), func.min(Link.dirty_at)).where(Link.due_at.is_not(None))).one()
    trouble = Link.problem != literal_column("''")  # as the partial index has it
    refused = session.scalar(select(func.count()).select_from(Link).where(trouble, Link.due_at.is_(None)))
    retried = session.scalar(select(func.count()).select_from(Link).where(trouble, Link.due_at.is_not(None)))
    named = select(Channel.name, Listing.external_id, Link.problem).where(trouble, Link.due_at.is_(None))
    named = named.join(Channel, Channel.id == Link.channel_id).join(Listing, Listing.id == Link.listing_id)
    return {
        "dirty": dirty,
        "oldest_seconds": (now - oldest).total_seconds() if oldest else None,
        "refused": refused,
        "retried": retried,
        "named": [
            {"channel": channel, "listing_id": listing, "message": why}
            for channel, listing, why in session.execute(named.order_by(Link.channel_id, Link.id).limit(NAMED))
        ],
    }


def _channels(session: Session) -> list[dict[str, Any]]:
    """Each channel's state; `fault` is what the last look at its connector found in the way, "" for nothing."""
    return [
        {
            "channel": c.name,
            "state": ("dead" if c.problem else "paused") if c.paused_at else "held" if c.held else "open",
            "message": c.problem or (c.held and (brakes.reason(session, c) or c.held)),
            "fault": "" if c.paused_at else c.fault,
            "looked_at": c.looked_at,
        }
        for c in session.scalars(select(Channel).order_by(Channel.name))
    ]


def _imports(session: Session, now: datetime) -> dict[str, Any]:
    waiting = session.scalar(
        select(func.count())
        .select_from(ImportJob)
        .where(ImportJob.state.in_([ImportState.QUEUED, ImportState.RUNNING, ImportState.UNDOING]))
    )
    oldest = session.scalar(select(func.min(ImportJob.created_at)).where(ImportJob.state == ImportState.QUEUED))
    failed = session.execute(
        select(ImportJob.id, ImportJob.file_name, ImportJob.message)
        .where(ImportJob.state == ImportState.FAILED, ImportJob.ended_at > now - RECENT)
        .order_by(ImportJob.id)
        .limit(100)
    )
    rows = [{"import": i, "file": name, "message": message} for i, name, message in failed]
    return {"waiting": waiting, "oldest_seconds": (now - oldest).total_seconds() if oldest else None, "failed": rows}


def _schedules(session: Session, now: datetime) -> dict[str, Any]:
    """How late the round is that is overdue for the longest."""
    following = next_round(session)
    return {"late_seconds": (now - following).total_seconds() if following and following <= now else None}


def _doubted(session: Session) -> list[dict[str, Any]]:
    """Numbers kept beside the listings that differ from a real count."""
    real = {
        (c, s): n
        for c, s, n in session.execute(
            select(Listing.channel_id, Listing.state, func.count()).group_by(Listing.channel_id, Listing.state)
        )
    }
    kept = {(row.channel_id, row.state): row.n for row in session.scalars(select(ListingCount))}
    names = {c.id: c.name for c in session.scalars(select(Channel))}
    return [
        {"channel": names.get(key[0], ""), "state": key[1].value, "kept": kept.get(key, 0), "real": real.get(key, 0)}
        for key in sorted(real.keys() | kept.keys())
        if kept.get(key, 0) != real.get(key, 0)
    ]


def _of_channel(channel: dict[str, Any]) -> str:
    """What is wrong with a channel, in one line."""
    name, state, fault = channel["channel"], channel["state"], channel["fault"]
    parts = [f"is {state}: {channel['message'] or 'a person paused it.'}"] if state != "open" else []
    parts += [f"does not get through: {fault}"] if fault else []
    return f"{name} {' It '.join(parts)}" if parts else ""


def _problems(answer: dict[str, Any]) -> list[str]:
    targets, imports, alive = answer["targets"], answer["imports"], answer["worker"]["alive"]
    found = [words for c in answer["channels"] if (words := _of_channel(c))]
    late = answer["schedules"]["late_seconds"] or 0.0
    waits = max(targets["oldest_seconds"] or 0.0, imports["oldest_seconds"] or 0.0, late)
    if waits > LOST.total_seconds() and not alive:
        found.append("Work waits and no worker runs. Start “pairbook run” or “pairbook worker”.")
    elif (targets["oldest_seconds"] or 0.0) > OLD.total_seconds():
        minutes = targets["oldest_seconds"] / 60
        found.append(f"A listing has waited for {minutes:.0f} minutes to be told. Look at the sync history.")
    elif late > OLD.total_seconds():
        found.append(f"A schedule is {late / 60:.0f} minutes late. Look at the sync history.")
    if targets["refused"]:
        n = targets["refused"]
        which = "; ".join(f"{each['listing_id']} on {each['channel']}: {each['message']}" for each in targets["named"])
        which += "; and others" if n > len(targets["named"]) else ""
        refused = "The last update of 1 listing was" if n == 1 else f"The last updates of {n:,} listings were"
        found.append(f"{refused} refused ({which}). Look at the sync history.")
    found += [f"Import {i['import']} of {i['file']} failed: {i['message']}" for i in imports["failed"]]
    if answer["counts"]:
        found.append("The numbers of listings differ from a real count. Run “pairbook status --repair”.")
    return found
