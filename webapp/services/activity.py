"""What lies behind the lines of the trail that are acts on links: listing, product, and whether undo is possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models.accounts import Actor, AuditEntry, Permission
from webapp.models.catalog import Product
from webapp.models.links import BatchVerb, Link, LinkBatch, PastLink
from webapp.models.listings import Listing
from webapp.services.links import UNDO_DAYS

SUBJECT = "batch "


@dataclass(frozen=True)
class Act:
    """An act on links; listing and product when it was about one pair."""

    batch: LinkBatch
    listing: Listing | None
    product: Product | None
    can_undo: bool


def acts(session: Session, rows: Iterable[AuditEntry], *, by: Actor, now: datetime) -> dict[str, Act]:
    """The acts that these lines of the trail tell of, by their subject ("batch 12")."""
    numbers = [r.subject.removeprefix(SUBJECT) for r in rows if r.subject.startswith(SUBJECT)]
    ids = [int(n) for n in numbers if n.isdecimal()]
    if not ids:
        return {}
    batches = list(session.scalars(select(LinkBatch).where(LinkBatch.id.in_(ids))))
    ones = [b for b in batches if b.listing_id is not None]
    query = select(Listing).where(Listing.id.in_([b.listing_id for b in ones]))
    listings = {listing.id: listing for listing in session.scalars(query)}
    products = _products(session, ones)
    return {
        f"{SUBJECT}{b.id}": Act(b, listings.get(b.listing_id or 0), products.get(b.id), can_undo(b, by, now))
        for b in batches
    }


def _products(session: Session, batches: list[LinkBatch]) -> dict[int, Product]:
    """The product of each act on one listing: of the link it made, or of the one it ended."""
    if not batches:
        return {}
    of = {b.listing_id: b for b in batches}
    made = select(Link.listing_id, Link.batch_id, Product).join(Product, Product.id == Link.product_id)
    past = select(PastLink.listing_id, PastLink.batch_id, PastLink.ended_batch_id, Product)
    past = past.join(Product, Product.id == PastLink.product_id).where(PastLink.listing_id.in_(of))
    ids = {b.id for b in batches}
    found: dict[int, Product] = {}
    for _listing, began, ended, product in session.execute(past):
        found |= {batch: product for batch in (began, ended) if batch in ids}
    for _listing, began, product in session.execute(made.where(Link.listing_id.in_(of))):
        found |= {began: product} if began in ids else {}
    return found


def can_undo(batch: LinkBatch, by: Actor, now: datetime) -> bool:
    """Whether this person may take the act back: it stands, is young enough, and not many pairs of somebody else."""
    stands = batch.undone_by is None and batch.verb != BatchVerb.UNDO and batch.changed > 0
    theirs = batch.changed > 1 and batch.by_id != by.id
    may = by.may(Permission.UNSYNC_MANY) if theirs else by.may(Permission.LINK)
    return stands and may and batch.at > now - timedelta(days=UNDO_DAYS)
