"""The steps of bench/scale.py that fetch pages: how long each takes, what it asks the database, what it weighs."""

from __future__ import annotations

import gzip
import re
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urljoin

from flask.testing import FlaskClient
from flask_security import hash_password
from make_data import Size, channel_name, sku_of, title_of
from scale_steps import Answer, settings_of
from sqlalchemy import event, select

from webapp import create_app
from webapp.db import db, unit_of_work
from webapp.models import Attempt, Channel, Link, Listing, ListingState, Product, SyncRun, User
from webapp.models.listings import NOT_COMPUTED

SLOWEST = 150  # ms: what 95 of 100 fetches of any page stay below
REVIEW_HTML, FIRST_VISIT = 14 * 1024, 110 * 1024  # bytes, gzipped
PASSWORD = token_urlsafe(16)  # of an instance made for measuring
LINKED = re.compile(r"""(?:<link[^>]+href|<script[^>]+src|<img[^>]+src)="(/[^"#]+)""")
INSIDE = re.compile(r"""url\(["']?([^"')#]+)""")


class Cursor(sqlite3.Cursor):
    """Knows how long SQLite worked for it: most of a statement's time may pass while its rows are fetched."""

    spent = 0.0

    def execute(self, *given: Any) -> Any:
        return self._timed(super().execute, *given)

    def fetchone(self) -> Any:
        return self._timed(super().fetchone)

    def fetchmany(self, *given: Any) -> Any:
        return self._timed(super().fetchmany, *given)

    def fetchall(self) -> Any:
        return self._timed(super().fetchall)

    def _timed(self, step: Callable[..., Any], *given: Any) -> Any:
        begun = time.perf_counter()
        try:
            return step(*given)
        finally:
            self.spent += time.perf_counter() - begun


class Connection(sqlite3.Connection):
    """Gives such cursors."""

    def cursor(self, *_: Any) -> Any:
        return super().cursor(Cursor)


@dataclass
class Asked:
    """The statements of one request with their cursors, and whether one had an OFFSET above 0."""

    statements: list[tuple[str, Cursor]] = field(default_factory=list)
    offset: bool = False

    def slowest(self) -> tuple[str, float]:
        """The statement that took longest, and its seconds."""
        return max(((text, cursor.spent) for text, cursor in self.statements), key=lambda s: s[1], default=("", 0.0))


def pages(folder: Path, size: Size, visits: int = 40) -> Answer:
    """Fetch every page `visits` times, signed in; the first fetch warms up and does not count.

    The first page of the process is fetched before anything else and told apart: what a person waits for after a
    start. What a web process does beside its first answers (webapp/warmup.py) has ended when the others are fetched.
    """
    settings = settings_of(folder)
    connect = {"timeout": 5, "check_same_thread": False, "factory": Connection}
    options = {"connect_args": connect, "pool_size": 20, "max_overflow": 20}
    app = create_app(settings, WTF_CSRF_ENABLED=False, SQLALCHEMY_ENGINE_OPTIONS=options)
    with app.app_context():
        with unit_of_work() as session:
            who = session.scalars(select(User).order_by(User.id).limit(1)).one()
            who.password, name = hash_password(PASSWORD), who.email
        addresses = _addresses(size)
        asked = _listen()
    browser = app.test_client()
    begun = time.perf_counter()
    browser.post("/login", data={"email": name, "password": PASSWORD})
    signed_in, begun = time.perf_counter() - begun, time.perf_counter()
    browser.get("/review", follow_redirects=True)
    first = {"sign in": signed_in * 1000, "review": (time.perf_counter() - begun) * 1000}
    for thread in threading.enumerate():
        if thread.name == "warmup":
            thread.join()
    lines = [_page(browser, name, address, asked, visits) for name, address in addresses.items()]
    return {"pages": lines, "first_visit": _first_visit(browser, "/review"), "first_ms": first}


def table(answer: Answer) -> bool:
    """Print the pages; gives whether all hold."""
    head = ("page", "status", "p50 ms", "p95 ms", "cpu p50", "cpu p95", "queries", "KB gz", "slowest statement")
    print("{:<36}{:>7}{:>8}{:>8}{:>8}{:>8}{:>8}{:>9}  {}".format(*head))
    good = answer["first_visit"] <= FIRST_VISIT
    for page in answer["pages"]:
        broken = _broken(page)
        good = good and not broken
        slow = f"{page['slowest_ms']:.0f} ms {page['slowest'][:70]}" if page["slowest_ms"] >= 5 else ""
        print(
            f"{page['name']:<36}{page['status']:>7}{page['p50']:>8.1f}{page['p95']:>8.1f}{page['cpu_p50']:>8.1f}"
            f"{page['cpu_p95']:>8.1f}{page['queries']:>8}{page['gz'] / 1024:>9.1f}  {broken}{slow}"
        )
    first = f"{answer['first_visit'] / 1024:.1f} KB gzipped, at most {FIRST_VISIT // 1024}"
    print(f"\nfirst visit of /review with all it loads: {first}")
    waits = ", ".join(f"{what} {ms:.0f} ms" for what, ms in answer["first_ms"].items())
    print(f"first answers of a fresh process, while it warms up: {waits}")
    return good


def _broken(page: dict[str, Any]) -> str:
    """What is wrong with a page's figures, in a word, or nothing."""
    if page["status"] != 200:
        return "NOT FOUND "
    if page["offset"]:
        return "OFFSET "
    if page["p95"] > SLOWEST:
        return "TOO SLOW "
    return "TOO HEAVY " if page["name"] == "review" and page["gz"] > REVIEW_HTML else ""


def _addresses(size: Size) -> dict[str, str]:
    """Pages by name: each tab, a filter, a search, and a page far down the list."""
    name = channel_name(0).replace(" ", "+")
    last = channel_name(size.channels - 1).replace(" ", "+")
    with unit_of_work(read_only=True) as session:
        channel = session.scalars(select(Channel.id).where(Channel.name == channel_name(0))).one()
        far = session.scalars(select(Link.id).order_by(Link.id).offset(size.linkable // 2).limit(1)).first() or 0
        product = session.scalars(select(Product.id).order_by(Product.id.desc())).first()
        told = session.scalars(select(Attempt.product_id).order_by(Attempt.id.desc())).first()
        run = session.scalars(select(SyncRun.id).order_by(SyncRun.id.desc())).first()
        waits = select(Listing.id).where(Listing.channel_id == channel, Listing.state == ListingState.PENDING)
        ready = session.scalars(waits.where(Listing.place <= 100).order_by(Listing.id)).first()
        unknown = session.scalars(waits.where(Listing.place == NOT_COMPUTED).order_by(Listing.id.desc())).first()
    number = size.products // 3
    sku, words = sku_of(number), title_of(number).replace(" ", "+")
    found = {
        "overview": "/", "import": "/import", "review": "/review",
        "review of a channel": f"/review?channel={name}", "review of a band": f"/review?channel={name}&score=70-",
        "skipped": f"/review?channel={last}&state=skipped", "no match": f"/review?channel={last}&state=none",
        "near misses": "/review/near", "pairs": "/pairs", "pairs far down": f"/pairs?after={far}",
        "pairs of one channel": f"/pairs?channel={name}", "pairs by hand": "/pairs?by=hand",
        "pairs not sent by themselves": "/pairs?auto=off", "pairs by SKU": f"/pairs?q={sku}",
        "pairs by the beginning of a SKU": f"/pairs?q={sku[:6]}", "pairs by a listing id": f"/pairs?q=L0{number:07d}",
        "pairs by words": "/pairs?q=Bowen+lamp", "pairs by a whole title": f"/pairs?q={words}",
        "unsync all, the question": f"/pairs/unsync?match=1&channel={name}",
        "products": "/products",
        "products in stock": "/products?stock=in", "products out of stock": "/products?stock=out",
        "products not linked": "/products?linked=no",
        "products far down": f"/products?after={size.products // 2}",
        "products by SKU": f"/products?q={sku}", "products by words": "/products?q=Bowen+lamp",
        "products by a begun word": "/products?q=Bowen+not", "products by a common word": "/products?q=no",
        "products by a whole title": f"/products?q={words}", "products by a mistyped word": "/products?q=Bowwen+lammp",
        "products in stock by words": "/products?stock=in&q=Bowen+lamp",
        "product": f"/products/{product}", "sync history": "/sync/history", "connectors": "/connectors",
        "search everywhere by words": "/search?q=Bowen+lamp", "search everywhere by a code": f"/search?q={sku[:6]}",
        "rules": f"/rules?channel={name}",
        "connector": f"/connectors/{channel}", "sync of a channel": f"/connectors/{channel}/sync",
        "sync of a product": f"/products/{product}/sync", "activity": "/activity", "settings": "/settings",
    }  # fmt: skip
    if told and run:
        found |= {"product's history": f"/products/{told}?tab=history", "a run": f"/sync/history/{run}"}
    for words_for, listing in (("with suggestions", ready), ("not computed yet", unknown)):
        if listing:
            found[f"review of one {words_for}"] = f"/review/{listing}"
            found[f"candidates for one {words_for}"] = f"/review/{listing}/search"
            found[f"adding one {words_for}"] = f"/review/{listing}/add"
    return found


def _page(browser: FlaskClient, name: str, address: str, asked: Asked, visits: int) -> dict[str, Any]:
    """The figures of one page."""
    answer = browser.get(address, follow_redirects=True)
    times, worked, slowest = [], [], ("", 0.0)
    asked.offset = False
    for _ in range(visits):
        asked.statements.clear()
        begun, cpu = time.perf_counter(), time.process_time()
        answer = browser.get(address, follow_redirects=True)
        times.append((time.perf_counter() - begun) * 1000)
        worked.append((time.process_time() - cpu) * 1000)
        slowest = max(asked.slowest(), slowest, key=lambda s: s[1])
    return {
        "name": name, "status": answer.status_code, "p50": statistics.median(times), "p95": _p95(times),
        "queries": len(asked.statements), "gz": len(gzip.compress(answer.data)),
        "offset": asked.offset, "cpu_p50": statistics.median(worked), "cpu_p95": _p95(worked),
        "slowest": " ".join(slowest[0].split()), "slowest_ms": slowest[1] * 1000,
    }  # fmt: skip


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def _listen() -> Asked:
    """Hears every statement from now on."""
    asked = Asked()

    def after(_c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        for found in re.finditer(r"OFFSET \?", statement):  # SQLAlchemy writes one of 0 for none
            asked.offset |= bool(parameters[statement.count("?", 0, found.start())])
        asked.statements.append((statement, cursor))

    event.listen(db.engine, "after_cursor_execute", after)
    return asked


def _first_visit(browser: FlaskClient, address: str) -> int:
    """Bytes of the page and of everything it links, and what its styles name, gzipped where that helps."""
    page = browser.get(address, follow_redirects=True)
    total, seen = len(gzip.compress(page.data)), set[str]()
    waiting = LINKED.findall(page.text)
    while waiting:
        link = waiting.pop()
        if link in seen or link.startswith("data:"):
            continue
        seen.add(link)
        body = browser.get(link)
        if body.status_code != 200 or body.mimetype == "text/html":
            continue
        total += min(len(gzip.compress(body.data)), len(body.data))
        if body.mimetype == "text/css":
            waiting += [urljoin(link, inner) for inner in INSIDE.findall(body.text) if not inner.startswith("data:")]
    return total


STEPS = {"pages": pages}
