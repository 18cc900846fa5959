"""What makes a person look at a pair that would be likely: counts on one side only, other numbers, another kind."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from matching.facts import COUNT, PACK
from matching.fields import Finding
from matching.kinds import other_kind
from matching.lexicon import SCENTS
from matching.measures import Quantities, as_much
from matching.records import Verdict
from matching.replaced import replaced_number
from matching.sides import Side
from matching.wording import phrase

#: The highest score of a pair at which a person should look first.
DOUBTFUL: Final = 74
#: The share of their points that titles earn in which a number may be all that differs.
_NEARLY_EQUAL: Final = 0.49
_ONE_SIDED: Final = phrase("only one side says how many")
_NUMBER: Final = phrase("Number")
_KIND: Final = phrase("Kind")


def is_doubtful(product: Side, listing: Side, said: list[Finding]) -> bool:
    """Whether a person should look at a pair that is likely: only one side says how many, or a number is another.

    Nearly equal titles that differ by a number name siblings, unless SKU or GTIN says that all is one, and so do an eau
    de parfum and an eau de toilette, left and right, a refill and what it refills. The finding says so then. Asked only
    of pairs that would be likely, since it takes as long as all other fields.
    """
    if product.sku and product.sku == listing.sku:
        return False
    if product.gtin and listing.gtin and product.gtin.digits == listing.gtin.digits:
        return False
    if _one_sided(product.quantities, listing.quantities):
        said[:] = [replace(f, note=_ONE_SIDED) if f.field == "pack" else f for f in said]
        return True
    title = said[0]
    if title.field != "title" or title.verdict is Verdict.SAME or title.note:
        return False
    field, differing = _KIND, _scents(product, listing) or other_kind(product, listing)
    if differing is None and title.verdict is Verdict.CLOSE and title.share >= _NEARLY_EQUAL:
        field, differing = _NUMBER, replaced_number(product, listing)
    if differing is None:
        return False
    ours, theirs = differing
    if ours and theirs:
        title.note = phrase("{field} differs: {ours}, not {theirs}", field=field, ours=ours, theirs=theirs)
    else:
        title.note = phrase("only one side says: {word}", word=ours or theirs)
    title.conflict = True
    return True


def _scents(product: Side, listing: Side) -> tuple[str, str] | None:
    """How strong a scent is where the titles say two things of it, "EDP" and "EDT"; None when they do not."""
    ours, theirs = (SCENTS.keys() & side.tokens for side in (product, listing))
    if not ours or not theirs or ours & theirs:
        return None
    return ", ".join(sorted(ours)).upper(), ", ".join(sorted(theirs)).upper()


@lru_cache(maxsize=20_000)
def _one_sided(ours: Quantities, theirs: Quantities) -> bool:
    """Whether one side counts packs or pieces and the other none, unless it is as much in all by another measure."""
    for one, other in ((PACK, COUNT), (COUNT, PACK)):
        for side, silent in ((ours, theirs), (theirs, ours)):
            counted = [n for n in side.get(one, ()) if n > 1 and n not in silent.get(other, ())]
            if counted and one not in silent:
                return not any(as_much(d, ours, theirs) for d in ours if d in theirs)
    return False
