"""Files into tables: receive, check, confirm, apply row by row, undo.

Nothing is written before a person (or a script) has seen what a file will do. The rows are applied in
chunks; the place reached is written with each chunk, so that a killed worker goes on where it stopped.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, exists, or_, select
from sqlalchemy.orm import Session, aliased

import importers
from webapp.db import among, ring
from webapp.errors import Conflict, NotFound, phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.imports import ImportChange, ImportJob, ImportKind, ImportState
from webapp.models.links import BatchVerb, LinkBatch, LinkSource
from webapp.models.listings import ListingState
from webapp.services import (
    audit,
    catalog,
    counts,
    full_list,
    import_checks,
    known_rows,
    links,
    listing_columns,
    listing_ids,
    listings,
    lost_zeros,
    reconciliation,
    retrieval,
    steps,
    suggestions,
)
from webapp.services.forecasts import Checked, Forecast
from webapp.services.forecasts import forecast as forecast
from webapp.services.listing_columns import Columns
from webapp.services.listing_forecasts import Outlooks
from webapp.services.listing_ids import Meeting
from webapp.services.upserts import Upserted, insert_columns, plain

BELL = "imports"
LEASE = timedelta(seconds=60)
CHECK_LEASE = timedelta(minutes=4)  # reading a file may take three: beyond that its reader has died
MOST_TRIES = 3
Rows = importers.Block | Columns
#: The most rows that one transaction writes; the time that it takes sets a closer bound (see jobs.pace).
CHUNKS = {ImportKind.LISTINGS: 6_000, ImportKind.PRODUCTS: 1_000, ImportKind.STOCK: 2_000, ImportKind.LINKS: 500}


def receive(
    session: Session,
    kind: ImportKind,
    file_name: str,
    stored_as: str,
    *,
    by: Actor,
    channel: Channel | None = None,
    options: importers.Options | None = None,
) -> ImportJob:
    """Note a file that lies in the uploads under `stored_as`; the caller checks it, or takes the lease off it."""
    job = ImportJob(
        kind=kind,
        file_name=file_name,
        stored_as=stored_as,
        channel_id=channel.id if channel else None,
        options=asdict(options or importers.Options()),
        by_id=by.id,
        by_name=by.name,
        lease_until=utc_now() + CHECK_LEASE,
    )
    session.add(job)
    session.flush()
    return job


def check(
    session: Session,
    job: ImportJob,
    uploads: Path,
    *,
    all_or_nothing: bool = False,
    index: retrieval.CatalogueIndex | None = None,
) -> Checked:
    """Read the file in a child process, look its SKUs and channels up, and say what it will do.

    index: what suggestions are found with, if the rows that resemble nothing shall be told from those that wait.
    Opens no write lock while the file is read: call it in a read-only unit of work and `keep_report` after.
    """
    staged = uploads / f"{job.stored_as}.rows"
    options = importers.Options(**job.options)
    outlooks = Outlooks(session, job) if job.kind == ImportKind.LISTINGS else None
    report = importers.check(
        uploads / job.stored_as, kind=job.kind.value, staged=staged, options=options, file_name=job.file_name,
        meanwhile=partial(outlooks.begin, staged) if outlooks else None,
    )  # fmt: skip
    foreseen, lost = Forecast(), lost_zeros.Lost()
    if report.outcome != "reject":
        lost = lost_zeros.find(session, job.kind, staged, but=outlooks.whole_codes if outlooks else ())
        if options.add_zeros:
            lost_zeros.put_back(staged, lost, ids="listing_id" not in report.columns.values())
            if outlooks:
                outlooks.forget()
        report = import_checks.resolve(session, job, report, staged, placed=outlooks.placed if outlooks else ())
    if all_or_nothing and report.rows_bad:
        report = replace(report, outcome="reject")
    if report.outcome != "reject":
        foreseen = forecast(session, job, report.columns, uploads, index=index, outlooks=outlooks)
    return Checked(report, foreseen, import_checks.grouped(report, staged), lost.as_json())


def keep_report(session: Session, job: ImportJob, checked: Checked) -> None:
    """Write what a check found; a refused file is at its end here."""
    job.report, report = checked.as_json(), checked.report
    job.rows_ok, job.lease_until = report.rows_ok, None
    job.state = ImportState.REFUSED if report.outcome == "reject" else ImportState.CHECKED
    session.flush()


def claim_check(session: Session, *, now: datetime) -> int | None:
    """Take the oldest file that is unchecked and that nobody reads, and give its number; None when there is none."""
    free = or_(ImportJob.lease_until.is_(None), ImportJob.lease_until < now)
    query = select(ImportJob).where(ImportJob.state == ImportState.CHECKING, free).order_by(ImportJob.id).limit(1)
    job = session.scalar(query.with_for_update(skip_locked=True))
    if job is None:
        return None
    job.lease_until = now + CHECK_LEASE
    session.flush()
    return job.id


def confirm(session: Session, job_id: int, *, by: Actor, reconcile: bool = True, ends: int | None = None) -> ImportJob:
    """Let a checked import begin; raises Conflict when it has begun already.

    ends: the file is the full list, and this many known rows that it lacks shall end (see full_list.agree).
    """
    job = get(session, job_id, lock=True)
    if job.state != ImportState.CHECKED:
        raise Conflict(
            phrase("This import has begun already.")
            if job.state != ImportState.REFUSED
            else phrase("This file was refused. Choose another one.")
        )
    if ends is not None:
        full_list.agree(job, ends)
    job.state, job.reconcile = ImportState.QUEUED, reconcile
    file = job.file_name[:120]
    words = phrases("Imports {n} row of {file}.", "Imports {n} rows of {file}.", job.rows_ok, file=file)
    audit.record(session, by, "import.confirmed", f"import {job.id}", words)
    ring(session, BELL)
    return job


def claim_next(session: Session, *, worker: str, now: datetime, job_id: int | None = None) -> ImportJob | None:
    """Take the oldest import that waits, or whose worker died; after three deaths it is given up and says so."""
    steps.alone(session)  # an undo that begins at this moment sees this import, or is seen by it
    other = aliased(ImportJob)
    undoing = exists().where(other.state == ImportState.UNDOING)  # it would meet rows that are about to go
    free = or_(
        (ImportJob.state == ImportState.QUEUED) & ~undoing,
        (ImportJob.state == ImportState.RUNNING) & (ImportJob.lease_until < now),
    )
    query = select(ImportJob).where(free).order_by(ImportJob.id).limit(1).with_for_update(skip_locked=True)
    job = session.scalar(query if job_id is None else query.where(ImportJob.id == job_id))
    if job is None:
        return None
    if job.tries >= MOST_TRIES:
        words = phrase(
            "Three workers stopped after row {row}. The rows before it are in. Undo the import and look at "
            "the file near that row, or tell your administrator.",
            row=job.next_row,
        )
        fail(session, job, words)
        return None
    job.state, job.worker, job.lease_until = ImportState.RUNNING, worker, now + LEASE
    job.tries += 1
    session.flush()
    return job


def may_meet(session: Session, job: ImportJob, uploads: Path) -> Meeting | None:
    """How the rows of an import may mean listings that are known by another id; read before its chunks are applied."""
    return listing_ids.meeting(session, job, job.report["columns"], uploads / f"{job.stored_as}.rows")


def apply_chunk(
    session: Session,
    job: ImportJob,
    rows: Rows,
    *,
    by: Actor,
    now: datetime,
    meeting: Meeting | None = None,
    same: Sequence[bool] = (),
    passed: known_rows.Passed | None = None,
) -> None:
    """Apply some `prepared` rows and note the place reached, in one transaction; `meeting` is what `may_meet` gave.

    same: of each row whether `already_so` has found that it changes nothing; without, all of them are looked at here.
    passed: rows beside these that are known to change nothing.
    """
    locked = _held(session, job, now)
    rest = rows.where([not one for one in same]) if any(same) else rows
    result = _apply(session, locked, rest, by, meeting) if rest.numbers else Upserted()
    locked.created += len(result.created)
    locked.updated += len(result.changed)
    locked.unchanged += result.unchanged + sum(same) + (passed.rows if passed else 0)
    locked.next_row = passed.upto if passed else rows.numbers[-1]
    changes = {i: both for i, both in result.changed.items() if any(both)}
    if changes:
        columns: dict[str, Sequence[Any]] = {
            "row_id": list(changes),
            "before": [plain(before) for before, _ in changes.values()],
            "after": [plain(after) for _, after in changes.values()],
        }
        insert_columns(session, cast(Table, ImportChange.__table__), columns, {"import_id": job.id})


def already_so(session: Session, job: ImportJob, rows: Rows) -> list[bool]:
    """Of each `prepared` row whether it says what is known already: those need no lock, and are only counted.

    Asked of listings, once an import has met one that it knows; all others may change something.
    """
    met = isinstance(rows, Columns) and _may_know(job)
    if not met or counts.has(session, ListingState.ENDED):  # one of those is there again
        return [False] * len(rows)
    return listings.unchanged(session, cast(Columns, rows))


def _may_know(job: ImportJob) -> bool:
    """Whether an import of listings may meet known ones: it has, or has met none at all."""
    return bool(job.updated or job.unchanged or not job.created)


def prepared(session: Session, job: ImportJob, block: importers.Block) -> Rows:
    """The rows with what takes time to find and needs no lock: words of new products, listings as they are stored.

    The channels of listings are looked up here and stay valid under the lock: no channel is ever deleted.
    """
    if job.kind == ImportKind.LISTINGS:
        return listing_columns.columns_of(block, import_checks.channels_of(session, job))
    return catalog.prepare(session, block) if job.kind == ImportKind.PRODUCTS else block


def end_some(session: Session, job: ImportJob, ids: Sequence[int], *, by: Actor, now: datetime) -> None:
    """End some of the rows that the full list lacks, in one transaction; done again, it changes nothing."""
    full_list.end(session, _held(session, job, now), ids, by=by)


def open_links(session: Session, job: ImportJob, *, by: Actor, now: datetime) -> bool:
    """Begin to link the equal SKUs that an import brought, or go on where a dead worker stopped; gives whether to."""
    job = _held(session, job, now)
    if not (job.reconcile and job.kind in {ImportKind.LISTINGS, ImportKind.PRODUCTS}):
        return False
    if job.batch_id is None:
        job.batch_id = reconciliation.open_batch(session, _channel(session, job), by=by).id
    return True


def link_some(session: Session, job: ImportJob, span: tuple[int, int], ambiguous: array[int], *, now: datetime) -> None:
    """Link what an import brought among the listings with an id in (low, high]; done again, it changes nothing."""
    job = _held(session, job, now)
    batch = session.get_one(LinkBatch, job.batch_id)
    if job.created and batch.undone_by is None:
        channel = _channel(session, job)
        batch.changed += reconciliation.link_equal_skus(session, batch.id, channel, span, ambiguous, import_id=job.id)


def note_some(session: Session, job: ImportJob, span: tuple[int, int], *, now: datetime) -> None:
    """Note the near misses among the listings with an id in (low, high]."""
    reconciliation.note_near_misses(session, _channel(session, _held(session, job, now)), span)


def forget_some(session: Session, job: ImportJob, span: tuple[int, int], *, now: datetime) -> None:
    """Ask for suggestions again for the listings with an id in (low, high], if a file of products changed any."""
    job = _held(session, job, now)
    if job.created or job.updated:
        suggestions.forget(session, span)


def finish(session: Session, job: ImportJob, *, by: Actor, now: datetime) -> ImportJob:
    """End an import when its rows are in and what they brought is linked; ask for suggestions."""
    job = _held(session, job, now)
    if job.reconcile and job.batch_id is not None and job.kind != ImportKind.LINKS:
        channel, linked = _channel(session, job), session.get_one(LinkBatch, job.batch_id).changed
        job.batch_id = reconciliation.close_batch(session, job.batch_id, linked, by=by)
        states = [counts.of_channel(session, channel.id)] if channel else counts.by_channel(session).values()
        pending = sum(numbers.get(ListingState.PENDING, 0) for numbers in states)
        waiting = {"pending": pending, "waiting": import_checks.count_waiting(session, job)}
        job.report = {**job.report, "linked": linked, **waiting}
    job.state, job.ended_at, job.lease_until = ImportState.DONE, now, None
    words = phrase(
        "Imported {file}: {new} new, {changed} changed, {same} as before.",
        file=job.file_name[:120], new=job.created, changed=job.updated, same=job.unchanged,
    )  # fmt: skip
    audit.record(session, by, "import.done", f"import {job.id}", words)
    ring(session, "suggest")
    return job


def _held(session: Session, job: ImportJob, now: datetime) -> ImportJob:
    """The import, locked, its lease made longer; raises Conflict when another worker has it by now."""
    locked = get(session, job.id, lock=True)
    if locked.worker != job.worker or locked.state != ImportState.RUNNING:
        raise Conflict(phrase("Another worker has taken this import over."))
    locked.lease_until, locked.tries = now + LEASE, 0
    return locked


def _channel(session: Session, job: ImportJob) -> Channel | None:
    return session.get(Channel, job.channel_id) if job.channel_id else None


def fail(session: Session, job: ImportJob, message: str) -> None:
    """End an import that cannot go on, with the reason in words."""
    job.state, job.message, job.ended_at = ImportState.FAILED, message, utc_now()
    session.flush()


def get(session: Session, job_id: int, *, lock: bool = False) -> ImportJob:
    """The import of that number; raises NotFound."""
    job = session.get(ImportJob, job_id, with_for_update=lock or None, populate_existing=lock)
    if job is None:
        raise NotFound(phrase("There is no import {number}.", number=job_id))
    return job


def staged_blocks(
    uploads: Path, job: ImportJob, marks: importers.Marks | None = None
) -> Iterator[tuple[importers.Block, list[int]]]:
    """The good rows that are still to be applied, in file order, as many at a time as are prepared at once.

    Each time with the numbers of those among them that are passed over, by the marks of `known_rows.passable`.
    """
    staged = uploads / f"{job.stored_as}.rows"
    yield from importers.read_unmarked(staged, marks, start=job.next_row, size=CHUNKS[job.kind])


# ---- the steps -------------------------------------------------------------------------------------------


def _apply(session: Session, job: ImportJob, some: Rows, by: Actor, meeting: Meeting | None) -> Upserted:
    if isinstance(some, Columns):
        look_first = meeting is not None or _may_know(job)
        return listings.upsert_columns(session, some, import_id=job.id, look_first=look_first, meeting=meeting)
    rows = [row for _, row in some.rows()]
    if job.kind == ImportKind.PRODUCTS:
        return catalog.upsert_products(session, rows, by=by, import_id=job.id)
    if job.kind == ImportKind.STOCK:
        return catalog.set_known(session, rows, by=by)
    keys = [row["match_key"] for row in rows]
    ids: dict[Any, int] = dict(
        session.execute(select(Product.match_key, Product.id).where(among(session, Product.match_key, keys))).all()
    )
    return _apply_links(session, job, rows, ids, by)


def _apply_links(
    session: Session, job: ImportJob, rows: list[dict[str, Any]], ids: Mapping[Any, int], by: Actor
) -> Upserted:
    channels = import_checks.channels_of(session, job)
    pairs = []
    for row in rows:
        channel = channels[row.get("channel") or next(iter(channels))]
        pairs.append(links.Pair(listings.find(session, channel, row["listing_id"]).id, ids[row["match_key"]]))
    change = links.confirm(session, pairs, by=by, source=LinkSource.FILE, verb=BatchVerb.IMPORT)
    job.batch_id = change.batch.id if change.batch else job.batch_id
    refused = [{"listing_id": r.external_id, "message": r.message} for r in change.refused]
    job.report = {
        **job.report,
        "refused": job.report.get("refused", []) + refused,
        "linked": job.report.get("linked", 0) + change.changed,
    }
    return Upserted(created=list[Hashable](p.listing_id for p in pairs[: change.changed]), unchanged=change.unchanged)
