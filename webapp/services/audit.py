"""Who did what to what, one sentence, in the same transaction as the change."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from sqlalchemy.orm import Session

from webapp.models.accounts import Actor, AuditEntry

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
) -> None:
    """Add one line to the trail; `event` is noun.verb, `subject` names the thing, such as "batch 12"."""
    session.add(
        AuditEntry(
            by_id=by.id,
            by_name=by.name,
            event=event,
            subject=subject[:300],
            sentence=sentence,
            before=before,
            after=after,
            request_id=request_id.get(),
        )
    )
    session.flush()
