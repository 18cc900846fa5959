"""Taking pairs apart, one or many: the number is said and typed, and everything comes back."""

from __future__ import annotations

import re

from tests.views.pair_pages import HX, live, many, text_of
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.services import long_acts, steps, unsyncing


def test_up_to_fifty_pairs_need_one_dialog_and_no_typing(browse, put, look):
    ids = put(many(3))
    client = browse("alice")
    dialog = client.post("/pairs/unsync/ask", data={"id": ids[:2]}, headers=HX)
    assert "Unsync 2 pairs on Alpha?" in dialog.text
    assert 'name="typed"' not in dialog.text
    assert "<html" not in dialog.text
    client.post("/pairs/unsync", data={"id": ids[:2], "expect": "2"})
    assert look(live) == 1


def test_more_than_fifty_need_their_number_typed(browse, put, look):
    put(many(60))
    client = browse("alice")
    dialog = client.get("/pairs/unsync?match=1&channel=Alpha", headers=HX)
    assert 'data-confirm-number="60"' in dialog.text
    data = {"match": "1", "channel": "Alpha", "expect": "60"}
    wrong = client.post("/pairs/unsync", data=data | {"typed": "66"}, headers=HX)
    assert wrong.status_code == 422
    assert "You typed 66. Type 60." in wrong.text
    assert look(live) == 60
    assert client.post("/pairs/unsync", data=data | {"typed": "60"}).status_code == 303
    assert look(live) == 0


def test_the_number_is_trusted_to_the_server_not_to_the_form(browse, put, look):
    put(many(60))
    forged = {"match": "1", "channel": "Alpha", "expect": "3"}
    assert browse("alice").post("/pairs/unsync", data=forged).status_code in (409, 422)
    assert look(live) == 60


def test_one_pair_is_asked_about_as_one(browse, put):
    ids = put(many(2))
    said = browse("alice").get("/pairs/unsync", query_string={"id": ids[:1]}, headers=HX).text
    for words in ("Unsync 1 pair", "This listing stops", "1 product keeps its data", "You can restore it in one click"):
        assert words in said


def test_a_number_that_changed_meanwhile_changes_nothing(browse, put, look):
    ids = put(many(4))
    client = browse("alice")
    client.post(f"/pairs/{ids[0]}/unlink", headers=HX)
    late = client.post("/pairs/unsync", data={"match": "1", "channel": "Alpha", "expect": "4"}, headers=HX)
    assert late.status_code == 409
    assert "There are 3 pairs now, not 4." in late.text
    assert look(live) == 3


def test_only_an_owner_unsyncs_more_than_one(browse, put, look):
    ids = put(many(3))
    bob = browse("bob")
    dialog = bob.get("/pairs/unsync", query_string={"id": ids}, headers=HX)
    assert "Only owners can unsync more than one pair." in dialog.text
    assert "Alice is owner here." in dialog.text
    assert bob.post("/pairs/unsync", data={"id": ids, "expect": "3"}).status_code == 403
    assert look(live) == 3
    bob.post("/pairs/unsync", data={"id": ids[:1], "expect": "1"})
    assert look(live) == 2


def test_what_was_unsynced_is_offered_for_restoring_until_dismissed(browse, put, look):
    put(many(60))
    client = browse("alice")
    page = client.post("/pairs/unsync", data={"match": "1", "expect": "60", "typed": "60"}, follow_redirects=True)
    assert "60 pairs unsynced." in page.text
    assert "Restore all" in page.text
    listed = client.get(re.search(r'href="(/pairs/unsynced/\d+)"', page.text)[1])
    assert listed.text.count("<h1") == 1
    assert "60 pairs" in listed.text
    client.post(re.search(r'action="(/undo/\d+)"', page.text)[1])
    assert look(live) == 60
    assert "Restore all" not in client.get("/pairs").text


def test_the_offer_goes_away_when_dismissed(browse, put):
    ids = put(many(2))
    client = browse("alice")
    page = client.post("/pairs/unsync", data={"id": ids, "expect": "2"}, follow_redirects=True)
    client.post(re.search(r'action="(/pairs/dismiss/\d+)[^"]*"', page.text)[1])
    assert "Restore all" not in client.get("/pairs").text


def test_posting_one_unsync_twice_acts_once(browse, put, look):
    ids = put(many(3))
    client = browse("alice")
    data = {"id": ids[:1], "expect": "1", "key": "same"}
    client.post("/pairs/unsync", data=data)
    assert client.post("/pairs/unsync", data=data).status_code == 409
    assert look(live) == 2


def test_an_unsync_of_very_many_goes_on_in_steps_and_can_be_stopped(app, browse, put, look, monkeypatch):
    monkeypatch.setattr(steps, "FROM", 3)
    monkeypatch.setattr(unsyncing, "STEP", 2)
    put(many(6))
    alice, bob = browse("alice"), browse("bob")
    assert alice.post("/pairs/unsync", data={"match": "1", "expect": "6"}).location == "/pairs"
    page = alice.get("/pairs").text
    assert "0 of 6" in page
    stop = re.search(r'formaction="(/acts/\d+/stop)"', page)[1]
    progress = stop.replace("/stop", "/progress")
    with app.app_context(), unit_of_work() as session:
        assert long_acts.take(session, steps.waiting(session)[0], 500) == 2
    piece = bob.get(progress, headers=HX)
    assert "2 of 6" in piece.text
    assert "/stop" not in piece.text  # for owners
    assert bob.post(stop).status_code == 403
    assert alice.post(stop).location == "/pairs"
    assert look(live) == 4
    page = alice.get("/pairs")
    assert "Stopped. 2 were unsynced, 4 were not touched." in text_of(page)
    assert "Restore the 2" in page.text
    assert alice.get(progress, headers=HX).headers["HX-Refresh"] == "true"
    assert alice.post(re.search(r'formaction="([^"]*/undo[^"]*)"', page.text)[1]).status_code == 303
    assert look(live) == 6


def test_the_worker_ends_what_was_begun_and_says_what_it_left(app, browse, put, look, monkeypatch):
    monkeypatch.setattr(steps, "FROM", 3)
    monkeypatch.setattr(unsyncing, "STEP", 2)
    ids = put(many(5))
    alice = browse("alice")
    alice.post("/pairs/unsync", data={"match": "1", "expect": "5"})
    browse("bob").post(f"/pairs/{ids[0]}/unlink")
    with app.app_context():
        assert tasks.take_steps() == 5
    assert look(live) == 0
    text = text_of(alice.get("/pairs"))
    assert "4 pairs unsynced. 1 pair was changed meanwhile and left as it is." in text
