"""Taking an import back whole: new rows go, changed values return, links that it made are undone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from webapp.errors import Conflict, Refused, phrase
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.imports import ImportChange, ImportJob, ImportKind, ImportState
from webapp.models.links import Link, PastLink
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
)


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
    job = imports.get(session, job_id, lock=True)
    if job.state not in {ImportState.DONE, ImportState.FAILED}:
        raise Conflict(
            phrase("This import was taken back already.")
            if job.state == ImportState.UNDONE
            else phrase("This import is not at its end yet.")
        )
    if not undoable(job, now=now or utc_now()):
        days = links.UNDO_DAYS
        raise Refused(phrase("This import is more than {days} days old and can no longer be taken back.", days=days))
    left = import_heirs.leave(session, job, uploads)
    unlinked = links.undo(session, job.batch_id, by=by).changed if job.batch_id else 0
    gone = select(PastLink.product_id).where(PastLink.batch_id == job.batch_id)  # they lose what channels called them
    touched = update(Product).where(Product.id.in_(gone)).values(changed_at=utc_now())
    session.execute(touched.execution_options(synchronize_session=False))
    session.execute(delete(PastLink).where(PastLink.batch_id == job.batch_id))  # or its listings could never go
    restored = _restore_values(session, job, by) + _bring_back(session, job, by)
    removed, kept = _remove_created(session, job)
    job.state = ImportState.UNDONE
    numbers = {"removed": removed, "restored": restored, "unlinked": unlinked, "kept": kept}
    numbers |= {f"newer_{what}": n for what, n in asdict(left).items()}
    words = phrase("Took back the import of {file}.", file=job.file_name[:120])
    audit.record(session, by, "import.undone", f"import {job.id}", words, after=numbers)
    return numbers


def _restore_values(session: Session, job: ImportJob, by: Actor) -> int:
    """Give changed rows their values of before, where they still have the import's."""
    restored, touched = 0, list[int]()
    mine = select(ImportChange).where(ImportChange.import_id == job.id)
    for change in session.scalars(mine.order_by(ImportChange.id.desc())):  # the last change of a row goes first
        if change.after.keys() & full_list.ENDED:
            continue
        if job.kind in {ImportKind.PRODUCTS, ImportKind.STOCK}:
            product = session.get(Product, change.row_id)
            done = product is not None and catalog.restore(session, product, change.before, change.after, by=by)
        else:
            listing = session.get(Listing, change.row_id)
            done = listing is not None and _restore_listing(session, listing, change.before, change.after)
            touched += [change.row_id] if done else []
        restored += done
    session.flush()
    rechecks.ask_listings(session, touched)
    refusals.note_changes(session, touched)
    return restored


def _bring_back(session: Session, job: ImportJob, by: Actor) -> int:
    """What a full list ended is there again, with its links where both sides are still free; gives how many."""
    if not job.report.get("ended"):
        return 0
    mine = session.scalars(select(ImportChange).where(ImportChange.import_id == job.id)).all()
    back = full_list.bring_back(session, job, [c for c in mine if c.after.keys() & full_list.ENDED])
    for batch_id in job.report.get("ended_batches", []):
        with suppress(Conflict):  # somebody has taken this part back already
            links.undo(session, batch_id, by=by)
    return back


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


def _remove_created(session: Session, job: ImportJob) -> tuple[int, int]:
    """Remove rows that the import made and nothing hangs on; those in use are kept and counted."""
    if job.kind == ImportKind.LISTINGS:
        idle = (Listing.import_id == job.id, Listing.state != ListingState.LINKED)
        removed = listings.remove(session, select(Listing.id).where(*idle))
        kept = session.scalar(select(func.count()).select_from(Listing).where(Listing.import_id == job.id)) or 0
        return removed, kept
    if job.kind in {ImportKind.PRODUCTS, ImportKind.STOCK}:  # a file of stock may have inherited products
        mine = (Product.import_id == job.id, Product.retired_at.is_(None))
        linked = select(Link.product_id).where(Link.product_id == Product.id).exists()
        kept = session.scalar(select(func.count()).select_from(Product).where(*mine, linked)) or 0
        return retirement.retire(session, (*mine, ~linked)), kept
    return 0, 0
