"""One search over everything that has a page: products by their codes and words, listings by their codes.

Every way in is an index, so the answer takes as long in a catalogue of a million rows as in a small one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from matching.identifiers import match_key
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.services import retrieval, searching

MOST = 6  # of each kind: a list that is read at a glance, not paged


@dataclass(frozen=True)
class Found:
    """What a text means: products, the closest first, and listings with their channels."""

    products: Sequence[Product] = ()
    listings: Sequence[tuple[Listing, Channel]] = ()


def find(session: Session, index: retrieval.CatalogueIndex, text: str) -> Found:
    """Up to MOST products and listings: by the beginning of a SKU or a listing id, by a GTIN, products by words too.

    Room that is left among the listings goes to those that the products are linked to.
    """
    text = text.strip()
    if not text:
        return Found()
    products = searching.search(session, index, text, limit=MOST)
    ids = dict.fromkeys(_by_code(session, text))
    if len(ids) < MOST and products:
        theirs = select(Link.listing_id).where(Link.product_id.in_([p.id for p in products]))
        ids.update(dict.fromkeys(session.scalars(theirs.order_by(Link.product_id, Link.id).limit(MOST))))
    query = select(Listing, Channel).join(Channel, Channel.id == Listing.channel_id)
    rows = {listing.id: (listing, channel) for listing, channel in session.execute(query.where(Listing.id.in_(ids)))}
    return Found(products, [rows[i] for i in ids if i in rows][:MOST])


def _by_code(session: Session, text: str) -> Sequence[int]:
    """Listings whose id on the channel, or whose SKU, is the text or begins with it; the nearest first."""
    begins = [
        select(Listing.id, column.label("code"))
        .where(Listing.channel_id == channel, column >= word, column < word + chr(0x10FFFF))
        .order_by(column)
        .limit(MOST)
        for channel in session.scalars(select(Channel.id))
        for column, word in ((Listing.external_id, text), (Listing.match_key, match_key(text) or text))
    ]
    if not begins:
        return []
    rows = session.execute(union_all(*(select(each.subquery()) for each in begins))).all()
    return [i for i, code in sorted(rows, key=lambda row: (row.code != text, row.code, row.id))]
