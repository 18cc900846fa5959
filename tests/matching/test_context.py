"""Standing among rivals, and what is kept while many listings are decided."""

import pkgutil

import numpy as np
import pytest

import matching
from matching import Index, Record, decide, suggest_many
from matching.context import FAR, Groups, retrieval_context, score_context
from matching.document import document
from matching.pairs import FEATURES


def test_a_line_stands_by_its_lead_place_and_share():
    lead, place, share, size = Groups(np.array([1, 1, 1, 2])).standing(np.array([3.0, 1.0, 1.0, 9.0]))
    assert lead.tolist() == [2.0, -2.0, -2.0, FAR]
    assert place.tolist() == pytest.approx([0, np.log1p(1), np.log1p(1), 0])
    assert share[:3].sum() == pytest.approx(1)
    assert size.tolist() == pytest.approx([np.log(3)] * 3 + [0])


def test_standing_does_not_depend_on_the_order_of_lines():
    keys, scores = np.array([1, 2, 1, 2, 1]), np.array([0.5, 0.1, 0.5, 0.9, 0.2])
    order = np.array([4, 2, 0, 3, 1])
    for here, there in zip(Groups(keys).standing(scores), Groups(keys[order]).standing(scores[order]), strict=True):
        assert here[order] == pytest.approx(there)


def test_no_lines_have_no_context():
    nobody = Groups(np.zeros(0, int))
    retrieval_context(np.zeros((0, len(FEATURES)), np.float32), nobody, nobody)
    assert score_context(np.zeros(0), nobody, nobody).shape == (0, 8)


def test_forgetting_products_already_read_changes_nothing(monkeypatch):
    index = Index.build([Record(n, title=f"Acme mug {n}00 ml blue") for n in range(1, 9)])
    listings = [Record(f"l{n}", title=f"mug {n % 8}00ml") for n in range(1, 31)]
    kept = suggest_many(listings, index)
    monkeypatch.setattr(decide, "_KEPT", 2)
    assert suggest_many(listings, index) == kept


def test_more_named_products_than_survivors_are_all_candidates():
    index = Index.build([Record(n, sku=f"AB-{'-' * n}1", title=f"Acme mug {n}") for n in range(1, 9)])
    index.update([Record(100, title="Acme mug 5")])
    listing = Record("l", sku="ab1", title="Acme mug 5")
    found = {index.record(p).id for p in index.find(document(listing), 3, sku=listing.sku).places}
    assert found >= set(range(1, 9))


def test_no_module_hides_a_public_name():
    homes = {module.name for module in pkgutil.iter_modules(matching.__path__)}
    assert not homes & set(matching.__all__)
