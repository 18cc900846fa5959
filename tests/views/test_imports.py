"""The import screens: a file is checked, shown, confirmed once, applied, and taken back."""

from __future__ import annotations

import io
import re

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

import importers
from importers.checking import check_file
from tests.factories import Make
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Channel, ImportJob, ImportPreset, ImportState, Link, Listing, Product
from webapp.services import steps
from webapp.views import imports as screens

IN_A_CHILD = ("refused_file", "problem_rows", "adds_up")  # tests that read in the child process, as users do
LISTINGS = "listing id,sku,title,price,quantity\nL1,A-1,Blue mug,9.50,3\nL2,A-2,Red mug,9.50,4\nL3,,Green mug,9.50,5\n"


@pytest.fixture(autouse=True)
def _same_process(request, monkeypatch):
    """Read most files here: a start of Python for each file adds up, and the child has tests of its own."""
    if any(name in request.node.name for name in IN_A_CHILD):
        return

    def check(path, *, kind, staged, options, file_name, meanwhile):
        importers.discard_staged(staged)
        return check_file(path, kind, staged, options, importers.DEFAULT, file_name)

    def preview(path, *, kind, options):
        return check_file(path, kind, None, options, importers.DEFAULT, path.name)

    monkeypatch.setattr(importers, "check", check)
    monkeypatch.setattr(importers, "preview", preview)


@pytest.fixture
def shop(app, settings):
    """One channel and two products; gives the channel's id."""
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        make.product("A-1", title="Blue mug")
        make.product("A-2", title="Red mug")
        return make.channel("Alpha", kind="file").id


def send(browser, text, *, kind="listings", channel="", name="amazon.csv", **more):
    content = text if isinstance(text, bytes) else text.encode()
    data = {"kind": kind, "channel": str(channel), "file": (io.BytesIO(content), name), **more}
    return browser.post("/import", data=data, content_type="multipart/form-data")


def download(browser, url):
    with browser.get(url) as answer:
        return answer.data


def count(app, model, *which):
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(model).where(*which))


def job_of(app, job_id=1):
    with app.app_context(), unit_of_work(read_only=True) as session:
        job = session.get_one(ImportJob, job_id)
        session.expunge(job)
        return job


def numbers(html):
    """The rows of each line of "What will happen"."""
    return [int(n.replace(",", "")) for n in re.findall(r'<span class="num sum">([\d,]+)</span>', html)]


def test_the_first_visit_offers_a_file_and_sample_data(browse):
    page = browse("bob").get("/import").text
    assert "Import your first listings" in page
    assert "Listings with the same SKU link by themselves." in page
    assert page.count("<h1") == 1
    assert "<title>Import" in page


def test_a_viewer_sees_the_imports_and_no_form(browse, shop):
    send(browse("bob"), LISTINGS, channel=shop)
    page = browse("charlie").get("/import").text
    assert "amazon.csv" in page
    assert 'type="file"' not in page
    assert browse("charlie").post("/import").status_code == 403
    assert "Import 3 rows" not in browse("charlie").get("/import/1").text


def test_nothing_is_written_before_it_is_confirmed(app, browse, shop):
    answer = send(browse("bob"), LISTINGS, channel=shop)
    assert (answer.status_code, answer.location) == (303, "/import/1")
    page = browse("bob").get("/import/1").text
    assert "Import 3 rows" in page
    assert "Nothing is saved yet" in page
    assert count(app, Listing) == 0
    assert count(app, Link) == 0


def test_what_will_happen_adds_up_and_happens(app, browse, shop):
    bob = browse("bob")
    text = LISTINGS + "L4,A-9,Mug,1O.00,1\nL5,A-8,Mug,7,1\nL5,A-8,Mug,7,1\n"
    send(bob, text, channel=shop)
    page = bob.get("/import/1").text
    job = job_of(app)
    assert numbers(page) == [2, 1, 1, 1, 1]
    assert "You can search for the product, or add it to the catalogue" in page
    assert sum(numbers(page)) == job.report["rows"] == 6
    assert bob.post("/import/1/confirm").location == "/import/1/done"
    done = bob.get("/import/1/done").text
    assert "2 linked by SKU. 2 wait for your review." in done
    assert count(app, Listing) == 4
    assert count(app, Link) == 2


def test_confirming_twice_imports_once(app, browse, shop):
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    assert bob.post("/import/1/confirm").status_code == 303
    assert bob.post("/import/1/confirm").location == "/import/1/done"
    assert count(app, Listing) == 3
    assert job_of(app).created == 3


def test_a_refused_file_says_one_cause_and_saves_nothing(app, browse, shop):
    bob = browse("bob")
    cases = {
        "empty.csv": b"sku,title\n",
        "book.pdf": b"%PDF-1.7\n1 0 obj\n",
        "broken.xlsx": b"PK\x03\x04 not really a workbook",
    }
    for number, (name, content) in enumerate(cases.items(), 1):
        send(bob, content, kind="products", name=name)
        page = bob.get(f"/import/{number}").text
        cause = job_of(app, number).report["errors"][0]["message"]
        assert cause.replace("“", "&#8220;") in page or cause in page
        assert "Nothing was saved." in page
        assert "Import 0 rows" not in page
        assert bob.post(f"/import/{number}/confirm").status_code == 409
    assert count(app, Product) == 2


def test_no_file_is_a_message_under_the_field(browse, shop):
    answer = browse("bob").post("/import", data={"kind": "listings", "channel": str(shop)})
    assert answer.status_code == 422
    assert "Select a file." in answer.text
    assert 'aria-describedby="file-h file-e"' in answer.text


def test_a_missing_column_can_be_chosen_by_hand(app, browse):
    bob = browse("bob")
    send(bob, "Kode,Nombre raro,price\nA-7,Cup,4.00\n", kind="products")
    page = bob.get("/import/1").text
    assert "Choose the column that holds the SKU." in page
    data = {"kind": "products", "header": ["Kode", "Nombre raro", "price"], "field": ["sku", "title", "price"]}
    answer = bob.post("/import/1/check", data=data, headers={"HX-Request": "true"})
    assert answer.status_code == 303
    page = bob.get("/import/1", headers={"HX-Request": "true"}).text
    assert page.lstrip().startswith('<div id="check">')
    assert "Import 1 row" in page
    bob.post("/import/1/confirm")
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert session.scalars(select(Product.title).where(Product.sku == "A-7")).one() == "Cup"


def test_two_columns_for_one_field_are_both_shown(browse):
    bob = browse("bob")
    send(bob, "sku,price,precio\nA-7,4.00,5.00\n", kind="products")
    page = bob.get("/import/1").text
    assert page.count("Used twice") == 2
    data = {"kind": "products", "header": ["sku", "price", "precio"], "field": ["sku", "price", ""]}
    bob.post("/import/1/check", data=data)
    assert "Import 1 row" in bob.get("/import/1").text


def test_saved_columns_are_found_again_by_their_headers(app, browse):
    bob = browse("bob")
    text = "Kode,Nombre raro,price\nA-7,Cup,4.00\n"
    send(bob, text, kind="products")
    data = {"kind": "products", "header": ["Kode", "Nombre raro", "price"], "field": ["sku", "title", "price"]}
    bob.post("/import/1/check", data=data)
    bob.post("/import/1/preset", data={"name": "Wholesaler"})
    assert count(app, ImportPreset) == 1
    send(bob, text.replace("A-7", "A-8"), kind="products")
    page = bob.get("/import/2").text
    assert "Wholesaler" in page
    assert "Import 1 row" in page


def test_a_preset_needs_a_name(browse):
    bob = browse("bob")
    send(bob, "sku,title\nA-7,Cup\n", kind="products")
    assert bob.post("/import/1/preset", data={"name": "  "}).status_code == 422


def test_the_problem_rows_can_be_downloaded_with_their_reason(browse, settings, shop):
    bob = browse("bob")
    send(bob, LISTINGS + "L4,A-9,Mug,abc,1\n", channel=shop)
    sheet = load_workbook(io.BytesIO(download(bob, "/import/1/problems.xlsx"))).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0][-1] == "Problem"
    assert rows[1][:4] == ["L4", "A-9", "Mug", "abc"]
    assert "abc" in rows[1][-1]
    text = download(bob, "/import/1/problems.csv").decode("utf-8-sig")
    assert text.splitlines()[1].startswith("L4,A-9,Mug,abc,1,")
    assert not list(settings.uploads.glob("*.out-*"))


def test_rows_that_only_the_tables_refuse_are_in_the_download_too(browse, shop):
    bob = browse("bob")
    send(bob, "sku,quantity\nA-1,5\nGIBTS-NICHT-Ü,5\n", kind="stock")
    assert numbers(bob.get("/import/1").text) == [1, 1]
    assert "GIBTS-NICHT-Ü" in download(bob, "/import/1/problems.csv").decode("utf-8-sig")


def test_there_is_nothing_to_download_without_problems(browse, shop):
    bob = browse("bob")
    send(bob, "not a table", kind="products", name="x.pdf")
    assert bob.get("/import/1/problems.csv").status_code == 404


def test_undo_takes_the_listings_and_their_links_back_once(app, browse, shop):
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    bob.post("/import/1/confirm")
    assert bob.post("/import/1/undo").status_code == 303
    assert count(app, Link) == 0
    page = bob.get("/import/1/done").text
    assert "Import undone." in page
    assert "2 links taken back" in page
    assert bob.post("/import/1/undo").status_code == 409


def test_undo_of_a_large_import_is_left_to_a_worker(app, browse, shop, settings, monkeypatch):
    monkeypatch.setattr(steps, "FROM", 3)
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    bob.post("/import/1/confirm")
    assert "Taking the import back." in bob.post("/import/1/undo", follow_redirects=True).text
    page = bob.get("/import/1/done").text
    assert "No worker runs." in page
    assert "0 of 5" in page
    assert "Taking back" in bob.get("/import").text
    assert bob.post("/import/1/undo").status_code == 409
    with app.app_context():
        tasks.run_imports(settings)
    assert "2 links taken back" in bob.get("/import/1/done").text
    assert count(app, Link) == 0


def test_undo_tells_what_stays_for_a_newer_import(app, browse, shop):
    bob = browse("bob")
    for number in (1, 2):
        send(bob, LISTINGS, channel=shop)
        bob.post(f"/import/{number}/confirm")
    bob.post("/import/1/undo")
    page = bob.get("/import/1/done").text
    assert "3 listings stay: a newer import has them. 2 links stay: a newer import has them." in page
    assert count(app, Link) == 2


def test_a_large_file_waits_for_the_worker_and_the_page_polls(app, browse, settings, shop, monkeypatch):
    monkeypatch.setattr(screens, "CHECKED_AT_ONCE", 10)
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    assert 'hx-trigger="every 1s"' in bob.get("/import/1").text
    assert bob.get("/import/1/checking", headers={"HX-Request": "true"}).status_code == 200
    with app.app_context():
        assert tasks.check_uploads(settings) == [1]
    answer = bob.get("/import/1/checking", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (286, "/import/1")
    assert bob.get("/import/1/checking").location == "/import/1"


def test_many_rows_are_left_to_the_worker_and_the_page_counts(app, browse, settings, shop, monkeypatch):
    monkeypatch.setattr(screens, "APPLIED_AT_ONCE", 1)
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    bob.post("/import/1/confirm")
    assert "0 of 3" in bob.get("/import/1/done").text
    assert bob.get("/import/1/progress").status_code == 200
    with app.app_context():
        assert tasks.run_imports(settings) == [1]
    answer = bob.get("/import/1/progress", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (286, "/import/1/done")
    assert "2 linked by SKU" in bob.get("/import/1/done").text


def test_the_name_of_the_upload_is_data_and_never_a_path(app, browse, settings):
    send(browse("bob"), "sku,title\nA-7,Cup\n", kind="products", name="../../etc/<b>passwd</b>.csv")
    assert job_of(app).file_name == "b>.csv" or "/" not in job_of(app).file_name
    assert all(re.fullmatch(r"[0-9a-f]{32}(\.rows(\.problems)?)?", path.name) for path in settings.uploads.iterdir())
    assert "<b>passwd" not in browse("bob").get("/import/1").text


def test_a_new_channel_is_made_with_the_file_by_an_owner_only(app, browse, people):
    alice = browse("alice")
    assert send(alice, LISTINGS, channel="new", channel_name="Gamma").status_code == 303
    assert count(app, Channel, Channel.name == "Gamma") == 1
    assert send(alice, LISTINGS, channel="new", channel_name="Gamma").status_code == 422
    answer = send(browse("bob"), LISTINGS, channel="new", channel_name="Delta")
    assert answer.status_code == 422
    assert "Only an owner can add a channel." in answer.text


def test_a_file_may_name_its_channels_in_a_column(app, browse, shop):
    bob = browse("bob")
    send(bob, "channel,listing id,sku\nAlpha,L1,A-1\nNowhere,L2,A-2\n")
    assert numbers(bob.get("/import/1").text) == [1, 1]


def test_the_sheet_of_a_workbook_can_be_chosen(browse, shop):
    book = Workbook()
    book.active.title = "Notes"
    book.active.append(["read me"])
    sheet = book.create_sheet("Listings")
    sheet.append(["listing id", "sku", "title"])
    sheet.append(["L1", "A-1", "Blue mug"])
    stream = io.BytesIO()
    book.save(stream)
    bob = browse("bob")
    send(bob, stream.getvalue(), channel=shop, name="book.xlsx")
    page = bob.get("/import/1").text
    assert "The file has 2 sheets. Choose one:" in page
    bob.post("/import/1/check", data={"kind": "listings", "channel": str(shop), "sheet": "Listings"})
    assert "Import 1 row" in bob.get("/import/1").text


def test_numbers_that_can_be_read_in_two_ways_ask_for_the_decimal_mark(app, browse, shop):
    bob = browse("bob")
    send(bob, "sku;price\nA-1;1,299\nA-2;2,500\n", kind="stock")
    page = bob.get("/import/1").text
    assert "Decimal mark in this file" in page
    bob.post("/import/1/check", data={"kind": "stock", "decimal": "point"})
    assert "Import 2 rows" in bob.get("/import/1").text
    bob.post("/import/1/confirm")
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert session.scalars(select(Product.price).where(Product.sku == "A-1")).one() == 1299


def test_columns_cannot_change_once_the_import_began(browse, shop):
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    bob.post("/import/1/confirm")
    assert bob.post("/import/1/check", data={"kind": "listings", "channel": str(shop)}).status_code == 409
    assert bob.get("/import/1").location == "/import/1/done"


def test_an_import_that_stopped_says_where_and_can_be_taken_back(app, browse, shop):
    bob = browse("bob")
    send(bob, LISTINGS, channel=shop)
    with app.app_context(), unit_of_work() as session:
        job = session.get_one(ImportJob, 1)
        job.state, job.message = ImportState.FAILED, "Three workers stopped at row 2."
    page = bob.get("/import/1/done").text
    assert "Three workers stopped at row 2." in page
    assert "Undo import" in page


def test_no_page_of_the_import_carries_style_or_script_of_its_own(browse, shop):
    bob = browse("bob")
    pages = [bob.get("/import").text]
    send(bob, LISTINGS + "L4,A-9,Mug,abc,1\n", channel=shop)
    pages.append(bob.get("/import/1").text)
    bob.post("/import/1/confirm")
    pages += [bob.get("/import/1/done").text, bob.get("/import").text]
    for page in pages:
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert page.count("<h1") == 1
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_a_file_without_its_channel_is_kept_and_the_check_asks_for_it(app, settings, browse, shop):
    alice = browse("alice")
    with app.app_context(), unit_of_work() as session:
        Make(session, settings).channel("Beta", kind="file")
    assert 'value="" selected' in alice.get("/import").text  # no other marketplace's channel is taken by chance
    assert send(alice, LISTINGS, channel="new", channel_name=" ").status_code == 303
    page = alice.get("/import/1").text
    assert "Which channel is this file of?" in page
    assert "Import 3 rows" not in page
    alice.post("/import/1/check", data={"kind": "listings", "channel": "new", "channel_name": "Gamma"})
    page = alice.get("/import/1").text
    assert "Which channel is this file of?" not in page
    assert "Gamma" in page
    assert "Import 3 rows" in page
