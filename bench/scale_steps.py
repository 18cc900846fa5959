"""The steps of bench/scale.py that load, import and reconcile, each run in a process of its own."""

from __future__ import annotations

import csv
import os
import resource
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import current_app
from make_data import LISTING_COLUMNS, Size, channel_name
from sqlalchemy import event

from webapp import create_app
from webapp.config import Settings, load
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.migrations import upgrade
from webapp.models import ImportKind, ImportState, SendMode
from webapp.models.accounts import COMMAND_LINE, Role
from webapp.services import accounts, channels, imports, suspicions

Answer = dict[str, Any]


def measured(step: Callable[[Path, Size], Answer], folder: Path, size: Size) -> Answer:
    """Run a step; adds `seconds` (unless the step says them itself), `cpu` and `peak_mb` of all its processes."""
    begun, cpu = time.perf_counter(), _cpu()
    with peak_of_tree() as peak:
        answer = step(folder, size)
    answer.setdefault("seconds", time.perf_counter() - begun)
    answer.setdefault("cpu", _cpu() - cpu)
    return {**answer, "peak_mb": peak[0], "own_mb": peak[1]}


@contextmanager
def peak_of_tree() -> Iterator[list[float]]:
    """The most memory, in MB, that this process and its children had at once: all of it, and without mapped files.

    Shared pages count once (the proportional set size of proc(5), smaps_rollup). The kernel walks all pages for that,
    10 ms for a database mapped into memory, so it is asked only when the resident size, which is never less, has grown
    by a fiftieth: twenty times a second it took a sixth of what was to be measured.
    """
    most, stop = [0.0, 0.0], threading.Event()

    def look() -> None:
        highest = 0.0
        while not stop.wait(0.05):
            resident = sum(_resident(pid) for pid in _tree(os.getpid()))
            if resident > 1.02 * highest:
                highest = resident
                for place, found in enumerate(_memory(os.getpid())):
                    most[place] = max(most[place], found)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    yield most
    stop.set()
    watcher.join()


def _memory(pid: int) -> tuple[float, float]:
    """Megabytes of a process and all its children, and those of them that no file backs; 0 for one that has ended."""
    all_of, own = 0.0, 0.0
    for one in _tree(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()[1:]
            found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
            all_of, own = all_of + found["Pss"], own + found["Pss_Anon"]
    return all_of, own


def _tree(pid: int) -> Iterator[int]:
    """A process and all its children."""
    yield pid
    with suppress(OSError):
        for child in "".join(p.read_text() for p in Path(f"/proc/{pid}/task").glob("*/children")).split():
            yield from _tree(int(child))


def _resident(pid: int) -> float:
    """Megabytes of a process, shared ones too; 0 for one that has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


@contextmanager
def instance(folder: Path) -> Iterator[Settings]:
    """The application of the instance in this folder, its context pushed."""
    settings = settings_of(folder)
    with create_app(settings).app_context():
        yield settings
        db.engine.dispose()


def settings_of(folder: Path) -> Settings:
    """Settings of the instance in this folder."""
    return load({"PAIRBOOK_INSTANCE": str(folder), "PAIRBOOK_SECRET_KEY": "scale" * 16})


def prepare(folder: Path, size: Size) -> Answer:
    """Create the tables, the channels and one owner."""
    with instance(folder) as settings:
        upgrade(db.engine)
        with unit_of_work() as session:
            accounts.add_user(session, "owner@example.com", Role.OWNER, by=COMMAND_LINE, hash_password=str)
            for number in range(size.channels):
                name = channel_name(number)
                made = channels.connect(session, name, "file", by=COMMAND_LINE, settings=settings)
                made.mode = SendMode.MANUAL
    return {}


def read_csv(folder: Path, _size: Size) -> Answer:
    """Baseline: csv.reader over the file of listings, every row forgotten at once."""
    with (folder / "files" / "listings.csv").open(encoding="utf-8", newline="") as file:
        begun, cpu = time.perf_counter(), _cpu()
        for _row in csv.reader(file):
            pass
    return {"seconds": time.perf_counter() - begun, "cpu": _cpu() - cpu}


def load_listings(folder: Path, size: Size) -> Answer:
    """Baseline: csv.reader into executemany, one transaction, a table with our columns and unique index."""
    path = folder / "baseline.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    columns = _columns()
    unique = "UNIQUE (channel_id, external_id)"
    connection.execute(f"CREATE TABLE listings (id INTEGER PRIMARY KEY, {', '.join(columns)}, {unique})")
    names = {"channel": "channel_id", "listing_id": "external_id"}
    given = [names.get(c, c) for c in LISTING_COLUMNS]
    fixed = {"currency": "", "description": "", "category": "", "mpn": "", "status": "", "url": "", "image_url": "",
             "state": "pending",
             "place": 102, "fence": 0, "import_id": 1, "seen_at": "2026-01-01 00:00:00.000000"}  # fmt: skip
    listed = [*given, *fixed, "match_key", "loose_key"]
    marks = ", ".join("?" * len(listed))
    statement = f"INSERT INTO listings ({', '.join(listed)}) VALUES ({marks})"  # noqa: S608 - names of ours
    tail = tuple(fixed.values())
    with (folder / "files" / "listings.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, ((*row, *tail, row[2], row[2]) for row in rows))
        connection.execute("COMMIT")
    connection.close()
    for left in folder.glob("baseline.db*"):
        left.unlink()
    return {}


def _columns() -> list[str]:
    """The listings' columns with their types, without the id."""
    from webapp.models import Listing

    table = Listing.__table__
    return [f"{c.name} {c.type.compile()}" for c in table.columns if c.name not in {"id", "options"}] + ["options JSON"]


def import_products(folder: Path, size: Size) -> Answer:
    """Bring the catalogue in."""
    return import_file(folder, ImportKind.PRODUCTS, "products.csv", created=size.products)


def import_listings(folder: Path, size: Size) -> Answer:
    """Bring the listings in."""
    return import_file(folder, ImportKind.LISTINGS, "listings.csv", created=size.listings)


def import_again(folder: Path, size: Size) -> Answer:
    """Bring the same listings in once more: nothing changes."""
    return import_file(folder, ImportKind.LISTINGS, "listings.csv", created=0)


def import_file(folder: Path, kind: ImportKind, name: str, *, created: int) -> Answer:
    """What `pairbook import` does: store, check, confirm, apply; the file's rows must all be accounted for."""
    with instance(folder) as settings, _locks() as locks:
        _ = current_app.extensions["pairbook_doorbell"].queue  # half a second to load, once in a worker's life
        begun, cpu = time.perf_counter(), _cpu()
        stored = secrets.token_hex(16)
        settings.uploads.mkdir(exist_ok=True)
        shutil.copyfile(folder / "files" / name, settings.uploads / stored)
        with unit_of_work() as session:
            job = imports.receive(session, kind, name, stored, by=COMMAND_LINE)
        job = tasks.check_import(settings, job.id)
        _expect(job.state == ImportState.CHECKED, f"{name} was refused: {job.report.get('errors', [])[:1]}")
        checked, cpu_checked = time.perf_counter() - begun, _cpu() - cpu
        with unit_of_work() as session:
            imports.confirm(session, job.id, by=COMMAND_LINE, reconcile=False)
        tasks.run_imports(settings, only=job.id)
        with unit_of_work(read_only=True) as session:
            job = imports.get(session, job.id)
        _expect((job.state, job.created) == (ImportState.DONE, created), f"{job.state}: {job.created} of {created}")
        seconds, cpu = time.perf_counter() - begun, _cpu() - cpu
    shares = [1e6 * spent / job.rows_ok for spent in (cpu_checked, cpu)]
    note = "report after {:.1f} s, {:.1f} of {:.1f} cpu µs a row".format(checked, *shares)
    parts = {"report": {"seconds": checked, "cpu": cpu_checked}}
    return {"seconds": seconds, "cpu": cpu, "longest_ms": max(locks) * 1000, "note": note, "parts": parts}


def join(folder: Path, _size: Size) -> Answer:
    """Baseline: the pair ids over the tables of the instance, fetched; our two indexes answer alone."""
    return _joined(
        folder,
        "SELECT l.id, p.id FROM channels c JOIN listings l ON l.channel_id = c.id "
        "JOIN products p ON p.match_key = l.match_key",
    )


def join_by_sku(folder: Path, _size: Size) -> Answer:
    """Baseline: the same by the SKUs as they are written, which is what anybody would type."""
    return _joined(folder, "SELECT l.id, p.id FROM listings l JOIN products p ON p.sku = l.sku")


def _joined(folder: Path, statement: str) -> Answer:
    connection = sqlite3.connect(folder / "app.db")
    for pragma in ("cache_size=-65536", "mmap_size=134217728"):
        connection.execute(f"PRAGMA {pragma}")
    begun, cpu = time.perf_counter(), _cpu()
    pairs = connection.execute(statement).fetchall()
    answer = {"seconds": time.perf_counter() - begun, "cpu": _cpu() - cpu, "pairs": len(pairs)}
    connection.close()
    return answer


def reconcile(folder: Path, size: Size) -> Answer:
    """Link equal SKUs on all channels."""
    return _reconcile(folder, size.linkable)


def reconcile_again(folder: Path, _size: Size) -> Answer:
    """Link equal SKUs when they are linked already: nothing changes."""
    return _reconcile(folder, 0)


def _reconcile(folder: Path, linked: int) -> Answer:
    with instance(folder), _locks() as locks:
        _ = current_app.extensions["pairbook_doorbell"].queue  # as in an import
        begun, cpu = time.perf_counter(), _cpu()
        done = tasks.reconcile(None, by=COMMAND_LINE)
        seconds, cpu = time.perf_counter() - begun, _cpu() - cpu
        _expect(done.linked == linked, f"linked {done.linked}, not {linked}")
    return {"seconds": seconds, "cpu": cpu, "longest_ms": max(locks) * 1000, "note": json_note(done.as_json())}


def check(folder: Path, _size: Size) -> Answer:
    """Look at every pair that reconciling has made for facts that contradict."""
    with instance(folder), _locks() as locks:
        begun, cpu = time.perf_counter(), _cpu()
        done = tasks.check_links()
        seconds, cpu = time.perf_counter() - begun, _cpu() - cpu
        with unit_of_work(read_only=True) as session:
            found = suspicions.count(session)
    each = f"{1_000_000 * cpu / max(done, 1):,.0f} ms of processor time for 1,000 of {done:,} pairs"
    return {"seconds": seconds, "cpu": cpu, "longest_ms": max(locks) * 1000, "note": f"{each}, {found:,} suspicious"}


def json_note(numbers: dict[str, int | None]) -> str:
    """Numbers in a few words."""
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items() if number and name != "batch")


@contextmanager
def _locks() -> Iterator[list[float]]:
    """The seconds for which each writing transaction held the lock, its commit included."""
    held, begun = [0.0], [0.0]
    commit = db.engine.dialect.do_commit

    def begin(connection: Any) -> None:
        begun[0] = 0.0 if connection.get_execution_options().get("read_only") else time.perf_counter()

    def committed(connection: Any) -> None:
        commit(connection)
        if begun[0]:
            held.append(time.perf_counter() - begun[0])

    event.listen(db.engine, "begin", begin)
    db.engine.dialect.do_commit = committed  # type: ignore[method-assign]  # the event of that name comes before it
    yield held
    event.remove(db.engine, "begin", begin)
    db.engine.dialect.do_commit = commit  # type: ignore[method-assign]


def _cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _expect(condition: bool, words: str) -> None:
    if not condition:
        raise SystemExit(words)


STEPS: dict[str, Callable[[Path, Size], Answer]] = {
    step.__name__: step
    for step in (
        prepare,
        read_csv,
        load_listings,
        import_products,
        import_listings,
        import_again,
        join,
        join_by_sku,
        reconcile,
        reconcile_again,
        check,
    )
}
