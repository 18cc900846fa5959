"""What identifiers and siblings add to the learned log-odds, against the same said with whole columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matching.judgements import add_judgements
from matching.pairs import COLUMN, FEATURES

SIGN = st.sampled_from((-1.0, 0.0, 1.0))
LINE = st.fixed_dictionaries(
    {
        "gtin": SIGN, "mpn": SIGN, "pack": SIGN, "size": SIGN, "content_conflict": st.sampled_from((0.0, 1.0, 2.0)),
        "retrieval": st.floats(0, 2.5, width=32),
    }
)  # fmt: skip


def columns(lines):
    features = np.zeros((len(lines), len(FEATURES)), np.float32)
    for number, line in enumerate(lines):
        for name, value in line.items():
            features[number, COLUMN[name]] = value
    return features


def expected(odds, features, sku):
    at = {name: features[:, COLUMN[name]] for name in ("gtin", "mpn", "pack", "size", "content_conflict", "retrieval")}
    odds = odds + (
        sku
        + np.select([at["gtin"] > 0, at["gtin"] < 0], [6.0, -3.0])
        + np.select([at["mpn"] > 0, at["mpn"] < 0], [1.5, -0.5])
    )
    conflict = (at["content_conflict"] > 0) | (at["pack"] < 0) | (at["size"] < 0)
    siblings = ~conflict & (at["retrieval"] >= np.float32(0.6) * at["retrieval"][:, None])
    best = np.where(siblings, odds, -np.inf).max(axis=1)
    fallen = np.minimum(odds, np.maximum(odds - 2.0, best - 0.01))
    return np.where(conflict & siblings.any(axis=1), fallen, odds)


@given(st.lists(st.tuples(LINE, st.floats(-30, 30), st.sampled_from((0.0, 3.0, 5.0))), min_size=1, max_size=12))
def test_judgements_are_what_their_formula_says(lines):
    features = columns([line for line, _, _ in lines])
    odds, sku = (np.array(values) for values in list(zip(*lines, strict=True))[1:])
    given_odds = odds.copy()
    assert add_judgements(odds, features, sku).tolist() == expected(odds, features, sku).tolist()
    assert add_judgements(odds, features, np.zeros(0)).tolist() == expected(odds, features, 0.0).tolist()
    assert (odds == given_odds).all(), "what was given is not changed"


def test_another_pack_puts_a_candidate_behind_a_sibling_without_one_and_no_further():
    other_pack = {"pack": -1.0, "retrieval": 2.0}
    for free, ahead, after in ((1.25, 5.0, 3.0), (1.25, 1.0, -0.01), (1.25, -1.0, -1.0), (1.0, 5.0, 5.0)):
        features = columns([other_pack, {"retrieval": free}])
        assert add_judgements(np.array([ahead, 0.0]), features, np.zeros(0)).tolist() == [after, 0.0]
    assert add_judgements(np.zeros(1), columns([other_pack]), np.zeros(0)).tolist() == [0.0]
