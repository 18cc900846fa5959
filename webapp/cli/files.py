"""Commands about files: check and import them, take an import back, and export."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

import importers
from webapp.cli.instance import pair
from webapp.cli.support import PARTIAL, REFUSED, Say, command, plural
from webapp.db import unit_of_work
from webapp.errors import Refused
from webapp.jobs import tasks
from webapp.models import ImportJob, ImportKind, ImportPreset, ImportState
from webapp.models.accounts import COMMAND_LINE
from webapp.services import channels, exports, import_checks, import_choices, import_undo, imports, retrieval

EXITS = {"accept": 0, "partial": PARTIAL, "reject": REFUSED}
ENDED = {ImportState.DONE, ImportState.FAILED, ImportState.UNDONE}
SHOWN = 20  # problems in words; all are in the JSON and on the screen
UNFINISHED = 86_400  # seconds; no check takes as long
NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@command("import")
@click.argument("kind", type=click.Choice(["products", "stock", "listings"]))
@click.argument("file", type=FILE)
@click.option("--channel", "channel", metavar="NAME", help="The channel of listings that name none.")
@click.option("--preset", metavar="NAME", help="A known export or a saved choice of columns.")
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="Read a column as a field.")
@click.option("--sheet", metavar="NAME")
@click.option("--delimiter", metavar="C", help="One character, or “tab”.")
@click.option("--encoding", metavar="E")
@click.option("--decimal", type=click.Choice(["comma", "point"]))
@click.option("--full-list", "ends", type=int, metavar="N", help="End the N known rows that the file lacks.")
@click.option("--add-zeros", is_flag=True, default=None, help="Put back zeros that the catalogue or a GTIN proves.")
@click.option("--mend-letters", is_flag=True, default=None, help="Put broken letters such as “Ã©” right.")
@click.option("--check", is_flag=True, help="Read and report, write nothing.")
@click.option("--suggestions", is_flag=True, help="With --check: count apart what no product resembles; takes seconds.")
@click.option("--all-or-nothing", is_flag=True, help="Refuse the file when one row is bad.")
def import_file(
    say: Say,
    kind: str,
    file: Path,
    channel: str | None,
    check: bool,
    suggestions: bool,
    all_or_nothing: bool,
    ends: int | None,
    **options: Any,
) -> None:
    """Bring in products, stock or listings; good rows are applied, bad ones named.

    Listings are not linked by this: run “pairbook reconcile” when the files of a night are all in.
    """
    with unit_of_work(read_only=True) as session:
        chosen = _options(session, **options)
    index = current_app.extensions["pairbook_index"] if suggestions else None
    work = partial(check_only, index=index) if check else partial(bring_in, ends=ends)
    with _tidy_when_stopped():
        report = work(say, ImportKind(kind), file, channel=channel, options=chosen, all_or_nothing=all_or_nothing)
    say(report, _words(report), code=EXITS[report["outcome"]])


@command("import")
@click.argument("file", type=FILE)
@click.option("--channel", "channel", metavar="NAME", help="The channel of rows that name none.")
def import_links(say: Say, file: Path, channel: str | None) -> None:
    """Link by a file with the columns channel, listing_id, sku; also Linnworks' own export of links."""
    with _tidy_when_stopped():
        report = bring_in(say, ImportKind.LINKS, file, channel=channel)
    bad_rows = [{"row": e["row"], "listing_id": "", "message": e["message"]} for e in report["errors"]]
    refused = bad_rows + report.get("refused", [])
    answer = {
        "batch": report["batch"],
        "linked": report.get("linked", 0),
        "unchanged": report["unchanged"],
        "refused": refused,
    }
    code = 0 if not refused else PARTIAL if answer["linked"] or answer["unchanged"] else REFUSED
    words = f"Linked {plural(answer['linked'], 'listing')}, {answer['unchanged']:,} were so already."
    say(answer, "\n".join([words, *(r["message"] for r in refused[:SHOWN])]), code=code)


@command("undo-import")
@click.argument("number", type=int)
def undo_import(say: Say, number: int) -> None:
    """Take an import back: its number is “import” in the report."""
    done, words, code = take_import_back(say, number)
    say(done, words, code=code)


def take_import_back(say: Say, number: int) -> tuple[dict[str, Any], str, int]:
    """Undo an import here, in steps when it is large; gives what was done, the same in words, and the exit code."""
    with unit_of_work() as session:
        job = imports.get(session, number)
        if job.state != ImportState.UNDOING:  # else another one has begun with it, and may be dead
            act = import_undo.begin if import_undo.is_large(session, job) else import_undo.undo
            act(session, number, uploads=say.settings.uploads, by=COMMAND_LINE)
    job = _taken_back(say, number)
    if job.state == ImportState.FAILED:
        raise Refused(job.message, **{"import": number})
    done = job.report["undone"]
    words = f"Removed {done['removed']:,}, restored {done['restored']:,}, unlinked {done['unlinked']:,}; "
    words += f"{done['kept']:,} in use stay."
    newer = {what: done[f"newer_{what}"] for what in ("rows", "values", "links")}
    if any(newer.values()):
        stay = "{rows:,} new rows, {links:,} links and the values of {values:,} rows stay: a newer import has them."
        words += " " + stay.format(**newer)
    return done, words, PARTIAL if done["kept"] or any(newer.values()) else 0


@command("export")
@click.argument("what", type=click.Choice(list(exports.TABLES)))
@click.option("--channel", "channel", metavar="NAME", help="Only this channel's listings or links.")
@click.option("--out", required=True, type=NEW_FILE, help="FILE.csv or FILE.xlsx.")
def export(say: Say, what: str, channel: str | None, out: Path) -> None:
    """Write products, listings, links or the audit trail to a file that imports again without change."""
    if out.suffix.lower() not in exports.FORMATS:
        raise click.BadParameter(f"{out.name} ends in neither .csv nor .xlsx.", param_hint="--out")
    if not out.parent.is_dir():
        raise Refused(f"There is no folder {out.parent}. Make it first, or choose another.")
    with unit_of_work(read_only=True) as session:
        found = channels.get(session, channel) if channel else None
        rows = exports.export(session, what, out, channel=found)
    say({"rows": rows, "file": str(out)}, f"Wrote {plural(rows, 'row')} to {out}.")


def bring_in(
    say: Say,
    kind: ImportKind,
    file: Path,
    *,
    channel: str | None,
    options: importers.Options | None = None,
    all_or_nothing: bool = False,
    ends: int | None = None,
) -> dict[str, Any]:
    """Copy the file into the uploads, check it, apply what is good, and give the report."""
    stored = _store(say, file)
    with unit_of_work() as session:
        found = channels.get(session, channel) if channel else None
        job = imports.receive(session, kind, _name(file), stored, by=COMMAND_LINE, channel=found, options=options)
        if options is None or options.preset is None:
            import_choices.recall(session, job, say.settings.uploads)
    job = tasks.check_import(say.settings, job.id, all_or_nothing=all_or_nothing)
    if job.state == ImportState.CHECKED:
        with unit_of_work() as session:
            imports.confirm(session, job.id, by=COMMAND_LINE, reconcile=False, ends=ends)
        job = _apply(say, job.id)
    if job.state == ImportState.FAILED:
        raise Refused(job.message or "The import stopped.", **{"import": job.id})
    return import_checks.report_json(job)


def _apply(say: Say, job_id: int) -> ImportJob:
    """Apply it here, after an undo that holds it up."""

    def apply() -> None:
        tasks.run_imports(say.settings, only=job_id, progress=lambda at, of: say.progress(f"{at:,} of {of:,} rows"))

    return _ended(job_id, apply, partial(tasks.undo_imports, say.settings))


def _taken_back(say: Say, job_id: int) -> ImportJob:
    """Take it back here, after an import that holds it up."""
    undo = partial(tasks.undo_imports, say.settings, only=job_id)
    return _ended(job_id, undo, partial(tasks.run_imports, say.settings))


def _ended(job_id: int, *works: Callable[[], object]) -> ImportJob:
    """Do these in turns until the import has ended, here or by the worker that was quicker; gives it."""
    while True:
        for work in works:
            work()
            with unit_of_work(read_only=True) as session:
                job = imports.get(session, job_id)
            if job.state in ENDED:
                return job
            time.sleep(0.1)


def check_only(
    say: Say,
    kind: ImportKind,
    file: Path,
    *,
    channel: str | None,
    options: importers.Options | None = None,
    all_or_nothing: bool = False,
    index: retrieval.CatalogueIndex | None = None,
) -> dict[str, Any]:
    """The report of a file that nobody will import: no trace is left."""
    stored = _store(say, file)
    try:
        with unit_of_work(read_only=True) as session:
            place = channels.get(session, channel) if channel else None
            job = ImportJob(
                kind=kind,
                file_name=_name(file),
                stored_as=stored,
                channel_id=place.id if place else None,
                options=asdict(options or importers.Options()),
                created=0,
                updated=0,
                unchanged=0,
            )
            found = imports.check(session, job, say.settings.uploads, all_or_nothing=all_or_nothing, index=index)
            job.report = found.as_json()
            forecast = dict(job.report["forecast"])
            if kind == ImportKind.LISTINGS and "link" in forecast:
                forecast["linkable"] = forecast.pop("link")  # an import by command links nothing: `pairbook link` does
        return {**import_checks.report_json(job), "forecast": forecast}
    finally:
        importers.discard_staged(say.settings.uploads / f"{stored}.rows")
        (say.settings.uploads / stored).unlink(missing_ok=True)


@contextlib.contextmanager
def _tidy_when_stopped() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl+C does, so that what it began to write is removed on the way out."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _store(say: Say, file: Path) -> str:
    """Copy the file to a random name in the uploads, which loses what killed checks left there; gives that name."""
    importers.discard_old_parts(say.settings.uploads, time.time() - UNFINISHED)
    stored = secrets.token_hex(16)
    shutil.copyfile(file, say.settings.uploads / stored)
    return stored


def _name(file: Path) -> str:
    """The file's name as text: a file system takes any bytes, a database does not."""
    return os.fsencode(file.name).decode(errors="replace")


def _options(
    session: Session, mapping: tuple[str, ...], preset: str | None, delimiter: str | None, **rest: Any
) -> importers.Options:
    columns = dict(pair(text, "--map") for text in mapping)
    saved = session.scalar(select(ImportPreset).where(ImportPreset.name == preset)) if preset else None
    if saved is not None:
        columns, preset = {**saved.mapping["mapping"], **columns}, None
        rest = {name: saved.mapping.get(name) if value is None else value for name, value in rest.items()}
    if delimiter and delimiter.lower() in {"tab", "\\t"}:
        delimiter = "\t"
    if delimiter and len(delimiter) != 1:
        raise click.BadParameter("Give one character, or “tab”.", param_hint="--delimiter")
    return importers.Options(mapping=columns or None, preset=preset, delimiter=delimiter, **rest)


def _words(report: dict[str, Any]) -> str:
    """The report for a person: numbers first, then the first problems."""
    done = f"{report['created']:,} new, {report['updated']:,} changed, {report['unchanged']:,} as before."
    head = {
        "accept": f"Read {plural(report['rows'], 'row')}: {done}",
        "partial": f"{report['rows_bad']:,} of {plural(report['rows'], 'row')} were left out: {done}",
        "reject": "The file was refused; nothing was written.",
    }[report["outcome"]]
    more = report["errors_total"] - SHOWN
    tail = [f"… and {plural(more, 'more problem')}."] if more > 0 else []
    if unused := report.get("unused"):
        beyond = f" and {len(unused) - SHOWN:,} more" if len(unused) > SHOWN else ""
        tail.append(f"Columns that nothing is read from: {', '.join(unused[:SHOWN])}{beyond}.")
    return "\n".join([head, *(e["message"] for e in report["errors"][:SHOWN]), *tail])


links = click.Group("links", commands=[import_links], help="Files of links.")
COMMANDS = (import_file, undo_import, export, links)
