"""What is in Pairbook, as files that import again without change."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _

from webapp import web
from webapp.errors import NotFound
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import channels, exports
from webapp.views.downloads import download

bp = Blueprint("exports", __name__)


@bp.get("/export/<what>.<suffix>")
@web.requires(Permission.READ)
def table(what: str, suffix: str) -> Any:
    """Products, listings, links or the trail as .csv or .xlsx; `channel` in the address leaves the others out."""
    session = web.session()
    if what not in exports.TABLES or f".{suffix}" not in exports.FORMATS:
        raise NotFound(_("Products, listings, links and the audit trail come as .csv or .xlsx."))
    name = request.args.get("channel", "")
    channel = channels.get(session, name) if name else None
    write = partial(exports.export, session, what, channel=channel)
    words = (name, what, utc_now().date().isoformat())
    return download(write, " ".join(filter(None, words)) + f".{suffix}")


def kinds() -> list[tuple[str, str, str]]:
    """What can be had: its name in the address, and in words with one sentence."""
    return [
        ("products", _("Products"), _("With stock, price and options.")),
        ("listings", _("Listings"), _("What the marketplaces showed when last seen.")),
        ("links", _("Links"), _("Which listing is which product.")),
        ("audit", _("Activity"), _("Who did what, oldest first.")),
    ]
