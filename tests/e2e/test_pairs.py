"""Synced pairs in a browser: filters in the address, the X and its undo, many at once with their number typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.steps import number_of, press
from webapp.models import Link

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]


def test_filters_live_in_the_address(sample: None, open_page: Any) -> None:
    page = open_page("bob")
    page.goto("/pairs")
    page.get_by_role("searchbox", name="Search pairs").fill("candle")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pairs?q=candle")
    page.locator("summary", has_text="Channel").click()
    page.get_by_role("link", name="Amazon MX").click()
    expect(page).to_have_url(re.compile(r"channel=Amazon\+MX.*q=candle|q=candle.*channel=Amazon\+MX"))
    rows = page.locator("tr[id^=pair-]")
    found = rows.all_inner_texts()
    assert found
    assert all("candle" in row.lower() for row in found)
    expect(rows.get_by_role("img", name="Amazon MX")).to_have_count(len(found))
    other = open_page("charlie")
    other.goto(page.url)  # the address says it all: a colleague sees the same
    assert other.locator("tr[id^=pair-] .nm").all_inner_texts() == page.locator("tr[id^=pair-] .nm").all_inner_texts()
    page.get_by_role("searchbox", name="Search pairs").fill("xyzzy")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("No pair matches “xyzzy”.")
    page.go_back()
    expect(rows).to_have_count(len(found))


def test_the_x_unlinks_at_once_and_z_gives_the_pair_back(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/pairs?channel=Shopify")
    row = page.locator("tr[id^=pair-]").nth(2)
    row_id = row.get_attribute("id")
    before, text = number_of(app, Link), row.inner_text()
    row.get_by_role("button", name="Unlink").click()
    gone = page.locator(f"tr#{row_id}")
    expect(gone).to_contain_text("Unlinked.")
    expect(page.locator("#toasts")).to_contain_text("Pair unlinked. The listing is back in Review.")
    expect(gone.get_by_role("button", name="Undo")).to_be_focused()
    assert number_of(app, Link) == before - 1
    press(page, "z")
    expect(gone.get_by_role("button", name="Unlink")).to_have_count(1)
    assert gone.inner_text() == text
    assert number_of(app, Link) == before
    assert page.evaluate("() => document.activeElement !== document.body")


def test_pairs_are_worked_through_by_keyboard(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/pairs")
    before = number_of(app, Link)
    rows = page.locator("tr[id^=pair-]")
    for key in ("j", "j", "Space", "j", "Shift+Space", "k"):
        press(page, key)
    expect(page.locator("#bulk")).to_contain_text("2 selected")
    expect(rows.nth(1)).to_be_focused()
    press(page, "u")
    expect(rows.nth(1)).to_contain_text("Unlinked.")
    assert number_of(app, Link) == before - 1
    expect(rows.nth(1).get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows.nth(1).get_by_role("button", name="Unlink")).to_have_count(1)
    assert number_of(app, Link) == before


def test_all_that_match_are_unsynced_only_with_their_number_typed(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("alice")
    page.goto("/pairs")
    before = number_of(app, Link)
    assert before > 50
    page.get_by_label("Select all pairs on this page").check()
    bar = page.locator("#bulk")
    expect(bar).to_contain_text("50 selected")
    bar.get_by_role("button", name=f"Select all {before} that match").click()
    expect(bar).to_contain_text(f"{before} selected")
    bar.get_by_role("button", name=f"Unsync {before}…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Unsync {before} pairs?")
    expect(dialog.get_by_role("button", name="Keep them")).to_be_focused()
    sure = dialog.get_by_role("button", name=f"Unsync {before} pairs")
    expect(sure).to_be_disabled()
    dialog.get_by_label("To confirm").fill(str(before + 1))
    expect(sure).to_be_disabled()
    expect(dialog.get_by_role("alert")).to_have_text(f"You typed {before + 1}. Type {before}.")
    assert number_of(app, Link) == before
    dialog.get_by_label("To confirm").fill(str(before))
    sure.click()
    expect(page.locator(".note.ok")).to_contain_text(f"{before} pairs unsynced.")
    expect(page.locator("main")).to_contain_text("No pairs yet.")
    assert number_of(app, Link) == 0
    page.get_by_role("link", name="See the list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unsynced pairs")
    page.get_by_role("button", name="Restore all").click()
    expect(page.locator("#toasts, .note")).not_to_have_count(0)
    assert number_of(app, Link) == before


def test_an_editor_is_told_who_may_unsync_many(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/pairs")
    before = number_of(app, Link)
    for row in (0, 1):
        page.locator("tr[id^=pair-]").nth(row).get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Unsync 2…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You can look, but not unsync.")
    expect(dialog).to_contain_text("alice is owner here.")
    expect(dialog.get_by_role("button", name="Unsync")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Unsync 2…")).to_be_focused()
    assert number_of(app, Link) == before
