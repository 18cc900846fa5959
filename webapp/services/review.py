"""The review as a queue: the lines around one listing, what comes after it, and a person's pace. Nothing writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Subquery, func, literal, select
from sqlalchemy.orm import Session

from webapp.errors import NotFound, phrase
from webapp.models.accounts import Actor
from webapp.models.channels import Channel
from webapp.models.links import Aside, BatchVerb, LinkBatch
from webapp.models.listings import NOT_COMPUTED, SKIPPED_FROM, WITHOUT_SUGGESTION, Listing, ListingState

ABOVE, BELOW = 4, 12  # rows of the queue around the current one, which stays the fifth
PAUSE = timedelta(minutes=15)  # a longer gap between two decisions ends a run
RUN_OF = timedelta(hours=12)
RUN_LIMIT = 1_000
CAP = 10_000  # counts for a filter stop here
DECISIONS = {
    BatchVerb.LINK: "linked",
    BatchVerb.ADD: "added",
    BatchVerb.NO_MATCH: "none",
    BatchVerb.IGNORE: "ignored",
    BatchVerb.SKIP: "skipped",
}


class Shelf(StrEnum):
    """Which listings the queue shows."""

    WAITING = "waiting"
    SKIPPED = "skipped"
    NO_MATCH = "none"
    IGNORED = "ignored"
    CHANGED = "changed"  # set aside, but the listing says something else now


@dataclass(frozen=True)
class Queue:
    """The listings of one channel that a person goes through: a shelf, and a band of scores from `low` to `high`.

    A band of (0, 0) holds the listings without a suggestion.
    """

    channel: Channel
    shelf: Shelf = Shelf.WAITING
    low: int | None = None
    high: int | None = None

    @property
    def filtered(self) -> bool:
        """Whether only some of the waiting listings are shown."""
        return self.shelf in (Shelf.SKIPPED, Shelf.CHANGED) or self.low is not None

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """The conditions on Listing."""
        if self.shelf is Shelf.CHANGED:
            other = select(Aside.listing_id).where(Aside.channel_id == self.channel.id, Aside.changed_at.is_not(None))
            return [Listing.id.in_(other)]
        # The state is written out: with a parameter SQLite would read each row to compare it again.
        state = literal(_STATES[self.shelf], Listing.state.type, literal_execute=True)
        scope = [Listing.channel_id == self.channel.id, Listing.state == state]
        if self.shelf is Shelf.SKIPPED:
            scope.append(Listing.place >= SKIPPED_FROM)
        elif self.shelf is Shelf.WAITING and self.low is not None and self.high is not None:
            scope += _band(self.low, self.high)
        return scope

    @property
    def order(self) -> tuple[Any, ...]:
        """The columns that the queue is ordered by."""
        waiting = self.shelf in (Shelf.WAITING, Shelf.SKIPPED)
        return (Listing.place, Listing.id) if waiting else (Listing.id,)

    def key(self, listing: Listing) -> tuple[int, ...]:
        """Where a listing stands in this order."""
        return tuple(getattr(listing, column.key) for column in self.order)


_STATES = {
    Shelf.WAITING: ListingState.PENDING,
    Shelf.SKIPPED: ListingState.PENDING,
    Shelf.NO_MATCH: ListingState.NO_MATCH,
    Shelf.IGNORED: ListingState.IGNORED,
}


@dataclass(frozen=True)
class QueueRow:
    """One line of the queue; `result` is what this person decided, empty while it waits."""

    id: int
    title: str
    sku: str
    external_id: str
    score: int | None
    result: str = ""


@dataclass(frozen=True)
class Window:
    """The part of the queue on the screen: decided and earlier lines, the current one, later ones."""

    above: list[QueueRow]
    below: list[QueueRow]
    previous: int | None
    next: int | None


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


def get(session: Session, listing_id: int) -> Listing:
    """The listing; raises NotFound."""
    listing = session.get(Listing, listing_id)
    if listing is None:
        raise NotFound(phrase("This listing is no longer there."))
    return listing


def first(session: Session, queue: Queue) -> int | None:
    """The listing at the head of the queue."""
    return session.scalar(select(Listing.id).where(*queue.where).order_by(*queue.order).limit(1))


def next_after(session: Session, queue: Queue, key: Sequence[int]) -> int | None:
    """The listing behind that place, or the head of the queue when there is none behind it."""
    behind = _beside(session, queue, [Listing.id], key, 1)
    return behind[0].id if behind else first(session, queue)


def window(session: Session, queue: Queue, current: Listing, by: Actor, *, now: datetime) -> Window:
    """The lines around the current listing; above it earlier ones, and where there are few, the decided ones."""
    columns = (Listing.id, Listing.title, Listing.sku, Listing.external_id, Listing.place)
    key = queue.key(current)
    above = [_row(r) for r in reversed(_beside(session, queue, columns, key, ABOVE, back=True))]
    below = [_row(r) for r in _beside(session, queue, columns, key, BELOW)]
    past = decided(session, queue.channel, by, now=now, limit=ABOVE) if len(above) < ABOVE else []
    seen = {current.id, *(r.id for r in above), *(r.id for r in below)}
    past = [r for r in past if r.id not in seen][len(above) :]
    return Window([*past, *above], below, above[-1].id if above else None, below[0].id if below else None)


def decided(session: Session, channel: Channel, by: Actor, *, now: datetime, limit: int = ABOVE) -> list[QueueRow]:
    """This person's last decisions on the channel, the newest last."""
    mine = _by(by, now)
    rows = session.execute(
        select(mine.c.verb, Listing.id, Listing.title, Listing.sku, Listing.external_id, Listing.place, Listing.state)
        .join(Listing, Listing.id == mine.c.listing_id)
        .where(mine.c.undone_by.is_(None), Listing.channel_id == channel.id)
        .order_by(mine.c.id.desc())
        .limit(limit)
    ).all()
    found = {r.id: _row(r, DECISIONS[r.verb]) for r in rows}
    return list(reversed(found.values()))


def run(session: Session, channel: Channel, by: Actor, *, now: datetime) -> Run:
    """This person's decisions on the channel since the last long pause."""
    mine = _by(by, now)
    rows = session.execute(
        select(mine.c.at, mine.c.verb, mine.c.changed, mine.c.undone_by)
        .join(Listing, Listing.id == mine.c.listing_id)
        .where(Listing.channel_id == channel.id)
        .order_by(mine.c.id.desc())
    ).all()
    done: dict[str, int] = {}
    moments: list[datetime] = []
    for at, verb, changed, undone in rows:
        if moments and moments[-1] - at > PAUSE:
            break
        if undone is None:
            moments.append(at)
            done[DECISIONS[verb]] = done.get(DECISIONS[verb], 0) + changed
    seconds = (moments[0] - moments[-1]).total_seconds() if moments else 0.0
    each = seconds / (len(moments) - 1) if len(moments) > 2 else None
    return Run(done, seconds, each, undo=bool(moments) or last_decision(session, by) is not None)


def last_decision(session: Session, by: Actor) -> LinkBatch | None:
    """The newest decision of this person on one listing that still stands."""
    if by.id is None:
        return None
    return session.scalar(
        select(LinkBatch)
        .where(
            LinkBatch.by_id == by.id,
            LinkBatch.undone_by.is_(None),
            LinkBatch.listing_id.is_not(None),
            LinkBatch.verb != BatchVerb.UNDO,
        )
        .order_by(LinkBatch.id.desc())
        .limit(1)
    )


def last_word(session: Session, listing: Listing, *, now: datetime) -> LinkBatch | None:
    """The newest act on this listing within the hour: who was quicker."""
    recent = select(LinkBatch).where(LinkBatch.at > now - timedelta(hours=1), LinkBatch.listing_id == listing.id)
    return session.scalar(recent.order_by(LinkBatch.id.desc()).limit(1))


def count(session: Session, queue: Queue) -> int:
    """How many listings the queue holds, up to CAP."""
    return int(session.scalar(select(func.count()).select_from(_some(queue.where))) or 0)


def raised(session: Session, channel_id: int | None = None) -> int:
    """How many listings were set aside and say something else now, on a channel or on all, up to CAP."""
    here = [Aside.channel_id == channel_id] if channel_id is not None else []
    some = select(Aside.listing_id).where(Aside.changed_at.is_not(None), *here).limit(CAP + 1).subquery()
    return int(session.scalar(select(func.count()).select_from(some)) or 0)


def looked_at(session: Session, channel: Channel) -> tuple[int, int]:
    """How many waiting listings have been looked at, with or without a suggestion, and how many not yet.

    Each up to CAP; skipped ones apart.
    """
    waiting = Queue(channel).where
    sides = ([*waiting, Listing.place < NOT_COMPUTED], [*waiting, Listing.place == NOT_COMPUTED])
    each = (select(func.count()).select_from(_some(side)).scalar_subquery() for side in sides)
    ready, computing = session.execute(select(*each)).one()
    return ready, computing


def _by(by: Actor, now: datetime) -> Subquery:
    """This person's newest acts of the last hours, as many as a run may have: years of older ones are not looked at."""
    columns = (LinkBatch.id, LinkBatch.at, LinkBatch.verb, LinkBatch.listing_id, LinkBatch.changed, LinkBatch.undone_by)
    newest = select(*columns).where(LinkBatch.by_id == by.id).order_by(LinkBatch.id.desc()).limit(RUN_LIMIT).subquery()
    recent = (newest.c.verb.in_(list(DECISIONS)), newest.c.at > now - RUN_OF)
    return select(newest).where(*recent).subquery()


def _row(row: Any, result: str = "") -> QueueRow:
    score = 100 - row.place if 0 <= row.place <= 100 else None
    return QueueRow(row.id, row.title, row.sku, row.external_id, score, result)


def _beside(
    session: Session, queue: Queue, columns: Sequence[Any], key: Sequence[int], limit: int, *, back: bool = False
) -> list[Any]:
    """Up to `limit` rows behind a place of the queue, or before it, the nearest first.

    One column after the other: of `(place, id) < (x, y)` SQLite takes only `place` from the index, and would read
    through all of the same place, which tens of thousands share while nobody has looked at them.
    """
    found: list[Any] = []
    order = [column.desc() for column in queue.order] if back else queue.order
    for fixed in range(len(key) - 1, -1, -1):
        same = [column == value for column, value in zip(queue.order[:fixed], key, strict=False)]
        last = queue.order[fixed] < key[fixed] if back else queue.order[fixed] > key[fixed]
        query = select(*columns).where(*queue.where, *same, last).order_by(*order[fixed:])
        found += session.execute(query.limit(limit - len(found)))
        if len(found) == limit:
            break
    return found


def _band(low: int, high: int) -> list[ColumnElement[bool]]:
    if high == 0:
        return [Listing.place == WITHOUT_SUGGESTION]
    return [Listing.place >= 100 - high, Listing.place <= 100 - low]


def _some(where: Sequence[ColumnElement[bool]]) -> Any:
    return select(Listing.id).where(*where).limit(CAP + 1).subquery()
