"""Linking: the blueprint that review and pairs share, and the undo that both lead to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from webapp import web
from webapp.errors import Forbidden, NotFound
from webapp.models import BatchVerb, LinkBatch
from webapp.models.accounts import Permission
from webapp.services import links, undo
from webapp.translate import translated

bp = Blueprint("links", __name__)


@bp.post("/undo/<int:batch_id>", endpoint="undo")
@web.requires(Permission.LINK)
def undo_batch(batch_id: int) -> Any:
    """Take one act back, and show the page it was asked from as it is now."""
    act = take_back_in_steps(batch_id)
    if act is not None:
        return web.go("links.act", batch_id=act.id)
    text = undone_words(take_back(batch_id))
    flash(text, "message")
    if web.is_htmx():
        return Response(status=204, headers={"HX-Refresh": "true"})
    return redirect(came_from(), code=303)


def take_back(batch_id: int) -> links.Change:
    """Undo a batch; bulk acts of others are the owners' to take back. Raises Forbidden or what `links.undo` raises."""
    _theirs(batch_id)
    return undo.take_back(web.session(), batch_id, by=web.actor())


def take_back_in_steps(batch_id: int) -> LinkBatch | None:
    """Leave the undo of a large batch to the workers, or find the one that goes on; None for a batch of a few."""
    _theirs(batch_id)
    return undo.begin_large(web.session(), batch_id, by=web.actor())


def _theirs(batch_id: int) -> LinkBatch:
    """The batch, if the person who asks may take it back."""
    batch, by = web.session().get(LinkBatch, batch_id), web.actor()
    if batch is None:
        raise NotFound(_("This was taken back already, or never happened."))
    if batch.changed > 1 and batch.by_id != by.id and not by.may(Permission.UNSYNC_MANY):
        raise Forbidden(_("Only %(name)s or an owner can take this back.", name=translated(batch.by_name)))
    return batch


def act_words(batch: LinkBatch) -> str:
    """What came of an act in steps that has ended."""
    refused = int((batch.numbers or {}).get("refused", 0))
    if batch.verb == BatchVerb.UNDO:
        text = undone_words(links.Change(changed=batch.changed), refused)
    else:
        n = format_decimal(batch.changed)
        text = ngettext("Linked %(n)s listing.", "Linked %(n)s listings.", batch.changed, n=n)
        if refused:
            n = format_decimal(refused)
            left = ngettext("%(n)s was left as it was.", "%(n)s were left as they were.", refused, n=n)
            text = f"{text} {left}"
    return _("Stopped.") + " " + text if batch.stopped_by else text


def undone_words(change: links.Change, more: int = 0) -> str:
    """What an undo did, and what it had to leave: the refused of the change, and `more`."""
    refused = len(change.refused) + more
    text = ngettext(
        "Undone. %(n)s listing is as it was.",
        "Undone. %(n)s listings are as they were.",
        change.changed,
        n=format_decimal(change.changed),
    )
    if refused:
        left = ngettext(
            "%(n)s was changed meanwhile and left as it is.",
            "%(n)s were changed meanwhile and left as they are.",
            refused,
            n=format_decimal(refused),
        )
        text = f"{text} {left}" if change.changed else left
    return str(text)


def came_from() -> str:
    """The page of ours that a form was posted from; the pairs when it is not known."""
    parts = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    ours = parts.netloc == request.host and parts.path.startswith("/") and not parts.path.startswith("//")
    return f"{parts.path}?{parts.query}" if ours else "/pairs"
