"""What becomes of a decision on the review screen."""

from __future__ import annotations

import gzip
import re

import pytest
from sqlalchemy import select

from tests.factories import Make
from tests.views.bottles import BOTTLE, HX, bottles, text_of, version
from webapp.models import Link, Listing, ListingState, Product, Refusal
from webapp.models.accounts import COMMAND_LINE
from webapp.models.listings import SKIPPED_FROM
from webapp.services import links


def test_one_decision_brings_the_next_listing_the_queue_and_the_status(browse, put, look):
    ids = put(bottles)
    nxt = put(lambda m: m.listing("NEXT-1", channel=m.channel("Amazon"), title="Paper clips").id)
    answer = browse("bob").post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]}, headers=HX)
    assert answer.status_code == 200
    assert 'id="stage"' in answer.text
    assert f'id="q-{ids["listing"]}"' in answer.text
    assert 'id="queue"' in answer.text
    assert 'hx-swap-oob="true"' in answer.text
    assert "Linked. Next: Paper clips, no suggestion." in answer.text
    assert answer.headers["HX-Replace-Url"].startswith(f"/review/{nxt}?")
    assert len(gzip.compress(answer.data, 6)) <= 4 * 1024
    link = look(lambda s: s.scalars(select(Link)).one())
    assert (link.product_id, link.score, link.by_name) == (ids["sage"], 91, "Bob")


def test_without_scripts_a_decision_redirects_to_the_next_listing(browse, put):
    ids = put(bottles)
    nxt = put(lambda m: m.listing("NEXT-1", channel=m.channel("Amazon")).id)
    client = browse("bob")
    answer = client.post(f"/review/{ids['listing']}/link?channel=Amazon", data={"product_id": ids["sage"]})
    assert answer.status_code == 303
    assert answer.location == f"/review/{nxt}?channel=Amazon"
    assert "Linked." in client.get(answer.location).text


def test_none_of_these_remembers_the_suggestions_as_wrong(browse, put, look):
    ids = put(bottles)
    data = {"suggested": [ids["sage"], ids["sand"], 999_999]}
    assert browse("bob").post(f"/review/{ids['listing']}/none", data=data, headers=HX).status_code == 200
    assert look(lambda s: s.get(Listing, ids["listing"])).state is ListingState.NO_MATCH
    assert look(lambda s: {r.product_id for r in s.scalars(select(Refusal))}) == {ids["sage"], ids["sand"]}


def test_a_skipped_listing_comes_last(browse, put, look):
    ids = put(bottles)
    other = put(lambda m: m.listing("OTHER", channel=m.channel("Amazon")).id)
    answer = browse("bob").post(f"/review/{ids['listing']}/skip", headers=HX)
    assert answer.headers["HX-Replace-Url"].startswith(f"/review/{other}?")
    assert look(lambda s: s.get(Listing, ids["listing"])).place > SKIPPED_FROM
    shelf = browse("bob").get("/review?channel=Amazon&state=skipped")
    assert f'id="q-{ids["listing"]}"' in shelf.text


@pytest.mark.parametrize(("verb", "state"), [("none", "none"), ("ignore", "ignored")])
def test_what_was_set_aside_stands_on_its_shelf_and_may_wait_again(browse, put, look, verb, state):
    ids = put(bottles)
    client = browse("bob")
    client.post(f"/review/{ids['listing']}/{verb}", headers=HX)
    shelf = client.get(f"/review?channel=Amazon&state={state}")
    assert f'id="q-{ids["listing"]}"' in shelf.text
    assert "Let it wait again" in shelf.text
    client.post(f"/review/{ids['listing']}/reopen?state={state}", headers=HX)
    assert look(lambda s: s.get(Listing, ids["listing"])).state is ListingState.PENDING


def test_undo_goes_back_to_the_same_listing_with_the_same_candidates(browse, put, look):
    ids = put(bottles)
    client = browse("bob")
    client.post(f"/review/{ids['listing']}/none", data={"suggested": [ids["sage"]]}, headers=HX)
    answer = client.post("/review/undo", headers=HX)
    assert "Undone. NMBTLSGE waits again." in answer.text
    assert answer.headers["HX-Replace-Url"].startswith(f"/review/{ids['listing']}?")
    assert "Why 91" in text_of(answer)
    assert look(lambda s: s.scalars(select(Refusal)).all()) == []
    assert "There is nothing to take back." in client.post("/review/undo", headers=HX).text


def test_undo_takes_back_only_my_own_decision(browse, put, look):
    ids = put(bottles)
    browse("alice").post(f"/review/{ids['listing']}/ignore", headers=HX)
    browse("bob").post("/review/undo", headers=HX)
    assert look(lambda s: s.get(Listing, ids["listing"])).state is ListingState.IGNORED


def test_who_comes_second_reads_who_was_quicker_and_changes_nothing(browse, put, look):
    ids = put(bottles)
    seen = version(browse("bob").get("/review").text)
    browse("alice").post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]}, headers=HX)
    late = browse("bob").post(
        f"/review/{ids['listing']}/link", data={"product_id": ids["sand"], "version": seen}, headers=HX
    )
    assert late.status_code == 409
    assert re.search(r"Alice linked this one (just now|\d+ s ago)\.", text_of(late))
    assert f"NMBTLSGE is linked to {BOTTLE}, sage. Your key press changed nothing." in text_of(late)
    assert 'id="stage"' in late.text
    assert look(lambda s: s.scalars(select(Link)).one()).product_id == ids["sage"]


def test_a_stale_form_is_refused_even_when_the_listing_waits_again(browse, put, look):
    ids = put(bottles)
    seen = version(browse("bob").get("/review").text)
    alice = browse("alice")
    alice.post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]}, headers=HX)
    alice.post(f"/review/{ids['listing']}/unlink", headers=HX)
    late = browse("bob").post(f"/review/{ids['listing']}/none", data={"version": seen}, headers=HX)
    assert late.status_code == 409
    assert look(lambda s: s.get(Listing, ids["listing"])).state is ListingState.PENDING


def test_a_double_click_links_once_and_shows_the_next_listing(browse, put, look):
    ids = put(bottles)
    client = browse("bob")
    page = client.get("/review").text
    data = {"product_id": ids["sage"], "version": version(page), "key": "abc"}
    first = client.post(f"/review/{ids['listing']}/link", data=data, headers=HX)
    second = client.post(f"/review/{ids['listing']}/link", data=data, headers=HX)
    assert (first.status_code, second.status_code) == (200, 200)
    assert "Saved already." in second.text
    assert look(lambda s: s.scalars(select(Link)).one()).product_id == ids["sage"]


def test_a_product_that_has_its_listing_says_so_and_the_link_may_move(browse, put, look):
    ids = put(bottles)

    def hold(m: Make) -> int:
        return m.link(
            m.session.get(Product, ids["sage"]), m.listing(channel=m.channel("Amazon"), title="First")
        ).listing_id

    first = put(hold)
    client = browse("bob")
    page = text_of(client.get(f"/review/{ids['listing']}"))
    assert "Already linked on Amazon" in page
    assert "A product can have one Amazon listing." in page
    late = client.post(f"/review/{ids['listing']}/link", data={"product_id": ids["sage"]}, headers=HX)
    assert late.status_code == 409
    assert "Move the link here" in late.text
    moved = client.post(f"/review/{ids['listing']}/move", data={"product_id": ids["sage"]}, headers=HX)
    assert moved.status_code == 200
    assert look(lambda s: s.scalars(select(Link)).one()).listing_id == ids["listing"]
    assert look(lambda s: s.get(Listing, first)).state is ListingState.PENDING


def test_link_all_is_offered_for_an_equal_sku_where_the_channel_allows_it(browse, put, look):
    ids = put(lambda m: bottles(m, many=True, same=3))
    client = browse("bob")
    assert "Link all 3 to this product" in text_of(client.get("/review"))
    answer = client.post(f"/review/{ids['listing']}/link-all", data={"product_id": ids["sage"]}, headers=HX)
    assert "Linked 3 listings." in answer.text
    assert len(look(lambda s: s.scalars(select(Link)).all())) == 3
    client.post("/review/undo", headers=HX)
    assert look(lambda s: s.scalars(select(Link)).all()) == []


def test_link_all_is_offered_for_an_equal_gtin_that_the_product_has_too(browse, put, look):
    def build(m: Make) -> dict[str, int]:
        lamp = m.product("LMP", title="Table lamp, oak", brand="Halo", gtin="0036000291452").id
        channel = m.channel("Amazon")
        channel.many = True
        spelt = ("036000291452", "36000291452", "0036000291452", "36000291453", "", "036000291452")
        listed = [m.listing(f"H{n}", title="Table lamp, oak", brand="Halo", gtin=g, channel=channel)
                  for n, g in enumerate(spelt)]  # fmt: skip
        for listing in listed[:-1]:  # the last is still to be looked at
            listing.place = 3
        return {"lamp": lamp, "first": listed[0].id, "wrong": listed[3].id}

    ids = put(build)
    client = browse("bob")
    page = text_of(client.get(f"/review/{ids['first']}?compare={ids['lamp']}"))
    assert "2 more listings on Amazon have the GTIN 036000291452 . Link all 3 to this product" in page
    wrong = text_of(client.get(f"/review/{ids['wrong']}?compare={ids['lamp']}"))
    assert "to this product with one key" not in wrong
    answer = client.post(f"/review/{ids['first']}/link-all", data={"product_id": ids["lamp"]}, headers=HX)
    assert "Linked 3 listings." in answer.text
    assert len(look(lambda s: s.scalars(select(Link)).all())) == 3
    client.post("/review/undo", headers=HX)
    assert look(lambda s: s.scalars(select(Link)).all()) == []


def test_link_all_is_not_offered_where_a_product_has_one_listing(browse, put):
    put(lambda m: bottles(m, same=3))
    text = text_of(browse("bob").get("/review"))
    assert "to this product with one key" not in text
    assert "2 more listings on Amazon use the SKU" in text


def test_a_taken_product_can_be_compared_moved_or_left_for_another(browse, put, look):
    ids = put(bottles)
    put(lambda m: m.link(m.session.get(Product, ids["sand"]), m.listing(channel=m.channel("Amazon"))))
    client, there = browse("bob"), f"/review/{ids['listing']}?compare={ids['sand']}"
    found = client.get(f"/review/{ids['listing']}/search?q=bottle&all=1", headers=HX | {"HX-Target": "found"}).text
    assert not re.search(r"<button[^>]*disabled", found)
    assert f'hx-get="{there}&amp;channel=Amazon"' in found
    stage = client.get(there, headers=HX).text
    assert "Move the link here" in stage
    assert "Choose another" in stage
    client.post(f"/review/{ids['listing']}/move", data={"product_id": ids["sand"]}, headers=HX)
    assert look(lambda s: s.scalars(select(Link)).one()).listing_id == ids["listing"]


def test_the_search_finds_hides_what_is_taken_and_links(browse, put, look):
    ids = put(bottles)
    put(lambda m: m.link(m.session.get(Product, ids["sand"]), m.listing(channel=m.channel("Amazon"))))
    client = browse("bob")
    dialog = client.get(f"/review/{ids['listing']}/search?q=nomad+bottle", headers=HX)
    assert "<dialog" in dialog.text
    assert "<html" not in dialog.text
    assert "NOM-BTL-SGE" in dialog.text
    assert "NOM-BTL-SND" not in dialog.text
    everything = client.get(
        f"/review/{ids['listing']}/search?q=nomad+bottle&all=1", headers=HX | {"HX-Target": "found"}
    )
    assert "NOM-BTL-SND" in everything.text
    assert "<dialog" not in everything.text
    box = re.search(r'<label[^>]*><input[^>]*name="hide"[^>]*> *([^<]+)</label>', dialog.text)
    assert box
    assert box[1] == "Hide products already linked on Amazon"
    assert " checked" in box[0]
    for sent, shown in (("&asked=1&hide=1", False), ("&asked=1", True)):
        form = client.get(f"/review/{ids['listing']}/search?q=nomad+bottle{sent}", headers=HX).text
        assert ("NOM-BTL-SND" in form) is shown, sent
        assert ('name="hide" value="1" checked' in form) is not shown, sent
    nothing = client.get(f"/review/{ids['listing']}/search?q=zzqx+qqww", headers=HX)
    assert "No product has “zzqx qqww”." in nothing.text
    assert client.get(f"/review/{ids['listing']}/search").text.count("<h1") == 1


def test_adding_shows_the_look_alikes_first(browse, put, look):
    ids = put(bottles)
    client = browse("bob")
    dialog = client.get(f"/review/{ids['listing']}/add", headers=HX)
    assert "This product may already be in your catalogue" in dialog.text
    assert "Link to this" in dialog.text
    assert "Add anyway and link" in dialog.text
    data = {"title": "Bottle", "sku": "NEW-1", "gtin": "", "price": "34.00", "quantity": "25"}
    stopped = client.post(f"/review/{ids['listing']}/add", data=data, headers=HX)
    assert stopped.status_code == 422
    assert stopped.headers["HX-Retarget"] == "#dialog"
    added = client.post(f"/review/{ids['listing']}/add", data=data | {"anyway": "1"}, headers=HX)
    assert added.status_code == 200
    product = look(lambda s: s.scalars(select(Product).where(Product.sku == "NEW-1")).one())
    assert (str(product.price), product.available) == ("34", 25)
    assert look(lambda s: s.scalars(select(Link)).one()).product_id == product.id


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("title", " ", "Type a name."),
        ("sku", "", "Type the SKU that the new product shall have."),
        ("price", "thirty", "Type the price with a point for the cents, for example 1299.00."),
        ("gtin", "7501055312409", "The last digit should be "),
        ("gtin", "12", "Type 8, 12, 13 or 14 digits"),
        ("quantity", "2.5", "Type a whole number, for example 12."),
        ("sku", "NOM-BTL-SGE", "belongs to “Nomad insulated bottle 750 ml, sage”. Choose another SKU"),
    ],
)
def test_what_is_typed_wrong_is_said_under_its_field(browse, put, look, field, value, message):
    ids = put(bottles)
    data = {"title": "Bottle", "sku": "NEW-1", "gtin": "", "price": "34", "quantity": "2", "anyway": "1", field: value}
    answer = browse("bob").post(f"/review/{ids['listing']}/add", data=data)
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-e">[^<]*{re.escape(message)}', answer.text)
    assert look(lambda s: s.scalars(select(Link)).all()) == []


def test_link_by_sku_tells_its_numbers_and_can_be_taken_back(browse, put, look):
    put(lambda m: [m.product("A-1"), m.listing("A-1"), m.listing(""), m.product("B-2"), m.listing("b2")])
    client = browse("bob")
    page = text_of(client.post("/review/reconcile?channel=Alpha", follow_redirects=True))
    assert "1 listing linked by SKU." in page
    assert "of these, the SKU is blank 1" in page
    assert "of these, the SKU is nearly a product’s" in page
    link = look(lambda s: s.scalars(select(Link)).one())
    client.post(f"/undo/{link.batch_id}", headers=HX)
    assert look(lambda s: s.scalars(select(Link)).all()) == []


def test_a_group_of_near_misses_is_linked_as_one_act(browse, put, look):
    put(lambda m: [x for i in range(3) for x in (m.product(f"AB-{i}-X"), m.listing(f"AB{i}X"))])
    client = browse("bob")
    client.post("/review/reconcile")
    near = client.get("/review/near?channel=Alpha")
    assert "Dashes or other marks" in near.text
    assert "AB<mark>-</mark>0<mark>-</mark>X" in near.text
    assert near.text.count("<h1") == 1
    done = client.post("/review/near?channel=Alpha", data={"reason": "dash"}, follow_redirects=True)
    assert "Linked 3 listings." in done.text
    batches = look(lambda s: {x.batch_id for x in s.scalars(select(Link))})
    assert len(batches) == 1
    client.post(f"/undo/{batches.pop()}")
    assert look(lambda s: s.scalars(select(Link)).all()) == []


def test_taking_back_an_act_of_many_by_somebody_else_needs_an_owner(browse, put, look):
    put(lambda m: [m.product("A-1"), m.listing("A-1"), m.product("B-1"), m.listing("B-1")])
    browse("alice").post("/review/reconcile")
    batch = look(lambda s: s.scalars(select(Link)).first()).batch_id
    assert browse("bob").post(f"/undo/{batch}").status_code == 403
    assert len(look(lambda s: s.scalars(select(Link)).all())) == 2
    assert links.UNDO_DAYS == 30
    assert COMMAND_LINE.name == "Command line"
