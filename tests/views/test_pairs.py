"""What the table of synced pairs promises."""

from __future__ import annotations

import gzip
import re

import pytest
from sqlalchemy import func, select

from tests.factories import Make
from tests.views.pair_pages import HX, live, many, mug_and_bottle, shown, text_of
from webapp.models import Link, Listing, ListingState, SyncRun
from webapp.models.base import utc_now
from webapp.services import pairs


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
