"""A shop with a webhook channel that a real server answers, and workers on threads."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.shop import SECRET, Shop
from tests.stub_channel import StubChannel
from webapp.config import Settings


@pytest.fixture
def stub() -> Iterator[StubChannel]:
    """A marketplace that answers."""
    with StubChannel(secret=SECRET) as stub:
        yield stub


@pytest.fixture
def shop(context: Flask, settings: Settings, stub: StubChannel) -> Shop:
    """A shop on that marketplace."""
    return Shop(context, settings, stub)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance that repeats."""
    return random.Random(request.node.name)
