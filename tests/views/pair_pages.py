"""What the tests of the pairs' pages have in common."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, select

from tests.factories import Make
from webapp.models import Link

HX = {"HX-Request": "true"}


def live(session: Any) -> int:
    return session.scalar(select(func.count()).select_from(Link))


def shown(page: Any) -> list[int]:
    """The listings on the page, in order."""
    return [int(i) for i in re.findall(r'<tr id="pair-(\d+)"', page.text)]


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def many(n: int, channel: str = "Alpha") -> Any:
    return lambda m: [m.link(channel=m.channel(channel)).listing_id for _ in range(n)]


def mug_and_bottle(m: Make) -> dict[str, int]:
    mug = m.product("MUG-1", title="Field mug, terracotta", gtin="4006381333931", quantity=230, price="14.90")
    bottle = m.product("BTL-7", title="Insulated bottle, sage", quantity=5, price="24.90")
    first = m.listing("MUG-1", listing_id="B0MUG", title="Enamel camp mug", quantity=218, price="14.90", currency="USD")
    second = m.listing("X-9", listing_id="B0BTL", title="Steel flask", quantity=5, price="25.50", currency="USD",
                       channel=m.channel("Beta"))  # fmt: skip
    return {"mug": m.link(mug, first).listing_id, "bottle": m.link(bottle, second).listing_id}
