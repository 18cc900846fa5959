"""Set-up without a connection: what was typed stays where it is, and the same button saves it later."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from webapp.db import unit_of_work
from webapp.models import Channel

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]


def test_what_was_typed_for_a_connector_offline_stays_and_is_saved_later(
    live: Live, sample: None, open_page: Any
) -> None:
    app, _ = live
    page = open_page("alice")
    page.goto("/connectors")
    page.get_by_role("link", name="Amazon MX", exact=True).click()
    field = page.get_by_label("Currency")
    field.fill("BRL")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save").click()
    card = page.locator("#waits")
    expect(card).to_contain_text("No connection.")
    expect(card).to_contain_text("Nothing was sent, and what you typed is still here.")
    expect(card.get_by_role("button", name="Try now")).to_be_hidden()
    expect(field).to_have_value("BRL")
    page.context.set_offline(False)
    expect(card).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Amazon MX is changed.")
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert "BRL" in {c.currency for c in session.query(Channel)}


def test_settings_and_rules_keep_what_was_chosen_offline(live: Live, sample: None, open_page: Any) -> None:
    page = open_page("alice")
    page.goto("/settings")
    page.get_by_label("Theme").select_option("dark")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator("#waits")).to_contain_text("what you typed is still here")
    expect(page.get_by_label("Theme")).to_have_value("dark")
    page.context.set_offline(False)
    page.goto("/rules")
    page.context.set_offline(True)
    page.get_by_label("Link by itself from score").last.fill("80")
    page.get_by_label("Link by itself from score").last.press("Tab")
    expect(page.locator("#waits")).to_contain_text("This part of the page could not be loaded. Try again.")
    page.context.set_offline(False)
