"""Measures the DeepMatcher test protocol: match or no match for given pairs, F1 on the test split.

    python -m bench.pairs_protocol PAIRS_DIR SET_DIR... [--seen]

PAIRS_DIR holds a folder named like each set that has splits, with DeepMatcher's valid.csv and test.csv (ltable_id,
rtable_id, label; Mudgal et al. 2018), which number the rows of the original tables from 0. The set's own files keep
that order; which table is the catalogue is found out by the labels, since nearly all matches have to be in its truth.

Nothing of the set is learned but one number. All its listings are suggested for as a batch with weights that learned
from the other sets only, and a pair is worth the score of its candidate, or nothing when the product is not among the
ten best. The score from which pairs are matches is the one with the best F1 on the validation split; what that gives
on the test split is printed, and beside it what the product's own word "likely" gives, which needs no label at all.

The batch sees the tables that the pairs come from, as the product does at work: a pair classifier sees one pair.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.labelled import LabelledSet, read_set
from bench.train_matching import train, views
from matching import Index, suggest_many
from matching.decide import LIKELY_FROM
from matching.ranking import Ranking, shipped

Array = NDArray[Any]
#: What share of the matches of a split the truth of its set has at least, or the rows are not the same.
AGREE = 0.95


class Split(NamedTuple):
    """The pairs of one file: rows of products and of listings, and whether each is a match."""

    products: Array
    listings: Array
    right: Array


class Measure(NamedTuple):
    """Precision, recall and F1, in percent."""

    precision: float
    recall: float
    f1: float


def read_split(path: Path, data: LabelledSet) -> Split:
    """A file of pairs, its tables turned so that its matches are in the truth of the set.

    Raises ValueError when they are in it neither way.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        rows = np.array([(r["ltable_id"], r["rtable_id"], r["label"]) for r in csv.DictReader(lines)], np.int64)
    left, right, label = rows.T
    for products, listings in ((left, right), (right, left)):
        split = Split(products, listings, label > 0)
        if max(products) < len(data.products) and max(listings) < len(data.listings) and _known(split, data) >= AGREE:
            return split
    raise ValueError(f"{path} does not number the rows of {data.name}.")


def _known(split: Split, data: LabelledSet) -> float:
    matches = [
        data.products[p].id in data.truth.get(data.listings[q].id, ())
        for p, q in zip(split.products[split.right], split.listings[split.right], strict=True)
    ]
    return float(np.mean(matches))


def scores_of(data: LabelledSet, ranking: Ranking) -> dict[tuple[int | str, int | str], int]:
    """The score of every suggested (product, listing), the listings suggested for as one batch."""
    found = suggest_many(data.listings, Index.build(data.products), ranking=ranking)
    return {(c.product_id, r.id): c.score for r, best in zip(data.listings, found, strict=True) for c in best}


def scored(split: Split, data: LabelledSet, scores: dict[tuple[int | str, int | str], int]) -> Array:
    """The score of each pair of a split, 0 for those that were not suggested."""
    pairs = zip(split.products, split.listings, strict=True)
    return np.array([scores.get((data.products[p].id, data.listings[q].id), 0) for p, q in pairs])


def measured(said: Array, right: Array) -> Measure:
    """How well what was said agrees with the labels."""
    both = float((said & right).sum())
    precision, recall = both / max(1, said.sum()), both / max(1, right.sum())
    return Measure(100 * precision, 100 * recall, 200 * both / max(1, said.sum() + right.sum()))


def best_score(scores: Array, right: Array) -> int:
    """The score from which pairs are best called matches, by F1; the highest of equals."""
    return int(max(np.unique(scores[scores > 0]), key=lambda s: (measured(scores >= s, right).f1, s)))


def report(name: str, folder: Path, data: LabelledSet, ranking: Ranking) -> None:
    """Print both measures of one set."""
    valid, test = read_split(folder / "valid.csv", data), read_split(folder / "test.csv", data)
    found = scores_of(data, ranking)
    chosen = best_score(scored(valid, data, found), valid.right)
    scores = scored(test, data, found)
    said = {f"by the validation split, from {chosen}": chosen, f"likely, from {LIKELY_FROM}": LIKELY_FROM}
    for label, least in said.items():
        precision, recall, f1 = measured(scores >= least, test.right)
        print(f"{name}, {len(scores)} pairs, {label}: precision {precision:.1f}, recall {recall:.1f}, F1 {f1:.1f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and print figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--seen", action="store_true", help="the shipped weights, which have seen the sets")
    chosen = parser.parse_args(arguments)
    sets = [read_set(folder) for folder in chosen.sets]
    lines = [] if chosen.seen else [line for data in sets for line in views(data)]
    for data in sets:
        folder = chosen.pairs / data.name
        if folder.is_dir():
            others = [line for line in lines if line.family != data.name]
            report(data.name, folder, data, shipped() if chosen.seen else train(others, alone=False))


if __name__ == "__main__":
    main()
