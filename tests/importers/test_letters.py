"""Letters that were broken before a file was made are seen, put right when asked, and never invented."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

import importers
from importers.checking import check_file
from importers.letters import broken, mended

TEXTS = [
    "Café", "niño", "Größe „M“", "Écharpe d’été – 12 €", "Zażółć gęślą", "Привет мир", "緑茶 ソ表能", "25°C ±2 µm",
    "T-shirt 😀", "São Paulo", "Ελλάδα", "12 × 15 cm", "ÀÉÎÕÜ", "“quoted”",
]  # fmt: skip
HONEST = [
    "NESCAFÉ®", "«CAFÉ»", "café…»", "MÜLLER™", "INFORMAÇÃ…", "À « bientôt »", "100 Â", "ČESKÝ®", "İSTANBUL™", "KOŠÍK",
    "Größe XÄ", "Ñandú", "Смартфон «Ё»", "緑茶", "plain", "", "√ 2 = 1,41", "Ã", "É: «»",
]  # fmt: skip


@pytest.mark.parametrize("taken_for", ["cp1252", "latin-1", "mac_roman", "cp850", "cp1250", "cp1251"])
@pytest.mark.parametrize("text", TEXTS)
def test_what_was_read_in_a_wrong_encoding_comes_back(text, taken_for):
    try:
        spoilt = text.encode().decode(taken_for)
    except UnicodeDecodeError:
        pytest.skip("this encoding has no character for one of the bytes")
    assert mended(spoilt) == text


@pytest.mark.parametrize("text", [*TEXTS, *HONEST])
def test_honest_text_is_left_alone(text):
    assert mended(text) is None


def test_text_that_was_cut_inside_a_letter_is_left_alone():
    assert mended("Camión".encode().decode("cp1252")[:-2]) is None


def test_one_doubtful_sign_is_no_proof_and_two_are():
    rows = [(2, ["QUALITÄ…"]), (3, ["plain"])]
    assert broken(rows) is None
    assert broken([*rows, (4, ["HÖHE, QUANTITÄ…"])]) is None
    assert broken([(2, ["biaÅ‚y kubek"]), (3, ["maÅ‚y"])]) == ("biaÅ‚y", "biały")
    assert broken([(2, ["Ein CafÃ© in Wien"])]) == ("CafÃ©", "Café")


def test_a_workbook_is_asked_about_and_read_as_was_chosen(tmp_path):
    book = Workbook()
    for row in (["Código", "Nombre"], ["NIÑO-1", "Café, 1 €"], ["A-2", "Mug"]):
        book.active.append([text.encode().decode("cp1252") for text in row])
    path = tmp_path / "file.xlsx"
    book.save(path)

    def read(mend):
        staged = tmp_path / f"{mend}.rows"
        options = importers.Options(mend_letters=mend)
        report = check_file(path, "products", staged, options, importers.DEFAULT, path.name)
        rows = [fields for _, fields in importers.read_staged(staged)] if report.rows_ok else []
        return report, rows

    report, _ = read(None)
    assert report.broken == ("CÃ³digo", "Código")
    report, rows = read(True)
    assert report.broken is None
    assert report.columns == {"Código": "sku", "Nombre": "title"}
    assert [(row["sku"], row["title"]) for row in rows] == [("NIÑO-1", "Café, 1 €"), ("A-2", "Mug")]
    assert read(False)[0].broken is None


def test_a_doubt_is_a_warning_and_changes_nothing(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("sku,title\nA-1,CafÃ©\n", encoding="utf-8")
    report = check_file(path, "products", tmp_path / "rows", importers.Options(), importers.DEFAULT, path.name)
    assert (report.outcome, [w.code for w in report.warnings]) == ("accept", ["broken_letters"])
    assert [fields["title"] for _, fields in importers.read_staged(tmp_path / "rows")] == ["CafÃ©"]


def test_amounts_are_shown_as_they_are_read(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text('sku;price;quantity\nA-1;"1.234,50";5,0\nA-2;1.299;7\nA-3;x;\n', encoding="utf-8")

    def reads(decimal):
        options = importers.Options(decimal=decimal)
        report = check_file(path, "products", tmp_path / "rows", options, importers.DEFAULT, path.name)
        return {column.header: column.reads for column in report.mapping}

    assert reads(None) == {"sku": (), "price": ("1234.50", "", ""), "quantity": ("5", "7")}
    assert reads("comma")["price"] == ("1234.50", "1299", "")
    assert reads("point") == {"sku": (), "price": ("", "1.299", ""), "quantity": ("", "7")}
