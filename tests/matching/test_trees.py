"""Boosted trees: what they answer, how they are kept, and that their signs hold."""

import json

import numpy as np
import pytest

from bench import boosting
from matching.ranking import SECOND_COLUMNS, TREES_FILE, WEIGHTS_FILE, Ranking, shipped
from matching.trees import Trees

ONE = {
    "constant": -1.0,
    "trees": [
        {
            "asks": [["lead", 0.5], None, ["brand", 0.0], None, None, None, None],
            "leaves": [-0.5, 9, 9, 9, 0.25, 9, 0.75, 9],
        }
    ],
}
NAMES = ("lead", "brand")


@pytest.mark.parametrize(
    ("line", "answer"), [((0.5, 1.0), -1.5), ((0.6, 0.0), -0.75), ((0.6, 0.1), -0.25)]
)  # a value on the cut goes left, and so does every line where nothing is asked
def test_a_tree_is_walked_by_its_questions(line, answer):
    assert Trees.read(ONE, NAMES)(np.array([line])).tolist() == [answer]


def test_trees_are_written_as_they_are_read():
    assert Trees.read(ONE, NAMES).written(NAMES) == ONE
    assert Trees.none().written(NAMES) == {"constant": 0.0, "trees": []}


def test_a_column_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"\['lead'\]"):
        Trees.read(ONE, ("brand",))


def test_a_ranking_is_loaded_as_it_was_saved(tmp_path):
    ours = shipped()
    ours.save(tmp_path / WEIGHTS_FILE.name)
    assert json.loads((tmp_path / TREES_FILE).read_text()) == json.loads(WEIGHTS_FILE.with_name(TREES_FILE).read_text())
    lines = np.random.default_rng(5).normal(size=(40, len(SECOND_COLUMNS) - 8)).astype(np.float32)
    listings = np.arange(40) // 4
    there = Ranking.load(tmp_path / WEIGHTS_FILE.name).log_odds(lines.copy(), listings, listings)
    assert there == pytest.approx(ours.log_odds(lines.copy(), listings, listings))


def _learned(sign: int) -> Trees:
    """Trees on two columns, of which the first says the opposite of its sign half of the time."""
    chance = np.random.default_rng(3)
    columns = chance.normal(size=(4_000, 2))
    right = (np.sin(3 * columns[:, 0]) + columns[:, 1] + 0.3 * chance.normal(size=4_000) > 0).astype(float)

    def slopes(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = 1 / (1 + np.exp(-scores))
        return p - right, p * (1 - p) + 1e-6

    signs = np.array([sign, 1], np.int32)
    trees = boosting.boost(columns, slopes, signs, np.array([True, True]), 0.0)
    assert ((trees(columns) > 0) == right).mean() > 0.75
    return trees


@pytest.mark.parametrize("sign", [1, -1])
def test_answers_never_go_against_a_sign(monkeypatch, sign):
    monkeypatch.setattr(boosting, "TREES", 20)
    trees = _learned(sign)
    steps = np.linspace(-3, 3, 200)
    for other in (-1.0, 0.0, 1.5):
        answers = trees(np.column_stack((steps, np.full(200, other))))
        assert (sign * np.diff(answers) >= -1e-12).all()


def test_shipped_trees_never_let_a_conflict_help():
    trees = shipped().trees
    chance = np.random.default_rng(11)
    lines = chance.normal(size=(200, len(SECOND_COLUMNS)))
    for name in ("quantities_conflict", "content_conflict", "code_conflict"):
        worse = lines.copy()
        worse[:, SECOND_COLUMNS.index(name)] += chance.uniform(0, 3, 200)
        assert (trees(worse) <= trees(lines) + 1e-9).all()
    for name in ("brand", "pack", "size", "gtin"):
        better = lines.copy()
        better[:, SECOND_COLUMNS.index(name)] += 2
        assert (trees(better) >= trees(lines) - 1e-9).all()
