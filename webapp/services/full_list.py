"""A file that is the full list: what it lacks ends, after a person has agreed to how many.

Rows that any other file lacks change nothing.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

import importers
from webapp.errors import Conflict, Refused, phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.catalog import Product
from webapp.models.imports import ImportChange, ImportJob, ImportKind
from webapp.models.links import Link
from webapp.models.listings import Listing, ListingState
from webapp.services import counts, file_changes, import_checks, links, listing_ids, listings, retirement

TOGETHER = 200  # rows that end in one transaction
UNBRAKED = 50  # more than these end only when their number was typed
ENDED = {"retired", "state"}  # what a kept change of a row that ended is about
KINDS = {ImportKind.LISTINGS, ImportKind.PRODUCTS}


def missing(job: ImportJob) -> int:
    """How many known rows a checked file lacks; 0 where a full list means nothing."""
    return int((job.report.get("changes") or {}).get("gone", 0)) if job.kind in KINDS else 0


def agree(job: ImportJob, number: int) -> None:
    """Note that a person wants what is missing to end, and how many that are; nothing ends before the rows are in.

    Raises Refused for a kind of file that has no full list, Conflict when the number is another one.
    """
    if job.kind not in KINDS:
        raise Refused(phrase("Only a file of listings or products can be the full list."))
    found = missing(job)
    if number != found:
        words = phrases(
            "{n} known row is not in this file, not {number}. Nothing was changed. Look at it, then say how many.",
            "{n} known rows are not in this file, not {number}. Nothing was changed. Look at them, then say how many.",
            found, number=f"{number:,}",
        )  # fmt: skip
        raise Conflict(words, found=found)
    job.report = {**job.report, "ends": number}


def ids_to_end(session: Session, job: ImportJob, uploads: Path) -> list[list[int]]:
    """The ids of what ends, in portions of one transaction; nothing when by now more is missing than was agreed to."""
    agreed = int(job.report.get("ends", 0))
    if not agreed:
        return []
    staged, met = uploads / f"{job.stored_as}.rows", array("q")
    if job.kind == ImportKind.PRODUCTS:
        for block in importers.read_blocks(staged, size=file_changes.STEP, names=("match_key",)):
            met.extend(map(hash, block.column("match_key")))
        found = [row[0] for row in file_changes.gone_products(session, met)]
    else:
        found = [row[0] for row in _gone_listings(session, job, staged, met)]
    if len(found) > agreed - int(job.report.get("ended", 0)):
        return []
    return [found[start : start + TOGETHER] for start in range(0, len(found), TOGETHER)]


def _gone_listings(session: Session, job: ImportJob, staged: Path, met: array[int]) -> Iterator[tuple[int, str, str]]:
    ids = {name: channel.id for name, channel in import_checks.channels_of(session, job).items()}
    seen: set[int] = set()
    meeting = listing_ids.meeting(session, job, job.report["columns"], staged)
    for block in importers.read_blocks(staged, size=file_changes.STEP, names=("channel", "listing_id", "match_key")):
        channel_ids = [ids[name] if name else job.channel_id or 0 for name in block.column("channel")]
        keys = list(zip(channel_ids, block.column("listing_id"), strict=True))
        met.extend(map(hash, keys))
        seen.update(channel_ids)
        if meeting is not None:
            known = listings.values_of(session, keys, ())
            others = listing_ids.known_as(session, meeting, keys, block.column("match_key"), known)
            met.extend(hash((key[0], other)) for key, other in others.items())
    return file_changes.gone_listings(session, seen, met)


def end(session: Session, job: ImportJob, ids: Sequence[int], *, by: Actor) -> None:
    """End some rows: their links are taken apart, listings leave the review, products leave the catalogue.

    What was there before is kept for the undo of the import.
    """
    linked = Link.listing_id.in_(ids) if job.kind == ImportKind.LISTINGS else Link.product_id.in_(ids)
    pairs = list(session.scalars(select(Link.listing_id).where(linked).order_by(Link.listing_id)))
    batches = list(job.report.get("ended_batches", []))
    if pairs:
        reason = phrase("not in the full list {file}", file=job.file_name[:120])
        change = links.unlink(session, pairs, by=by, reason=reason, sticky=False)
        batches += [change.batch.id] if change.batch else []
    ended = _end_listings(session, job, ids) if job.kind == ImportKind.LISTINGS else _end_products(session, job, ids)
    job.report = {**job.report, "ended": int(job.report.get("ended", 0)) + ended, "ended_batches": batches}


def _end_listings(session: Session, job: ImportJob, ids: Sequence[int]) -> int:
    live = Listing.id.in_(ids), Listing.state != ListingState.ENDED
    rows = session.execute(select(Listing.id, Listing.channel_id, Listing.state).where(*live)).all()
    _keep(session, job, {i: {"state": state} for i, _, state in rows}, {"state": ListingState.ENDED})
    session.execute(update(Listing).where(Listing.id.in_([row[0] for row in rows])).values(state=ListingState.ENDED))
    for (channel_id, state), n in sorted(Counter((row[1], row[2]) for row in rows).items()):
        counts.adjust(session, channel_id, {state: -n, ListingState.ENDED: n})
    return len(rows)


def _end_products(session: Session, job: ImportJob, ids: Sequence[int]) -> int:
    live = list(session.scalars(select(Product.id).where(Product.id.in_(ids), Product.retired_at.is_(None))))
    _keep(session, job, {i: {"retired": False} for i in live}, {"retired": True})
    return retirement.retire(session, [Product.id.in_(live)])


def _keep(session: Session, job: ImportJob, before: Mapping[int, dict[str, Any]], after: dict[str, Any]) -> None:
    if before:
        rows = [{"import_id": job.id, "row_id": i, "before": was, "after": after} for i, was in before.items()]
        session.execute(insert(ImportChange), rows)


def bring_back(session: Session, job: ImportJob, changes: Sequence[ImportChange]) -> int:
    """Undo the ends among these changes of an import; gives how many rows are back. Their links are another matter."""
    if job.kind == ImportKind.PRODUCTS:
        return retirement.bring_back(session, [c.row_id for c in changes])
    states: dict[ListingState, list[int]] = {}
    for change in changes:
        states.setdefault(ListingState(change.before["state"]), []).append(change.row_id)
    return sum(listings.reopen(session, ids, as_before=state) for state, ids in sorted(states.items()))


def words_for_done(job: ImportJob) -> str:
    """What became of the missing rows, in one sentence; nothing when there were none to end."""
    agreed, ended = int(job.report.get("ends", 0)), int(job.report.get("ended", 0))
    if agreed and not ended:
        return phrases(
            "More rows were missing than the {n} that was agreed to. None of them was ended.",
            "More rows were missing than the {n} that were agreed to. None of them was ended.",
            agreed,
        )
    if not ended:
        return ""
    return phrases(
        "{n} row that the full list lacks was ended.", "{n} rows that the full list lacks were ended.", ended
    )
