"""A shop of two bottles, for the tests of the review."""

from __future__ import annotations

import re
from typing import Any

from tests.factories import Make
from webapp.models import Suggestion

HX = {"HX-Request": "true"}
BOTTLE = "Nomad insulated bottle 750 ml"


def bottles(m: Make, *, many: bool = False, same: int = 1) -> dict[str, Any]:
    """A waiting listing (or `same` ones with one SKU) with two products that it may be."""
    channel = m.channel("Amazon", many=many)
    sage = m.product("NOM-BTL-SGE", title=f"{BOTTLE}, sage", brand="Nomad")
    sand = m.product("NOM-BTL-SND", title=f"{BOTTLE}, sand", brand="Nomad")
    made = [
        m.listing("NMBTLSGE", channel=channel, listing_id=f"B0{i}", title=f"NOMAD {BOTTLE} sage", brand="NOMAD")
        for i in range(same)
    ]
    for listing in made:
        for rank, (product, score) in enumerate(((sage, 91), (sand, 74)), 1):
            said = {"field": "title", "verdict": "close", "ours": product.title, "theirs": listing.title, "note": ""}
            said |= {"points": score, "of": 100, "marks": [[], [[0, 5]]]}
            why = "" if rank == 1 else "Colour differs: sand, not sage"
            row = {"listing_id": listing.id, "rank": rank, "product_id": product.id, "score": score}
            m.session.add(Suggestion(**row, difference=why, evidence=[said]))
        listing.place = 9
    m.session.flush()
    return {"listing": made[0].id, "sage": sage.id, "sand": sand.id, "channel": channel.id}


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))


def version(page: str) -> str:
    return re.search(r'name="version" value="([^"]+)"', page)[1]
