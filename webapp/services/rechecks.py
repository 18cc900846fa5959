"""Which live links a worker has to look at again, as spans of ids: one row for an act or a chunk, never one a link.

A row is written in the transaction of the change that asks for it, so that no change is missed. Looking at a link
for nothing does no harm, so spans may cover ids between those that changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, insert, or_, select
from sqlalchemy.orm import Session

from webapp.db import direct, ring
from webapp.models.suspicions import Recheck, RecheckOf

BELL = "check"
GAP = 20  # ids between two that changed which are rather looked at than made a span of their own
LEASE = timedelta(seconds=60)
_ADD = insert(cast(Table, Recheck.__table__))


def ask_listings(session: Session, ids: Iterable[int], *, soon: bool = True) -> None:
    """Have the links of these listings looked at: they are new, or the listings' facts changed.

    What need not be `soon` rings no bell: the sweep finds it within a minute.
    """
    _ask(session, RecheckOf.LISTINGS, _spans(ids), soon=soon)


def ask_products(session: Session, ids: Iterable[int], *, soon: bool = True) -> None:
    """Have the links of these products looked at: the products' facts changed."""
    _ask(session, RecheckOf.PRODUCTS, _spans(ids), soon=soon)


def ask_span(session: Session, span: tuple[int, int]) -> None:
    """Have the links of all listings with an id in (low, high] looked at."""
    _ask(session, RecheckOf.LISTINGS, [span])


def waits(session: Session) -> bool:
    """Whether anything is to be looked at."""
    return session.scalar(select(Recheck.id).limit(1)) is not None


def claim(session: Session, *, worker: str, now: datetime) -> Recheck | None:
    """Take the oldest span that nobody works at, or whose worker died; None when there is none."""
    free = or_(Recheck.lease_until.is_(None), Recheck.lease_until < now)
    found = session.scalar(select(Recheck).where(free).order_by(Recheck.id).limit(1).with_for_update(skip_locked=True))
    if found is not None:
        found.worker, found.lease_until = worker, now + LEASE
        session.flush()
    return found


def hold(session: Session, claimed: Recheck) -> Recheck | None:
    """The span, locked, if it still is as it was claimed: else somebody else has gone on with it."""
    found = session.get(Recheck, claimed.id, with_for_update=True, populate_existing=True)
    mine = found is not None and (found.worker, found.after) == (claimed.worker, claimed.after)
    return found if mine else None


def advance(session: Session, held: Recheck, to: int, *, now: datetime) -> None:
    """Write down that the ids up to `to` were looked at; the row goes at its end, else its lease is renewed."""
    if to >= held.upto:
        session.delete(held)
    else:
        held.after, held.lease_until = to, now + LEASE
    session.flush()


def release(session: Session, claimed: Recheck) -> None:
    """Let the rest of a span be taken by whoever comes next."""
    held = hold(session, claimed)
    if held is not None:
        held.worker, held.lease_until = "", None
        session.flush()


def _ask(session: Session, of: RecheckOf, spans: Iterable[tuple[int, int]], *, soon: bool = True) -> None:
    rows = [{"of": of, "after": low, "upto": high, "worker": "", "lease_until": None} for low, high in spans]
    if rows:
        direct(session, _ADD, rows)
    if rows and soon:
        ring(session, BELL)


def _spans(ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Few spans (low, high] that hold all the ids."""
    low = high = None
    for each in sorted(set(ids)):
        if low is None or high is None:
            low = each - 1
        elif each - high > GAP:
            yield low, high
            low = each - 1
        high = each
    if low is not None and high is not None:
        yield low, high
