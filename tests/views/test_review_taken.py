"""What review says of a product that has its one listing on the channel: it is found, and no group offers it."""

from __future__ import annotations

import re
from typing import Any

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.models.base import utc_now
from webapp.services import overview

HX = {"HX-Request": "true"}


def taken(m: Make) -> int:
    """A waiting listing whose SKU nearly is that of a product which another listing of the channel has."""
    product = m.product("AB-100", title="Sartén de hierro")
    m.link(product, m.listing("AB-100"))
    return m.listing("AB100", title="Sartén").id


def told(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def near(app: Any) -> list[int]:
    """How many near misses the overview names, by channel."""
    with app.app_context(), unit_of_work(read_only=True) as session:
        found = overview.needs(session, overview.by_channel(session), now=utc_now())
        return [need.n for need in found if need.what == "near"]


def test_a_search_that_finds_only_what_is_linked_already_says_so_and_shows_it(browse, put):
    listing_id = put(taken)
    client = browse("bob")
    found = client.get(f"/review/{listing_id}/search?channel=Alpha&q=sarten", headers=HX | {"HX-Target": "found"})
    assert "No product has" not in found.text
    assert "1 product with “sarten” is linked on Alpha already." in told(found)
    address = re.search(r'href="([^"]*/search[^"]*)"', found.text)[1].replace("&amp;", "&")
    assert "AB-100" in client.get(address).text


def test_a_near_miss_of_a_taken_product_is_in_no_group_and_not_counted(app, browse, put):
    put(taken)
    client = browse("bob")
    client.post("/review/reconcile")
    assert "No SKU is nearly equal." in client.get("/review/near?channel=Alpha").text
    assert near(app) == []


def test_where_a_product_may_have_many_listings_the_near_miss_stays(app, browse, put):
    def build(m: Make) -> None:
        m.channel("Alpha").many = True
        taken(m)

    put(build)
    client = browse("bob")
    client.post("/review/reconcile")
    assert near(app) == [1]
    done = client.post("/review/near?channel=Alpha", data={"reason": "dash"}, follow_redirects=True)
    assert "Linked 1 listing." in done.text
    assert near(app) == []


def test_a_group_says_why_a_listing_was_left_as_it_was(browse, put):
    """Two listings nearly are one product: the first is linked, and the other hears who has it."""
    put(lambda m: [m.product("AB-100", title="Pan"), m.listing("AB100"), m.listing("AB_100")])
    client = browse("bob")
    client.post("/review/reconcile")
    done = told(client.post("/review/near?channel=Alpha", data={"reason": "dash"}, follow_redirects=True))
    assert "Linked 1 listing. 1 was left as it was." in done
    assert re.search(r"left as it was\. \S+ .*listing", done)
    assert "No SKU is nearly equal." in done
