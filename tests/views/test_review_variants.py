"""What the grid of variants beside the review promises."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from tests.views.test_review import HX, text_of
from webapp.models import Link, LinkBatch, Suggestion

COLOURS = ("Sage", "Sand", "Sky")


def bottles(m):
    """Three colours on both sides, each with its right suggestion, and one listing of another family."""
    channel = m.channel("Amazon")
    ids = {"channel": channel.id}
    for colour in COLOURS:
        product = m.product(f"NB-{colour}", title=f"Bottle {colour}", base_sku="NB", options={"Colour": colour})
        listing = m.listing(
            f"AMZ-{colour}", channel=channel, parent_id="P", options={"Color": colour}, title=f"Flask {colour}"
        )
        m.session.add(
            Suggestion(listing_id=listing.id, rank=1, product_id=product.id, score=90, difference="", evidence=[])
        )
        listing.place = 10
        ids |= {colour: listing.id, f"p{colour}": product.id}
    ids["other"] = m.listing("OTHER", channel=channel, title="Paper clips").id
    m.session.flush()
    return ids


@pytest.fixture
def ids(put):
    return put(bottles)


def test_the_other_variants_are_offered_before_and_after_the_first_is_linked(browse, ids):
    bob = browse("bob")
    page = bob.get(f"/review/{ids['Sage']}")
    assert "2 more variants of this listing fit 2 products of the same family." in text_of(page)
    answer = bob.post(f"/review/{ids['Sage']}/link", data={"product_id": ids["pSage"]}, headers=HX)
    assert "2 more variants of “Flask Sage” fit 2 products of the same family." in text_of(answer)
    assert f"family={ids['Sage']}" in answer.headers["HX-Replace-Url"]
    again = bob.get(answer.headers["HX-Replace-Url"])
    assert "2 more variants of “Flask Sage”" in text_of(again)
    assert "more variant" not in bob.get(f"/review/{ids['other']}").text


def test_without_scripts_the_offer_survives_the_redirect(browse, ids):
    bob = browse("bob")
    answer = bob.post(f"/review/{ids['Sage']}/link", data={"product_id": ids["pSage"]})
    assert "2 more variants of “Flask Sage”" in text_of(bob.get(answer.location))


def test_the_grid_is_a_dialog_or_a_page(browse, ids):
    bob, url = browse("bob"), f"/review/{ids['Sage']}/variants?product={ids['pSage']}"
    piece, page = bob.get(url, headers=HX), bob.get(url)
    assert piece.text.lstrip().startswith("<dialog")
    assert page.text.count("<h1") == 1
    for answer in (piece, page):
        assert len(re.findall(r'name="id" value="\d+-\d+"[^>]* checked', answer.text)) == 3
        assert "Link 3" in text_of(answer)
    assert bob.get(f"/review/{ids['other']}/variants").status_code == 404
    assert browse("charlie").get(url).status_code == 403


def test_linking_the_grid_is_one_batch_with_one_toast_and_one_undo(browse, ids, look):
    bob = browse("bob")
    pairs = [f"{ids[c]}-{ids['p' + c]}" for c in COLOURS]
    url = f"/review/{ids['Sage']}/variants?product={ids['pSage']}&at={ids['Sage']}"
    answer = bob.post(url, data={"id": pairs, "key": "k1"}, headers=HX)
    assert answer.status_code == 200
    assert answer.text.count('class="toast') == 1
    assert "Linked 3 variants. Next: Paper clips" in text_of(answer)
    assert look(lambda s: s.scalar(select(func.count()).select_from(Link))) == 3
    batch = look(lambda s: s.scalars(select(LinkBatch)).one())
    assert (batch.changed, batch.listing_id, f"/undo/{batch.id}" in answer.text) == (3, ids["Sage"], True)
    assert bob.post(url, data={"id": pairs, "key": "k1"}, headers=HX).status_code == 200
    back = bob.post("/review/undo", headers=HX)
    assert "waits again" in text_of(back)
    assert look(lambda s: s.scalar(select(func.count()).select_from(Link))) == 0


def test_the_listing_on_the_stage_stays_there(browse, ids, look):
    bob = browse("bob")
    url = f"/review/{ids['Sage']}/variants?product={ids['pSage']}&at={ids['other']}"
    answer = bob.post(url, data={"id": f"{ids['Sand']}-{ids['pSand']}"}, headers=HX)
    assert f"/review/{ids['other']}?" in answer.headers["HX-Replace-Url"]
    assert look(lambda s: s.scalars(select(Link.listing_id)).all()) == [ids["Sand"]]


def test_nothing_is_linked_when_nothing_holds_any_more(browse, ids, look):
    bob = browse("bob")
    bob.post(f"/review/{ids['Sand']}/none", data={"suggested": ids["pSand"]})
    url = f"/review/{ids['Sage']}/variants?product={ids['pSage']}"
    answer = bob.post(url, data={"id": [f"{ids['Sand']}-{ids['pSand']}", "nonsense"]}, headers=HX)
    assert answer.status_code == 409
    assert "Nothing was linked" in text_of(answer)
    assert look(lambda s: s.get(Link, 1)) is None
