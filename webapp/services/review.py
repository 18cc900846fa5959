"""The review as a queue: the lines around one listing, what comes after it, and a person's pace. Nothing writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, literal, select
from sqlalchemy.orm import Session

from webapp.db import direct
from webapp.errors import NotFound, phrase
from webapp.models.accounts import Actor
from webapp.models.channels import Channel
from webapp.models.links import Aside, LinkBatch
from webapp.models.listings import NOT_COMPUTED, SKIPPED_FROM, WITHOUT_SUGGESTION, Listing, ListingState
from webapp.services.runs import DECISIONS, LONGEST

ABOVE, BELOW = 4, 12  # rows of the queue around the current one, which stays the fifth
FEW, MANY = 20, 1_000  # of the newest acts: few mostly hold the last decisions on a channel
CAP = 10_000  # counts for a filter stop here

_SHOWN = (Listing.id, Listing.title, Listing.sku, Listing.external_id, Listing.place)
# A person's newest acts of the last hours: years of older ones are not looked at.
_NEWEST = (
    select(LinkBatch.id, LinkBatch.at, LinkBatch.verb, LinkBatch.listing_id, LinkBatch.undone_by)
    .where(LinkBatch.by_id == bindparam("by"))
    .order_by(LinkBatch.id.desc())
    .limit(bindparam("newest"))
    .subquery()
)
_DECIDED = (
    select(_NEWEST.c.verb, *_SHOWN)
    .join(Listing, Listing.id == _NEWEST.c.listing_id)
    .where(
        _NEWEST.c.verb.in_(list(DECISIONS)),
        _NEWEST.c.at > bindparam("since"),
        _NEWEST.c.undone_by.is_(None),
        Listing.channel_id == bindparam("channel"),
    )
    .order_by(_NEWEST.c.id.desc())
    .limit(bindparam("limit"))
)


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
        return _where(*self.scope)

    @property
    def scope(self) -> tuple[int, Shelf, int | None, int | None]:
        """What its conditions are made of."""
        return self.channel.id, self.shelf, self.low, self.high

    @property
    def order(self) -> tuple[Any, ...]:
        """The columns that the queue is ordered by."""
        return _order(self.shelf)

    def key(self, listing: Listing) -> tuple[int, ...]:
        """Where a listing stands in this order."""
        return tuple(getattr(listing, column.key) for column in self.order)


_STATES = {
    Shelf.WAITING: ListingState.PENDING,
    Shelf.SKIPPED: ListingState.PENDING,
    Shelf.NO_MATCH: ListingState.NO_MATCH,
    Shelf.IGNORED: ListingState.IGNORED,
}


def _where(channel_id: int, shelf: Shelf, low: int | None, high: int | None) -> list[ColumnElement[bool]]:
    if shelf is Shelf.CHANGED:
        other = select(Aside.listing_id).where(Aside.channel_id == channel_id, Aside.changed_at.is_not(None))
        return [Listing.id.in_(other)]
    # The state is written out: with a parameter SQLite would read each row to compare it again.
    state = literal(_STATES[shelf], Listing.state.type, literal_execute=True)
    scope = [Listing.channel_id == channel_id, Listing.state == state]
    if shelf is Shelf.SKIPPED:
        scope.append(Listing.place >= SKIPPED_FROM)
    elif shelf is Shelf.WAITING and low is not None and high is not None:
        scope += _band(low, high)
    return scope


def _order(shelf: Shelf) -> tuple[Any, ...]:
    return (Listing.place, Listing.id) if shelf in (Shelf.WAITING, Shelf.SKIPPED) else (Listing.id,)


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
    behind = _beside(session, queue, (Listing.id,), key, 1)
    return behind[0].id if behind else first(session, queue)


def beside(session: Session, queue: Queue, current: Listing) -> Window:
    """The line before the current listing, and the one behind it: as much as a stage by itself leads to."""
    key = queue.key(current)
    above = [_row(r) for r in _beside(session, queue, _SHOWN, key, 1, back=True)]
    below = [_row(r) for r in _beside(session, queue, _SHOWN, key, 1)]
    return Window(above, below, above[0].id if above else None, below[0].id if below else None)


def window(session: Session, queue: Queue, current: Listing, by: Actor, *, now: datetime) -> Window:
    """The lines around the current listing; above it earlier ones, and where there are few, the decided ones."""
    key = queue.key(current)
    above = [_row(r) for r in reversed(_beside(session, queue, _SHOWN, key, ABOVE, back=True))]
    below = [_row(r) for r in _beside(session, queue, _SHOWN, key, BELOW)]
    past = decided(session, queue.channel, by, now=now, limit=ABOVE) if len(above) < ABOVE else []
    seen = {current.id, *(r.id for r in above), *(r.id for r in below)}
    past = [r for r in past if r.id not in seen][len(above) :]
    return Window([*past, *above], below, above[-1].id if above else None, below[0].id if below else None)


def decided(session: Session, channel: Channel, by: Actor, *, now: datetime, limit: int = ABOVE) -> list[QueueRow]:
    """This person's last decisions on the channel, the newest last."""
    which = {"by": by.id, "since": now - LONGEST, "channel": channel.id, "limit": limit}
    rows = direct(session, _DECIDED, {**which, "newest": FEW}).all()
    if len(rows) < limit:
        rows = direct(session, _DECIDED, {**which, "newest": MANY}).all()
    found = {r.id: _row(r, DECISIONS[r.verb]) for r in rows}
    return list(reversed(found.values()))


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


def _row(row: Any, result: str = "") -> QueueRow:
    score = 100 - row.place if 0 <= row.place <= 100 else None
    return QueueRow(row.id, row.title, row.sku, row.external_id, score, result)


def _beside(
    session: Session, queue: Queue, columns: tuple[Any, ...], key: Sequence[int], limit: int, *, back: bool = False
) -> list[Any]:
    """Up to `limit` rows behind a place of the queue, or before it, the nearest first.

    One column after the other: of `(place, id) < (x, y)` SQLite takes only `place` from the index, and would read
    through all of the same place, which tens of thousands share while nobody has looked at them.
    """
    found: list[Any] = []
    for fixed in range(len(key) - 1, -1, -1):
        place = {f"key{n}": value for n, value in enumerate(key[: fixed + 1])}
        query = _lines(queue.scope, columns, fixed, back)
        found += direct(session, query, {**place, "limit": limit - len(found)})
        if len(found) == limit:
            break
    return found


@lru_cache(maxsize=200)
def _lines(
    scope: tuple[int, Shelf, int | None, int | None], columns: tuple[Any, ...], fixed: int, back: bool
) -> Select[Any]:
    """The lines of a queue with the same values as a place in the first `fixed` columns, behind it in the next."""
    order = _order(scope[1])
    same = [column == bindparam(f"key{n}") for n, column in enumerate(order[:fixed])]
    place: BindParameter[Any] = bindparam(f"key{fixed}")
    last = order[fixed] < place if back else order[fixed] > place
    ordered = [column.desc() for column in order[fixed:]] if back else order[fixed:]
    return select(*columns).where(*_where(*scope), *same, last).order_by(*ordered).limit(bindparam("limit"))


def _band(low: int, high: int) -> list[ColumnElement[bool]]:
    if high == 0:
        return [Listing.place == WITHOUT_SUGGESTION]
    return [Listing.place >= 100 - high, Listing.place <= 100 - low]


def _some(where: Sequence[ColumnElement[bool]]) -> Any:
    return select(Listing.id).where(*where).limit(CAP + 1).subquery()
