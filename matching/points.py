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
    rest = np.empty(len(parts))
    for i in range(len(parts)):
        out[i] = np.int64(parts[i] + 1e-9)
        rest[i] = out[i] - parts[i]
        left -= out[i]
    order = np.argsort(rest, kind="mergesort")
    while left > 0:
        before = left
        for i in order:
            if left > 0 and parts[i] > 0 and out[i] < limits[i]:
                out[i] += 1
                left -= 1
        if left == before:
            break


@njit(cache=True, nogil=True)
def share_out(weights: Array, shares: Array, scores: Array, learned: bool) -> tuple[Array, Array]:
    """Points and the most of them for each field of each candidate, one line per candidate.

    A field's points are its share of its most: one that is only close never looks as if it were the same. The
    learned score knows more than the fields (how rare the shared words are, how far a candidate stands out): with
    `learned` the last column holds that, and grows beyond its weight where the score is further from the
    fields. Without it the score comes from the fields alone, and a capped one leaves its points unearned.
    """
    n, m = weights.shape
    points, most = np.zeros((n, m), np.int64), np.zeros((n, m), np.int64)
    hundred = np.full(m, 100, np.int64)
    fields = m - 1 if learned else m
    for k in range(n):
        if weights[k].sum() == 0:
            continue
        score, total = scores[k] / 100, weights[k, :fields].sum()
        earned = (weights[k, :fields] * shares[k, :fields]).sum() / total if total > 0 else 0.0
        rest = 0.0
        if learned:
            rest = weights[k, m - 1] / weights[k].sum()
            if score > (1 - rest) * earned + rest:  # more than the fields and this line together could have earned
                rest = (score - earned) / (1 - earned)
            elif score < (1 - rest) * earned:
                rest = 1 - score / earned
        parts = np.zeros(m)
        if total > 0:
            parts[:fields] = 100 * (1 - rest) * weights[k, :fields] / total
        if learned:
            parts[m - 1] = 100 * rest
        whole(parts, 100, hundred, most[k])
        gained = np.zeros(m)
        gained[:fields] = parts[:fields] * shares[k, :fields]
        if learned:
            gained[m - 1] = max(0.0, 100 * (score - (1 - rest) * earned))
        elif earned > score:
            gained *= score / earned
        whole(gained, scores[k], most[k], points[k])
    return points, most
