"""What the records of an .xls file say beyond its values: password, far cells, formats of zeros, hidden parts."""

from __future__ import annotations

import struct
import time

import pytest

from tests.importers.biff_files import header, label, number, record, several_numbers, xls

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
    ("far", "row", "named"),
    [
        (label(65535, 255, "z"), 65536, "to IV65536."),
        (label(1, 255, "x") + number(65535, 2, 1), 65536, "to IV2, C65536."),
        (several_numbers(40_000, 200, (0, 1), (0, 2)), 40_001, "GS40001"),
    ],
)
def test_cells_that_lie_far_from_the_table_are_named_at_once(run, far, row, named):
    begun = time.process_time()
    refused = run(xls(HEADER + ROW + far), name="a.xls")
    assert refused.errors == [(row, "too_big")]
    assert named in refused.report.errors[0].message
    assert time.process_time() - begun < 1


def test_a_far_cell_on_another_sheet_is_named_with_its_sheet(run):
    refused = run(xls(HEADER + ROW, HEADER + label(65535, 255, "z")), name="a.xls")
    assert refused.errors == [(65536, "too_big")]
    assert "sheet S2" in refused.report.errors[0].message


def test_a_far_row_or_column_alone_is_read(run):
    checked = run(xls(HEADER + ROW + label(65535, 0, "Z") + label(65535, 1, "z")), name="a.xls")
    assert list(checked.rows) == [2, 65536]
    assert list(run(xls(HEADER + ROW + label(1, 255, "note")), name="a.xls").rows) == [2]


def test_a_sheet_that_says_to_be_huge_ends_no_process(run):
    formatted = record(0x0200, struct.pack("<IIHHH", 0, 65536, 0, 256, 0))
    refused = run(xls(formatted + HEADER + ROW), name="a.xls")
    assert refused.errors == [(1, "too_big")]
    assert "formatted far beyond" in refused.report.errors[0].message


@pytest.mark.parametrize(
    ("code", "sku"), [("00000", "00042"), ("[Red]000;-000", "042"), ("0", "42"), ("0.00", "42"), ('"S"000', "42")]
)
def test_a_format_of_zeros_is_applied(run, code, sku):
    cells = number(1, 0, 42, 1) + label(1, 1, "a") + label(2, 0, "B") + several_numbers(2, 1, (0, 7), (1, 8))
    checked = run(xls(HEADER + cells, formats=[code]), name="a.xls")
    assert [row["sku"] for row in checked.rows.values()] == [sku, "B"]
    assert (checked.rows[3]["title"], checked.rows[3]["quantity"]) == ("7", 8)


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
    assert said["hidden_rows"].endswith("and are read: 2.")
    assert "quantity" in said["hidden_column"]
