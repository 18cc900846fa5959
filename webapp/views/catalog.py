"""Products: the catalogue as a table, one product with its listings and history, and its form."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from webapp import web
from webapp.models.accounts import Permission

bp = Blueprint("catalog", __name__)


@bp.get("/products")
@web.requires(Permission.READ)
def index() -> Any:
    """The table of products."""
    return web.page("catalog/index.html")
