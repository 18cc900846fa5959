"""Labelled sets on disk: folders with products.csv, listings.csv and truth.csv, read into records."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zlib import crc32

from matching.records import Record

csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True)
class LabelledSet:
    """Products, listings, and for each listing that has one the ids of its acceptable products."""

    name: str
    products: list[Record]
    listings: list[Record]
    truth: dict[int | str, set[int | str]]

    def reversed(self) -> LabelledSet:
        """The same pairs with the sides exchanged: another catalogue to learn from."""
        truth: dict[int | str, set[int | str]] = {}
        for listing, products in self.truth.items():
            for product in products:
                truth.setdefault(product, set()).add(listing)
        return LabelledSet(f"{self.name}, reversed", self.listings, self.products, truth)

    def worn(self) -> LabelledSet:
        """The same pairs as poor data: a quarter of the title's words and half of the brands gone, no text, no price.

        Which ones is decided by a hash of the record's id, so that it is the same each time.
        """
        products, listings = ([_worn(r) for r in side] for side in (self.products, self.listings))
        return LabelledSet(f"{self.name}, worn", products, listings, self.truth)


def _worn(record: Record) -> Record:
    title = " ".join(w for w in record.title.split() if crc32(f"{record.id} {w}".encode()) % 100 >= 25)
    brand = record.brand if crc32(str(record.id).encode()) % 2 else ""
    return replace(record, title=title or record.title, brand=brand, description="", price=None)


def _price(text: str) -> Decimal | None:
    """A plain positive decimal with at most four places; sets mix currencies and notations, the rest is nothing."""
    try:
        value = Decimal((text or "").replace("$", "").replace("USD", "").strip())
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    return value if value.is_finite() and value > 0 and isinstance(exponent, int) and -4 <= exponent <= 0 else None


def _records(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield Record(
                row["id"],
                title=row["title"] or "",
                brand=row["brand"] or "",
                gtin=row["gtin"] or "",
                mpn=row["mpn"] or "",
                description=(row["description"] or "")[:30_000],
                category=row["category"] or "",
                price=_price(row["price"]),
            )


def read_set(folder: str | Path) -> LabelledSet:
    """Read a folder; the SKU is hidden, so that only the other fields can find a pair."""
    path = Path(folder)
    truth: dict[int | str, set[int | str]] = {}
    with (path / "truth.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            truth.setdefault(row["listing_id"], set()).add(row["product_id"])
    return LabelledSet(path.name, list(_records(path / "products.csv")), list(_records(path / "listings.csv")), truth)
