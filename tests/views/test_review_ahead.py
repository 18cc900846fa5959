"""Looking ahead in the review: the next stage alone, and an answer that repeats it only where it has changed."""

from __future__ import annotations

import gzip
import re
from typing import Any

from tests.factories import Make
from tests.views.bottles import HX, bottles, text_of, version
from webapp.models import Suggestion

AHEAD = HX | {"HX-Target": "ahead"}
STAGE = '<form id="stage"'


def next_bottle(m: Make, ids: dict[str, Any], product: str) -> int:
    """A second waiting listing of the channel that may be one of the two bottles."""
    listing = m.listing("SECOND", channel=m.channel("Amazon"), title="A second bottle")
    m.session.add(Suggestion(listing_id=listing.id, rank=1, product_id=ids[product], score=60, evidence=[]))
    listing.place = 40
    m.session.flush()
    return listing.id


def shown(stage: str) -> str:
    """The mark of a stage, as a page sends it back with the decision before."""
    return re.search(r'data-stage="([0-9]+\.[0-9a-f]{8})"', stage)[1]


def test_the_next_stage_comes_alone_small_and_changes_nothing(browse, put):
    ids = put(bottles)
    client = browse("bob")
    ahead = client.get(f"/review/{ids['listing']}", headers=AHEAD)
    assert ahead.status_code == 200
    assert ahead.text.count('id="stage"') == 1
    assert 'id="queue"' not in ahead.text
    assert "hx-swap-oob" not in ahead.text
    assert len(gzip.compress(ahead.data, 6)) <= 4 * 1024
    assert shown(ahead.text) == shown(client.get("/review").text)


def test_what_is_on_the_screen_already_is_not_sent_again(browse, put):
    ids = put(bottles)
    nxt = put(lambda m: next_bottle(m, ids, "sand"))
    client = browse("bob")
    seen = shown(client.get(f"/review/{nxt}", headers=AHEAD).text)
    data = {"product_id": ids["sage"], "version": version(client.get("/review").text), "shown": seen}
    answer = client.post(f"/review/{ids['listing']}/link", data=data, headers=HX)
    assert answer.status_code == 200
    assert STAGE not in answer.text
    assert 'id="progress" hx-swap-oob="true"' in answer.text
    assert f'id="q-{ids["listing"]}"' in answer.text
    assert "Linked. Next: A second bottle, best suggestion 60." in text_of(answer)
    assert answer.headers["HX-Replace-Url"].startswith(f"/review/{nxt}?")


def test_a_stage_that_offers_what_was_just_taken_is_sent_again(browse, put):
    ids = put(bottles)
    nxt = put(lambda m: next_bottle(m, ids, "sage"))
    client = browse("bob")
    seen = shown(client.get(f"/review/{nxt}", headers=AHEAD).text)
    data = {"product_id": ids["sage"], "shown": seen}
    answer = client.post(f"/review/{ids['listing']}/link", data=data, headers=HX)
    assert STAGE in answer.text
    assert shown(answer.text) != seen
    assert "Already linked on Amazon" in text_of(answer)


def test_a_page_that_is_ahead_of_another_listing_gets_the_right_one(browse, put):
    ids = put(bottles)
    nxt = put(lambda m: next_bottle(m, ids, "sand"))
    answer = browse("bob").post(f"/review/{ids['listing']}/skip", data={"shown": "999.00000000"}, headers=HX)
    assert shown(answer.text).startswith(f"{nxt}.")


def test_looking_ahead_is_for_whoever_may_read(browse, put):
    ids = put(bottles)
    assert "data-quick" not in browse("charlie").get(f"/review/{ids['listing']}", headers=AHEAD).text
    stranger = browse().get(f"/review/{ids['listing']}", headers=AHEAD)
    assert stranger.status_code == 204
    assert "/login" in stranger.headers["HX-Redirect"]
