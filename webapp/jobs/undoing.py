"""The steps that take a large import back, each in a transaction of its own, from wherever a worker before stopped."""

from __future__ import annotations

import time

from webapp.config import Settings
from webapp.db import unit_of_work
from webapp.errors import Conflict, phrase
from webapp.jobs.pace import Pace
from webapp.jobs.steps import AGAIN
from webapp.models import ImportJob
from webapp.models.base import utc_now
from webapp.services import import_heirs, import_undo, long_acts, steps
from webapp.services import undo as undo_links


def take_back(settings: Settings, job: ImportJob) -> None:
    """Take an import back to its end, or say with it why that cannot be."""
    try:
        _leave(settings, job)
    except Conflict as error:
        return _give_up(job, error.message)
    if not _unlink(job):
        return _give_up(job, phrase("Somebody stopped taking its links back. What was done stays so."))
    pace = Pace(import_undo.STEP)
    more = 1
    while more:
        with pace.step(pace.size) as session:
            more = import_undo.restore_some(session, import_undo.hold(session, job, now=utc_now()), pace.size)
    with unit_of_work() as session:
        import_undo.bring_back(session, import_undo.hold(session, job, now=utc_now()))
    with unit_of_work(read_only=True) as session:
        low, high = import_undo.extent(session, job)
    pace = Pace(import_undo.STEP)
    for span in pace.spans(low, high):
        with pace.step(span[1] - span[0]) as session:
            import_undo.remove_some(session, import_undo.hold(session, job, now=utc_now()), span)
    with unit_of_work(read_only=True) as session:
        in_use = import_undo.kept(session, job)
    with unit_of_work() as session:
        import_undo.close(session, import_undo.hold(session, job, now=utc_now()), in_use)


def _leave(settings: Settings, job: ImportJob) -> None:
    """Hand over what newer files have seen, some of their rows at a time."""
    with unit_of_work(read_only=True) as session:
        heirs = import_heirs.newer(session, job)
        changed = import_heirs.changed_rows(session, job) if heirs else {}
    for heir in heirs:
        for block in import_heirs.blocks(heir, settings.uploads):
            with unit_of_work(patient=True) as session:
                held = import_undo.hold(session, job, now=utc_now())
                import_undo.leave_some(session, held, heir.id, block, changed)


def _unlink(job: ImportJob) -> bool:
    """Take the links back that the import made; gives whether all of them were looked at."""
    with unit_of_work() as session:
        act_id = import_undo.open_links(session, import_undo.hold(session, job, now=utc_now()))
    pace, going = Pace(undo_links.STEP, least=100), act_id is not None
    while going and act_id is not None:
        with pace.step(pace.size) as session:
            import_undo.hold(session, job, now=utc_now())
            looked = long_acts.take(session, act_id, pace.size)
            going = looked is not None or steps.goes_on(session, act_id)
        if looked is None and going:  # another worker has the step
            time.sleep(AGAIN)
    pace, more = Pace(import_undo.STEP), 1
    with unit_of_work(read_only=True) as session:
        stopped = act_id is not None and steps.get(session, act_id).stopped_by
    while more and not stopped:
        with pace.step(pace.size) as session:
            more = import_undo.forget_links(session, import_undo.hold(session, job, now=utc_now()), pace.size)
    return not stopped


def _give_up(job: ImportJob, message: str) -> None:
    with unit_of_work() as session:
        import_undo.give_up(session, import_undo.hold(session, job, now=utc_now()), message)
