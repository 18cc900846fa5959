"""Import in a browser: columns chosen, nothing saved before it is confirmed, undo, wrong and hostile files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook
from playwright.sync_api import Page, expect

from tests.e2e.steps import look, number_of, one_linked
from webapp.models import Link, Listing, Product

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]
PRODUCTS = """Article,Product name,EAN,Retail,On hand
MUG-1,"Stoneware mug 350 ml, white",,12.50,7
MUG-2,"Stoneware mug 350 ml, blue",,12.50,0
POT-1,"Teapot 1 l, cast iron",,49.00,3
"""
AMAZON = [
    ["item-name", "listing-id", "seller-sku", "price", "quantity", "asin1", "fulfillment-channel", "status"],
    ["Stoneware Mug, 350ml, White", "1010ABC", "MUG-1", "13.90", "7", "B0AAAAAA01", "DEFAULT", "Active"],
    ["Stoneware Mug, 350ml, Blue", "1010ABD", "mug-2", "13.90", "2", "B0AAAAAA02", "DEFAULT", "Active"],
    ["Cast iron tea pot 1 litre", "1010ABE", "", "52.00", "3", "B0AAAAAA03", "DEFAULT", "Active"],
]
HOSTILE = [
    "<script>window.owned=1</script> lamp",
    '"><img src=x onerror="window.owned=1"> lamp',
    "' onmouseover='window.owned=1' hx-on:load='window.owned=1' lamp",
    '<a href="javascript:window.owned=1" hx-get="/logout" hx-trigger="load">lamp</a>',
    "{{ 7*7 }} ${7*7} lamp </template></title><style>*{display:none}</style>",
    '<img src="http://198.51.100.7/pixel.png"> lamp',
]


def choose(page: Page, kind: str, path: Path) -> None:
    """Choose what the rows are and the file; the file is checked by itself."""
    page.goto("/import")
    page.get_by_role("radio", name=kind).check()
    page.set_input_files("#file", path)


def test_two_files_come_in_are_linked_and_taken_back(
    live: Live, people_with_passwords: None, open_page: Any, tmp_path: Path
) -> None:
    app, _ = live
    page = open_page("alice")
    file = tmp_path / "catalogue.csv"
    file.write_text(PRODUCTS, encoding="utf-8")
    choose(page, "Products", file)
    expect(page.locator("#check .note.bad")).to_contain_text("SKU")  # no header says which column it is
    expect(page.get_by_role("button", name="Import")).to_have_count(0)
    page.get_by_label("Field for column Article").select_option("sku")
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    page.get_by_label("Field for column Retail").select_option("price")
    expect(page.locator(".map", has_text="Retail")).not_to_contain_text("Ignored")
    expect(page.locator("#check")).to_contain_text("Nothing is saved yet")
    assert number_of(app, Product) == 0
    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.get_by_role("heading", name="3 rows imported")).to_be_visible()
    assert look(app, lambda s: {p.sku: (p.available, str(p.price)) for p in s.query(Product)}) == {
        "MUG-1": (7, "12.5"),
        "MUG-2": (0, "12.5"),
        "POT-1": (3, "49"),
    }
    report = tmp_path / "All listings.txt"
    report.write_text("\n".join("\t".join(row) for row in AMAZON), encoding="utf-8")
    page.goto("/import")
    page.get_by_role("radio", name="Listings").check()
    page.get_by_label("Channel", exact=True).select_option("new")
    page.get_by_label("Name of the new channel").fill("Amazon MX")
    page.set_input_files("#file", report)
    check_and_undo_listings(app, page)


def check_and_undo_listings(app: Flask, page: Page) -> None:
    """The marketplace's own report needs no choice: one row links, two wait; the undo takes both back."""
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    assert number_of(app, Listing) == 0
    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.locator("main")).to_contain_text("1 linked by SKU. 2 wait for your review.")
    assert (number_of(app, Listing), number_of(app, Link)) == (3, 1)
    page.get_by_role("button", name="Undo import").click()
    expect(page.get_by_role("heading", name="Import undone")).to_be_visible()
    assert (number_of(app, Listing), number_of(app, Link), number_of(app, Product)) == (0, 0, 3)


def test_a_workbook_comes_in_and_its_bad_row_stays_out(
    live: Live, people_with_passwords: None, open_page: Any, tmp_path: Path
) -> None:
    app, _ = live
    page = open_page("alice")
    book = Workbook()
    for row in (["sku", "title", "price"], ["A-1", "Apron", 9.5], ["A-2", "Basket", "nine"], ["A-3", "Candle", 3]):
        book.active.append(row)
    book.save(tmp_path / "products.xlsx")
    choose(page, "Products", tmp_path / "products.xlsx")
    expect(page.get_by_role("heading", name="1 row has a problem")).to_be_visible()
    expect(page.locator("#check")).to_contain_text("nine")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="2 of 3 rows imported")).to_be_visible()
    assert look(app, lambda s: {p.sku for p in s.query(Product)}) == {"A-1", "A-3"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.xlsx", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200)),
        ("empty.csv", b""),
        ("report.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"),
    ],
)
def test_a_wrong_file_gets_one_sentence_and_changes_nothing(
    live: Live, people_with_passwords: None, open_page: Any, tmp_path: Path, name: str, content: bytes
) -> None:
    app, _ = live
    page = open_page("bob")
    (tmp_path / name).write_bytes(content)
    choose(page, "Products", tmp_path / name)
    card = page.get_by_role("alert")
    expect(card.get_by_role("heading")).to_have_text("This file cannot be imported")
    sentence = card.locator("p").first.inner_text()
    assert 10 < len(sentence) < 300
    assert sentence.endswith(".")
    expect(card).to_contain_text("Nothing was saved.")
    expect(page.get_by_role("button", name="Import")).to_have_count(0)
    assert number_of(app, Product) == 0


def test_hostile_titles_are_shown_as_text_everywhere(live: Live, sample: None, open_page: Any, tmp_path: Path) -> None:
    app, _ = live
    page = open_page("alice")
    products, listings = tmp_path / "p.tsv", tmp_path / "l.tsv"
    rows = list(enumerate(HOSTILE))
    quoted = ['"' + title.replace('"', '""') + '"' for title in HOSTILE]
    products.write_text("sku\ttitle\tprice\n" + "".join(f"EVIL-{n}\t{quoted[n]}\t5.00\n" for n, _ in rows), "utf-8")
    listings.write_text(
        "listing_id\tsku\ttitle\turl\n"
        + "".join(f"HOST-{n}\t{f'EVIL-{n}' if n % 2 else ''}\t{quoted[n]}\tjavascript:alert({n})\n" for n, _ in rows),
        "utf-8",
    )
    choose(page, "Products", products)
    sees(page, HOSTILE[:1])
    page.get_by_role("button", name="Import 6 rows").click()
    expect(page.get_by_role("heading", name="6 rows imported")).to_be_visible()
    page.goto("/import")
    page.get_by_label("Channel", exact=True).select_option(label="Amazon MX")
    page.set_input_files("#file", listings)
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    sees(page, HOSTILE[:1])
    page.get_by_role("button", name="Import 6 rows").click()
    expect(page.locator("main")).to_contain_text("3 linked by SKU.")
    for path, shown in places(app):
        page.goto(path)
        sees(page, shown)


def places(app: Flask) -> list[tuple[str, list[str]]]:
    """Where the titles are shown."""
    listing = look(app, lambda s: {x.external_id: x.id for x in s.query(Listing) if x.external_id.startswith("HOST-")})
    product = look(app, lambda s: {x.sku: x.id for x in s.query(Product) if x.sku.startswith("EVIL-")})
    return [
        ("/products?q=EVIL", []),
        *[(f"/products/{product[f'EVIL-{n}']}", [title]) for n, title in enumerate(HOSTILE)],
        *[(f"/review/{listing[f'HOST-{n}']}", [title]) for n, title in enumerate(HOSTILE)],
        ("/pairs?q=EVIL-1", [HOSTILE[1]]),
        (f"/review/{listing['HOST-0']}/search", []),
        (f"/review/{listing['HOST-0']}/add", []),
        (f"/products/{product['EVIL-1']}/sync", []),
        (f"/products/{one_linked(app)}?tab=history", []),
        ("/", []),
        ("/activity", []),
    ]


def sees(page: Page, titles: list[str]) -> None:
    """The titles stand there as text; none of them became an element, an attribute or a link that acts."""
    for title in titles:
        expect(page.locator("main")).to_contain_text(" ".join(title.split()))
    assert page.evaluate("() => window.owned") is None
    grown = "main script, main style, [onerror], [onmouseover], main img, [href^='javascript:' i], [hx-on\\:load]"
    assert page.locator(grown).count() == 0
    assert page.locator("[hx-get='/logout']").count() == 0
