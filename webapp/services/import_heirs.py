"""What an import leaves to newer ones when it is taken back: rows, values and links that their files have seen again.

It then belongs to the oldest of them, as if the import before had never been: taking that one back too takes it away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

import importers
from webapp.db import among
from webapp.errors import Conflict, phrase
from webapp.models.accounts import Actor
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.imports import ImportChange, ImportJob, ImportKind, ImportState
from webapp.models.links import BatchVerb, Link, LinkBatch, LinkSource
from webapp.models.listings import Listing
from webapp.services import import_checks, listing_ids, listings, reconciliation, stock

STEP = 4_000  # rows of a newer file that are looked up at once
SEE: Mapping[ImportKind, set[ImportKind]] = {  # files of which kind may have seen what one of a kind has brought
    ImportKind.LISTINGS: {ImportKind.LISTINGS, ImportKind.LINKS},
    ImportKind.PRODUCTS: {ImportKind.PRODUCTS, ImportKind.STOCK, ImportKind.LINKS},
    ImportKind.STOCK: {ImportKind.PRODUCTS, ImportKind.STOCK},
    ImportKind.LINKS: {ImportKind.LINKS},
}
STATED_BY = {"match_key": "sku", "loose_key": "sku", "external_id": "listing_id", "base_id": "base_sku"}


@dataclass
class Left:
    """How many rows that the import made, changes of rows, and links were left to newer imports."""

    rows: int = 0
    values: int = 0
    links: int = 0


def leave(session: Session, job: ImportJob, uploads: Path) -> Left:
    """Hand over what files of newer imports have seen again, which then is none of this import's any more.

    Raises Conflict when the file of a newer import is gone, since nobody can tell then what it has seen.
    """
    left = Left()
    heirs = newer(session, job, lock=True)
    changed = changed_rows(session, job) if heirs else {}
    for heir in heirs:
        for block in blocks(heir, uploads):
            leave_some(session, job, heir, block, changed, left)
    return left


def leave_some(
    session: Session,
    job: ImportJob,
    heir: ImportJob,
    block: importers.Block,
    changed: Mapping[int, Sequence[int]],
    left: Left,
) -> None:
    """Hand over what some rows of a newer file have seen, and count it; done again, it finds nothing to hand over.

    changed: what `changed_rows` has given.
    """
    if heir.kind == ImportKind.LINKS:
        left.links += _leave_links(session, heir, _pairs(session, job, heir, block))
        return
    rows = _rows(session, heir, block)
    left.rows += _leave_rows(session, job, heir, list(rows))
    left.values += _leave_values(session, job, heir, _changes(session, job, rows, changed), rows)
    if heir.reconcile and heir.kind == job.kind:
        left.links += _leave_links(session, heir, _linked_by_sku(session, job, list(rows)))
    session.flush()


def newer(session: Session, job: ImportJob, *, lock: bool = False) -> Sequence[ImportJob]:
    """Imports that ended after this one, or have yet to, and have met what was known; the oldest first."""
    since = or_(ImportJob.ended_at.is_(None), ImportJob.ended_at > (job.ended_at or job.created_at))
    states = (ImportState.DONE, ImportState.FAILED, ImportState.RUNNING)
    met = ImportJob.updated + ImportJob.unchanged > 0
    query = select(ImportJob).where(ImportJob.id != job.id, ImportJob.kind.in_(SEE[job.kind]), since, met)
    query = query.where(ImportJob.state.in_(states)).order_by(ImportJob.ended_at.nulls_last(), ImportJob.id)
    return session.scalars(query.with_for_update() if lock else query).all()


def blocks(heir: ImportJob, uploads: Path) -> Iterator[importers.Block]:
    """The rows that a newer import has applied so far; raises Conflict when its file is gone."""
    try:
        for block in importers.read_blocks(uploads / f"{heir.stored_as}.rows", size=STEP):
            yield block.where([number <= heir.next_row for number in block.numbers])
    except FileNotFoundError:
        words = phrase(
            "Import {number} came later, and its file {file} is no longer there to tell what it has seen. "
            "Take that import back first.",
            number=heir.id, file=heir.file_name[:120],
        )  # fmt: skip
        raise Conflict(words) from None


def changed_rows(session: Session, job: ImportJob) -> dict[int, list[int]]:
    """The ids of the changes of an import by the row that they are about."""
    found: dict[int, list[int]] = {}
    query = select(ImportChange.row_id, ImportChange.id).where(ImportChange.import_id == job.id)
    for row_id, change_id in session.execute(query.order_by(ImportChange.id)):
        found.setdefault(row_id, []).append(change_id)
    return found


def _changes(
    session: Session, job: ImportJob, rows: Mapping[int, Any], changed: Mapping[int, Sequence[int]]
) -> dict[int, list[ImportChange]]:
    """The changes of an import of these rows, by row; those that were handed over already are none of its any more."""
    found: dict[int, list[ImportChange]] = {}
    ids = [change_id for row_id in rows.keys() & changed.keys() for change_id in changed[row_id]]
    mine = select(ImportChange).where(among(session, ImportChange.id, ids), ImportChange.import_id == job.id)
    for change in session.scalars(mine.order_by(ImportChange.id)) if ids else ():
        found.setdefault(change.row_id, []).append(change)
    return found


def _rows(session: Session, heir: ImportJob, block: importers.Block) -> dict[int, set[str]]:
    """The rows of the table that a newer file speaks of, and what it states of each."""
    ids = _listing_ids(session, heir, block) if heir.kind == ImportKind.LISTINGS else _product_ids(session, block)
    found: dict[int, set[str]] = {}
    for row_id, (_, row) in zip(ids, block.rows(), strict=True):
        if row_id is not None:
            found.setdefault(row_id, set()).update(
                row, [f"stock:{row.get('warehouse') or stock.MAIN}"] * ("quantity" in row)
            )
    return found


def _listing_ids(session: Session, heir: ImportJob, block: importers.Block) -> list[int | None]:
    """The listing of each row, by its id, or by its SKU where the file has no ids; None where there is none."""
    ids = {name: channel.id for name, channel in import_checks.channels_of(session, heir).items()}
    places = [ids.get(name, 0) if name else heir.channel_id or 0 for name in block.column("channel")]
    keys = list(zip(places, block.column("listing_id"), strict=True))
    if heir.kind == ImportKind.LISTINGS and "listing_id" not in heir.report["columns"].values():
        keys = _meant(session, keys, block.column("match_key"))
    known = listings.values_of(session, keys, ())
    return [known[key][0] if key in known else None for key in keys]


def _meant(session: Session, keys: Sequence[tuple[int, str]], skus: Sequence[str | None]) -> list[tuple[int, str]]:
    """The keys of rows without ids, with the id of the only listing that has a row's SKU where there is one."""
    wanted: dict[int, set[str]] = {}
    for (place, _), sku in zip(keys, skus, strict=True):
        wanted.setdefault(place, set()).update([sku] if sku else [])
    bearers = {place: listing_ids.bearers(session, place, sorted(wanted[place])) for place in sorted(wanted)}
    found = [bearers[place].get(sku or "", []) for (place, _), sku in zip(keys, skus, strict=True)]
    return [(key[0], here[0].external_id) if len(here) == 1 else key for key, here in zip(keys, found, strict=True)]


def _product_ids(session: Session, block: importers.Block) -> list[int | None]:
    keys = block.column("match_key")
    known = dict(
        session.execute(select(Product.match_key, Product.id).where(among(session, Product.match_key, keys))).all()
    )
    return [known.get(key) for key in keys]


def _leave_rows(session: Session, job: ImportJob, heir: ImportJob, ids: Sequence[int]) -> int:
    if job.kind not in {ImportKind.LISTINGS, ImportKind.PRODUCTS}:
        return 0
    table = Listing if job.kind == ImportKind.LISTINGS else Product
    mine = update(table).where(table.import_id == job.id, among(session, table.id, ids)).values(import_id=heir.id)
    return int(session.execute(mine.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


def _leave_values(
    session: Session,
    job: ImportJob,
    heir: ImportJob,
    changes: Mapping[int, list[ImportChange]],
    rows: Mapping[int, set[str]],
) -> int:
    """Hand over the changes of values that the newer file states too; gives how many rows they are of."""
    touched = set()
    for change in (c for own in changes.values() for c in own):
        stated = {name for name in change.after if STATED_BY.get(name, name) in rows[change.row_id]}
        if not stated:
            continue
        rest = {name: value for name, value in change.before.items() if name not in stated}
        if rest:  # the part that stays behind is the new row: what was changed first has the lower id
            after = {name: change.after[name] for name in rest}
            session.add(ImportChange(import_id=job.id, row_id=change.row_id, before=rest, after=after))
        change.before = {name: change.before[name] for name in stated}
        change.after = {name: change.after[name] for name in stated}
        change.import_id = heir.id
        touched.add(change.row_id)
    return len(touched)


def _linked_by_sku(session: Session, job: ImportJob, ids: Sequence[int]) -> list[int]:
    """Links of the import that the newer one would have made itself: their SKUs are the same by now too."""
    side = Link.listing_id if job.kind == ImportKind.LISTINGS else Link.product_id
    mine = Link.batch_id == job.batch_id, Link.source == LinkSource.SKU, among(session, side, ids)
    query = select(Link.id).join(Listing, Listing.id == Link.listing_id).join(Product, Product.id == Link.product_id)
    return list(session.scalars(query.where(*mine, Listing.match_key == Product.match_key)))


def _pairs(session: Session, job: ImportJob, heir: ImportJob, block: importers.Block) -> list[int]:
    """Links of the import that stand in a newer file of links."""
    pairs = set(zip(_listing_ids(session, heir, block), _product_ids(session, block), strict=True))
    mine = Link.batch_id == job.batch_id, among(session, Link.listing_id, [i for i, _ in pairs if i is not None])
    made = session.execute(select(Link.id, Link.listing_id, Link.product_id).where(*mine))
    return [i for i, listing_id, product_id in made if (listing_id, product_id) in pairs]


def _leave_links(session: Session, heir: ImportJob, ids: Sequence[int]) -> int:
    """Make these links part of the batch of a newer import, which gets one where it has none that stands."""
    if not ids:
        return 0
    batch = session.get(LinkBatch, heir.batch_id) if heir.batch_id else None
    if batch is None or batch.undone_by is not None:
        channel = session.get(Channel, heir.channel_id) if heir.channel_id else None
        batch = reconciliation.open_batch(session, channel, by=Actor(heir.by_id, heir.by_name or "Pairbook"))
        if heir.kind == ImportKind.LINKS:
            batch.verb, batch.reason = BatchVerb.IMPORT, ""
        heir.batch_id = batch.id
    moved = update(Link).where(among(session, Link.id, ids)).values(batch_id=batch.id)
    session.execute(moved.execution_options(synchronize_session=False))
    batch.changed += len(ids)
    return len(ids)
