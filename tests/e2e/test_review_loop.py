"""The loop of the review: the next listing before the answer, fast keys in order, decisions that wait for a network."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from tests.e2e.conftest import PASSWORD, wait_until
from tests.e2e.steps import heading, look, number_of, on_stage, press, saved
from webapp.models import Link, LinkBatch, Listing, ListingState

pytestmark = pytest.mark.e2e
Live = tuple[Flask, str]
AMAZON = "/review?channel=Amazon+MX"


def start(page: Page) -> int:
    """Open the review and wait until the next listing was fetched ahead; gives the one on the stage."""
    page.goto(AMAZON)
    page.wait_for_function("() => document.documentElement.dataset.ahead")
    return on_stage(page)


def queue_of(page: Page) -> list[int]:
    """The ids of the queue from the listing on the stage on."""
    lines = page.locator("#queue a").evaluate_all("all => all.map(a => a.id)")
    return [int(line.removeprefix("q-")) for line in lines][lines.index(f"q-{on_stage(page)}") :]


def decided(app: Flask) -> list[int]:
    """The listings that Bob decided on, in the order in which it was saved."""
    query = select(LinkBatch.listing_id).where(LinkBatch.by_name == "bob").order_by(LinkBatch.id)
    return look(app, lambda s: list(s.scalars(query)))


def state_of(app: Flask, listing_id: int) -> ListingState:
    return look(app, lambda s: s.get_one(Listing, listing_id).state)


def test_the_next_listing_is_there_before_the_answer(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    first = start(page)
    second = queue_of(page)[1]
    held: list[Route] = []
    page.route("**/review/*/none*", lambda route: held.append(route))
    press(page, "x")
    expect(page.locator(f"#q-{second}[aria-current=true]")).to_have_count(1)
    expect(heading(page)).to_be_focused()
    assert page.url.split("/review/")[1].startswith(f"{second}?")
    assert held
    assert state_of(app, first) == ListingState.PENDING  # nothing was answered yet
    held[0].continue_()
    expect(page.locator(f"#q-{first}")).to_contain_text("No match")
    expect(page.locator("#status")).to_contain_text("No match. Next:")
    assert on_stage(page) == second
    expect(heading(page)).to_be_focused()
    page.reload()
    assert on_stage(page) == second


def test_fast_keys_act_in_order_and_none_is_lost(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    start(page)
    wanted = queue_of(page)[:8]
    for _time in range(8):
        page.keyboard.press("s")  # nobody is as fast as that
    wait_until(lambda: len(decided(app)) >= 8, 30)
    saved(page)
    assert decided(app) == wanted
    expect(page.locator(f"#q-{wanted[-1]}")).to_contain_text("Skipped")
    expect(heading(page)).to_be_focused()


def test_undo_takes_back_a_key_that_still_waits(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    first, second = start(page), queue_of(page)[1]
    page.evaluate("""() => { for (const key of ["x", "x", "z"]) document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})) }""")
    wait_until(lambda: decided(app) == [first])
    page.wait_for_timeout(600)
    assert decided(app) == [first]
    assert on_stage(page) == second
    assert state_of(app, second) == ListingState.PENDING


def test_a_key_that_is_held_down_decides_once(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    first = start(page)
    page.evaluate("""() => [0, 1, 2, 3].forEach(n => document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key: "x", repeat: n > 0, bubbles: true, cancelable: true})))""")
    page.evaluate("""() => document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key: "x", isComposing: true, bubbles: true, cancelable: true}))""")
    wait_until(lambda: decided(app) == [first])
    page.wait_for_timeout(600)
    assert decided(app) == [first]


def test_a_double_click_decides_once(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    first = start(page)
    page.get_by_role("button", name="None of these").dblclick()
    wait_until(lambda: decided(app) == [first])
    page.wait_for_timeout(600)
    assert decided(app) == [first]


def test_decisions_without_a_network_wait_and_are_sent_once(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    first, second = start(page), queue_of(page)[1]
    waits = page.locator("#waits")
    page.context.set_offline(True)
    press(page, "a")
    expect(waits).to_contain_text("1 decision waits in this tab")
    expect(page.locator(f"#q-{second}[aria-current=true]")).to_have_count(1)
    press(page, "x")
    expect(waits).to_contain_text("2 decisions wait in this tab and are sent when you are back online.")
    press(page, "x")  # there is no third listing to see, so nothing is decided on it
    waits.get_by_role("button", name="Try now").click()
    expect(waits).to_be_visible()
    assert decided(app) == []
    page.context.set_offline(False)
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(waits).to_be_hidden()
    saved(page)
    assert decided(app) == [first, second]
    assert state_of(app, first) == ListingState.LINKED
    assert state_of(app, second) == ListingState.NO_MATCH
    expect(heading(page)).to_be_focused()
    assert on_stage(page) not in (first, second)


def test_an_answer_that_got_lost_is_asked_for_again_and_acts_once(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    first, links = start(page), number_of(app, Link)

    def lose(route: Route) -> None:
        route.fetch()  # the server has saved it
        route.abort("internetdisconnected")

    page.route("**/review/*/link*", lose, times=1)
    press(page, "a")
    expect(page.locator("#waits")).to_contain_text("1 decision waits")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#waits")).to_be_hidden()
    expect(page.locator(f"#q-{first}")).to_contain_text("Linked")
    assert number_of(app, Link) == links + 1
    assert decided(app) == [first]


def test_a_decision_that_was_not_saved_brings_its_listing_back(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    first = start(page)

    broken = {"status": 502, "headers": {"X-Error-Code": "7F3A"}, "body": ""}
    page.route("**/review/*/link*", lambda route: route.fulfill(**broken), times=1)
    press(page, "a")
    expect(page.locator("#waits")).to_contain_text("This was not saved.")
    expect(page.locator("#waits")).to_contain_text("7F3A")
    expect(page.locator(f"#q-{first}[aria-current=true]")).to_have_count(1)
    assert decided(app) == []
    page.get_by_role("button", name="Close").click()
    page.route("**/review/*/link*", lambda route: route.fulfill(status=503, body=""), times=1)  # a busy database
    press(page, "a")
    expect(page.locator(f"#q-{first}")).to_contain_text("Linked")
    assert decided(app) == [first]


def test_somebody_was_quicker_than_a_key_on_what_was_fetched_ahead(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    alice, bob = open_page("alice"), open_page("bob")
    start(bob)
    second = queue_of(bob)[1]
    alice.goto(f"/review/{second}?channel=Amazon+MX")
    press(alice, "a")
    wait_until(lambda: state_of(app, second) == ListingState.LINKED)
    slow: list[Route] = []
    bob.route("**/review/*/skip*", lambda route: slow.append(route))  # the answer that would tell is still on its way
    press(bob, "s")
    expect(bob.locator(f"#q-{second}[aria-current=true]")).to_have_count(1)
    press(bob, "x")
    slow[0].continue_()
    expect(heading(bob)).to_contain_text("alice linked this one")
    expect(heading(bob)).to_be_focused()
    assert state_of(app, second) == ListingState.LINKED
    press(bob, "j")
    expect(bob.locator("form#stage")).to_be_visible()
    assert on_stage(bob) != second


def test_a_session_that_ended_loses_no_place(live: Live, sample: None, open_page: Any) -> None:
    app, _ = live
    page = open_page("bob")
    for path, act in (
        ("/review?channel=Amazon+MX", lambda: press(page, "x")),
        ("/pairs?q=mug", lambda: page.get_by_role("button", name="Unlink").first.click()),
    ):
        page.goto(path)
        cookies, links = page.context.cookies(), number_of(app, Link)
        page.context.clear_cookies()
        act()
        expect(page).to_have_title("Sign in · Pairbook")
        page.get_by_label("Email").fill("bob@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(re.escape(path) + "$"))
        assert number_of(app, Link) == links
        page.context.clear_cookies()
        page.context.add_cookies(cookies)
