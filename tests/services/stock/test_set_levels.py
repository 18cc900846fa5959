"""Stock: absolute levels, relative moves, and the one number that a marketplace hears."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.errors import Refused
from webapp.models import Link, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.services import stock


def set_to(session, product, number, place=None):
    return stock.set_levels(
        session, [stock.Level(product.id, number)], place or stock.warehouse(session), by=COMMAND_LINE
    )


def test_a_change_raises_the_version_and_marks_the_links(session, make):
    link = make.link()
    product = session.get_one(Product, link.product_id)
    before = product.version
    set_to(session, product, 77)
    session.refresh(product)
    assert (product.available, product.version) == (77, before + 1)
    assert session.get_one(Link, link.id, populate_existing=True).want_stock


def test_the_same_level_again_changes_nothing(session, make):
    product = make.product(quantity=5)
    before = product.version
    assert set_to(session, product, 5) == []
    session.refresh(product)
    assert product.version == before


def test_a_first_count_of_zero_is_news(session, make):
    """Nobody had counted before: a channel that shows five has to be told."""
    product = make.product(quantity=None)
    assert set_to(session, product, 0) == [product.id]
    assert set_to(session, product, 0) == []


def test_only_selling_warehouses_are_offered(session, make):
    product = make.product(quantity=5)
    back = stock.warehouse(session, "Repairs", create=True)
    back.sells = False
    set_to(session, product, 9, back)
    session.refresh(product)
    assert product.available == 5
    assert stock.on_hand(session, product.id) == 14


@pytest.mark.parametrize("number", [-1, 1_000_000_000])
def test_an_impossible_level_is_refused_and_changes_nothing(session, make, number):
    product = make.product(quantity=5)
    with pytest.raises(Refused, match="cannot be"):
        set_to(session, product, number)
    session.refresh(product)
    assert product.available == 5


def test_debt_is_published_as_zero(session, make):
    product = make.product(quantity=1)
    stock.move(session, product, -4, place=stock.warehouse(session), reason="sale", by=COMMAND_LINE)
    assert product.available == -3
    assert stock.available_to_sell(product) == 0


@trials(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.integers(-50, 50), max_size=8))
def test_moves_add_up(session, make, moves):
    product = make.product(quantity=20)
    for by_units in moves:
        stock.move(session, product, by_units, place=stock.warehouse(session), reason="count", by=COMMAND_LINE)
    session.refresh(product)
    assert product.available == 20 + sum(moves) == stock.on_hand(session, product.id)


def test_sales_at_the_same_moment_are_all_counted(context, settings):
    """Eight sellers, twenty sales each: nothing is read and written back."""
    with unit_of_work() as session:
        product_id = Make(session, settings).product(quantity=500).id

    def sell() -> None:
        with context.app_context():
            for _ in range(20):
                with unit_of_work() as session:
                    product = session.get_one(Product, product_id)
                    place = stock.warehouse(session)
                    stock.move(session, product, -1, place=place, reason="sale", by=COMMAND_LINE)

    threads = [threading.Thread(target=sell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work(read_only=True) as session:
        assert session.get_one(Product, product_id).available == 500 - 160
        assert stock.on_hand(session, product_id) == 340
