"""The learned order of candidates: two rounds of logistic regression and boosted trees, kept as readable data files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.context import FORWARD, REVERSE, Groups, two_rounds
from matching.pairs import FEATURES
from matching.trees import Trees

Array = NDArray[Any]
WEIGHTS_FILE: Final = Path(__file__).with_name("weights.json")
#: The trees stand beside the weights under this name.
TREES_FILE: Final = "trees.json"
#: What share of the log-odds comes from the trees where there are any.
TREES_SHARE: Final = 0.5
#: Columns that only exist when many listings are compared with each other.
CROWD_ONLY: Final = ("reverse_margin", "reverse_rank", *REVERSE)
_NOBODY: Final = np.zeros(0, np.int64)
SECOND_COLUMNS: Final = (*FORWARD, *REVERSE, *FEATURES)


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum: one weight for each column, and a constant. The result is a log-odds."""

    weights: Array
    constant: float

    def __call__(self, columns: Array) -> Array:
        return np.asarray(columns @ self.weights + self.constant)

    @classmethod
    def read(cls, data: dict[str, Any], columns: Sequence[str]) -> Linear:
        """From {"constant": …, "weights": {column: weight}}; columns that are not named weigh nothing."""
        unknown = set(data["weights"]) - set(columns)
        if unknown:
            raise ValueError(f"Unknown columns in the weights: {sorted(unknown)}. Run bench/train_matching.py again.")
        return cls(np.array([data["weights"].get(c, 0.0) for c in columns]), float(data["constant"]))

    def written(self, columns: Sequence[str]) -> dict[str, Any]:
        """What `read` reads; weights of zero are left out."""
        named = {c: round(float(w), 5) for c, w in zip(columns, self.weights, strict=True) if abs(w) >= 5e-6}
        return {"constant": round(float(self.constant), 5), "weights": named}


@dataclass(frozen=True, slots=True)
class Ranking:
    """The weights of both rounds, for a crowd of listings and for one listing alone.

    The first round sees each pair; the second sees also how the pair stands among the listing's other candidates
    and, in a crowd, among the other listings that may be the same product. Trees of the same columns answer beside it.
    """

    first: Linear
    second: Linear
    alone_first: Linear
    alone_second: Linear
    trees: Trees = field(default_factory=Trees.none)
    alone_trees: Trees = field(default_factory=Trees.none)

    def log_odds(self, features: Array, listings: Array | None, products: Array | None) -> Array:
        """The log-odds that each line is a right pair. Fills the context columns of `features` on the way.

        `listings` and `products` number the two sides of each line; without `products` each listing stands alone, and
        without `listings` there is one.
        """
        if not len(features):
            return np.zeros(0)
        ours = Groups.one(len(features)) if listings is None else Groups(listings)
        p_order, p_starts = _NOBODY, _NOBODY
        if products is not None:
            theirs = Groups(products)
            p_order, p_starts = theirs.order, theirs.starts
        first, second, trees = self.first, self.second, self.trees
        if products is None:
            first, second, trees = self.alone_first, self.alone_second, self.alone_trees
        return np.asarray(
            two_rounds(
                features, ours.order, ours.starts, p_order, p_starts, first.weights, first.constant, second.weights,
                second.constant, trees.columns, trees.cuts, trees.leaves, trees.constant,
                TREES_SHARE if len(trees.columns) else 0.0,
            )
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Ranking:
        """Read a weights file and the trees beside it. Raises ValueError when one names columns that do not exist."""
        data = json.loads(path.read_text(encoding="utf-8"))
        trees = json.loads(path.with_name(TREES_FILE).read_text(encoding="utf-8"))
        return cls(
            Linear.read(data["first"], FEATURES), Linear.read(data["second"], SECOND_COLUMNS),
            Linear.read(data["alone_first"], FEATURES), Linear.read(data["alone_second"], SECOND_COLUMNS),
            Trees.read(trees["crowd"], SECOND_COLUMNS), Trees.read(trees["alone"], SECOND_COLUMNS),
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the weights file, and the trees beside it, one to a line."""
        data = {
            "first": self.first.written(FEATURES), "second": self.second.written(SECOND_COLUMNS),
            "alone_first": self.alone_first.written(FEATURES),
            "alone_second": self.alone_second.written(SECOND_COLUMNS),
        }  # fmt: skip
        path.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        trees = {"crowd": self.trees.written(SECOND_COLUMNS), "alone": self.alone_trees.written(SECOND_COLUMNS)}
        text = json.dumps(trees, sort_keys=True).replace("[{", "[\n{").replace(", {", ",\n{")
        path.with_name(TREES_FILE).write_text(text + "\n", encoding="utf-8")


@cache
def shipped() -> Ranking:
    """The weights that come with Pairbook; bench/train_matching.py makes them."""
    return Ranking.load(WEIGHTS_FILE)
