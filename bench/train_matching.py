"""Learns the weights that order candidates, from labelled sets, and writes matching/weights.json.

    python -m bench.train_matching SET_DIR... [--out matching/weights.json]

Each set is used three times: as it is, with its sides exchanged (half weight), and without descriptions and prices
(half weight). Both rounds are logistic regressions whose loss is half pointwise and half a softmax over the candidates
of a listing; the signs of weights are held to what they mean (a conflict cannot help). The second round learns from
first-round scores of weights that never saw the set.
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

from bench.labelled import LabelledSet, read_set
from matching.blocking import Index
from matching.context import Groups, retrieval_context, score_context
from matching.document import document
from matching.pairs import FEATURES
from matching.ranking import CROWD_ONLY, SECOND_COLUMNS, WEIGHTS_FILE, Linear, Ranking

Array = NDArray[Any]
L2: Final = 20.0
POSITIVE: Final = frozenset(
    """cosine_letters cosine_words cosine_all retrieval overlap covered_listing covered_product rarest_shared
    code_shared code_begins code_stem code_digits numbers_shared quantities_agree pack colour size
    price_close brand mpn gtin listing_in_product_text product_in_listing_text code_in_description
    covered_locally margin ratio_to_best reverse_margin local_missing score lead share reverse_lead
    reverse_share""".split()
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
    return [gather(data, data.name, 1.0), gather(data.reversed(), data.name, 0.5), gather(data.bare(), data.name, 0.5)]


def fit(columns: Array, names: Sequence[str], lines: Sequence[Lines], *, without: Sequence[str] = ()) -> Linear:
    """Weights for these columns (one line for each pair of all `lines`, in order), some columns left out."""
    right = np.concatenate([x.right for x in lines])
    weight = np.concatenate([np.full(len(x.right), x.weight) for x in lines])
    groups = np.concatenate([x.listings + n * 10_000_000 for n, x in enumerate(lines)])
    used = np.array([n not in without for n in names])
    middle, spread = columns.mean(axis=0), columns.std(axis=0)
    used &= spread > 1e-9
    scaled = np.column_stack(((columns[:, used] - middle[used]) / spread[used], np.ones(len(columns))))
    limits = [_limit(n) for n, u in zip(names, used, strict=True) if u]
    loss = _loss(scaled, right, weight, groups)
    start, bounds = np.zeros(scaled.shape[1]), [*limits, (None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}).x
    weights = np.zeros(len(names))
    weights[used] = found[:-1] / spread[used]
    return Linear(weights, float(found[-1] - (weights * middle).sum()))


def _limit(name: str) -> tuple[float | None, float | None]:
    return (0, None) if name in POSITIVE else (None, 0) if name in NEGATIVE else (None, None)


def _loss(scaled: Array, right: Array, weight: Array, groups: Array) -> Callable[[Array], tuple[float, Array]]:
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    of = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(groups))))
    linked = np.add.reduceat(right, starts)[of] > 0
    first = np.isin(np.arange(len(groups)), starts)

    def loss(x: Array) -> tuple[float, Array]:
        score = scaled @ x
        chance = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
        pointwise = -(weight * (right * np.log(chance + 1e-12) + (1 - right) * np.log(1 - chance + 1e-12))).sum()
        power = np.exp(score - np.maximum.reduceat(score, starts)[of])
        share = power / np.add.reduceat(power, starts)[of]
        mass = np.maximum(np.add.reduceat(share * right, starts)[of], 1e-12)
        listwise = -(weight * np.log(mass))[linked & first].sum()
        slope = weight * ((chance - right) + np.where(linked, share - share * right / mass, 0)) / 2
        gradient = scaled.T @ slope
        gradient[:-1] += L2 * x[:-1]
        return float((pointwise + listwise) / 2 + L2 / 2 * (x[:-1] ** 2).sum()), gradient

    return loss


def contexts(x: Lines, *, crowd: bool) -> tuple[Groups, Groups | None]:
    """Fill the context columns of a set for a crowd or for listings alone, and give its groups."""
    ours, theirs = Groups(x.listings), Groups(x.products) if crowd else None
    retrieval_context(x.features, ours, theirs)
    return ours, theirs


def train(lines: Sequence[Lines]) -> Ranking:
    """Both rounds of weights, for crowds and for listings alone."""
    parts = [_rounds(lines, crowd=crowd) for crowd in (True, False)]
    return Ranking(*parts[0], *parts[1])


def _rounds(lines: Sequence[Lines], *, crowd: bool) -> tuple[Linear, Linear]:
    without = () if crowd else CROWD_ONLY
    groups = [contexts(x, crowd=crowd) for x in lines]
    families = dict.fromkeys(x.family for x in lines)
    held_out = {f: _first([x for x in lines if x.family != f] or lines, without) for f in families}
    seen = [score_context(held_out[x.family](x.features), *g) for x, g in zip(lines, groups, strict=True)]
    columns = np.vstack([np.hstack((c, x.features)) for c, x in zip(seen, lines, strict=True)])
    return _first(lines, without), fit(columns, SECOND_COLUMNS, lines, without=without)


def _first(lines: Sequence[Lines], without: Sequence[str]) -> Linear:
    return fit(np.concatenate([x.features for x in lines]), FEATURES, lines, without=without)


def main() -> None:
    """Read the arguments, learn, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sets", nargs="+", type=Path)
    arguments.add_argument("--out", type=Path, default=WEIGHTS_FILE)
    chosen = arguments.parse_args()
    train([lines for folder in chosen.sets for lines in views(read_set(folder))]).save(chosen.out)
    print(f"wrote {chosen.out}")


if __name__ == "__main__":
    main()
