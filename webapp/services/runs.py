"""A person's run: what they decided on one channel without a long pause, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, bindparam, func, select
from sqlalchemy.orm import Session

from webapp.db import direct
from webapp.models.accounts import Actor
from webapp.models.channels import Channel
from webapp.models.links import BatchVerb, LinkBatch

PAUSE = timedelta(minutes=15)  # a longer gap between two decisions ends a run
LONGEST = timedelta(hours=12)
DECISIONS = {
    BatchVerb.LINK: "linked",
    BatchVerb.ADD: "added",
    BatchVerb.NO_MATCH: "none",
    BatchVerb.IGNORE: "ignored",
    BatchVerb.SKIP: "skipped",
}
#: Decisions of one person on single listings of one channel that still stand.
_MINE = (
    LinkBatch.by_id == bindparam("by"),
    LinkBatch.channel_id == bindparam("channel"),
    LinkBatch.listing_id.is_not(None),
    LinkBatch.verb.in_(list(DECISIONS)),
    LinkBatch.undone_by.is_(None),
)
_NEWEST_FIRST = (
    select(LinkBatch.id, LinkBatch.at).where(*_MINE, LinkBatch.at > bindparam("since")).order_by(LinkBatch.id.desc())
)
_RUN = (
    select(LinkBatch.verb, func.sum(LinkBatch.changed).label("changed"), func.count().label("acts"))
    .add_columns(func.min(LinkBatch.id).label("first_id"))
    .add_columns(func.min(LinkBatch.at).label("first"), func.max(LinkBatch.at).label("last"))
    .where(*_MINE, LinkBatch.id >= bindparam("first"))
    .group_by(LinkBatch.verb)
)
_LAST_DECISION = (
    select(LinkBatch)
    .where(
        LinkBatch.by_id == bindparam("by"),
        LinkBatch.undone_by.is_(None),
        LinkBatch.listing_id.is_not(None),
        LinkBatch.verb != BatchVerb.UNDO,
    )
    .order_by(LinkBatch.id.desc())
    .limit(1)
)


@dataclass(frozen=True)
class Run:
    """What one person did on one channel without a long pause: listings by result, and the pace in seconds."""

    done: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    each: float | None = None
    undo: bool = False  # is there something to take back?

    @property
    def total(self) -> int:
        """How many listings were decided; skipped ones were not."""
        return sum(n for result, n in self.done.items() if result != "skipped")


@dataclass(frozen=True)
class _Known:
    """Where a run was seen to begin (the id of its first act), and when its last act was."""

    first: int
    last: datetime


#: What this process has seen of people's runs: to look for the pause before a run takes longer than to count it.
_seen: WeakKeyDictionary[Engine, dict[tuple[int | None, int], _Known]] = WeakKeyDictionary()
REMEMBERED = 1_000  # runs


def run(session: Session, channel: Channel, by: Actor, *, now: datetime) -> Run:
    """This person's decisions on the channel since the last long pause."""
    which = {"by": by.id, "channel": channel.id}
    known = _known(session).get((by.id, channel.id))
    rows = direct(session, _RUN, {**which, "first": known.first}).all() if known else []
    if known is None or not _goes_on(known, rows, now):
        first = _first(session, which, now)
        rows = direct(session, _RUN, {**which, "first": first}).all() if first else []
    if not rows:
        return Run(undo=last_decision(session, by) is not None)
    began, last = min(row.first for row in rows), max(row.last for row in rows)
    _remember(session, (by.id, channel.id), _Known(min(row.first_id for row in rows), last))
    acts, seconds = sum(row.acts for row in rows), (last - began).total_seconds()
    each = seconds / (acts - 1) if acts > 2 else None
    return Run({DECISIONS[row.verb]: int(row.changed) for row in rows}, seconds, each, undo=True)


def last_decision(session: Session, by: Actor) -> LinkBatch | None:
    """The newest decision of this person on one listing that still stands."""
    if by.id is None:
        return None
    return session.scalar(_LAST_DECISION, {"by": by.id})


def _goes_on(known: _Known, rows: Sequence[Any], now: datetime) -> bool:
    """Whether the run still begins where it was seen to: nobody paused since, and its first act still stands."""
    if not rows or min(row.first_id for row in rows) != known.first:
        return False
    return bool(max(row.last for row in rows) <= known.last + PAUSE and min(row.first for row in rows) > now - LONGEST)


def _first(session: Session, which: dict[str, int | None], now: datetime) -> int | None:
    """The act that the last run began with, looked for from the newest one on; None when there is none."""
    acts = direct(session, _NEWEST_FIRST, {**which, "since": now - LONGEST}).all()
    behind = (later.id for later, earlier in pairwise(acts) if later.at - earlier.at > PAUSE)
    return next(behind, acts[-1].id if acts else None)


def _known(session: Session) -> dict[tuple[int | None, int], _Known]:
    return _seen.setdefault(session.connection().engine, {})


def _remember(session: Session, whose: tuple[int | None, int], known: _Known) -> None:
    runs = _known(session)
    if len(runs) >= REMEMBERED:
        runs.clear()
    runs[whose] = known
