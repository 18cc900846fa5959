"""Quantities of one pair as a field compares and words them; `quantities` has the same for all candidates at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import prod
from typing import Final

from matching.facts import COUNT, PACK
from matching.lexicon import DIMENSION_ID, DIMENSIONS
from matching.normalize import number_text
from matching.quantities import NOMINAL, alike
from matching.wording import phrase

_alike_values: Final = getattr(alike, "py_func", alike)  # a call into compiled code takes longer than the two numbers


class Quantities(dict[int, list[float]]):
    """The values of a side by dimension, never changed: `sides` makes one of equal lists.

    So each is a key by itself, and what two of them say is worked out once for the many products that share them.
    """

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


NO_QUANTITIES: Final = Quantities()
#: Dimensions that say how much is sold: a conflict there makes another product, where another length or power may
#: be a detail that only one seller mentions.
_CONTENTS: Final = frozenset(DIMENSION_ID[n] for n in ("volume", "mass", "oz", "storage"))
_CAPACITY: Final = DIMENSION_ID["capacity"]
_LENGTHS: Final = frozenset(DIMENSION_ID[n] for n in ("length", "screen"))
#: The units in which people write a dimension, from small to large, with what each is in its base unit.
_UNITS: Final = {
    "volume": (("ml", 1), ("l", 1000)), "mass": (("µg", 1e-6), ("mg", 1e-3), ("g", 1), ("kg", 1000)),
    "length": (("mm", 1), ("m", 1000)), "storage": (("MB", 1e-3), ("GB", 1), ("TB", 1024)),
    "power": (("W", 1), ("kW", 1000)), "voltage": (("V", 1), ("kV", 1000)),
    "frequency": (("Hz", 1e-6), ("kHz", 1e-3), ("MHz", 1), ("GHz", 1000)), "screen": (("in", 1),),
    "energy": (("Wh", 1), ("kWh", 1000)), "charge": (("mAh", 1), ("Ah", 1000)), "resolution": (("MP", 1),),
    "speed": (("rpm", 1),), "area": (("sq ft", 1),), "oz": (("oz", 1),),
    "capacity": (("cu ft", 1),),
}  # fmt: skip


@lru_cache(maxsize=20_000)
def quantity_text(dimension: int, value: float) -> str:
    """A quantity as people write it: (volume, 1500) is "1.5 l"."""
    if dimension == PACK:
        return phrase("{n} in a pack", n=number_text(round(value, 3)))
    if dimension == COUNT and round(value, 3) == 1:
        return phrase("1 piece")
    if dimension == COUNT:
        return phrase("{n} pieces", n=number_text(round(value, 3)))
    units = _UNITS[DIMENSIONS[dimension]]
    # Three decimals are shown: 0.9999999 mg of an inexact product is a milligram.
    unit, factor = next(((u, f) for u, f in reversed(units) if round(value / f, 3) >= 1), units[0])
    return f"{number_text(round(value / factor, 3))} {unit}"


def texts_of(dimension: int, values: Iterable[float]) -> str:
    """Several quantities of a dimension in words."""
    return ", ".join(quantity_text(dimension, v) for v in values)


def agrees(dimension: int, a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether all values of the shorter list are in the longer: 8 and 256 GB are not 4 and 256 GB."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    return all(any(_alike_values(dimension, x, y) for y in long) for x in short)


def _adds_up(dimension: int, side: Quantities, other: Quantities) -> bool:
    """Whether the other side's number is this one's total: "2 x 30 tablets" are 60, "10 kg + 2 kg" are 12.

    Packs of packs multiply: "12 x 85 g, 4 pack" are 48.
    """
    values = side[dimension]
    packs = [n for d in (PACK, COUNT) if d != dimension for n in side.get(d, ()) if n > 1]
    totals = [value * n for value in values for n in packs]
    if len(values) > 1:
        totals += [sum(values), prod(values)] if dimension == PACK else [sum(values)]
    return any(_alike_values(dimension, total, one) for total in totals for one in other[dimension])


def as_much(dimension: int, ours: Quantities, theirs: Quantities) -> bool:
    """Whether one side's number is the total of the other's, whichever side says it in parts."""
    return _adds_up(dimension, ours, theirs) or _adds_up(dimension, theirs, ours)


def rules_out(dimension: int, a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether values that do not agree make two products: contents do, capacities far apart, and crossed measures."""
    if dimension == _CAPACITY:
        return not any(abs(x - y) <= NOMINAL * max(x, y) for x in a for y in b)
    return dimension in _CONTENTS or (dimension in _LENGTHS and len(a) == len(b) > 1)
