"""Marking: which links a change makes due, and what they are to be told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from webapp.models import Link, SendMode
from webapp.models.base import utc_now
from webapp.services import targets


def fresh(session, link) -> Link:
    link.due_at = link.dirty_at = None
    link.want_stock = link.want_price = False
    session.flush()
    return link


def again(session, link) -> Link:
    return session.get_one(Link, link.id, populate_existing=True)


@pytest.mark.parametrize(
    ("mode", "sends_price", "auto_sync", "stock", "price", "wants"),
    [
        (SendMode.AUTOMATIC, False, True, True, False, (True, False)),
        (SendMode.AUTOMATIC, False, True, False, True, (False, False)),
        (SendMode.AUTOMATIC, True, True, False, True, (False, True)),
        (SendMode.AUTOMATIC, True, True, True, True, (True, True)),
        (SendMode.AUTOMATIC, False, True, True, True, (True, False)),
        (SendMode.MANUAL, True, True, True, True, (False, False)),
        (SendMode.AUTOMATIC, True, False, True, True, (False, False)),
    ],
)
def test_a_change_makes_due_what_the_channel_is_told(session, make, mode, sends_price, auto_sync, stock, price, wants):
    make.noise()
    link = make.link()
    channel = make.channel()
    channel.mode, channel.sends_price, link.auto_sync = mode, sends_price, auto_sync
    fresh(session, link)
    targets.mark(session, [link.product_id], stock=stock, price=price)
    found = again(session, link)
    assert (found.want_stock, found.want_price) == wants
    assert (found.due_at is not None) == any(wants)


def test_dirty_since_the_first_change_not_the_last(session, make):
    link = fresh(session, make.link())
    first = utc_now() - timedelta(minutes=5)
    targets.mark(session, [link.product_id], stock=True, price=False, now=first)
    targets.mark(session, [link.product_id], stock=True, price=False, now=utc_now())
    assert again(session, link).dirty_at == first


def test_a_change_calls_a_waiting_retry_forward(session, make):
    link = fresh(session, make.link())
    now = utc_now()
    link.due_at, link.tries = now + timedelta(hours=5), 5
    session.flush()
    targets.mark(session, [link.product_id], stock=True, price=False, now=now)
    assert (again(session, link).due_at, again(session, link).tries) == (now, 0)


def test_no_products_mark_nothing(session, make):
    link = fresh(session, make.link())
    assert targets.mark(session, [], stock=True, price=True) == 0
    assert again(session, link).due_at is None
