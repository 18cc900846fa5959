"""Workbooks read with calamine: what it gives becomes the same cells that the other readers give."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from importers.biff_sheets import biff_sheets
from importers.cells import Mark, Number
from importers.legacy_workbooks import _cell, open_legacy
from importers.report import DEFAULT, FileRefused, Options
from tests.importers.conftest import GOOD_ROW, HEADER, inline, workbook


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        *(
            ("text", "text"),
            ("", ""),
            (None, ""),
            (5.0, Number("5.0")),
            (7, Number("7")),
            (True, Mark("bool_in_text", "TRUE")),
        ),
        (datetime.date(2024, 1, 2), Mark("date_in_text", "2024-01-02")),
        (datetime.timedelta(hours=1), Mark("date_in_text", "1:00:00")),
    ],
)
def test_every_value_of_calamine_becomes_a_cell(value, cell):
    assert _cell(value) == cell


def test_rows_keep_their_numbers_and_places(tmp_path):
    path = tmp_path / "upload"
    far = f'<row r="4">{inline("B4", "sku")}{inline("C4", "title")}</row><row r="9">{inline("B9", "A")}</row>'
    path.write_bytes(workbook(bodies=(far,)))
    table = open_legacy(path, "xls", Options(), DEFAULT)
    assert list(table.rows()) == [(4, ["", "sku", "title"]), (9, ["", "A"])]
    assert [code for code, _ in table.doubts] == ["errors_unseen"]


def test_hidden_sheets_are_skipped_here_too(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(workbook(sheets=(("Old", "hidden"), ("New", "visible")), bodies=(HEADER, HEADER + GOOD_ROW)))
    assert open_legacy(path, "xlsb", Options(), DEFAULT).sheet == "New"


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, b"nothing"])
def test_what_calamine_cannot_open_is_damaged(tmp_path, content):
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        open_legacy(path, "xls", Options(), DEFAULT)
    assert caught.value.problem.code == "corrupt"


#: A sheet “Old” that is hidden, and “Stock” with numbers, a date, a truth value and two error cells; our own sample.
XLS = (Path(__file__).parent / "samples" / "stock.xls").read_bytes()


def test_errors_of_an_xls_sheet_are_found_although_calamine_shows_them_as_blank(run):
    checked = run(XLS, name="stock.xls")
    assert checked.report.sheet == "Stock"
    assert checked.errors == [(3, "error_value"), (3, "error_value"), (4, "date_in_text"), (5, "bool_in_text")]
    assert checked.rows[2] == {
        "sku": "123",
        "title": "Taza añil",
        "quantity": 5,
        "price": "12.5",
        "gtin": "4006381333931",
        "match_key": "123",
    }
    assert checked.rows[6]["quantity"] == 0
    assert "errors_unseen" not in checked.warnings


def test_a_file_that_makes_calamine_panic_is_damaged(run):
    content = bytearray(XLS[:5490])
    content[2556] ^= 16
    assert run(bytes(content), name="stock.xls").errors == [(1, "corrupt")]


@pytest.mark.parametrize("place", range(0, 5632, 97))
def test_a_walk_over_damaged_records_ends_without_an_error(place):
    damaged = XLS[:place] + b"\xff\xfe\x01" + XLS[place + 3 :]
    found = biff_sheets(damaged)
    texts = [text for sheet in found or () for cells in sheet.errors.values() for _, text in cells]
    assert all(text.startswith("#") for text in texts)
    cut = biff_sheets(XLS[:place])
    assert place > 4000 or not any(sheet.errors for sheet in cut or ())
