"""How long changes took to reach their channels during the last day. Reads only, and a bounded number of deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import direct
from webapp.models.channels import Channel
from webapp.models.propagation import Attempt, Outcome

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
TAKEN = (Outcome.APPLIED, Outcome.ACCEPTED)
NEWEST = 5_000  # deliveries that are looked at: a picture of a day needs no more
_UPDATES = (
    select(Attempt.ended_at, Attempt.due_since, Attempt.outcome, Channel.name)
    .join(Channel, Channel.id == Attempt.channel_id)
    .order_by(Attempt.id.desc())
    .limit(NEWEST)
)


@dataclass(frozen=True)
class Hour:
    """One hour of the day before `now`: `ago` 0 is the last one. Half, and 95 % of the updates took at most so long.

    Times are in seconds, from the change to the channel's answer, by the nearest-rank method.
    """

    ago: int
    half: float
    most: float
    slowest: str  # the channel whose update took longest
    n: int


@dataclass(frozen=True)
class Arrivals:
    """The hours in which something arrived, oldest first, and the numbers of the whole day."""

    hours: list[Hour]
    half: float = 0.0
    most: float = 0.0
    n: int = 0

    @property
    def worst(self) -> Hour | None:
        """The hour whose slow updates were slowest."""
        return max(self.hours, key=lambda hour: hour.most, default=None)


def last_day(session: Session, *, now: datetime) -> Arrivals:
    """The updates that channels took in the last 24 hours, or the newest 5,000 of them."""
    took: dict[int, list[tuple[float, str]]] = {}
    for ended_at, due_since, outcome, name in direct(session, _UPDATES):
        if outcome not in TAKEN or due_since is None or ended_at is None or ended_at <= now - DAY:
            continue
        seconds = max(0.0, (ended_at - due_since).total_seconds())
        took.setdefault(max(0, (now - ended_at) // HOUR), []).append((seconds, name))
    hours = [_hour(ago, sorted(each)) for ago, each in sorted(took.items(), reverse=True)]
    every = sorted(seconds for each in took.values() for seconds, _ in each)
    return Arrivals(hours, rank(every, 50), rank(every, 95), len(every)) if every else Arrivals([])


def rank(ordered: list[float], percent: int) -> float:
    """The value that so many percent of an ordered list are at or below, by nearest rank."""
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def _hour(ago: int, took: list[tuple[float, str]]) -> Hour:
    times = [seconds for seconds, _ in took]
    return Hour(ago, rank(times, 50), rank(times, 95), took[-1][1], len(took))
