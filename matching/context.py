"""What the company a pair keeps says about it: its place among candidates, and among listings of a product."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matching.pairs import COLUMN
from matching.trees import walk

Array = NDArray[Any]
#: Leads are cut here, so that one far-away rival weighs no more than none.
FAR: Final = 6.0
#: Columns made from scores, in order: the score itself, then lead, place and share among a listing's candidates, and
#: lead, place, share and number among the listings that want the product.
FORWARD: Final = ("score", "lead", "place", "share")
REVERSE: Final = ("reverse_lead", "reverse_place", "reverse_share", "reverse_count")
_RETRIEVAL, _RANK, _MARGIN, _RATIO, _RIVALS, _REVERSE_MARGIN, _REVERSE_RANK, _SPREAD, _LOCAL, _LOCAL_MISSING = (
    COLUMN[name]
    for name in (
        "retrieval", "rank", "margin", "ratio_to_best", "rivals_close", "reverse_margin", "reverse_rank", "spread",
        "covered_locally", "local_missing",
    )
)  # fmt: skip
_NOBODY: Final = np.zeros(0, np.int64)


@njit(cache=True, nogil=True)
def stand(order: Array, starts: Array, scores: Array, out: Array) -> None:
    """For each line its lead over the best other line of its group, its place, its share and the group's size.

    Lines of a group are neighbours in `order`, which begins a group at each of `starts` (with the end as its last).
    The lead of a line without others is FAR; place and size are logarithms (log1p, log); the share is a softmax.
    Lines with equal scores share a place, so that their order cannot show.
    """
    for g in range(len(starts) - 1):
        members = order[starts[g] : starts[g + 1]]
        n = len(members)
        ranked = members[np.argsort(-scores[members], kind="mergesort")]
        first = scores[ranked[0]]
        second = scores[ranked[1]] if n > 1 else first - FAR
        weight = 0.0
        for i in range(n):
            weight += math.exp(scores[ranked[i]] - first)
        leader = 0
        for i in range(n):
            line = ranked[i]
            score = scores[line]
            if i and score != scores[ranked[i - 1]]:
                leader = i
            out[line, 0] = min(FAR, max(-FAR, score - (second if i == 0 else first)))
            out[line, 1] = math.log1p(leader)
            out[line, 2] = math.exp(score - first) / weight
            out[line, 3] = math.log(n)


class Groups:
    """Lines of pairs by group: candidates of one listing, or suitors of one product."""

    def __init__(self, keys: Array) -> None:
        self.order = np.argsort(keys, kind="stable")
        changes = np.flatnonzero(np.diff(keys[self.order])) + 1
        self.starts = np.concatenate(([0], changes, [len(keys)])) if len(keys) else _NOBODY

    @classmethod
    def one(cls, size: int) -> Groups:
        """All lines in one group."""
        made = cls.__new__(cls)
        made.order, made.starts = np.arange(size), np.array((0, size), np.int64)
        return made

    def standing(self, scores: Array) -> tuple[Array, Array, Array, Array]:
        """Lead, place, share and size of each line, as `stand` says."""
        out = np.empty((len(scores), 4))
        stand(self.order, self.starts, np.asarray(scores, np.float64), out)
        return out[:, 0], out[:, 1], out[:, 2], out[:, 3]


@njit(cache=True, nogil=True)
def fill_retrieval(features: Array, order: Array, starts: Array, p_order: Array, p_starts: Array) -> None:
    """Fill the columns that come from retrieval scores; without products, as if nobody else asked."""
    scores = features[:, _RETRIEVAL].astype(np.float64)
    out = np.empty((len(scores), 4))
    stand(order, starts, scores, out)
    for g in range(len(starts) - 1):
        members = order[starts[g] : starts[g + 1]]
        best, total = 0.0, 0.0
        for line in members:
            best = max(best, scores[line])
            total += scores[line]
        close = 0
        for line in members:
            close += scores[line] > 0.9 * best
        for line in members:
            features[line, _RANK] = out[line, 1]
            features[line, _MARGIN] = min(out[line, 0], best)
            features[line, _RATIO] = scores[line] / max(best, 1e-9)
            features[line, _RIVALS] = math.log1p(close)
            features[line, _SPREAD] = best - total / len(members)
    if len(p_starts):
        stand(p_order, p_starts, scores, out)
        for line in range(len(scores)):
            features[line, _REVERSE_MARGIN] = min(out[line, 0], scores[line])
            features[line, _REVERSE_RANK] = out[line, 1]
    stand(order, starts, features[:, _LOCAL].astype(np.float64), out)
    for line in range(len(scores)):
        features[line, _LOCAL_MISSING] = out[line, 0]


@njit(cache=True, nogil=True)
def fill_scores(scores: Array, order: Array, starts: Array, p_order: Array, p_starts: Array) -> Array:
    """The FORWARD and REVERSE columns for a round of scores; REVERSE is zero without products."""
    columns = np.zeros((len(scores), 8))
    out = np.empty((len(scores), 4))
    stand(order, starts, scores, out)
    columns[:, 0] = scores
    columns[:, 1:4] = out[:, :3]
    if len(p_starts):
        stand(p_order, p_starts, scores, out)
        columns[:, 4:] = out
    return columns


def retrieval_context(features: Array, listings: Groups, products: Groups | None) -> None:
    """Fill the context columns of `features` that come from retrieval scores."""
    theirs = (_NOBODY, _NOBODY) if products is None else (products.order, products.starts)
    fill_retrieval(features, listings.order, listings.starts, *theirs)


def score_context(scores: Array, listings: Groups, products: Groups | None) -> Array:
    """The FORWARD and REVERSE columns for a round of scores."""
    theirs = (_NOBODY, _NOBODY) if products is None else (products.order, products.starts)
    return np.asarray(fill_scores(np.asarray(scores, np.float64), listings.order, listings.starts, *theirs))


@njit(cache=True, nogil=True)
def two_rounds(
    features: Array, order: Array, starts: Array, p_order: Array, p_starts: Array,
    first: Array, first_constant: float, second: Array, second_constant: float,
    columns_asked: Array, cuts: Array, leaves: Array, trees_constant: float, share: float,
) -> Array:  # fmt: skip
    """Log-odds of each line: a first weighted sum, its context, and of both a second sum, with trees for a `share`."""
    fill_retrieval(features, order, starts, p_order, p_starts)
    n, m = features.shape
    # Column by column: the sums of lines do not wait for each other.
    by_column = np.empty((8 + m, n))
    for k in range(n):
        for c in range(m):
            by_column[8 + c, k] = features[k, c]
    scores = np.full(n, first_constant)
    for c in range(m):
        for k in range(n):
            scores[k] += first[c] * by_column[8 + c, k]
    standing = fill_scores(scores, order, starts, p_order, p_starts)
    for k in range(n):
        for c in range(8):
            by_column[c, k] = standing[k, c]
    totals = np.full(n, second_constant)
    for c in range(8 + m):
        for k in range(n):
            totals[k] += second[c] * by_column[c, k]
    found = walk(by_column, columns_asked, cuts, leaves)
    for k in range(n):
        totals[k] = (1 - share) * totals[k] + share * (trees_constant + found[k])
    return totals
