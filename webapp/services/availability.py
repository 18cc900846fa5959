"""Mark products as out of stock, whatever was counted of them, and as available again.

The units of a product that is marked out wait in `withheld`: what is counted, sold or moved meanwhile changes those,
and `available`, the one number that channels hear, stays 0 until somebody marks the product as available.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from webapp.db import among
from webapp.errors import phrase, phrases
from webapp.models.accounts import Actor, AuditEntry
from webapp.models.catalog import Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link
from webapp.services import audit, rechecks, targets
from webapp.services.stock import counted

CHUNK = 500


@dataclass(frozen=True)
class Marked:
    """How many products changed, how many had nothing to sell, which channels hear of it now, and the trail's line."""

    changed: int
    empty: int
    channels: int
    entry: AuditEntry | None


def mark(session: Session, which: Sequence[ColumnElement[bool]], available: bool, *, by: Actor) -> Marked:
    """Mark the products that match as available, or as out of stock; channels that send by themselves hear at once.

    Products that nobody counted stay as they are: nothing is known of them that could be sent.
    """
    alive = (*which, Product.retired_at.is_(None))
    empty = 0
    if available:
        nothing = func.coalesce(Product.withheld, Product.available) <= 0
        empty = int(session.scalar(select(func.count()).select_from(Product).where(*alive, nothing)) or 0)
        query = select(Product.id).where(*alive, Product.withheld.is_not(None))
        values: dict[str, Any] = {"available": Product.withheld, "withheld": None, "version": Product.version + 1}
    else:
        query = select(Product.id).where(*alive, Product.withheld.is_(None), counted())
        values = {"available": 0, "withheld": Product.available, "version": Product.version + 1}
    ids = list(session.scalars(query.order_by(Product.id).with_for_update()))
    if not ids:
        return Marked(0, empty, 0, None)
    for start in range(0, len(ids), CHUNK):
        some = update(Product).where(Product.id.in_(ids[start : start + CHUNK])).values(values)
        session.execute(some.execution_options(synchronize_session=False))
    session.expire_all()
    targets.mark(session, ids, stock=True, price=False)
    rechecks.ask_products(session, ids, soon=False)
    return Marked(len(ids), empty, _hearing(session, ids), _record(session, ids, available, by))


def _hearing(session: Session, ids: Sequence[int]) -> int:
    """How many channels are told of these products by themselves."""
    query = select(func.count(Link.channel_id.distinct())).join(Channel, Channel.id == Link.channel_id)
    query = query.where(among(session, Link.product_id, ids), Link.auto_sync, Channel.mode == SendMode.AUTOMATIC)
    return int(session.scalar(query.where(Channel.held == "", Channel.paused_at.is_(None))) or 0)


def _record(session: Session, ids: Sequence[int], available: bool, by: Actor) -> AuditEntry:
    n = len(ids)
    subject, name = f"{n} products", ""
    if n == 1:
        name = session.scalar(select(Product.sku).where(Product.id == ids[0])) or ""
        subject = f"product {name}"
    if available and n == 1:
        words = phrase("Marked {sku} as available.", sku=name)
    elif available:
        words = phrases("Marked {n} product as available.", "Marked {n} products as available.", n)
    elif n == 1:
        words = phrase("Marked {sku} as out of stock.", sku=name)
    else:
        words = phrases("Marked {n} product as out of stock.", "Marked {n} products as out of stock.", n)
    event = "product.marked_available" if available else "product.marked_out"
    return audit.record(session, by, event, subject, words, after=audit.of(ids))
