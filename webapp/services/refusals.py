"""What people said no to, and whether the facts have changed since: then a person may be asked once more.

A refusal binds rules for ever, whatever changes; only the review may show the pair again, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from webapp.db import among, among_those, direct
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.links import Aside, LinkBatch, Refusal
from webapp.models.listings import NOT_COMPUTED, WITHOUT_SUGGESTION, Listing, ListingState
from webapp.services import facts

ASIDE = (ListingState.NO_MATCH, ListingState.IGNORED)
_OF_LISTING = [getattr(Listing, name) for name in facts.FIELDS]
_OF_PRODUCT = [getattr(Product, name) for name in facts.FIELDS]
_REFUSED = select(Refusal.listing_id, Refusal.product_id, Refusal.facts).where(
    among_those(Refusal.listing_id, "listings")
)
_MARKS_OF_LISTINGS = select(Listing.id, *_OF_LISTING).where(among_those(Listing.id, "ids"))
_MARKS_OF_PRODUCTS = select(Product.id, *_OF_PRODUCT).where(among_those(Product.id, "ids"))
_WHO = select(Refusal.facts, LinkBatch.by_id, LinkBatch.by_name, LinkBatch.at).join(
    LinkBatch, LinkBatch.id == Refusal.batch_id
)
_WHO_OF_PAIR = _WHO.where(Refusal.listing_id == bindparam("listing"), Refusal.product_id == bindparam("product"))
_PUT_ASIDE = insert(Aside)
_ASIDE_OF = select(Aside.batch_id, Aside.facts).where(Aside.listing_id == bindparam("listing"))


@dataclass(frozen=True)
class Said:
    """A decision that was made on other facts: by whom, when, and what has changed since on either side."""

    by_id: int | None
    by_name: str
    at: datetime
    listing: tuple[str, ...] = ()
    product: tuple[str, ...] = ()


def marks(session: Session, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """The marks of what pairs of listings and products are made of now."""
    ours = _marks(session, _MARKS_OF_PRODUCTS, {p for _, p in pairs})
    theirs = _marks(session, _MARKS_OF_LISTINGS, {i for i, _ in pairs})
    return {(i, p): theirs[i] + ours[p] for i, p in pairs if i in theirs and p in ours}


def binding(session: Session, listing_ids: Sequence[int]) -> dict[int, set[int]]:
    """The products that are not to be suggested for these listings: refused on facts that still are the same."""
    before_now = refused(session, listing_ids)
    now_is = marks(session, list(before_now))
    found: dict[int, set[int]] = {}
    for (listing_id, product_id), before in before_now.items():
        now = now_is.get((listing_id, product_id), before)
        if not before or before == now:
            found.setdefault(listing_id, set()).add(product_id)
    return found


def said_of_pair(session: Session, listing_id: int, product_id: int) -> Said | None:
    """Who refused the pair, and what has changed since; None when nobody did or nothing has."""
    row = direct(session, _WHO_OF_PAIR, {"listing": listing_id, "product": product_id}).first()
    if row is None or not row.facts:
        return None
    now = marks(session, [(listing_id, product_id)]).get((listing_id, product_id), row.facts)
    if row.facts == now:
        return None
    half = len(now) // 2
    of_listing, of_product = (facts.changed(row.facts[part], now[part]) for part in (slice(half), slice(half, None)))
    return Said(row.by_id, row.by_name, row.at, of_listing, of_product)


def said_of_listing(session: Session, listing: Listing) -> Said | None:
    """Who set the listing aside, and what has changed since; None when nobody did or nothing has."""
    query = select(Aside.facts, LinkBatch.by_id, LinkBatch.by_name, LinkBatch.at)
    row = session.execute(
        query.join(LinkBatch, LinkBatch.id == Aside.batch_id).where(Aside.listing_id == listing.id)
    ).first()
    since = facts.changed(row.facts, facts.mark(listing)) if row is not None else ()
    return Said(row.by_id, row.by_name, row.at, since) if row is not None and since else None


def look_again(session: Session, product_ids: Iterable[int]) -> None:
    """Have suggestions found anew for waiting listings of which one of these products was refused: it has changed."""
    ids = list(product_ids)
    if not ids:
        return
    of = select(Refusal.listing_id).where(among(session, Refusal.product_id, ids))
    waits = Listing.state == ListingState.PENDING, Listing.place <= WITHOUT_SUGGESTION
    statement = update(Listing).where(Listing.id.in_(of), *waits).values(place=NOT_COMPUTED)
    session.execute(statement.execution_options(synchronize_session=False))


def put_aside(session: Session, listing: Listing, batch_id: int) -> list[Any] | None:
    """Remember on what facts a listing is set aside; gives what was remembered before, for an undo."""
    known = direct(session, _ASIDE_OF, {"listing": listing.id}).first()
    if known is None:
        _note_aside(session, listing.id, listing.channel_id, batch_id, facts.mark(listing))
        return None
    aside_as_before(session, listing.id, listing.channel_id, batch_id, facts.mark(listing))
    return [listing.id, listing.channel_id, known.batch_id, known.facts]


def aside_as_before(session: Session, listing_id: int, channel_id: int, batch_id: int, mark: str) -> None:
    """Remember that a batch set a listing aside when its facts had this mark."""
    session.execute(delete(Aside).where(Aside.listing_id == listing_id))
    _note_aside(session, listing_id, channel_id, batch_id, mark)


def _note_aside(session: Session, listing_id: int, channel_id: int, batch_id: int, mark: str) -> None:
    values = {"listing_id": listing_id, "channel_id": channel_id, "batch_id": batch_id, "facts": mark}
    direct(session, _PUT_ASIDE, {**values, "at": utc_now(), "changed_at": None})


def enter_aside(session: Session, listing: Listing, batch_id: int) -> None:
    """A listing is set aside again, by an undo: what was remembered of it counts as before."""
    if session.scalar(select(Aside.listing_id).where(Aside.listing_id == listing.id)) is None:
        put_aside(session, listing, batch_id)
    note_changes(session, [listing.id])


def leave_aside(session: Session, listing: Listing) -> None:
    """A listing is no longer set aside: nobody need be asked about that again."""
    session.execute(update(Aside).where(Aside.listing_id == listing.id).values(changed_at=None))


def is_raised(session: Session, listing: Listing) -> bool:
    """Whether a listing was set aside on facts that have changed since."""
    query = select(Aside.listing_id).where(Aside.listing_id == listing.id, Aside.changed_at.is_not(None))
    return session.scalar(query) is not None


def note_changes(session: Session, listing_ids: Sequence[int]) -> None:
    """Say of listings that were set aside whether their facts still are those that were seen."""
    query = select(Aside.listing_id, Aside.facts, Aside.changed_at, *_OF_LISTING)
    query = query.join(Listing, Listing.id == Aside.listing_id).where(Listing.state.in_(ASIDE))
    rows = session.execute(query.where(among(session, Aside.listing_id, listing_ids))).all()
    for row in rows:
        other = bool(facts.changed(row.facts, facts.mark(row)))
        if other != (row.changed_at is not None):
            done = update(Aside).where(Aside.listing_id == row.listing_id)
            session.execute(done.values(changed_at=utc_now() if other else None))


def refused(session: Session, listing_ids: Sequence[int]) -> dict[tuple[int, int], str]:
    """The pairs of these listings that were refused, each with the mark of the facts it was refused on."""
    rows = session.execute(_REFUSED, {"listings": listing_ids})
    return {(listing_id, product_id): before for listing_id, product_id, before in rows}


def _marks(session: Session, facts_of: Select[Any], ids: set[int]) -> dict[int, str]:
    rows = session.execute(facts_of, {"ids": sorted(ids)}) if ids else ()
    return {row[0]: facts.mark(row) for row in rows}
