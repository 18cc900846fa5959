"""What pages find in the catalogue: by codes, by words, and with the index what resembles them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

import matching
from matching.identifiers import gtin_neighbours, loose_key, match_key, parse_gtin
from matching.normalize import fold
from webapp.db import among_those
from webapp.models.catalog import Product
from webapp.models.listings import Listing
from webapp.services import words
from webapp.services.retrieval import CatalogueIndex, by_ids, listing_record, product_record

DOUBLES = 5  # look-alikes that are shown
FEW = 50  # products that are indexed on the spot to look for doubles among
ALIKE = 80  # of 100: how much of a typed word a product has to have
_NAMED = select(Product.id, Product.title, Product.brand, Product.sku, Product.gtin, Product.mpn).where(
    among_those(Product.id, "ids"), Product.retired_at.is_(None)
)


@dataclass(frozen=True)
class LookAlike:
    """A product that a new one may duplicate, and why."""

    product: Product
    reason: str


def look_alikes(session: Session, index: CatalogueIndex, listing: Listing) -> list[LookAlike]:
    """The products a new one made from this listing may duplicate, closest first.

    Beside the index, which may be a minute behind or not there yet, products that share the listing's GTIN, SKU or
    words are indexed on the spot and looked through.
    """
    record = listing_record(listing)
    likely = [*by_key(session, listing.sku), *by_key(session, listing.gtin), *_by_mistyped_gtin(session, listing)]
    likely += words.find_some(session, listing.title, limit=FEW)
    fresh = matching.Index.build([product_record(p) for p in by_ids(session, likely).values()])
    known = index.ready(session)
    found = {a.product_id: a for some in (known, fresh) if some is not None for a in matching.look_alikes(record, some)}
    products = by_ids(session, found)
    best = sorted(found.values(), key=lambda a: (-a.strength, str(a.product_id)))[:DOUBLES]
    return [LookAlike(products[a.product_id], a.reason) for a in best if a.product_id in products]


def search(
    session: Session,
    index: CatalogueIndex,
    text: str,
    *,
    limit: int = 20,
    fill: bool = False,
    where: Sequence[ColumnElement[bool]] = (),
) -> list[Product]:
    """Products found by free text: by the beginning of a SKU or a GTIN, then by all its words.

    When nothing has them all, or to `fill` the list up, what resembles the text comes behind. `where` are
    conditions on products.
    """
    ids = dict.fromkeys(by_key(session, text, limit=limit, where=where))
    if len(ids) < limit:
        ids.update(dict.fromkeys(words.find(session, text, limit=limit, where=where)))
    if not ids or (fill and len(ids) < limit):
        ids.update(dict.fromkeys(_resembling(session, index, text, limit, where)))
    products = by_ids(session, list(ids)[:limit])
    return [products[i] for i in list(ids)[:limit] if i in products]


def by_words(session: Session, index: CatalogueIndex, text: str, *, limit: int = 20) -> list[int]:
    """Ids of products with all the words, or where there is none, of those that resemble the text, closest first."""
    return words.find(session, text, limit=limit) or _resembling(session, index, text, limit, ())


def by_key(session: Session, text: str, *, limit: int = 20, where: Sequence[ColumnElement[bool]] = ()) -> list[int]:
    """Ids of products with this GTIN, or whose SKU is this up to typing or begins with it, the nearest first."""
    found: list[int] = []
    gtin = parse_gtin(text)
    if gtin is not None:
        query = select(Product.id).where(Product.gtin.in_(_spellings(text, gtin.digits)))
        found += session.scalars(query.where(Product.retired_at.is_(None), *where).order_by(Product.id).limit(limit))
    key = loose_key(match_key(text))
    if key:
        begins = (Product.loose_key >= key, Product.loose_key < key + chr(0x10FFFF))
        found += session.scalars(select(Product.id).where(*begins, *where).order_by(Product.loose_key).limit(limit))
    return list(dict.fromkeys(found))


def _resembling(
    session: Session, index: CatalogueIndex, text: str, limit: int, where: Sequence[ColumnElement[bool]]
) -> list[int]:
    """Ids of products that have a word of the text or a part of one; a mistyped one only with an index."""
    ready = index.ready(session)
    if ready is None:
        return words.find_some(session, text, limit=limit, where=where)
    ids = [int(i) for i in matching.search(text, ready, limit=limit)]
    query = _NAMED.where(*where) if where else _NAMED
    near = {row.id for row in session.execute(query, {"ids": ids}) if resembles(row, text)}
    return [i for i in ids if i in near]


def _by_mistyped_gtin(session: Session, listing: Listing) -> list[int]:
    """Ids of products whose GTIN has one other digit, or two neighbours the other way round."""
    gtin = parse_gtin(listing.gtin)
    if gtin is None:
        return []
    spellings = {s for other in gtin_neighbours(gtin.digits) for s in _spellings("", other)}
    return list(session.scalars(select(Product.id).where(Product.gtin.in_(sorted(spellings))).limit(FEW)))


def _spellings(text: str, digits: str) -> list[str]:
    """How a GTIN of 14 digits may stand in the catalogue: with its zeros, or without some of them."""
    cut = {digits[n:] for n in (0, 1, 2, 6) if not digits[:n].strip("0")} | {digits.lstrip("0")}
    return sorted(cut | ({text.strip()} if text else set()))


def resembles(product: Product | Row[*tuple[Any, ...]], text: str) -> bool:
    """Whether a product has a word of the text, a part of one, or one mistyped; the index also ranks mere neighbours.

    A word is found in title, brand, SKU or GTIN when rapidfuzz's partial_ratio is at least 80 of 100.
    """
    facts = fold(f"{product.title} {product.brand} {product.sku} {product.gtin} {product.mpn}")
    return any(fuzz.partial_ratio(word, facts) >= ALIKE for word in fold(text).split() if len(word) > 1)
