"""The screens of sending: what would change, the send, how it went, and the history."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.factories import Make
from tests.shop import SECRET, Shop
from tests.stub_channel import StubChannel
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Listing, Product, SendMode, SyncRun
from webapp.services import channels

HTMX = {"HX-Request": "true"}
DIALOG = {**HTMX, "HX-Target": "dialog"}


@pytest.fixture
def stub():
    with StubChannel(secret=SECRET) as stub:
        yield stub


@pytest.fixture
def hook(app, settings, stub):
    """A manual webhook channel with three pairs that show other values; gives its id."""
    with app.app_context():
        shop = Shop(app, settings, stub)
        shop.open(3, quantity=9, facts={"quantity": 4, "price": "5.00", "title": "Blue mug"})
        shop.channel(mode=SendMode.MANUAL)
        return shop.change(lambda s: channels.get(s, "Hook").id)


def product(app, sku="L-0") -> int:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalars(select(Product.id).where(Product.sku == sku)).one()


def newest(app) -> SyncRun:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalars(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one()


def test_a_product_with_one_connector_has_it_chosen_and_shows_old_and_new(app, browse, hook):
    page = browse("bob").get(f"/products/{product(app)}/sync")
    assert page.status_code == 200
    assert "<h1" in page.text
    radio = re.search(r'<input[^>]*type="radio"[^>]*>', page.text).group(0)
    assert " checked" in radio
    assert 'name="stock" value="1" checked' in page.text
    assert 'name="price" value="1" checked' not in page.text
    assert re.search(r"4</td>.*?9</td>", page.text, re.DOTALL)
    assert " disabled" not in re.search(r'<button class="btn pri"[^>]*>', page.text).group(0)


def test_apply_is_off_until_a_connector_is_chosen(app, settings, browse, hook):
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        make.link(session.get_one(Product, product(app)), channel=make.channel("Other"))
    bob = browse("bob")
    page = bob.get(f"/products/{product(app)}/sync")
    assert " disabled" in re.search(r'<button class="btn pri"[^>]*>', page.text).group(0)
    refused = bob.post(f"/products/{product(app)}/sync", data={"seen": "1", "stock": "1"})
    assert refused.status_code == 422
    assert "Choose a connector." in refused.text


def test_apply_sends_stock_only_and_says_what_came_of_it(app, browse, stub, hook):
    answer = browse("bob").post(
        f"/products/{product(app)}/sync", data={"seen": "1", "channel": hook, "stock": "1"}, headers=HTMX
    )
    assert answer.status_code == 200
    assert "Synchronisation successful." in answer.text
    assert [list(i) for a in stub.arrivals for i in a.items] == [["listing_id", "sku", "quantity", "version", "key"]]


def test_price_goes_when_it_is_ticked(app, browse, stub, hook):
    browse("bob").post(f"/products/{product(app)}/sync", data={"seen": "1", "channel": hook, "price": "1"})
    [item] = [i for a in stub.arrivals for i in a.items]
    assert item["price"] == "9.90"
    assert "quantity" not in item


def test_without_scripts_the_send_leads_to_its_run(app, browse, hook):
    bob = browse("bob")
    answer = bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"})
    assert answer.status_code == 303
    page = bob.get(answer.location)
    assert "Synchronisation successful." in page.text
    assert page.text.count("Blue mug") == 3


def test_a_double_click_sends_once(app, browse, stub, hook):
    bob = browse("bob")
    form = {"seen": "1", "stock": "1", "key": "abc", "again": "1"}
    assert bob.post(f"/connectors/{hook}/sync", data=form).status_code == 303
    assert bob.post(f"/connectors/{hook}/sync", data=form).status_code == 409
    assert len(stub.arrivals) == 1


def test_selected_pairs_are_sent_and_no_others(app, browse, stub, hook):
    with app.app_context(), unit_of_work(read_only=True) as session:
        ids = list(session.scalars(select(Listing.id).order_by(Listing.id).limit(2)))
    bob = browse("bob")
    form = bob.get(f"/connectors/{hook}/sync?id={ids[0]}&id={ids[1]}", headers=DIALOG)
    assert "<dialog" in form.text
    assert "2 listings" in form.text
    bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1", "id": ids})
    assert sorted(i["listing_id"] for a in stub.arrivals for i in a.items) == ["L0", "L1"]


def test_what_is_right_already_is_said_and_can_be_sent_anyway(app, browse, stub, hook):
    bob = browse("bob")
    bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"})
    form = bob.get(f"/connectors/{hook}/sync?seen=1&stock=1")
    assert "Everything is already right on Hook." in form.text
    assert "Send anyway" in form.text
    bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1", "again": "1"})
    assert len(stub.arrivals) == 2


def test_a_channel_without_pairs_is_not_called_right(app, settings, browse):
    with app.app_context(), unit_of_work() as session:
        empty = Make(session, settings).channel("Empty").id
    form = browse("bob").get(f"/connectors/{empty}/sync", headers=DIALOG)
    assert "Nothing is linked on Empty yet." in form.text
    assert "already right" not in form.text
    assert "Send anyway" not in form.text


def test_a_part_that_is_refused_is_named_with_its_reason_and_escaped(app, browse, stub, hook):
    stub.script("reject:L1")
    bob = browse("bob")
    answer = bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"}, headers=HTMX)
    assert "2 of 3 sent." in answer.text
    assert "&lt;b&gt;Frozen&lt;/b&gt; by campaign" in answer.text
    page = bob.get(f"/sync/history/{newest(app).id}?show=failed")
    assert page.text.count("Look at the pair") == 1
    assert "<b>Frozen" not in page.text


def test_nothing_sent_says_so(app, browse, stub, hook):
    stub.default = "404"
    answer = browse("bob").post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"}, headers=HTMX)
    assert "Nothing was sent." in answer.text
    assert "404" in answer.text


def test_a_send_that_waits_for_its_next_try_goes_on_asking(app, browse, stub, hook):
    stub.default = "500"
    bob = browse("bob")
    answer = bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"}, headers=HTMX)
    assert "did not take everything" in answer.text
    assert 'hx-trigger="every 1s"' in answer.text
    assert bob.get(f"/sync/history/{newest(app).id}/progress", headers=HTMX).status_code == 200


def test_an_ended_run_ends_the_polling(app, browse, hook):
    bob = browse("bob")
    bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"})
    assert bob.get(f"/sync/history/{newest(app).id}/progress", headers=HTMX).status_code == 286


def test_a_paused_channel_is_not_sent_to(app, browse, stub, hook):
    browse("alice").post(f"/connectors/{hook}/pause", data={"on": "1"})
    answer = browse("bob").post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"})
    assert answer.status_code == 422
    assert stub.arrivals == []


@pytest.mark.parametrize(("who", "sent"), [("bob", 0), ("alice", 60)])
def test_only_owners_send_what_the_brakes_hold(app, settings, browse, stub, who, sent):
    with app.app_context():
        shop = Shop(app, settings, stub)
        shop.open(60, quantity=0, facts={"quantity": 4})
        shop.channel(mode=SendMode.MANUAL)
        hook = shop.change(lambda s: channels.get(s, "Hook").id)
    browser = browse(who)
    form = browser.get(f"/connectors/{hook}/sync")
    assert "60 changes are held back." in form.text
    assert ("Send these too" in form.text) == (who == "alice")
    browser.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1", "anyway": "1"})
    with app.app_context():
        tasks.propagate(settings)
    assert sum(len(a.items) for a in stub.arrivals) == sent


def test_a_file_can_be_taken_away_under_its_name_and_by_people_who_are_signed_in(app, settings, browse):
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        channel = make.channel("Señal & Co", "file")
        make.link(make.product("A", quantity=5), make.listing("A", channel=channel, listing_id="L1"))
        channel_id = channel.id
    bob = browse("bob")
    answer = bob.post(f"/connectors/{channel_id}/sync", data={"seen": "1", "stock": "1"}, headers=HTMX)
    assert "Download" in answer.text
    run = newest(app)
    with bob.get(f"/sync/history/{run.id}/file") as file:
        assert file.status_code == 200
        assert file.headers["Content-Disposition"] == f"attachment; filename={run.artifact}"
        assert "L1" in file.text
    assert browse().get(f"/sync/history/{run.id}/file").status_code == 303


@pytest.mark.parametrize("artifact", ["", "../../secret.key", "gone.csv"])
def test_no_file_but_a_runs_own_is_ever_given(app, settings, browse, hook, artifact):
    browse("bob").post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"})
    with app.app_context(), unit_of_work() as session:
        run = session.scalars(select(SyncRun)).first()
        run.artifact = artifact
        run_id = run.id
    assert browse("bob").get(f"/sync/history/{run_id}/file").status_code == 404


def test_the_history_pages_by_key_and_filters(app, browse, stub, hook):
    bob = browse("bob")
    for _ in range(3):
        bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1", "again": "1"})
    stub.default = "404"
    bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1", "again": "1"})
    whole = bob.get("/sync/history")
    assert whole.text.count("data-row ") + whole.text.count("data-row>") == 4
    assert '<svg class="plot"' in whole.text
    assert bob.get("/sync/history?show=failed").text.count("data-row>") == 1
    assert bob.get("/sync/history?show=manual&channel=Hook").text.count("data-row>") == 4
    assert "No run matches." in bob.get("/sync/history?show=part_done").text
    assert bob.get("/sync/history?before=3").text.count("data-row>") == 2
    assert bob.get("/sync/history", headers=HTMX).text.lstrip().startswith("<section")


def test_an_empty_history_says_what_to_do(browse):
    assert "No sync has run yet." in browse("charlie").get("/sync/history").text


def test_a_run_that_is_not_there_is_404(browse):
    assert browse("bob").get("/sync/history/77").status_code == 404


def test_a_viewer_reads_the_history_and_sends_nothing(app, browse, stub, hook):
    charlie = browse("charlie")
    assert charlie.get("/sync/history").status_code == 200
    assert charlie.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"}).status_code == 403
    assert stub.arrivals == []


def test_a_run_shows_each_listing_once_with_its_last_try_and_what_the_channel_showed(app, settings, browse, stub, hook):
    """The first try fails and the second is taken: one line, from the number of the imported file to ours."""
    stub.script("500")
    bob = browse("bob")
    bob.post(f"/connectors/{hook}/sync", data={"seen": "1", "stock": "1"})
    with app.app_context():
        shop = Shop(app, settings, stub)
        failed = bob.get(f"/sync/history/{newest(app).id}?show=failed").text
        assert failed.count("data-row class") == 3
        shop.later(4_000)
        stub.script("reject:L1")
        shop.send()
    run = newest(app)
    assert (run.sent, run.failed) == (2, 1)
    page = bob.get(f"/sync/history/{run.id}").text
    assert [page.count(f">L{n}<") for n in range(3)] == [1, 1, 1]
    assert len(re.findall(r"4 →</span> 9", page)) == 3
    only = bob.get(f"/sync/history/{run.id}?show=failed").text
    assert [only.count(f">L{n}<") for n in range(3)] == [0, 1, 0]
    assert "–" not in only[only.index("<tbody") :]
