"""Search over everything: the dialog of every page, and a page of its own without scripts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _

from webapp import web
from webapp.models.accounts import Permission
from webapp.models.listings import ListingState
from webapp.services import lookup

bp = Blueprint("search", __name__)


@bp.get("/search")
@web.requires(Permission.READ)
def index() -> Any:
    """Products and listings that a text means, and the lines of the menu; for the dialog only the results."""
    text = request.args.get("q", "")[:200]
    found = lookup.find(web.session(), web.catalogue_index(), text)
    context: dict[str, Any] = {"text": text, "found": found, "states": states()}
    if web.is_htmx():
        return web.piece("search/_found.html", **context)
    return web.page("search/index.html", **context)


def states() -> dict[ListingState, tuple[str, str, str]]:
    """Where a listing stands, as the colour, icon and word of its chip."""
    return {
        ListingState.PENDING: ("", "circle-dashed", _("Waits")),
        ListingState.LINKED: ("ok", "check", _("Linked")),
        ListingState.NO_MATCH: ("", "x", _("No match")),
        ListingState.IGNORED: ("", "circle-slash", _("Ignored")),
        ListingState.ENDED: ("", "minus", _("Ended")),
    }
