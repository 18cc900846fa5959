"""What identifiers and siblings add to the learned log-odds, against the same said with whole columns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.judgements import add_judgements, or_by_words
from matching.pairs import COLUMN, FEATURES

SIGN = st.sampled_from((-1.0, 0.0, 1.0))
LINE = st.fixed_dictionaries(
    {
        "gtin": SIGN, "mpn": SIGN, "pack": SIGN, "size": SIGN, "content_conflict": st.sampled_from((0.0, 1.0, 2.0)),
        "retrieval": st.floats(0, 2.5, width=32),
    }
)  # fmt: skip

LINE_NAMES = ("gtin", "mpn", "pack", "size", "content_conflict", "retrieval")


def columns(lines):
    features = np.zeros((len(lines), len(FEATURES)), np.float32)
    for number, line in enumerate(lines):
        for name, value in line.items():
            features[number, COLUMN[name]] = value
    return features


def expected(odds, features, sku):
    at = {name: features[:, COLUMN[name]] for name in LINE_NAMES}
    odds = odds + (
        sku
        + np.select([at["gtin"] > 0, at["gtin"] < 0], [6.0, -3.0])
        + np.select([at["mpn"] > 0, at["mpn"] < 0], [1.5, -0.5])
    )
    conflict = (at["content_conflict"] > 0) | (at["pack"] < 0) | (at["size"] < 0)
    siblings = ~conflict & (at["retrieval"] >= np.float32(0.6) * at["retrieval"][:, None])
    unsaid = (at["pack"] == 0)[:, None] & (at["pack"] > 0)
    unsaid |= (at["size"] == 0)[:, None] & (at["size"] > 0)
    for better in (siblings & unsaid, siblings & conflict[:, None]):
        best = np.where(better, odds, -np.inf).max(axis=1)
        fallen = np.minimum(odds, np.maximum(odds - 2.0, best - 0.01))
        odds = np.where(better.any(axis=1), fallen, odds)
    return odds


@given(st.lists(st.tuples(LINE, st.floats(-30, 30), st.sampled_from((0.0, 3.0, 5.0))), min_size=1, max_size=12))
def test_judgements_are_what_their_formula_says(lines):
    features = columns([line for line, _, _ in lines])
    odds, sku = (np.array(values) for values in list(zip(*lines, strict=True))[1:])
    given_odds = odds.copy()
    assert add_judgements(odds, features, sku).tolist() == expected(odds, features, sku).tolist()
    assert add_judgements(odds, features, np.zeros(0)).tolist() == expected(odds, features, 0.0).tolist()
    assert (odds == given_odds).all(), "what was given is not changed"


@given(st.lists(st.tuples(LINE, st.floats(-60, 60)), min_size=1, max_size=12))
def test_words_may_be_right_where_facts_are_not(lines):
    features, odds = columns([line for line, _ in lines]), np.array([value for _, value in lines])
    retrieval = features[:, COLUMN["retrieval"]]
    words = 0.03 * (retrieval / max(retrieval.max(), np.float32(1e-9))).astype(np.float64) ** 2
    lifted = np.log((np.exp(np.clip(odds, -30, 30)) + words) / (1 - words))
    better = (retrieval >= np.float32(0.5) * retrieval[:, None]) & (odds > odds[:, None])
    lifted = np.minimum(lifted, np.where(better, odds, np.inf).min(axis=1) - 0.01)
    np.testing.assert_allclose(or_by_words(odds, features), np.maximum(lifted, odds), rtol=1e-5, atol=1e-5)


def test_either_may_be_right_by_itself():
    found = or_by_words(np.array([-1.0]), columns([{"retrieval": 1.5}]))
    by_facts = 1 / (1 + np.exp(1.0))
    assert 1 / (1 + np.exp(-found[0])) == pytest.approx(1 - (1 - by_facts) * (1 - 0.03))


def test_what_is_called_alike_stands_above_strangers_where_all_are_unlikely_and_not_above_its_own_kind():
    for retrieval, first in (((2.0, 0.8), 0), ((2.0, 1.2), 1)):
        features = columns([{"retrieval": one} for one in retrieval])
        assert or_by_words(np.array([-9.0, -4.0]), features).argmax() == first
        assert or_by_words(np.array([1.0, 2.0]), features).argmax() == 1
        assert or_by_words(np.array([40.0, 50.0]), features).tolist() == [40.0, 50.0]
    assert or_by_words(np.zeros(0), columns([])).tolist() == []


def test_another_pack_puts_a_candidate_behind_a_sibling_without_one_and_no_further():
    other_pack = {"pack": -1.0, "retrieval": 2.0}
    for free, ahead, after in ((1.25, 5.0, 3.0), (1.25, 1.0, -0.01), (1.25, -1.0, -1.0), (1.0, 5.0, 5.0)):
        features = columns([other_pack, {"retrieval": free}])
        assert add_judgements(np.array([ahead, 0.0]), features, np.zeros(0)).tolist() == [after, 0.0]
    assert add_judgements(np.zeros(1), columns([other_pack]), np.zeros(0)).tolist() == [0.0]


def test_a_candidate_that_says_no_pack_or_size_stands_behind_a_sibling_that_has_the_listings():
    for silence, said in (({"pack": 0.0}, {"pack": 1.0}), ({"size": 0.0}, {"size": 1.0})):
        features = columns([{**silence, "retrieval": 2.0}, {**said, "retrieval": 2.0}])
        assert add_judgements(np.array([1.0, 0.0]), features, np.zeros(0)).tolist() == [-0.01, 0.0]
        assert add_judgements(np.array([5.0, 0.0]), features, np.zeros(0)).tolist() == [3.0, 0.0]
