"""Taking an import back whole: new rows go, changed values return, links that it made are undone.

A large one is taken back in steps by a worker (webapp/jobs/undoing.py), each in a transaction of its own. What a step
has done it does not find again, so whoever takes over from a dead worker goes on where that one stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

import importers
from webapp.db import among, ring
from webapp.errors import Conflict, Refused, phrase
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.imports import ImportChange, ImportJob, ImportKind, ImportState
from webapp.models.links import Link, LinkBatch, PastLink
from webapp.models.listings import Listing, ListingState
from webapp.services import (
    audit,
    catalog,
    full_list,
    import_heirs,
    imports,
    links,
    listings,
    rechecks,
    refusals,
    retirement,
    steps,
)
from webapp.services import undo as undo_links

STEP = 2_000  # rows of one transaction at most
NOTES = "undo"  # where the report of an import keeps how far its undo is


def undoable(job: ImportJob, *, now: datetime) -> bool:
    """Whether an import is at its end, and young enough to be taken back."""
    ended = job.state in {ImportState.DONE, ImportState.FAILED}
    return ended and (job.ended_at or job.created_at) > now - timedelta(days=links.UNDO_DAYS)


def undo(session: Session, job_id: int, *, uploads: Path, by: Actor, now: datetime | None = None) -> dict[str, int]:
    """Take an import back: new rows that nothing hangs on go, changed values return, its links are undone.

    What the file of a newer import has seen again stays, and goes when that one is taken back (see import_heirs).
    Raises Conflict before its end and after a first undo, Refused when it is too old.

    Gives how many were `removed`, `restored`, `unlinked` and `kept` (rows that somebody uses by now), and how many
    new rows, changed rows and links stay for newer imports: `newer_rows`, `newer_values`, `newer_links`.
    """
    job = _open(session, job_id, by, now)
    _note(job, left=asdict(import_heirs.leave(session, job, uploads)))
    if job.batch_id is not None and _stands(session, job):
        _note(job, unlinked=links.undo(session, job.batch_id, by=by).changed)
    while forget_links(session, job, STEP):
        pass
    while restore_some(session, job, STEP):
        pass
    bring_back(session, job)
    remove_some(session, job, ())
    return close(session, job, kept(session, job))


def is_large(session: Session, job: ImportJob) -> bool:
    """Whether taking it back is left to a worker: it, or a newer file that has to be asked, has very many rows."""
    links_made = session.scalar(select(LinkBatch.changed).where(LinkBatch.id == job.batch_id)) or 0
    rows = [heir.next_row for heir in import_heirs.newer(session, job)]
    return max(job.created + job.updated, links_made, *rows, 0) >= steps.FROM


def begin(session: Session, job_id: int, *, uploads: Path, by: Actor, now: datetime | None = None) -> ImportJob:
    """Leave it to the workers to take an import back; raises what `undo` raises."""
    steps.alone(session)  # an import that begins at this moment sees this undo, or is seen by it
    job = _open(session, job_id, by, now)
    for heir in import_heirs.newer(session, job):
        next(import_heirs.blocks(heir, uploads), None)  # its file must be there to be asked
    job.state, job.worker, job.lease_until, job.tries = ImportState.UNDOING, "", None, 0
    session.flush()
    ring(session, imports.BELL)
    return job


def claim(session: Session, *, worker: str, now: datetime, job_id: int | None = None) -> ImportJob | None:
    """Take an import that is to be taken back, once no other import goes on; after three deaths it is given up."""
    steps.alone(session)
    free = or_(ImportJob.lease_until.is_(None), ImportJob.lease_until < now)
    other = aliased(ImportJob)
    alone = ~exists().where(other.state == ImportState.RUNNING)
    query = select(ImportJob).where(ImportJob.state == ImportState.UNDOING, free, alone).order_by(ImportJob.id).limit(1)
    query = query if job_id is None else query.where(ImportJob.id == job_id)
    job = session.scalar(query.with_for_update(skip_locked=True))
    if job is None:
        return None
    if job.tries >= imports.MOST_TRIES:
        give_up(session, job, phrase("Three workers stopped while they took this import back. What they did stays so."))
        return None
    job.worker, job.lease_until = worker, now + imports.LEASE
    job.tries += 1
    session.flush()
    return job


def give_up(session: Session, job: ImportJob, message: str) -> None:
    """Let an import stand that cannot be taken back whole, and say why; what is done stays, and the rest can follow."""
    _note(job, unlinked=_unlinked(session, job), act=None)
    job.state, job.lease_until, job.message = ImportState.FAILED, None, message
    session.flush()


def progress(session: Session, job: ImportJob) -> tuple[int, int]:
    """How far taking it back is: links, changed rows and new rows that were looked at, of all of them."""
    noted = _noted(job)
    links_made = session.scalar(select(LinkBatch.changed).where(LinkBatch.id == job.batch_id)) or 0
    act = session.get(LinkBatch, noted["act"]) if noted.get("act") else None
    going = steps.progress(session, act) if act is not None else None
    unlinked = going.done if going is not None else links_made if act is not None else 0
    total = links_made + job.updated + job.created
    return min(unlinked + noted.get("seen", 0) + noted.get("removed", 0), total), total


# ---- the steps -------------------------------------------------------------------------------------------


def hold(session: Session, job: ImportJob, *, now: datetime) -> ImportJob:
    """The import, locked, its lease made longer; raises Conflict when another worker takes it back by now."""
    locked = imports.get(session, job.id, lock=True)
    if locked.worker != job.worker or locked.state != ImportState.UNDOING:
        raise Conflict(phrase("Another worker has taken this import over."))
    locked.lease_until, locked.tries = now + imports.LEASE, 0
    return locked


def leave_some(
    session: Session, job: ImportJob, heir_id: int, block: importers.Block, changed: Mapping[int, Sequence[int]]
) -> None:
    """Hand over what some rows of a newer file have seen (see import_heirs.leave_some)."""
    left = import_heirs.Left(**_noted(job).get("left", {}))
    import_heirs.leave_some(session, job, imports.get(session, heir_id, lock=True), block, changed, left)
    _note(job, left=asdict(left))


def open_links(session: Session, job: ImportJob) -> int | None:
    """Begin to take back the links that the import made, and give that act; None where there are none to take back."""
    act: int | None = _noted(job).get("act")
    if act is None and job.batch_id is not None and _stands(session, job):
        act = undo_links.begin(session, job.batch_id, by=_by(job)).id
        _note(job, act=act)
    return act


def forget_links(session: Session, job: ImportJob, limit: int) -> int:
    """Forget up to `limit` ended links that the import made, or its listings could never go; gives how many."""
    some = select(PastLink.id, PastLink.product_id).where(PastLink.batch_id == job.batch_id)
    rows = session.execute(some.order_by(PastLink.id).limit(limit)).all() if job.batch_id else []
    if rows:  # the products lose what channels called them
        touched = update(Product).where(among(session, Product.id, {r.product_id for r in rows}))
        session.execute(touched.values(changed_at=utc_now()).execution_options(synchronize_session=False))
        session.execute(delete(PastLink).where(among(session, PastLink.id, [r.id for r in rows])))
    return len(rows)


def restore_some(session: Session, job: ImportJob, limit: int) -> int:
    """Give the next changed rows their values of before, where they still have the import's; gives how many it saw."""
    noted = _noted(job)
    mine = select(ImportChange).where(ImportChange.import_id == job.id)
    if "below" in noted:
        mine = mine.where(ImportChange.id < noted["below"])
    changes = session.scalars(mine.order_by(ImportChange.id.desc()).limit(limit)).all()  # the last change goes first
    if changes:
        restored = _restore(session, job, changes)
        seen = noted.get("seen", 0) + len(changes)
        _note(job, below=changes[-1].id, seen=seen, restored=noted.get("restored", 0) + restored)
    return len(changes)


def bring_back(session: Session, job: ImportJob) -> None:
    """What a full list ended is there again, with its links where both sides are still free."""
    if not job.report.get("ended"):
        return
    mine = session.scalars(select(ImportChange).where(ImportChange.import_id == job.id)).all()
    back = full_list.bring_back(session, job, [c for c in mine if c.after.keys() & full_list.ENDED])
    for batch_id in job.report.get("ended_batches", []):
        with suppress(Conflict):  # somebody has taken this part back already
            links.undo(session, batch_id, by=_by(job))
    _note(job, restored=_noted(job).get("restored", 0) + back)


def extent(session: Session, job: ImportJob) -> tuple[int, int]:
    """The ids (low, high] among which all rows are that the import made; (0, 0) when there are none."""
    table = _table(job)
    if table is None:
        return 0, 0
    low, high = session.execute(select(func.min(table.id), func.max(table.id)).where(table.import_id == job.id)).one()
    return (low - 1, high) if low is not None else (0, 0)


def remove_some(session: Session, job: ImportJob, span: tuple[int, int] | tuple[()]) -> None:
    """Remove the rows that the import made and nothing hangs on, of those with an id in (low, high], or of all."""
    table = _table(job)
    if table is None:
        return
    mine: list[ColumnElement[bool]] = [table.import_id == job.id]
    if span:
        mine += [table.id > span[0], table.id <= span[1]]
    if job.kind == ImportKind.LISTINGS:
        removed = listings.remove(session, select(Listing.id).where(*mine, Listing.state != ListingState.LINKED))
    else:
        linked = select(Link.product_id).where(Link.product_id == Product.id).exists()
        removed = retirement.retire(session, (*mine, Product.retired_at.is_(None), ~linked))
    _note(job, removed=_noted(job).get("removed", 0) + removed)


def kept(session: Session, job: ImportJob) -> int:
    """How many rows that the import made are still there: somebody uses them."""
    table = _table(job)
    if table is None:
        return 0
    alive = [Product.retired_at.is_(None)] if table is Product else []
    return session.scalar(select(func.count()).select_from(table).where(table.import_id == job.id, *alive)) or 0


def close(session: Session, job: ImportJob, in_use: int) -> dict[str, int]:
    """Say what was taken back (see `undo`); the numbers stay with the import. in_use: what `kept` has given."""
    noted, by = _noted(job), _by(job)
    numbers = {"removed": noted.get("removed", 0), "restored": noted.get("restored", 0)}
    numbers |= {"unlinked": _unlinked(session, job), "kept": in_use}
    numbers |= {f"newer_{what}": n for what, n in asdict(import_heirs.Left(**noted.get("left", {}))).items()}
    job.report = {k: v for k, v in job.report.items() if k != NOTES} | {"undone": numbers}
    job.state, job.lease_until = ImportState.UNDONE, None
    words = phrase("Took back the import of {file}.", file=job.file_name[:120])
    audit.record(session, by, "import.undone", f"import {job.id}", words, after=numbers)
    return numbers


def _open(session: Session, job_id: int, by: Actor, now: datetime | None) -> ImportJob:
    """The import, locked, if it can be taken back; who asked for it is noted."""
    job = imports.get(session, job_id, lock=True)
    if job.state not in {ImportState.DONE, ImportState.FAILED}:
        words = {
            ImportState.UNDONE: phrase("This import was taken back already."),
            ImportState.UNDOING: phrase("This import is being taken back already."),
        }
        raise Conflict(words.get(job.state, phrase("This import is not at its end yet.")))
    if not undoable(job, now=now or utc_now()):
        days = links.UNDO_DAYS
        raise Refused(phrase("This import is more than {days} days old and can no longer be taken back.", days=days))
    _note(job, by=[by.id, by.name])
    return job


def _stands(session: Session, job: ImportJob) -> bool:
    """Whether nobody has taken the links of the import back yet."""
    batch = session.get(LinkBatch, job.batch_id)
    return batch is not None and batch.undone_by is None


def _noted(job: ImportJob) -> dict[str, Any]:
    found: dict[str, Any] = job.report.get(NOTES, {})
    return found


def _note(job: ImportJob, **more: Any) -> None:
    job.report = {**job.report, NOTES: {**_noted(job), **more}}


def _by(job: ImportJob) -> Actor:
    """Who takes the import back."""
    return Actor(*_noted(job)["by"])


def _table(job: ImportJob) -> Any:
    """The model of the rows that the import may have made; a file of stock may have inherited products."""
    if job.kind == ImportKind.LISTINGS:
        return Listing
    return Product if job.kind in {ImportKind.PRODUCTS, ImportKind.STOCK} else None


def _unlinked(session: Session, job: ImportJob) -> int:
    """How many of its links were taken back, by the act that goes on or has ended and by those before."""
    noted = _noted(job)
    act = session.scalar(select(LinkBatch.changed).where(LinkBatch.id == noted.get("act"))) or 0
    return int(noted.get("unlinked", 0)) + act


def _restore(session: Session, job: ImportJob, changes: Sequence[ImportChange]) -> int:
    restored, touched = 0, list[int]()
    for change in changes:
        if change.after.keys() & full_list.ENDED:
            continue
        if job.kind in {ImportKind.PRODUCTS, ImportKind.STOCK}:
            product = session.get(Product, change.row_id)
            done = product is not None and catalog.restore(session, product, change.before, change.after, by=_by(job))
        else:
            listing = session.get(Listing, change.row_id)
            done = listing is not None and _restore_listing(session, listing, change.before, change.after)
            touched += [change.row_id] if done else []
        restored += done
    session.flush()
    rechecks.ask_listings(session, touched)
    refusals.note_changes(session, touched)
    return restored


def _restore_listing(session: Session, listing: Listing, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    back = {k: v for k, v in before.items() if _same(getattr(listing, k), after.get(k))}
    if "external_id" in back:
        taken = Listing.channel_id == listing.channel_id, Listing.external_id == back["external_id"]
        if session.scalar(select(Listing.id).where(*taken)) is not None:  # another one is called so by now
            del back["external_id"]
    for name, value in back.items():
        setattr(listing, name, Decimal(value) if name == "price" and value is not None else value)
    return bool(back)


def _same(value: Any, written: Any) -> bool:
    """Whether a value is what was written down of it: amounts are text there, with or without zeros at their end."""
    if isinstance(value, Decimal):
        return written is not None and value == Decimal(written)
    return bool(value == written)
