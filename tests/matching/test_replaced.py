"""A number that stands in the place of another makes a sibling: the pair is to be checked, never likely."""

from __future__ import annotations

import pytest

from matching import Advice, Index, Record, compare, compare_all, contradiction, suggest

SIBLINGS = [
    ("Holm Riesling Kabinett 2019 0,75 l", "Holm Riesling Kabinett 2020 750ml", "2019, not 2020"),
    ("Holm Riesling Kabinett 2019 0,75 l", "2020er Holm Riesling Kabinett 0.75 l", "2019, not 2020"),
    ("Solavie Crème SPF 30 50 ml", "Solavie Creme SPF50 50ml", "30, not 50"),
    ("Nordhal SummerLine 205/55 R16 91V", "Nordhal Summerline 215/55 R16 91V", "205, not 215"),
    ("Nordhal SummerLine 205/55 R16 91V", "Nordhal Summerline 205/55R16 94V", "91V, not 94V"),
    ("Pisalto Runner 5 blue", "Pisalto Runner 6 blue", "5, not 6"),
    ("Zenta USB-C cable 2 m", "Zenta USB-C cable 3m", "2 m, not 3 m"),
    ("Jasnox LED E27 9W 2700K 230V", "Jasnox LED E27 12W 2700K 230V", "9 W, not 12 W"),
    ("Jasnox LED E27 9W 2700K", "Jasnox LED E27 9W 4000K", "2700K, not 4000K"),
    ("Fixor hex bolt M8 x 40", "Fixor hex bolt M8 x 60", "40, not 60"),
    ("Fixor hex bolt M8 x 40 mm", "Fixor hex bolt M6 x 40 mm", "M8, not M6"),
    ("Kordan drill blue 18V 2Ah", "Kordan drill 18V 5Ah blue", "2 Ah, not 5 Ah"),
    ("Roman Der Turm 12 gebunden", "Roman Der Turm gebunden 13", "12, not 13"),
    ("Rechenweg 5. Klasse Arbeitsheft", "Rechenweg Arbeitsheft Klasse 6", "5, not 6"),
    ("Belora Lippenstift Nr. 2 matt", "Belora Lippenstift 3 matt", "2, not 3"),
    ("Jasnox LED E27 9 W 2700 K", "Jasnox LED E27 9W 4000 K", "2700K, not 4000K"),
    ("Kabra Kabel H07V-K 1,5 mm² blau", "Kabra Kabel H07V-K 2,5mm² blau", "1.5qmm, not 2.5qmm"),
]

SAME = [
    ("Norton Antivirus 10.0 Mac", "Norton Antivirus 10 Mac"),
    ("Guitar strings 09-42 light", "Guitar strings 9-42 light"),
    ("Terra olive oil 0,75 l", "Terra olive oil 750 ml"),
    ("Fixor hex bolt M8x40", "Fixor hex bolt M8 x 40"),
    ("Zenta USB-C cable 2 m", "Zenta USB-C cable 200 cm"),
    ("Lund washer white 4.0 cu ft", "Lund washer white 4.2 cu ft"),  # by two standards
    ("Lund drawer 40 x 60 cm", "Lund drawer 400 x 600 mm"),
    ("Kordan SSD drive 1 TB black", "Kordan SSD drive 1000 GB black"),
    ("Lund camera bag 4711 grey", "Lund camera bag 47 11 grey"),
]


@pytest.mark.parametrize(("ours", "theirs", "said"), SIBLINGS)
def test_a_number_in_the_place_of_another_is_never_likely(ours: str, theirs: str, said: str) -> None:
    for one, two in ((ours, theirs), (theirs, ours)):
        assert compare(Record(1, title=one), Record(2, title=two)).advice is not Advice.LIKELY
    pair = compare(Record(1, title=ours), Record(2, title=theirs))
    assert pair.difference.endswith(f" differs: {said}")
    assert pair.evidence[0].note in ("", f"Number differs: {said}"), "said where the pair would be likely"
    [only] = suggest(Record("x", title=theirs), Index.build([Record(1, title=ours)]))
    assert only.score <= 74
    assert contradiction(Record(1, title=ours), Record(2, title=theirs)) is None, "a sign, and no proof"


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_the_same_number_written_otherwise_is_no_other(ours: str, theirs: str) -> None:
    for one, two in ((ours, theirs), (theirs, ours)):
        pair = compare(Record(1, title=one), Record(2, title=two))
        assert "Number" not in pair.difference
        assert pair.advice is Advice.LIKELY


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"sku": "R-5"}, {"sku": "R-5"}),
        ({"gtin": "4006381333931"}, {"gtin": "04006381333931"}),
        ({"aliases": ["Pisalto Runner 6 blue"]}, {}),
    ],
)
def test_an_identifier_or_a_linked_listing_explains_the_number(ours: dict, theirs: dict) -> None:
    pair = compare(Record(1, title="Pisalto Runner 5 blue", **ours), Record(2, title="Pisalto Runner 6 blue", **theirs))
    assert pair.advice is Advice.LIKELY


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Vasos Lund 6 unidades", "Vasos Lund 12 unidades"),
        ("Agua Lund 6 x 500 ml", "Agua Lund 12 x 500 ml"),
        ("Shoes Trail blue size 42", "Shoes Trail blue size 43"),
    ],
)
def test_what_a_field_compares_is_left_to_it(ours: str, theirs: str) -> None:
    pair = compare(Record(1, title=ours), Record(2, title=theirs))
    assert pair.advice is not Advice.LIKELY
    assert pair.difference.startswith(("Pack", "Size"))


@pytest.mark.parametrize(
    ("ours", "theirs", "doubtful"),
    [
        ("Luzmax LED E27 9W pack 3", "Luzmax LED E27 9W", True),
        ("Luzmax LED E27 9W", "Luzmax LED E27 9W, 10 unidades", True),
        ("Encra papier A4 80 g 5 x 500 feuilles", "Encra papier A4 80 g 500 feuilles", True),
        ("Filter Lund 6 pcs", "Filter Lund 6er Pack", False),
        ("Filter Lund 6er Pack", "Filter Lund 6 pcs", False),
        ("Filter Lund pack of 1", "Filter Lund", False),
        ("Cola Lund 6 x 330 ml", "Cola Lund 1,98 l", False),
    ],
)
def test_a_count_that_only_one_side_gives_is_to_be_checked(ours: str, theirs: str, doubtful: bool) -> None:
    pair = compare(Record(1, title=ours), Record(2, title=theirs))
    assert any(e.note == "only one side says how many" for e in pair.evidence) is doubtful
    assert pair.advice is not Advice.LIKELY or not doubtful
    alike = compare(Record(1, title=ours, sku="A"), Record(2, title=theirs, sku="A"))
    assert all(e.note != "only one side says how many" for e in alike.evidence)


def test_part_numbers_are_left_to_the_model() -> None:
    pair = compare(Record(1, title="Lund lamp 123456 grey"), Record(2, title="Lund lamp 654321 grey"))
    assert pair.difference == "Model differs: 123456, not 654321"


def test_titles_with_many_other_words_are_not_judged_by_a_number() -> None:
    ours = "Lund kettle steel cordless quiet series 5 with filter and base"
    theirs = "Lund kettle steel cordless quiet series 6 brushed kitchen appliance silver"
    assert "Number" not in compare(Record(1, title=ours), Record(2, title=theirs)).difference


def test_one_listing_is_read_once_for_all_that_its_numbers_are_compared_with():
    products = [Record(n, title=f"Holm Riesling Kabinett {2018 + n} 0,75 l") for n in range(3)]
    found = compare_all(products, Record("", title="Holm Riesling Kabinett 2020 750ml"))
    assert [c.difference for c in found] == [
        "Number differs: 2018, not 2020", "Number differs: 2019, not 2020", "",
    ]  # fmt: skip
