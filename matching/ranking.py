"""The learned order of candidates: small boosted trees read from a data file, evaluated in a compiled loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matching.kernels import FloatArray, IntArray
from matching.pairs import FEATURES

Array = NDArray[Any]
WEIGHTS_FILE: Final = Path(__file__).with_name("weights.npz")


@njit(cache=True, nogil=True)
def _evaluate(x: FloatArray, feature: IntArray, cut: FloatArray, leaf: FloatArray, depth: int, out: FloatArray) -> None:
    for i in range(len(x)):
        total = 0.0
        for t in range(len(feature)):
            node = 0
            for _ in range(depth):
                node = 2 * node + (2 if x[i, feature[t, node]] > cut[t, node] else 1)
            total += leaf[t, node - (1 << depth) + 1]
        out[i] += total


@dataclass(frozen=True, slots=True)
class Ranking:
    """Complete binary trees of one depth: `feature` and `cut` by inner node, `leaf` by leaf; the sum is a log-odds."""

    feature: Array
    cut: Array
    leaf: Array
    base: float

    def log_odds(self, features: Array) -> Array:
        """The log-odds that each line of features is the right pair."""
        out = np.full(len(features), self.base, np.float32)
        depth = int(self.leaf.shape[1]).bit_length() - 1
        _evaluate(features, self.feature, self.cut, self.leaf, depth, out)
        return out

    @classmethod
    def load(cls, path: Path) -> Ranking:
        """Read a weights file. Raises ValueError when it was made for other features."""
        with np.load(path, allow_pickle=False) as data:
            if tuple(data["names"].tolist()) != FEATURES:
                raise ValueError(f"{path.name} was made for other features. Run bench/train_matching.py again.")
            return cls(data["feature"], data["cut"], data["leaf"], float(data["base"]))

    def save(self, path: Path) -> None:
        """Write the weights file."""
        np.savez_compressed(
            path, feature=self.feature, cut=self.cut, leaf=self.leaf, base=np.array(self.base), names=np.array(FEATURES)
        )


@cache
def shipped() -> Ranking:
    """The weights that come with Pairbook; bench/train_matching.py makes them."""
    return Ranking.load(WEIGHTS_FILE)
