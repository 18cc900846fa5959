"""What the search over everything promises."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.models import ListingState

HX = {"HX-Request": "true"}


@pytest.fixture
def shop(app, settings) -> dict[str, int]:
    """A linked mug on Alpha, and a listing of Beta that waits."""
    with app.app_context(), unit_of_work() as session:
        m = Make(session, settings)
        mug = m.product("MUG-1", title="Field mug, terracotta", gtin="4006381333931")
        listed = m.listing("MUG-1", channel=m.channel("Alpha"), listing_id="B0C7K2M4QD", title="Terracotta camping mug")
        link = m.link(product=mug, listing=listed)
        waits = m.listing("X-900", channel=m.channel("Beta"), listing_id="MLM-77", title="Something else")
        assert waits.state is ListingState.PENDING
        return {"product": mug.id, "listing": link.listing_id, "waits": waits.id}


def links_of(page: Any) -> list[str]:
    """The addresses that were found, in order."""
    return re.findall(r'<a class="alt found[^"]*" data-row href="([^"]+)"', page.text)


@pytest.mark.parametrize("text", ["mug-1", "MUG", "terracotta", "field mug", "4006381333931", " MUG-1 "])
def test_a_product_is_found_by_what_people_know_of_it(shop, browse, text):
    found = links_of(browse("charlie").get("/search", query_string={"q": text}, headers=HX))
    assert found[0] == f"/products/{shop['product']}"
    assert f"/review/{shop['listing']}" in found


@pytest.mark.parametrize("text", ["MLM-77", "MLM", "X-9", "X-900"])
def test_a_listing_is_found_by_its_id_and_sku(shop, browse, text):
    assert f"/review/{shop['waits']}" in links_of(browse("charlie").get(f"/search?q={text}", headers=HX))


def test_a_page_of_the_menu_is_found_by_the_beginning_of_a_word(shop, browse):
    assert "/pairs" in links_of(browse("charlie").get("/search?q=PAIR", headers=HX))
    assert "/pairs" not in links_of(browse("charlie").get("/search?q=airs", headers=HX))


def test_no_text_offers_the_pages(shop, browse):
    found = links_of(browse("charlie").get("/search", headers=HX))
    assert found[0] == "/"
    assert "/review" in found


def test_nothing_found_says_so_with_what_was_typed(shop, browse):
    page = browse("charlie").get("/search?q=<b>zzqqx</b>", headers=HX)
    assert "Nothing has “&lt;b&gt;zzqqx&lt;/b&gt;”" in page.text
    assert links_of(page) == []


def test_only_the_first_result_is_what_enter_takes(shop, browse):
    page = browse("charlie").get("/search?q=mug", headers=HX)
    assert page.text.count("alt found best") == 1


def test_without_scripts_the_page_has_the_results(shop, browse):
    page = browse("charlie").get("/search?q=mug")
    assert page.status_code == 200
    assert "<title>Search" in page.text
    assert links_of(page)[0] == f"/products/{shop['product']}"
