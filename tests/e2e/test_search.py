"""A person finds anything from any page: Ctrl K, some letters, Enter."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.steps import press

pytestmark = pytest.mark.e2e


def test_ctrl_k_searches_while_no_letter_fires_a_key(sample: None, open_page: Any) -> None:
    page = open_page("bob")
    page.goto("/products")
    press(page, "Control+k")
    field = page.locator("#search input[type=search]")
    expect(field).to_be_focused()
    page.keyboard.type("ridge tent")
    expect(page.locator("#search-found")).to_have_attribute("data-for", "ridge tent")
    assert page.url.endswith("/products")
    first = page.locator("#search-found a").first
    name = first.locator(".med").inner_text()
    assert "ridge tent" in name.lower()
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_enter_never_takes_what_was_found_for_other_letters(sample: None, open_page: Any) -> None:
    page = open_page("bob")
    page.goto("/")
    press(page, "Control+k")
    expect(page.locator("#search-found a")).not_to_have_count(0)
    page.route("**/search*", lambda route: None)  # the answer is still on its way
    page.keyboard.type("pairs")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.url.endswith("/")
    page.unroute_all(behavior="ignoreErrors")
    page.keyboard.type(" ")
    expect(page.locator("#search-found")).to_have_attribute("data-for", "pairs ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Synced pairs")


def test_escape_gives_the_place_back(sample: None, open_page: Any) -> None:
    page = open_page("bob")
    page.goto("/pairs")
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.locator("#search input[type=search]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#search")).to_be_hidden()
    expect(page.get_by_role("link", name="Search", exact=True)).to_be_focused()


def test_without_scripts_search_is_a_page(sample: None, open_page: Any) -> None:
    page = open_page(scripts=False)
    page.goto("/search?q=nomad")
    page.get_by_label("Email").fill("bob@example.com")
    page.get_by_label("Password").fill("four unrelated small words")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title("Search · Pairbook")
    page.locator("#search-found a").first.click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Search")
