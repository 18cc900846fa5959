"""Looking ahead in the review: the next stage alone, and an answer that repeats it only where it has changed."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError

from tests.factories import Make
from tests.views.bottles import HX, bottles, text_of, version
from webapp.db import unit_of_work
from webapp.models import Channel, Link, Listing, ListingState, Product, Suggestion
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.models.listings import NOT_COMPUTED
from webapp.services import candidates, links, retrieval, review

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


def _taken(m: Make, ids: dict[str, Any]) -> None:
    m.link(m.session.get(Product, ids["sage"]), m.listing("HOLDS-IT", channel=m.channel("Amazon")))


def _refused(m: Make, ids: dict[str, Any]) -> None:
    links.reject(m.session, [links.Pair(ids["listing"], ids["sage"])], by=COMMAND_LINE)


def _refused_before(m: Make, ids: dict[str, Any]) -> None:
    _refused(m, ids)
    m.session.get(Product, ids["sage"]).title = "Another bottle"


def _retired(m: Make, ids: dict[str, Any]) -> None:
    m.session.get(Product, ids["sage"]).retired_at = utc_now()


def _same_sku(m: Make, ids: dict[str, Any]) -> None:
    m.listing("NMBTLSGE", channel=m.channel("Amazon"), listing_id="DOUBLE")


def _same_gtin(m: Make, ids: dict[str, Any]) -> None:
    first = m.session.get(Listing, ids["listing"])
    first.sku, first.match_key, first.gtin = "", None, "4006381333931"
    m.session.get(Product, ids["sage"]).gtin = "4006381333931"
    other = m.listing("OTHER", channel=m.channel("Amazon"), listing_id="DOUBLE", gtin="4006381333931")
    other.place = 9


def _on_the_spot(m: Make, ids: dict[str, Any]) -> None:
    m.session.execute(delete(Suggestion))
    m.session.get(Listing, ids["listing"]).place = NOT_COMPUTED


def _linked(m: Make, ids: dict[str, Any]) -> None:
    m.link(m.session.get(Product, ids["sage"]), m.session.get(Listing, ids["listing"]))


def _aside(m: Make, ids: dict[str, Any]) -> None:
    links.set_aside(m.session, [ids["listing"]], ListingState.NO_MATCH, by=COMMAND_LINE)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    "happens",
    [None, _taken, _refused, _refused_before, _retired, _same_sku, _same_gtin, _on_the_spot, _linked, _aside],
)
def test_the_outline_of_a_stage_tells_the_same_as_the_stage(session, make, happens, many):
    ids = bottles(make, many=many)
    if happens:
        happens(make, ids)
    session.flush()
    listing = review.get(session, ids["listing"])
    index = retrieval.CatalogueIndex()
    stage = candidates.stage(session, listing, session.get(Channel, listing.channel_id), index)
    outline = candidates.outline(session, listing, session.get(Channel, listing.channel_id), index)
    assert (outline.mark, outline.best, outline.product_id) == (stage.mark, stage.best, stage.product_id)
    assert outline.best or happens in (_linked, _aside)


def test_nobody_waits_for_the_lock_while_an_answer_is_composed(app, browse, put, monkeypatch):
    ids = put(bottles)
    client, seen = browse("bob"), []

    def beside(*args: Any, **how: Any) -> Any:
        with app.app_context(), unit_of_work() as other:  # a writer: it would wait for the answer, and that for it
            seen.append(other.scalar(select(Link.product_id)))
        return window(*args, **how)

    window = review.window
    monkeypatch.setattr(review, "window", beside)
    put(lambda m: next_bottle(m, ids, "sand"))
    answer = client.post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]}, headers=HX)
    assert answer.status_code == 200
    assert seen == [ids["sage"]]


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError(), 500), (OperationalError("SELECT", None, Exception("disk I/O")), 503)]
)
def test_an_answer_that_cannot_be_composed_says_that_the_decision_was_saved(
    app, browse, put, look, monkeypatch, error, status
):
    ids = put(bottles)
    client = browse("bob")
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("webapp.views.review.url_of", broken)
    answer = client.post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]})
    assert answer.status_code == status
    assert "This was saved, but cannot be shown." in answer.text
    assert look(lambda s: s.get(Listing, ids["listing"]).state) is ListingState.LINKED
