"""What the records of an .xls file say beyond its values: password, far cells, formats of zeros, hidden parts."""

from __future__ import annotations

import struct
import time

import pytest

from tests.importers.biff_files import excel95, header, label, label95, number, record, several_numbers, xls

HEADER = header("sku", "title", "quantity")
ROW = label(1, 0, "A-1") + label(1, 1, "a") + number(1, 2, 5)


def test_a_plain_file_is_read(run):
    checked = run(xls(HEADER + ROW), name="a.xls")
    assert checked.rows == {2: {"sku": "A-1", "title": "a", "quantity": 5, "match_key": "A-1"}}
    assert checked.warnings == set()


@pytest.mark.parametrize(
    "body", [struct.pack("<HHH", 0, 0x1234, 0x5678), struct.pack("<HHH", 1, 1, 1) + bytes(48)], ids=["xor", "rc4"]
)
def test_a_file_with_a_password_says_so(run, body):
    scrambled = record(0x0204, b"\xa7" * 40)
    refused = run(xls(scrambled, before=record(0x002F, body)), name="a.xls")
    assert refused.errors == [(1, "encrypted")]
    assert "password" in refused.report.errors[0].message


@pytest.mark.parametrize(
    ("far", "named"),
    [
        (label(65535, 255, "z"), "left out: IV65536."),
        (label(1, 255, "x") + number(65535, 2, 1), "left out: IV2, C65536."),
        (several_numbers(40_000, 200, (0, 1), (0, 2)), "left out: GS40001, GT40001."),
        (number(65535, 255, 1) + record(0x0200, struct.pack("<IIHHH", 0, 65536, 0, 256, 0)), "left out: IV65536."),
    ],
)
def test_a_few_cells_that_lie_far_from_the_table_are_left_out_and_named(run, far, named):
    begun = time.process_time()
    checked = run(xls(HEADER + ROW + far), name="a.xls")
    assert checked.rows == {2: {"sku": "A-1", "title": "a", "quantity": 5, "match_key": "A-1"}}
    assert [problem.code for problem in checked.report.warnings] == ["far_cells"]
    assert checked.report.warnings[0].message.endswith(named)
    assert time.process_time() - begun < 1


def test_the_text_of_a_formula_goes_with_its_cell(run):
    formula = record(0x0006, struct.pack("<HHH8sHI", 65535, 255, 0, b"\0" * 6 + b"\xff\xff", 0, 0) + b"\0\0")
    said = record(0x0207, struct.pack("<HB", 5, 0) + b"wrong")
    checked = run(xls(HEADER + ROW + formula + said), name="a.xls")
    assert checked.rows == {2: {"sku": "A-1", "title": "a", "quantity": 5, "match_key": "A-1"}}


def test_a_sheet_with_much_that_lies_apart_is_refused_at_once(run):
    far = b"".join(label(30_000 + 50 * place, 200, "z") for place in range(11))
    begun = time.process_time()
    refused = run(xls(HEADER + ROW + far), name="a.xls")
    assert refused.errors == [(30_501, "too_big")]
    assert "to GS30001, GS30501." in refused.report.errors[0].message
    assert time.process_time() - begun < 1


def test_a_far_cell_on_another_sheet_is_no_matter(run):
    far = b"".join(label(30_000 + 50 * place, 200, "z") for place in range(11))
    checked = run(xls(HEADER + ROW, HEADER + far), name="a.xls")
    assert (list(checked.rows), checked.warnings) == ([2], {"several_sheets"})
    refused = run(xls(HEADER + ROW, HEADER + far), name="a.xls", sheet="S2")
    assert refused.errors == [(30_501, "too_big")]
    assert "sheet S2" in refused.report.errors[0].message


def test_a_far_row_or_column_alone_is_read(run):
    checked = run(xls(HEADER + ROW + label(65535, 0, "Z") + label(65535, 1, "z")), name="a.xls")
    assert list(checked.rows) == [2, 65536]
    assert list(run(xls(HEADER + ROW + label(1, 255, "note")), name="a.xls").rows) == [2]


def test_a_sheet_that_says_to_be_huge_is_read_as_large_as_it_is(run):
    formatted = record(0x0200, struct.pack("<IIHHH", 0, 65536, 0, 256, 0))
    checked = run(xls(formatted + HEADER + ROW), name="a.xls")
    assert (list(checked.rows), checked.warnings) == ([2], set())


@pytest.mark.parametrize(
    ("code", "sku"),
    [("00000", "00042"), ("[Red]000;-000", "042"), ("0", "42"), ("0.00", "42"), ('"S"000', "S042"), ("0-0", "4-2")],
)
def test_a_format_of_zeros_is_applied(run, code, sku):
    cells = number(1, 0, 42, 1) + label(1, 1, "a") + label(2, 0, "B") + several_numbers(2, 1, (0, 7), (1, 8))
    checked = run(xls(HEADER + cells, formats=[code]), name="a.xls")
    assert [row["sku"] for row in checked.rows.values()] == [sku, "B"]
    assert (checked.rows[3]["title"], checked.rows[3]["quantity"]) == ("7", 8)


def test_a_share_is_no_amount(run):
    cells = label(1, 0, "A-1") + label(1, 1, "a") + number(1, 2, 1, 1)
    refused = run(xls(HEADER + cells, formats=["0%"]), name="a.xls")
    assert refused.errors == [(2, "not_a_number")]
    assert "100% is a percentage" in refused.report.errors[0].message


def test_several_numbers_of_one_record_have_each_their_format(run):
    cells = several_numbers(1, 0, (2, 7), (1, 8), (0, 9))
    assert run(xls(HEADER + cells, formats=["000", "00000"]), name="a.xls").rows[2] == {
        "sku": "00007",
        "title": "008",
        "quantity": 9,
        "match_key": "00007",
    }


def test_hidden_rows_and_columns_are_read_with_a_warning(run):
    hidden_row = record(0x0208, struct.pack("<HHHHHHI", 1, 0, 5, 255, 0, 0, 0x20))
    shown_row = record(0x0208, struct.pack("<HHHHHHI", 2, 0, 5, 255, 0, 0, 0x100))
    hidden_column = record(0x007D, struct.pack("<HHHHHH", 2, 2, 2048, 0, 1, 0))
    cells = hidden_column + hidden_row + shown_row + HEADER + ROW + label(2, 0, "A-2")
    checked = run(xls(cells), name="a.xls")
    assert list(checked.rows) == [2, 3]
    said = {problem.code: problem.message for problem in checked.report.warnings}
    assert said["hidden_rows"] == "1 row is hidden in the file, and is read: 2."
    assert "quantity" in said["hidden_column"]


@pytest.mark.parametrize(("codepage", "title"), [(1252, "Café crème"), (1250, "Žlutý hrnek"), (1251, "Кружка")])
def test_excel_95_is_read_in_its_letters(run, codepage, title):
    names = b"".join(label95(0, place, name) for place, name in enumerate((b"sku", b"title", b"quantity")))
    error = record(0x0205, struct.pack("<HHHBB", 2, 2, 0, 0x2A, 1))
    cells = names + label95(1, 0, b"A-1") + label95(1, 1, title.encode(f"cp{codepage}")) + number(1, 2, 5)
    cells += label95(2, 0, b"A-2") + label95(2, 1, b"x") + error
    checked = run(excel95(cells, codepage=codepage), name="a.xls")
    assert checked.rows == {2: {"sku": "A-1", "title": title, "quantity": 5, "match_key": "A-1"}}
    assert checked.errors == [(3, "error_value")]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (record(0x0225, struct.pack("<HH", 2, 0)), {"hidden_rows"}),
        (record(0x0208, struct.pack("<HHHHIHBB", 1, 0, 3, 0x8000, 0, 0, 0, 1)), {"hidden_rows"}),
        (record(0x0208, struct.pack("<HHHHIHBB", 1, 0, 3, 255, 0, 0, 0, 1)), set()),
        (record(0x007D, struct.pack("<HHHHHH", 0, 0, 0, 0, 0, 0)), {"hidden_column"}),
    ],
)
def test_what_has_no_height_or_width_is_hidden(run, more, told):
    checked = run(xls(more + HEADER + ROW), name="a.xls")
    assert (list(checked.rows), checked.warnings) == ([2], told)
