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
        by_column = np.ascontiguousarray(np.asarray(lines, np.float64).T)
        found = walk(by_column, self.columns, self.cuts, self.leaves)
        return np.asarray(self.constant + found)

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
def walk(by_column: Array, columns: Array, cuts: Array, leaves: Array) -> Array:
    """The sum of the leaves that each line reaches, whose columns are the lines of `by_column`.

    Tree by tree, with all seven questions answered for all lines: the processor does that for eight lines at once,
    where going from question to question would take four times as long.
    """
    n = by_column.shape[1]
    totals = np.zeros(n)
    for t in range(len(columns)):
        asked = columns[t]
        v0, v1, v2, v3 = by_column[asked[0]], by_column[asked[1]], by_column[asked[2]], by_column[asked[3]]
        v4, v5, v6 = by_column[asked[4]], by_column[asked[5]], by_column[asked[6]]
        c0, c1, c2, c3, c4, c5, c6 = cuts[t, 0], cuts[t, 1], cuts[t, 2], cuts[t, 3], cuts[t, 4], cuts[t, 5], cuts[t, 6]
        leaf0, leaf1, leaf2, leaf3 = leaves[t, 0], leaves[t, 1], leaves[t, 2], leaves[t, 3]
        leaf4, leaf5, leaf6, leaf7 = leaves[t, 4], leaves[t, 5], leaves[t, 6], leaves[t, 7]
        for k in range(n):
            a = leaf1 if v3[k] > c3 else leaf0
            b = leaf3 if v4[k] > c4 else leaf2
            c = leaf5 if v5[k] > c5 else leaf4
            d = leaf7 if v6[k] > c6 else leaf6
            left = b if v1[k] > c1 else a
            right = d if v2[k] > c2 else c
            totals[k] += right if v0[k] > c0 else left
    return totals
