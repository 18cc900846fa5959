"""What the screen of matching rules promises."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, insert, select

from tests.factories import Make
from tests.views.pair_pages import text_of
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Channel, Decision, Link, ListingState, Refusal, Suggestion
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import counts, links, listings, steps


@pytest.fixture
def waiting(app, settings):
    """Sure suggestions that wait on the channel Alpha, and decisions on others like them; gives the channel's id."""

    def build(sure: int = 2, *, right: int = 0, wrong: int = 0) -> int:
        with app.app_context(), unit_of_work() as session:
            make = Make(session, settings)
            channel = make.channel()
            for number in range(sure):
                listing, product = make.listing(listing_id=f"W-{number}"), make.product()
                session.add(Suggestion(listing_id=listing.id, rank=1, product_id=product.id, score=97, evidence=[]))
                listing.place = 3
            rows = [{"channel": channel.name, "listing_id": f"D-{n}"} for n in range(right + wrong)]
            ids = listings.upsert_listings(session, rows, {channel.name: channel}).ids.values() if rows else []
            same: dict[str, Any] = {"channel_id": channel.id, "score": 97, "lead": 40, "batch_id": 1, "at": utc_now()}
            product_id = make.product().id
            said = [{**same, "listing_id": i, "product_id": product_id, "right": n < right} for n, i in enumerate(ids)]
            if said:
                session.execute(insert(Decision), said)
            return channel.id

    return build


def read(app: Any, query: Any) -> Any:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(query)


def test_without_a_channel_the_page_says_what_to_do(browse):
    page = browse("alice").get("/rules")
    assert "No channel yet" in page.text


def test_a_viewer_sees_the_numbers_and_no_button(browse, waiting):
    waiting(right=10, wrong=2)
    page = browse("charlie").get("/rules?line=95").text
    assert "10 of 12 were right so far, so at least 55.2% in future" in page
    assert "Turn off" not in page
    assert "by itself</button>" not in page
    assert "Check a few first" not in page


def test_the_line_moves_the_numbers(browse, waiting):
    waiting(sure=3, right=20)
    browser = browse("alice")
    assert '<div class="big">3</div>' in browser.get("/rules?line=95").text
    above = browser.get("/rules?line=98").text
    assert '<div class="big">0</div>' in above
    assert "Nothing was decided at this score yet." in above


@pytest.mark.parametrize("line", ["abc", "-5", "1000", ""])
def test_a_line_that_is_none_is_put_right(browse, waiting, line):
    waiting()
    assert browse("alice").get(f"/rules?line={line}").status_code == 200


def test_an_owner_turns_the_rule_on_only_when_the_decisions_bear_it(app, browse, waiting):
    channel_id = waiting(right=40)
    browser = browse("alice")
    form = {"line": "95", "promise": "95"}
    answer = browser.post(f"/rules/{channel_id}", data=form, follow_redirects=True)
    assert "Decide 33 more" in answer.text
    assert read(app, select(Channel.rule_from)) is None


def test_a_rule_that_is_on_says_so_and_can_be_turned_off(app, browse, waiting):
    channel_id = waiting(right=80)
    browser = browse("alice")
    answer = browser.post(f"/rules/{channel_id}", data={"line": "95", "promise": "95"}, follow_redirects=True)
    assert "On. Suggestions of 95 and above link by themselves" in answer.text
    assert read(app, select(Channel.rule_from)) == 95
    browser.post(f"/rules/{channel_id}/off")
    assert read(app, select(Channel.rule_from)) is None


def test_an_editor_may_check_pairs_but_not_change_the_rule(app, browse, waiting):
    channel_id = waiting(right=80)
    browser = browse("bob")
    assert browser.post(f"/rules/{channel_id}", data={"line": "95", "promise": "95"}).status_code == 403
    assert browser.post(f"/rules/{channel_id}/link", data={"line": "95"}).status_code == 403
    assert "Check a few first" in browser.get("/rules").text


def test_checked_pairs_are_linked_or_rejected(app, browse, waiting):
    channel_id = waiting(sure=2)
    browser = browse("bob")
    with app.app_context(), unit_of_work(read_only=True) as session:
        pairs = session.execute(select(Suggestion.listing_id, Suggestion.product_id)).all()
    for (listing_id, product_id), right in zip(pairs, ("1", "0"), strict=True):
        form = {"product_id": product_id, "score": 97, "line": 95, "right": right}
        browser.post(f"/rules/{channel_id}/check/{listing_id}", data=form)
    assert read(app, select(Link.listing_id)) == pairs[0][0]
    assert read(app, select(Refusal.listing_id)) == pairs[1][0]
    assert "Nothing waits at this score." in browser.get("/rules").text


def test_link_all_above_links_once_and_offers_undo(app, browse, waiting):
    channel_id = waiting(sure=3)
    browser = browse("alice")
    answer = browser.post(f"/rules/{channel_id}/link", data={"line": "95"}, follow_redirects=True)
    assert "Linked 3 listings." in answer.text
    assert "/undo/" in answer.text
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert counts.of_channel(session, channel_id)[ListingState.LINKED] == 3


def test_what_the_line_could_not_link_is_named_with_its_reason(app, browse, waiting):
    channel_id = waiting(sure=3)
    with app.app_context(), unit_of_work() as session:
        listing_id, product_id = session.execute(select(Suggestion.listing_id, Suggestion.product_id)).first()
        links.reject(session, [links.Pair(listing_id, product_id)], by=COMMAND_LINE)
    answer = browse("alice").post(f"/rules/{channel_id}/link", data={"line": "95"}, follow_redirects=True)
    assert "Linked 2 listings. 1 was left as it was." in text_of(answer)
    assert f'href="/review/{listing_id}"' in answer.text
    assert "Somebody said that this is not" in answer.text
    assert "/undo/" in answer.text


def test_a_large_number_above_the_line_is_linked_in_steps_and_the_page_shows_how_far(app, browse, waiting, monkeypatch):
    monkeypatch.setattr(steps, "FROM", 3)
    channel = waiting(sure=4, right=60)
    alice = browse("alice")
    here = alice.post(f"/rules/{channel}/link", data={"line": "95"}).location
    assert alice.post(f"/rules/{channel}/link", data={"line": "95"}).location == here  # it joins
    assert "Linking suggestions 0 of 4" in text_of(alice.get("/rules"))
    with app.app_context():
        tasks.take_steps()
    assert "Linked 4 listings." in text_of(alice.get(here))
    assert read(app, select(func.count()).select_from(Link)) == 4
