"""Fixtures of the screens: put things into the database, and look at what became of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Make
from webapp.db import unit_of_work


@pytest.fixture
def put(app, settings):
    """Put things into the database: `put(lambda m: m.listing().id)`; gives what the function gives."""

    def build(run: Any) -> Any:
        with app.app_context(), unit_of_work() as session:
            return run(Make(session, settings))

    return build


@pytest.fixture
def look(app):
    """Read the database: `look(lambda s: s.get(Listing, 1))`."""

    def read(run: Any) -> Any:
        with app.app_context(), unit_of_work(read_only=True) as session:
            return run(session)

    return read
