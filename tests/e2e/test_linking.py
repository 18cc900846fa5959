"""Links beyond the single decision: by SKU, groups of near misses, two people at once, the same click twice."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.e2e.steps import decide, heading, number_of, on_stage, press
from webapp.db import unit_of_work
from webapp.models import Link, LinkSource, NearMiss
from webapp.models.accounts import COMMAND_LINE
from webapp.services import links

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]


def test_linking_by_sku_is_one_click_and_its_undo_another(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    with app.app_context(), unit_of_work() as session:
        batch = session.query(Link.batch_id).limit(1).scalar()
        links.undo(session, batch or 0, by=COMMAND_LINE)
    assert number_of(app, Link) == 0
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    page.get_by_role("button", name="Link by SKU").click()
    said = page.get_by_role("heading", name="linked by SKU.").inner_text()
    linked = number_of(app, Link, Link.source == LinkSource.SKU)
    assert linked > 0
    assert said.startswith(f"{linked} listings")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts .toast")).to_have_count(1)
    assert number_of(app, Link) == 0


def test_a_group_of_near_misses_is_linked_and_taken_back(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    before = number_of(app, Link)
    page.get_by_role("link", name="Nearly equal SKUs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nearly equal SKUs")
    groups = page.locator("section.card[aria-labelledby^=near-]")
    sizes = groups.count()
    assert sizes > 1
    name = groups.first.get_by_role("heading").inner_text()
    groups.first.get_by_role("button", name="Link all").click()
    expect(page.locator(".note.ok").first).to_be_visible()
    linked = number_of(app, Link) - before
    assert linked > 0
    expect(page.get_by_role("heading", name=name, exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts .toast")).to_have_count(1)
    assert number_of(app, Link) == before
    assert number_of(app, NearMiss) >= linked


def test_the_second_of_two_people_reads_who_was_first(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    bob, alice = open_page("bob"), open_page("alice")
    for page in (bob, alice):
        page.goto("/review?channel=Amazon+MX")
    listing = on_stage(bob)
    assert on_stage(alice) == listing
    before = number_of(app, Link)
    decide(bob, "a")
    press(alice, "x")
    card = alice.locator("#stage [role=alert]")
    expect(card).to_contain_text("bob linked this one")
    expect(card).to_contain_text("Your key press changed nothing.")
    expect(heading(alice)).to_be_focused()
    assert number_of(app, Link) == before + 1
    press(alice, "j")
    expect(alice.locator("#queue a[aria-current=true]")).not_to_have_id(f"q-{listing}")
    expect(alice.locator(".decide")).to_be_visible()
    assert number_of(app, Link, Link.listing_id == listing) == 1


def test_a_double_click_links_once(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    before, first = number_of(app, Link), on_stage(page)
    page.locator(".decide .go").dblclick()
    expect(page.locator(f"#q-{first}")).to_contain_text("Linked")
    second = on_stage(page)
    page.reload()
    assert on_stage(page) == second
    assert number_of(app, Link) == before + 1


def test_a_form_sent_again_links_once(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob", scripts=False)
    page.goto("/review?channel=Amazon+MX")
    before = number_of(app, Link)
    form = page.locator("#stage")
    fields = {
        name: form.locator(f"input[name={name}]").first.input_value() for name in ("csrf_token", "key", "version")
    } | {"product_id": page.locator(".decide .go").get_attribute("value") or ""}
    action = form.get_attribute("action") or ""
    answers = [page.request.post(action, form=fields, max_redirects=0).status for _ in range(3)]
    assert answers == [303, 303, 303]
    assert number_of(app, Link) == before + 1
