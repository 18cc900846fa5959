"""Pictures of every screen and state, made by `make shots` into the folder `shots`, so that anyone can look at them.

English and French (whose sentences are the longest), wide in light and dark, and a phone. The four pictures of
docs/using.md are made here too: `make shots SHOTS=docs/pictures ARGS="-k tour"`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.e2e.steps import PAGES, everybody_reads, one_linked, press

pytestmark = [pytest.mark.e2e, pytest.mark.shots]
Live = tuple[Flask, str]
FOLDER = Path(os.environ.get("PAIRBOOK_SHOTS", "shots"))
LOOKS = {
    "wide": {"width": 1440, "height": 900},
    "dark": {"width": 1440, "height": 900, "scheme": "dark"},
    "phone": {"width": 390, "height": 844},
    "phone-dark": {"width": 390, "height": 844, "scheme": "dark"},
}
AMAZON = "/review?channel=Amazon+MX"
# What lies above a page or is no page of its own: a name, where, the key that opens it, and who looks.
STATES = (
    ("review-search", AMAZON, "/", "alice"),
    ("review-add", AMAZON, "n", "alice"),
    ("shortcuts", AMAZON, "?", "alice"),
    ("search-everything", "/", "Control+k", "alice"),
    ("review-viewer", AMAZON, "", "charlie"),
    ("review-filter-without-result", f"{AMAZON}&score=1-2", "", "alice"),
    ("review-none-ignored", f"{AMAZON}&state=ignored", "", "alice"),
    ("synchronise", "/products/{product}", "y", "alice"),
    ("not-found", "/nothing/here", "", "alice"),
    ("forbidden", "/connectors/new?kind=webhook", "", "charlie"),
)
TOUR = (
    ("review", AMAZON, ""),
    ("near", "/review/near?channel=Amazon+MX", ""),
    ("pairs", "/pairs", ""),
    ("search", AMAZON, "/"),
)


def shoot(page: Page, name: str, *, key: str = "", folder: Path = FOLDER) -> None:
    """Press the key that opens it, wait until nothing moves, and take the picture."""
    if key:
        press(page, key)
        page.get_by_role("dialog").wait_for()
    page.wait_for_load_state("networkidle")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.png"
    page.screenshot(path=target, animations="disabled", caret="hide")
    assert target.stat().st_size > 2_000, name


def named(path: str) -> str:
    """A file name for an address: “/products/{product}?tab=history” is products-product-tab-history."""
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "overview"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_shots_of_every_screen_and_state(live: Live, sample: None, open_page: Any, look: str, language: str) -> None:
    app, _ = live
    everybody_reads(app, language)
    product, folder = one_linked(app), FOLDER / language / look
    pages = {name: open_page(name, **LOOKS[look]) for name in ("alice", "charlie")}
    for path in PAGES:
        pages["alice"].goto(path.format(product=product))
        shoot(pages["alice"], named(path), folder=folder)
    for name, path, key, who in STATES:
        pages[who].goto(path.format(product=product))
        shoot(pages[who], name, key=key, folder=folder)
    stranger = open_page(**LOOKS[look])
    stranger.goto("/login")
    shoot(stranger, "sign-in", folder=folder)


@pytest.mark.parametrize("look", LOOKS)
def test_shots_of_an_instance_without_anything(people_with_passwords: None, open_page: Any, look: str) -> None:
    page = open_page("alice", **LOOKS[look])
    for path in ("/", "/import", "/review", "/pairs", "/products", "/sync/history", "/connectors", "/activity"):
        page.goto(path)
        shoot(page, f"empty-{named(path)}", folder=FOLDER / "en" / look)


def test_shots_of_a_tour(sample: None, open_page: Any) -> None:
    page = open_page("alice", width=1200, height=750)
    for name, path, key in TOUR:
        page.goto(path)
        shoot(page, f"tour-{name}", key=key)
