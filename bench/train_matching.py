"""Learns what orders candidates, from labelled sets, and writes matching/weights.json and trees.json.

    python -m bench.train_matching SET_DIR... [--out matching/weights.json]

Each set is used three times: as it is, with its sides exchanged (half weight), and worn: without descriptions, prices,
half of the brands and a quarter of the title words (half weight), since others write less. Both rounds are logistic
regressions whose loss is half pointwise and half a softmax over the candidates of a listing; the signs of weights are
held to what they mean (a conflict cannot help). The second round learns from first-round scores of weights that never
saw the set. Boosted trees (bench/boosting.py) learn by the same loss from the same columns with the same signs, on the
NEAREST candidates of each listing and the right ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.boosting import boost
from bench.labelled import LabelledSet, read_set
from matching.blocking import Index
from matching.context import Groups, retrieval_context, score_context
from matching.document import document
from matching.pairs import FEATURES
from matching.ranking import CROWD_ONLY, SECOND_COLUMNS, TREES_FILE, WEIGHTS_FILE, Linear, Ranking
from matching.trees import Trees

Array = NDArray[Any]
L2: Final = 20.0
#: Trees learn from so many candidates of a listing, by the weighted sum, and from the right ones.
NEAREST: Final = 14
POSITIVE: Final = frozenset(
    """cosine_letters cosine_words cosine_all retrieval overlap covered_listing covered_product rarest_shared
    code_shared code_begins code_stem code_digits numbers_shared quantities_agree pack colour size
    price_close brand mpn gtin listing_in_product_text product_in_listing_text code_in_description
    covered_locally margin ratio_to_best reverse_margin local_missing score lead share reverse_lead
    reverse_share words_alike words_joined""".split()
)
NEGATIVE: Final = frozenset(
    """rarest_missing_in_product rarest_missing_in_listing code_conflict code_only_listing code_only_product
    numbers_only_product numbers_only_listing quantities_conflict content_conflict extra_locally rank reverse_rank
    place reverse_place""".split()
)


@dataclass(frozen=True)
class Lines:
    """Candidate pairs of one set: features, whether each is right, and the numbers of listing and product."""

    family: str
    features: Array
    right: Array
    listings: Array
    products: Array
    weight: float


def gather(data: LabelledSet, family: str, weight: float) -> Lines:
    """Retrieve candidates for every listing of a set and lay out their features."""
    index = Index.build(data.products)
    found = [index.find(document(r)) for r in data.listings]
    right = [
        f.view.record(p).id in data.truth.get(r.id, ())
        for r, f in zip(data.listings, found, strict=True)
        for p in f.places
    ]
    linked = max(200, len(data.truth))
    return Lines(
        family,
        np.concatenate([f.features for f in found]),
        np.array(right, float),
        np.repeat(np.arange(len(found)), [len(f) for f in found]),
        np.concatenate([f.owners for f in found]),
        weight * float(np.sqrt(1000 / linked)),
    )


def views(data: LabelledSet) -> list[Lines]:
    """The three uses of a set."""
    return [gather(data, data.name, 1.0), gather(data.reversed(), data.name, 0.5), gather(data.worn(), data.name, 0.5)]


def fit(columns: Array, names: Sequence[str], lines: Sequence[Lines], *, without: Sequence[str] = ()) -> Linear:
    """Weights for these columns (one line for each pair of all `lines`, in order), some columns left out."""
    right, weight, groups = _labels(lines)
    used = np.array([n not in without for n in names])
    middle, spread = columns.mean(axis=0), columns.std(axis=0)
    used &= spread > 1e-9
    scaled = np.column_stack(((columns[:, used] - middle[used]) / spread[used], np.ones(len(columns))))
    limits = [_limit(n) for n, u in zip(names, used, strict=True) if u]
    loss = _regression(scaled, _Loss(right, weight, groups))
    start, bounds = np.zeros(scaled.shape[1]), [*limits, (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}).x
    weights = np.zeros(len(names))
    weights[used] = found[:-1] / spread[used]
    return Linear(weights, float(found[-1] - (weights * middle).sum()))


def _limit(name: str) -> tuple[float | None, float | None]:
    return (0, None) if name in POSITIVE else (None, 0) if name in NEGATIVE else (None, None)


def _labels(lines: Sequence[Lines]) -> tuple[Array, Array, Array]:
    """Whether each line is right, its weight, and a number for its listing."""
    return (
        np.concatenate([x.right for x in lines]),
        np.concatenate([np.full(len(x.right), x.weight) for x in lines]),
        np.concatenate([x.listings + n * 10_000_000 for n, x in enumerate(lines)]),
    )


class _Loss:
    """Half pointwise, half a softmax over the candidates of each listing that has a right one."""

    def __init__(self, right: Array, weight: Array, groups: Array) -> None:
        self.right, self.weight = right, weight
        self.starts = np.flatnonzero(np.diff(groups, prepend=-1))
        self.of = np.repeat(np.arange(len(self.starts)), np.diff(np.append(self.starts, len(groups))))
        self.linked = np.add.reduceat(right, self.starts)[self.of] > 0

    def __call__(self, score: Array) -> tuple[float, Array, Array]:
        """The loss, and its slope and curvature along each line's score."""
        right, weight, starts, of = self.right, self.weight, self.starts, self.of
        chance = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
        pointwise = -(weight * (right * np.log(chance + 1e-12) + (1 - right) * np.log(1 - chance + 1e-12))).sum()
        power = np.exp(score - np.maximum.reduceat(score, starts)[of])
        share = power / np.add.reduceat(power, starts)[of]
        mass = np.maximum(np.add.reduceat(share * right, starts), 1e-12)
        listwise = -(weight[starts] * np.log(mass))[self.linked[starts]].sum()
        slope = weight * ((chance - right) + np.where(self.linked, share - share * right / mass[of], 0)) / 2
        curve = weight * (chance * (1 - chance) + np.where(self.linked, share * (1 - share), 0)) / 2
        return float((pointwise + listwise) / 2), slope, np.maximum(curve, 1e-6)


def _regression(scaled: Array, loss: _Loss) -> Callable[[Array], tuple[float, Array]]:
    def of_weights(x: Array) -> tuple[float, Array]:
        value, slope, _ = loss(scaled @ x)
        gradient = scaled.T @ slope
        gradient[:-1] += L2 * x[:-1]
        return value + float(L2 / 2 * (x[:-1] ** 2).sum()), gradient

    return of_weights


def fit_trees(columns: Array, lines: Sequence[Lines], second: Linear, without: Sequence[str]) -> Trees:
    """Trees for the columns of the second round, some left out."""
    right, weight, groups = _labels(lines)
    kept = _nearest(second(columns), groups) | (right > 0)
    right, weight, groups = right[kept], weight[kept], groups[kept]
    loss = _Loss(right, weight, groups)
    signs = np.array([(n in POSITIVE) - (n in NEGATIVE) for n in SECOND_COLUMNS], np.int32)
    used = np.array([n not in without for n in SECOND_COLUMNS])
    constant = float(np.log((weight * right).sum() / (weight * (1 - right)).sum()))
    return boost(columns[kept], lambda scores: loss(scores)[1:], signs, used, constant)


def _nearest(scores: Array, groups: Array) -> Array:
    """Which lines are among the NEAREST of their group by score."""
    order = np.lexsort((-scores, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    near = np.zeros(len(order), bool)
    near[order[place < NEAREST]] = True
    return near


def contexts(x: Lines, *, crowd: bool) -> tuple[Groups, Groups | None]:
    """Fill the context columns of a set for a crowd or for listings alone, and give its groups."""
    ours, theirs = Groups(x.listings), Groups(x.products) if crowd else None
    retrieval_context(x.features, ours, theirs)
    return ours, theirs


def train(lines: Sequence[Lines], *, alone: bool = True) -> Ranking:
    """Both rounds of weights and the trees, for crowds and for listings alone, for whom crowds do without `alone`."""
    first, second, trees = _rounds(lines, crowd=True)
    if not alone:
        return Ranking(first, second, first, second, trees, trees)
    lone_first, lone_second, lone_trees = _rounds(lines, crowd=False)
    return Ranking(first, second, lone_first, lone_second, trees, lone_trees)


def _rounds(lines: Sequence[Lines], *, crowd: bool) -> tuple[Linear, Linear, Trees]:
    without = () if crowd else CROWD_ONLY
    groups = [contexts(x, crowd=crowd) for x in lines]
    families = dict.fromkeys(x.family for x in lines)
    held_out = {f: _first([x for x in lines if x.family != f] or lines, without) for f in families}
    seen = [score_context(held_out[x.family](x.features), *g) for x, g in zip(lines, groups, strict=True)]
    columns = np.vstack([np.hstack((c, x.features)) for c, x in zip(seen, lines, strict=True)])
    second = fit(columns, SECOND_COLUMNS, lines, without=without)
    return _first(lines, without), second, fit_trees(columns, lines, second, without)


def _first(lines: Sequence[Lines], without: Sequence[str]) -> Linear:
    return fit(np.concatenate([x.features for x in lines]), FEATURES, lines, without=without)


def main() -> None:
    """Read the arguments, learn, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sets", nargs="+", type=Path)
    arguments.add_argument("--out", type=Path, default=WEIGHTS_FILE)
    chosen = arguments.parse_args()
    train([lines for folder in chosen.sets for lines in views(read_set(folder))]).save(chosen.out)
    print(f"wrote {chosen.out} and {TREES_FILE} beside it")


if __name__ == "__main__":
    main()
