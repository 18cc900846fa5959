"""Suspicious pairs: a person keeps one, or many; taking apart is the X that every pair has."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from webapp import web
from webapp.errors import NotFound
from webapp.models import Link
from webapp.models.accounts import Permission
from webapp.services import pairs, suspicions
from webapp.views.links import bp
from webapp.views.pairs import gone, kept, selection


@bp.post("/pairs/<int:listing_id>/keep")
@web.requires(Permission.LINK)
def keep_pair(listing_id: int) -> Any:
    """Say that a suspicious pair is right; the row offers the way back."""
    row = pairs.one(web.session(), listing_id)
    change = suspicions.keep(web.session(), [listing_id], by=web.actor())
    if change.batch is None:
        raise NotFound(_("This pair is not suspicious any more."))
    text = _("Kept. It is shown here again only when its facts change.")
    if not web.is_htmx():
        web.say(text)
        return redirect(url_for("links.pairs", **kept()), code=303)
    return gone(row, change, _("Kept."), text)


@bp.post("/pairs/keep")
@web.requires(Permission.LINK)
def keep_many() -> Any:
    """Say of a selection, or of all that match, that they are right."""
    which, _n = selection()
    ids = list(web.session().scalars(select(Link.listing_id).where(*which)))
    change = suspicions.keep(web.session(), ids, by=web.actor())
    web.say(ngettext("Kept %(num)s pair.", "Kept %(num)s pairs.", change.changed))
    return web.go("links.pairs", **kept())
