"""Switches and bulk acts on the product screens, with their ways back."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.models import Link, Product, SyncRun

HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop(app, settings):
    """Three linked products with 3, 4 and 0 units and one that nobody counted; gives their ids by SKU."""
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        for sku, units in (("A", 3), ("B", 4), ("C", 0)):
            listing = make.listing(sku, listing_id=f"L-{sku}", quantity=9, channel=make.channel("Alpha"))
            make.link(make.product(sku, title=f"Mug {sku}", quantity=units), listing)
        make.product("U", title="Unknown", quantity=None)
        return dict(session.execute(select(Product.sku, Product.id)).all())


def stock_of(look) -> dict[str, tuple[int, int | None]]:
    query = select(Product.sku, Product.available, Product.withheld).order_by(Product.sku)
    return {sku: (n, w) for sku, n, w in look(lambda s: s.execute(query).all())}


def test_one_click_marks_as_out_of_stock_and_the_toast_takes_it_back(browse, look, shop):
    bob = browse("bob")
    piece = bob.post(f"/products/{shop['A']}/available", data={"on": "0"}, headers=HTMX)
    assert "Mug A is out of stock. 1 channel is told now." in piece.text
    assert "Marked out" in piece.text
    assert f'<span id="units-{shop["A"]}" hx-swap-oob="innerHTML">0</span>' in piece.text
    assert "3 wait until it is marked as available" in bob.get(f"/products/{shop['A']}").text
    assert "Mark Mug A as available" in piece.text
    assert stock_of(look)["A"] == (0, 3)
    undo = re.search(r'action="(/activity/\d+/undo)"', piece.text)[1]
    assert bob.post(undo).status_code == 303
    assert stock_of(look)["A"] == (3, None)
    assert bob.post(undo, headers=HTMX).status_code == 409


def test_it_works_without_scripts_and_from_the_page_of_the_product(browse, look, shop):
    bob = browse("bob")
    assert f"/products/{shop['B']}/available" in bob.get(f"/products/{shop['B']}").text
    assert bob.post(f"/products/{shop['B']}/available", data={"on": "0"}).status_code == 303
    assert "Mug B is out of stock." in bob.get("/products?stock=out").text
    assert bob.post(f"/products/{shop['B']}/available", data={"on": "1"}).status_code == 303
    assert stock_of(look)["B"] == (4, None)


@pytest.mark.parametrize(("sku", "on", "words"), [("C", "1", "Nothing of it is counted"), ("U", "0", "never counted")])
def test_what_cannot_be_marked_says_what_to_do(browse, shop, sku, on, words):
    answer = browse("bob").post(f"/products/{shop[sku]}/available", data={"on": on}, headers=HTMX)
    assert answer.status_code == 422
    assert words in answer.text


def test_a_selection_is_marked_and_those_left_out_are_counted(browse, look, shop):
    bob = browse("bob")
    bob.post("/products/available", data={"on": "0", "id": [shop["A"], shop["B"], shop["U"]]})
    assert "2 products are out of stock." in bob.get("/products").text
    assert {sku: n for sku, (n, _) in stock_of(look).items()} == {"A": 0, "B": 0, "C": 0, "U": 0}
    bob.post("/products/available", data={"on": "1", "match": "1", "stock": "out"})
    assert (
        "2 products are available. Of 2 nothing is counted: type their stock. 1 channel is told now."
        in bob.get("/products").text
    )
    assert stock_of(look)["A"] == (3, None)
    assert stock_of(look)["B"] == (4, None)


def test_all_that_match_are_offered_with_their_exact_number(browse, shop):
    page = browse("bob").get("/products").text
    assert 'data-check-match="4"' in page
    assert "Select all 4 that match" in page
    assert "data-check-match" not in browse("bob").get("/products?q=mug").text
    refused = browse("bob").post("/products/available", data={"on": "0", "match": "1", "q": "mug"})
    assert refused.status_code == 422
    assert "tick those that are meant" in refused.text


def test_auto_sync_goes_on_only_after_the_overwriting_was_shown(browse, look, shop):
    bob = browse("bob")
    ids = {"id": [shop["A"], shop["B"]]}
    bob.post("/products/auto", data={"on": "0", **ids})
    asked = bob.post("/products/auto", data={"on": "1", **ids})
    assert asked.status_code == 200
    assert "Turn on auto-sync for 2 pairs?" in asked.text
    assert "Your catalogue will overwrite stock on 1 channel." in asked.text
    assert re.search(r"9 →</td>\s*<td class=\"num\">3</td>", asked.text)
    assert look(lambda s: s.scalar(select(func.count()).where(Link.auto_sync.is_(False)))) == 2
    bob.post("/products/auto", data={"on": "1", "sure": "1", **ids})
    assert look(lambda s: s.scalar(select(func.count()).where(Link.auto_sync.is_(False)))) == 0
    assert "Nothing would change" in bob.post("/products/auto", data={"on": "1", **ids}).text


def test_a_switch_and_a_selection_can_be_taken_back_from_activity(browse, look, shop):
    bob = browse("bob")
    piece = bob.post(f"/products/{shop['A']}/auto", headers=HTMX)
    assert "/undo" in piece.text
    bob.post("/products/auto", data={"on": "0", "match": "1"})
    page = bob.get("/activity").text
    newest = re.search(r'action="(/activity/\d+/undo)"', page)[1]
    assert bob.post(newest).status_code == 303
    assert look(lambda s: s.scalar(select(func.count()).where(Link.auto_sync.is_(False)))) == 1
    assert browse("charlie").post(newest).status_code == 403


def test_the_switch_says_that_the_catalogue_overwrites(browse, shop):
    bob = browse("bob")
    bob.post(f"/products/{shop['A']}/auto", headers=HTMX)
    piece = bob.post(f"/products/{shop['A']}/auto", data={"on": "1"}, headers=HTMX)
    assert "Auto-sync on for Mug A. Your catalogue overwrites the stock of 1 listing." in piece.text


def test_a_selection_is_synchronised_by_the_same_form_as_a_product(app, browse, look, put, shop):
    put(lambda m: m.manual(m.channel("Alpha")))
    bob = browse("bob")
    form = bob.post("/products/sync", data={"id": [shop["A"], shop["B"]]})
    assert form.status_code == 200
    assert "Synchronise 2 products" in form.text
    assert form.text.count('type="hidden" name="id"') == 2
    channel = re.search(r'name="channel" value="(\d+)" checked', form.text)[1]
    bob.post("/products/sync", data={"id": [shop["A"], shop["B"]], "seen": "1", "channel": channel, "stock": "1"})
    run = look(lambda s: s.scalars(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one())
    assert (run.asked, run.sent) == (2, 2)
    assert bob.post("/products/sync", data={}).status_code == 422


def test_the_pairs_of_a_selection_are_unsynced_after_the_question(browse, look, shop):
    alice = browse("alice")
    asked = alice.post("/products/unsync", data={"id": [shop["A"], shop["C"]]}, follow_redirects=True)
    assert "Unsync 2 pairs" in asked.text
    data = dict(re.findall(r'name="(expect|key)" value="([^"]+)"', asked.text))
    products = re.findall(r'name="product" value="(\d+)"', asked.text)
    assert len(products) == 2
    assert alice.post("/pairs/unsync", data={**data, "product": products}).status_code == 303
    assert look(lambda s: s.scalar(select(func.count()).select_from(Link))) == 1
    assert alice.post("/products/unsync", data={}).status_code == 422


def test_a_viewer_sees_the_state_and_no_button(browse, shop):
    page = browse("charlie").get("/products").text
    assert "Available" in page
    assert "/available" not in page
    assert "Bulk actions" not in page
