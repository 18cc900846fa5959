"""Chance that repeats, for the tests of sending."""

from __future__ import annotations

import random

import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance that repeats."""
    return random.Random(request.node.name)
