"""What the company a pair keeps says about it: its place among candidates, and among listings of a product."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.pairs import COLUMN

Array = NDArray[Any]
#: Leads are cut here, so that one far-away rival weighs no more than none.
FAR: Final = 6.0
#: Columns made from scores, in order: the score itself, then lead, place and share among a listing's candidates, and
#: lead, place, share and number among the listings that want the product.
FORWARD: Final = ("score", "lead", "place", "share")
REVERSE: Final = ("reverse_lead", "reverse_place", "reverse_share", "reverse_count")


class Groups:
    """Lines of pairs by group: candidates of one listing, or suitors of one product."""

    def __init__(self, keys: Array) -> None:
        self.keys = keys

    def standing(self, scores: Array) -> tuple[Array, Array, Array, Array]:
        """For each line its lead over the best other line of its group, its place, its share and the group's size.

        The lead of a line without others is FAR; place and size are logarithms (log1p, log); the share is a softmax.
        Lines with equal scores share a place, so that their order cannot show.
        """
        n = len(scores)
        order = np.lexsort((-scores, self.keys))
        ordered = scores[order]
        changes = np.flatnonzero(np.diff(self.keys[order]) != 0) + 1
        starts = np.concatenate(([0], changes))
        sizes = np.diff(np.append(starts, n))
        group = np.repeat(np.arange(len(starts)), sizes)
        first = ordered[starts]
        second = np.where(sizes > 1, ordered[np.minimum(starts + 1, n - 1)], first - FAR)
        is_first = np.arange(n) == starts[group]
        lead = np.where(is_first, ordered - second[group], ordered - first[group])
        weight = np.exp(np.minimum(ordered - first[group], 0))
        share = weight / np.add.reduceat(weight, starts)[group]
        tie = np.flatnonzero(is_first | (np.diff(ordered, prepend=np.inf) != 0))
        leader = tie[np.searchsorted(tie, np.arange(n), side="right") - 1]
        place = np.log1p(leader - starts[group])
        out = [np.empty(n) for _ in range(4)]
        for column, values in zip(out, (np.clip(lead, -FAR, FAR), place, share, np.log(sizes[group])), strict=True):
            column[order] = values
        return out[0], out[1], out[2], out[3]


def retrieval_context(features: Array, listings: Groups, products: Groups | None) -> None:
    """Fill the context columns that come from retrieval scores; without `products`, as if nobody else asked."""
    if not len(features):
        return
    scores = features[:, COLUMN["retrieval"]].astype(np.float64)
    lead, place, _, _ = listings.standing(scores)
    best = scores - np.minimum(lead, 0)
    close = scores > 0.9 * best
    _, inverse = np.unique(listings.keys, return_inverse=True)
    features[:, COLUMN["rank"]] = place
    features[:, COLUMN["margin"]] = np.minimum(lead, best)
    features[:, COLUMN["ratio_to_best"]] = scores / np.maximum(best, 1e-9)
    features[:, COLUMN["rivals_close"]] = np.log1p(np.bincount(inverse, close)[inverse])
    counts = np.bincount(inverse)
    features[:, COLUMN["spread"]] = best - (np.bincount(inverse, scores) / counts)[inverse]
    features[:, COLUMN["local_missing"]] = listings.standing(features[:, COLUMN["covered_locally"]])[0]
    if products is not None:
        reverse_lead, reverse_place, _, _ = products.standing(scores)
        features[:, COLUMN["reverse_margin"]] = np.minimum(reverse_lead, scores)
        features[:, COLUMN["reverse_rank"]] = reverse_place


def score_context(scores: Array, listings: Groups, products: Groups | None) -> Array:
    """The FORWARD and REVERSE columns for a round of scores; REVERSE is zero without `products`."""
    out = np.zeros((len(scores), len(FORWARD) + len(REVERSE)))
    out[:, 0] = scores
    if len(scores):
        out[:, 1], out[:, 2], out[:, 3], _ = listings.standing(scores)
        if products is not None:
            out[:, 4], out[:, 5], out[:, 6], out[:, 7] = products.standing(scores)
    return out
