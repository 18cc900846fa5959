"""The orders that pairs can be paged through; each walks along an index of its own, never down with an offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select, tuple_, union_all

from webapp.models.links import Link
from webapp.models.suspicions import Suspicion

Cursor = tuple[int, ...]


class Sort(StrEnum):
    """How pairs are put in order."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DIFFERENCE = "difference"  # what shows a stock or price furthest from the catalogue's first; not what is right
    SCORE = "score"  # the lowest first; what was linked without a score is left out
    NEVER = "never"  # only those that were never synced, the newest first
    WORST = "worst"  # of suspicious pairs: what contradicts most first


@dataclass(frozen=True)
class Order:
    """Columns of whole numbers that make a place unique, their direction, and which pairs have such a place.

    An index `by_channel` begins with the channel: all channels are then read side by side.
    """

    keys: tuple[Any, ...]
    down: bool
    only: tuple[ColumnElement[bool], ...] = ()
    by_channel: bool = False


ORDERS = {
    Sort.NEWEST: Order((Link.id,), True),
    Sort.OLDEST: Order((Link.id,), False),
    Sort.DIFFERENCE: Order((Link.apart, Link.id), True, (Link.apart > literal(0, literal_execute=True),), True),
    Sort.SCORE: Order((Link.score, Link.id), False, (Link.score.is_not(None),), True),
    Sort.NEVER: Order((Link.id,), True, (Link.told_at.is_(None),), True),
    Sort.WORST: Order((Suspicion.severity, Suspicion.listing_id), True),
}


def places(
    order: Order, scopes: Sequence[Sequence[ColumnElement[bool]]], cursor: Cursor | None, *, back: bool, limit: int
) -> Select[Any]:
    """The keys and then the link ids of the pairs behind the cursor, or `back` before it, in this direction.

    A pair stands in one of the scopes, which are conditions on Link.
    """
    down = order.down != back
    each = [_along(order, [*order.only, *scope], cursor, down).limit(limit) for scope in scopes]
    if len(each) == 1:
        return each[0]
    every = union_all(*(select(one.subquery()) for one in each)).subquery()
    columns = [c.desc() if down else c for c in list(every.c)[: len(order.keys)]]
    return select(every).order_by(*columns).limit(limit)


def read(text: str, order: Order) -> Cursor | None:
    """The place that an address names ("71.205"); None when there is none, or it is another order's."""
    parts = text.split(".")
    whole = all(p.isdecimal() and len(p) < 19 for p in parts)
    return tuple(map(int, parts)) if whole and len(parts) == len(order.keys) else None


def write(cursor: Sequence[int]) -> str:
    """A place as an address names it."""
    return ".".join(map(str, cursor))


def _along(order: Order, where: Sequence[ColumnElement[bool]], cursor: Cursor | None, down: bool) -> Select[Any]:
    keys = [key.label(f"key_{n}") for n, key in enumerate(order.keys)]
    query: Select[Any] = select(*keys, Link.id.label("link_id")).where(*where)
    if order is ORDERS[Sort.WORST]:
        query = query.join(Suspicion, Suspicion.listing_id == Link.listing_id)
    if cursor is not None:
        here, there = tuple_(*order.keys), tuple_(*cursor)
        query = query.where(here < there if down else here > there)
    return query.order_by(*(key.desc() if down else key for key in order.keys))
