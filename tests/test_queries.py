"""What pages and workers ask the database stays cheap when tables grow: none read whole, none sorted, no OFFSET.

A few thousand rows are enough: SQLite chooses its plan without looking at how many there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text

from tests.conftest import KEY, POSTGRES, _empty, settings_for, sign_in_row
from tests.factories import Make
from webapp import create_app
from webapp.config import Settings
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.migrations import upgrade
from webapp.models import Channel, Link, Listing, ListingState, Product, SendMode, User
from webapp.models.accounts import COMMAND_LINE, Actor, Role
from webapp.models.base import utc_now
from webapp.services import catalog, links, listings, propagation

PRODUCTS, LISTINGS = 1_500, 1_500  # listings on each of two channels; the last 300 fit no product
LARGE = {
    "products", "product_words", "listings", "links", "past_links", "attempts", "audit", "link_batches", "suggestions",
    "near_misses", "suspicions", "refusals", "asides", "rechecks",
}  # fmt: skip
ALICE = "alice" * 5
PARTIAL = (
    "ix_links_not_by_sku",
    "ix_links_problem",
    "ix_products_in_stock",
    "ix_products_out_of_stock",
    "ix_suspicions_worst",
    "ix_suspicions_channel",
    "ix_asides_changed",
    "ix_links_score",
    "ix_links_apart",
    "ix_links_never",
)
NEARLY_ALL = ("", "products.retired_at IS NULL", "link_batches.verb != ?")
MOST = 25  # statements of a whole page: at most three a section and eight sections, and who is asking

PAGES = {
    "overview": "/",
    "import": "/import",
    "review": "/review",
    "review of a channel": "/review?channel=Beta",
    "review of a band": "/review?channel=Beta&score=70-100",
    "skipped": "/review?channel=Beta&state=skipped",
    "no match": "/review?channel=Beta&state=none",
    "near misses": "/review/near",
    "one listing": "/review/{waiting}",
    "candidates by words": "/review/{waiting}/search?q=Product+700",
    "adding a listing": "/review/{waiting}/add",
    "pairs": "/pairs",
    "pairs after": "/pairs?after={link}",
    "pairs of a channel": "/pairs?channel=Beta",
    "pairs by a SKU": "/pairs?q=SKU-0700",
    "pairs by the beginning of a SKU": "/pairs?q=SKU-07",
    "pairs by words": "/pairs?q=Product+700",
    "pairs by hand": "/pairs?by=hand",
    "pairs by difference": "/pairs?sort=difference",
    "pairs by difference of a channel": "/pairs?sort=difference&channel=Beta&after=500.{link}",
    "pairs by score": "/pairs?sort=score",
    "pairs by score after": "/pairs?sort=score&after=50.{link}",
    "pairs by score of a channel": "/pairs?sort=score&channel=Beta",
    "pairs by score before": "/pairs?sort=score&channel=Beta&before=99.{link}",
    "pairs never synced": "/pairs?sort=never",
    "pairs never synced, of a channel": "/pairs?sort=never&channel=Beta&after={link}",
    "suspicious pairs": "/pairs?show=suspicious",
    "suspicious pairs after": "/pairs?show=suspicious&after=90.{waiting}",
    "suspicious pairs of a channel": "/pairs?show=suspicious&channel=Beta",
    "decided on other facts": "/review?channel=Beta&state=changed",
    "unsync all of a channel": "/pairs/unsync?match=1&channel=Beta",
    "search by a code": "/search?q=SKU-07",
    "search by words": "/search?q=Product+700",
    "products": "/products",
    "products after": "/products?after={product}",
    "products in stock": "/products?stock=in",
    "products out of stock": "/products?stock=out",
    "products not linked": "/products?linked=no",
    "products on a channel": "/products?channel=Alpha",
    "products of a brand": "/products?brand=Acme",
    "products with auto-sync off": "/products?auto=off&channel=Beta&stock=in",
    "products by a SKU": "/products?q=SKU-0700",
    "products by words": "/products?q=Product+700",
    "products by a begun word": "/products?stock=in&q=prod",
    "products by a mistyped word": "/products?q=Prodduct",
    "a product": "/products/{product}",
    "a product's history": "/products/{product}?tab=history",
    "sync history": "/sync/history",
    "sync history of a channel": "/sync/history?channel=Alpha",
    "a run": "/sync/history/{run}",
    "what failed in a run": "/sync/history/{run}?show=failed",
    "sync of a channel": "/connectors/{channel}/sync",
    "connectors": "/connectors",
    "rules": "/rules?channel=Beta",
    "activity": "/activity",
    "activity before": "/activity?before=20",
}


@dataclass(frozen=True)
class Asked:
    """One statement of a page, the value of its OFFSET, and SQLite's plan (empty on PostgreSQL)."""

    statement: str
    offset: int
    plan: tuple[str, ...]

    def reads_whole(self) -> list[str]:
        """The lines of the plan that read a large table from end to end.

        Fine are: a partial index, made to be read whole, and a limit on rows nearly all of which will do.
        """
        scans = [line for line in self.plan if line.startswith("SCAN ") and table_of(line.split()[1]) in LARGE]
        return [line for line in scans if not self._first_will_do(line) and not any(name in line for name in PARTIAL)]

    def sorts(self) -> bool:
        """Whether it sorts what a whole large table, or all that one channel has of it, gives.

        The newest so many rows of one, which it has in that order, are no whole table.
        """
        looks = [line for line in self.plan if line.startswith(("SCAN ", "SEARCH "))]
        large = [x for x in looks if table_of(x.split()[1]) in LARGE and not any(name in x for name in PARTIAL)]
        whole = any(
            (line.startswith("SCAN ") and not self._newest(line)) or line.endswith("(channel_id=?)") for line in large
        )
        return whole and any("TEMP B-TREE FOR ORDER BY" in line for line in self.plan)

    def _first_will_do(self, scan: str) -> bool:
        """Whether the select that scans a table has a limit, and a condition that nearly all rows meet, if any."""
        own = self._select_of(scan)
        where = own.partition("\nWHERE ")[2].split("\n")[0].split(" ORDER BY ")[0]
        return "LIMIT" in own and where in NEARLY_ALL

    def _newest(self, scan: str) -> bool:
        """Whether that select takes the rows by their id."""
        return self._first_will_do(scan) and f" ORDER BY {scan.split()[1]}.id DESC" in self._select_of(scan)

    def _select_of(self, scan: str) -> str:
        """What stands behind FROM with the table that is scanned, up to the parenthesis that ends it.

        Where another table is named first it is what stands behind the last FROM.
        """
        _, found, rest = self.statement.partition(f"\nFROM {scan.split()[1]}")
        if not found:
            return self.statement.rpartition("\nFROM ")[2]
        depth = 0
        for place, letter in enumerate(rest):
            depth += (letter == "(") - (letter == ")")
            if depth < 0:
                return rest[:place]
        return rest


class Ear:
    """Hears statements; those of `take` come with their plans."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def __call__(self, _c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many:
            self.heard.append((statement, parameters))

    def take(self) -> list[Asked]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        with db.engine.connect() as connection:
            asked = [Asked(s, _offset(s, p), _plan(connection, s, p)) for s, p in heard]
        self.heard = []
        return asked


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Asked]]]:
    """Page or job by name: the statements of its second visit."""
    settings = settings_for(tmp_path_factory.mktemp("queries"))
    app = create_app(settings, TESTING=True, WTF_CSRF_ENABLED=False)
    with app.app_context():
        upgrade(db.engine)
        _empty()
        places = fill(settings)
        ear = Ear()
        event.listen(db.engine, "before_cursor_execute", ear)
    found = {}
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update(
            {"_user_id": f"{ALICE}.{KEY}{ALICE}", "_fresh": True, "fs_cc": "set", "fs_paa": 9e9, "identity.id": ALICE}
        )
    for name, address in PAGES.items():
        browser.get(address.format(**places))
        ear.heard = []
        answer = browser.get(address.format(**places), follow_redirects=True)
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
        with app.app_context():
            found[name] = ear.take()
    with app.app_context():
        found["claim"] = claim(ear, places["channel"])
        event.remove(db.engine, "before_cursor_execute", ear)
        yield found
        if POSTGRES:
            _empty()
        db.engine.dispose()


def fill(settings: Settings) -> dict[str, int]:
    """A catalogue, two channels, most listings linked, some decided, one run sent; gives ids to visit."""
    bob = Actor(None, "Bob", Role.EDITOR)
    with unit_of_work() as session:
        alice = User(email="alice@example.com", name="Alice", role=Role.OWNER, password="unusable", fs_uniquifier=ALICE)
        session.add(alice)
        session.flush()
        sign_in_row(session, alice)
        make = Make(session, settings)
        channels = [make.channel("Alpha"), make.manual(make.channel("Beta"))]
        channels[0].mode = SendMode.AUTOMATIC
        catalog.upsert_products(session, [_good(i) for i in range(PRODUCTS)], by=COMMAND_LINE, currency="USD")
        for channel in channels:
            rows = [_offer(channel, i) for i in range(300, 300 + LISTINGS)]
            listings.upsert_listings(session, rows, {channel.name: channel})
    tasks.reconcile(None, by=COMMAND_LINE)
    with unit_of_work() as session:
        some = list(session.scalars(select(Link.listing_id).order_by(Link.id.desc()).limit(20)))
        links.unlink(session, some, by=bob)
        waiting = list(session.scalars(select(Listing.id).where(Listing.state == "pending").limit(30)))
        links.skip(session, waiting[0], by=bob)
        for listing_id in waiting[1:20]:
            links.set_aside(session, [listing_id], ListingState.NO_MATCH, by=bob)
    tasks.propagate(settings)
    with unit_of_work() as session:
        run = session.execute(text("SELECT max(id) FROM sync_runs")).scalar()
        alpha = session.scalars(select(Channel.id).where(Channel.name == "Alpha")).one()
        stocked = list(session.scalars(select(Link.product_id).where(Link.channel_id == alpha).limit(50)))
        make = Make(session, settings)
        for product_id in stocked:
            make.stock(session.get_one(Product, product_id), 77)
        return {  # the ids that PAGES names
            "product": PRODUCTS // 2, "channel": alpha, "run": run or 1, "waiting": waiting[-1],
            "link": session.scalars(select(Link.id).order_by(Link.id).offset(500).limit(1)).one(),
        }  # fmt: skip


def claim(ear: Ear, channel_id: int) -> list[Asked]:
    """What a worker asks to find out what is due, and takes."""
    with unit_of_work() as session:
        ear.heard = []
        taken = propagation.claim_due(
            session, channel_id, now=utc_now() + timedelta(minutes=1), limit=20, worker="test"
        )
        assert taken is not None
        assert taken.deliveries
        heard = list(ear.heard)
    ear.heard = heard
    return ear.take()


def _good(i: int) -> dict[str, Any]:
    return {"sku": f"SKU-{i:04d}", "title": f"Product {i}", "quantity": i % 3, "price": "9.90"}


def _offer(channel: Channel, i: int) -> dict[str, Any]:
    sku = f"SKU-{i:04d}" if i % 50 else f"sku{i:04d}"
    row = {"channel": channel.name, "listing_id": f"{channel.name}-{i}", "sku": sku, "match_key": sku}
    return {**row, "title": f"Product {i}", "quantity": i % 3, "price": "9.90"}


def _offset(statement: str, parameters: Any) -> int:
    """The largest OFFSET of a statement; SQLAlchemy writes one of 0 for none on SQLite."""
    if isinstance(parameters, dict):
        return int("OFFSET" in statement)
    places = [statement.count("?", 0, found.start()) for found in re.finditer(r"OFFSET \?", statement)]
    return max((int(parameters[place]) for place in places), default=0)


def _plan(connection: Connection, statement: str, parameters: Any) -> tuple[str, ...]:
    if connection.dialect.name != "sqlite" or not statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
        return ()
    return tuple(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))


def each(asked: dict[str, list[Asked]]) -> Iterator[tuple[str, Asked]]:
    """Every statement with the name of its page."""
    return ((name, one) for name, statements in asked.items() for one in statements)


def table_of(alias: str) -> str:
    """The table that a name in a plan stands for: “listings_1” is a second look at listings."""
    return re.sub(r"_\d+$", "", alias)


def test_no_page_reads_a_large_table_from_end_to_end(asked: dict[str, list[Asked]]) -> None:
    whole = [f"{name}: {one.reads_whole()} {one.statement}" for name, one in each(asked) if one.reads_whole()]
    assert not whole, "\n\n".join(whole)


def test_no_page_sorts_a_large_table(asked: dict[str, list[Asked]]) -> None:
    in_vain = [f"{name}: {one.statement} {one.plan}" for name, one in each(asked) if one.sorts()]
    assert not in_vain, "\n\n".join(in_vain)


def test_no_page_counts_its_way_down_with_an_offset(asked: dict[str, list[Asked]]) -> None:
    assert not [f"{name}: {one.statement}" for name, one in each(asked) if one.offset]


def test_every_page_asks_few_questions(asked: dict[str, list[Asked]]) -> None:
    assert not {name: len(statements) for name, statements in asked.items() if not 0 < len(statements) <= MOST}
