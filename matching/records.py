"""The frozen values that go into matching and come out of it: records, evidence, candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class Verdict(StrEnum):
    """What one field says about a pair."""

    SAME = "same"
    CLOSE = "close"
    DIFFERS = "differs"
    MISSING = "missing"
    NOT_USED = "not_used"


class Advice(StrEnum):
    """How a person should read a candidate before looking at its evidence."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class Record:
    """A product of the catalogue, or a listing of a marketplace, as plain text and exact numbers.

    Empty text and None mean "not given". `options` holds variant options by name ("Size": "750 ml").
    `aliases` are titles of listings that people confirmed for this product; listings have none.
    """

    id: int | str
    sku: str = ""
    title: str = ""
    brand: str = ""
    gtin: str = ""
    mpn: str = ""
    description: str = ""
    category: str = ""
    price: Decimal | None = None
    currency: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: _NO_OPTIONS)
    aliases: Sequence[str] = ()


def price_of(record: Record) -> Decimal | None:
    """The price of a record; None when it is not given or no number (a Decimal may be NaN or infinite)."""
    price = record.price
    return price if price is not None and price.is_finite() else None


class Marks(NamedTuple):
    """The character spans, as (start, end) pairs, in which two texts differ: one tuple for each side."""

    ours: tuple[tuple[int, int], ...] = ()
    theirs: tuple[tuple[int, int], ...] = ()


NO_MARKS: Final = Marks()


class Evidence(NamedTuple):
    """What one field contributes to a score: both values, the verdict and `points` out of `of`.

    `ours` is the product's value and `theirs` the listing's. A field with nothing to compare has `of` = 0.
    """

    field: str
    verdict: Verdict
    ours: str = ""
    theirs: str = ""
    points: int = 0
    of: int = 0
    note: str = ""
    marks: Marks = NO_MARKS


class Candidate(NamedTuple):
    """One product suggested for a listing: its score is the sum of its evidence, 0 to 100."""

    product_id: int | str
    score: int
    evidence: tuple[Evidence, ...]
    advice: Advice
    rank: int
    difference: str = ""
