"""The first minutes: from the set-up link to the first listing in review, and who may come in."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, sign_in
from tests.e2e.steps import number_of
from webapp.db import unit_of_work
from webapp.models import Link, Listing, User
from webapp.services import accounts

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]


def setup_link(app: Flask) -> str:
    with app.app_context(), unit_of_work() as session:
        return f"/setup/{accounts.new_setup_code(session)}"


def test_the_setup_link_leads_to_the_first_review(live: Live, open_page: Any) -> None:
    app, _ = live
    page = open_page()
    link, began = setup_link(app), time.monotonic()
    page.goto(link)
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Create the owner").click()
    assert number_of(app, User) == 0  # the browser or the server says that it is too short
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create the owner").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.get_by_role("heading", name="Import your first listings")).to_be_visible()
    page.get_by_role("button", name="Try with sample data").click()
    expect(page.get_by_role("heading", name="Reconciliation by channel")).to_be_visible()
    waiting = number_of(app, Listing)
    assert waiting > 200
    page.get_by_role("link", name=f"Review {waiting} listings").click()
    expect(page).to_have_title("Review · Pairbook")
    page.get_by_role("button", name="Link by SKU").click()
    linked = page.get_by_role("heading", name="listings linked by SKU")
    expect(linked).to_be_visible()
    assert linked.inner_text().startswith(f"{number_of(app, Link)} listings")
    assert time.monotonic() - began < 120  # from nothing to the first linked listing
    page.get_by_role("link", name="Start review").click()
    expect(page.locator("#queue a[aria-current=true]")).to_have_count(1)


def test_a_setup_link_works_once(live: Live, people_with_passwords: None, open_page: Any) -> None:
    app, _ = live
    page = open_page()
    page.goto(setup_link(app))
    expect(page.get_by_role("heading", level=1)).to_have_text("This link no longer works")
    expect(page.get_by_label("Password")).to_have_count(0)
    page.get_by_role("link", name="Sign in").click()
    expect(page).to_have_title("Sign in · Pairbook")
    assert number_of(app, User) == 3


def test_a_wrong_password_says_no_more_than_that(live: Live, people_with_passwords: None, open_page: Any) -> None:
    page = open_page()
    said = []
    for name in ("bob", "nobody"):
        sign_in(page, name, "three unrelated big words")
        expect(page).to_have_title("Sign in · Pairbook")
        said.append(page.locator(".err, .note.bad").all_inner_texts())
        assert any(said[-1])
    assert said[0] == said[1]
    page.goto("/review")
    expect(page).to_have_title("Sign in · Pairbook")


def test_after_signing_out_no_page_opens(live: Live, people_with_passwords: None, open_page: Any) -> None:
    page = open_page()
    page.goto("/pairs?by=sku")
    page.get_by_label("Email").fill("bob@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Synced pairs")
    assert page.url.endswith("/pairs?by=sku")  # where the person wanted to go
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in · Pairbook")
    page.goto("/pairs")
    expect(page).to_have_title("Sign in · Pairbook")
    page.go_back()
    assert "Synced pairs" not in page.locator("body").inner_text()


def test_a_viewer_looks_and_is_told_who_can_help(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("charlie")
    page.goto("/review")
    expect(page.locator("#stage")).to_contain_text("You can look, but not link.")
    expect(page.locator("#stage")).to_contain_text("alice")
    expect(page.locator(".decide")).to_have_count(0)
    links = number_of(app, Link)
    for key in ("a", "x", "2"):
        page.keyboard.press(key)
    answer = page.evaluate("""async () => {
        const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
        const sent = {method: "POST", headers: {"X-CSRFToken": token}};
        const paths = ["/review/reconcile", "/review/1/link", "/pairs/1/unlink", "/pairs/unsync", "/import"];
        return Promise.all(paths.map(async path => (await fetch(path, sent)).status)) }""")
    assert answer == [403] * 5
    assert number_of(app, Link) == links
    page.goto("/pairs")
    expect(page.get_by_role("button", name="Unlink")).to_have_count(0)
    page.goto("/import")
    expect(page.locator("main")).to_contain_text("You can look, but not import.")
    expect(page.locator("input[type=file]")).to_have_count(0)
    page.goto("/products/new")
    expect(page.get_by_role("heading", level=1)).to_have_text("You can look, but not change this.")
    expect(page.locator("main")).to_contain_text("alice can change your role.")
