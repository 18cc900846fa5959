"""How many listings are in which state, kept as they move so that no page counts a million rows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session, SessionTransaction

from webapp.db import direct
from webapp.models.listings import Listing, ListingCount, ListingState

_READ = "counts of the transaction"
_ALL = select(ListingCount.channel_id, ListingCount.state, ListingCount.n)
_MOVE = (
    update(ListingCount)
    .where(ListingCount.channel_id == bindparam("channel"), ListingCount.state == bindparam("of"))
    .values(n=ListingCount.n + bindparam("more"))
)
_SOME = select(ListingCount.n).where(ListingCount.state == bindparam("of"), ListingCount.n > 0).limit(1)


def adjust(session: Session, channel_id: int, by_state: Mapping[ListingState, int]) -> None:
    """Add the given differences to a channel's numbers; called by everything that moves listings."""
    session.info.pop(_READ, None)
    for state in sorted(by_state):
        if not by_state[state]:
            continue
        moved = direct(session, _MOVE, {"channel": channel_id, "of": state, "more": by_state[state]})
        if not moved.rowcount:
            session.execute(insert(ListingCount).values(channel_id=channel_id, state=state, n=by_state[state]))


def open_channel(session: Session, channel_id: int) -> None:
    """Give a new channel its zeroes, so that `adjust` never races to insert them."""
    session.info.pop(_READ, None)
    session.execute(insert(ListingCount), [{"channel_id": channel_id, "state": s, "n": 0} for s in ListingState])


def by_channel(session: Session) -> Mapping[int, Mapping[ListingState, int]]:
    """The numbers of every channel, read once in a transaction: menu, head and queue of one page ask for them."""
    known: tuple[SessionTransaction | None, Mapping[int, Mapping[ListingState, int]]]
    known = session.info.get(_READ, (None, {}))
    if known[0] is not None and known[0] is _transaction(session):
        return known[1]
    numbers: dict[int, dict[ListingState, int]] = {}
    for channel_id, state, n in direct(session, _ALL):
        numbers.setdefault(channel_id, {})[state] = n
    session.info[_READ] = (_transaction(session), numbers)
    return numbers


def _transaction(session: Session) -> SessionTransaction | None:
    """The innermost one: what was read inside a savepoint may be rolled back with it."""
    return session.get_nested_transaction() or session.get_transaction()


def of_channel(session: Session, channel_id: int) -> dict[ListingState, int]:
    """The numbers of one channel; 0 where there is none."""
    rows = session.execute(_ALL.where(ListingCount.channel_id == channel_id))
    found = {state: n for _, state, n in rows}
    return {state: found.get(state, 0) for state in ListingState}


def has(session: Session, state: ListingState) -> bool:
    """Whether any listing of any channel is in a state."""
    return direct(session, _SOME, {"of": state}).first() is not None


def recount(session: Session) -> None:
    """Count everything afresh: the repair when a number is doubted (`pairbook status` compares them)."""
    real = session.execute(
        select(Listing.channel_id, Listing.state, func.count()).group_by(Listing.channel_id, Listing.state)
    ).all()
    session.info.pop(_READ, None)
    session.execute(delete(ListingCount))
    if real:
        session.execute(insert(ListingCount), [{"channel_id": c, "state": s, "n": n} for c, s, n in real])
