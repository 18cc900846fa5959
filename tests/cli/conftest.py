"""Commands in this process, on an instance of their own, as a shell would start them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from tests.conftest import POSTGRES, _empty, settings_for
from tests.factories import Make
from webapp import create_app
from webapp.cli import main, support
from webapp.config import Settings
from webapp.db import db, unit_of_work


@dataclass(frozen=True)
class Answer:
    """What a command left behind: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output; anything else there is an error."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


class Shell:
    """Runs `pairbook …` against one instance and puts things into it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings

    def __call__(self, *words: str, code: int | None = 0, stdin: str = "") -> Answer:
        """Run a command; `code` is the exit code that is expected (None: any)."""
        done = CliRunner().invoke(main, list(words), input=stdin)
        answer = Answer(done.exit_code, done.stdout, done.stderr)
        assert "Traceback" not in answer.out + answer.err
        assert code is None or answer.code == code, answer
        return answer

    def json(self, *words: str, code: int | None = 0) -> dict[str, Any]:
        """Run a command with --json and give its object."""
        return self(*words, "--json", code=code).json

    def file(self, name: str, rows: Sequence[Sequence[object]] | str) -> str:
        """A CSV file of these rows, or of this text; gives its path."""
        path = self.folder / name
        text = rows if isinstance(rows, str) else "".join(",".join(map(str, row)) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8", newline="")
        return str(path)

    @contextmanager
    def inside(self) -> Iterator[tuple[Session, Make]]:
        """A writing session of this instance with its factory; committed at the end."""
        app = create_app(self.settings)
        with app.app_context():
            try:
                with unit_of_work() as session:
                    yield session, Make(session, self.settings)
            finally:
                db.engine.dispose()


@pytest.fixture
def shell(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A migrated instance and the commands that work on it."""
    instance = tmp_path / "instance"
    instance.mkdir()
    settings = settings_for(instance)
    for name, value in _environment(settings).items():
        monkeypatch.setenv(name, value)
    # One application for all commands of a test: making it anew each time would be most of the suite's time.
    monkeypatch.setattr(support, "create_app", cache(support.create_app))
    if POSTGRES:
        app = create_app(settings)
        with app.app_context():
            _empty()
            db.engine.dispose()
    else:
        shutil.copy(migrated / "app.db", instance / "app.db")
    return Shell(tmp_path, settings)


@pytest.fixture
def shop(shell: Shell) -> Shell:
    """A shell whose instance has the channel “Alpha” with linked, exact, near and strange listings."""

    with shell.inside() as (_, make):
        for sku in ("A-1", "A-2", "A-3"):
            make.product(sku, title=f"Nomad mug {sku}", quantity=7, price="9.90")
        alpha = make.manual(make.channel("Alpha"))
        for number, sku in enumerate(("A-1", "A-2", "a3", ""), 1):
            make.listing(sku, channel=alpha, listing_id=f"L{number}", title=f"Mug by Nomad {number}", quantity=1)
    return shell


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "PAIRBOOK_INSTANCE": str(settings.instance),
        "PAIRBOOK_DATABASE_URL": settings.database_url,
        "PAIRBOOK_QUEUE_URL": settings.queue_url,
        "PAIRBOOK_SECRET_KEY": settings.secret_key,
        "PAIRBOOK_OUTBOUND_ALLOW": "127.0.0.0/8",
    }


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file that a command wrote."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
