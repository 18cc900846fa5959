"""A brand in another script is found, and is no other brand."""

from __future__ import annotations

import pytest

from matching import Index, Record, compare, suggest, suggest_many
from matching.document import document
from matching.records import Verdict
from matching.scripts import latin, with_latin


@pytest.mark.parametrize(
    ("text", "both"),
    [
        ("сковорода орлена 24 см", "сковорода орлена 24 см | skovoroda orlena"),
        ("порошок аріель", "порошок аріель | poroshok ariel"),
        ("батареика аа 4 шт", "батареика аа 4 шт | batareika aa"),  # Cyrillic letters
        ("orlena 24 cm", "orlena 24 cm"),
        ("cafe orlena", "cafe orlena"),
        ("для и на", "для и на | dlya"),
        ("", ""),
    ],
)
def test_cyrillic_words_stand_once_more_in_latin_letters(text: str, both: str) -> None:
    assert with_latin(text) == both


def test_latin_letters_stand_for_each_of_another_script() -> None:
    assert latin("щёлочь".replace("ё", "е")) == "scheloch"
    assert latin("orlena 5") == "orlena 5"


def test_what_is_compared_as_a_title_stays_as_it_is() -> None:
    doc = document(Record(1, title="Шампунь Орлена 400 мл", brand="Орлена"))
    assert doc.text[: doc.title_end] == "шампунь орлена 400 мл"
    assert doc.text.endswith("shampun orlena")


BRANDS = {
    "Ронделл": "Rondell", "Вантара": "Vantara", "Биол": "Biol", "Неста": "Nesta", "Лукоморье": "Lukomorie",
    "Сплат": "Splat", "Галатея": "Galateya", "Тефаль": "Tefal",
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
def test_a_brand_in_another_script_tells_products_apart(turned: bool) -> None:
    pairs = [(b, a) if turned else (a, b) for a, b in BRANDS.items()]
    index = Index.build([Record(ours, title=f"Сковорода {ours} 24 см") for ours, _ in pairs])
    listings = [Record(theirs, title=f"{theirs} сковорода литая с крышкой 24см") for _, theirs in pairs]
    wanted = [ours for ours, _ in pairs]
    assert [suggest(listing, index)[0].product_id for listing in listings] == wanted
    assert [best[0].product_id for best in suggest_many(listings, index)] == wanted


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ("Тефаль", "Tefal", Verdict.SAME),
        ("TEFAL", "Тефаль", Verdict.SAME),
        ("Гарньера", "Garniera", Verdict.CLOSE),
        ("Жокей", "Jockey", Verdict.MISSING),  # spelt by its sound, perhaps
        ("Тефаль", "Ронделл", Verdict.DIFFERS),
        ("Tefal", "Rondell", Verdict.DIFFERS),
    ],
)
def test_two_scripts_name_one_brand_or_none(ours: str, theirs: str, verdict: Verdict) -> None:
    judged = compare(Record(1, title="Сковорода 24 см", brand=ours), Record(2, title="Сковорода 24 см", brand=theirs))
    assert next(e for e in judged.evidence if e.field == "brand").verdict is verdict
