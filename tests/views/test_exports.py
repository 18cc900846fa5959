"""What is downloaded from the screens imports again and changes nothing, whatever is in it; no cell of it can run."""

from __future__ import annotations

import csv
import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from matching.identifiers import match_key
from tests.factories import Make
from tests.views.test_imports import download, job_of, send
from webapp.db import unit_of_work
from webapp.models import ImportState, Link, Listing, Product, StockLevel
from webapp.models.accounts import COMMAND_LINE
from webapp.services import catalog, links, listings

NASTY = ["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+49", "-RED", "007", "1E5", "'quoted", "'=two", "＝full",
         "ブランド", "é", "e\N{COMBINING ACUTE ACCENT}x", 'two "quotes", comma; more', "7509990001019"]  # fmt: skip


@pytest.fixture
def full(app, settings):
    """Products, listings of two channels and links, all with texts that spreadsheets bend."""
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        goods = [{"sku": text, "title": text, "price": "12.50", "quantity": n} for n, text in enumerate(NASTY) if n % 2]
        products = catalog.upsert_products(session, [*goods, {"sku": "none", "title": "'"}], by=COMMAND_LINE).ids
        worth = [{}, {"price": "0.0001", "quantity": 0}, {"price": "1234.5", "quantity": 999_999_999}]
        for name in ("Alpha", "Beta, & Co"):
            channel = make.channel(name, kind="file")
            rows = [
                {"channel": name, "listing_id": f"{text} {n}", "sku": text, "match_key": match_key(text)}
                | {"title": text, "brand": text, **worth[n % 3]}
                for n, text in enumerate(NASTY)
            ]
            made = listings.upsert_listings(session, rows, {name: channel}).ids
            if name == "Alpha":
                chosen = [(made[channel.id, f"{text} {n}"], text) for n, text in enumerate(NASTY) if n % 2]
                pairs = [links.Pair(listing_id, products[match_key(text)]) for listing_id, text in chosen]
                assert links.confirm(session, pairs, by=COMMAND_LINE).changed == len(NASTY) // 2


def everything(app):
    with app.app_context(), unit_of_work(read_only=True) as session:
        tables = (Product, Listing, StockLevel, Link)
        return [
            tuple(getattr(row, c.key) for c in table.__table__.columns)
            for table in tables
            for row in session.scalars(select(table).order_by(*table.__table__.primary_key))
        ]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("what", ["products", "listings", "links"])
def test_what_is_downloaded_imports_again_and_changes_nothing(app, browse, full, what, suffix):
    bob, before = browse("bob"), everything(app)
    with bob.get(f"/export/{what}.{suffix}") as answer:
        content, name = answer.data, answer.headers["Content-Disposition"]
    assert name.startswith("attachment")
    assert f"{what} 20" in name
    rows = {"products": len(NASTY) // 2 + 1, "listings": 2 * len(NASTY), "links": len(NASTY) // 2}[what]
    send(bob, content, kind=what, name=f"again.{suffix}")
    bob.post("/import/1/confirm")
    job = job_of(app)
    assert (job.state, job.report["rows_bad"], job.report.get("refused", [])) == (ImportState.DONE, 0, [])
    assert (job.created, job.updated, job.unchanged) == (0, 0, rows)
    assert everything(app) == before


@pytest.mark.parametrize("what", ["products", "listings", "links", "audit"])
def test_no_cell_of_a_download_is_a_formula(browse, full, what):
    bob = browse("bob")
    sheet = load_workbook(io.BytesIO(download(bob, f"/export/{what}.xlsx"))).active
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n"}
    text = download(bob, f"/export/{what}.csv").decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]


def test_a_download_of_one_channel_holds_no_other(browse, full):
    text = download(browse("charlie"), "/export/listings.csv?channel=Alpha").decode("utf-8-sig")
    assert {line[0] for line in csv.reader(text.splitlines()[1:])} == {"Alpha"}


@pytest.mark.parametrize("path", ["users.csv", "products.ods", "products.csv?channel=Nowhere"])
def test_what_is_not_there_cannot_be_downloaded(browse, settings, full, path):
    assert browse("bob").get(f"/export/{path}").status_code == 404
    assert not list(settings.uploads.glob("out-*"))


def test_the_screens_offer_the_downloads(browse, full):
    page = browse("charlie").get("/import").text
    for what in ("products", "listings", "links", "audit"):
        for suffix in ("csv", "xlsx"):
            assert f'href="/export/{what}.{suffix}"' in page
    assert 'href="/export/products.xlsx"' in browse("charlie").get("/products").text
    assert 'href="/export/audit.xlsx"' in browse("charlie").get("/activity").text
