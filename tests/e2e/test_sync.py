"""Sending in a browser: what is ticked, what will change, what arrived at the marketplace; and decisions made offline."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.steps import decide, heading, look, number_of, on_stage, one_linked, press
from tests.factories import Make
from tests.stub_channel import StubChannel
from webapp.db import unit_of_work
from webapp.models import Attempt, Link

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]
SECRET = "whsec_" + "c2VjcmV0" * 5 + "c2VjcmU="


def test_synchronise_sends_stock_and_leaves_the_price_alone(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    product = one_linked(app)
    page.goto(f"/products/{product}/edit")
    page.get_by_label("Stock").fill("37")
    page.get_by_label("Price").fill("401.50")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Synchronise")).to_be_visible()
    press(page, "y")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("checkbox", name="Stock")).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Price")).not_to_be_checked()
    radio = dialog.get_by_role("radio").first
    if not radio.is_checked():
        radio.check()
    expect(dialog.get_by_role("button", name=re.compile("Apply|Send anyway"))).to_be_enabled()
    dialog.get_by_role("checkbox", name="Price").check()
    expect(dialog.get_by_role("region", name="Changes")).to_contain_text("401.50")
    dialog.get_by_role("checkbox", name="Price").uncheck()
    expect(dialog).not_to_contain_text("401.50")
    dialog.get_by_role("button", name=re.compile("Apply|Send anyway")).click()
    expect(dialog).to_contain_text(re.compile("Synchronisation successful|already right"))
    dialog.get_by_role("button", name="Close").last.click()
    expect(dialog).to_have_count(0)
    assert number_of(app, Attempt, Attempt.price.is_not(None)) == 0
    assert number_of(app, Attempt, Attempt.quantity == 37) > 0
    page.goto("/sync/history")
    page.get_by_role("link", name=re.compile("Run|Stock")).first.click()
    expect(page.locator("main")).to_contain_text(re.compile("Synchronisation successful|sent|Sent"))


def test_a_webhook_hears_what_changed_and_nothing_after_unlinking(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    with StubChannel(secret=SECRET) as stub:
        page = open_page("alice")
        page.goto("/connectors/new?kind=webhook")
        page.get_by_label("Name", exact=True).fill("Web shop")
        page.get_by_label("Address").fill(stub.url)
        page.get_by_label("Signing secret").fill(SECRET)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Web shop")
        page.get_by_role("radio", name="After each change").check()
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#toasts")).to_contain_text("Web shop is changed.")
        with app.app_context(), unit_of_work() as session:
            make = Make(session, app.extensions["pairbook_settings"])
            kettle = make.product("KETTLE-1", quantity=8, price="59.00", title="Kettle")
            link = make.link(kettle, channel=make.channel("Web shop"))
            product, listing = kettle.id, link.listing_id
        name = look(app, lambda s: s.get_one(Link, link.id).listing_id) and f"/products/{product}"
        page.goto(f"{name}/edit")
        page.get_by_label("Stock").fill("5")
        page.get_by_role("button", name="Save").click()
        wait_until(lambda: any(shown.quantity == 5 for shown in stub.shown.values()), 30)
        assert all(arrival.signature_ok for arrival in stub.arrivals)
        shown = next(iter(stub.shown.values()))
        assert (shown.quantity, shown.price) == (5, None)
        page.goto("/pairs?channel=Web+shop")
        page.get_by_role("button", name="Unlink").click()
        expect(page.locator(f"#pair-{listing}")).to_contain_text("Unlinked.")
        before = len(stub.arrivals)
        page.goto(f"{name}/edit")
        page.get_by_label("Stock").fill("2")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("main")).to_contain_text("Not linked anywhere")
        # Another product of the same channel goes the same way afterwards: the worker has been there since.
        with app.app_context(), unit_of_work() as session:
            make = Make(session, app.extensions["pairbook_settings"])
            make.link(make.product("PAN-1", quantity=11), channel=make.channel("Web shop"))
        wait_until(lambda: any(shown.quantity == 11 for shown in stub.shown.values()), 30)
        heard = [item for arrival in stub.arrivals[before:] for item in arrival.items]
        assert [item["quantity"] for item in heard] == [11]


def test_a_decision_made_offline_is_kept_and_sent_later(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    before, first = number_of(app, Link), on_stage(page)
    page.context.set_offline(True)
    press(page, "a")
    card = page.locator("#waits")
    expect(card).to_contain_text("No connection.")
    expect(card).to_contain_text("1 decision waits in this tab")
    assert on_stage(page) == first
    assert number_of(app, Link) == before
    page.context.set_offline(False)
    expect(page.locator(f"#q-{first}")).to_contain_text("Linked")
    expect(card).to_be_hidden()
    expect(heading(page)).to_be_focused()
    assert number_of(app, Link) == before + 1
    decide(page, "a")
    assert number_of(app, Link) == before + 2
