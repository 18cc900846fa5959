"""The catalogue as a search index: built once, refreshed as products and confirmed titles change.

The index is a cache of the tables and may be thrown away at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rapidfuzz import fuzz
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import matching
from matching.normalize import fold
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.links import Link
from webapp.models.listings import Listing

LOOK_AGAIN = 1.0  # seconds between two looks for changed products
OVERLAP = timedelta(seconds=10)  # a transaction may commit a little after the moment it wrote down
CHUNK = 5_000
ALIKE = 80  # of 100: how much of a typed word a product has to have


@dataclass(frozen=True)
class LookAlike:
    """A product that a new one may duplicate, and why."""

    product: Product
    reason: str


class CatalogueIndex:
    """The index of this process; safe to share between threads."""

    def __init__(self) -> None:
        self._index: matching.Index | None = None
        self._seen: datetime | None = None
        self._looked = 0.0
        self._lock = threading.Lock()

    def current(self, session: Session) -> matching.Index:
        """The index as of at most a second ago."""
        with self._lock:
            if self._index is None:
                self._seen = session.scalar(select(func.max(Product.changed_at)))
                self._index = matching.Index.build(product_records(session))
                self._looked = time.monotonic()
            elif time.monotonic() - self._looked > LOOK_AGAIN:
                self._refresh(session, self._index)
            return self._index

    def forget(self) -> None:
        """Build afresh at the next use."""
        with self._lock:
            self._index = None

    def _refresh(self, session: Session, index: matching.Index) -> None:
        newest = session.scalar(select(func.max(Product.changed_at)))
        if newest != self._seen:
            since = (self._seen - OVERLAP) if self._seen else datetime.min.replace(tzinfo=utc_now().tzinfo)
            index.update(list(product_records(session, since=since)))
            gone = session.scalars(select(Product.id).where(Product.retired_at >= since))
            index.remove(list(gone))
            self._seen = newest
        self._looked = time.monotonic()


def product_records(session: Session, *, since: datetime | None = None) -> Iterator[matching.Record]:
    """Products as matching wants them, with the titles of their confirmed listings as aliases."""
    last = 0
    while True:
        query = select(Product).where(Product.id > last, Product.retired_at.is_(None)).order_by(Product.id).limit(CHUNK)
        if since is not None:
            query = query.where(Product.changed_at >= since)
        products = list(session.scalars(query))
        if not products:
            return
        last = products[-1].id
        aliases = _aliases(session, [p.id for p in products])
        for product in products:
            yield _record(product, aliases.get(product.id, ()))


def product_record(product: Product) -> matching.Record:
    """One product as matching wants it."""
    return _record(product, ())


def listing_record(listing: Listing) -> matching.Record:
    """One listing as matching wants it."""
    return matching.Record(
        id=listing.id,
        sku=listing.sku,
        title=listing.title,
        brand=listing.brand,
        gtin=listing.gtin,
        mpn=listing.mpn,
        description=listing.description,
        category=listing.category,
        price=listing.price,
        currency=listing.currency,
        options=listing.options or {},
    )


def look_alikes(session: Session, index: CatalogueIndex, listing: Listing) -> list[LookAlike]:
    """The products a new one made from this listing may duplicate, closest first."""
    found = matching.look_alikes(listing_record(listing), index.current(session))
    products = by_ids(session, [alike.product_id for alike in found])
    return [LookAlike(products[a.product_id], a.reason) for a in found if a.product_id in products]


def search(session: Session, index: CatalogueIndex, text: str, *, limit: int = 20) -> list[Product]:
    """Products found by free text: SKU or GTIN first, then words, rarest first."""
    ids = matching.search(text, index.current(session), limit=limit)
    products = by_ids(session, ids)
    return [products[i] for i in ids if i in products]


def resembles(product: Product, text: str) -> bool:
    """Whether a product has a word of the text, a part of one, or one mistyped; the index also ranks mere neighbours.

    A word is found in title, brand, SKU or GTIN when rapidfuzz's partial_ratio is at least 80 of 100.
    """
    facts = fold(f"{product.title} {product.brand} {product.sku} {product.gtin} {product.mpn}")
    return any(fuzz.partial_ratio(word, facts) >= ALIKE for word in fold(text).split() if len(word) > 1)


def by_ids(session: Session, ids: Iterable[int | str]) -> dict[int | str, Product]:
    """Products by id, those that are still there."""
    wanted = [int(i) for i in ids]
    return {
        p.id: p for p in session.scalars(select(Product).where(Product.id.in_(wanted), Product.retired_at.is_(None)))
    }


def _record(product: Product, aliases: Sequence[str]) -> matching.Record:
    return matching.Record(
        id=product.id,
        sku=product.sku,
        title=product.title,
        brand=product.brand,
        gtin=product.gtin,
        mpn=product.mpn,
        description=product.description,
        category=product.category,
        price=product.price,
        currency=product.currency,
        options=product.options or {},
        aliases=aliases,
    )


def _aliases(session: Session, product_ids: Sequence[int]) -> dict[int, list[str]]:
    """Titles of confirmed listings by product: what other channels call it."""
    if not product_ids:
        return {}
    query = (
        select(Link.product_id, Listing.title)
        .join(Listing, Listing.id == Link.listing_id)
        .where(Link.product_id.between(product_ids[0], product_ids[-1]), Listing.title != "")
    )
    titles: dict[int, list[str]] = {}
    for product_id, title in session.execute(query):
        titles.setdefault(product_id, []).append(title)
    return titles
