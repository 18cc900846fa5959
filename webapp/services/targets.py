"""What each linked listing ought to be told now, marked in the same transaction as the change.

A link is its own target: `want_stock` and `want_price` say what is due, `due_at` when. Nothing is kept of
the value itself; the worker reads the product when it sends, so a hundred changes cost one delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from webapp.db import among, ring
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link

BELL = "propagate"
UNKNOWN = -1  # a told version below every other: something was told, nobody knows what
CHUNK = 500  # ids in one statement: under every database's limit of parameters


def mark(session: Session, product_ids: Sequence[int], *, stock: bool, price: bool, now: datetime | None = None) -> int:
    """Mark the live links of these products on automatic channels as due; gives how many.

    Manual channels are not marked: their plan compares what was told with what is true when somebody asks.
    """
    now = now or utc_now()
    marked = 0
    for start in range(0, len(product_ids), CHUNK):
        marked += _mark(
            session, Link.product_id.in_(product_ids[start : start + CHUNK]), stock=stock, price=price, now=now
        )
    if marked:
        ring(session, BELL)
    return marked


def mark_batch(session: Session, batch_id: int, listing_ids: Sequence[int], *, now: datetime | None = None) -> int:
    """Mark the links that a batch has just made of these listings: a new pair is told all that its channel is told."""
    if not listing_ids:
        return 0
    which = and_(Link.batch_id == batch_id, among(session, Link.listing_id, listing_ids))
    marked = _mark(session, which, stock=True, price=True, now=now or utc_now())
    if marked:
        ring(session, BELL)
    return marked


def assert_again(session: Session, link_id: int, *, stock: bool, price: bool, due: bool, at: datetime) -> None:
    """Say a linked listing's values once more: a late delivery may have overwritten them.

    `due` is false on channels that are sent to by hand: what was told counts as not known there, so that the next
    plan shows it as a difference.
    """
    values: dict[str, object] = {"due_at": at, "dirty_at": func.coalesce(Link.dirty_at, at)} if due else {}
    if stock:
        values |= {"told_stock_version": UNKNOWN, "told_quantity": None} | ({"want_stock": True} if due else {})
    if price:
        values |= {"told_price_version": UNKNOWN, "told_price": None} | ({"want_price": True} if due else {})
    if values:
        statement = update(Link).where(Link.id == link_id).values(values)
        session.execute(statement.execution_options(synchronize_session="fetch"))
        ring(session, BELL)


def _mark(session: Session, which: ColumnElement[bool], *, stock: bool, price: bool, now: datetime) -> int:
    """One statement: a link is due when something its channel is told automatically has changed."""
    automatic = select(Channel.id).where(Channel.mode == SendMode.AUTOMATIC)
    told_price = Link.channel_id.in_(automatic.where(Channel.sends_price))
    told_stock = or_(
        Link.channel_id.in_(automatic.where(~Channel.in_stock_only)),
        and_(Link.channel_id.in_(automatic.where(Channel.in_stock_only)), _crosses_zero()),
    )
    values: dict[str, object] = {
        "due_at": case((Link.due_at < now, Link.due_at), else_=now),
        "dirty_at": func.coalesce(Link.dirty_at, now),
        "tries": 0,
    }
    if stock:
        values["want_stock"] = or_(Link.want_stock, told_stock)
    if price:
        values["want_price"] = or_(Link.want_price, told_price)
    scope = or_(*([told_stock] if stock else []), *([told_price] if price else []))
    if session.get_bind().dialect.name == "postgresql":  # in id order, as everywhere: two writers never wait in a ring
        session.execute(select(Link.id).where(which, Link.auto_sync, scope).order_by(Link.id).with_for_update())
    statement = update(Link).where(which, Link.auto_sync, scope).values(**values)
    done = session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _crosses_zero() -> ColumnElement[bool]:
    """Whether a listing would be told "in stock" or "out of stock" anew.

    A link that was told nothing for sure, or had trouble since, is told again: what its channel shows is not known.
    """
    turned = exists().where(
        Product.id == Link.product_id,
        or_(and_(Link.told_quantity > 0, Product.available <= 0), and_(Link.told_quantity <= 0, Product.available > 0)),
    )
    return or_(Link.told_stock_version <= 0, Link.told_quantity.is_(None), Link.problem != "", turned)


def forget_stock(session: Session, channel: Channel, *, now: datetime) -> None:
    """Let what a channel was told of stock count as not known, for "in stock" says no quantity.

    The brakes still go by it: which listings are in stock is known as before.
    On an automatic channel every pair with auto-sync is told anew; by hand the next plan shows it.
    """
    told = (Link.channel_id == channel.id, Link.told_stock_version != 0)
    forgotten = update(Link).where(*told).values(told_stock_version=UNKNOWN)
    session.execute(forgotten.execution_options(synchronize_session=False))
    session.expire_all()
    if _mark(session, Link.channel_id == channel.id, stock=True, price=False, now=now):
        ring(session, BELL)
