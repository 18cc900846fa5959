"""Out of stock by hand: channels hear 0 whatever is counted, and the counted number again when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from webapp.errors import Conflict, Forbidden
from webapp.models import AuditEntry, Link, Product
from webapp.models.accounts import COMMAND_LINE, Actor, Role
from webapp.models.base import utc_now
from webapp.services import availability, pairs, stock, switches


@pytest.fixture
def one(session, make) -> Product:
    """A linked product with 10 units, told to its automatic channel."""
    make.noise()
    product = make.link(make.product("A", quantity=10)).product_id
    return session.get_one(Product, product)


def mark(session, product, available, by):
    done = availability.mark(session, [Product.id == product.id], available, by=by)
    session.refresh(product)
    return done


def test_marked_out_is_zero_and_due_at_once(session, one, bob):
    version = one.version
    done = mark(session, one, False, bob)
    assert (done.changed, done.channels, one.available, one.withheld) == (1, 1, 0, 10)
    assert one.version == version + 1
    link = session.scalars(select(Link).where(Link.product_id == one.id)).one()
    assert link.want_stock
    assert done.entry.sentence == "Marked A as out of stock."


def test_what_is_counted_meanwhile_waits_and_comes_back(session, make, one, bob):
    mark(session, one, False, bob)
    make.stock(one, 25)
    assert (one.available, one.withheld) == (0, 25)
    stock.move(session, one, -4, place=stock.warehouse(session), reason="sold", by=COMMAND_LINE)
    assert (one.available, one.withheld) == (0, 21)
    mark(session, one, True, bob)
    assert (one.available, one.withheld) == (21, None)
    make.stock(one, 5)
    assert one.available == 5


def test_marking_twice_changes_nothing(session, one, bob):
    mark(session, one, False, bob)
    again = mark(session, one, False, bob)
    assert (again.changed, again.entry, one.withheld) == (0, None, 10)


def test_what_nobody_counted_is_left_alone(session, make, bob):
    unknown = make.product("U", quantity=None)
    assert mark(session, unknown, False, bob).changed == 0
    assert mark(session, unknown, True, bob).empty == 1
    assert unknown.withheld is None


def test_a_product_without_units_can_be_marked_out_before_they_come(session, make, bob):
    empty = make.product("E", quantity=0)
    assert mark(session, empty, False, bob).changed == 1
    make.stock(empty, 3)
    assert empty.available == 0
    assert mark(session, empty, True, bob).changed == 1
    assert empty.available == 3


def test_many_are_marked_and_taken_back_as_one(session, make, bob):
    made = [make.product(quantity=n) for n in (1, 2, 3)]
    done = availability.mark(session, [Product.id.in_([p.id for p in made])], False, by=bob)
    assert (done.changed, done.entry.sentence) == (3, "Marked 3 products as out of stock.")
    mark(session, made[0], True, bob)  # somebody sold this one again meanwhile
    assert switches.take_back(session, done.entry.id, by=bob, now=utc_now()) == 2
    assert list(session.scalars(select(Product.available).order_by(Product.id))) == [1, 2, 3]
    with pytest.raises(Conflict, match="taken back already"):
        switches.take_back(session, done.entry.id, by=bob, now=utc_now())


def test_auto_sync_of_many_is_taken_back_for_those_it_switched(session, make, alice, bob):
    links = [make.link() for _ in range(3)]
    pairs.set_auto(session, [Link.id == links[0].id], False, by=alice)
    entry = pairs.set_auto(session, [Link.id.in_([link.id for link in links])], False, by=bob)
    assert switches.number(entry) == 2
    assert switches.take_back(session, entry.id, by=bob, now=utc_now()) == 2
    assert list(session.scalars(select(Link.auto_sync).order_by(Link.id))) == [False, True, True]


def test_who_may_take_back(session, make, alice):
    owner, bob, charlie = Actor(7, "Olga", Role.OWNER), Actor(8, "Bob", Role.EDITOR), Actor(9, "Charlie", Role.VIEWER)
    made = [make.product(quantity=n) for n in (1, 2)]
    entry = availability.mark(session, [Product.id.in_([p.id for p in made])], False, by=alice).entry
    now = utc_now()
    allowed = [switches.can_take_back(entry, who, now=now) for who in (owner, bob, charlie)]
    assert allowed == [True, False, False]
    assert not switches.can_take_back(entry, owner, now=now + timedelta(days=31))
    with pytest.raises(Forbidden):
        switches.take_back(session, entry.id, by=bob, now=now)
    assert session.scalars(select(AuditEntry).where(AuditEntry.event == "product.marked_available")).all() == []
