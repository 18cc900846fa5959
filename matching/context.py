"""What the company a pair keeps says about it: its place among candidates, and among listings of a product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.blocking import Found
from matching.pairs import COLUMN

Array = NDArray[Any]
#: Stands for "nobody else asked for this product": the same for one listing alone and for a product without rivals.
ALONE: Final = 2.0


def _best_other(scores: Array) -> Array:
    """For each entry the largest of the others; 0 when there is none."""
    if len(scores) < 2:
        return np.zeros_like(scores)
    first = int(np.argmax(scores))
    second = float(np.delete(scores, first).max())
    out = np.full_like(scores, scores[first])
    out[first] = second
    return out


def forward(features: Array) -> None:
    """Fill the columns that compare one listing's candidates with each other."""
    if not len(features):
        return
    scores = features[:, COLUMN["retrieval"]]
    best = float(scores.max())
    features[:, COLUMN["rank"]] = np.log1p(np.arange(len(scores)))
    features[:, COLUMN["margin"]] = scores - _best_other(scores)
    features[:, COLUMN["ratio_to_best"]] = scores / best if best > 0 else 0.0
    features[:, COLUMN["rivals_close"]] = np.log1p(float((scores > 0.9 * best).sum()))
    features[:, COLUMN["spread"]] = best - float(np.median(scores))
    missing = features[:, COLUMN["covered_locally"]]
    features[:, COLUMN["local_missing"]] = missing - _best_other(missing)


def reverse(found: Sequence[Found]) -> None:
    """Fill the columns that compare the listings that want the same product; order of listings does not matter."""
    keys = [place for f in found for place in f.places]
    for f in found:
        f.features[:, COLUMN["reverse_margin"]] = ALONE
        f.features[:, COLUMN["reverse_rank"]] = 0.0
    if not keys:
        return
    products = np.array(keys, np.int64)
    product = (products[:, 0] << 40) | products[:, 1]
    scores = np.concatenate([f.features[:, COLUMN["retrieval"]] for f in found])
    order = np.lexsort((-scores, product))
    starts = np.flatnonzero(np.diff(product[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    group = np.repeat(np.arange(len(starts)), sizes)
    sorted_scores = scores[order]
    first = sorted_scores[starts]
    second = np.where(sizes > 1, sorted_scores[np.minimum(starts + 1, len(order) - 1)], 0.0)
    margin = np.empty_like(scores)
    is_first = np.arange(len(order)) == starts[group]
    margin[order] = np.where(is_first, sorted_scores - second[group], sorted_scores - first[group])
    ranks = np.empty_like(scores)
    # Equal scores share a place, so that the order in which listings came cannot show.
    firsts = np.flatnonzero((np.diff(sorted_scores, prepend=np.inf) != 0) | is_first)
    place = np.arange(len(order)) - starts[group]
    ranks[order] = np.log1p(place[firsts][np.searchsorted(firsts, np.arange(len(order)), side="right") - 1])
    alone = np.empty(len(order), bool)
    alone[order] = (sizes == 1)[group]
    margin[alone] = ALONE
    at = 0
    for f in found:
        f.features[:, COLUMN["reverse_margin"]] = margin[at : at + len(f)]
        f.features[:, COLUMN["reverse_rank"]] = ranks[at : at + len(f)]
        at += len(f)
