"""Sending in a browser: what is ticked, what will change, what arrived there; and decisions made offline."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.steps import decide, heading, look, number_of, on_stage, press
from tests.factories import Make
from tests.stub_channel import StubChannel
from webapp.db import unit_of_work
from webapp.models import Attempt, Link

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]
SECRET = "whsec_" + "c2VjcmV0" * 5 + "c2VjcmU="


def test_synchronise_sends_stock_and_leaves_the_price_alone(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    with app.app_context(), unit_of_work() as session:
        make = Make(session, app.extensions["pairbook_settings"])
        beta = make.manual(make.channel("Beta"))
        kettle = make.product("KETTLE-1", quantity=8, price="59.00", title="Kettle")
        make.link(kettle, make.listing(channel=beta, quantity=3, price="50.00", currency="USD"))
        product, channel = kettle.id, beta.id
    page = open_page("bob")
    page.goto(f"/products/{product}")
    press(page, "y")
    dialog = page.get_by_role("dialog", name="Synchronise Kettle")
    changes = dialog.get_by_role("region", name="Changes")
    expect(dialog.get_by_role("checkbox", name="Stock")).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Price")).not_to_be_checked()
    expect(changes.locator("tbody tr td")).to_have_text(
        [re.compile("Listing"), "KETTLE-1", "Stock", "3", re.compile("8")]
    )
    dialog.get_by_role("checkbox", name="Price").check()
    expect(changes.locator("tbody tr", has_text="Price")).to_contain_text(re.compile(r"50\.00.*59\.00", re.DOTALL))
    dialog.get_by_role("checkbox", name="Price").uncheck()
    expect(changes).not_to_contain_text("59.00")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    press(page, "y")
    expect(dialog.get_by_role("radio", name="Beta")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Synchronisation successful. 1 listing sent.")
    told = look(app, lambda s: [(a.quantity, a.price) for a in s.query(Attempt).filter_by(channel_id=channel)])
    assert told == [(8, None)]
    dialog.get_by_role("button", name="Close").last.click()
    expect(dialog).to_have_count(0)
    press(page, "y")
    expect(dialog).to_contain_text("Everything is already right on Beta.")
    expect(dialog.get_by_role("button", name="Send anyway")).to_be_visible()
    page.goto("/sync/history?channel=Beta")
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("Synchronisation successful.")
    expect(page.locator("tbody tr")).to_have_count(1)


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
            listing = make.link(kettle, channel=make.channel("Web shop")).listing_id
            form = f"/products/{kettle.id}/edit"
        page.goto(form)
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
        page.goto(form)
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
    page.wait_for_function("() => document.documentElement.dataset.ahead")  # then the next listing is shown at the key
    page.context.set_offline(True)
    press(page, "a")
    card = page.locator("#waits")
    expect(card).to_contain_text("No connection.")
    expect(card).to_contain_text("1 decision waits in this tab")
    assert on_stage(page) != first
    assert number_of(app, Link) == before
    page.context.set_offline(False)
    expect(page.locator(f"#q-{first}")).to_contain_text("Linked")
    expect(card).to_be_hidden()
    expect(heading(page)).to_be_focused()
    assert number_of(app, Link) == before + 1
    decide(page, "a")
    assert number_of(app, Link) == before + 2
