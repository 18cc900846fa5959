"""Linking: the blueprint that review and pairs share, and the undo that both lead to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext

from webapp import web
from webapp.errors import Forbidden, NotFound
from webapp.models import LinkBatch
from webapp.models.accounts import Permission
from webapp.services import links
from webapp.services.undo import take_back as undo_act
from webapp.translate import translated

bp = Blueprint("links", __name__)


@bp.post("/undo/<int:batch_id>")
@web.requires(Permission.LINK)
def undo(batch_id: int) -> Any:
    """Take one act back, and show the page it was asked from as it is now."""
    text = undone_words(take_back(batch_id))
    flash(text, "message")
    if web.is_htmx():
        return Response(status=204, headers={"HX-Refresh": "true"})
    return redirect(came_from(), code=303)


def take_back(batch_id: int) -> links.Change:
    """Undo a batch; bulk acts of others are the owners' to take back. Raises Forbidden or what `links.undo` raises."""
    session, by = web.session(), web.actor()
    batch = session.get(LinkBatch, batch_id)
    if batch is None:
        raise NotFound(_("This was taken back already, or never happened."))
    if batch.changed > 1 and batch.by_id != by.id and not by.may(Permission.UNSYNC_MANY):
        raise Forbidden(_("Only %(name)s or an owner can take this back.", name=translated(batch.by_name)))
    return undo_act(session, batch_id, by=by)


def undone_words(change: links.Change) -> str:
    """What an undo did, and what it had to leave."""
    text = ngettext(
        "Undone. %(num)s listing is as it was.", "Undone. %(num)s listings are as they were.", change.changed
    )
    if change.refused:
        left = ngettext(
            "%(num)s was changed meanwhile and left as it is.",
            "%(num)s were changed meanwhile and left as they are.",
            len(change.refused),
        )
        text = f"{text} {left}" if change.changed else left
    return str(text)


def came_from() -> str:
    """The page of ours that a form was posted from; the pairs when it is not known."""
    parts = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    ours = parts.netloc == request.host and parts.path.startswith("/") and not parts.path.startswith("//")
    return f"{parts.path}?{parts.query}" if ours else "/pairs"
