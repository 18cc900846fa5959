"""The filters of the products screen: by channel, brand and auto-sync, in the address and on every page."""

from __future__ import annotations

import re

import pytest

from tests.factories import Make
from tests.views.test_catalog import skus
from webapp.db import unit_of_work
from webapp.services import catalog_search


@pytest.fixture
def filtered(app, settings):
    """A bottle on Alpha (auto-sync on), a lamp of Acme on Alpha (off) and on Beta (on), and one that is nowhere."""
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        bottle = make.product("BTL-1", title="Insulated bottle sage")
        make.link(bottle, make.listing("X", channel=make.channel("Alpha"), listing_id="X"))
        lamp = make.product("LMP-1", title="Lamp", brand="Acme")
        make.link(lamp, make.listing("Y", channel=make.channel("Alpha"), listing_id="Y")).auto_sync = False
        make.link(lamp, make.listing("Z", channel=make.channel("Beta"), listing_id="Z"))
        make.product("LMP-2", title="Lamp of another", brand="acme", quantity=0)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("channel=Alpha", ["BTL-1", "LMP-1"]),
        ("channel=Beta", ["LMP-1"]),
        ("brand=Acme", ["LMP-1"]),
        ("auto=on", ["BTL-1"]),
        ("auto=off", ["LMP-1"]),
        ("auto=on&channel=Beta", ["LMP-1"]),
        ("auto=off&channel=Beta", []),
        ("brand=acme&stock=out", ["LMP-2"]),
        ("channel=Alpha&q=Lamp", ["LMP-1"]),
    ],
)
def test_the_address_filters_by_channel_brand_and_auto_sync(browse, filtered, address, found):
    page = browse("bob").get(f"/products?{address}")
    assert page.status_code == 200
    assert skus(page.text) == found


def test_filters_stay_with_each_other_the_tabs_and_the_bulk_form(browse, filtered):
    bob = browse("bob")
    page = bob.get("/products?brand=Acme&channel=Alpha").text
    tab = re.search(r'href="(/products\?[^"]*stock=in[^"]*)"', page)[1].replace("&amp;", "&")
    assert skus(bob.get(tab).text) == ["LMP-1"]
    off = re.search(r'href="([^"]*auto=off[^"]*)"', page)[1].replace("&amp;", "&")
    assert ("brand=Acme" in off, "channel=Alpha" in off) == (True, True)
    assert page.count('name="brand" value="Acme"') == 2, "in the search and in the bulk form"
    assert "data-check-match" not in page, "what no index counts is not acted on as a whole"
    assert bob.get("/products?channel=Gamma").status_code == 404


def test_pages_of_a_filter_are_turned_both_ways(app, browse, settings, monkeypatch):
    monkeypatch.setattr(catalog_search, "PAGE", 2)
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        for n in range(9):
            make.product(f"P{n}", brand="Acme" if n % 2 else "Other")
    bob, address, seen = browse("bob"), "/products?brand=Acme", []
    while address:
        page = bob.get(address).text
        seen.append(skus(page))
        onwards = re.search(r'href="([^"]*after=[^"]*)"', page)
        address = onwards[1].replace("&amp;", "&") if onwards else ""
    assert seen == [["P1", "P3"], ["P5", "P7"]]
    back = re.search(r'href="([^"]*before=[^"]*)"', page)[1].replace("&amp;", "&")
    assert skus(bob.get(back).text) == ["P1", "P3"]
