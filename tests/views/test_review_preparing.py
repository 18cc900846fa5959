"""What the screen says while suggestions are being found, and how a person stops that."""

from __future__ import annotations

from tests.views.test_review import HX, text_of
from webapp.jobs import tasks
from webapp.models import Listing, SuggestRun
from webapp.services import review


def test_progress_is_shown_asks_again_and_ends_by_itself(app, browse, put, look):
    put(lambda m: [m.listing(f"S-{n}", channel=m.channel("Amazon")) for n in range(3)])
    bob, url = browse("bob"), "/review/preparing?channel=Amazon"
    page = bob.get("/review?channel=Amazon")
    assert "Suggestions for 3 listings are being prepared." in text_of(page)
    assert 'hx-trigger="every 4s"' in page.text
    assert "0 of 3 prepared" in bob.get(url, headers=HX).text
    with app.app_context():
        assert tasks.suggest(app.extensions["pairbook_index"]) == 3
    assert bob.get(url, headers=HX).text.strip() == ""
    assert bob.get(url).status_code == 303
    assert look(lambda s: s.get(Listing, 1).place) == 101


def test_a_person_stops_it_and_lets_it_go_on(app, browse, put, look):
    put(lambda m: [m.listing(f"S-{n}", channel=m.channel("Amazon")) for n in range(3)])
    bob, url = browse("bob"), "/review/preparing?channel=Amazon"
    stopped = bob.post(url, data={"stop": "1"}, headers=HX)
    assert "Bob stopped it; 3 listings have no suggestions yet." in text_of(stopped)
    assert "every 4s" not in stopped.text
    with app.app_context():
        assert tasks.suggest(app.extensions["pairbook_index"]) == 0
    assert "are being prepared" in text_of(bob.post(url, data={"stop": ""}, headers=HX))
    assert look(lambda s: s.get(SuggestRun, 1).paused_at) is None
    assert browse("charlie").post(url, data={"stop": "1"}).status_code == 403


def test_more_than_are_counted_are_said_to_be_more(browse, put, monkeypatch):
    def build(m):
        for n in range(6):
            m.listing(f"S-{n}", channel=m.channel("Amazon")).place = 5 if n < 2 else 102

    put(build)
    bob, url = browse("bob"), "/review/preparing?channel=Amazon"
    said = "Suggestions for 4 listings are being prepared. You can start with the first 2."
    assert said in text_of(bob.get("/review?channel=Amazon"))
    assert said in text_of(bob.get(url, headers=HX))
    monkeypatch.setattr(review, "CAP", 3)
    more = "Suggestions for 3+ listings are being prepared. You can start with the first 2."
    assert more in text_of(bob.get(url, headers=HX))
