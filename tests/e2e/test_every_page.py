"""Every page in light and dark, wide and narrow: WCAG 2.2 AA by axe, no policy violation, dialogs too."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.e2e.steps import PAGES, one_linked, press

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]
WIDTHS = (1440, 390)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_passes_axe(live: Live, sample: None, open_page: Any, check_accessibility: Any, width: int) -> None:
    app, _ = live
    page = open_page("alice", width=width)
    product = one_linked(app)
    found = {}
    for path in PAGES:
        page.goto(path.format(product=product))
        assert page.locator("h1").count() == 1, path
        assert page.locator("[role=status]").count() == 1, path
        assert page.title().startswith(page.locator("h1").inner_text()), path
        found[path] = check_accessibility(page)
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_every_dialog_passes_axe(
    live: Live, sample: None, open_page: Any, check_accessibility: Any, width: int
) -> None:
    app, _ = live
    page = open_page("alice", width=width)
    found = {}
    for name, path, key in dialogs(one_linked(app)):
        page.goto(path)
        open_by(page, key)
        expect(page.get_by_role("dialog")).to_be_visible()
        found[name] = check_accessibility(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert page.evaluate("() => document.activeElement !== document.body"), name
    assert {name: what for name, what in found.items() if what} == {}


def dialogs(product: int) -> list[tuple[str, str, str]]:
    """Name, page and what opens it: a key or the text of a link."""
    return [
        ("search everything", "/products", "Control+k"),
        ("search", "/review?channel=Amazon+MX", "link:Search catalogue"),
        ("add", "/review?channel=Amazon+MX", "link:Add to catalogue"),
        ("shortcuts", "/review", "?"),
        ("unsync", "/pairs", "link:Unsync all…"),
        ("sync", f"/products/{product}", "y"),
    ]


def open_by(page: Page, how: str) -> None:
    """Press the key, or click the link, in the menu where the screen is narrow."""
    kind, _, name = how.partition(":")
    if kind != "link":
        press(page, how)
        return
    link = page.get_by_role("link", name=name)
    if not link.first.is_visible():
        page.locator(".decide summary").click()
    link.locator("visible=true").first.click()


def test_signed_out_pages_pass_axe(live: Live, sample: None, open_page: Any, check_accessibility: Any) -> None:
    for width in WIDTHS:
        page = open_page(width=width)
        for path in ("/login", "/setup/x", "/join/x?email=bob@example.com", "/nothing/here"):
            page.goto(path)
            assert check_accessibility(page) == [], (path, width)
