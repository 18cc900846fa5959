"""How far a listing is from what it ought to show, kept for the order of the pairs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Link, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.services import catalog, differences, listings, pairs, stock
from webapp.services.pair_sorts import Sort


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [("5", "5", 0), ("0", "5", 1000), ("-2", "5", 1000), ("9", "10", 100), ("10", "9", 100), ("9999", "10000", 1)],
)
def test_a_share_is_told_in_thousandths_of_the_higher_value(one, other, share):
    assert differences.share(Decimal(one), Decimal(other)) == share


def apart() -> dict[str, int]:
    with unit_of_work(read_only=True) as session:
        query = select(Product.sku, Link.apart).join(Link, Link.product_id == Product.id)
        return dict(session.execute(query).all())


def several(m):
    for sku, quantity, price in (
        ("SAME", 10, "9.90"),
        ("STOCK", 5, "9.90"),
        ("PRICE", 10, "8.91"),
        ("NONE", 0, "9.90"),
    ):
        m.link(m.product(sku), m.listing(f"{sku}-x", listing_id=sku, quantity=quantity, price=price, currency="USD"))
    m.link(m.product("PESO"), m.listing(listing_id="PESO", quantity=10, price="200", currency="MXN"))
    m.link(m.product("QUIET", quantity=None, price=None), m.listing(listing_id="QUIET", quantity=3, price="1"))
    m.link(m.product("SILENT"), m.listing(listing_id="SILENT"))


def test_the_larger_of_stock_and_price_counts_and_what_is_not_known_does_not_differ(put):
    put(several)
    tasks.check_links()
    assert apart() == {"SAME": 0, "STOCK": 500, "PRICE": 100, "NONE": 1000, "PESO": 0, "QUIET": 0, "SILENT": 0}
    with unit_of_work(read_only=True) as session:
        filters = pairs.Filter(sort=Sort.DIFFERENCE)
        assert [row.product.sku for row in pairs.page(session, filters).rows] == ["NONE", "STOCK", "PRICE"]
        assert pairs.count(session, filters) == 3


def test_it_follows_stock_prices_and_imports(put):
    put(several)
    tasks.check_links()

    def change(m):
        ids = dict(m.session.execute(select(Product.sku, Product.id)).all())
        main = stock.warehouse(m.session, stock.MAIN)
        stock.set_levels(m.session, [stock.Level(ids["SAME"], 40)], main, by=COMMAND_LINE)
        stock.move(m.session, m.session.get_one(Product, ids["STOCK"]), -5, place=main, reason="", by=COMMAND_LINE)
        catalog.upsert_products(m.session, [{"sku": "PRICE", "price": "8.91"}], by=COMMAND_LINE)
        row = {"channel": "Alpha", "listing_id": "NONE", "quantity": 10}
        listings.upsert_listings(m.session, [row], {"Alpha": m.channel()})

    put(change)
    tasks.check_links()
    assert apart() | {"SAME": 750, "STOCK": 0, "PRICE": 0, "NONE": 0} == apart()


def test_what_was_sent_differs_no_more(put, settings):
    put(several)
    tasks.check_links()
    sent = tasks.propagate(settings)
    assert sent.sent >= 4
    tasks.check_links()
    assert {sku: n for sku, n in apart().items() if n} == {"PRICE": 100}  # prices are not sent there by themselves


def test_a_number_that_was_worked_out_before_a_send_is_not_written_after_it(put):
    put(several)
    with unit_of_work(read_only=True) as session:
        ids = list(session.scalars(select(Link.listing_id)))
        found = differences.look(session, ids)
    assert len(found) == 3
    with unit_of_work() as session:
        for link in session.scalars(select(Link)):
            link.told_stock_version = 9
    with unit_of_work() as session:
        differences.write(session, found)
    assert set(apart().values()) == {0}
