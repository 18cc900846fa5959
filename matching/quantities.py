"""Quantities of two sides in compiled loops: which are the same, which rule each other out, and what adds up."""

from __future__ import annotations

from typing import Final

from numba import njit

from matching.kernels import FloatArray, IntArray

N_DIMENSIONS: Final = 17  # as many as lexicon.DIMENSIONS
PACK_DIMENSION: Final = 7
COUNT_DIMENSION: Final = 8
CAPACITY_DIMENSION: Final = 16
LENGTH_DIMENSION: Final = 2
#: Quantities are the same up to this share of the larger: a terabyte is 1,000 GB to some and 1,024 to others.
NEAR: Final = 0.025
#: Lengths are made in steps that small (skis of 156 and 159 cm), but for feet, which others round to metres.
NEAR_LENGTH: Final = 0.006
_FOOT: Final = 304.8  # mm
#: What an appliance holds differs by so much with the standard by which it was measured: within that, it is a detail.
NOMINAL: Final = 0.15


@njit(cache=True, nogil=True)
def _in_feet(value: float) -> bool:
    feet = value / _FOOT
    return abs(feet - round(feet)) < 1e-6


@njit(cache=True, nogil=True)
def alike(dimension: int, a: float, b: float) -> bool:
    """Whether two values of a dimension, in its base unit, are the same as people write them; counts are exact."""
    if dimension in (PACK_DIMENSION, COUNT_DIMENSION):
        return a == b
    narrow = dimension == LENGTH_DIMENSION and not (_in_feet(a) or _in_feet(b))
    return abs(a - b) <= (NEAR_LENGTH if narrow else NEAR) * max(a, b)


@njit(cache=True, nogil=True)
def _has(dims: IntArray, values: FloatArray, dimension: int, value: float) -> bool:
    """Whether a quantity is among others."""
    met = 0
    for i in range(len(dims)):
        met += dims[i] == dimension and alike(dimension, values[i], value)
    return met > 0


@njit(cache=True, nogil=True)
def _meets(qd: IntArray, qv: FloatArray, dd: IntArray, dv: FloatArray, dimension: int, near: float) -> bool:
    """Whether a quantity of this dimension is among the others, up to `near` of the larger."""
    for i in range(len(qd)):
        for j in range(len(dd)):
            if qd[i] == dimension and dd[j] == dimension and abs(qv[i] - dv[j]) <= near * max(qv[i], dv[j]):
                return True
    return False


@njit(cache=True, nogil=True)
def _adds_up(qd: IntArray, qv: FloatArray, dd: IntArray, dv: FloatArray, dimension: int) -> bool:
    """Whether one side's number is the total of the other's: "2 x 30 tablets" are 60, "10 kg + 2 kg" are 12.

    Packs of packs multiply: "12 x 85 g, 4 pack" are 48.
    """
    total, n = 0.0, 0
    for i in range(len(qd)):
        if qd[i] != dimension:
            continue
        total += qv[i]
        n += 1
        for j in range(len(qd)):
            packs = qd[j] == PACK_DIMENSION or (qd[j] == COUNT_DIMENSION and dimension != COUNT_DIMENSION)
            if packs and qv[j] > 1 and _has(dd, dv, dimension, qv[i] * qv[j]):
                return True
    return n > 1 and _has(dd, dv, dimension, total)


@njit(cache=True, nogil=True)
def _counted_as(qd: IntArray, qv: FloatArray, dd: IntArray, dv: FloatArray) -> bool:
    """Whether a pack of one side is as many pieces of the other: "6er Pack" and "6 pcs"."""
    met = 0
    for i in range(len(qd)):
        met += qd[i] == PACK_DIMENSION and qv[i] > 1 and _has(dd, dv, COUNT_DIMENSION, qv[i])
    return met > 0


@njit(cache=True, nogil=True)
def _as_packs(dims: IntArray, values: FloatArray) -> bool:
    """Whether one number counts packs as well as pieces ("pack of 6 pieces"), so that it may mean either."""
    packs = 0
    for i in range(len(dims)):
        packs += dims[i] == PACK_DIMENSION and _has(dims, values, COUNT_DIMENSION, values[i])
    return packs > 0


@njit(cache=True, nogil=True)
def compared(
    qd: IntArray, qv: FloatArray, dd: IntArray, dv: FloatArray,
) -> tuple[int, int, int, int, int]:  # fmt: skip
    """Dimensions that agree, conflict, conflict in content; pack verdict (1, 0, -1); whether one side names a pack."""
    agree, conflict, content, pack, one_sided = 0, 0, 0, 0, 0
    pieces, doubtful = 0, False
    for dimension in range(N_DIMENSIONS - 1, -1, -1):  # pieces come before packs
        n_q, n_d, met_q, met_d = 0, 0, 0, 0
        largest = 0.0
        for i in range(len(qd)):
            if qd[i] == dimension:
                n_q += 1
                largest = max(largest, qv[i])
                met_q += _has(dd, dv, dimension, qv[i])
        for j in range(len(dd)):
            if dd[j] == dimension:
                n_d += 1
                largest = max(largest, dv[j])
                met_d += _has(qd, qv, dimension, dv[j])
        both = n_q > 0 and n_d > 0
        # Of several values on both sides those of the shorter list have to be there: 8 and 256 GB are not 4 and 256 GB.
        same = both and (met_q == n_q if n_q <= n_d else met_d == n_d)
        if dimension == PACK_DIMENSION:
            if both:
                pack = 1 if same or (pieces > 0 and doubtful) else -1
                if pack < 0 and (_adds_up(qd, qv, dd, dv, dimension) or _adds_up(dd, dv, qd, qv, dimension)):
                    pack = 0
            elif _counted_as(qd, qv, dd, dv) or _counted_as(dd, dv, qd, qv):
                pack = 1
            elif (n_q or n_d) and largest > 1:
                one_sided = 1
        elif both:
            if dimension == COUNT_DIMENSION:
                pieces = 1 if same else -1
                doubtful = _as_packs(qd, qv) or _as_packs(dd, dv)
            agree += same
            if not same and (_adds_up(qd, qv, dd, dv, dimension) or _adds_up(dd, dv, qd, qv, dimension)):
                continue  # neither the same nor another
            conflict += not same
            crossed = dimension in (2, 13) and n_q > 1 and n_d == n_q
            if dimension in (0, 1, 3, 8, 15) or crossed:
                content += not same
            elif dimension == CAPACITY_DIMENSION:
                content += not _meets(qd, qv, dd, dv, dimension, NOMINAL)
    return agree, conflict, content, pack, one_sided
