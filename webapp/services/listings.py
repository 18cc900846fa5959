"""Listings: bring them in from a file, find one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from matching.identifiers import loose_key
from webapp.db import among
from webapp.errors import NotFound
from webapp.models.base import utc_now
from webapp.models.channels import Channel
from webapp.models.links import Link, NearMiss, PastLink, Refusal, Suggestion
from webapp.models.listings import NOT_COMPUTED, Listing, ListingState
from webapp.models.propagation import Attempt
from webapp.services import counts
from webapp.services.upserts import Upserted, upsert

TEXTS = ("title", "brand", "gtin", "mpn", "description", "category", "status", "url", "image_url")
FACTS = {"sku", "match_key", "title", "brand", "gtin", "mpn", "description", "options"}  # what suggestions depend on


def upsert_listings(
    session: Session,
    rows: Sequence[Mapping[str, Any]],
    channels: Mapping[str, Channel],
    *,
    import_id: int | None = None,
) -> Upserted:
    """Create or update listings by channel and listing id from typed rows that carry `channel` (a name) each.

    A listing whose facts changed is asked for suggestions again; its link stays. What is absent stays.
    The ids of new listings are given, but not to an import: it finds them by its own number.
    """
    by_key: dict[Hashable, dict[str, Any]] = {}
    for row in rows:
        channel = channels[row["channel"]]
        by_key[(channel.id, row["listing_id"])] = _values(row, channel)
    compared = sorted({name for row in by_key.values() for name in row} | {"id"})
    known: dict[Hashable, Any] = {(x.channel_id, x.external_id): x for x in _rows(session, by_key, compared)}
    now = utc_now()
    defaults = dict.fromkeys(TEXTS, "") | {
        "sku": "",
        "match_key": None,
        "loose_key": None,
        "options": None,
        "price": None,
        "currency": "",
        "quantity": None,
        "state": ListingState.PENDING,
        "place": NOT_COMPUTED,
        "fence": 0,
        "import_id": import_id,
        "seen_at": now,
    }
    result = upsert(
        session,
        Listing,
        by_key,
        known,
        defaults=defaults,
        on_change={"seen_at": now},
        ids_of=(lambda keys: _ids(session, keys)) if import_id is None else (lambda _keys: {}),
    )
    for channel_id, n in Counter(key[0] for key in result.created).items():  # type: ignore[index]
        counts.adjust(session, channel_id, {ListingState.PENDING: n})
    stale = [i for i, (_, after) in result.changed.items() if FACTS & set(after)]
    if stale:
        session.execute(update(Listing).where(Listing.id.in_(stale)).values(place=NOT_COMPUTED))
    return result


def find(session: Session, channel: Channel, external_id: str) -> Listing:
    """The listing of that id on a channel; raises NotFound."""
    listing = session.scalar(
        select(Listing).where(Listing.channel_id == channel.id, Listing.external_id == external_id)
    )
    if listing is None:
        raise NotFound(
            f"There is no listing {external_id} on {channel.name}. Check the id, or import the listings first."
        )
    return listing


def _values(row: Mapping[str, Any], channel: Channel) -> dict[str, Any]:
    values = {name: row[name] for name in TEXTS if name in row}
    values |= {"channel_id": channel.id, "external_id": row["listing_id"]}
    if "sku" in row:
        key = row.get("match_key") or None
        values |= {"sku": row["sku"], "match_key": key, "loose_key": loose_key(row["sku"]) or None if key else None}
    if row.get("options"):
        values["options"] = row["options"]
    if row.get("price") is not None:
        values |= {"price": Decimal(row["price"]), "currency": row.get("currency") or channel.currency}
    if row.get("quantity") is not None:
        values["quantity"] = int(row["quantity"])
    return values


def _ids(session: Session, keys: Iterable[Hashable]) -> dict[Hashable, int]:
    return {(c, e): i for c, e, i in _rows(session, keys, ("channel_id", "external_id", "id"))}


def _rows(session: Session, keys: Iterable[Any], names: Sequence[str]) -> Iterator[Row[*tuple[Any, ...]]]:
    """These columns of the listings with the keys (channel, external id), channel by channel."""
    ids: dict[int, list[str]] = {}
    for channel_id, external_id in keys:
        ids.setdefault(channel_id, []).append(external_id)
    columns = Listing.__table__.c
    for channel_id in sorted(ids):
        here = columns.channel_id == channel_id, among(session, columns.external_id, ids[channel_id])
        yield from session.connection().execute(select(*(columns[name] for name in names)).where(*here)).all()


def remove(session: Session, which: Any) -> int:
    """Delete listings (`which` selects ids) that have no history; those with one stay. Gives how many went."""
    used = [select(x.listing_id) for x in (Link, PastLink, Attempt)]
    free = select(Listing.id).where(Listing.id.in_(which), *(Listing.id.not_in(u) for u in used))
    for table in (Suggestion, NearMiss, Refusal):
        session.execute(delete(table).where(table.listing_id.in_(free)).execution_options(synchronize_session=False))
    for channel_id, state, n in session.execute(
        select(Listing.channel_id, Listing.state, func.count())
        .where(Listing.id.in_(free))
        .group_by(Listing.channel_id, Listing.state)
    ).all():
        counts.adjust(session, channel_id, {state: -n})
    gone = session.execute(delete(Listing).where(Listing.id.in_(free)).execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]
