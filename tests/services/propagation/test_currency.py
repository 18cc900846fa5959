"""A price never goes out in another currency than its listing's."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from webapp.models import Channel, Listing, Product
from webapp.services import plans


@pytest.fixture
def priced(shop):
    """Set the currencies of product, listing and channel of the one pair there is, with another price to send."""

    def build(product: str, listing: str, channel: str = "") -> None:
        shop.open()
        shop.channel(currency=channel, sends_price=True)
        shop.change(lambda s: s.execute(update(Product).values(currency=product, price=Decimal("189"))))
        shop.change(lambda s: s.execute(update(Listing).values(currency=listing, price=Decimal("3799"))))

    return build


def plan_of(shop, **given):
    return shop.change(lambda s: plans.plan(s, s.scalars(select(Channel)).one(), stock=False, price=True, **given))


@pytest.mark.parametrize(
    ("product", "listing", "channel", "goes"),
    [
        ("USD", "USD", "", True),
        ("USD", "MXN", "", False),
        ("USD", "MXN", "MXN", False),
        ("", "MXN", "USD", False),
        ("", "MXN", "MXN", True),
        ("", "MXN", "", True),
        ("USD", "", "", True),
    ],
)
def test_a_price_goes_only_where_the_currencies_agree(shop, priced, product, listing, channel, goes):
    priced(product, listing, channel)
    made = plan_of(shop)
    prices = [c for c in made.changes if c.aspect == "price"], [c for c in made.held if c.aspect == "price"]
    assert (len(prices[0]), len(prices[1])) == ((1, 0) if goes else (0, 1))


def test_nobody_sends_it_on_purpose_either(shop, priced):
    priced("USD", "MXN")
    made = plan_of(shop, anyway=True)
    assert made.changes == []
    assert made.held[0].held == "Your price is in USD and the listing’s in MXN. Correct one of them."


def test_automatic_sending_tells_the_stock_and_leaves_the_price(shop, stub, priced):
    priced("USD", "MXN")
    shop.send()
    (arrival,) = stub.arrivals
    assert [sorted({"quantity", "price"} & set(item)) for item in arrival.items] == [["quantity"]]
