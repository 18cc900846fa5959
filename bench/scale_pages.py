"""The steps of bench/scale.py that fetch pages: how long each takes, what it asks the database, what it weighs."""

from __future__ import annotations

import gzip
import re
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from flask.testing import FlaskClient
from make_data import Size, channel_name, sku_of
from scale_steps import Answer, settings_of
from sqlalchemy import event, select

from webapp import create_app
from webapp.db import db, unit_of_work
from webapp.models import Channel, Link, Product, User

SLOWEST = 150  # ms: what 95 of 100 fetches of any page stay below
REVIEW_HTML, FIRST_VISIT = 14 * 1024, 110 * 1024  # bytes, gzipped
LINKED = re.compile(r"""(?:<link[^>]+href|<script[^>]+src|<img[^>]+src)="(/[^"#]+)""")
INSIDE = re.compile(r"""url\(["']?([^"')#]+)""")


@dataclass
class Asked:
    """The statements of one request, text and seconds, and whether one had an OFFSET above 0."""

    statements: list[tuple[str, float]] = field(default_factory=list)
    offset: bool = False
    begun: float = 0.0


def pages(folder: Path, size: Size, visits: int = 40) -> Answer:
    """Fetch every page `visits` times, signed in; the first fetch warms up and does not count."""
    app = create_app(settings_of(folder), WTF_CSRF_ENABLED=False)
    with app.app_context():
        addresses = _addresses(size)
        with unit_of_work(read_only=True) as session:
            who = session.scalars(select(User.fs_uniquifier)).first()
        asked = _listen()
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update({"_user_id": who, "_fresh": True, "fs_cc": "set", "fs_paa": 9e9, "identity.id": who})
    lines = [_page(browser, name, address, asked, visits) for name, address in addresses.items()]
    return {"pages": lines, "first_visit": _first_visit(browser, "/review")}


def table(answer: Answer) -> bool:
    """Print the pages; gives whether all hold."""
    head = ("page", "status", "p50 ms", "p95 ms", "cpu p95", "queries", "KB gz", "slowest statement")
    print("{:<34}{:>7}{:>8}{:>8}{:>8}{:>8}{:>9}  {}".format(*head))
    good = answer["first_visit"] <= FIRST_VISIT
    for page in answer["pages"]:
        broken = _broken(page)
        good = good and not broken
        slow = f"{page['slowest_ms']:.0f} ms {page['slowest'][:70]}" if page["slowest_ms"] >= 5 else ""
        print(
            f"{page['name']:<34}{page['status']:>7}{page['p50']:>8.1f}{page['p95']:>8.1f}{page['cpu_p95']:>8.1f}{page['queries']:>8}"
            f"{page['gz'] / 1024:>9.1f}  {broken}{slow}"
        )
    first = f"{answer['first_visit'] / 1024:.1f} KB gzipped, at most {FIRST_VISIT // 1024}"
    print(f"\nfirst visit of /review with all it loads: {first}")
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
    with unit_of_work(read_only=True) as session:
        channel = session.scalars(select(Channel.id).where(Channel.name == channel_name(0))).one()
        far = session.scalars(select(Link.id).order_by(Link.id).offset(size.linkable // 2).limit(1)).first() or 0
        product = session.scalars(select(Product.id).order_by(Product.id.desc())).first()
    sku = sku_of(size.products // 3)
    return {
        "overview": "/", "import": "/import", "review": "/review",
        "review of a channel": f"/review?channel={channel_name(0).replace(' ', '+')}",
        "near misses": "/review/near", "pairs": "/pairs", "pairs far down": f"/pairs?after={far}",
        "pairs of one channel": f"/pairs?channel={channel_name(0).replace(' ', '+')}",
        "pairs by SKU": f"/pairs?q={sku}",
        "products": "/products",
        "products in stock": "/products?stock=in", "products out of stock": "/products?stock=out",
        "products not linked": "/products?linked=no",
        "products far down": f"/products?after={size.products // 2}",
        "products by SKU": f"/products?q={sku}", "products by words": "/products?q=Bowen+lamp",
        "product": f"/products/{product}", "sync history": "/sync/history", "connectors": "/connectors",
        "connector": f"/connectors/{channel}", "activity": "/activity", "settings": "/settings",
    }  # fmt: skip


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
        slowest = max([*asked.statements, slowest], key=lambda s: s[1])
    return {
        "name": name, "status": answer.status_code, "p50": statistics.median(times), "p95": _p95(times),
        "queries": len(asked.statements), "gz": len(gzip.compress(answer.data)),
        "offset": asked.offset, "cpu_p95": _p95(worked),
        "slowest": " ".join(slowest[0].split()), "slowest_ms": slowest[1] * 1000,
    }  # fmt: skip


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def _listen() -> Asked:
    """Hears every statement from now on."""
    asked = Asked()

    def before(*_: Any) -> None:
        asked.begun = time.perf_counter()

    def after(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.offset |= "OFFSET" in statement and bool(parameters[-1])  # SQLAlchemy writes 0 for none, last of all
        asked.statements.append((statement, time.perf_counter() - asked.begun))

    event.listen(db.engine, "before_cursor_execute", before)
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
