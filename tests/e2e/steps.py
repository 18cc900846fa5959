"""What several journeys do: press a key when the page listens, look at the stage, count what is in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from webapp.db import unit_of_work
from webapp.models import Base, Link, User

T = TypeVar("T")
PAGES = (
    "/",
    "/import",
    "/review",
    "/review?score=none",
    "/review/near?channel=Amazon+MX",
    "/rules",
    "/pairs",
    "/products",
    "/products?stock=out",
    "/products?base=1",
    "/products/new",
    "/search?q=nomad",
    "/sync/history",
    "/sync/schedules",
    "/sync/schedules/new",
    "/rules",
    "/connectors",
    "/connectors/new?kind=webhook",
    "/activity",
    "/settings",
    "/products/{product}",
    "/products/{product}?tab=history",
    "/products/{product}/edit",
    "/products/{product}/sync",
    "/pairs/unsync?match=1",
)
# Two frames later the page has noted when it was painted; after 250 ms more it takes a key for what is on it.
LISTENS = """async () => {
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  await new Promise(done => setTimeout(done, 260));
}"""


def press(page: Page, key: str) -> None:
    """Press a key once the page takes it: one that comes too soon was meant for what stood there before."""
    page.evaluate(LISTENS)
    page.keyboard.press(key)


def saved(page: Page) -> None:
    """Wait until every decision of this page was answered: the next listing is shown before that."""
    page.wait_for_function("() => !document.documentElement.dataset.sending")


def heading(page: Page) -> Locator:
    """The heading of the review's stage: the title of the listing, focused after each decision."""
    return page.locator("#stage [data-focus]").first


def on_stage(page: Page) -> int:
    """The id of the listing on the stage."""
    found = page.locator("#queue a[aria-current=true]").get_attribute("id")
    assert found is not None
    return int(found.removeprefix("q-"))


def decide(page: Page, key: str) -> tuple[int, int]:
    """Press a key that decides and wait for the next listing; gives the listings before and after."""
    before = on_stage(page)
    press(page, key)
    expect(page.locator(f"#queue a#q-{before}[aria-current=true]")).to_have_count(0)
    saved(page)
    expect(heading(page)).to_be_focused()
    return before, on_stage(page)


def look(app: Flask, run: Callable[[Session], T]) -> T:
    """Read the database beside the browser: `look(app, lambda s: s.get(Listing, 1))`."""
    with app.app_context(), unit_of_work(read_only=True) as session:
        return run(session)


def number_of(app: Flask, table: type[Base], *where: ColumnElement[bool]) -> int:
    """How many rows of a table there are."""
    return look(app, lambda s: s.scalar(select(func.count()).select_from(table).where(*where)) or 0)


def one_linked(app: Flask) -> int:
    """A product with a link: the one whose listing came first."""
    return look(app, lambda s: s.scalar(select(Link.product_id).order_by(Link.listing_id).limit(1))) or 0


def everybody_reads(app: Flask, language: str) -> None:
    """Set the language of every account."""
    with app.app_context(), unit_of_work() as session:
        session.execute(update(User).values(language=language))
