"""A small trainer of boosted trees whose answers never fall where a column's meaning says that they should rise.

Histograms of gradients over at most 64 bins for each column, trees of three questions grown level by level, leaves of
second order (Friedman 2001; Chen & Guestrin 2016). A split that answers against a column's sign is not taken, and what
lies below a split stays on its side of the middle (monotone constraints as in XGBoost).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from matching.trees import DEPTH, NODES, Trees

Array = NDArray[Any]
#: From scores to gradient and curvature of the loss, line by line.
Slopes = Callable[[Array], tuple[Array, Array]]
TREES: Final = 100
RATE: Final = 0.15
BINS: Final = 64
#: What holds leaves near zero, and the least curvature a leaf may stand on.
SHRINK: Final = 20.0
LEAST: Final = 5.0


def boost(columns: Array, slopes: Slopes, signs: Array, used: Array, constant: float) -> Trees:
    """Trees for these lines of columns. `signs` are 1, -1 or 0 for each column; `used` says which may be asked."""
    edges, bins = binned(columns)
    scores = np.full(len(columns), constant)
    asked, cuts, leaves = [], [], []
    for _ in range(TREES):
        column, cut, leaf, reached = grow(bins, *slopes(scores), signs, used)
        leaf = leaf * RATE
        scores += leaf[reached]
        asked.append(np.maximum(column, 0))
        cuts.append([edges[f][c] if f >= 0 else np.inf for f, c in zip(column, cut, strict=True)])
        leaves.append(leaf)
    return Trees(np.array(asked, np.int32), np.array(cuts, np.float64), np.array(leaves), constant)


def binned(columns: Array) -> tuple[list[Array], Array]:
    """The cuts that may be asked of each column, and the bin of each value, column by column."""
    edges = []
    bins = np.empty((columns.shape[1], len(columns)), np.uint8)
    for f in range(columns.shape[1]):
        values = columns[:, f]
        known = np.unique(values)
        if len(known) <= BINS:
            cuts = (known[:-1] + known[1:]) / 2
        else:
            cuts = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], method="nearest"))
        edges.append(cuts)
        bins[f] = np.searchsorted(cuts, values, side="left")
    return edges, bins


def grow(bins: Array, slope: Array, curve: Array, signs: Array, used: Array) -> tuple[Array, Array, Array, Array]:
    """One tree: the column and bin of each question, the leaves, and which leaf each line reaches."""
    node = np.zeros(bins.shape[1], np.int32)
    column, cut = np.full(NODES, -1, np.int32), np.zeros(NODES, np.int32)
    low, high = np.full(2 * NODES + 1, -np.inf), np.full(2 * NODES + 1, np.inf)
    answer = np.zeros(2 * NODES + 1)
    for level in range(DEPTH):
        first, width = 2**level - 1, 2**level
        sums = histograms(bins, node, slope, curve, width, used)
        for k in range(width):
            at = first + k
            left, right = 2 * at + 1, 2 * at + 2
            f, b, answer[left], answer[right] = best_split(sums, k, signs, used, low[at], high[at])
            column[at], cut[at] = f, b
            low[left] = low[right] = low[at]
            high[left] = high[right] = high[at]
            middle = (answer[left] + answer[right]) / 2
            if f >= 0 and signs[f] > 0:
                high[left] = low[right] = middle
            elif f >= 0 and signs[f] < 0:
                low[left] = high[right] = middle
        descend(bins, node, column[first : first + width], cut[first : first + width])
    return column, cut, answer[NODES:], node


@njit(cache=True, parallel=True)
def histograms(bins: Array, node: Array, slope: Array, curve: Array, width: int, used: Array) -> Array:
    """Sums of gradient and curvature for each column, node of this level and bin."""
    out = np.zeros((len(bins), width, BINS, 2))
    for f in prange(len(bins)):
        if used[f]:
            for r in range(bins.shape[1]):
                out[f, node[r], bins[f, r], 0] += slope[r]
                out[f, node[r], bins[f, r], 1] += curve[r]
    return out


@njit(cache=True)
def _answer(slope: float, curve: float, low: float, high: float) -> tuple[float, float]:
    """The best answer of a leaf within its limits, and the loss that it leaves."""
    value = min(high, max(low, -slope / (curve + SHRINK)))
    return value, slope * value + 0.5 * (curve + SHRINK) * value * value


@njit(cache=True)
def best_split(
    sums: Array, k: int, signs: Array, used: Array, low: float, high: float
) -> tuple[int, int, float, float]:  # fmt: skip
    """Column, bin and both answers of the split that takes away the most loss; column -1 when none does."""
    best, column, cut = 1e-9, -1, 0
    answers = (0.0, 0.0)
    for f in range(len(sums)):
        if not used[f]:
            continue
        slope, curve = sums[f, k, :, 0].sum(), sums[f, k, :, 1].sum()
        value, loss = _answer(slope, curve, low, high)
        if column < 0:
            answers = (value, value)
        g, h = 0.0, 0.0
        for b in range(BINS - 1):
            g += sums[f, k, b, 0]
            h += sums[f, k, b, 1]
            if h < LEAST:
                continue
            if curve - h < LEAST:
                break
            one, left = _answer(g, h, low, high)
            two, right = _answer(slope - g, curve - h, low, high)
            if signs[f] * (two - one) >= 0 and loss - left - right > best:
                best, column, cut = loss - left - right, f, b
                answers = (one, two)
    return column, cut, answers[0], answers[1]


@njit(cache=True, parallel=True)
def descend(bins: Array, node: Array, column: Array, cut: Array) -> None:
    """Move each line from its node to the one below."""
    for r in prange(len(node)):
        k = node[r]
        node[r] = 2 * k + (column[k] >= 0 and bins[column[k], r] > cut[k])
