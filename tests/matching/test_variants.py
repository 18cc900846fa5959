"""Variants of one listing beside those of one product."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Fit, Record, Verdict, place_variants, shape
from matching.variants import kind_of, same_value


def products(*options, title="Bottle"):
    return [Record(n, title=title, options=o) for n, o in enumerate(options, 1)]


def listings(*options, title="Bottle"):
    return [Record(f"l{n}", title=title, options=o) for n, o in enumerate(options, 1)]


def placed(ours, theirs, known=None, refused=()):
    found = place_variants(ours, theirs, known or {}, refused=frozenset(refused))
    return {p.listing_id: (p.product_id, p.fit.value) for p in found}


MATRIX = [{"Colour": c, "Size": s} for c in ("Sage", "Sand") for s in ("500 ml", "750 ml")]


def test_every_variant_goes_to_the_product_with_the_same_options():
    theirs = listings(*({"Tamaño": o["Size"].replace(" ", ""), "Color": o["Colour"].upper()} for o in MATRIX))
    assert placed(products(*MATRIX), theirs) == {f"l{n}": (n, "fits") for n in range(1, 5)}


def test_known_variants_are_not_placed_again():
    assert placed(products(*MATRIX), listings(*MATRIX), {"l1": 1}).keys() == {"l2", "l3", "l4"}


def test_the_options_of_a_pair_are_told_with_their_verdicts():
    (one,) = place_variants(products(MATRIX[0]), listings({"color": "sage", "talla": "0.5 l"}), {})
    assert [(o.name, o.ours, o.theirs, o.verdict) for o in one.options] == [
        ("color", "Sage", "sage", Verdict.SAME), ("talla", "500 ml", "0.5 l", Verdict.SAME),
    ]  # fmt: skip


def test_a_known_pair_teaches_the_words_of_its_values():
    ours = products(*MATRIX)
    theirs = listings(
        *({"Color": {"Sage": "Salvia", "Sand": "Arena"}[o["Colour"]], "Talla": o["Size"]} for o in MATRIX)
    )
    assert set(placed(ours, theirs).values()) == {(None, "none")}
    assert placed(ours, theirs, {"l1": 1}) == {"l2": (2, "fits"), "l3": (None, "none"), "l4": (None, "none")}
    assert placed(ours, theirs, {"l1": 1, "l4": 4}) == {"l2": (2, "fits"), "l3": (3, "fits")}


def test_known_pairs_that_disagree_teach_nothing():
    ours, theirs = products(*MATRIX), listings(*({"Color": "Salvia", "Talla": o["Size"]} for o in MATRIX))
    assert placed(ours, theirs, {"l1": 1, "l3": 3}) == {"l2": (None, "none"), "l4": (None, "none")}


def test_what_is_spelt_alike_is_not_taught_otherwise_by_a_wrong_link():
    assert placed(products(*MATRIX), listings(*MATRIX), {"l1": 3}) == {
        "l2": (2, "fits"),
        "l3": (3, "fits"),
        "l4": (4, "fits"),
    }


def test_options_with_names_that_mean_nothing_are_paired_by_the_values_of_a_known_pair():
    ours = products(*({"Finish": a, "Grip": b} for a in ("Matt", "Gloss") for b in ("Cork", "Foam")))
    theirs = listings(*({"V1": o.options["Grip"], "V2": o.options["Finish"]} for o in ours))
    assert set(placed(ours, theirs).values()) == {(None, "none")}
    assert placed(ours, theirs, {"l1": 1}) == {f"l{n}": (n, "fits") for n in (2, 3, 4)}


def test_a_known_pair_whose_values_agree_twice_pairs_no_options():
    ours = products({"A": "1", "B": "1"}, {"A": "1", "B": "2"}, {"A": "2", "B": "2"})
    theirs = listings({"X": "1", "Y": "1"}, {"X": "2", "Y": "2"})
    assert placed(ours, theirs, {"l1": 1, "l9": 5}) == {"l2": (None, "none")}


def test_the_last_option_of_both_sides_is_paired_by_elimination():
    ours = products(*({"Colour": "Red", "Blade": b} for b in ("A", "B")))
    assert placed(ours, listings(*({"Color": "Red", "Hoja": b} for b in ("A", "B")))) == {
        "l1": (1, "fits"),
        "l2": (2, "fits"),
    }


def test_an_option_that_all_variants_share_need_not_be_said():
    ours = products(*({"Size": s, "Material": "Steel"} for s in ("S", "M")))
    theirs = listings(*({"Talla": s, "Colour": "Sage"} for s in ("S", "M")))
    assert placed(ours, theirs) == {"l1": (1, "fits"), "l2": (2, "fits")}


def test_an_option_that_only_titles_say_leaves_a_pair_to_a_person():
    ours = products(*MATRIX)
    theirs = [Record(f"l{n}", title=f"Bottle, {o['Colour']}, 750ml", options={"Color": o["Colour"]})
              for n, o in enumerate(MATRIX[1::2], 1)]  # fmt: skip
    assert placed(ours, theirs) == {"l1": (2, "close"), "l2": (4, "close")}
    silent = listings({"Color": "Sage"})
    assert placed(ours, silent) == {"l1": (None, "none")}


def test_an_option_that_only_the_titles_of_products_say_leaves_a_pair_to_a_person():
    ours = [Record(n, title=f"Bottle {c}", options={"Size": "M"}) for n, c in enumerate(("sage", "sand"), 1)]
    theirs = listings({"Size": "M", "Colour": "Sand"}, {"Size": "M", "Colour": "Plum"})
    assert placed(ours, theirs) == {"l1": (2, "close"), "l2": (None, "none")}


def test_titles_alone_never_make_a_pair():
    assert placed(products({}), listings({})) == {"l1": (None, "none")}
    assert placed(products({"Size": "M"}), listings({})) == {"l1": (None, "none")}


def test_two_products_with_the_same_options_are_left_to_a_person():
    assert placed(products({"Size": "M"}, {"Size": "m"}), listings({"Talla": "M"})) == {"l1": (None, "several")}


def test_a_refused_pair_is_not_made_and_said():
    ours, theirs = products({"Size": "M"}, {"Size": "m"}), listings({"Talla": "M"})
    assert placed(ours, theirs, refused=[("l1", 1)]) == {"l1": (2, "fits")}
    assert placed(ours, theirs, refused=[("l1", 1), ("l1", 2)]) == {"l1": (1, "refused")}


def test_an_equal_spelling_beats_a_synonym():
    ours = products({"Colour": "Blue"}, {"Colour": "Azul"})
    assert placed(ours, listings({"Color": "azul"})) == {"l1": (2, "fits")}
    assert placed(ours, listings({"Color": "Bleu"})) == {"l1": (None, "several")}


def test_a_blank_value_is_no_value():
    assert placed(products({"Size": "M", "Colour": " "}), listings({"Talla": "M"})) == {"l1": (1, "fits")}
    assert placed(products({"Size": "M"}, {"Size": "S"}), listings({"Talla": " "})) == {"l1": (None, "none")}


def test_a_name_spelt_in_two_ways_inside_a_family_is_one_option():
    ours = products({"Size": "M"}, {"Talla": "S"})
    assert placed(ours, listings({"Size": "S"}, {"Taille": "M"})) == {"l1": (2, "fits"), "l2": (1, "fits")}


@pytest.mark.parametrize(
    ("kind", "ours", "theirs", "verdict"),
    [
        ("colour", "Red", "rojo", "same"),
        ("colour", "Navy", "Blue", "close"),
        ("colour", "Dark blue", "Blue", "close"),
        ("colour", "Red", "Blue", "differs"),
        ("size", "L", "large", "same"),
        ("size", "L", "XL", "differs"),
        ("size", "0.75 l", "750 ml", "same"),
        ("size", "500 ml", "510 ml", "differs"),
        ("size", "2 m", "2 l", "differs"),
        ("size", "2 m", "2 m 3 kg", "differs"),
        ("size", "Medium", "Medim", "differs"),
        ("finish", "Brushed steel", "Brushed stel", "close"),
        ("finish", "Model 10", "Model 20", "differs"),
        ("finish", "Matt", "Gloss", "differs"),
        ("scent", "Rose wood", "rosewood", "same"),
    ],
)
def test_values_of_one_option(kind, ours, theirs, verdict):
    assert same_value(kind, ours, theirs).value == verdict
    assert same_value(kind, theirs, ours).value == verdict


@pytest.mark.parametrize(("name", "kind"), [("Talla", "size"), ("COULEUR", "colour"), ("Grip", "grip"), ("", "")])
def test_names_of_options(name, kind):
    assert kind_of(name) == kind


values = st.sampled_from(["Sage", "Sand", "M", "S", "500 ml", "0.5 l", "Rojo", "Red", "Blue", "Navy", "", "x"])
options = st.dictionaries(st.sampled_from(["Size", "Talla", "Color", "Colour", "Grip"]), values, max_size=3)
families = st.lists(options, min_size=1, max_size=5)


@given(families, families, st.randoms())
def test_the_order_of_variants_never_matters(ours, theirs, rng):
    mine, other = products(*ours), listings(*theirs)
    before = placed(mine, other)
    rng.shuffle(mine)
    rng.shuffle(other)
    assert placed(mine, other) == before


@given(families, families)
def test_a_pair_that_fits_has_no_option_that_differs(ours, theirs):
    for one in place_variants(products(*ours), listings(*theirs), {}):
        verdicts = {o.verdict for o in one.options}
        if one.fit is Fit.FITS:
            assert verdicts <= {Verdict.SAME, Verdict.NOT_USED}
            assert Verdict.SAME in verdicts
        if one.product_id is None:
            assert verdicts <= {Verdict.MISSING}


@given(st.text(max_size=60), st.text(max_size=60))
def test_values_are_the_same_as_themselves_and_either_way_round(a, b):
    assert same_value("size", a, a) is Verdict.SAME
    assert same_value("scent", a, b) is same_value("scent", b, a)


def test_variants_of_one_listing_have_one_shape():
    one = Record("a", title="Nomad bottle 750ml, Sage", options={"Color": "Sage", "Size": "750 ml", "Box": ""})
    two = Record("b", title="Nomad Bottle – 500 ml Sand", options={"Talla": "500 ml", "Colour": "Sand"})
    assert shape(one) == shape(two) == (frozenset({"size", "colour"}), "nomad bottle")
    assert shape(Record("c", title="Nomad bottle kids", options=two.options)) != shape(one)
    assert shape(Record("d", title="Nomad bottle", options={"Colour": "Sand"})) != shape(one)
