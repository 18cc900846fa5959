"""What each act in steps does in a step, and what is said at its end: the one list of them (see services.steps)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.errors import Forbidden, phrase
from webapp.models.accounts import Actor, Permission
from webapp.models.base import utc_now
from webapp.models.links import ActStep, BatchVerb, LinkBatch
from webapp.services import linking, reconciliation, steps, undo, unsyncing


@dataclass(frozen=True)
class Kind:
    """An act in steps: `take` does at most so many rows of one, and gives how many it looked at; `close` ends it.

    most, least: rows in one transaction. bulk: see `unit_of_work`. known: what every step is given, found once.
    """

    take: Callable[[Session, LinkBatch, ActStep, int, Any], int]
    close: Callable[[Session, LinkBatch, Actor], None]
    most: Callable[[], int]
    least: int = 20
    bulk: bool = False
    known: Callable[[Session, LinkBatch], Any] = lambda _session, _batch: None


KINDS = {
    BatchVerb.UNSYNC: Kind(unsyncing.take, unsyncing.close, lambda: unsyncing.STEP),
    BatchVerb.LINK: Kind(linking.take_near, linking.close_near, lambda: linking.STEP, least=200),
    BatchVerb.RULE: Kind(linking.take_above, linking.close_linked, lambda: linking.STEP, least=200),
    BatchVerb.UNDO: Kind(undo.take, undo.close, lambda: undo.STEP, least=100),
    BatchVerb.RECONCILE: Kind(
        linking.take_by_sku,
        linking.close_by_sku,
        lambda: reconciliation.STEP,
        least=500,
        bulk=True,
        known=linking.known_by_sku,
    ),
}


def take(session: Session, batch_id: int, limit: int, known: Any = None) -> int | None:
    """Take a step of an act that nobody is at, of at most `limit` rows; gives how many it looked at.

    None when there is no such step: it has ended, or another worker has it.
    """
    mine = select(ActStep).where(ActStep.batch_id == batch_id).order_by(ActStep.id).limit(1)
    step = session.scalar(mine.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    if step is None:
        return None
    batch = steps.get(session, batch_id, lock=True)
    kind = KINDS[batch.verb]
    looked = kind.take(session, batch, step, limit, known)
    step.number = max(step.number - looked, 0)
    batch.moved_at = utc_now()
    if step.after >= step.upto:
        session.delete(step)
    session.flush()
    if not steps.goes_on(session, batch_id):
        kind.close(session, batch, Actor(batch.by_id, batch.by_name))
        session.flush()
    return looked


def stop(session: Session, batch_id: int, *, by: Actor) -> LinkBatch:
    """Let nothing more of an act happen; what is done stays, and can be taken back. One that has ended stays as it is.

    Raises NotFound, or Forbidden for somebody else's act unless an owner asks.
    """
    if not may_stop(steps.get(session, batch_id), by):
        raise Forbidden(phrase("Only {name} or an owner can stop this.", name=steps.get(session, batch_id).by_name))
    left = session.execute(delete(ActStep).where(ActStep.batch_id == batch_id))
    batch = steps.get(session, batch_id, lock=True)
    if left.rowcount:  # type: ignore[attr-defined]
        batch.stopped_by = by.name
        KINDS[batch.verb].close(session, batch, by)
        session.flush()
    return batch


def may_stop(batch: LinkBatch, by: Actor) -> bool:
    """Whether this person may stop an act: it is theirs, or they own the store."""
    mine = by.id is not None and batch.by_id == by.id
    return by.may(Permission.UNSYNC_MANY) or (mine and by.may(Permission.LINK))
