"""How many listings are in which state, kept as they move so that no page counts a million rows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from webapp.models.listings import Listing, ListingCount, ListingState


def adjust(session: Session, channel_id: int, by_state: Mapping[ListingState, int]) -> None:
    """Add the given differences to a channel's numbers; called by everything that moves listings."""
    for state in sorted(by_state):
        if not by_state[state]:
            continue
        row = (ListingCount.channel_id == channel_id, ListingCount.state == state)
        moved = session.execute(update(ListingCount).where(*row).values(n=ListingCount.n + by_state[state]))
        if not moved.rowcount:  # type: ignore[attr-defined]
            session.execute(insert(ListingCount).values(channel_id=channel_id, state=state, n=by_state[state]))


def open_channel(session: Session, channel_id: int) -> None:
    """Give a new channel its zeroes, so that `adjust` never races to insert them."""
    session.execute(insert(ListingCount), [{"channel_id": channel_id, "state": s, "n": 0} for s in ListingState])


def by_channel(session: Session) -> dict[int, dict[ListingState, int]]:
    """The numbers of every channel."""
    numbers: dict[int, dict[ListingState, int]] = {}
    for row in session.scalars(select(ListingCount)):
        numbers.setdefault(row.channel_id, {})[row.state] = row.n
    return numbers


def of_channel(session: Session, channel_id: int) -> dict[ListingState, int]:
    """The numbers of one channel; 0 where there is none."""
    found = {
        row.state: row.n for row in session.scalars(select(ListingCount).where(ListingCount.channel_id == channel_id))
    }
    return {state: found.get(state, 0) for state in ListingState}


def has(session: Session, state: ListingState) -> bool:
    """Whether any listing of any channel is in a state."""
    some = select(ListingCount.n).where(ListingCount.state == state, ListingCount.n > 0).limit(1)
    return session.scalar(some) is not None


def recount(session: Session) -> None:
    """Count everything afresh: the repair when a number is doubted (`pairbook status` compares them)."""
    real = session.execute(
        select(Listing.channel_id, Listing.state, func.count()).group_by(Listing.channel_id, Listing.state)
    ).all()
    session.execute(delete(ListingCount))
    if real:
        session.execute(insert(ListingCount), [{"channel_id": c, "state": s, "n": n} for c, s, n in real])
