"""What says that a confirmed pair is two products after all: the conflicts that cap a score, and prices far apart."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from matching.decide import compare
from matching.fields import CAPS, compare_gtin, compare_options, compare_pack, compare_size
from matching.money import one_currency
from matching.records import Evidence, Record, price_of
from matching.sides import Side

#: A price this many times the other is no discount any more: rather a case of six, or another product.
FAR: Final = 3
_CONFLICTS: Final = (compare_gtin, compare_pack, compare_size, compare_options)


class Contradiction(NamedTuple):
    """Why a pair may be wrong: its score when compared by itself, and the evidence that contradicts.

    The evidence comes in the order of what rules a pair out most firmly; prices, which cap no score, come last.
    """

    score: int
    evidence: tuple[Evidence, ...]


def contradiction(product: Record, listing: Record) -> Contradiction | None:
    """What contradicts in a pair: another valid GTIN, pack count, size, content or option value, or FAR prices.

    None when nothing does. Only fields that both sides give can contradict.
    """
    ours, theirs = Side.of(product), Side.of(listing)
    fields = {found.field for found in (look(ours, theirs) for look in _CONFLICTS) if found.conflict}
    if price_factor(product, listing) >= FAR:
        fields.add("price")
    if not fields:
        return None
    judged = compare(product, listing)
    said = [e for e in judged.evidence if e.field in fields]
    said.sort(key=lambda e: CAPS.get(e.field, 100))
    return Contradiction(judged.score, tuple(said))


def price_factor(product: Record, listing: Record) -> Decimal:
    """How many times the lower price the higher one is; 1 unless both are given, in what is surely one currency."""
    ours, theirs = price_of(product), price_of(listing)
    if ours is None or theirs is None or min(ours, theirs) <= 0:
        return Decimal(1)
    if not one_currency(product.currency, listing.currency):
        return Decimal(1)
    return max(ours, theirs) / min(ours, theirs)
