"""What the table of synced pairs promises."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Link, Listing, ListingState, SyncRun
from webapp.models.base import utc_now
from webapp.services import pairs, unsyncing

HX = {"HX-Request": "true"}


def live(session: Any) -> int:
    return session.scalar(select(func.count()).select_from(Link))


def shown(page: Any) -> list[int]:
    """The listings on the page, in order."""
    return [int(i) for i in re.findall(r'<tr id="pair-(\d+)"', page.text)]


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def many(n: int, channel: str = "Alpha") -> Any:
    return lambda m: [m.link(channel=m.channel(channel)).listing_id for _ in range(n)]


def mug_and_bottle(m: Make) -> dict[str, int]:
    mug = m.product("MUG-1", title="Field mug, terracotta", gtin="4006381333931", quantity=230, price="14.90")
    bottle = m.product("BTL-7", title="Insulated bottle, sage", quantity=5, price="24.90")
    first = m.listing("MUG-1", listing_id="B0MUG", title="Enamel camp mug", quantity=218, price="14.90", currency="USD")
    second = m.listing("X-9", listing_id="B0BTL", title="Steel flask", quantity=5, price="25.50", currency="USD",
                       channel=m.channel("Beta"))  # fmt: skip
    return {"mug": m.link(mug, first).listing_id, "bottle": m.link(bottle, second).listing_id}


def test_product_left_listing_right_and_the_difference_is_marked(browse, put):
    ids = put(mug_and_bottle)
    page = browse("bob").get("/pairs")
    assert page.status_code == 200
    assert page.text.count("<h1") == 1
    assert "<title>Synced pairs" in page.text
    row = re.search(rf'<tr id="pair-{ids["mug"]}".*?</tr>', page.text, re.S)[0]
    assert row.index("Field mug") < row.index("B0MUG")
    assert re.search(r't-warn">.*?differs.*?218', row, re.S)
    assert "$25.50" in page.text
    assert not re.search(r"<[^>]+\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", page.text)


def test_fifty_rows_stay_small(browse, put):
    def build(m: Make) -> None:
        for n in range(55):  # the largest row there is: both values differ, and a switch
            product = m.product(f"MUG-{n}", title=f"Field mug no. {n}", quantity=n, price="14.90")
            m.link(product, m.listing(f"OTHER-{n}", title=f"Mug {n}", quantity=n + 1, price="15.90", currency="USD"))

    put(build)
    page = browse("bob").get("/pairs")
    assert len(shown(page)) == pairs.PAGE
    assert page.text.count('class="differs"') == 2 * pairs.PAGE
    assert len(re.findall(r"<[a-z]", page.text)) <= 1_500
    assert len(gzip.compress(page.data, 6)) <= 14 * 1024


def test_pages_follow_each_other_without_a_gap_and_back(browse, put):
    ids = put(many(120))
    client = browse("bob")
    page, seen = client.get("/pairs"), []
    while True:
        seen += shown(page)
        following = re.search(r'href="(/pairs\?after=[^"]+)"', page.text)
        if not following:
            break
        page = client.get(following[1].replace("&amp;", "&"))
    assert seen == ids[::-1]
    back = re.search(r'href="(/pairs\?before=[^"]+)"', page.text)[1]
    assert shown(client.get(back)) == seen[50:100]
    assert shown(client.get("/pairs?sort=oldest")) == ids[:50]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("channel=Alpha", {"mug"}),
        ("q=MUG-1", {"mug"}),
        ("q=4006381333931", {"mug"}),
        ("q=B0BTL", {"bottle"}),
        ("q=X-9", {"bottle"}),
        ("q=terracotta", {"mug"}),
        ("q=insulated+botle", {"bottle"}),
        ("by=hand", {"mug", "bottle"}),
        ("by=sku", set()),
        ("auto=off", set()),
        ("auto=on&channel=Beta", {"bottle"}),
    ],
)
def test_filters_live_in_the_address(browse, put, query, found):
    ids = put(mug_and_bottle)
    assert set(shown(browse("bob").get(f"/pairs?{query}"))) == {ids[name] for name in found}


def test_no_result_counts_what_other_channels_have(browse, put):
    put(mug_and_bottle)
    text = text_of(browse("bob").get("/pairs?channel=Alpha&q=B0BTL"))
    assert "No pair matches “B0BTL”." in text
    assert "You search in Alpha only. There is 1 on other channels." in text


def test_without_a_pair_the_page_leads_on(browse):
    assert "No pairs yet." in browse("bob").get("/pairs").text


def test_the_x_unlinks_at_once_and_the_row_offers_the_way_back(browse, put, look):
    ids = put(mug_and_bottle)
    client = browse("bob")
    gone = client.post(f"/pairs/{ids['mug']}/unlink", headers=HX)
    assert gone.status_code == 200
    assert "Unlinked." in gone.text
    assert "Pair unlinked. The listing is back in Review." in gone.text
    assert look(lambda s: s.get(Listing, ids["mug"])).state is ListingState.PENDING
    back = client.post(re.search(r'action="(/pairs/undo/[^"]+)"', gone.text)[1], headers=HX)
    assert f'<tr id="pair-{ids["mug"]}" data-row hx-swap-oob="true"' in back.text
    assert look(live) == 2


def test_without_scripts_the_x_comes_back_to_the_same_filter(browse, put, look):
    ids = put(mug_and_bottle)
    answer = browse("bob").post(f"/pairs/{ids['mug']}/unlink?channel=Alpha")
    assert answer.status_code == 303
    assert "channel=Alpha" in answer.location
    assert look(live) == 1


def test_a_pair_that_is_gone_already_says_so(browse, put):
    ids = put(mug_and_bottle)
    client = browse("bob")
    client.post(f"/pairs/{ids['mug']}/unlink", headers=HX)
    assert client.post(f"/pairs/{ids['mug']}/unlink", headers=HX).status_code == 404


def test_the_switch_of_a_row_stops_and_resumes_what_goes_by_itself(browse, put, look):
    ids = put(mug_and_bottle)
    client = browse("bob")
    off = client.post(f"/pairs/{ids['mug']}/auto", headers=HX)
    assert "Auto-sync off for Field mug, terracotta" in off.text
    put(lambda m: m.session.execute(select(Link)).scalars().all())
    assert [x.auto_sync for x in look(lambda s: s.scalars(select(Link).order_by(Link.id)).all())] == [False, True]
    on = client.post(f"/pairs/{ids['mug']}/auto", data={"on": "1"}, headers=HX)
    assert "Auto-sync on for Field mug, terracotta" in on.text
    assert look(lambda s: s.scalars(select(Link).where(Link.listing_id == ids["mug"])).one()).due_at is not None


def test_the_switch_works_for_all_that_match(browse, put, look):
    put(many(60))
    put(many(2, "Beta"))
    browse("bob").post("/pairs/auto", data={"match": "1", "channel": "Alpha", "on": "0"})
    assert look(lambda s: s.scalar(select(func.count()).select_from(Link).where(Link.auto_sync.is_(False)))) == 60


def test_sync_now_sends_the_stock_of_the_selection_only(browse, put, look):
    ids = put(mug_and_bottle)
    answer = browse("bob").post("/pairs/sync", data={"id": [ids["mug"]]}, follow_redirects=True)
    assert "Sending the stock of 1 listing." in answer.text
    run = look(lambda s: s.scalars(select(SyncRun)).one())
    assert run.asked == 1


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


def test_a_viewer_sees_pairs_without_switches_or_an_x(browse, put, look):
    ids = put(mug_and_bottle)
    client = browse("charlie")
    page = client.get("/pairs").text
    assert "Field mug" in page
    assert "/unlink" not in page
    assert 'role="switch"' not in page.split('id="shortcuts"')[0]
    assert client.post(f"/pairs/{ids['mug']}/unlink").status_code == 403
    assert client.post(f"/pairs/{ids['mug']}/auto").status_code == 403
    assert look(live) == 2


def test_nothing_ticked_says_so(browse, put):
    put(many(1))
    assert browse("bob").post("/pairs/sync", data={}).status_code == 422


def test_the_export_holds_every_pair_of_the_channel(browse, put):
    put(mug_and_bottle)
    with browse("bob").get("/pairs/export?channel=Alpha") as answer:
        lines = answer.data.decode("utf-8-sig").splitlines()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert lines[0].startswith("channel,listing_id,sku")
    assert [line.split(",")[:3] for line in lines[1:]] == [["Alpha", "B0MUG", "MUG-1"]]


def test_the_table_alone_answers_a_piece_of_the_page(browse, put):
    listing = put(many(1))[0]
    page = browse("bob").get("/pairs", headers=HX)
    assert page.status_code == 200
    assert shown(page) == [listing]
    assert "<html" not in page.text


def test_a_channel_without_pairs_tells_where_there_are_some(browse, put):
    put(many(2))
    put(lambda m: m.channel("Beta"))
    client = browse("bob")
    text = text_of(client.get("/pairs?channel=Beta"))
    assert "No pair on Beta." in text
    assert "There are 2 on other channels." in text
    assert "Search all channels" in text
    assert "Clear filters" in text
    assert "No pairs yet." not in text
    assert "There are 2 on other channels." in text_of(client.get("/pairs?channel=Beta&auto=on"))


def test_a_search_without_result_counts_the_other_channels(browse, put):
    put(mug_and_bottle)
    put(lambda m: m.channel("Empty"))
    text = text_of(browse("bob").get("/pairs?channel=Empty&q=MUG-1"))
    assert "No pair matches “MUG-1”." in text
    assert "You search in Empty only. There is 1 on other channels." in text
    assert "There are 0" not in text_of(browse("bob").get("/pairs?channel=Empty&q=zzqx"))


def test_a_channel_that_is_sent_by_hand_shows_no_switch_that_promises_more(browse, put):
    put(many(1))
    put(lambda m: m.link(channel=m.channel("Sheet", "file")))
    client = browse("bob")
    assert "Sent by hand" in client.get("/pairs?channel=Sheet").text
    assert "Sent by hand" not in client.get("/pairs?channel=Alpha").text
    assert client.get("/products").text.count("Sent by hand") == 1


GTINS = ("4006381333931", "4006381333948")


def contradicting(n: int) -> Any:
    """Pairs whose GTINs are two items', and one that is right."""

    def build(m: Make) -> list[int]:
        m.link(m.product("OK-1", title="Tent"), m.listing(title="Tent"))
        found = []
        for i in range(n):
            product = m.product(f"W-{i}", title=f"Camp mug {i}", gtin=GTINS[0])
            found.append(m.link(product, m.listing(title=f"Camp mug {i}", gtin=GTINS[1])).listing_id)
        return found

    return build


def check(app: Any) -> None:
    with app.app_context():
        tasks.check_links()


def test_suspicious_pairs_have_a_tab_with_the_reason_in_words(app, browse, put):
    ids = put(contradicting(2))
    client = browse("bob")
    assert "Suspicious" not in client.get("/pairs").text
    check(app)
    assert "/pairs?show=suspicious" in client.get("/pairs").text
    assert 'id="suspicious-n">2<' in client.get("/pairs").text
    page = client.get("/pairs?show=suspicious")
    assert sorted(shown(page)) == ids
    assert "GTIN differs" in page.text
    assert all(gtin in page.text for gtin in GTINS)
    assert "2 pairs contradict" in text_of(client.get("/"))


def test_keeping_a_pair_takes_it_off_the_tab_and_undo_brings_it_back(app, browse, put, look):
    (listing_id,) = put(contradicting(1))
    check(app)
    client = browse("bob")
    page = client.get("/pairs?show=suspicious")
    address = re.search(r'hx-post="(/pairs/\d+/keep[^"]*)"', page.text)[1].replace("&amp;", "&")
    kept = client.post(address, headers=HX)
    assert "Kept." in kept.text
    assert 'id="suspicious-n" hx-swap-oob="innerHTML">0<' in kept.text
    assert shown(client.get("/pairs?show=suspicious")) == []
    assert look(live) == 2
    undo = re.search(r'action="(/pairs/undo/[^"]*)"', kept.text)[1].replace("&amp;", "&")
    back = client.post(undo, headers=HX)
    assert "GTIN differs" in back.text
    assert shown(client.get("/pairs?show=suspicious")) == [listing_id]
    assert client.post(f"/pairs/{listing_id}/keep").status_code == 303
    assert client.post(f"/pairs/{listing_id}/keep").status_code == 404


def test_many_can_be_kept_at_once_and_the_worst_come_first(app, browse, put):
    ids = put(contradicting(3))
    soap = put(lambda m: m.link(m.product("S", title="Soap 100 ml"), m.listing(title="Soap 200 ml")).listing_id)
    check(app)
    client = browse("bob")
    assert shown(client.get("/pairs?show=suspicious")) == [*ids[::-1], soap]
    client.post("/pairs/keep", data={"id": ids[:1], "show": "suspicious"})
    assert shown(client.get("/pairs?show=suspicious")) == [*ids[:0:-1], soap]
    client.post("/pairs/keep", data={"match": "1", "show": "suspicious"})
    page = client.get("/pairs?show=suspicious")
    assert shown(page) == []
    assert "No pair contradicts itself" in page.text


def test_suspicious_pairs_are_paged_and_narrowed_like_the_others(app, browse, put, monkeypatch):
    monkeypatch.setattr(pairs, "PAGE", 2)
    ids = put(contradicting(5))
    check(app)
    client = browse("bob")
    page, seen = client.get("/pairs?show=suspicious&channel=Alpha"), []
    while True:
        seen += shown(page)
        following = re.search(r'href="(/pairs\?[^"]*after=[^"]+)"', page.text)
        if not following:
            break
        page = client.get(following[1].replace("&amp;", "&"))
    assert sorted(seen) == ids
    assert shown(client.get("/pairs?show=suspicious&q=W-3")) == [ids[3]]
    assert shown(client.get("/pairs?show=suspicious&by=sku")) == []


def test_unlinking_brings_the_numbers_of_the_menu_along(browse, put):
    first, _ = put(many(2))
    client = browse("bob")
    gone = client.post(f"/pairs/{first}/unlink", headers=HX).text
    assert re.search(r'id="nav-links-pairs" hx-swap-oob="true">1<', gone)
    assert re.search(r'id="nav-links-review" hx-swap-oob="true">1<', gone)
    undo = re.search(r'action="(/pairs/undo/[^"]*)"', gone)[1].replace("&amp;", "&")
    back = client.post(undo, headers=HX).text
    assert re.search(r'id="nav-links-pairs" hx-swap-oob="true">2<', back)
    assert re.search(r'id="nav-links-review" hx-swap-oob="true" hidden>0<', back)


def test_the_lowest_scores_come_first_and_what_was_never_synced_is_found(browse, put):
    def build(m: Make) -> dict[int, int]:
        found = {}
        for score in (80, 41, 97, None):
            link = m.link()
            link.score, link.told_at = score, utc_now() if score == 97 else None
            found[score] = link.listing_id
        return found

    ids = put(build)
    client = browse("bob")
    assert shown(client.get("/pairs?sort=score")) == [ids[41], ids[80], ids[97]]
    assert shown(client.get("/pairs?sort=never")) == [ids[None], ids[41], ids[80]]
    assert shown(client.get("/pairs?sort=nonsense")) == shown(client.get("/pairs"))


def test_an_unsync_of_very_many_goes_on_in_steps_and_can_be_stopped(app, browse, put, look, monkeypatch):
    monkeypatch.setattr(unsyncing, "FROM", 3)
    monkeypatch.setattr(unsyncing, "STEP", 2)
    put(many(6))
    alice, bob = browse("alice"), browse("bob")
    assert alice.post("/pairs/unsync", data={"match": "1", "expect": "6"}).location == "/pairs"
    page = alice.get("/pairs").text
    assert "0 of 6" in page
    stop = re.search(r'formaction="(/pairs/unsync/\d+/stop)"', page)[1]
    progress = stop.removesuffix("/stop")
    with app.app_context(), unit_of_work() as session:
        assert unsyncing.take_step(session) == 2
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
    monkeypatch.setattr(unsyncing, "FROM", 3)
    monkeypatch.setattr(unsyncing, "STEP", 2)
    ids = put(many(5))
    alice = browse("alice")
    alice.post("/pairs/unsync", data={"match": "1", "expect": "5"})
    browse("bob").post(f"/pairs/{ids[0]}/unlink")
    with app.app_context():
        assert tasks.unsync() == 4
    assert look(live) == 0
    text = text_of(alice.get("/pairs"))
    assert "4 pairs unsynced. 1 pair was changed meanwhile and left as it is." in text
