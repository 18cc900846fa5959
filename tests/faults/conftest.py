"""What the tests of faults share: a real server that plays the marketplace, and children to kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.faults.victims import Victims
from tests.shop import SECRET, Shop
from tests.stub_channel import StubChannel
from webapp.config import Settings


@pytest.fixture
def victims(context: Flask, settings: Settings, tmp_path: Path) -> Iterator[Victims]:
    victims = Victims(settings, tmp_path / "victims.log")
    yield victims
    victims.stop()


@pytest.fixture
def stub() -> Iterator[StubChannel]:
    with StubChannel(secret=SECRET) as stub:
        yield stub


@pytest.fixture
def shop(context: Flask, settings: Settings, stub: StubChannel) -> Shop:
    return Shop(context, settings, stub)
