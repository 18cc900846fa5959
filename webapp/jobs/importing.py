"""The steps of one import, each in a transaction of its own, from where a worker before may have stopped."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator

import importers
from webapp.config import Settings
from webapp.db import unit_of_work
from webapp.jobs.pace import Pace, collecting_rarely
from webapp.models import ImportJob, ImportKind
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.services import channels, full_list, imports, known_rows, reconciliation
from webapp.services.listing_ids import Meeting

Progress = Callable[[int, int], None]


def apply(settings: Settings, job: ImportJob, progress: Progress | None) -> None:
    """Apply the staged rows from where the job stands, then end it."""
    by = Actor(job.by_id, job.by_name or "Pairbook")
    done = 0
    with unit_of_work(read_only=True) as session:
        meeting = imports.may_meet(session, job, settings.uploads)
        marks = known_rows.passable(session, job, settings.uploads / f"{job.stored_as}.rows")
    pace = Pace(imports.CHUNKS[job.kind])
    for block, passed in imports.staged_blocks(settings.uploads, job, marks):
        for rows in _apply_block(job, block, passed, pace, by, meeting):
            done += rows
            if progress:
                progress(done, job.rows_ok)
    with unit_of_work(read_only=True) as session:
        portions = full_list.ids_to_end(session, imports.get(session, job.id), settings.uploads)
    for ids in portions:
        with unit_of_work(patient=True) as session:
            imports.end_some(session, job, ids, by=by, now=utc_now())
    _link_import(job, by)
    with unit_of_work() as session:
        imports.finish(session, job, by=by, now=utc_now())


def _apply_block(
    job: ImportJob, block: importers.Block, passed: list[int], pace: Pace, by: Actor, meeting: Meeting | None
) -> Iterator[int]:
    """Apply some rows, each portion in a transaction; gives the number of rows after each.

    passed: the numbers of rows between them and behind them that are counted and not looked at.
    """
    bulk = job.kind == ImportKind.LISTINGS  # whose channels have been looked up
    counted = 0
    if len(block):
        with collecting_rarely(), unit_of_work(read_only=True) as session:
            ready = imports.prepared(session, job, block)
            same = imports.already_so(session, imports.get(session, job.id), ready)
        for some, flags in pace.portions(ready, same):
            upto = some.numbers[-1]
            between = bisect_right(passed, upto) - counted
            counted += between
            with pace.step(len(flags) - sum(flags), bulk=bulk) as session:
                over = known_rows.Passed(between, upto)
                imports.apply_chunk(session, job, some, by=by, now=utc_now(), meeting=meeting, same=flags, passed=over)
            yield len(some) + between
    if counted < len(passed):
        with unit_of_work(patient=True) as session:
            over = known_rows.Passed(len(passed) - counted, passed[-1])
            imports.apply_chunk(session, job, importers.Block([], {}), by=by, now=utc_now(), passed=over)
        yield over.rows


def _link_import(job: ImportJob, by: Actor) -> None:
    """Link the equal SKUs that an import brought, in the steps of `reconcile`; who takes over takes them again."""
    with unit_of_work() as session:
        wanted = imports.open_links(session, job, by=by, now=utc_now())
    with unit_of_work(read_only=True) as session:
        low, high = reconciliation.extent(session)
        channel = channels.by_id(session, job.channel_id) if job.channel_id else None
        ambiguous = reconciliation.sharing_a_key(session, channel) if wanted else array("q")
    if job.kind == ImportKind.PRODUCTS:
        pace = Pace(reconciliation.STEP)
        for span in pace.spans(low, high):
            with pace.step(span[1] - span[0]) as session:
                imports.forget_some(session, job, span, now=utc_now())
    if not wanted:
        return
    pace = Pace(reconciliation.STEP)
    for span in pace.spans(low, high):
        with pace.step(span[1] - span[0], bulk=True) as session:
            imports.link_some(session, job, span, ambiguous, now=utc_now())
    pace = Pace(reconciliation.STEP)
    for span in pace.spans(low, high):
        with pace.step(span[1] - span[0]) as session:
            imports.note_some(session, job, span, now=utc_now())
