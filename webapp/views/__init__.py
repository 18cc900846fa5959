"""The screens: parse the request, call one service, answer with a page or a piece."""

from __future__ import annotations

from flask import Flask

from webapp.views import accounts, catalog, home, imports


def register(app: Flask) -> None:
    """Hang every blueprint into the app."""
    for module in (accounts, catalog, home, imports):
        app.register_blueprint(module.bp)
