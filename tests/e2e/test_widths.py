"""Between a phone and a wide screen, in the longest language, with words that never end: nothing leaves its place."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.steps import PAGES, everybody_reads, one_linked
from tests.factories import Make
from webapp.db import unit_of_work

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]
CHANNEL = "Überlanger Kanalname & Söhne <b>Österreich</b>"
MORE = ("/products?q=ENDLESS", "/import/1", "/import/1/done", f"/review?channel={CHANNEL}", f"/pairs?channel={CHANNEL}")
# What is wider than the window, and each part whose words stand beyond its edge without being cut on purpose.
ASTRAY = """() => {
  const found = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`page ${document.documentElement.scrollWidth}`);
  for (const part of document.querySelectorAll('td, th, .btn, .chip, .st, .top, .note, .card > header')) {
    if (!part.checkVisibility() || part.closest('.sr, dialog:not([open]), details:not([open]) > .menu')) continue;
    const style = getComputedStyle(part), cut = style.overflowX === 'hidden' && style.textOverflow === 'ellipsis';
    const table = part.closest('.card > table'), card = table && table.parentElement;
    if (!cut && part.clientWidth > 1 && part.scrollWidth > part.clientWidth + 1 && !part.querySelector('.sr'))
      found.push(`${part.tagName}.${part.className} ${part.textContent.trim().slice(0, 40)}`);
    if (card && innerWidth > 760 && table.scrollWidth > card.clientWidth)
      found.push(`table ${table.className} ${table.scrollWidth}`);
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("width", [320, 761, 1024, 1440])
@pytest.mark.parametrize("language", ["es", "fr"])
def test_long_words_stay_in_their_place(live: Live, sample: None, open_page: Any, language: str, width: int) -> None:
    app, _ = live
    everybody_reads(app, language)
    with app.app_context(), unit_of_work() as session:
        make = Make(session, app.extensions["pairbook_settings"])
        facts = {"title": "W" * 180, "brand": "B" * 90, "sku": "ENDLESS-" + "X" * 60}
        product = make.product(**facts, price="12345.67")
        make.listing(**facts | {"sku": facts["sku"] + "-"}, channel=make.channel(CHANNEL, "file"))
        make.link(product, make.listing(**facts, channel=make.channel("Beta")))
        endless = product.id
    page = open_page("alice", width=width, height=844)
    astray = {}
    for path in (*(path.format(product=one_linked(app)) for path in PAGES), *MORE, f"/products/{endless}"):
        answer = page.goto(path)
        assert answer.status < 500, path
        astray[path] = page.evaluate(ASTRAY)
    assert {path: found for path, found in astray.items() if found} == {}


def test_a_dark_screen_prints_on_white_and_without_what_is_pressed(sample: None, open_page: Any) -> None:
    page = open_page("alice", scheme="dark")
    page.goto("/review?channel=Amazon+MX")
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) != "rgb(247, 246, 243)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(247, 246, 243)"
    for part in ("#nav", "#queue", ".decide"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator("table.duo")).to_be_visible()
