"""Rules about the code itself: one way out of the house, no clock inside, verification never switched off."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = {"requests", "urllib.request", "urllib3", "http.client", "httpx", "httpx2", "httpcore2", "aiohttp", "ftplib"}
THE_ONE_CLIENT = {"connectors/outbound.py", "connectors/sockets.py"}
SOURCES = sorted(
    path for folder in ("connectors", "importers", "matching", "webapp") for path in ROOT.glob(f"{folder}/**/*.py")
)
CONNECTORS = [path for path in SOURCES if path.parent.name == "connectors"]


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, with `from a import b` also as `a.b`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(path: Path) -> set[str]:
    """Every dotted name a file mentions, as it is written."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {ast.unparse(node) for node in nodes if isinstance(node, (ast.Attribute, ast.Name))}


def test_only_the_outbound_client_talks_to_the_network() -> None:
    others = [path for path in SOURCES if path.relative_to(ROOT).as_posix() not in THE_ONE_CLIENT]
    assert len(others) >= len(CONNECTORS) - len(THE_ONE_CLIENT) > 5
    assert {path.name: CLIENTS & set(imports(path)) for path in others if CLIENTS & set(imports(path))} == {}


@pytest.mark.parametrize("path", CONNECTORS, ids=lambda path: path.name)
def test_connectors_are_told_the_time_and_the_settings(path: Path) -> None:
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "time.time", "os.environ", "os.getenv"}
    assert clocks & named(path) == set()
    foreign = {"webapp", "matching", "importers", "flask", "sqlalchemy", "huey"}
    assert foreign & {name.split(".")[0] for name in imports(path)} == set()


@pytest.mark.parametrize("path", CONNECTORS, ids=lambda path: path.name)
def test_nothing_can_switch_verification_off(path: Path) -> None:
    assert not {
        name for name in named(path) if name.endswith(("CERT_NONE", "check_hostname", "_create_unverified_context"))
    }
