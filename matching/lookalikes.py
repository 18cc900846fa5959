"""The guard against duplicates: products of the catalogue that a listing to be added may already be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from matching.blocking import Index, View
from matching.document import document
from matching.identifiers import gtin_distance_one, gtin_neighbours, match_key, near_miss, parse_gtin
from matching.normalize import fold
from matching.records import Record

#: How alike two names have to be, of 100 (rapidfuzz token_sort_ratio of the folded titles).
NAME_ALIKE: Final = 80


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A product that may be the same thing: why, as an id and as words, the strongest reason first."""

    product_id: int | str
    reason: str
    words: str
    strength: int


def look_alikes(record: Record, index: Index, *, limit: int = 5) -> list[LookAlike]:
    """Products with the same GTIN, one digit away from it, the same SKU up to typing, or a name at least 80 % alike."""
    near = index.find(document(record), sku=record.sku)
    view = near.view
    places = dict.fromkeys([*_by_gtin(record, view), *near.places])
    judged = []
    for place in places:
        if view.alive(*place):
            found = _reason(record, view.record(place))
            if found:
                judged.append(found)
    return sorted(judged, key=lambda j: (-j.strength, str(j.product_id)))[:limit]


def _by_gtin(record: Record, view: View) -> list[tuple[int, int]]:
    """Places of products whose GTIN is the listing's, or one wrong digit or exchange of neighbours away."""
    gtin = parse_gtin(record.gtin) if record.gtin else None
    if gtin is None:
        return []
    numbers = [int(gtin.digits), *map(int, gtin_neighbours(gtin.digits))]
    return [(n, place) for n, segment in enumerate(view.segments) for place in segment.places_of_gtins(numbers)]


def _reason(record: Record, product: Record) -> LookAlike | None:
    """The strongest reason why a product may be this listing; None when there is none."""
    ours, theirs = parse_gtin(product.gtin), parse_gtin(record.gtin)
    if ours and theirs and ours.digits == theirs.digits:
        return LookAlike(product.id, "same_gtin", f"Same GTIN, {ours.digits}", 100)
    a, b = match_key(product.sku), match_key(record.sku)
    if a and a == b:
        return LookAlike(product.id, "same_sku", f"Same SKU, {a}", 99)
    if miss := near_miss(a, b):
        return LookAlike(product.id, "near_sku", f"SKU {a}: the two {miss.words}", 95)
    if ours and theirs and gtin_distance_one(ours.digits, theirs.digits) and not (ours.valid and theirs.valid):
        return LookAlike(product.id, "near_gtin", f"GTIN {ours.digits} is one wrong digit away", 94)
    alike = int(fuzz.token_sort_ratio(fold(product.title), fold(record.title))) if record.title else 0
    if alike >= NAME_ALIKE:
        return LookAlike(product.id, "alike_name", f"Name {alike} % alike", alike - 10)
    return None
