"""What the review shows of decisions that were made before the facts changed."""

from __future__ import annotations

import re

from tests.factories import Make
from tests.views.bottles import HX, bottles, text_of
from webapp.models import Listing, ListingState
from webapp.models.accounts import Actor, Role
from webapp.services import links, listings, review


def retitle(m: Make, listing_id: int, title: str) -> None:
    listing = m.session.get_one(Listing, listing_id)
    channel = m.channel("Amazon")
    row = {"channel": channel.name, "listing_id": listing.external_id, "title": title}
    listings.upsert_listings(m.session, [row], {channel.name: channel})


def test_a_refused_pair_comes_back_with_who_said_no_and_what_has_changed(browse, put, people):
    ids = put(bottles)
    bob = Actor(people["bob"], "Bob", Role.EDITOR)
    put(lambda m: links.reject(m.session, [links.Pair(ids["listing"], ids["sage"])], by=bob))
    before = browse("bob").get(f"/review/{ids['listing']}")
    assert "said no" not in before.text
    put(lambda m: retitle(m, ids["listing"], "NOMAD Insulated steel bottle 750 ml, sage green"))
    mine = browse("bob").get(f"/review/{ids['listing']}?compare={ids['sage']}")
    assert "You said no to this product on" in text_of(mine)
    assert "Changed on the listing since: Title." in text_of(mine)
    hers = browse("alice").get(f"/review/{ids['listing']}?compare={ids['sage']}")
    assert "Bob said no to this product on" in text_of(hers)


def test_a_listing_set_aside_that_changed_has_a_shelf_and_can_be_settled_with_one_key(browse, put, people, look):
    ids = put(bottles)
    client = browse("bob")
    client.post(f"/review/{ids['listing']}/none", headers=HX)
    assert "No listing that was set aside has changed" in client.get("/review?channel=Amazon&state=changed").text
    put(lambda m: retitle(m, ids["listing"], "Another bottle"))
    assert "1 listing set aside has changed" in text_of(client.get("/"))
    page = client.get("/review?channel=Amazon&state=changed")
    assert "You said that no product matches" in text_of(page)
    assert "Still no match" in page.text
    address = re.search(r'formaction="(/review/\d+/none\?[^"]*state=changed[^"]*)"', page.text)[1]
    answer = client.post(address.replace("&amp;", "&"), headers=HX)
    assert "No listing that was set aside has changed" in answer.text
    assert look(lambda s: s.get(Listing, ids["listing"]).state) is ListingState.NO_MATCH
    assert look(review.raised) == 0
    client.post("/review/undo?channel=Amazon&state=changed", headers=HX)
    assert look(review.raised) == 1


def test_an_ignored_listing_that_changed_can_go_on_being_ignored(browse, put, look):
    ids = put(bottles)
    client = browse("bob")
    client.post(f"/review/{ids['listing']}/ignore", headers=HX)
    put(lambda m: retitle(m, ids["listing"], "Another bottle"))
    page = client.get("/review?channel=Amazon&state=changed")
    assert "You ignored this listing on" in text_of(page)
    assert "Still ignore it" in page.text
    client.post(f"/review/{ids['listing']}/ignore?channel=Amazon&state=changed", headers=HX)
    assert look(review.raised) == 0
