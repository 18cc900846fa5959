"""Evidence, points, caps and advice."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Advice, Index, Record, Verdict, compare, compare_all, suggest, suggest_many
from matching.decide import advice, difference, share_points
from matching.fields import Finding
from matching.ranking import Linear, Ranking, shipped

A = {"title": "Acme blue stoneware mug 350 ml", "brand": "Acme", "price": Decimal("9.90")}


def of(candidate, field):
    return next(e for e in candidate.evidence if e.field == field)


def pair(ours, theirs):
    return compare(Record(1, **ours), Record("l", **theirs))


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "verdict"),
    [
        ("sku", {"sku": "A-1"}, {"sku": "A-1"}, "same"),
        ("sku", {"sku": "A-1"}, {"sku": "a_1"}, "close"),
        ("sku", {"sku": "MUG-BLUE-350"}, {"sku": "MUG-BLUE-35"}, "close"),
        ("sku", {"sku": "MUG"}, {"sku": "TAP"}, "differs"),
        ("sku", {"sku": "A-1"}, {}, "missing"),
        ("sku", {}, {}, "not_used"),
        ("gtin", {"gtin": "4006381333931"}, {"gtin": "04006381333931"}, "same"),
        ("gtin", {"gtin": "4006381333931"}, {"gtin": "4006381333932"}, "close"),
        ("gtin", {"gtin": "4006381333931"}, {"gtin": "96385074"}, "differs"),
        ("gtin", {"gtin": "4006381333932"}, {"gtin": "96385074"}, "differs"),
        ("gtin", {"gtin": "4006381333932"}, {"gtin": "4006381333932"}, "same"),
        ("gtin", {"gtin": "junk"}, {"gtin": "96385074"}, "missing"),
        ("gtin", {"gtin": "96385074"}, {}, "missing"),
        ("model", {"title": "Cam DSC-W120"}, {"title": "Cam DSCW120"}, "same"),
        ("model", {"title": "Cam DSC-W120"}, {"title": "Cam DSCW120B"}, "close"),
        ("model", {"title": "Cam DSC-W120"}, {"title": "Cam KX900"}, "differs"),
        ("model", {"title": "Cam DSC W120"}, {"title": "DSCW120"}, "same"),
        ("model", {"mpn": "12-345"}, {"title": "part 12345"}, "same"),
        ("model", {"title": "Cam"}, {"title": "Cam KX900"}, "missing"),
        ("model", {"mpn": "KX"}, {}, "missing"),
        ("model", {"title": "part 12345"}, {"title": "part 123456"}, "differs"),
        ("brand", {"brand": "Acme"}, {"brand": "ACME"}, "same"),
        ("brand", {"brand": "Acme"}, {"brand": "Acme Inc"}, "close"),
        ("brand", {"brand": "Acme"}, {"brand": "Zenith"}, "differs"),
        ("brand", {"brand": "Acme"}, {"title": "acme mug"}, "same"),
        ("brand", {"title": "acme mug"}, {"brand": "Acme"}, "same"),
        ("brand", {"brand": "Acme"}, {"title": "mug"}, "missing"),
        ("brand", {"brand": "茶"}, {"brand": "茶"}, "same"),
        ("brand", {"brand": "!"}, {"title": "x"}, "missing"),
        ("title", {"title": "Blue mug"}, {"title": "blue  MUG"}, "same"),
        ("title", {"title": "Blue mug"}, {"title": "mug, blue big"}, "close"),
        ("title", {"title": "Blue mug"}, {"title": "Garden hose 20 m long"}, "differs"),
        ("title", {"title": "Blue"}, {}, "missing"),
        ("size", {"title": "Mug 350 ml"}, {"title": "Mug 0,35 l"}, "same"),
        ("size", {"title": "Mug 350 ml"}, {"title": "Mug 500 ml"}, "differs"),
        ("size", {"title": "Shirt size M"}, {"title": "Shirt talla M"}, "same"),
        ("size", {"title": "Shirt size M"}, {"title": "Shirt XL"}, "differs"),
        ("size", {"title": "Shirt size M 5 cm"}, {"title": "Shirt size M 5 cm"}, "same"),
        ("size", {"title": "Rope 5 m 8 mm"}, {"title": "Rope 5 m"}, "same"),
        ("size", {"title": "Lamp 60 W 230 V"}, {"title": "Lamp 60 W 110 V"}, "close"),
        ("size", {"title": "Lamp 60 W"}, {"title": "Lamp"}, "missing"),
        ("size", {"title": "2 TB disk"}, {"title": "2048 GB disk"}, "same"),
        ("pack", {"title": "Mug pack of 6"}, {"title": "Mug 6er Pack"}, "same"),
        ("pack", {"title": "Mug pack of 6"}, {"title": "Mug 2-pack"}, "differs"),
        ("pack", {"title": "Wipes 80 ct"}, {"title": "Wipes 40 ct"}, "differs"),
        ("pack", {"title": "Mug pack of 6"}, {"title": "Mug"}, "missing"),
        ("colour", {"title": "blue mug"}, {"title": "taza azul"}, "same"),
        ("colour", {"title": "blue mug"}, {"title": "rote Tasse"}, "differs"),
        ("colour", {"title": "blue white mug"}, {"title": "white mug"}, "close"),
        ("colour", {"title": "blue mug"}, {"title": "mug"}, "missing"),
        ("price", {"price": Decimal(10)}, {"price": Decimal("10.00")}, "same"),
        ("price", {"price": Decimal(10)}, {"price": Decimal(12)}, "close"),
        ("price", {"price": Decimal(10)}, {"price": Decimal(90)}, "differs"),
        ("price", {"price": Decimal(10)}, {}, "missing"),
        ("price", {"price": Decimal(10), "currency": "EUR"}, {"price": Decimal(10), "currency": "USD"}, "not_used"),
        ("price", {"price": Decimal(0)}, {"price": Decimal(10)}, "missing"),
        ("options", {"options": {"Material": "Oak"}}, {"options": {"material": "oak"}}, "same"),
        ("options", {"options": {"Material": "Oak"}}, {"options": {"Material": "Pine"}}, "differs"),
        ("options", {"options": {"Material": "Oak"}}, {}, "not_used"),
        ("options", {"options": {"Size": "M"}}, {"options": {"Talla": "M"}}, "not_used"),
        ("options", {"options": {"Colour": "Red"}}, {"options": {"Color": "Rojo"}}, "not_used"),
        ("options", {"options": {"Colour": "Sage"}}, {"options": {"Color": "SAGE"}}, "same"),
        ("options", {"options": {"Colour": "Sage"}}, {"options": {"Color": "Salvia"}}, "differs"),
        ("options", {"options": {"Finish": "Brushed steel"}}, {"options": {"finish": "Brushed stel"}}, "close"),
        ("size", {"options": {"Size": "750 ml"}}, {"options": {"Talla": "0.75l"}}, "same"),
        ("size", {"options": {"Size": "30 cm"}}, {"options": {"Size": "40 cm"}}, "differs"),
        ("size", {"options": {"Size": "one size"}}, {"options": {"Size": "One Size"}}, "same"),
    ],
)
def test_each_field_says_what_it_sees(field, ours, theirs, verdict):
    assert of(pair(ours, theirs), field).verdict == verdict


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {"gtin": "4006381333931"}),
        ({"brand": "Acme"}, {}),
        ({}, {"sku": "X1"}),
        ({"mpn": "AB123"}, {}),
        ({"price": Decimal(3)}, {}),
    ],
)
def test_silence_neither_helps_nor_hurts(ours, theirs):
    plain = pair({"title": "Blue mug big"}, {"title": "Blue mug"})
    quiet = pair({"title": "Blue mug big", **ours}, {"title": "Blue mug", **theirs})
    assert quiet.score == plain.score


@pytest.mark.parametrize(
    ("ours", "theirs", "most", "words"),
    [
        ({"gtin": "4006381333931"}, {"gtin": "96385074"}, 49, "GTIN differs: 4006381333931, not 96385074"),
        (
            {"title": "Acme mug pack of 6"},
            {"title": "Acme mug pack of 2"},
            59,
            "Pack differs: 6 in a pack, not 2 in a pack",
        ),
        ({"title": "Acme oil 500 ml"}, {"title": "Acme oil 750 ml"}, 69, "Size differs: 500 ml, not 750 ml"),
        ({"title": "Acme shirt size M"}, {"title": "Acme shirt size L"}, 69, "Size differs: M, not L"),
        ({"options": {"Wood": "Oak"}}, {"options": {"Wood": "Pine"}}, 69, "Options differs: Oak, not Pine"),
    ],
)
def test_a_conflict_caps_the_score_however_alike_the_titles(ours, theirs, most, words):
    product, listing = Record(1, **{**A, **ours}), Record("l", **{**A, **theirs})
    for candidate in (compare(product, listing), suggest(listing, Index.build([product]))[0]):
        assert candidate.score <= most
        assert candidate.advice is not Advice.LIKELY
        assert candidate.difference == words


def test_a_candidate_without_conflict_stands_above_a_capped_one():
    products = [Record(1, gtin="4006381333931", title="Acme stoneware mug"), Record(2, title="Acme stoneware mug")]
    found = suggest(Record("l", gtin="96385074", title="Acme stoneware mug"), Index.build(products))
    assert [c.product_id for c in found] == [2, 1]


def test_evidence_adds_up_and_ranks_count_from_one():
    products = [
        Record(n, sku=f"M{n}", title=f"Acme mug {n}00 ml", brand="Acme", price=Decimal(n)) for n in range(1, 15)
    ]
    listings = [Record(f"l{n}", title=f"mug {n}00ml Acme", price=Decimal(n)) for n in range(1, 15)]
    for candidates in suggest_many(listings, Index.build(products)):
        assert [c.rank for c in candidates] == list(range(1, 11))
        assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)
        for c in candidates:
            assert sum(e.points for e in c.evidence) == c.score
            assert all(0 <= e.points <= e.of for e in c.evidence)
            assert sum(e.of for e in c.evidence) == 100


def test_the_order_of_listings_never_matters():
    products = [Record(n, title=f"Acme mug {n}00 ml blue") for n in range(1, 9)]
    listings = [Record(f"l{n}", title=f"mug {n % 8}00ml") for n in range(1, 31)]
    index = Index.build(products)
    forward = suggest_many(listings, index)
    assert forward == suggest_many(listings[::-1], index)[::-1]
    assert suggest_many([], index) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["title", "sku", "gtin", "brand", "price"]),
            st.sampled_from(list(Verdict)),
            st.floats(0, 1),
        ),
        max_size=6,
        unique_by=lambda t: t[0],
    ),
    st.integers(0, 100),
)
def test_points_add_up_whatever_was_found(parts, score):
    said = [Finding(field, verdict, "a", "b", share) for field, verdict, share in parts]
    evidence = share_points([[*said, Finding("rivals", Verdict.CLOSE, "", "", 0.5)]], [score])[0]
    assert sum(e.points for e in evidence) == score
    assert all(0 <= e.points <= e.of for e in evidence)


@given(
    st.lists(
        st.tuples(st.sampled_from(["title", "sku", "gtin", "brand", "price"]), st.floats(0, 1)),
        min_size=1, max_size=5, unique_by=lambda t: t[0],
    ),
    st.integers(0, 100),
)  # fmt: skip
def test_no_field_looks_better_than_it_is(parts, score):
    """Close is not the same: a field has its own share of its points, whatever the learned score says."""
    said = [Finding(field, Verdict.CLOSE, "a", "b", share) for field, share in parts]
    said.append(Finding("rivals", Verdict.SAME, "", "", 0.5))
    evidence = share_points([said], [score])[0]
    assert sum(e.points for e in evidence) == score
    told = {e.field: e for e in evidence}
    for field, share in parts:
        assert abs(told[field].points - told[field].of * share) <= 2  # whole numbers


def test_what_stands_out_only_for_want_of_others_is_never_likely():
    """Two products are no crowd: nonsense is nearest to one of them, and near to none."""
    tents = [Record(1, sku="TENT-2P", title="Two-person tent Nordal 2, green"), Record(2, sku="M-1", title="Mug")]
    (best, *_) = suggest(Record("l", sku="DUP-1", title="Dup two"), Index.build(tents))
    assert best.advice is not Advice.LIKELY


@pytest.mark.parametrize(
    ("score", "read"), [(75, Advice.LIKELY), (74, Advice.POSSIBLE), (40, Advice.POSSIBLE), (39, Advice.UNLIKELY)]
)
def test_advice_follows_the_score(score, read):
    assert advice(score) is read


def test_nothing_that_differs_is_no_difference():
    assert difference([Finding("sku", Verdict.SAME, "a", "a", 1.0)]) == ""


def test_differing_characters_are_marked():
    marks = of(pair({"sku": "AB-100"}, {"sku": "AB-180"}), "sku").marks
    assert (marks.ours, marks.theirs) == (((4, 5),), ((4, 5),))
    marks = of(pair({"title": "Acme blue mug"}, {"title": "ACME mug deep red"}), "title").marks
    assert (marks.ours, marks.theirs) == (((5, 9),), ((9, 17),))
    assert of(pair({"sku": "x" * 500}, {"sku": "y" * 500}), "sku").marks.ours == ()


def test_weights_survive_being_written(tmp_path):
    shipped().save(tmp_path / "w.json")
    again = Ranking.load(tmp_path / "w.json")
    assert np.allclose(again.second.weights, shipped().second.weights)


def test_weights_for_other_columns_are_refused():
    with pytest.raises(ValueError, match="Unknown columns"):
        Linear.read({"constant": 0, "weights": {"moon": 1}}, ("sun",))


def test_a_product_is_also_called_what_its_linked_listings_call_it():
    product = Record(1, title="Nomad bottle sage", aliases=["Wanderlust Thermosflasche aus Stahl"])
    index = Index.build([product, Record(2, title="Oak desk lamp"), Record(3, title="Steel bottle")])
    same = Record("l", title="wanderlust Thermosflasche aus Stahl")
    like = Record("l", title="Thermosflasche aus Stahl, Wanderlust, neu")
    for candidate in (compare(product, same), suggest(same, index)[0]):
        assert candidate.product_id == 1
        assert candidate.score >= 75
        assert (of(candidate, "title").verdict, of(candidate, "title").note) == ("same", "a linked listing calls it so")
    assert of(compare(product, like), "title").verdict is Verdict.CLOSE
    assert of(compare(product, Record("l", title="Nomad bottle sage")), "title").note == ""
    assert of(compare(product, Record("l", title="Thermosbecher")), "title").verdict is Verdict.DIFFERS


def test_several_products_compared_at_once_are_each_compared_by_itself():
    price = Decimal("12.00")
    listing = Record("l", title="Nomad bottle 500 ml, sage", brand="Nomad", gtin="4006381333931", price=price)
    products = [
        Record(1, title="Nomad bottle 500 ml sage", brand="Nomad", gtin="4006381333931"),
        Record(2, title="Nomad bottle 750 ml sage", brand="Nomad"),
        Record(3, title="Thermosbecher für Kaffee, größer"),
        Record(4),
    ]
    assert compare_all(products, listing) == [compare(product, listing) for product in products]
    assert [c.product_id for c in compare_all(products, listing)] == [1, 2, 3, 4]
    assert compare_all([], listing) == []


@pytest.mark.parametrize(("sku", "typed", "least"), [("KTL-1709", "ktl 1709", 40), ("AB12", "ab-12", 15)])
def test_a_sku_typed_otherwise_stands_above_strangers(sku, typed, least):
    plates = [Record(n, sku=f"ZZ{n}", title=f"Acme stoneware plate {n} cm") for n in range(10, 30)]
    index = Index.build([Record(1, sku=sku, title="Lund oak chair"), *plates])
    found = suggest(Record("l", sku=typed, title="Acme stoneware mug"), index)
    place = next(c for c in found if c.product_id == 1)
    assert place.score >= least
    assert all(c.score >= least for c in found[: place.rank])
