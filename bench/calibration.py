"""Learns the prior of matching/calibration.py, and measures how true its probabilities are.

    python -m bench.calibration SET_DIR... [--write]

Every set is suggested for with weights that never saw it (leave one set out). Then, for 0, 20, 50, 100 and 200 random
decisions on first suggestions and 200 seeds: the expected calibration error over the rest of the set (ten bins of
equal width, in points), and the precision and reach of the suggestions with a probability of 0.95 and more. The
prior used for a set is learned from the other sets, each counting as 200 decisions; --write keeps one of all sets.

The error of a finite rest is never zero: verdicts drawn from the probabilities themselves, which are true by that,
would show some points, and those are printed as its floor. Few verdicts know little: `share` is the error of a
predictor that says of everything what share of the verdicts was right. `debiased` is the error less what chance adds
to it (Kumar, Liang & Ma 2019, "Verified Uncertainty Calibration", the plug-in error less its bias by resampling).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.labelled import LabelledSet, read_set
from bench.train_matching import train, views
from matching import Index, suggest_many
from matching.calibration import PRIOR_FILE, Prior, columns, fit

Array = NDArray[Any]
PRECISION = (0.1, 1.0, 1.0)
COUNTS, SEEDS, BINS, EACH = (0, 20, 50, 100, 200), 200, 10, 200
DRAWS = 10


def judged(sets: Sequence[LabelledSet]) -> dict[str, Array]:
    """Rows (score, lead, right) of the first suggestions of each set, by weights that never saw it."""
    lines = [line for data in sets for line in views(data)]
    found = {}
    for data in sets:
        ranking = train([line for line in lines if line.family != data.name], alone=False)
        rows = []
        for record, best in zip(
            data.listings, suggest_many(data.listings, Index.build(data.products), ranking=ranking), strict=True
        ):
            if best:
                second = best[1].score if len(best) > 1 else 0
                right = best[0].product_id in data.truth.get(record.id, ())
                rows.append((best[0].score, best[0].score - second, right))
        found[data.name] = np.array(rows, float)
    return found


def prior_of(rows: Sequence[Array]) -> Prior:
    """The curve of several catalogues, each counting the same."""
    given, right = columns(np.concatenate(rows)), np.concatenate([r[:, 2] for r in rows])
    counts = np.concatenate([np.full(len(r), EACH / len(r)) for r in rows])
    flat = Prior((0.0, 0.0, 0.0), (0.001, 0.001, 0.001))
    return Prior(fit(given, right, flat, counts=counts), PRECISION)


def expected_error(chance: Array, right: Array) -> float:
    """The expected calibration error in points."""
    return 100 * float(np.abs(np.bincount(_bins(chance), chance - right)).sum()) / len(chance)


def _bins(chance: Array) -> Array:
    return np.asarray(np.minimum((chance * BINS).astype(int), BINS - 1))


def floor_of(chance: Array, dice: np.random.Generator) -> float:
    """The error, in points, that verdicts drawn from these very probabilities would show on average."""
    drawn = dice.random((DRAWS, len(chance))) < chance
    return float(np.mean([expected_error(chance, right) for right in drawn]))


def debiased_error(chance: Array, right: Array, dice: np.random.Generator) -> float:
    """The error in points less what chance adds to it: verdicts are drawn again from the share right in each bin."""
    bins = _bins(chance)
    share = (np.bincount(bins, right) + 0.5) / (np.bincount(bins) + 1)
    plain = expected_error(chance, right)
    again = np.mean([expected_error(chance, drawn) for drawn in dice.random((DRAWS, len(chance))) < share[bins]])
    return max(0.0, 2 * plain - float(again))


def measured(rows: Array, prior: Prior, decisions: int) -> str:
    """Error, precision and reach after so many random decisions, over the seeds."""
    errors, shares, right, linked, rest = [], [], 0.0, 0, 0
    for seed in range(SEEDS):
        dice = np.random.default_rng(seed)
        order = dice.permutation(len(rows))
        seen, later = rows[order[:decisions]], rows[order[decisions:]]
        weights = fit(columns(seen), seen[:, 2], prior) if decisions else prior.weights
        chance = 1 / (1 + np.exp(-(columns(later) @ np.array(weights))))
        true = later[:, 2]
        errors.append((expected_error(chance, true), floor_of(chance, dice), debiased_error(chance, true, dice)))
        shares.append(100 * abs(seen[:, 2].mean() - true.mean()) if decisions else 0.0)
        sure = chance >= 0.95
        right, linked, rest = right + true[sure].sum(), linked + int(sure.sum()), rest + len(later)
    plain, floor, debiased = np.mean(errors, axis=0)
    precise = f"{100 * right / linked:.1f} % right" if linked else "none"
    return (
        f"{decisions:>4} decisions: error {plain:4.1f} (floor {floor:.1f}, debiased {debiased:.1f}, share "
        f"{np.mean(shares):.1f}); "
        f"q ≥ 0.95: {precise}, {100 * linked / rest:.0f} % of all"
    )


def main() -> None:
    """Read the arguments and print figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sets", nargs="+", type=Path)
    arguments.add_argument("--write", action="store_true")
    chosen = arguments.parse_args()
    rows = judged([read_set(folder) for folder in chosen.sets])
    for name, own in rows.items():
        prior = prior_of([other for key, other in rows.items() if key != name])
        for decisions in COUNTS:
            if len(own) > decisions:
                print(f"{name}: {measured(own, prior, decisions)}", flush=True)
    if chosen.write:
        prior = prior_of(list(rows.values()))
        weights = [round(w, 4) for w in prior.weights]
        PRIOR_FILE.write_text(json.dumps({"weights": weights, "precision": PRECISION}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
