"""What the review screen shows."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from sqlalchemy import event, select

from tests.factories import Make
from tests.views.bottles import BOTTLE, HX, bottles, text_of
from webapp.db import db
from webapp.models import Link, Suggestion
from webapp.models.listings import WITHOUT_SUGGESTION
from webapp.services import suggestions


def test_the_page_shows_the_best_suggestion_with_reasons(browse, put):
    put(bottles)
    page = browse("bob").get("/review")
    text = text_of(page)
    assert page.status_code == 200
    assert page.text.count("<h1") == 1
    assert "<title>Review" in page.text
    assert "suggestion 1 of 2" in text
    assert "Why 91" in text
    assert "Title 91 of 100" in text
    assert "<mark>NOMAD</mark>" in page.text
    assert "Colour differs: sand, not sage" in text


def test_the_page_stays_small_and_carries_no_style_or_script(browse, put):
    put(lambda m: [bottles(m), *(m.listing(f"S-{i}", channel=m.channel("Amazon")) for i in range(60))])
    page = browse("bob").get("/review")
    assert len(gzip.compress(page.data, 6)) <= 14 * 1024
    assert not re.search(r"<[^>]+\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", page.text)


def test_a_listing_whose_suggestions_are_not_there_yet_is_matched_on_the_spot(browse, put, look):
    listing = put(
        lambda m: (
            m.product("BTL-750", title=f"{BOTTLE}, sage", brand="Nomad"),
            m.listing("btl-750", title=f"{BOTTLE} sage"),
        )
    )[1].id
    page = text_of(browse("bob").get("/review"))
    assert "suggestion 1 of 1" in page
    assert "Suggestions for 1 listing are being prepared." in page
    assert look(lambda s: s.scalars(select(Suggestion)).all()) == []
    browse("bob").post(f"/review/{listing}/link", data={"product_id": 1}, headers=HX)
    assert look(lambda s: s.scalars(select(Link)).one()).score >= suggestions.THRESHOLD


def test_a_linked_listing_stands_beside_the_facts_of_its_product(browse, put):
    linked = put(
        lambda m: m.link(
            m.product("BTL-750", brand="Nomad", options={"Colour": "sage"}),
            m.listing("BTL750", options={"colour": "green"}),
        )
    )
    page = text_of(browse("bob").get(f"/review/{linked.listing_id}"))
    assert "SKU BTL-750 BTL750" in page
    assert "Brand Nomad Not given" in page
    assert "Colour sage green" in page


def test_without_a_suggestion_the_closest_products_are_listed(browse, put):
    def nothing_fits(m: Make) -> None:
        m.product("MUG-1", title="Field mug 350 ml")
        m.listing("X-1", title="Gift box mug tumbler").place = WITHOUT_SUGGESTION

    put(nothing_fits)
    text = text_of(browse("bob").get("/review"))
    assert "No suggestion." in text
    assert "No product scores 40 or more." in text
    assert "Field mug 350 ml" in text


def test_a_fitting_product_that_is_taken_is_named_not_hidden(browse, put):
    def taken(m: Make) -> int:
        mug = m.product("MUG-1", title="Field mug 350 ml, terracotta", brand="Nomad")
        m.link(mug, m.listing("OLD-1", listing_id="B0OLD"))
        waits = m.listing("X-1", title="Nomad Field mug 350 ml terracotta", brand="Nomad")
        waits.place = WITHOUT_SUGGESTION
        return waits.id

    waits = put(taken)
    client = browse("bob")
    text = text_of(client.get("/review"))
    assert "No product scores 40 or more." not in text
    assert "MUG-1 fits best, but has the listing B0OLD." in text
    assert "Already linked on Alpha" in text
    closest = client.get(f"/review/{waits}/search?q=field+mug", headers=HX | {"HX-Target": "closest"})
    assert "Already linked on Alpha" in closest.text


def test_another_suggestion_says_the_fact_that_differs_before_its_stock(browse, put):
    ids = put(bottles)

    def unnamed(m: Make) -> None:
        other = m.session.get(Suggestion, (ids["listing"], 2))
        base = {"note": "", "points": 0, "of": 10, "marks": [[], []]}
        other.difference = ""
        other.evidence = [
            base | {"field": "brand", "verdict": "same", "ours": "Nomad", "theirs": "NOMAD"},
            base | {"field": "colour", "verdict": "missing", "ours": "sand", "theirs": ""},
            base | {"field": "size", "verdict": "differs", "ours": "500 ml", "theirs": "750 ml"},
        ]

    put(unnamed)
    text = text_of(browse("bob").get("/review"))
    assert "Size differs: 500 ml, not 750 ml" in text
    assert "10 in stock" not in text


def test_the_note_on_a_sku_is_a_sentence(browse, put):
    ids = put(bottles)

    def near(m: Make) -> None:
        first = m.session.get(Suggestion, (ids["listing"], 1))
        said = {"field": "sku", "verdict": "close", "ours": "NOM-BTL-SGE", "theirs": "NMBTLSGE", "points": 9, "of": 10}
        first.evidence = [said | {"note": "differ only by a dash, underscore or other mark", "marks": [[], []]}]

    put(near)
    assert "NMBTLSGE differs only by a dash" in text_of(browse("bob").get("/review"))


def test_the_numbers_in_the_menu_are_there_before_the_first_link(browse, put):
    ids = put(bottles)
    client = browse("bob")
    assert re.search(r'<b id="nav-links-pairs" hidden>0</b>', client.get("/review").text)
    data = {"product_id": ids["sage"]}
    answer = client.post(f"/review/{ids['listing']}/link", data=data, headers=HX).text
    assert '<b id="nav-links-pairs" hx-swap-oob="true">1</b>' in answer
    assert '<b id="nav-links-review" hx-swap-oob="true" hidden>0</b>' in answer


def test_the_shortcuts_are_all_listed_whatever_is_possible_now(browse, put):
    put(lambda m: bottles(m, many=True))
    page = browse("bob").get("/review").text
    listed = set(" ".join(re.findall(r'data-has="([^"]*)"', page)).split())
    assert {"a", "enter", "shift+a", "x", "s", "z", "n", "i", "c", "shift+c", "j", "k", "o", "/", "2", "9"} <= listed
    assert "Undo the last decision" not in browse("charlie").get("/review").text


def test_suggestions_that_are_all_still_prepared_promise_no_first_ones(browse, put):
    put(lambda m: [m.listing(f"S-{i}") for i in range(2)])
    text = text_of(browse("bob").get("/review"))
    assert "Suggestions for 2 listings are being prepared. Each one you open is looked up at once." in text


def test_compare_puts_another_suggestion_beside_the_listing(browse, put):
    ids = put(bottles)
    text = text_of(browse("bob").get(f"/review/{ids['listing']}?compare={ids['sand']}", headers=HX))
    assert "suggestion 2 of 2" in text
    assert "Why 74" in text


def test_a_finished_channel_sums_up_and_leads_to_the_next(browse, put):
    ids = put(bottles)
    put(lambda m: m.listing("OTHER", channel=m.channel("Beta")))
    client = browse("bob")
    answer = text_of(client.post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]}, headers=HX))
    assert "Amazon is done." in answer
    assert "1 listing" in answer
    assert "1 linked" in answer
    assert "Next: Beta, 1" in answer


def test_when_everything_is_decided_the_page_says_so(browse, put):
    put(lambda m: m.link())
    text = text_of(browse("bob").get("/review"))
    assert "Nothing to review." in text
    assert "Go to Synced pairs" in text


def test_the_first_visit_leads_to_the_import(browse):
    page = browse("bob").get("/review")
    assert "Import your first listings." in page.text
    assert page.text.count("<h1") == 1


def test_a_band_without_a_listing_says_what_waits_elsewhere(browse, put):
    put(bottles)
    text = text_of(browse("bob").get("/review?channel=Amazon&score=95-"))
    assert "No listing waits with a score of 95 or more." in text
    assert "1 waits with another score." in text


def test_a_band_holds_only_its_scores(browse, put):
    ids = put(bottles)
    assert f'id="q-{ids["listing"]}"' in browse("bob").get("/review?channel=Amazon&score=85-94").text
    assert f'id="q-{ids["listing"]}"' not in browse("bob").get("/review?channel=Amazon&score=none").text


def test_a_viewer_looks_but_has_no_decision_bar(browse, put, look):
    ids = put(bottles)
    client = browse("charlie")
    page = client.get("/review")
    assert "You can look, but not link." in page.text
    assert "Alice can change your role." in page.text
    assert 'class="decide"' not in page.text
    assert client.post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]}).status_code == 403
    assert look(lambda s: s.scalars(select(Link)).all()) == []


def test_the_queue_keeps_the_current_listing_fifth_below_what_was_decided(browse, put):
    ids = put(lambda m: [m.listing(f"S-{i}", channel=m.channel("Amazon")).id for i in range(8)])
    client = browse("bob")
    for each in ids[:5]:
        client.post(f"/review/{each}/ignore", headers=HX)
    rows = re.findall(
        r'id="q-(\d+)"( aria-current)?', re.sub(r' href="[^"]*"| hx-get="[^"]*"', "", client.get("/review").text)
    )
    assert [int(i) for i, _ in rows] == ids[1:]
    assert [i for i, (_, here) in enumerate(rows) if here] == [4]


def test_the_page_of_a_large_queue_asks_few_questions(app, browse, put):
    put(lambda m: [bottles(m), *(m.listing(f"S-{i}", channel=m.channel("Amazon")) for i in range(300))])
    client = browse("bob")
    client.get("/review")
    asked: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        client.get("/review")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) <= 24
    assert not any(" OFFSET " in s.upper() and "OFFSET ?" not in s.upper() for s in asked)


@pytest.mark.parametrize(
    "path", ["/review?channel=Nope", "/review/4711", "/review/4711/search", "/review?score=x-y", "/review?state=zzz"]
)
def test_a_wrong_address_is_answered_in_words(browse, put, path):
    put(bottles)
    answer = browse("bob").get(path)
    assert answer.status_code in (200, 404)
    assert "Traceback" not in answer.text


def test_a_hostile_address_of_a_listing_is_no_link(browse, put):
    put(lambda m: m.listing("X", url="javascript:alert(1)", title="<img src=x onerror=alert(1)>"))
    page = browse("bob").get("/review").text
    assert "javascript:" not in page
    assert "<img src=x" not in page
