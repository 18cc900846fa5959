"""One small file of each export and format, written by us from the documented columns.

Each says which preset recognises it, how many rows are left out on purpose, and what becomes of its rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from importers.checking import check_file
from importers.report import DEFAULT, Options, Report
from importers.staging import read_staged

SAMPLES = Path(__file__).parent / "samples"
RED = {"sku": "-RED", "title": "Mug - Red", "gtin": "4006381333931", "quantity": 3, "price": "12.50",
       "base_sku": "MUG", "options": {"Colour": "Red"}}  # fmt: skip
BLUE = {"sku": "MUG-B", "quantity": 0, "price": "1234.5", "base_sku": "MUG", "options": {"Colour": "Blue"}}
CAP = {"sku": "90.750", "title": "Cap", "price": "5", "brand": "Acme", "quantity": None, "options": None}
WOOCOMMERCE = ("woocommerce", 2, [RED, BLUE, CAP])
MUG = {"sku": "00123", "brand": "Acme", "gtin": "4006381333931", "quantity": 7}
PLAIN = [
    MUG | {"price": "9.90"}, {"sku": "1E5", "quantity": 0, "price": "1234.56"},
    {"sku": "000-9", "gtin": "036000291452", "quantity": None, "price": None},
]  # fmt: skip

#: File, kind: preset, rows left out on purpose, and what is read, row by row; None: the field is not there.
READ: dict[tuple[str, str], tuple[str | None, int, list[dict[str, Any]]]] = {
    ("amazon-all-listings.txt", "listings"): ("amazon_all_listings", 0, [
        {"listing_id": "0929AB1CDEF", "sku": "00123", "title": 'Caneca azul 12" "Grande" – 350 ml', "price": "12.90",
         "quantity": 7, "gtin": "4006381333931", "status": "Active"},
        {"sku": "1E5", "title": '"Set" de té', "price": "30", "quantity": None, "gtin": None},
        {"sku": "TOALLA-S", "quantity": 0, "gtin": "036000291452"},
    ]),
    ("amazon-active-listings-business.txt", "listings"): ("amazon_all_listings", 0, [
        {"listing_id": "1001ZZ1AAAA", "sku": "MUG-B", "price": "9.90", "quantity": 4, "gtin": "4006381333931"},
    ]),
    ("amazon-open-listings.txt", "listings"): ("amazon_open_listings", 0, [
        {"listing_id": "MUG-B", "sku": "MUG-B", "price": "9.90", "quantity": 4},
        {"listing_id": "MUG-B-USED", "price": "7.00", "quantity": None},
    ]),
    ("amazon-price-quantity.txt", "stock"): ("amazon_price_quantity", 0, [
        {"sku": "MUG-B", "price": "9.90", "quantity": 4}, {"sku": "SET-FBA", "price": "30.00", "quantity": None},
    ]),
    ("amazon-price-quantity-leadtime.txt", "stock"): ("amazon_price_quantity", 0, [{"sku": "MUG-B", "quantity": 0}]),
    ("amazon-inventory-loader.txt", "products"): ("amazon_price_quantity", 0, [
        {"sku": "MUG-B", "gtin": "4006381333931", "quantity": 4}, {"sku": "MUG-R", "gtin": None, "quantity": 3},
    ]),
    ("shopify-products-old.csv", "products"): ("shopify_products_old", 1, [
        {"sku": "MUG-B", "title": "Mug", "brand": "Acme", "category": "Home > Kitchen", "price": "9.90",
         "gtin": "4006381333931", "base_sku": "mug", "options": {"Colour": "Blue"}},
        {"sku": "MUG-R", "title": "Mug", "brand": "Acme", "quantity": 0, "options": {"Colour": "Red"}},
        {"sku": "00900", "title": "Cap", "quantity": None, "base_sku": None, "options": None},
    ]),
    ("shopify-products.csv", "products"): ("shopify_products", 1, [
        {"sku": "MUG-B", "title": "Mug", "price": "9.90", "quantity": 4,
         "base_sku": "mug", "options": {"Colour": "Blue", "Size": "350 ml"}},
        {"sku": "MUG-R", "title": "Mug", "quantity": 0, "options": {"Colour": "Red", "Size": "350 ml"}},
        {"sku": "CAP", "base_sku": None, "options": None},
    ]),
    ("shopify-inventory.csv", "stock"): ("shopify_inventory", 1, [
        {"sku": "MUG-B", "warehouse": "Madrid", "quantity": 5}, {"sku": "CAP", "warehouse": "Madrid", "quantity": 9},
    ]),
    ("shopify-inventory-wide.csv", "stock"): ("shopify_inventory", 1, [
        {"sku": "MUG-B", "warehouse": "Madrid", "quantity": 5},
        {"sku": "CAP", "warehouse": "Madrid", "quantity": 1}, {"sku": "CAP", "warehouse": "Shop, Paris", "quantity": 0},
    ]),
    **{(f"woocommerce-{language}.csv", "products"): WOOCOMMERCE for language in ("en", "es", "pt", "fr", "de", "it")},
    ("ebay-active-listings.csv", "listings"): ("ebay_active_listings", 1, [
        {"listing_id": "110000000001:MUG-R", "parent_id": "110000000001", "title": "Mug, 350 ml", "quantity": 3,
         "currency": "EUR", "gtin": "4006381333931", "options": {"Color": "Red"}},
        {"listing_id": "110000000001:Color=Blue", "sku": None, "quantity": 4},
        {"listing_id": "110000000002", "sku": "00900", "title": 'Cap "Classic"', "gtin": None},
    ]),
    ("ebay-upload-template.csv", "listings"): (None, 0, [
        {"sku": "MUG-R", "title": "Mug, 350 ml", "quantity": 3, "price": "9.90", "gtin": "4006381333931"},
    ]),
    ("google-merchant.tsv", "listings"): ("google_merchant", 0, [
        {"sku": "MUG-B", "title": 'Mug "Blue"', "price": "9.80", "mpn": "M-1", "parent_id": "MUG"},
        {"sku": "00900", "price": "5.00", "gtin": None, "status": "out_of_stock"},
    ]),
    ("google-merchant-template.tsv", "products"): ("google_merchant", 0, [{"sku": "MUG-B", "price": "9.80"}]),
    **{(f"google-merchant-{language}.tsv", "products"): ("google_merchant", 0, [
        {"sku": "MUG-B", "title": "Tasse", "price": "9.80", "brand": "Acme", "base_sku": "MUG"},
    ]) for language in ("fr", "de")},
    ("mercado-libre.xlsx", "listings"): ("mercado_libre", 0, [
        {"listing_id": "MLM1234567890", "sku": "00123", "price": "199.5", "quantity": 7, "status": "active"},
        {"listing_id": "MLM1234567891", "sku": None, "quantity": 0},
    ]),
    ("linnworks-links.csv", "links"): ("linnworks_links", 0, [
        {"source": "EBAY", "channel": "EBAY0", "sku": "MUG-R", "listing_sku": "ebay-mug-r"},
        {"source": "AMAZON", "channel": "Amazon ES", "sku": "00900", "listing_sku": "amz-00900"},
    ]),
    ("linnworks-links-report.csv", "links"): ("linnworks_links", 0, [
        {"source": "EBAY", "sku": "MUG-R", "listing_sku": "ebay-mug-r", "listing_id": "110000000001"},
    ]),
    **{(f"catalogue-{language}.csv", "products"): (None, 0, PLAIN) for language in ("en", "es", "pt", "fr", "de")},
    **{(f"catalogue.{ending}", "products"): (None, 0, [
        MUG | {"title": "Mug “Blue”", "price": "12.9"}, {"sku": "42", "gtin": "036000291452", "price": "19.99"},
        {"sku": "1E5", "quantity": None, "price": "0.3"}, {"sku": "00077", "quantity": 5, "price": None},
    ]) for ending in ("xlsx", "xlsm")},
    ("catalogue.ods", "products"): (None, 0, [
        {"sku": "00123", "gtin": "4006381333931", "quantity": 7, "price": "12.9"}, {"sku": "00077", "quantity": 0},
        {"sku": "1E5", "title": "Towel  soft\nsecond line", "quantity": None, "price": "19.99"},
    ]),
}  # fmt: skip


def _read(path: Path, kind: Any, tmp_path: Path, **options: Any) -> tuple[Report, list[dict[str, Any]]]:
    # The name says nothing: what a file is shows in its bytes.
    report = check_file(path, kind, tmp_path / "rows", Options(**options), DEFAULT, "upload")
    rows = [row for _, row in read_staged(tmp_path / "rows")] if report.outcome != "reject" else []
    return report, rows


@pytest.mark.parametrize(("name", "kind"), READ)
def test_every_export_is_recognised_and_read_to_its_last_row(tmp_path, name, kind):
    preset, left_out, expected = READ[name, kind]
    report, rows = _read(SAMPLES / name, kind, tmp_path)
    assert (report.outcome, report.errors) == ("accept", ())
    assert (report.preset, report.rows_skipped, report.rows_ok) == (preset, left_out, len(expected))
    assert [{field: row.get(field) for field in want} for row, want in zip(rows, expected, strict=True)] == expected


def test_the_japanese_report_is_read_in_its_letters_and_says_so(tmp_path):
    path = SAMPLES / "amazon-all-listings-ja.txt"
    report, rows = _read(path, "listings", tmp_path)
    assert (report.preset, report.encoding) == ("amazon_all_listings", "cp932")
    assert "encoding_guessed" in {problem.code for problem in report.warnings}
    assert rows == _read(path, "listings", tmp_path, encoding="cp932")[1]
    assert rows[0] == {
        "listing_id": "0101ABCDEFG", "sku": "YU-1", "match_key": "YU-1", "title": '湯呑み "青" ソ表能',
        "price": "1200", "quantity": 2, "gtin": "4901234567894",
    }  # fmt: skip
    assert rows[1].keys() & {"gtin", "quantity"} == set()


def test_a_hidden_sheet_of_the_sample_is_not_read_and_another_one_can_be_chosen(tmp_path):
    report, _ = _read(SAMPLES / "catalogue.xlsx", "products", tmp_path)
    assert [(sheet.name, sheet.hidden) for sheet in report.sheets] == [
        ("Catalogue", False), ("Old", True), ("Outlet", False),
    ]  # fmt: skip
    assert report.header_row == 3
    _, rows = _read(SAMPLES / "catalogue.xlsx", "products", tmp_path, sheet="Outlet")
    assert [row["sku"] for row in rows] == ["OUT-1"]


def test_the_workbook_of_the_nineties_is_read_too(tmp_path):
    report, rows = _read(SAMPLES / "stock.xls", "products", tmp_path)
    assert (report.sheet, report.outcome) == ("Stock", "partial")
    assert rows[0]["gtin"] == "4006381333931"
