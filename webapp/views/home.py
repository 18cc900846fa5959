"""The overview: how far reconciliation is by channel, and what needs a person now."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from webapp import web
from webapp.models.accounts import Permission

bp = Blueprint("home", __name__)


@bp.get("/")
@web.requires(Permission.READ)
def index() -> Any:
    """One picture, one list."""
    return web.page("home/index.html")
