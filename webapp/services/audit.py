"""Who did what to what, one sentence, in the same transaction as the change."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from webapp.db import direct
from webapp.models.accounts import Actor, AuditEntry
from webapp.models.base import utc_now

_ADD = insert(AuditEntry)
NAMED = 10_000  # things that a line of the trail names; it can be taken back as far as it does
request_id: ContextVar[str] = ContextVar("request_id", default="")


def record(
    session: Session,
    by: Actor,
    event: str,
    subject: str,
    sentence: str,
    *,
    before: Any | None = None,
    after: Any | None = None,
) -> AuditEntry:
    """Add one line to the trail, and give it as it stands there.

    `event` is noun.verb, `subject` names the thing, such as "batch 12".
    """
    values = {
        "at": utc_now(),
        "by_id": by.id,
        "by_name": by.name,
        "event": event,
        "subject": subject[:300],
        "sentence": sentence,
        "before": before,
        "after": after,
        "request_id": request_id.get(),
    }
    added = direct(session, _ADD, values)
    (number,) = added.inserted_primary_key or (None,)
    return AuditEntry(id=number, **values)


def of(ids: Sequence[int]) -> dict[str, Any]:
    """What a line notes of the things it is about: their number, and who they are unless they are very many."""
    return {"n": len(ids)} | ({"ids": list(ids)} if len(ids) <= NAMED else {})


def page(session: Session, *, event: str = "", before: int | None = None, limit: int = 50) -> list[AuditEntry]:
    """Lines of the trail, newest first; `event` is a noun such as "link", or a whole event such as "link.undone"."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if event:
        query = query.where(AuditEntry.event == event if "." in event else AuditEntry.event.startswith(f"{event}."))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(session.scalars(query))


def last(session: Session, subject: str, noun: str) -> AuditEntry | None:
    """The newest line about a thing whose event begins with this noun, such as "channel"."""
    query = select(AuditEntry).where(AuditEntry.subject == subject[:300], AuditEntry.event.startswith(f"{noun}."))
    return session.scalar(query.order_by(AuditEntry.id.desc()).limit(1))
