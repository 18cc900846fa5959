"""A file on its way: received, checked, confirmed and applied as the screens do it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import importers
from importers import checking, staging
from importers.checking import check_file
from tests.factories import Make
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Channel, ImportJob, ImportKind, ImportState
from webapp.models.accounts import COMMAND_LINE
from webapp.services import import_heirs, import_undo, imports, listing_forecasts
from webapp.web import settings as settings_here


@pytest.fixture(autouse=True)
def _same_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files here: the child process around the reading has its own tests, and starting one per file adds up.

    What is looked up while a child reads is looked up when all rows are read, before doubtful ones are taken out.
    """

    settle = checking.refuse_two_readings
    monkeypatch.setattr(listing_forecasts, "CHUNK", 1)  # block by block
    monkeypatch.setattr(staging, "_LOOK_AGAIN", 0)

    def check(
        path: Path, *, kind: Any, staged: Path, options: importers.Options, file_name: str, meanwhile: Any
    ) -> importers.Report:
        def read_beside(reader: Any, stage: Any, *more: Any) -> None:
            stage._rows.flush()
            looks = itertools.count()
            meanwhile(lambda: next(looks) > 20)
            settle(reader, stage, *more)

        monkeypatch.setattr(checking, "refuse_two_readings", read_beside if meanwhile else settle)
        importers.discard_staged(staged)
        return check_file(path, kind, staged, options, importers.DEFAULT, file_name)

    def preview(path: Path, *, kind: Any, options: importers.Options) -> importers.Report:
        return check_file(path, kind, None, options, importers.DEFAULT, path.name)

    monkeypatch.setattr(importers, "check", check)
    monkeypatch.setattr(importers, "preview", preview)


@pytest.fixture
def bring(context, settings) -> Callable[..., int]:
    """`bring("products", text)` receives and checks a file and gives its number."""

    def do(kind: str, text: str, *, channel: int | None = None, **options: Any) -> int:
        name = f"file{len(list(settings.uploads.iterdir()))}"
        (settings.uploads / name).write_text(text, encoding="utf-8")
        with unit_of_work() as session:
            place = session.get(Channel, channel) if channel else None
            chosen = importers.Options(**options)
            job = imports.receive(
                session, ImportKind(kind), f"{name}.csv", name, by=COMMAND_LINE, channel=place, options=chosen
            )
        return tasks.check_import(settings, job.id).id

    return do


@pytest.fixture
def apply(bring, settings) -> Callable[..., ImportJob]:
    """`apply("products", text)` also confirms and runs it, and gives the import as it ended."""

    def do(kind: str, text: str, *, reconcile: bool = True, **more: Any) -> ImportJob:
        job_id = bring(kind, text, **more)
        with unit_of_work() as session:
            imports.confirm(session, job_id, by=COMMAND_LINE, reconcile=reconcile)
        tasks.run_imports(settings, only=job_id)
        return read(job_id)

    return do


NOTHING_NEWER = {"newer_rows": 0, "newer_values": 0, "newer_links": 0}


_HOW = {"steps": False}


@pytest.fixture(params=["at once", "in steps"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test twice: undone in one transaction, and by a worker a row or two at a time."""
    monkeypatch.setitem(_HOW, "steps", request.param == "in steps")
    monkeypatch.setattr(import_undo, "STEP", 2)
    monkeypatch.setattr(import_heirs, "STEP", 2)


def take_back(job: ImportJob, **more: Any) -> dict[str, int]:
    """Undo an import; gives its numbers."""
    uploads = settings_here().uploads
    if not _HOW["steps"]:
        with unit_of_work() as session:
            return import_undo.undo(session, job.id, uploads=uploads, by=COMMAND_LINE, **more)
    with unit_of_work() as session:
        import_undo.begin(session, job.id, uploads=uploads, by=COMMAND_LINE, **more)
    assert tasks.undo_imports(settings_here()) == [job.id]
    done = read(job.id)
    assert done.state == ImportState.UNDONE, done.message
    return done.report["undone"]


def read(job_id: int) -> ImportJob:
    """The import as it stands in the database."""
    with unit_of_work(read_only=True) as session:
        return imports.get(session, job_id)


@pytest.fixture
def alpha(context, settings):
    """A channel, and products with the SKUs A-1 and A-2; gives the channel's id."""
    with unit_of_work() as session:
        make = Make(session, settings)
        make.product("A-1")
        make.product("A-2")
        return make.channel("Alpha").id
