"""Suggestions for all that wait, in chunks that workers claim: shared, paused, and gone on with after any crash.

What is to be done is in the listings themselves (`place` is NOT_COMPUTED); a claim only keeps two workers from the
same chunk, and dies with its lease. Nothing is lost or done twice whatever stops a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal, not_, select, update
from sqlalchemy.orm import Session

import matching
from webapp.db import inserting, ring
from webapp.errors import phrase
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.channels import Channel
from webapp.models.listings import NOT_COMPUTED, Listing, ListingState
from webapp.models.suggesting import SuggestClaim, SuggestRun
from webapp.services import audit, suggestions

BELL = "suggest"
LEASE = timedelta(seconds=120)  # a chunk takes seconds; what a dead worker held is free again after this
WRITTEN = 250  # listings whose suggestions are written at once: others may want to write meanwhile


@dataclass(frozen=True)
class Chunk:
    """What a worker has claimed: listing ids in ascending order, and the claim by which it may keep what it finds."""

    claim_id: int
    channel_id: int
    worker: str
    lease_until: datetime
    ids: list[int]


@dataclass(frozen=True)
class Progress:
    """How far a channel is: listings done of `total` in this run, when it began, who paused it, chunks at work."""

    done: int
    total: int
    paused_by: str = ""
    chunks: int = 0


def channels_waiting(session: Session) -> list[int]:
    """Ids of the channels on which listings wait for suggestions, but for those that are paused."""
    waits = exists().where(Listing.channel_id == Channel.id, *_WAITING)
    paused = exists().where(SuggestRun.channel_id == Channel.id, SuggestRun.paused_at.is_not(None))
    return list(session.scalars(select(Channel.id).where(waits, ~paused).order_by(Channel.id)))


def claim(session: Session, channel_id: int, *, worker: str, now: datetime, limit: int) -> Chunk | None:
    """Take the next waiting listings that nobody is at, oldest first; None when there are none, or it is paused."""
    run = _run(session, channel_id)
    if run.paused_at is not None:
        return None
    here = SuggestClaim.channel_id == channel_id
    session.execute(delete(SuggestClaim).where(here, SuggestClaim.lease_until < now))
    held = session.execute(select(SuggestClaim.low, SuggestClaim.high).where(here)).all()
    free = [not_(and_(Listing.id > low, Listing.id <= high)) for low, high in held]
    query = select(Listing.id).where(Listing.channel_id == channel_id, *_WAITING, *free)
    ids = list(session.scalars(query.order_by(Listing.id).limit(limit)))
    if not ids:
        if not held:
            run.total, run.done, run.started_at = 0, 0, None
        return None
    if not run.total:
        waiting = select(func.count()).select_from(Listing).where(Listing.channel_id == channel_id, *_WAITING)
        run.total, run.done, run.started_at = session.scalar(waiting) or 0, 0, now
    high = _before(held, ids)
    ids = [i for i in ids if i <= high]
    made = SuggestClaim(channel_id=channel_id, low=ids[0] - 1, high=ids[-1], worker=worker, lease_until=now + LEASE)
    session.add(made)
    session.flush()
    return Chunk(made.id, channel_id, worker, made.lease_until, ids)


def settle(
    session: Session, chunk: Chunk, found: dict[int, list[matching.Candidate]], *, now: datetime, limit: int = WRITTEN
) -> tuple[int, Chunk | None]:
    """Keep what was found for the first `limit` listings of a chunk, where nobody decided on a listing meanwhile.

    Gives how many were kept, and what is left of the chunk, with a new lease; None when nothing is. A chunk is larger
    than what one transaction should write: others wait for it. Keeps nothing when the lease ran out and another worker
    may be at it.
    """
    run = _run(session, chunk.channel_id)
    ids, rest = chunk.ids[:limit], chunk.ids[limit:]
    left = replace(chunk, ids=rest, lease_until=now + LEASE) if rest else None
    if not (_shorten(session, chunk, left) if left else _give_back(session, chunk)):
        return 0, None
    still = select(Listing.id).where(Listing.id.in_(ids), *_WAITING)
    waiting = set(session.scalars(still.order_by(Listing.id).with_for_update()))
    suggestions.keep(session, {i: found[i] for i in ids if i in waiting and i in found})
    run.done += len(ids)
    return len(waiting), left


def release(session: Session, chunk: Chunk) -> None:
    """Let others have a chunk that its worker could not finish."""
    _give_back(session, chunk)


def pause(session: Session, channel: Channel, paused: bool, *, by: Actor) -> None:
    """Stop preparing suggestions on a channel, or go on; chunks that workers are at are finished and kept."""
    run = _run(session, channel.id)
    if (run.paused_at is not None) == paused:
        return
    run.paused_at, run.paused_by = (utc_now(), by.name) if paused else (None, "")
    words = (
        phrase("Stopped preparing suggestions on {channel}.", channel=channel.name)
        if paused
        else phrase("Goes on preparing suggestions on {channel}.", channel=channel.name)
    )
    audit.record(session, by, "suggest.paused" if paused else "suggest.resumed", f"channel {channel.name}", words)
    if not paused:
        ring(session, BELL)


def progress(session: Session, channel: Channel, left: int) -> Progress:
    """How far a channel is, with `left` listings that still wait."""
    run = session.get(SuggestRun, channel.id)
    if run is None:
        return Progress(0, left)
    at_work = select(func.count()).select_from(SuggestClaim).where(SuggestClaim.channel_id == channel.id)
    paused_by = (run.paused_by or "?") if run.paused_at else ""
    return Progress(run.done, max(run.total, run.done + left), paused_by, session.scalar(at_work) or 0)


#: The state is written out: with a parameter SQLite would not see that the index of the queue serves.
_PENDING = literal(ListingState.PENDING, Listing.state.type, literal_execute=True)
_WAITING = (Listing.state == _PENDING, Listing.place == NOT_COMPUTED)


def _run(session: Session, channel_id: int) -> SuggestRun:
    """The channel's row, locked until the end of the transaction; made at the first claim."""
    values = {"channel_id": channel_id, "total": 0, "done": 0, "paused_by": ""}
    query = select(SuggestRun).where(SuggestRun.channel_id == channel_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        session.execute(inserting(session, SuggestRun).values(values).on_conflict_do_nothing())
        found = session.scalars(query.execution_options(populate_existing=True)).one()
    return found


def _before(held: Sequence[tuple[int, int]], ids: Sequence[int]) -> int:
    """Up to where a span may reach without covering another worker's: the beginning of the next one."""
    return min([low for low, _ in held if low >= ids[0]], default=ids[-1])


def _shorten(session: Session, chunk: Chunk, left: Chunk) -> bool:
    """Let a claim go on for what is left of its chunk; gives whether it still was this worker's."""
    values = {"low": left.ids[0] - 1, "lease_until": left.lease_until}
    changed = session.execute(update(SuggestClaim).where(*_mine(chunk)).values(values).execution_options(**_NO_SYNC))
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def _give_back(session: Session, chunk: Chunk) -> bool:
    """End a claim; gives whether it still was this worker's: ids of ended claims may be given again."""
    ended = session.execute(delete(SuggestClaim).where(*_mine(chunk)).execution_options(**_NO_SYNC))
    return bool(ended.rowcount)  # type: ignore[attr-defined]


_NO_SYNC: Final = {"synchronize_session": False}


def _mine(chunk: Chunk) -> tuple[ColumnElement[bool], ...]:
    return (
        SuggestClaim.id == chunk.claim_id,
        SuggestClaim.channel_id == chunk.channel_id,
        SuggestClaim.worker == chunk.worker,
        SuggestClaim.lease_until == chunk.lease_until,
    )
