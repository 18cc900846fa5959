"""Points that add up: what each field earned, moved towards the score in proportion, in whole numbers."""

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
def share_out(weights: Array, shares: Array, scores: Array) -> tuple[Array, Array]:
    """Points and the most of them for each field of each candidate, one line per candidate.

    Fields that were compared share 100 points in the proportions of their weights, and earn by their own share. The
    learned score knows more than the fields (how rare the shared words are, what other listings want), so what
    the fields earned is moved towards the score in proportion: up into the points left, or down from those earned.
    """
    n, m = weights.shape
    points, most = np.zeros((n, m), np.int64), np.zeros((n, m), np.int64)
    hundred = np.full(m, 100, np.int64)
    for k in range(n):
        total = weights[k].sum()
        if total == 0:
            continue
        whole(weights[k] * 100 / total, 100, hundred, most[k])
        earned = most[k] * shares[k]
        sum_earned = earned.sum()
        target = scores[k]
        if sum_earned > target:
            moved = earned * target / sum_earned
        else:
            room = 100 - sum_earned
            moved = earned + (most[k] - earned) * ((target - sum_earned) / room if room > 0 else 0.0)
        whole(moved, target, most[k], points[k])
    return points, most
