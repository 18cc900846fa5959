"""What a form says when somebody else has changed meanwhile what it was about: who, when, and how it is now."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from webapp.models.base import utc_now
from webapp.services import audit
from webapp.translate import translated
from webapp.views.review_words import ago

FIELD = "seen"


def mark(*values: Any) -> str:
    """What a form carries of the values that it shows: another mark at its return means that they have changed."""
    return sha256(repr(values).encode()).hexdigest()[:16]


def changed(now: str) -> bool:
    """Whether the form that was posted showed other values; one without a mark does not care."""
    return request.form.get(FIELD, now) != now


def words(session: Session, subject: str, noun: str) -> str:
    """Who changed it and when, as the trail has it: the newest of its lines whose event begins with the noun."""
    last = audit.last(session, subject, noun)
    if last is None:
        return str(_("Somebody changed this meanwhile. Nothing of yours was saved; this is how it is now."))
    return str(
        _(
            "%(name)s changed this %(ago)s. Nothing of yours was saved; this is how it is now.",
            name=translated(last.by_name),
            ago=ago(last.at, utc_now()),
        )
    )
