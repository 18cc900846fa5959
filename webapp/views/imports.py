"""Bring a file in: choose it, see its columns and what will happen, confirm, watch, take it back."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import FileStorage

import importers
from webapp import web
from webapp.db import ring, unit_of_work
from webapp.errors import NotFound, Refused
from webapp.jobs import tasks
from webapp.models import Channel, ImportJob, ImportKind, ImportState
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import channels, counts, demo, full_list, import_choices, import_undo, imports, retrieval
from webapp.translate import translated
from webapp.views import exports, import_changes, import_channel, import_problems, import_words
from webapp.views.downloads import download

bp = Blueprint("imports", __name__)
CHECKED_AT_ONCE = 8 * 1024 * 1024  # bytes: a larger file is left to the worker
APPLIED_AT_ONCE = 5_000  # rows: more are left to the worker
STOP_POLLING = 286
MOVING = {ImportState.QUEUED, ImportState.RUNNING, ImportState.UNDOING}
ENDED = {ImportState.DONE, ImportState.FAILED, ImportState.UNDONE}


@bp.get("/import")
@web.requires(Permission.READ)
def index() -> Any:
    """The form for a file, and the imports of before."""
    return _index()


def _index(error: str = "", field: str = "", status: int = 200) -> Response:
    session = web.session()
    found = channels.all_channels(session)
    jobs = import_choices.recent(session)
    listed = sum(sum(n.values()) for n in counts.by_channel(session).values())
    return web.page(
        "imports/index.html",
        status=status,
        kind=request.values.get("kind", "listings"),
        channel=request.values.get("channel", ""),
        channels=found,
        names={c.id: c.name for c in found},
        jobs=jobs,
        first_run=not jobs and not listed,
        states=import_words.states(),
        kinds=import_words.kinds(),
        undoable=partial(import_undo.undoable, now=utc_now()),
        exports=exports.kinds(),
        most_mb=web.settings().upload_limit // (1024 * 1024),
        error=error,
        field=field,
    )


@bp.post("/import")
@web.requires(Permission.IMPORT)
def upload() -> Any:
    """Take a file in under a name of our own and check it; nothing of it is saved in the tables."""
    by, settings = web.actor(), web.settings()
    file = request.files.get("file")
    try:
        kind = _kind(request.form.get("kind", ""))
        if file is None or not file.filename:
            return _index(_("Select a file."), "file", 422)
        channel = import_channel.chosen(kind, by)
    except Refused as error:
        return _index(translated(error.message), "channel", 422)
    noted = import_channel.noted(channel)
    web.release_session()
    stored = _store(file, settings.uploads)
    with unit_of_work() as session:
        place = import_channel.place(session, noted, by)
        job = imports.receive(session, kind, _file_name(file), stored, by=by, channel=place)
        import_choices.recall(session, job, settings.uploads)
        job_id = job.id
    _check(job_id, stored)
    return web.go("imports.detail", job_id=job_id)


@bp.get("/import/<int:job_id>")
@web.requires(Permission.READ)
def detail(job_id: int) -> Any:
    """Columns on the left, what will happen on the right; a file that is past that shows its result."""
    session = web.session()
    job = imports.get(session, job_id)
    if job.state in MOVING | ENDED:
        return redirect(url_for("imports.done", job_id=job_id), code=303)
    if job.state == ImportState.CHECKING:
        return _checking(job)
    report = importers.Report.from_json(job.report)
    found = channels.all_channels(session)
    preset = import_choices.preset_for(session, job.kind, report.headers)
    outcome = import_words.outcome(job)
    columns = import_words.columns(report, job.kind)
    on_channels = job.kind in {ImportKind.LISTINGS, ImportKind.LINKS}
    asks = on_channels and not job.channel_id and all(c.field != "channel" for c in columns)
    return web.page(
        "imports/detail.html",
        block="check",
        job=job,
        report=report,
        columns=columns,
        folded=import_words.folded(report, columns),
        asks=asks,
        channels=found,
        channel=import_words.likely_channel(report, found) if asks else "",
        fields=import_words.fields(job.kind),
        outcome=outcome,
        bars=[(line.title, line.rows, line.kind) for line in outcome],
        more=(job.report.get("forecast") or {}).get("more", 0),
        changes=import_changes.told(job),
        lacking=full_list.missing(job),
        typed=full_list.missing(job) > full_list.UNBRAKED,
        problems=import_problems.problems(job, report),
        zeros=import_problems.lost_zeros(job),
        first_row_asked=import_problems.first_row_asked(job, report),
        ways=import_problems.ways_to_read(job),
        decimal_at=import_words.decimal_at(columns),
        missing=import_words.unknown_channels(report),
        remarks=import_words.remarks(report),
        options=import_choices.options_of(job),
        readings=import_words.readings(report, web.settings().uploads / job.stored_as),
        channel_choices=[(c.id, c.name) for c in found],
        kind_choices=[(kind.value, words[0]) for kind, words in import_words.kinds().items()],
        names={c.id: c.name for c in found},
        kinds=import_words.kinds(),
        preset=preset,
    )


@bp.get("/import/<int:job_id>/checking")
@web.requires(Permission.READ)
def checking(job_id: int) -> Any:
    """Polled while the worker reads a large file."""
    job = imports.get(web.session(), job_id)
    if job.state == ImportState.CHECKING:
        return _checking(job)
    return _arrived(url_for("imports.detail", job_id=job_id))


@bp.post("/import/<int:job_id>/check")
@web.requires(Permission.IMPORT)
def check(job_id: int) -> Any:
    """Read the file again as the form says: columns, encoding, delimiter, decimal mark, sheet, header row."""
    session, by = web.session(), web.actor()
    job = imports.get(session, job_id)
    kind = _kind(request.form.get("kind", job.kind.value))
    channel = import_channel.chosen(kind, by)
    options = _options(job, same_kind=kind == job.kind)
    noted, stored = import_channel.noted(channel), job.stored_as
    web.release_session()
    with unit_of_work() as work:
        place = import_channel.place(work, noted, by)
        import_choices.choose(work, job_id, options, kind=kind, channel=place)
    _check(job_id, stored)
    return redirect(url_for("imports.detail", job_id=job_id), code=303)


@bp.post("/import/<int:job_id>/channel")
@web.requires(Permission.CHANNELS)
def add_channel(job_id: int) -> Any:
    """Create a channel that the file names and that is not there yet, and check the file again."""
    by, settings = web.actor(), web.settings()
    web.release_session()
    with unit_of_work() as work:
        job = imports.get(work, job_id)
        channels.connect(work, request.form.get("name", ""), "file", by=by, settings=settings)
        place = work.get(Channel, job.channel_id) if job.channel_id else None
        import_choices.choose(work, job_id, import_choices.options_of(job), kind=job.kind, channel=place)
        stored = job.stored_as
    _check(job_id, stored)
    return redirect(url_for("imports.detail", job_id=job_id), code=303)


@bp.post("/import/<int:job_id>/preset")
@web.requires(Permission.IMPORT)
def save_preset(job_id: int) -> Any:
    """Keep the columns for the next file with the same headers."""
    session = web.session()
    job = imports.get(session, job_id)
    preset = import_choices.save_preset(session, job, request.form.get("name", ""), by=web.actor())
    web.say(_("Saved. The next file with these columns is read like this one: “%(name)s”.", name=preset.name))
    return redirect(url_for("imports.detail", job_id=job_id), code=303)


@bp.post("/import/<int:job_id>/confirm")
@web.requires(Permission.IMPORT)
def confirm(job_id: int) -> Any:
    """Let the import begin. A second click finds it begun and shows it; a small file is applied before we answer."""
    by, settings = web.actor(), web.settings()
    web.release_session()
    with unit_of_work() as session:
        job = imports.get(session, job_id, lock=True)
        begins = job.state not in MOVING | ENDED
        if begins:
            imports.confirm(session, job_id, by=by, ends=_ends())
        small = job.rows_ok <= APPLIED_AT_ONCE
    if begins and small:
        tasks.run_imports(settings, only=job_id)
    return web.go("imports.done", job_id=job_id)


@bp.get("/import/<int:job_id>/done")
@web.requires(Permission.READ)
def done(job_id: int) -> Any:
    """How far the import is, or what came of it."""
    session = web.session()
    job = imports.get(session, job_id)
    if job.state not in MOVING | ENDED:
        return redirect(url_for("imports.detail", job_id=job_id), code=303)
    channel = session.get(Channel, job.channel_id) if job.channel_id else None
    return web.page("imports/done.html", **_result(job), channel=channel)


@bp.get("/import/<int:job_id>/progress")
@web.requires(Permission.READ)
def progress(job_id: int) -> Any:
    """Polled every second while the rows go in; the answer 286 ends the polling."""
    job = imports.get(web.session(), job_id)
    if job.state in MOVING:
        return web.piece("imports/_progress.html", **_result(job))
    return _arrived(url_for("imports.done", job_id=job_id))


@bp.post("/import/<int:job_id>/undo")
@web.requires(Permission.IMPORT)
def undo(job_id: int) -> Any:
    """Take the whole import back and say what that changed."""
    session, uploads, by = web.session(), web.settings().uploads, web.actor()
    job = imports.get(session, job_id)
    if import_undo.is_large(session, job):
        import_undo.begin(session, job_id, uploads=uploads, by=by)
        web.say(_("Taking the import back."))
    else:
        numbers = import_undo.undo(session, job_id, uploads=uploads, by=by)
        web.say(import_words.undone(job.kind, numbers))
    return web.go("imports.done", job_id=job_id)


@bp.get("/import/<int:job_id>/problems.<suffix>")
@web.requires(Permission.READ)
def problems(job_id: int, suffix: str) -> Any:
    """The rows that were left out, as they stand in the file, with a column that says why."""
    job = imports.get(web.session(), job_id)
    if suffix not in {"csv", "xlsx"}:
        raise NotFound(_("These rows come as .xlsx or .csv."))
    uploads = web.settings().uploads
    write = partial(
        importers.write_problem_rows,
        uploads / job.stored_as,
        kind=job.kind.value,
        staged=uploads / f"{job.stored_as}.rows",
        options=import_choices.options_of(job),
        say=translated,
    )
    stem, word = Path(job.file_name).stem or "rows", _("problems")
    try:
        return download(lambda out: write(out=out), f"{stem} - {word}.{suffix}")
    except importers.FileRefused as refusal:
        raise NotFound(refusal.problem.message) from None


@bp.post("/import/sample")
@web.requires(Permission.IMPORT)
def sample() -> Any:
    """Fill the tables with a made-up shop, to try things on."""
    demo.load(web.session(), by=web.actor(), settings=web.settings())
    web.say(_("Sample data is in. Link some listings; nothing leaves this computer."))
    return web.go("home.index")


# ---- the steps -------------------------------------------------------------------------------------------


def _check(job_id: int, stored: str) -> None:
    """Check a small file now; ring for a large one."""
    settings = web.settings()
    if (settings.uploads / stored).stat().st_size < CHECKED_AT_ONCE:
        tasks.check_import(settings, job_id, index=_matcher())
    else:
        with unit_of_work() as session:
            imports.get(session, job_id, lock=True).lease_until = None
            ring(session, imports.BELL)


def _matcher() -> retrieval.CatalogueIndex | None:
    """What suggestions are found with; None in a process that would have to load it first, which takes seconds."""
    loaded = current_app.testing or "pairbook_matcher" in current_app.extensions
    return web.catalogue_index() if loaded else None


def _checking(job: ImportJob) -> Response:
    """The page, or its block, while a file is being read."""
    return web.page(
        "imports/checking.html",
        block="checking",
        job=job,
        kinds=import_words.kinds(),
        waits=import_words.waits(web.session(), job),
    )


def _arrived(url: str) -> Any:
    """End a polling and send the browser on; without htmx simply go there."""
    if not web.is_htmx():
        return redirect(url, code=303)
    return Response(status=STOP_POLLING, headers={"HX-Redirect": url})


def _kind(value: str) -> ImportKind:
    try:
        return ImportKind(value)
    except ValueError:
        raise Refused(_("Choose what the rows of the file are.")) from None


def _store(file: FileStorage, uploads: Path) -> str:
    """Write the upload under a random name; what the browser calls it is data, never a path."""
    name = secrets.token_hex(16)
    file.save(uploads / name, buffer_size=1024 * 1024)
    return name


def _file_name(file: FileStorage) -> str:
    text = (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(mark for mark in text if mark.isprintable())[:200] or "file"


def _options(job: ImportJob, *, same_kind: bool) -> importers.Options:
    """What the form says about the file; empty fields leave it to be found out."""
    form = request.form
    posted = dict(zip(form.getlist("header"), form.getlist("field"), strict=False))
    posted |= {form["drop"]: ""} if "drop" in form else {}  # its button, beside the columns as they stand
    mapping = import_choices.changed_mapping(job.report, posted) if same_kind else None
    row = form.get("first_row") or form.get("header_row", "")
    marks: dict[str, Literal["comma", "point"]] = {"comma": "comma", "point": "point"}
    mend = {"mend": True, "keep": False}.get(form.get("letters", ""), import_choices.options_of(job).mend_letters)
    return replace(
        import_choices.options_of(job),
        mapping=mapping,
        encoding=form.get("encoding") or None if form.get("letters") != "again" else None,
        mend_letters=mend,
        delimiter={"tab": "\t"}.get(form.get("delimiter", ""), form.get("delimiter", "")) or None,
        decimal=marks.get(form.get("mark") or form.get("decimal", "")),
        sheet=form.get("sheet") or None,
        header_row=int(row) if row.isdecimal() and len(row) < 7 else None,
        add_zeros={"add": True, "leave": False}.get(form.get("zeros", ""), import_choices.options_of(job).add_zeros),
    )


def _ends() -> int | None:
    """How many missing rows a person wants to end: None without the tick, −1 for what is no number."""
    if "full" not in request.form:
        return None
    typed = "".join(mark for mark in request.form.get("ends", "") if mark.isalnum())
    return int(typed) if typed.isdecimal() and len(typed) < 10 else -1


def _result(job: ImportJob) -> dict[str, Any]:
    """What the result and the progress show."""
    rows = int(job.report.get("rows", 0))
    passed, total = min(job.created + job.updated + job.unchanged, job.rows_ok), job.rows_ok
    if job.state == ImportState.UNDOING:
        passed, total = import_undo.progress(web.session(), job)
    return {
        "job": job,
        "total": total,
        "rows": rows,
        "bad": int(job.report.get("rows_bad", 0)),
        "passed": passed,
        "linked": int(job.report.get("linked", 0)),
        "pending": int(job.report.get("pending", 0)),
        "waiting": int(job.report.get("waiting", 0)),
        "moving": job.state in MOVING,
        "waits": import_words.waits(web.session(), job) if job.state in MOVING else "",
        "undoable": partial(import_undo.undoable, now=utc_now()),
        "kinds": import_words.kinds(),
        "states": import_words.states(),
        "undone": import_words.undone(job.kind, cast(dict[str, int], job.report.get("undone") or {})),
        "ended": full_list.words_for_done(job),
        "title": ngettext("%(num)s row", "%(num)s rows", job.rows_ok),
    }
