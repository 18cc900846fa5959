"""What the tests of faults share: children to kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.faults.victims import Victims
from webapp.config import Settings


@pytest.fixture
def victims(context: Flask, settings: Settings, tmp_path: Path) -> Iterator[Victims]:
    victims = Victims(settings, tmp_path / "victims.log")
    yield victims
    victims.stop()
