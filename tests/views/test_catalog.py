"""The product screens: the table with its tabs, search and pages, one product, and its form."""

from __future__ import annotations

import html
import re
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.models import AuditEntry, Link, Product, SyncRun
from webapp.models.accounts import COMMAND_LINE
from webapp.services import catalog, catalog_search, stock


@pytest.fixture
def shop(app, settings):
    """A linked bottle, an unlinked mug without stock, and two variants of a towel; gives their ids by SKU."""
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        bottle = make.product("BTL-1", title="Insulated bottle sage", quantity=3, gtin="4006381333931")
        make.link(bottle, make.listing("X", channel=make.channel("Alpha"), listing_id="L-1", quantity=9))
        make.product("MUG-1", title="Field mug", quantity=0, price=None)
        rows = [
            {"sku": f"TWL-{c}", "title": f"Towel {c}", "base_sku": "TWL", "options": {"Colour": c}, "quantity": 40}
            for c in ("Sky", "Sand")
        ]
        catalog.upsert_products(session, rows, by=COMMAND_LINE, currency="USD")
        return dict(session.execute(select(Product.sku, Product.id)).all())


def read(app, query):
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(query)


def skus(page):
    return re.findall(r'<td class="mono(?: only-l)?">([^<]+)</td>', page)


def test_the_tabs_part_the_catalogue_by_stock(browse, shop):
    bob = browse("bob")
    assert skus(bob.get("/products").text) == ["BTL-1", "MUG-1", "TWL"]  # the towel in one row, with its variants
    assert skus(bob.get("/products?stock=out").text) == ["MUG-1"]
    assert skus(bob.get("/products?stock=in").text) == ["BTL-1", "TWL"]
    page = bob.get("/products").text
    assert "Low, 3 left" in page
    assert "Out of stock <b>1</b>" in page
    assert "Available <b>3</b>" in page


def test_what_is_linked_nowhere_can_be_listed(browse, shop):
    assert skus(browse("bob").get("/products?linked=no").text) == ["MUG-1", "TWL-Sky", "TWL-Sand"]


def test_search_finds_by_word_sku_and_barcode(browse, shop):
    bob = browse("bob")
    for text in ("bottle", "BTL-1", "4006381333931"):
        assert skus(bob.get("/products", query_string={"q": text}).text)[0] == "BTL-1"
    page = bob.get("/products", query_string={"q": "zzqx <b>"}).text
    assert "No product matches" in page
    assert "zzqx <b>" not in page


def test_search_answers_htmx_with_the_table_alone(browse, shop):
    answer = browse("bob").get("/products?q=mug", headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith('<div id="products_table"')
    assert "HX-Request" in answer.headers["Vary"]


def test_pages_lead_forth_and_back_over_every_product_once(app, browse, settings, monkeypatch):
    monkeypatch.setattr(catalog_search, "PAGE", 3)
    with app.app_context(), unit_of_work() as session:
        wanted = [Make(session, settings).product(f"S-{n}").sku for n in range(8)]
    bob = browse("bob")
    seen, url, previous = [], "/products", []
    while url:
        page = bob.get(url).text
        seen += skus(page)
        links = re.findall(r'<a class="btn" href="(/products\?[^"]+)"', page)
        url = next((link.replace("&amp;", "&") for link in links if "after=" in link), "")
        previous = [link.replace("&amp;", "&") for link in links if "before=" in link]
    assert seen == wanted
    assert skus(bob.get(previous[0]).text) == wanted[3:6]


def test_an_empty_catalogue_offers_an_import(browse):
    page = browse("bob").get("/products").text
    assert "Your catalogue is empty" in page
    assert "/import?kind=products" in page


def test_a_product_shows_its_listings_and_where_they_differ(browse, shop):
    page = browse("bob").get(f"/products/{shop['BTL-1']}").text
    assert "<title>Insulated bottle sage" in page
    assert "L-1" in page
    assert re.search(r'<span class="t-warn">.*?9</span>', page, re.DOTALL)


def test_a_variant_shows_its_siblings(browse, shop):
    page = browse("bob").get(f"/products/{shop['TWL-Sky']}").text
    assert "Variant of Towel, one of 2" in page
    assert skus(page) == ["TWL-Sky", "TWL-Sand"]


def test_the_history_of_a_product_names_who_did_what(browse, shop):
    bob = browse("bob")
    url = f"/products/{shop['BTL-1']}"
    form = {"sku": "BTL-1", "title": "Bottle", "price": "9.90", "stock": "12"}
    assert bob.post(url + "/edit", data=form).status_code == 303
    page = bob.get(url + "?tab=history").text
    assert "Edited BTL-1." in page
    assert "Set BTL-1 to 12 in Main." in page
    assert "Bob" in page


def test_a_product_that_is_gone_is_a_page_of_its_own(browse, shop):
    answer = browse("bob").get("/products/99999")
    assert answer.status_code == 404
    assert "no longer in the catalogue" in answer.text


def test_a_product_can_be_added_once(app, browse, shop):
    bob = browse("bob")
    form = {"sku": " NEW-1 ", "title": "New lamp", "gtin": "4006381333931", "price": "34.00", "stock": "7"}
    first = bob.post("/products/new", data=form)
    assert first.status_code == 303
    again = bob.post("/products/new", data=form)
    assert again.status_code == 422
    assert "The SKU NEW-1 belongs to" in again.text
    product = read(app, select(Product).where(Product.sku == "NEW-1"))
    assert (product.price, product.available) == (Decimal("34"), 7)
    assert read(app, select(func.count()).select_from(Product)) == 5


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sku", "", "Type a SKU."),
        ("sku", " \u00a0", "Type a SKU"),
        ("title", "", "Type a name."),
        ("price", "34 EUR", "Type the price with a point for the cents, for example 1299.00."),
        ("price", "1,500", "Type the price with a point for the cents, for example 1299.00."),
        ("price", "1.23456", "Type the price with a point for the cents, for example 1299.00."),
        ("price", "-1", "Type the price with a point for the cents, for example 1299.00."),
        ("stock", "1.5", "Type the stock as a whole number, for example 12."),
        ("stock", "\u0663", "Type the stock as a whole number, for example 12."),
        ("gtin", "4006381333932", "The last digit should be 1. Check the code on the package."),
    ],
)
def test_a_wrong_field_says_how_to_repair_it_and_saves_nothing(app, browse, shop, field, value, words):
    form = {"sku": "NEW-1", "title": "New lamp", "price": "34.00", "stock": "7"} | {field: value}
    answer = browse("bob").post("/products/new", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert read(app, select(func.count()).select_from(Product)) == 4


def test_editing_keeps_links_and_leaves_the_rest_as_it_is(app, browse, shop):
    bob = browse("bob")
    url = f"/products/{shop['BTL-1']}/edit"
    assert 'value="4006381333931"' in bob.get(url).text
    form = {"sku": "BTL-2", "title": "Bottle", "gtin": "4006381333931", "price": "", "stock": ""}
    assert bob.post(url, data=form).status_code == 303
    product = read(app, select(Product).where(Product.id == shop["BTL-1"]))
    assert (product.sku, product.match_key, product.price, product.available) == ("BTL-2", "BTL-2", Decimal("9.9"), 3)
    assert read(app, select(func.count()).select_from(Link)) == 1


def test_a_taken_sku_is_refused_and_the_price_stays(app, browse, shop):
    form = {"sku": "MUG-1", "title": "Bottle", "price": "99.00", "stock": "5"}
    answer = browse("bob").post(f"/products/{shop['BTL-1']}/edit", data=form)
    assert answer.status_code == 422
    assert "The SKU MUG-1 belongs to" in answer.text
    product = read(app, select(Product).where(Product.id == shop["BTL-1"]))
    assert (product.sku, product.price, product.available) == ("BTL-1", Decimal("9.9"), 3)


def test_saving_without_a_change_records_nothing(app, browse, shop):
    form = {"sku": "BTL-1", "title": "Insulated bottle sage", "gtin": "4006381333931", "price": "9.9", "stock": "3"}
    before = read(app, select(func.count()).select_from(AuditEntry))
    version = read(app, select(Product.version).where(Product.id == shop["BTL-1"]))
    browse("bob").post(f"/products/{shop['BTL-1']}/edit", data=form)
    assert read(app, select(func.count()).select_from(AuditEntry)) == before
    assert read(app, select(Product.version).where(Product.id == shop["BTL-1"])) == version


def test_auto_sync_goes_off_and_on_for_all_listings_of_a_product(app, browse, shop):
    bob = browse("bob")
    url = f"/products/{shop['BTL-1']}/auto"
    answer = bob.post(url, headers={"HX-Request": "true"})
    assert "Auto-sync off for Insulated bottle sage" in answer.text
    assert read(app, select(Link.auto_sync)) is False
    assert bob.post(url, data={"on": "1"}).status_code == 303
    assert read(app, select(Link.auto_sync)) is True


def test_auto_sync_of_a_selection_leaves_the_others_alone(app, browse, shop):
    bob = browse("bob")
    answer = bob.post("/products/auto", data={"id": [shop["BTL-1"], shop["MUG-1"]], "on": "0", "stock": "in"})
    assert answer.location == "/products?stock=in"
    assert read(app, select(Link.auto_sync)) is False
    assert "Nothing would change" in bob.post("/products/auto", data={"on": "1"}).text
    assert read(app, select(Link.auto_sync)) is False
    assert read(app, select(func.count()).select_from(SyncRun)) == 0


def test_a_viewer_reads_and_changes_nothing(app, browse, shop):
    charlie = browse("charlie")
    page = charlie.get("/products").text
    assert "New product" not in page
    assert 'role="switch"' not in page.split('id="shortcuts"')[0]
    for url in (
        "/products/new",
        f"/products/{shop['BTL-1']}/edit",
        f"/products/{shop['BTL-1']}/auto",
        "/products/auto",
    ):
        assert charlie.post(url, data={"sku": "X", "title": "Y", "on": "0"}).status_code == 403
    assert read(app, select(func.count()).select_from(Product)) == 4


def test_a_stranger_is_sent_to_sign_in(browse, shop):
    assert browse().get("/products").location.startswith("/login")


@pytest.mark.parametrize(
    "url", ["/products", "/products/1", "/products/1?tab=history", "/products/new", "/products/1/edit"]
)
def test_pages_are_sound(browse, shop, url):
    page = browse("bob").get(url).text
    assert page.count("<h1") == 1
    assert " style=" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_hostile_paging_values_are_ignored(browse, shop):
    for value in ("x", "-1", "9" * 40, "1.5", "٣"):
        assert browse("bob").get("/products", query_string={"after": value}).status_code == 200


def test_a_form_that_stayed_open_puts_no_stock_or_price_back(app, browse, shop):
    bob, url = browse("bob"), f"/products/{shop['BTL-1']}/edit"
    page = bob.get(url).text
    form = {
        name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page).group(1) for name in ("was-price", "was-stock")
    }
    form |= {"sku": "BTL-1", "title": "Bottle", "price": form["was-price"], "stock": form["was-stock"]}
    assert bob.post(url, data=form | {"price": "99.00", "stock": "1"}).status_code == 303
    assert bob.post(url, data=form | {"title": "Steel bottle"}).status_code == 303
    with app.app_context(), unit_of_work(read_only=True) as session:
        bottle = session.get(Product, shop["BTL-1"])
        assert (bottle.title, bottle.price) == ("Steel bottle", Decimal("99.00"))
        assert catalog_search.on_hand(session, bottle.id, stock.MAIN) == 1


# ---- two people at one product ---------------------------------------------------------------------------

FIELDS = ("sku", "title", "brand", "gtin", "mpn", "price", "stock")


def opened(browser, url: str) -> dict[str, str]:
    """The form as the browser would send it back untouched."""
    page = browser.get(url).text
    names = [*FIELDS, *(f"was-{name}" for name in FIELDS)]
    return {name: html.unescape(re.search(rf'name="{name}"[^>]*?value="([^"]*)"', page)[1]) for name in names}


def facts(app, product_id: int) -> dict[str, object]:
    product = read(app, select(Product).where(Product.id == product_id))
    return {name: getattr(product, name) for name in (*FIELDS[:6], "available")}


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [("title", "Bottle of Alice", "Bottle of Bob"), ("brand", "Alma", "Bruno"), ("sku", "BTL-A", "BTL-B"),
     ("price", "11.00", "12.00"), ("stock", "4", "7"), ("mpn", "", "M-9")],
)  # fmt: skip
def test_the_second_save_of_a_field_asks_before_it_replaces_the_first(app, browse, shop, field, first, second):
    alice, bob, url = browse("alice"), browse("bob"), f"/products/{shop['BTL-1']}/edit"
    if field == "mpn":
        bob.post(url, data=opened(bob, url) | {"mpn": "M-1"})
    hers, his = opened(alice, url), opened(bob, url)
    assert alice.post(url, data=hers | {field: first}).status_code == 303
    before = facts(app, shop["BTL-1"])
    answer = bob.post(url, data=his | {field: second})
    assert answer.status_code == 409
    assert "Somebody changed this product while you were editing it." in answer.text
    assert f"Somebody saved “{first}” meanwhile; you typed “{second}”." in html.unescape(answer.text)
    assert "Last change: Alice" in answer.text
    assert facts(app, shop["BTL-1"]) == before
    again = {
        name: html.unescape(re.search(rf'name="{name}"[^>]*?value="([^"]*)"', answer.text)[1])
        for name in (*FIELDS, *(f"was-{name}" for name in FIELDS))
    }
    assert again[field] == second, "what Bob typed is lost"
    assert bob.post(url, data=again).status_code == 303
    after = facts(app, shop["BTL-1"])
    name = "available" if field == "stock" else field
    assert str(after[name]) == {"price": "12", "stock": "7"}.get(field, second)
    assert {k: v for k, v in after.items() if k != name} == {k: v for k, v in before.items() if k != name}


def test_changes_of_different_fields_are_both_kept(app, browse, shop):
    alice, bob, url = browse("alice"), browse("bob"), f"/products/{shop['BTL-1']}/edit"
    hers, his = opened(alice, url), opened(bob, url)
    assert alice.post(url, data=hers | {"title": "Bottle of Alice", "stock": "9"}).status_code == 303
    assert bob.post(url, data=his | {"brand": "Bruno", "price": "9.90"}).status_code == 303
    now = facts(app, shop["BTL-1"])
    assert (now["title"], now["brand"], now["available"], now["price"]) == (
        "Bottle of Alice",
        "Bruno",
        9,
        Decimal("9.9"),
    )


def test_the_page_of_a_clash_shows_the_other_fields_as_they_are_now(app, browse, shop):
    alice, bob, url = browse("alice"), browse("bob"), f"/products/{shop['BTL-1']}/edit"
    hers, his = opened(alice, url), opened(bob, url)
    alice.post(url, data=hers | {"title": "Bottle of Alice", "brand": "Alma"})
    answer = bob.post(url, data=his | {"title": "Bottle of Bob", "mpn": "M-7"})
    assert answer.status_code == 409
    assert re.search(r'name="brand"[^>]*value="Alma"', answer.text)
    assert re.search(r'name="mpn"[^>]*value="M-7"', answer.text)
    assert answer.text.count('class="err"') == 1


def test_the_same_change_twice_is_no_clash(app, browse, shop):
    alice, bob, url = browse("alice"), browse("bob"), f"/products/{shop['BTL-1']}/edit"
    hers, his = opened(alice, url), opened(bob, url)
    assert alice.post(url, data=hers | {"price": "12.5"}).status_code == 303
    assert bob.post(url, data=his | {"price": "12.50"}).status_code == 303
    assert facts(app, shop["BTL-1"])["price"] == Decimal("12.5")


def test_stock_that_the_warehouse_counted_meanwhile_is_not_overwritten_unseen(app, browse, shop):
    bob, url = browse("bob"), f"/products/{shop['BTL-1']}/edit"
    his = opened(bob, url)
    with app.app_context(), unit_of_work() as session:
        stock.set_levels(session, [stock.Level(shop["BTL-1"], 0)], stock.warehouse(session), by=COMMAND_LINE)
    answer = bob.post(url, data=his | {"stock": "8"})
    assert answer.status_code == 409
    assert "Somebody saved “0” meanwhile; you typed “8”." in answer.text
    assert facts(app, shop["BTL-1"])["available"] == 0


def test_a_name_with_line_ends_is_not_changed_by_opening_its_form(app, browse, shop):
    with app.app_context(), unit_of_work() as session:
        session.get_one(Product, shop["BTL-1"]).title = "Two\nlines"
    bob, url = browse("bob"), f"/products/{shop['BTL-1']}/edit"
    form = opened(bob, url)
    form |= {"title": "Twolines", "brand": "Bruno"}  # as a browser sends a single-line field
    assert bob.post(url, data=form).status_code == 303
    assert facts(app, shop["BTL-1"])["title"] == "Two\nlines"
