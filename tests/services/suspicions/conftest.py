"""What the tests of checking pairs share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Make
from webapp.db import unit_of_work


@pytest.fixture
def put(context, settings):
    """Do something in a transaction of its own: `put(lambda m: m.link())`."""

    def build(run: Any) -> Any:
        with unit_of_work() as session:
            return run(Make(session, settings))

    return build
