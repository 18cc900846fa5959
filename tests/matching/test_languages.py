"""Facts in titles of many languages: the same thing said in another language is the same, another one is not."""

from __future__ import annotations

import pytest

from matching import Advice, Record, compare, suggest_many
from matching.decide import Index
from matching.document import document
from matching.lexicon import COLOUR_NAMES, DIMENSIONS
from matching.pairs import COLUMN
from matching.quantities import CAPACITY_DIMENSION, COUNT_DIMENSION, N_DIMENSIONS, PACK_DIMENSION


def facts(title: str, *dimensions: str) -> list[float]:
    """The quantities of these dimensions in a title, in base units."""
    found = document(Record(1, title=title)).quantities
    return sorted(round(q.value, 3) for q in found if DIMENSIONS[q.dimension] in dimensions)


@pytest.mark.parametrize(
    ("title", "dimension", "values"),
    [
        ("Funda nórdica 130×180 cm", "length", [1300, 1800]),
        ("Ковёр 130х180 см", "length", [1300, 1800]),
        ("Ковер 1,3 х 1,8 м", "length", [1300, 1800]),
        ("Matratze 90 x 200 x 16 cm", "length", [160, 900, 2000]),
        ("Poster 24 x 36 in", "screen", [24, 36]),
        ('Monitor 14,1\\"\\" wide', "screen", [14.1]),
        ('Disk 2.5"" SATA', "screen", [2.5]),
        ("Refrigerator 25.0 Cu. Ft.", "capacity", [25]),
        ("Oven 0.8Cu. Ft. black", "capacity", [0.8]),
        ("Refrigerador 11 pies cúbicos", "capacity", [11]),
        ("Geladeira 11 pés cúbicos", "capacity", [11]),
        ("Réfrigérateur 18,3 pieds cubes", "capacity", [18.3]),
        ("Freezer 7 ft³ white", "capacity", [7]),
        ("Batería 10.000 mAh", "charge", [10000]),
        ("Powerbank 10 000 mAh", "charge", [10000]),
        ("Powerbank 10,000 mAh", "charge", [10000]),
        ("Shampoo 1.000 ml", "volume", [1000]),
        ("Shampoo 1,000 l", "volume", [1000]),
        ("Mehl 1,500 kg", "mass", [1500]),
        ("Sirup 0,750 l", "volume", [750]),
        ("Olio 0.750 l", "volume", [750]),
        ("Papier a4 x 3 m", "length", [3000]),
        ("Netz 3 x 4 x blau", "length", []),
        ("Vitamin C 1.000 mg", "mass", [1]),
        ("Disque dur 1 To", "storage", [1024]),
        ("Clé USB 64 Go", "storage", [64]),
        ("iPhone 12 128 GB, black", "storage", [128]),
        ("Toys for ages 4 to 6", "storage", []),
        ("Telewizor 55 cali", "screen", [55]),
        ("Televize 55 palců", "screen", [55]),
        ("Crocchette pollo kg 10", "mass", [10_000]),
        ("Latte lt. 1 intero", "volume", [1_000]),
        ("Pasta gr 500", "mass", [500]),
        ("Sandale Gr. 40", "mass", []),
        ("Farina 10 kg 5 pezzi", "mass", [10_000]),
        ("Olio kg 250 ml", "mass", []),
        ("Wischerblatt Set 600/475 mm", "length", [475, 600]),
        ("Wischer 650 + 475mm", "length", [475, 650]),
        ("Windeln 9-14kg", "mass", [14_000]),  # of a range the upper end
        ("Windeln 9 - 14 kg", "mass", [14_000]),
        ("Pipetas 4 a 10 kg", "mass", [10_000]),
        ("Objektiv 17-85MM", "length", [85]),
        ("Box 20-30-40 cm", "length", [200, 300, 400]),
        ("Box 20x30x40 cm", "length", [200, 300, 400]),
        ("Phone 8/256 GB", "storage", [8, 256]),
        ("Phone 12-128 GB", "storage", []),
        ("Phone 12 - 128 GB", "storage", [128]),
        ("Mehl 1/2 kg", "mass", []),
        ('Bit 11/16"', "screen", [0.688]),
        ('Monitore 17-19"', "screen", [19]),
        ("Switch 10/100M", "length", []),
        ("Sommerreifen 205/55 R16 91V", "voltage", []),
        ("Netzteil 205/55 R16 91V 230 V", "voltage", [230]),
        ("Reifen 205/55 R16 91H", "voltage", []),
        ("Sommerreifen rund 91V", "voltage", [91]),
        ("Телевизор 55 дюймов", "screen", [55]),
    ],
)
def test_a_quantity_is_read_with_its_unit(title: str, dimension: str, values: list[float]) -> None:
    assert facts(title, dimension) == values


@pytest.mark.parametrize(
    ("title", "brand", "lengths"),
    [
        ("3M Privacy filter 14.1 x 20 cm", "", [141, 200]),
        ("3M™ tape, 33 m", "", [33_000]),
        ("Scotch 3M tape, 33 m", "3M", [33_000]),
        ("3M tape, 3 m", "", [3_000]),
        ("3m tape", "", [3_000]),  # the sign of the metre
        ("3M USB CABLE", "", [3_000]),  # all of it is shouted
        ("3M USB Cable", "Ugreen", [3_000]),  # the maker is another one
        ("3M-Filter 20 cm", "", [200]),
    ],
)
def test_a_maker_called_like_a_length_is_none(title: str, brand: str, lengths: list[float]) -> None:
    found = document(Record(1, title=title, brand=brand)).quantities
    assert sorted(q.value for q in found if DIMENSIONS[q.dimension] == "length") == lengths


@pytest.mark.parametrize(
    ("title", "packs"),
    [
        ("Soap 14, pack of 3", [3]),
        ("12 pack of 330 ml cans", [12]),
        ("Вода 6х1,5 л", [6]),
        ("Acqua 1,5 l x 6 bottiglie", [6]),
        ("Karton mit 24 Stück", [24]),
        ("Набор 3 шт.", [3]),
        ("Zestaw 5 szt.", [5]),
        ("Pack de 6 unidades", [6]),
        ("Set of 3 towels", [3]),
        ("3er Set Gläser", [3]),
        ("2x Socks", [2]),
        ("Gläser 3-er Pack", [3]),
        ("Bier 6er Kiste", [6]),
        ("Bier 6er-Kiste", [6]),
        ("Galletas c/ 12", [12]),
        ("Caixa c/12", [12]),
        ("Cx 12", [12]),
        ("Mugs, pack of three", [3]),
        ("Lote de dos", [2]),
        ("Cerveza six pack", [6]),
        ("Socks three-pack", [3]),
        ("Towels twin-pack", [2]),
        ("Yogur tripack", [3]),
        ("Crema pack dúo", [2]),
        ("Crema dúo", []),
        ("Bedding set double", []),
        ("(3x) Seife", [3]),
        ("Seife (x3)", [3]),
        ("Adapter with USB (3x) and HDMI", []),
        ("Tonno conf.da 6", [6]),
        ("Batteries 6/pk", [6]),
        ("Batteries pk/6", [6]),
        ("Batteries pk/a6", []),
        ("Confezione da 6", [6]),
        ("Cat food 4 x 12 x 85g", [48]),
        ("2 packs of 6", [12]),
        ("Soap 14 pack of 3", [3]),
        ("3er-Reihe 3er-", []),
    ],
)
def test_packs_are_counted_in_many_languages(title: str, packs: list[float]) -> None:
    assert facts(title, "pack") == packs


@pytest.mark.parametrize(
    ("word", "colour"),
    [("черный", "black"), ("белая", "white"), ("серые", "grey"), ("czarne", "black"), ("bílé", "white"), ("síva", "")],
)
def test_colours_of_slavic_languages_agree_with_their_noun(word: str, colour: str) -> None:
    mask = document(Record(1, title=f"Kabel {word}")).colours
    assert mask == (1 << COLOUR_NAMES.index(colour) if colour else 0)


@pytest.mark.parametrize(
    ("title", "colours"),
    [
        ("Orange juice 1 l", []),
        ("Orange T-shirt", ["orange"]),
        ("Café negro 250 g", ["black"]),
        ("Sofá color crema", ["beige"]),
        ("Red wine 750 ml", ["red"]),
    ],
)
def test_what_is_measured_out_names_food_and_no_colour(title: str, colours: list[str]) -> None:
    mask = document(Record(1, title=title)).colours
    assert [name for bit, name in enumerate(COLOUR_NAMES) if mask >> bit & 1] == colours


@pytest.mark.parametrize(
    ("title", "size"),
    [
        ("Schuhe Gr.42", "42"),
        ("Runner EU 42,5 black", "42.5"),
        ("Runner black UK 8", "uk 8"),
        ("Collare tg M", "m"),
        ("Plug EU 16 A", ""),
        ("Adapter EU 50 W", ""),
        ("Adapter white EU", ""),
        ("Shoes made for US", ""),
        ("Camisa tamanho G branca", "l"),
        ("Blusa talla CH", "s"),
        ("Camiseta tamanho GG", "xl"),
        ("Zapatos talla 42,5", "42.5"),
        ("Velikost M", "m"),
        ("Tričko Orlo vel. L", "l"),
        ("Koszulka Orlo rozm. S", "s"),
        ("Футболка Орло разм. M", "m"),
        ("T-shirt Orlo black M", "m"),
        ("Koszulka Orlo czarna S", "s"),
        ("ORLO 5000 tee black large", "l"),
        ("Large black bag", ""),
        ("Black L bracket", ""),
        ("L", ""),
        ("Cabo G", ""),
    ],
)
def test_sizes_are_read_behind_their_word(title: str, size: str) -> None:
    assert document(Record(1, title=title)).size == size


@pytest.mark.parametrize(
    "title",
    [
        "Gläser 6er Pack 6er-Pack 12pack",
        "Washer 7-cycle white",
        "Switch 24-port",
        "Multicooker 7-in-1",
        "Cleaner 3in1",
        "DVD writer 24x",
        "Galletas c/ 12",
        "Weingut Riesling 2019er",
    ],
)
def test_what_counts_is_no_model_code(title: str) -> None:
    assert document(Record(1, title=title)).codes == []


def test_codes_that_begin_with_digits_stay_codes() -> None:
    assert set(document(Record(1, title="24-LF450 6SN7GTB 12-ABC")).codes) >= {"24lf450", "6sn7gtb", "12abc"}


SAME = [
    ("Olive oil 750 ml", "Aceite de oliva 0,75 l"),
    ("Rug 130 x 180 cm", "Teppich 180×130 cm"),
    ("Mineral water 1.5 L, pack of 6", "Eau minérale 6 x 1,5 L"),
    ("SSD 1 TB", "SSD 1000 GB"),
    ("Glasses, pack of 6", "Gläser 6er Pack"),
    ("Glasses 6 pieces", "Vasos pack de 6 unidades"),
    ("Phone 8GB 256GB", "Teléfono 256 GB 8 GB RAM"),
    ("Refrigerator 11 cu. ft.", "Refrigerador de 11 pies cúbicos"),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_the_same_said_in_another_language_is_no_conflict(ours: str, theirs: str) -> None:
    evidence = {e.field: e.verdict.value for e in compare(Record(1, title=ours), Record(2, title=theirs)).evidence}
    assert {evidence["size"], evidence["pack"]} & {"same"}
    assert "differs" not in (evidence["size"], evidence["pack"])


OTHER = [
    ("Olive oil extra virgin 750 ml", "Olive oil extra virgin 0,5 l"),
    ("Wool rug Bergen 130 x 180 cm", "Wool rug Bergen 130 x 200 cm"),
    ("Mineral water 1,5 L 6 x", "Mineral water 1,5 L pack de 12"),
    ("Phone Nova 8GB 256GB black", "Phone Nova 12GB 256GB black"),
    ("Vasos Lund pack de 6 unidades", "Vasos Lund 12er Pack"),
    ("Vitamin D3 60 capsules", "Vitamin D3 120 kapseln"),
    ("Camiseta Lisboa tamanho G", "Camiseta Lisboa tamanho M"),
    ("Shoes Trail talla 42", "Shoes Trail talla 43"),
    ("Порошок Свежесть 2,4 кг", "Порошок Свежесть 400 г"),
    ("Microwave oven Lund 1.1 cu. ft. 1000 W", "Microwave oven Lund 0.7 cu. ft. 700 W"),
]


@pytest.mark.parametrize(("ours", "theirs"), OTHER)
def test_another_content_pack_or_size_is_never_likely(ours: str, theirs: str) -> None:
    product, listing = Record(1, title=ours, brand="Lund", price=None), Record("x", title=theirs, brand="Lund")
    assert compare(product, listing).advice is not Advice.LIKELY
    [[only]] = suggest_many([listing], Index.build([product]))
    assert only.advice is not Advice.LIKELY
    assert only.score < 75


def test_the_compiled_loops_know_every_dimension() -> None:
    assert len(DIMENSIONS) == N_DIMENSIONS
    assert (DIMENSIONS[PACK_DIMENSION], DIMENSIONS[COUNT_DIMENSION]) == ("pack", "count")
    assert DIMENSIONS[CAPACITY_DIMENSION] == "capacity"


@pytest.mark.parametrize(("theirs", "conflict"), [("4.2", False), ("3.8 / 4.6", False), ("5.0", True)])
def test_capacities_by_two_standards_differ_and_rule_nothing_out(theirs: str, conflict: bool) -> None:
    product, listing = Record(1, title="Lund washer 4.0 cu ft"), Record(2, title=f"Lund washer {theirs} cu ft")
    [line] = Index.build([product]).find(document(listing)).features
    assert bool(line[COLUMN["content_conflict"]]) is conflict
    size = next(e for e in compare(product, listing).evidence if e.field == "size")
    assert size.verdict.value == "differs"
    assert (compare(product, listing).score <= 69) or not conflict


def test_another_content_stands_behind_a_sibling_without_that_conflict() -> None:
    products = [
        Record(1, title="Lavex floor cleaner lemon concentrate professional 5 l"),
        Record(2, title="Lavex floor cleaner concentrate 750 ml"),
        Record(3, title="Lavex window spray 500 ml"),
    ]
    [found] = suggest_many([Record("x", title="Lavex floor cleaner lemon concentrate 0,75 l")], Index.build(products))
    assert found[0].product_id == 2


@pytest.mark.parametrize(
    ("ours", "theirs", "field", "verdict", "note"),
    [
        ("Filter 6 pcs", "Filter 6er Pack", "pack", "same", ""),
        ("Filter 6 pcs", "Filter 4er Pack", "pack", "missing", ""),
        ("Tabs 60 tablets", "Tabs 2 x 30 tablets", "pack", "close", "as much in all"),
        ("Cat food 48 x 85 g", "Cat food 12 x 85 g, 4 pack", "pack", "close", "as much in all"),
        ("Cola 6 x 330 ml", "Cola 6er Pack 1,98 L", "size", "close", "as much in all"),
        ("Feed 10 kg + 2 kg", "Feed 12 kg", "size", "close", "as much in all"),
        ("Feed 10 kg + 2 kg", "Feed 15 kg", "size", "differs", ""),
        ("Board 156 cm", "Board 159 cm", "size", "differs", ""),
        ("Rod 5 ft", "Rod 1,52 m", "size", "same", ""),
        ("Gloves size M", "Gloves size 8", "size", "missing", ""),
        ("Gloves size M", "Gloves size L", "size", "differs", ""),
        ("Größe XXL", "Size 2XL", "size", "same", ""),
    ],
)
def test_what_may_be_the_same_rules_nothing_out(ours: str, theirs: str, field: str, verdict: str, note: str) -> None:
    said = next(e for e in compare(Record(1, title=ours), Record(2, title=theirs)).evidence if e.field == field)
    assert (said.verdict, said.note) == (verdict, note)


@pytest.mark.parametrize(
    ("title", "other", "said"),
    [
        ("Monitor 60 Hz", "Monitor 144 Hz", "60 Hz, not 144 Hz"),
        ("Card 64 MB", "Card 128 MB", "64 MB, not 128 MB"),
        ("Tab 0,05 mg", "Tab 0,1 mg", "50 µg, not 100 µg"),
        ("Tab 0.0000001 mg", "Tab 400 mg", "0 µg, not 400 mg"),
    ],
)
def test_small_quantities_are_said_in_small_units(title: str, other: str, said: str) -> None:
    assert compare(Record(1, title=title), Record(2, title=other)).difference.endswith(said)


def test_a_brand_is_named_by_whole_words() -> None:
    for brand, title, verdict in (("AB", "Cabin suitcase", "missing"), ("AB", "A-B suitcase", "same")):
        found = compare(Record(1, title="Suitcase", brand=brand), Record(2, title=title)).evidence
        assert next(e for e in found if e.field == "brand").verdict == verdict


def test_a_year_for_a_computer_is_no_count() -> None:
    assert facts("Antivirus plus 2007 (PC)", "count") == []
    assert facts("Filter 12 pc", "count") == [12]
