"""An unsync of very many pairs, in steps: the pairs are chosen, and counted, when it begins (see services.steps)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from webapp.db import among
from webapp.errors import Conflict, phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.links import ActStep, BatchVerb, Link, LinkBatch
from webapp.services import acts, audit, ending, steps

STEP = acts.CHUNK


def begin(
    session: Session, which: Sequence[ColumnElement[bool]], *, expect: int, by: Actor, reason: str = ""
) -> LinkBatch:
    """Leave every live link that matches `which` to the workers, if there are exactly `expect`; else raise Conflict."""
    ids = session.scalars(select(Link.id).where(*which).order_by(Link.id)).all()
    if len(ids) != expect:
        raise Conflict(acts.other_number_words(len(ids), expect), found=len(ids))
    batch = acts.begin(session, BatchVerb.UNSYNC, by, reason, [])
    return steps.call(session, steps.lay_ids(session, batch, ids, STEP))


def take(session: Session, batch: LinkBatch, step: ActStep, _limit: int, _known: object) -> int:
    """End the pairs of a step as far as they still are as they were; gives how many were looked at."""
    change = acts.Change(batch=batch)
    # An id may be given again: what was linked since the beginning is another pair.
    ending.end(session, change, among(session, Link.id, step.of or []), Link.created_at <= batch.at, sticky=True)
    batch.changed += change.changed
    steps.note_in_flight(batch, change.in_flight)
    return step.number


def close(session: Session, batch: LinkBatch, by: Actor) -> None:
    """Say in the trail what came of it."""
    words = phrases("Unsynced {n} pair.", "Unsynced {n} pairs.", batch.changed)
    if batch.stopped_by:
        words = phrase(
            "Stopped an unsync: {n} of {all} pairs are unsynced.", n=f"{batch.changed:,}", all=f"{batch.total or 0:,}"
        )
    audit.record(session, by, "link.unsynced", f"batch {batch.id}", words, after={"refused": 0})
