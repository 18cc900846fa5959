"""Free-text search of the catalogue: beginnings of SKUs and GTINs first, then words, the rarest first."""

from __future__ import annotations

from matching.blocking import Index
from matching.document import document
from matching.identifiers import loose_key, match_key, parse_gtin
from matching.records import Record

_READ = 200


def search(text: str, index: Index, *, limit: int = 20) -> list[int | str]:
    """Ids of products for what a person typed: exact and beginning SKUs and GTINs, then the most alike titles.

    Words weigh by how rare they are in the catalogue, and parts of words count, so a mistyped word still finds.
    """
    text = text[:_READ].strip()
    places: dict[tuple[int, int], None] = {}
    key = loose_key(match_key(text))
    gtin = parse_gtin(text)
    view = index.view
    for number, segment in enumerate(view.segments):
        found = segment.places_of_gtins([int(gtin.digits)]) if gtin else []
        found += segment.places_of_sku(key, prefix=True, limit=limit)
        places.update(((number, place), None) for place in found)
    if len(places) < limit:
        more = index.find(document(Record("", title=text)), limit, view=view)
        places.update((place, None) for place in more.places)
    alive = [p for p in places if view.alive(*p)]
    return [view.record(p).id for p in alive[:limit]]
