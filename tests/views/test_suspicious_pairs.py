"""Pairs whose facts contradict: a tab with the reason, to keep or to take apart."""

from __future__ import annotations

import re
from typing import Any

from tests.factories import Make
from tests.views.pair_pages import HX, live, shown, text_of
from webapp.jobs import tasks
from webapp.services import pairs

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
