"""From a score to a probability that is true for one channel: a logistic curve bent by that channel's own decisions.

What a score means differs between catalogues by tens of points, so the curve begins at a prior learned on public
sets and is fitted anew to what people decided here (maximum a posteriori; Platt 1999, with a Gaussian prior). It never
falls as the score or the lead rises.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
#: Above these log-odds (a score of 73) only the distance to the second suggestion tells more.
FULL: Final = 1.0
#: What a difference in log-odds is divided by, so that its weight is about as large as the others.
_GAP: Final = 4.0
PRIOR_FILE: Final = Path(__file__).with_name("calibration.json")
#: Decisions on a channel from which on its scores are called probabilities.
ENOUGH: Final = 20
_STEPS, _NEAR = 100, 1e-8
#: A normal deviate: 95 % two-sided.
_Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Decided:
    """A first suggestion that somebody judged: its score, its lead over the second one (0 to 100), and the verdict."""

    score: int
    lead: int
    right: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the scores of one channel mean; `decisions` is how many it was learned from."""

    weights: tuple[float, float, float]
    decisions: int

    @property
    def known(self) -> bool:
        """Whether there were enough decisions to speak of probabilities."""
        return self.decisions >= ENOUGH

    def probability(self, score: int, lead: int) -> float:
        """The chance, 0 to 1, that a first suggestion of this score and lead is right on this channel."""
        odds = float(columns(np.array([[score, lead]], float))[0] @ np.array(self.weights))
        return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


def calibrate(decided: Sequence[Decided], *, prior: Prior | None = None) -> Calibration:
    """Fit the curve to a channel's decisions; without any it is the prior."""
    prior = prior or shipped_prior()
    if not decided:
        return Calibration(prior.weights, 0)
    given = columns(np.array([(d.score, d.lead) for d in decided], float))
    right = np.array([d.right for d in decided], float)
    return Calibration(fit(given, right, prior), len(decided))


def wilson_lower(right: int, total: int) -> float:
    """The lower end, 0 to 1, of the 95 % interval of a share (Wilson 1927); 0 when nothing was counted."""
    if not total:
        return 0.0
    share, z2 = right / total, _Z * _Z
    middle = share + z2 / (2 * total)
    return max(0.0, (middle - _Z * sqrt(share * (1 - share) / total + z2 / (4 * total * total))) / (1 + z2 / total))


@dataclass(frozen=True, slots=True)
class Prior:
    """Weights to begin with, and how firmly each is held (the precision of its Gaussian)."""

    weights: tuple[float, float, float]
    precision: tuple[float, float, float]


@cache
def shipped_prior() -> Prior:
    """The prior that bench/calibration.py learned."""
    data = json.loads(PRIOR_FILE.read_text(encoding="utf-8"))
    return Prior(tuple(data["weights"]), tuple(data["precision"]))


def columns(given: Array) -> Array:
    """What the curve sees of (score, lead) rows: a constant, the score, and the distance to the second suggestion.

    Both as log-odds, the score up to FULL. A lead below zero counts as none.
    """
    score, second = given[:, 0], np.clip(given[:, 0] - np.maximum(given[:, 1], 0), 0, 100)
    odds, behind = (np.log((s + 0.5) / (100.5 - s)) for s in (score, second))
    return np.column_stack([np.ones(len(given)), np.minimum(odds, FULL), (odds - behind) / _GAP])


def fit(given: Array, right: Array, prior: Prior, *, counts: Array | None = None) -> tuple[float, float, float]:
    """The weights that are likeliest after these verdicts; `counts` says how often each row was seen.

    The weights of score and lead are never below zero: a better suggestion is not a less likely one, and where a few
    verdicts say so it is by chance.
    """
    seen = np.ones(len(right)) if counts is None else counts
    free = np.ones(3, bool)
    while True:
        weights = _newton(given[:, free], right, seen, np.array(prior.weights)[free], np.array(prior.precision)[free])
        whole = np.zeros(3)
        whole[free] = weights
        against = (whole < 0) & (np.arange(3) > 0)
        if not against.any():
            return float(whole[0]), float(whole[1]), float(whole[2])
        free &= ~against


def _newton(given: Array, right: Array, seen: Array, start: Array, precision: Array) -> Array:
    """Newton's method: the loss is convex and has few weights. A step that would not lessen it is halved."""

    def loss(weights: Array) -> float:
        odds = given @ weights
        return float(
            np.sum(seen * (np.logaddexp(0, odds) - right * odds)) + np.sum(precision * (weights - start) ** 2) / 2
        )

    weights = start
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(given @ weights, -30, 30)))
        slope = given.T @ (seen * (chance - right)) + precision * (weights - start)
        bend = (given * (seen * chance * (1 - chance))[:, None]).T @ given + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > _NEAR:
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < _NEAR:
            break
    return weights
