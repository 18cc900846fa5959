"""An unsync of very many pairs, in steps that workers take: with progress, a stop that keeps what is done, one undo.

The pairs are chosen, and counted, when it begins; each step is a row with their ids, and goes in the transaction in
which they end. Whatever stops a worker, nothing is lost or done twice, and others write between two steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from webapp.db import among, ring
from webapp.errors import Conflict, NotFound, phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.links import BatchVerb, Link, LinkBatch, UnsyncStep
from webapp.services import acts, audit, ending

BELL = "unsync"
FROM = 1_001  # pairs: fewer are taken apart at once
STEP = acts.CHUNK


@dataclass(frozen=True)
class Progress:
    """How far an unsync is: pairs looked at, of `total`; `ended` of them ended, the others had changed meanwhile."""

    done: int
    total: int
    ended: int
    stopped_by: str = ""

    @property
    def left(self) -> int:
        """Pairs that were not touched."""
        return self.total - self.ended


def begin(
    session: Session, which: Sequence[ColumnElement[bool]], *, expect: int, by: Actor, reason: str = ""
) -> LinkBatch:
    """Leave every live link that matches `which` to the workers, if there are exactly `expect`; else raise Conflict."""
    ids = session.scalars(select(Link.id).where(*which).order_by(Link.id)).all()
    if len(ids) != expect:
        raise Conflict(acts.other_number_words(len(ids), expect), found=len(ids))
    batch = acts.begin(session, BatchVerb.UNSYNC, by, reason, [])
    batch.total = len(ids)
    parts = [list(ids[start : start + STEP]) for start in range(0, len(ids), STEP)]
    if parts:
        session.execute(
            insert(UnsyncStep), [{"batch_id": batch.id, "number": len(part), "link_ids": part} for part in parts]
        )
    ring(session, BELL)
    return batch


def waits(session: Session) -> bool:
    """Whether there is a step to take."""
    return session.scalar(select(UnsyncStep.id).limit(1)) is not None


def take_step(session: Session) -> int | None:
    """End the pairs of a step that nobody is at, as far as they still are as they were.

    Gives how many; None when there is no such step.
    """
    first = select(UnsyncStep).order_by(UnsyncStep.id).limit(1).with_for_update(skip_locked=True)
    step = session.scalar(first)
    if step is None:
        return None
    batch = session.get_one(LinkBatch, step.batch_id, with_for_update=True, populate_existing=True)
    change = acts.Change(batch=batch)
    # An id may be given again: what was linked since the beginning is another pair.
    ending.end(session, change, among(session, Link.id, step.link_ids), Link.created_at <= batch.at, sticky=True)
    batch.changed += change.changed
    session.delete(step)
    session.flush()
    if progress(session, batch) is None:
        _close(session, batch, Actor(batch.by_id, batch.by_name))
    return change.changed


def stop(session: Session, batch_id: int, *, by: Actor) -> LinkBatch:
    """Let nothing more of it happen; what is done stays, and can be taken back. One that has ended stays as it is."""
    session.execute(delete(UnsyncStep).where(UnsyncStep.batch_id == batch_id))
    batch = get(session, batch_id, lock=True)
    if batch.total is not None and not batch.stopped_by and batch.changed < batch.total:
        batch.stopped_by = by.name
        _close(session, batch, by)
    return batch


def get(session: Session, batch_id: int, *, lock: bool = False) -> LinkBatch:
    """An act; raises NotFound where there is none."""
    batch = session.get(LinkBatch, batch_id, with_for_update=lock, populate_existing=True)
    if batch is None:
        raise NotFound(phrase("There is no batch {number}.", number=batch_id))
    return batch


def progress(session: Session, batch: LinkBatch) -> Progress | None:
    """How far it is while it goes on; None when it has ended, or was done at once."""
    number = select(func.coalesce(func.sum(UnsyncStep.number), 0)).where(UnsyncStep.batch_id == batch.id)
    rest = int(session.scalar(number) or 0)
    if batch.total is None or not rest:
        return None
    return Progress(batch.total - rest, batch.total, batch.changed)


def _close(session: Session, batch: LinkBatch, by: Actor) -> None:
    words = phrases("Unsynced {n} pair.", "Unsynced {n} pairs.", batch.changed)
    if batch.stopped_by:
        words = phrase(
            "Stopped an unsync: {n} of {all} pairs are unsynced.", n=f"{batch.changed:,}", all=f"{batch.total:,}"
        )
    audit.record(session, by, "link.unsynced", f"batch {batch.id}", words, after={"refused": 0})
