"""Boosted decision trees, walked for all candidates in one compiled loop: what a weighted sum of columns cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
#: Every tree asks three questions, which makes seven places for questions and eight leaves.
DEPTH: Final = 3
NODES: Final = 2**DEPTH - 1


@dataclass(frozen=True, slots=True)
class Trees:
    """One line for each tree: the column and the cut of its seven questions, level by level, and its eight leaves.

    A value above the cut goes right; what asks nothing has a cut of infinity, so that no step takes a branch. The
    leaves that a line of columns reaches, with the constant, add up to a log-odds.
    """

    columns: Array
    cuts: Array
    leaves: Array
    constant: float

    def __call__(self, lines: Array) -> Array:
        """The log-odds of lines of columns."""
        out = np.empty(len(lines))
        for k in range(len(lines)):
            out[k] = self.constant + walk(np.asarray(lines[k], np.float64), self.columns, self.cuts, self.leaves)
        return out

    @classmethod
    def none(cls) -> Trees:
        """No trees."""
        return cls(np.zeros((0, NODES), np.int32), np.zeros((0, NODES)), np.zeros((0, NODES + 1)), 0.0)

    @classmethod
    def read(cls, data: dict[str, Any], names: Sequence[str]) -> Trees:
        """From {"constant": …, "trees": [{"asks": [[column, cut] or null, …], "leaves": […]}, …]}."""
        place = {name: at for at, name in enumerate(names)}
        unknown = {ask[0] for tree in data["trees"] for ask in tree["asks"] if ask} - set(place)
        if unknown:
            raise ValueError(f"Unknown columns in the trees: {sorted(unknown)}. Run bench/train_matching.py again.")
        asks = [[(place[ask[0]], ask[1]) if ask else (0, np.inf) for ask in tree["asks"]] for tree in data["trees"]]
        return cls(
            np.array([[column for column, _ in tree] for tree in asks], np.int32).reshape(-1, NODES),
            np.array([[cut for _, cut in tree] for tree in asks], np.float64).reshape(-1, NODES),
            np.array([tree["leaves"] for tree in data["trees"]], np.float64).reshape(-1, NODES + 1),
            float(data["constant"]),
        )

    def written(self, names: Sequence[str]) -> dict[str, Any]:
        """What `read` reads."""
        trees = [
            {
                "asks": [[names[f], float(f"{c:.5g}")] if c < np.inf else None for f, c in zip(fs, cs, strict=True)],
                "leaves": [round(leaf, 4) for leaf in leaves],
            }
            for fs, cs, leaves in zip(self.columns.tolist(), self.cuts.tolist(), self.leaves.tolist(), strict=True)
        ]
        return {"constant": round(self.constant, 5), "trees": trees}


@njit(cache=True, nogil=True)
def walk(line: Array, columns: Array, cuts: Array, leaves: Array) -> float:
    """The sum of the leaves that one line of columns reaches."""
    total = 0.0
    for t in range(len(columns)):
        node = 0
        for _ in range(DEPTH):
            node = 2 * node + 1 + (line[columns[t, node]] > cuts[t, node])
        total += leaves[t, node - NODES]
    return total
