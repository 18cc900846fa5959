"""What an act on very many rows has yet to do, how far it is, and the stop that lets nothing more of it happen.

The act is its batch; what is left of it stands in rows that go in the transactions that do it. Whatever stops a
worker, nothing is lost or done twice, and others write between two steps. `long_acts` knows what each act does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from webapp.db import ring
from webapp.errors import NotFound, phrase
from webapp.models.base import utc_now
from webapp.models.channels import Channel
from webapp.models.links import ActStep, BatchVerb, LinkBatch

BELL = "steps"
FROM = 1_001  # listings: an act on fewer is done at once, while somebody waits for the answer
QUIET = timedelta(seconds=15)  # a step takes a tenth of a second: after so long nobody is at it
NAMED = 100  # refused listings that an act remembers by name


@dataclass(frozen=True)
class Progress:
    """How far an act is: rows looked at, of `total`; `changed` of them changed. `waits`: no worker is at it now."""

    done: int
    total: int
    changed: int
    waits: bool = False


def lay(
    session: Session, batch: LinkBatch, total: int, spans: Sequence[tuple[int, int, int]] = (), of: Any = None
) -> LinkBatch:
    """Lay out an act about `total` rows: for each span of ids (low, high] a row, with its number."""
    batch.total, batch.moved_at = total, utc_now()
    rows = [{"batch_id": batch.id, "number": n, "after": low, "upto": high, "of": of} for low, high, n in spans]
    return _lay(session, batch, rows)


def lay_ids(session: Session, batch: LinkBatch, ids: Sequence[int], size: int) -> LinkBatch:
    """The same for rows that were chosen one by one: `size` of them in each row of steps."""
    batch.total, batch.moved_at = len(ids), utc_now()
    parts = [list(ids[start : start + size]) for start in range(0, len(ids), size)]
    rows = [{"batch_id": batch.id, "number": len(p), "after": 0, "upto": 0, "of": p} for p in parts]
    return _lay(session, batch, rows)


def _lay(session: Session, batch: LinkBatch, rows: list[dict[str, Any]]) -> LinkBatch:
    if rows:
        session.execute(insert(ActStep), rows)
    session.flush()
    return batch


def call(session: Session, batch: LinkBatch) -> LinkBatch:
    """Leave an act to the workers: they hear of it when this transaction ends."""
    ring(session, BELL)
    return batch


def waiting(session: Session) -> list[int]:
    """The acts that have a step to take, the oldest first."""
    return list(session.scalars(select(ActStep.batch_id).distinct().order_by(ActStep.batch_id)))


def running(session: Session, verb: BatchVerb | None = None) -> list[LinkBatch]:
    """The acts that go on, of one verb or of any, the oldest first."""
    query = select(LinkBatch).where(LinkBatch.id.in_(select(ActStep.batch_id))).order_by(LinkBatch.id)
    return list(session.scalars(query if verb is None else query.where(LinkBatch.verb == verb)))


def alone(session: Session) -> None:
    """Wait until nobody else is beginning an act, until this transaction ends: two clicks begin one."""
    session.execute(select(Channel.id).order_by(Channel.id).limit(1).with_for_update())


def get(session: Session, batch_id: int, *, lock: bool = False) -> LinkBatch:
    """An act; raises NotFound where there is none."""
    batch = session.get(LinkBatch, batch_id, with_for_update=lock, populate_existing=True)
    if batch is None:
        raise NotFound(phrase("There is no batch {number}.", number=batch_id))
    return batch


def goes_on(session: Session, batch_id: int) -> bool:
    """Whether an act has a step to take."""
    return session.scalar(select(ActStep.id).where(ActStep.batch_id == batch_id).limit(1)) is not None


def progress(session: Session, batch: LinkBatch, *, now: datetime | None = None) -> Progress | None:
    """How far it is while it goes on; None when it has ended, or was done at once."""
    rest = session.scalar(select(func.sum(ActStep.number)).where(ActStep.batch_id == batch.id))
    if batch.total is None or rest is None:
        return None
    quiet = batch.moved_at is None or batch.moved_at < (now or utc_now()) - QUIET
    return Progress(max(batch.total - int(rest), 0), batch.total, batch.changed, quiet)


def note(batch: LinkBatch, **more: int) -> None:
    """Add to the numbers that an act keeps of what it finds."""
    numbers = batch.numbers or {}
    batch.numbers = numbers | {name: numbers.get(name, 0) + n for name, n in more.items()}


def note_refused(batch: LinkBatch, refused: Sequence[Any]) -> None:
    """Remember the listings that an act had to leave: all are counted, the first of them named with the reason."""
    if not refused:
        return
    note(batch, refused=len(refused))
    numbers = batch.numbers or {}
    named = numbers.get("named", [])
    more = [[r.listing_id, r.external_id, r.message] for r in refused[: NAMED - len(named)]]
    batch.numbers = numbers | {"named": [*named, *more]}


def note_in_flight(batch: LinkBatch, listings: Sequence[str]) -> None:
    """Remember the listings whose last update was on its way already when their pairs ended."""
    if listings:
        numbers = batch.numbers or {}
        batch.numbers = numbers | {"in_flight": [*numbers.get("in_flight", []), *listings]}
