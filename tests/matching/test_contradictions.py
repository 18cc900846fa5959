"""What counts as a contradiction of a confirmed pair, and what does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Record, compare, contradiction
from matching.contradictions import price_factor

MUG = "4006381333931"
OTHER = "4006381333948"


def pair(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[Record, Record]:
    return Record(1, **{"title": "Camp mug", **ours}), Record(2, **{"title": "Camp mug", **theirs})


@pytest.mark.parametrize(
    ("ours", "theirs", "fields"),
    [
        ({"gtin": MUG}, {"gtin": OTHER}, ["gtin"]),
        ({"title": "Soap bar"}, {"title": "Soap bar pack of 6"}, []),  # a single unit that nobody mentions
        ({"title": "Soap pack of 3"}, {"title": "Soap pack of 6"}, ["pack"]),
        ({"title": "Bottle 500 ml"}, {"title": "Bottle 750 ml"}, ["size"]),
        ({"title": "Bottle 0.75 l"}, {"title": "Bottle 750 ml"}, []),
        ({"options": {"Size": "M"}}, {"options": {"size": "XL"}}, ["size"]),
        ({"options": {"Scent": "Rose"}}, {"options": {"scent": "Lemon"}}, ["options"]),
        ({"options": {"Scent": "Rose"}}, {"options": {"scent": "ROSE"}}, []),
        ({"price": Decimal("10"), "currency": "USD"}, {"price": Decimal("30"), "currency": "usd"}, ["price"]),
        ({"price": Decimal("30"), "currency": "USD"}, {"price": Decimal("10"), "currency": "USD"}, ["price"]),
        ({"price": Decimal("10"), "currency": "USD"}, {"price": Decimal("29.99"), "currency": "USD"}, []),
        ({"price": Decimal("10"), "currency": "USD"}, {"price": Decimal("300"), "currency": "MXN"}, []),
        ({"price": Decimal("10"), "currency": "USD"}, {"price": Decimal("300")}, []),  # the currency is not said
        ({"price": Decimal("10")}, {"price": Decimal("0")}, []),
        ({"price": Decimal("10")}, {}, []),
        ({"gtin": MUG}, {"gtin": "4006381333930"}, []),  # a wrong check digit proves no difference
        ({"gtin": MUG}, {}, []),
        ({"title": "Enamel cup"}, {"title": "Steel kettle"}, []),  # unlike, but nothing contradicts
        (
            {"title": "Soap pack of 3", "gtin": MUG, "price": Decimal("1")},
            {"title": "Soap pack of 6", "gtin": OTHER, "price": Decimal("9")},
            ["gtin", "pack", "price"],
        ),
    ],
)
def test_only_facts_that_rule_a_pair_out_contradict(ours, theirs, fields):
    found = contradiction(*pair(ours, theirs))
    assert [e.field for e in (found.evidence if found else ())] == fields


def test_the_score_is_that_of_comparing_the_two_and_a_conflict_caps_it():
    ours, theirs = pair({"gtin": MUG, "brand": "Nomad"}, {"gtin": OTHER, "brand": "Nomad"})
    found = contradiction(ours, theirs)
    assert found is not None
    assert found.score == compare(ours, theirs).score <= 49
    assert (found.evidence[0].ours, found.evidence[0].theirs) == (MUG, OTHER)


@given(
    st.decimals("0.01", "100000", places=2),
    st.decimals("0.01", "100000", places=2),
    st.sampled_from(["", "USD", "EUR"]),
)
def test_the_side_of_the_higher_price_does_not_matter(one, other, currency):
    a, b = pair({"price": one, "currency": currency}, {"price": other, "currency": currency})
    assert price_factor(a, b) == price_factor(b, a) >= 1


def test_a_word_that_stands_as_a_size_is_not_shouted():
    found = compare(Record(1, options={"Size": "Lined"}), Record(2, options={"Size": "lined"}))
    assert {e.ours.casefold() for e in found.evidence if e.field == "size" and e.ours} == {"lined"}
    assert not any(e.ours == "LINED" for e in found.evidence)
