"""What a checked file will do, in numbers that add up to its good rows; nothing is written here."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import importers
from webapp.db import among
from webapp.models.catalog import Product
from webapp.models.imports import ImportJob, ImportKind
from webapp.models.links import Link
from webapp.models.listings import Listing, ListingState
from webapp.services import channels, file_changes, import_checks, listing_ids, retrieval, suggestions
from webapp.services.file_changes import Changes
from webapp.services.import_checks import CHUNK
from webapp.services.listing_forecasts import Outlooks, Place, channel_ids, places_of

MOST_LOOKED_UP = 1_000  # waiting rows that are told apart by whether they resemble a product
PATIENCE = 1.0  # seconds that this may take
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Forecast:
    """What an import will do: `numbers` of rows by their end, and the `changes` of what is known (see Changes)."""

    numbers: dict[str, int] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """What a check found: the report, what will happen, problems by repair, and zeros that are or could be put back."""

    report: importers.Report
    forecast: Forecast
    problems: list[dict[str, Any]]
    lost_zeros: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """What is kept with the import, and printed for a script."""
        return {
            **import_checks.untitled(self.report, self.forecast.numbers).as_json(),
            "forecast": self.forecast.numbers,
            "changes": self.forecast.changes,
            "problems": self.problems,
            "lost_zeros": self.lost_zeros,
        }


def forecast(
    session: Session,
    job: ImportJob,
    columns: Mapping[str, str],
    uploads: Path,
    *,
    index: retrieval.CatalogueIndex | None = None,
    outlooks: Outlooks | None = None,
) -> Forecast:
    """How many good rows end how, and what the file changes; the numbers without `more` add up to the good rows.

    columns: header to field, as the check found them. index: what suggestions are found with, when it is at hand.
    outlooks: what has been looked up of a file of listings while it was read.

    link: linked by the exact rule · review: new, wait for a person · none: counted apart from those where it was looked
    up (see _split): without a suggestion · update: known before · new: new products · same: linked so already ·
    refused: the listing or product is linked elsewhere · more: waiting listings, not in the file, whose SKU is among
    the new products.
    """
    staged = uploads / f"{job.stored_as}.rows"
    if job.kind == ImportKind.LISTINGS:
        return _listings(session, job, columns, staged, index, outlooks or Outlooks(session, job))
    if job.kind == ImportKind.LINKS:
        return Forecast(_links(session, job, staged))
    numbers, changes, met = Counter(update=0, new=0, more=0), Changes(), array("q")
    for block in importers.read_blocks(staged, size=CHUNK, names=("match_key", *file_changes.PRODUCED)):
        keys = block.column("match_key")
        known = file_changes.of_products(session, changes, block)
        met.extend(map(hash, keys))
        fresh = set(keys) - known
        numbers["update"] += sum(map(known.__contains__, keys))
        numbers["new"] += sum(map(fresh.__contains__, keys)) if fresh else 0
        if job.kind == ImportKind.PRODUCTS and fresh:
            numbers["more"] += _waiting_for(session, fresh)
    if job.kind == ImportKind.PRODUCTS and changes.numbers["known"]:
        file_changes.close_products(session, changes, met)
    return Forecast(dict(numbers), changes.as_json())


def _waiting_for(session: Session, keys: Set[str]) -> int:
    """How many waiting listings are the only one of their channel with one of these keys."""
    here = Listing.channel_id.in_([c.id for c in channels.all_channels(session)])  # leads the index of keys
    alone = (
        select(Listing.channel_id, Listing.match_key).where(here, among(session, Listing.match_key, keys))
        .group_by(Listing.channel_id, Listing.match_key)
        .having(func.count() == 1, func.max(Listing.state) == ListingState.PENDING)
    ).subquery()  # fmt: skip
    return session.scalar(select(func.count()).select_from(alone)) or 0


def _listings(
    session: Session,
    job: ImportJob,
    columns: Mapping[str, str],
    staged: Path,
    index: retrieval.CatalogueIndex | None,
    outlooks: Outlooks,
) -> Forecast:
    found = outlooks.all(staged, listing_ids.meeting(session, job, columns, staged))
    numbers = {"link": found.ends.settle(), "review": len(found.ends.waiting), "update": found.known}
    if found.changes.numbers["known"]:
        file_changes.close_listings(session, found.changes, found.seen, found.met)
    return Forecast(_split(session, numbers, found.ends.waiting, staged, index), found.changes.as_json())


def _split(
    session: Session,
    numbers: dict[str, int],
    waiting: Sequence[int],
    staged: Path,
    index: retrieval.CatalogueIndex | None,
) -> dict[str, int]:
    """The numbers with what resembles nothing (`none`) apart from what waits with a suggestion (`review`).

    They stay together where telling them apart would keep a person waiting: without an index at hand, from a thousand
    such rows on, and where that many take longer than a second.
    """
    ready = index.ready(session) if index is not None and 0 < len(waiting) <= MOST_LOOKED_UP else None
    if ready is None:
        return numbers
    rows = (fields for _, fields in importers.look_up(staged, waiting))
    none = suggestions.resembling_nothing(rows, ready, seconds=PATIENCE)
    return numbers if none is None else numbers | {"review": len(waiting) - none, "none": none}


def _links(session: Session, job: ImportJob, staged: Path) -> dict[str, int]:
    ids = channel_ids(session, job)
    many = {c.id for c in channels.all_channels(session) if c.many}
    numbers = Counter(link=0, same=0, refused=0)
    promised: set[tuple[int, str]] = set()
    for block in importers.read_blocks(staged, size=CHUNK):
        rows = [row for _, row in block.rows()]
        held = _held(session, rows, ids)
        taken = {(channel, sku) for (channel, _), sku in held.items()} | _taken(session, rows)
        for row in rows:
            channel, sku = _channel(row, ids), row["match_key"]
            current = held.get((channel, row.get("listing_id") or ""))
            if current is not None:
                numbers["same" if current == sku else "refused"] += 1
            elif channel not in many and ((channel, sku) in taken or (channel, sku) in promised):
                numbers["refused"] += 1
            else:
                promised.add((channel, sku))
                numbers["link"] += 1
    return dict(numbers)


def _held(session: Session, rows: Sequence[Row], ids: Mapping[str, int]) -> dict[Place, str]:
    """Match key of the product by channel and listing id, for the rows' listings that are linked."""
    query = (
        select(Listing.channel_id, Listing.external_id, Product.match_key)
        .join(Link, Link.listing_id == Listing.id).join(Product, Product.id == Link.product_id)
        .where(
            among(session, Listing.external_id, [r["listing_id"] for r in rows if "listing_id" in r]),
            Listing.channel_id.in_(ids.values()),
        )
    )  # fmt: skip
    return {(channel, listing): key for channel, listing, key in session.execute(query)}


def _taken(session: Session, rows: Sequence[Row]) -> set[Place]:
    """Channel and match key of the rows' products that are linked anywhere."""
    query = (
        select(Link.channel_id, Product.match_key).join(Product, Product.id == Link.product_id)
        .where(among(session, Product.match_key, [r["match_key"] for r in rows]))
    )  # fmt: skip
    return places_of(session, query)


def _channel(row: Row, ids: Mapping[str, int]) -> int:
    return ids[row.get("channel") or ""]
