"""Upload files: exact cells, no formulas, whole or not at all, and never on top of another."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Sequence
from datetime import timedelta, timezone
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import Outcome, Status, Update
from connectors.files import FileConnector
from connectors.sheets import FORMULA_STARTS, neutral, write_csv
from tests.connectors.conftest import NOW, update


def push(
    folder: Path, updates: Sequence[Update], *, channel: str = "Alpha Market", **options: str
) -> tuple[Path, list[Outcome]]:
    """The file that one push writes, and its outcomes."""
    connector = FileConnector(channel, options, folder)
    outcomes = connector.push(updates, now=NOW)
    assert connector.written is not None
    return connector.written, outcomes


def test_csv_holds_one_row_per_listing_with_blanks_for_what_stays(tmp_path: Path) -> None:
    path, _ = push(tmp_path, [update("00123", 3, "19.9"), update("B", 0), update("C", None, "1234567.5")])
    assert path.read_bytes() == (
        b"\xef\xbb\xbflisting_id,sku,quantity,price,currency\r\n"
        b"00123,SKU-00123,3,19.90,EUR\r\n"
        b"B,SKU-B,0,,\r\n"
        b"C,SKU-C,,1234567.50,EUR\r\n"
    )


def test_every_outcome_names_the_file(tmp_path: Path) -> None:
    path, outcomes = push(tmp_path, [update("A"), update("B")])
    assert path.name == "alpha-market-20260314T150926.535897Z.csv"
    for outcome in outcomes:
        assert (outcome.status, outcome.artifact) == (Status.ACCEPTED, path.name)
        assert path.name in outcome.message


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_text_cell_begins_like_a_formula(tmp_path: Path, start: str) -> None:
    path, _ = push(tmp_path, [update(f"{start}1+1", 5, "2.50", sku=f"{start}cmd|' /C calc'!A0", currency="=A1")])
    with path.open(encoding="utf-8-sig", newline="") as file:
        row = list(csv.reader(file))[1]
    assert row == [f"'{start}1+1", f"'{start}cmd|' /C calc'!A0", "5", "2.50", "'=A1"]


@given(st.text(max_size=20))
def test_removing_one_apostrophe_gives_every_text_back(text: str) -> None:
    written = neutral(text)
    assert not written.startswith(FORMULA_STARTS)
    came_back = written[1:] if written.startswith("'") and written.lstrip("'").startswith(FORMULA_STARTS) else written
    assert came_back == text


@given(
    st.lists(
        st.builds(
            update,
            st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=8),
            st.integers(0, 10**12),
            st.decimals(0, 10**9, places=4).map(str),
        ),
        max_size=5,
    )
)
def test_numbers_and_texts_survive_a_csv_reader(updates: list[Update]) -> None:
    out = io.BytesIO()
    write_csv(out, updates)
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert [int(row["quantity"]) for row in rows] == [one.quantity for one in updates]
    assert [Decimal(row["price"]) for row in rows] == [one.price for one in updates]
    assert [row["listing_id"] for row in rows] == [neutral(one.listing_id) for one in updates]


def test_xlsx_writes_codes_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    path, _ = push(tmp_path, [update("00123", 3, "19.9", sku="=1+1"), update("1E5", None, "0.1")], format="xlsx")
    sheet = openpyxl.load_workbook(path).active
    assert [cell.value for cell in sheet[1]] == ["listing_id", "sku", "quantity", "price", "currency"]
    identity, sku, quantity, price, currency = sheet[2]
    assert (identity.value, identity.data_type, identity.number_format) == ("00123", "s", "@")
    assert (sku.value, sku.data_type) == ("=1+1", "s")
    assert (quantity.value, quantity.data_type) == (3, "n")
    assert (price.value, price.data_type) == (19.9, "n")
    assert currency.value == "EUR"
    assert [cell.value for cell in sheet[3]] == ["1E5", "SKU-1E5", None, 0.1, "EUR"]


def test_xlsx_holds_no_formula_and_every_digit_of_a_price(tmp_path: Path) -> None:
    path, _ = push(tmp_path, [update("=cmd()", 1, "99999999999.9999", sku="@SUM(A1)")], format="xlsx")
    with zipfile.ZipFile(path) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f" not in xml.replace("<formatPr", "")
    assert ">99999999999.9999<" in xml


def test_amazon_gets_its_own_header_and_blanks_for_what_stays(tmp_path: Path) -> None:
    path, _ = push(tmp_path, [update("A", 3), update("B", None, "5")], format="amazon_tsv")
    assert path.suffix == ".txt"
    assert path.read_bytes() == (
        b"sku\tprice\tminimum-seller-allowed-price\tmaximum-seller-allowed-price\tquantity\thandling-time"
        b"\tfulfillment-channel\r\n"
        b"SKU-A\t\t\t\t3\t\t\r\n"
        b"SKU-B\t5.00\t\t\t\t\t\r\n"
    )


@pytest.mark.parametrize(
    ("sku", "written"),
    [
        ("-RED", True),
        ("+5 x/1.2_a", True),
        ("A=1", True),
        ("", False),
        ("  ", False),
        ("a\tb", False),
        ("a\nb", False),
        ("=1+1", False),
        ("@SUM(A1)", False),
        ("-2+3+cmd|' /C calc'!A0", False),
        ("＝1+1", False),
    ],
)
def test_amazon_reads_a_sku_to_the_letter_or_not_at_all(tmp_path: Path, sku: str, written: bool) -> None:
    path, (doubtful, sure) = push(tmp_path, [update("A", 3, sku=sku), update("B", 1)], format="amazon_tsv")
    lines = path.read_text("utf-8").splitlines()
    assert (doubtful.status is Status.ACCEPTED) is written
    assert (len(lines) == 3) is written
    assert sure.status is Status.ACCEPTED
    if written:
        assert lines[1].split("\t")[0] == sku
    else:
        assert (doubtful.code, doubtful.permanent) == ("not_writable", True)
        assert "SKU" in doubtful.message


def test_stock_that_amazon_ships_is_never_named(tmp_path: Path) -> None:
    connector = FileConnector("FBA", {"format": "amazon_tsv", "fulfilment": "amazon"}, tmp_path)
    assert not connector.sends_stock
    both, stock = connector.push([update("A", 3, "5"), update("B", 3)], now=NOW)
    assert (both.status, stock.code) == (Status.ACCEPTED, "nothing_to_send")
    assert connector.written is not None
    assert connector.written.read_text().splitlines()[1:] == ["SKU-A\t5.00\t\t\t\t\t"]


def test_runs_of_the_same_instant_get_files_of_their_own(tmp_path: Path) -> None:
    names = [push(tmp_path, [update("A", number)])[0].name for number in range(3)]
    assert names == [f"alpha-market-20260314T150926.535897Z{tail}.csv" for tail in ("", "-2", "-3")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_the_name_tells_utc_whatever_zone_the_caller_lives_in(tmp_path: Path) -> None:
    connector = FileConnector("x", {}, tmp_path)
    connector.push([update()], now=NOW.astimezone(timezone(timedelta(hours=9))))
    assert [path.name for path in tmp_path.iterdir()] == ["x-20260314T150926.535897Z.csv"]


@pytest.mark.parametrize(
    ("channel", "stem"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("Änderung & Söhne", "anderung-sohne"),
        ("日本", "channel"),
        ("", "channel"),
        ("a" * 300, "a" * 60),
        ("x\x00y", "x-y"),
    ],
)
def test_no_channel_name_leads_out_of_the_folder(tmp_path: Path, channel: str, stem: str) -> None:
    path, _ = push(tmp_path / "out", [update()], channel=channel)
    assert path.parent == tmp_path / "out"
    assert path.name == f"{stem}-20260314T150926.535897Z.csv"


def test_a_full_disk_leaves_nothing_behind_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    connector = FileConnector("x", {}, tmp_path)
    (outcome,) = connector.push([update()], now=NOW)
    assert (outcome.status, outcome.code, outcome.permanent) == (Status.FAILED, "not_written", False)
    assert "No space left" in outcome.message
    assert list(tmp_path.iterdir()) == []
    assert connector.written is None


def test_a_folder_that_cannot_be_made_is_an_outcome_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (outcome,) = FileConnector("x", {}, tmp_path / "file" / "out").push([update()], now=NOW)
    assert outcome.code == "not_written"


def test_without_hard_links_the_file_still_comes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", unsupported)
    names = [push(tmp_path, [update("A", number)])[0].name for number in range(2)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert len(set(names)) == 2


def test_a_channel_that_hears_no_quantities_gets_no_column_for_them(tmp_path: Path) -> None:
    there, gone = update("A", None, available=True), update("B", None, "5", available=False)
    path, _ = push(tmp_path, [there, gone])
    assert path.read_bytes().decode("utf-8-sig").splitlines() == [
        "listing_id,sku,in_stock,price,currency",
        "A,SKU-A,yes,,",
        "B,SKU-B,no,5.00,EUR",
    ]
    book, _ = push(tmp_path, [there, gone], format="xlsx")
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(book).active]
    assert [row[2] for row in rows] == ["in_stock", "yes", "no"]


def test_amazon_has_no_column_for_in_stock_or_not(tmp_path: Path) -> None:
    amazon = FileConnector("Alpha", {"format": "amazon_tsv"}, tmp_path)
    [outcome] = amazon.push([update("A", None, available=True)], now=NOW)
    assert (outcome.status, outcome.code) == (Status.REJECTED, "not_writable")


def test_xlsx_escapes_what_a_spreadsheet_would_take_for_an_escape(tmp_path: Path) -> None:
    path, _ = push(tmp_path, [update("A_x0041_", 1, sku="_x005F_x0041_")], format="xlsx")
    with zipfile.ZipFile(path) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
    assert ">A_x005F_x0041_<" in xml
    assert ">_x005F_x005F_x005F_x0041_<" in xml
