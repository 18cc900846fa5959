"""What titles write in several ways: letters behind a number, cups, strengths of scents, Roman numerals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from matching import Advice, Index, Record, compare, suggest
from matching.document import document
from matching.respelling import respelt

STRANGERS = ("Bosch drill 18 V", "Garden hose 20 m", "Cotton towel", "USB cable 2 m", "Toaster 2 slices", "Oak desk")


@pytest.mark.parametrize(
    ("text", "respelt_as"),
    [
        ("304 xl", "304xl 304 xl"), ("304xl", "304xl 304 xl"), ("pg-545 xxl ink", "pg-545xxl pg-545 xxl ink"),
        ("3 xl", "3 xl"), ("1.75 xl", "1.75 xl"), ("xl 304", "xl 304"), ("304 xl-pack", "304 xl-pack"),
        ("bh 90 c", "bh 90c 90 c"), ("soutien-gorge 85dd", "soutien-gorge 85dd 85 dd"),
        ("bra 34 b-cup", "bra 34 b-cup"), ("90 c wash", "90 c wash"), ("bhopal 90 c", "bhopal 90 c"),
        ("edp", "edp parfum"), ("eau de parfum", "edp parfum"), ("agua de perfume", "edp parfum"),
        ("acqua di profumo", "edp parfum"), ("edt", "edt toilette"), ("agua de tocador", "edt toilette"),
        ("agua de colonia", "edc cologne"), ("kolnisch wasser", "edc cologne"), ("seau de parfum", "seau de parfum"),
        ("agua de coco", "agua de coco"), ("mark ii", "markii mark ii"), ("mk2", "markii mark ii"),
        ("mark 2 set", "markii mark 2 set"), ("mk v", "markv mark v"), ("mkviii", "markviii mark viii"),
        ("mark 2.5", "mark 2.5"), ("mark 12", "mark 12"), ("landmark ii", "landmark ii"),
    ],
)  # fmt: skip
def test_one_spelling(text: str, respelt_as: str) -> None:
    assert respelt(text) == respelt_as


@pytest.mark.parametrize(
    ("listing", "right", "wrong"),
    [
        ("HP 304 XL cartuccia nero", "HP 304XL cartuccia inchiostro nero", ["HP 304 cartuccia inchiostro nero"]),
        ("HP 304 cartuccia nero", "HP 304 cartuccia inchiostro nero", ["HP 304XL cartuccia inchiostro nero"]),
        ("Tinte Orlo PG-545XL", "Orlo PG-545 XL Tinte schwarz", ["Orlo PG-545 Tinte schwarz"]),
        ("Lunaria BH Amora 90 C weiß", "Lunaria Amora BH 90C weiß", ["Lunaria Amora BH 90B weiß", "Lunaria BH 85C"]),
        ("Sutiã Lunaria 44b preto", "Lunaria sutiã 44 B preto", ["Lunaria sutiã 44 C preto"]),
        ("Orlo Bleu eau de parfum 100 ml", "Orlo Bleu EDP 100 ml", ["Orlo Bleu EDT 100 ml"]),
        ("Orlo Bleu agua de tocador 60 ml", "Orlo Bleu Eau de Toilette 60 ml", ["Orlo Bleu Eau de Parfum 60 ml"]),
        ("Lyra RX100 III camera", "Lyra RX100 Mark 3 camera", ["Lyra RX100 II camera", "Lyra RX100 Mark 2 camera"]),
        ("Quietear 2 earbuds", "Quietear II earbuds", ["Quietear III earbuds", "Quietear earbuds"]),
        ("Lyra 5D Mark V body", "Lyra 5D mk5 body", ["Lyra 5D mk4 body", "Lyra 5D Mark IV body"]),
        ("Last Saga VII", "Last Saga 7", ["Last Saga 8", "Last Saga VIII"]),
    ],
)
def test_the_right_sibling_stands_first_however_it_is_written(listing: str, right: str, wrong: list[str]) -> None:
    products = [Record(n, title=title) for n, title in enumerate((*wrong, *STRANGERS, right))]
    best = suggest(Record("l", title=listing), Index.build(products))[0]
    assert products[int(best.product_id)].title == right


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (
            "Orlo Bleu Nuit spray pour homme EDP 100 ml",
            "Orlo Bleu Nuit spray pour homme EDT 100 ml",
            "Kind differs: EDP, not EDT",
        ),
        (
            "Orlo Bleu Nuit spray pour homme EDC EDT 100 ml",
            "Orlo Bleu Nuit spray pour homme EDP 100 ml",
            "Kind differs: EDC, EDT, not EDP",
        ),
        ("Lyra RX100 II camera", "Lyra RX100 III camera", "Number differs: 2, not 3"),
        ("Lyra RX100 II camera", "Lyra RX100 5 camera", "Number differs: 2, not 5"),
        ("Lunaria Amora BH 90C", "Lunaria Amora BH 90 B", "Size differs: 90C, not 90B"),
    ],
)
def test_siblings_are_never_likely(ours: str, theirs: str, said: str) -> None:
    pair = compare(Record(1, title=ours), Record(2, title=theirs))
    assert pair.advice is not Advice.LIKELY
    assert pair.difference == said


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Orlo Bleu EDP 100 ml", "Orlo Bleu Eau de Parfum 100 ml"),
        ("Lyra RX100 II camera", "Lyra RX100 2 camera"),
        ("Lunaria Amora BH 90C", "Lunaria Amora BH 90 C"),
    ],
)
def test_two_spellings_are_one_product(ours: str, theirs: str) -> None:
    pair = compare(Record(1, title=ours), Record(2, title=theirs))
    assert pair.advice is Advice.LIKELY
    assert pair.difference == ""


@pytest.mark.parametrize("bra", ["Sport-BH", "soutien-gorge", "T-shirt-bra", "sujetador", "reggiseno", "sutiã"])
def test_a_size_of_cups_stands_beside_a_word_for_what_has_them(bra: str) -> None:
    assert document(Record(1, title=f"Lunaria {bra} Amora 90 C")).size == "90 c"
    assert document(Record(1, title=f"{bra} Amora 90DD")).size == "90 dd"
    assert document(Record(1, title=f"{bra} 75A black")).size == "75 a"
    assert document(Record(1, title=f"{bra} 85 a 100")).size == document(Record(1, title=f"{bra} 42 e 44")).size == ""
    assert document(Record(1, title=f"{bra} 97 C")).size == document(Record(1, title="Amora 90 C")).size == ""


def test_bands_of_two_systems_may_be_one_size() -> None:
    """The French 90C is the German 75C: nothing says that they are two."""
    pair = compare(Record(1, title="Lunaria Amora BH 75C"), Record(2, title="Lunaria Amora BH 90C"))
    assert next(e for e in pair.evidence if e.field == "size").verdict == "missing"


def test_two_cups_in_one_title_are_no_size() -> None:
    pair = compare(Record(1, title="Lunaria BH 90C 90D"), Record(2, title="Lunaria BH 90B"))
    assert next(e for e in pair.evidence if e.field == "size").verdict == "missing"


@pytest.mark.parametrize(
    ("ours", "theirs", "amount", "verdict"),
    [
        ("EUR", "", 60, "not_used"), ("", "EUR", 60, "not_used"), ("$", "MXN", 60, "not_used"),
        ("EUR", "", 11, "close"), ("EUR", "", 10, "same"), ("", "", 60, "differs"), ("EUR", "EUR", 60, "differs"),
    ],
)  # fmt: skip
def test_a_price_in_perhaps_another_currency_says_nothing_against(
    ours: str, theirs: str, amount: int, verdict: str
) -> None:
    product = Record(1, title="Desk lamp Arno oak", price=Decimal(10), currency=ours)
    listing = Record(2, title="Lamp Arno for the desk", price=Decimal(amount), currency=theirs)
    price = next(e for e in compare(product, listing).evidence if e.field == "price")
    assert price.verdict == verdict
    assert (price.note == "perhaps different currencies") is (verdict == "not_used")
    if verdict == "not_used":
        silent = compare(product, Record(2, title=listing.title))
        assert compare(product, listing).score == silent.score
