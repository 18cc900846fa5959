"""Values of options in six languages: a translation is the same, and a word that nobody knows is unknown."""

from __future__ import annotations

import pytest

from matching import Advice, Record, compare
from matching.meanings import meaning


def options(ours: dict[str, str], theirs: dict[str, str], titles: tuple[str, str] = ("Lund bag", "Lund bag")):
    """The evidence that options give, and the whole pair."""
    pair = compare(Record(1, title=titles[0], options=ours), Record(2, title=titles[1], options=theirs))
    return next(e for e in pair.evidence if e.field == "options"), pair


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Cotton", "Baumwolle"), ("Cotton", "algodón"), ("100 % coton", "100% Cotone"),
        ("Stainless steel", "Edelstahl"), ("Acero inoxidable", "Aço inox"), ("Kunstleder", "Cuero sintético"),
        ("Eiche", "Roble"), ("Wool and silk", "Laine et soie"),
        ("Black leather", "Schwarz Leder"),
    ],
)  # fmt: skip
def test_a_material_is_the_same_in_any_language(ours: str, theirs: str) -> None:
    said, pair = options({"Material": ours}, {"Matériau": theirs})
    assert said.verdict == "same"
    assert pair.advice is Advice.LIKELY


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("Cotton", "Wolle"), ("100 % Cotton", "80% Baumwolle"), ("Edelstahl", "Steel"), ("Roble", "Beech")],
)
def test_another_material_is_a_conflict_in_any_language(ours: str, theirs: str) -> None:
    said, pair = options({"Material": ours}, {"Matériau": theirs})
    assert said.verdict == "differs"
    assert pair.score <= 69


@pytest.mark.parametrize(
    ("ours", "theirs", "titles"),
    [
        ({"Flavour": "Blackcurrant"}, {"Sabor": "Grosella"}, ("Lund tea", "Lund tea")),
        ({"Material": "Ripstop"}, {"Material": "Rasgado"}, ("Lund bag with belt", "Lund bolsa con correa")),
        ({"Size": "Double"}, {"Talla": "Matrimonio"}, ("Lund bed", "Lund bed")),
    ],
)
def test_a_word_that_nobody_knows_is_unknown_between_languages(ours, theirs, titles) -> None:
    said, pair = options(ours, theirs, titles)
    size = next(e for e in pair.evidence if e.field == "size")
    assert "differs" not in (said.verdict, size.verdict)
    assert "missing" in (said.verdict, size.verdict)


@pytest.mark.parametrize(
    ("ours", "theirs", "titles"),
    [
        ({"Flavour": "Blackcurrant"}, {"Flavor": "Gooseberry"}, ("Lund tea", "Lund tea")),
        ({"Material": "Ripstop"}, {"Material": "Canvas"}, ("Lund bag with belt", "Lund bag with a zip")),
        ({"Flavour": "Tea No. 5"}, {"Sabor": "Té n.º 7"}, ("Lund tea", "Lund tea")),
        ({"Cut": "Small"}, {"Cut": "Groß"}, ("Lund ham with bone", "Lund Schinken mit Knochen")),
        ({"Depth": "2 cm"}, {"Depth": "3 cm"}, ("Lund frame with glass", "Lund Rahmen mit Glas")),
    ],
)
def test_what_is_understood_or_in_one_language_still_conflicts(ours, theirs, titles) -> None:
    said, pair = options(ours, theirs, titles)
    assert said.verdict == "differs"
    assert pair.score <= 69


def test_a_value_means_something_only_when_all_its_words_do() -> None:
    assert meaning(["cotton", "y", "lana"]) == {"cotton", "wool"}
    assert meaning(["cotton", "deluxe"]) == frozenset()
