"""Points that add up: each field earns by its own finding, and one line holds what the learned score knows besides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def whole(parts: Array, total: int, limits: Array, out: Array) -> None:
    """Whole numbers near `parts` that add up to `total` (largest remainder), none above its limit."""
    left = total
    n = len(parts)
    rest, order = np.empty(n), np.empty(n, np.int64)
    for i in range(n):
        out[i] = np.int64(parts[i] + 1e-9)
        rest[i] = out[i] - parts[i]
        left -= out[i]
        at = i
        while at > 0 and rest[order[at - 1]] > rest[i]:  # a dozen are sorted sooner by hand
            order[at] = order[at - 1]
            at -= 1
        order[at] = i
    while left > 0:
        before = left
        for j in order:
            if left > 0 and parts[j] > 0 and out[j] < limits[j]:
                out[j] += 1
                left -= 1
        if left == before:
            break


@njit(cache=True, nogil=True)
def share_out(weights: Array, shares: Array, ends: Array, scores: Array, learned: bool) -> Array:
    """Points and the most of them for each compared field, a line each, by its weight and its share of its points.

    Candidate k has the lines up to ends[k]. A field's points are its share of its most: one that is only close never
    looks as if it were the same. The learned score knows more than the fields (how rare the shared words are, how far a
    candidate stands out): with `learned` the last line of a candidate holds that, and grows beyond its weight where the
    score is further from the fields. Without it the score comes from the fields alone, and a capped one leaves its
    points unearned.
    """
    out = np.zeros((len(weights), 2), np.int64)
    begin = 0
    for k in range(len(ends)):
        end = ends[k]
        _one(weights[begin:end], shares[begin:end], scores[k], learned, out[begin:end, 0], out[begin:end, 1])
        begin = end
    return out


@njit(cache=True, nogil=True)
def _one(weights: Array, shares: Array, points: int, learned: bool, gained_out: Array, most: Array) -> None:
    """Fill in the points of one candidate's fields and the most of each."""
    m = len(weights)
    if m == 0 or weights.sum() == 0:
        return
    fields = m - 1 if learned else m
    score, total = points / 100, weights[:fields].sum()
    earned = (weights[:fields] * shares[:fields]).sum() / total if total > 0 else 0.0
    rest = 0.0
    if learned:
        rest = weights[m - 1] / weights.sum()
        if score > (1 - rest) * earned + rest:  # more than the fields and this line together could have earned
            rest = (score - earned) / (1 - earned)
        elif score < (1 - rest) * earned:
            rest = 1 - score / earned
    parts = np.zeros(m)
    if total > 0:
        parts[:fields] = 100 * (1 - rest) * weights[:fields] / total
    if learned:
        parts[m - 1] = 100 * rest
    whole(parts, 100, np.full(m, 100, np.int64), most)
    gained = np.zeros(m)
    gained[:fields] = parts[:fields] * shares[:fields]
    if learned:
        gained[m - 1] = max(0.0, 100 * (score - (1 - rest) * earned))
    elif earned > score:
        gained *= score / earned
    whole(gained, points, most, gained_out)
