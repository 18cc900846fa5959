"""Words that say which of a family a thing is: such a pair is for a person to look at, however alike the titles are."""

from __future__ import annotations

import pytest

from matching import Index, Record, compare, suggest
from matching.kinds import other_kind
from matching.sides import Side


def said(product: str, listing: str) -> tuple[str, str] | None:
    """What `other_kind` says of two titles."""
    return other_kind(Side.of(Record(1, title=product)), Side.of(Record(2, title=listing)))


@pytest.mark.parametrize(
    ("product", "listing", "differing"),
    [
        ("Spiegelglas links Orlo 7", "Spiegelglas Orlo 7 rechts beheizbar", ("links", "rechts")),
        ("Specchietto destro Orlo", "Specchietto retrovisore Orlo SX manuale", ("destro", "sx")),
        ("Амортизатор передний левый Орло", "Стойка амортизатора правый передний Orlo", ("левый", "правый")),
        ("Amortiguador delantero Orlo", "Orlo amortiguador trasero izquierdo", ("delantero", "trasero")),
        ("Žárovka Orlo E27 teplá bílá", "Orlo žárovka studená bílá E27", ("teplá", "studená")),
        ("Orlo T-shirt men black", "Orlo women's T-shirt black", ("men", "womens")),
        ("Koszulka Orlo damska", "Koszulka męska Orlo bawełniana", ("damska", "męska")),
        ("Ração Orlo adulto frango", "Orlo ração filhotes frango", ("adulto", "filhotes")),
        ("Orlo Hausschuh Kinder blau", "Orlo Hausschuh Damen blau", ("kinder", "damen")),
        ("Orlo novel hardcover", "Orlo novel, paperback edition", ("hardcover", "paperback")),
        ("Орло роман мягкая обложка", "Орло. Твёрдая обложка, роман", ("мягкая обложка", "твёрдая обложка")),
        ("Café Orlo en grano", "Café Orlo molido natural", ("grano", "molido")),
        ("Detersivo Orlo polvere", "Orlo detersivo liquido lavatrice", ("polvere", "liquido")),
        ("Orlamol 500 mg 16 comprimés", "ORLAMOL 500 mg 16 gélules", ("comprimés", "gélules")),
        ("Orlo Lemon 900 ml", "ORLO pomeranč prostředek na nádobí 900ml", ("lemon", "pomeranč")),
        ("Ração Orlo adulto carne", "Orlo ração cães adultos frango e arroz", ("carne", "frango")),
        ("Корм Орло с лососем", "Влажный корм Орло с курицей", ("лососем", "курицей")),
        ("Orlo soap", "Orlo soap refill pouch", ("", "refill")),
        ("Orlo Seife Nachfüllbeutel", "Orlo Seife Spender", ("nachfüllbeutel", "")),
        ("Mléko Orlo bez laktózy", "Orlo mléko čerstvé", ("bez laktózy", "")),
        ("Orlo milk", "Orlo milk lactose free", ("", "lactose free")),
        ("Káva Orlo mletá", "Káva Orlo bezkofeinová mletá", ("", "bezkofeinová")),
        ("Orlo LED dimmable", "Orlo LED non dimmable", ("dimmable", "non dimmable")),
        ("Orlo LED non dimmable", "Orlo LED dimmable", ("non dimmable", "dimmable")),
        ("Topf Orlo mit Deckel", "Topf Orlo ohne Deckel", ("deckel", "ohne deckel")),
        ("Orlo 13 Pro case", "Orlo 13 Pro Max case", ("", "pro max")),
        ("Orlo 75 Plus", "Orlo 75", ("75 plus", "")),
    ],
)
def test_titles_may_name_two_of_a_family(product: str, listing: str, differing: tuple[str, str]) -> None:
    assert said(product, listing) == differing


@pytest.mark.parametrize(
    ("product", "listing"),
    [
        ("Spiegelglas Orlo 7", "Spiegelglas links Orlo 7"),  # one is silent
        ("Jar Lemon 900 ml", "Jar citron 900 ml"),  # of two languages
        ("Orlo chocolate orange", "Orlo Schokolade"),
        ("Spiegelgläser links und rechts Orlo", "Spiegelglas rechts Orlo"),  # it is of both
        ("Orlo T-shirt men", "Orlo adult T-shirt mens"),
        ("Orlo shirt men and women", "Orlo ladies shirt"),
        ("Milch laktosefrei Orlo", "Orlo lait sans lactose"),  # said in two languages
        ("Orlo cola sin azúcar", "Orlo cola zero azúcar"),
        ("Orlo cola without sugar", "Orlo cola no sugar"),
        ("Orlo soap refill", "Orlo Seife Nachfüllpack"),
        ("Orlo S21 Plus", "Orlo S21+ 128 GB"),
        ("Orlo 7 Pro", "Orlo 7 Professional"),
        ("Orlo Ultra hybrid case 13", "Orlo hybrid case 13"),  # not behind a number
        ("Orlo non stick pan", "Orlo nonstick pan"),
    ],
)
def test_titles_may_say_the_same_of_it_or_nothing(product: str, listing: str) -> None:
    assert said(product, listing) is None
    assert said(listing, product) is None


def test_what_is_another_of_its_family_is_never_likely_and_says_why() -> None:
    index = Index.build([Record(1, title="Wing mirror Orlo Vanta 2 left chrome"), Record(2, title="Orlo hub cap")])
    best = suggest(Record("L", title="Wing mirror Orlo Vanta 2 right chrome"), index)[0]
    assert (best.product_id, best.score) == (1, 74)
    assert best.difference == "Kind differs: left, not right"
    same = suggest(Record("L", title="Wing mirror Orlo Vanta 2 chrome, left"), index)[0]
    assert same.score > 80


@pytest.mark.parametrize(
    ("listing", "right", "sibling"),
    [
        (
            "Specchietto retrovisore SX Orlo Vanta manuale nero",
            "Specchietto sinistro Orlo Vanta",
            "Specchietto destro Orlo Vanta",
        ),
        (
            "Nesbit, A: The Orlo Vanta chronicles. Hardback edition",
            "The Orlo Vanta chronicles hardcover",
            "The Orlo Vanta chronicles paperback",
        ),
    ],
)
def test_another_of_the_family_stands_behind_its_sibling(listing: str, right: str, sibling: str) -> None:
    index = Index.build(
        [Record("sibling", title=sibling), Record("right", title=right), Record(3, title="Hub cap Orlo")]
    )
    assert [c.product_id for c in suggest(Record("L", title=listing), index)][:2] == ["right", "sibling"]


def test_it_stands_no_further_behind_than_its_sibling() -> None:
    index = Index.build([Record(1, title="Wing mirror Orlo Vanta left"), Record(2, title="Hub cap chrome")])
    assert suggest(Record("L", title="Wing mirror Orlo Vanta right"), index)[0].product_id == 1


def test_one_side_that_names_a_refill_is_said_in_words() -> None:
    judged = compare(
        Record(1, title="Orlo hand soap lavender 500 ml"), Record(2, title="Orlo hand soap lavender 500 ml refill")
    )
    assert judged.score <= 74
    assert judged.evidence[0].note == "only one side says: refill"


def test_an_identifier_outweighs_the_words() -> None:
    product = Record(1, sku="OR-1188", title="Orlo Vanta mirror left chrome")
    assert compare(product, Record(2, sku="OR-1188", title="Orlo Vanta mirror left chrome, right hand")).score > 74
