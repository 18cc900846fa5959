"""Connectors: added with their options, changed, paused and released, by owners only."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import select, update

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.models import Channel, Link, SendMode
from webapp.models.accounts import AuditEntry
from webapp.models.base import utc_now
from webapp.services import channels

URL = "https://shop.example/hook"


def find(app, name: str) -> Channel | None:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(select(Channel).where(Channel.name == name))


@pytest.fixture
def alpha(app, settings) -> int:
    with app.app_context(), unit_of_work() as session:
        return Make(session, settings).channel("Alpha", "webhook", options={"url": URL, "secret": "s" * 32}).id


def test_the_first_visit_says_what_to_do(browse):
    page = browse("alice").get("/connectors")
    assert "Connect a channel first." in page.text
    assert "Add a connector" in page.text


def test_every_kind_shows_its_options_with_help(browse):
    alice = browse("alice")
    assert alice.get("/connectors/new").text.count('class="opt"') == 3
    form = alice.get("/connectors/new?kind=webhook").text
    assert "Where the messages go" in form
    assert 'type="password"' in form


def test_a_secret_that_nobody_gave_is_made_and_shown_once(app, settings, browse):
    alice = browse("alice")
    answer = alice.post("/connectors/new", data={"kind": "webhook", "name": "Shop", "o-url": URL})
    shown = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text).group(0)
    with app.app_context(), unit_of_work(read_only=True) as session:
        shop = channels.get(session, "Shop")
        assert channels.open_secrets(shop, settings) == {"secret": shown}
        assert shown not in str(shop.options)
    for page in ("/connectors", f"/connectors/{find(app, 'Shop').id}", "/activity"):
        assert shown not in alice.get(page).text


@pytest.mark.parametrize(("ticked", "mode"), [({}, SendMode.MANUAL), ({"automatic": "1"}, SendMode.AUTOMATIC)])
def test_a_connector_made_on_the_screen_sends_by_itself_only_if_that_was_ticked(app, browse, ticked, mode):
    browse("alice").post("/connectors/new", data={"kind": "webhook", "name": "Shop", "o-url": URL, **ticked})
    assert find(app, "Shop").mode is mode


def test_a_bad_option_is_named_and_nothing_is_added(app, browse):
    answer = browse("alice").post("/connectors/new", data={"kind": "webhook", "name": "Shop", "o-url": "ftp://x"})
    assert answer.status_code == 422
    assert "url:" in answer.text
    assert 'value="Shop"' in answer.text
    assert find(app, "Shop") is None


def test_a_name_in_use_is_refused(browse, alpha):
    answer = browse("alice").post("/connectors/new", data={"kind": "file", "name": "Alpha"})
    assert answer.status_code == 409
    assert "already" in answer.text


@pytest.mark.parametrize("typed", ["12€", "pesos", "PES", "DEM", "XXX", "MXN EUR"])
def test_what_is_no_currency_of_today_is_refused_wherever_it_is_typed(app, browse, alpha, typed):
    alice = browse("alice")
    answer = alice.post("/connectors/new", data={"kind": "file", "name": "F", "currency": typed})
    assert answer.status_code == 422
    assert f"“{typed}” is no currency code." in answer.text
    assert f'value="{typed}"' in answer.text
    assert find(app, "F") is None
    assert alice.post(f"/connectors/{alpha}", data={"mode": "manual", "currency": typed}).status_code == 422
    assert find(app, "Alpha").currency == "USD"


def test_the_currency_of_a_connector_is_shown_changed_and_noted(app, browse, alpha):
    alice = browse("alice")
    assert re.search(r'id="currency"[^>]*value="USD"', alice.get(f"/connectors/{alpha}").text)
    assert alice.post(f"/connectors/{alpha}", data={"mode": "manual", "currency": " mxn "}).status_code == 303
    assert find(app, "Alpha").currency == "MXN"
    with app.app_context(), unit_of_work(read_only=True) as session:
        noted = session.scalars(select(AuditEntry).where(AuditEntry.event == "channel.changed")).one()
    assert (noted.before["currency"], noted.after["currency"]) == ("USD", "MXN")
    alice.post(f"/connectors/{alpha}", data={"mode": "manual"})
    assert find(app, "Alpha").currency == "MXN"


def test_mode_price_and_options_are_changed_and_a_blank_secret_is_kept(app, settings, browse, alpha):
    form = {"mode": "manual", "sends_price": "1", "o-url": "https://new.example/x", "o-secret": ""}
    assert browse("alice").post(f"/connectors/{alpha}", data=form).status_code == 303
    changed = find(app, "Alpha")
    assert (changed.mode, changed.sends_price) == (SendMode.MANUAL, True)
    assert changed.options["url"] == "https://new.example/x"
    with app.app_context():
        assert channels.open_secrets(changed, settings) == {"secret": "s" * 32}


@pytest.mark.parametrize("form", [{"mode": "later"}, {"mode": "manual", "o-url": "javascript:alert(1)"}, {}])
def test_a_change_that_cannot_be_changes_nothing(app, browse, alpha, form):
    assert browse("alice").post(f"/connectors/{alpha}", data=form).status_code == 422
    assert find(app, "Alpha").options["url"] == URL


def test_several_listings_a_product_can_be_allowed_but_not_taken_back_while_there_are_some(
    app, settings, browse, alpha
):
    alice = browse("alice")
    alice.post(f"/connectors/{alpha}", data={"mode": "manual", "many": "1"})
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        mug = make.product("MUG")
        make.link(mug, channel=make.channel("Alpha"))
        make.link(mug, channel=make.channel("Alpha"))
    answer = alice.post(f"/connectors/{alpha}", data={"mode": "manual"})
    assert answer.status_code == 422
    assert "MUG" in answer.text
    with app.app_context(), unit_of_work() as session:
        session.delete(session.scalars(select(Link)).first())
    assert alice.post(f"/connectors/{alpha}", data={"mode": "manual"}).status_code == 303
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert session.scalars(select(Link)).one().slot == 0


def test_pause_and_resume(app, browse, alpha):
    alice = browse("alice")
    alice.post(f"/connectors/{alpha}/pause", data={"on": "1"})
    assert find(app, "Alpha").paused_at is not None
    assert "Paused" in alice.get("/connectors").text
    alice.post(f"/connectors/{alpha}/pause", data={"on": "0"})
    assert find(app, "Alpha").paused_at is None


def test_releasing_a_held_channel_sends_what_was_held(app, settings, browse):
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        link = make.link(channel=make.channel("Demo"))
        channel = session.get_one(Channel, link.channel_id)
        channel.held = "60 listings would go to zero at once."
        channel_id = channel.id
    alice = browse("alice")
    assert "Send these too" in alice.get(f"/connectors/{channel_id}").text
    answer = alice.post(f"/connectors/{channel_id}/release")
    assert answer.location.startswith("/sync/history/")
    assert find(app, "Demo").held == ""


def test_a_hold_is_released_only_as_it_was_read(app, settings, browse):
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        demo = make.channel("Demo")
        for _number in range(60):
            make.link(make.product(quantity=0), make.listing(channel=demo, quantity=5))
        session.execute(update(Link).values(due_at=utc_now(), want_stock=True))
        demo.held, channel_id = "51 listings would go to zero at once.", demo.id
    alice = browse("alice")
    page = alice.get(f"/connectors/{channel_id}").text
    assert "60 listings would go to zero" in page
    late = alice.post(f"/connectors/{channel_id}/release", data={"read": "51 listings would go to zero at once."})
    assert late.location.endswith(f"/connectors/{channel_id}")
    assert find(app, "Demo").held
    read = html.unescape(re.search('name="read" value="([^"]*)"', page)[1])
    assert "/sync/history/" in alice.post(f"/connectors/{channel_id}/release", data={"read": read}).location
    assert find(app, "Demo").held == ""


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_only_owners_set_up_connectors(app, browse, alpha, who):
    browser = browse(who)
    assert browser.get("/connectors").status_code == 200
    for method, url in (("GET", "/connectors/new"), ("GET", f"/connectors/{alpha}"), ("POST", f"/connectors/{alpha}"),
                        ("POST", f"/connectors/{alpha}/pause"), ("POST", f"/connectors/{alpha}/release")):  # fmt: skip
        assert browser.open(url, method=method).status_code == 403


def test_a_connector_is_told_only_in_stock_or_not_once_that_was_chosen(app, browse, alpha):
    alice = browse("alice")
    alice.post(f"/connectors/{alpha}", data={"mode": "manual", "tells": "in_stock"})
    assert find(app, "Alpha").in_stock_only
    assert re.search(r'value="in_stock" checked', alice.get(f"/connectors/{alpha}").text)
    alice.post(f"/connectors/{alpha}", data={"mode": "manual"})
    assert find(app, "Alpha").in_stock_only, "a form that says nothing of it changes nothing"
    alice.post(f"/connectors/{alpha}", data={"mode": "manual", "tells": "quantities"})
    assert not find(app, "Alpha").in_stock_only


def test_a_plan_and_a_run_say_in_stock_and_out_of_stock(app, settings, browse, alpha):
    with app.app_context(), unit_of_work() as session:
        make, shop = Make(session, settings), session.get_one(Channel, alpha)
        shop.in_stock_only, shop.mode = True, SendMode.MANUAL
        make.link(make.product("A", quantity=0), make.listing("a", channel=shop, quantity="5"))
    page = browse("alice").get(f"/connectors/{alpha}/sync").text
    assert re.search(r"in stock</td>.*out of stock</td>", page, re.S)
