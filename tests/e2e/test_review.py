"""Review in a browser: ten listings by keyboard, search, add to catalogue, and what keys never do."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from tests.e2e.steps import decide, heading, look, number_of, on_stage, press
from webapp.models import Link, Listing, ListingState, Product, Suggestion

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]


def state_of(app: Flask, listing_id: int) -> ListingState:
    return look(app, lambda s: s.get_one(Listing, listing_id).state)


def linked_to(app: Flask, listing_id: int) -> int | None:
    return look(app, lambda s: s.scalar(select(Link.product_id).where(Link.listing_id == listing_id)))


def sku_linked_to(app: Flask, listing_id: int) -> str:
    query = select(Product.sku).join(Link, Link.product_id == Product.id).where(Link.listing_id == listing_id)
    return look(app, lambda s: s.scalars(query).one())


def bar_of(page: Page) -> dict[str, float] | None:
    """Where the Link button is."""
    return page.locator(".decide .go").bounding_box()


def test_ten_listings_are_decided_by_keyboard_and_the_place_is_kept(live: Live, sample: None, open_page: Any) -> None:
    app, address = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX&score=80-")
    place, bar = page.url.partition("?")[2], bar_of(page)
    results = {}
    for key, state in [("a", "linked"), ("x", "none"), ("s", "pending"), ("i", "ignored"), ("Enter", "linked")] * 2:
        before, after = decide(page, key)
        results[before] = state
        assert bar_of(page) == bar
        assert page.url == f"{address}/review/{after}?{place}"
    assert len(results) == 10
    assert {i: state_of(app, i).value for i in results} == results
    # The typewriter: what was decided stands above with its result, the current listing is the fifth line.
    assert page.locator("#queue a").nth(4).get_attribute("aria-current") == "true"
    expect(page.locator("#queue a").nth(3)).to_contain_text("Linked")
    here = on_stage(page)
    page.reload()
    assert on_stage(page) == here
    assert bar_of(page) == bar


def test_undo_by_key_gives_the_listing_back_with_its_suggestions(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    first = on_stage(page)
    facts = page.locator(".duo").inner_text()
    decide(page, "a")
    decide(page, "x")
    decide(page, "z")
    assert decide(page, "z")[1] == first
    expect(page.locator("#status")).to_contain_text("waits again")
    assert page.locator(".duo").inner_text() == facts
    assert linked_to(app, first) is None
    decide(page, "a")
    assert linked_to(app, first) is not None


def test_a_number_links_another_suggestion(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto(f"/review/{with_suggestions(app, 2)}")
    wanted = page.locator(".numkey[data-key='2']").get_attribute("value")
    before, _after = decide(page, "2")
    assert linked_to(app, before) == int(wanted or 0)


def test_j_and_k_move_without_deciding(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    waiting = number_of(app, Listing, Listing.state == ListingState.PENDING)
    first, second = decide(page, "j")
    _second, third = decide(page, "ArrowDown")
    assert len({first, second, third}) == 3
    assert decide(page, "k") == (third, second)
    assert decide(page, "ArrowUp") == (second, first)
    page.go_back()
    expect(page.locator(f"#q-{second}[aria-current=true]")).to_have_count(1)
    assert number_of(app, Listing, Listing.state == ListingState.PENDING) == waiting


def test_keys_do_nothing_while_typing_nor_with_modifiers(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    first, links = on_stage(page), number_of(app, Link)
    press(page, "/")
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.fill("")
    page.keyboard.type("axsz2")
    expect(field).to_have_value("axsz2")
    page.keyboard.press("Escape")
    for chord in ("Alt+a", "Control+x", "Meta+s"):
        press(page, chord)
    assert on_stage(page) == first
    assert number_of(app, Link) == links
    assert state_of(app, first) == ListingState.PENDING


def test_a_listing_is_on_the_screen_before_a_key_decides_it(live: Live, sample: None, open_page: Any) -> None:
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    first = on_stage(page)
    # A second press in the very moment in which the next listing appears waits until there was time to see it.
    page.evaluate("""() => new MutationObserver(() => {
        const now = document.querySelector("form#stage")?.dataset.stage;
        if (now !== (window.seen ||= [["", 0]]).at(-1)[0]) window.seen.push([now, performance.now()]);
        const again = new KeyboardEvent("keydown", {key: "s", bubbles: true});
        if (window.seen.length === 2) document.body.dispatchEvent(again);
    }).observe(document.querySelector(".rv"), {childList: true})""")
    press(page, "s")
    page.wait_for_function("() => window.seen?.length > 2")
    stages = page.evaluate("() => window.seen.slice(1)")
    assert stages[1][1] - stages[0][1] >= 240
    expect(page.locator(f"#q-{first}[aria-current=true]")).to_have_count(0)


def test_single_keys_can_be_switched_off_and_stay_off(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    first, links = on_stage(page), number_of(app, Link)
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Add to catalogue")
    dialog.get_by_role("switch", name="Single keys").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    for _time in range(2):
        for key in ("a", "x", "s", "2", "j"):
            press(page, key)
        assert on_stage(page) == first
        page.reload()
    assert number_of(app, Link) == links
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.locator(f"#q-{first}")).to_contain_text("Linked")


def test_keys_that_a_person_moved_act_are_printed_and_their_old_places_are_quiet(
    live: Live, sample: None, open_page: Any
) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/settings#own-keys")
    page.get_by_label("Link, or keep a pair").fill("l")
    page.get_by_label("Skip").fill("l")
    page.get_by_role("button", name="Save keys").click()
    expect(page.get_by_role("alert").filter(has_text="2 keys cannot be saved like that.")).to_be_visible()
    expect(page.get_by_label("Skip")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Skip").fill("a")
    page.get_by_role("button", name="Save keys").click()
    expect(page.locator("#toasts")).to_contain_text("Your keys are saved.")
    page.goto("/review?channel=Amazon+MX")
    expect(page.get_by_role("button", name="Link", exact=True)).to_have_attribute("aria-keyshortcuts", "L")
    expect(page.get_by_role("button", name="Link", exact=True).locator("kbd")).to_have_text("L")
    first, links = on_stage(page), number_of(app, Link)
    press(page, "s")  # means nothing any more
    assert on_stage(page) == first
    before, _after = decide(page, "a")  # skips
    assert before == first
    assert number_of(app, Link) == links
    before, _after = decide(page, "l")
    assert number_of(app, Link) == links + 1
    expect(page.locator(f"#q-{before}")).to_contain_text("Linked")
    press(page, "?")
    line = page.get_by_role("dialog", name="Keyboard shortcuts").locator("[data-has]").filter(has_text="Skip")
    expect(line.locator("kbd")).to_have_text("A")
    page.keyboard.press("Escape")
    for key in ("g", "p"):  # the keys of the menu stay
        press(page, key)
    page.wait_for_url("**/pairs")


def test_search_by_keyboard_links_a_product_that_was_not_suggested(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    before = on_stage(page)
    press(page, "/")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    assert dialog.get_by_role("searchbox").input_value()  # the rarest words of the title are there already
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(heading(page)).to_be_focused()
    press(page, "/")
    page.get_by_role("searchbox").fill("Ridge Tent")
    found = page.locator("#results [data-row]", has_text="NOM-TNT-2")
    expect(found).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#results [data-row]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator(f"#q-{before}")).to_contain_text("Linked")
    expect(heading(page)).to_be_focused()
    assert sku_linked_to(app, before) == "NOM-TNT-2"


def test_adding_to_the_catalogue_shows_what_is_alike_first(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    before, products = on_stage(page), number_of(app, Product)
    press(page, "n")
    dialog = page.get_by_role("dialog", name="Add to catalogue")
    expect(dialog).to_contain_text("This product may already be in your catalogue")
    expect(dialog.get_by_role("button", name="Link to this").first).to_be_focused()
    dialog.get_by_label("SKU", exact=True).fill("BRAND-NEW-1")
    dialog.get_by_label("GTIN").fill("")
    dialog.get_by_role("button", name="Add anyway and link").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(f"#q-{before}")).to_contain_text("Added")
    assert number_of(app, Product) == products + 1
    assert sku_linked_to(app, before) == "BRAND-NEW-1"
    press(page, "z")
    expect(page.locator(f"#q-{before}[aria-current=true]")).to_have_count(1)
    assert linked_to(app, before) is None


def with_suggestions(app: Flask, least: int) -> int:
    """A waiting listing with at least so many suggestions, whose last one has no other listing on the channel yet."""
    taken = select(Link.id).where(Link.product_id == Suggestion.product_id, Link.channel_id == Listing.channel_id)
    query = (
        select(Listing.id)
        .join(Suggestion, Suggestion.listing_id == Listing.id)
        .where(Listing.state == ListingState.PENDING, Suggestion.rank == least, ~taken.exists())
        .order_by(Listing.id)
    )
    return look(app, lambda s: s.scalars(query).first()) or 0


def test_a_form_that_comes_back_with_words_breaks_no_policy(sample: None, open_page: Any) -> None:
    page = open_page("bob")
    page.goto("/review?channel=Amazon+MX")
    press(page, "n")
    name = page.locator("#add-form [name=title]")
    expect(name).to_be_visible()
    touched = "all => all.forEach(e => { e.style.color = 'red'; e.style.color = '' })"  # an empty style stays on them
    page.locator("#add-form input").evaluate_all(touched)
    name.fill("")
    page.locator("button[form=add-form]").click()
    expect(page.locator("#add-form .err")).to_have_text("Type a name.")
