"""The screens: parse the request, call one service, answer with a page or a piece."""

from __future__ import annotations

from flask import Flask

from webapp.views import (
    accounts,
    acts,
    catalog,
    catalog_bulk,
    channels,
    exports,
    home,
    imports,
    links,
    pairs,
    propagation,
    review,
    review_more,
    review_variants,
    rules,
    said_words,
    schedules,
    search,
    suspicions,
    unsync,
)


def register(app: Flask) -> None:
    """Hang every blueprint into the app."""
    for module in (accounts, catalog, channels, exports, home, imports, links, propagation, rules, schedules, search):
        app.register_blueprint(module.bp)


# They hang their routes on the blueprints of products and of links.
SCREENS_OF_PRODUCTS = (catalog_bulk,)
SCREENS_OF_LINKS = (acts, pairs, review, review_more, review_variants, said_words, suspicions, unsync)
