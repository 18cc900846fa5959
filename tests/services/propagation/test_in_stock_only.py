"""A channel that is told only whether there is stock never hears a quantity, and hears nothing while none runs out."""

from __future__ import annotations

import json

import pytest

from webapp.errors import Conflict, Refused
from webapp.models import Outcome, SendMode
from webapp.models.accounts import COMMAND_LINE
from webapp.services import channels, differences, plans


def hook(session):
    return channels.get(session, "Hook")


def switch(shop, on: bool, **more):
    def change(session):
        channels.change(session, hook(session), by=COMMAND_LINE, settings=shop.settings, in_stock_only=on, **more)

    shop.change(change)


def planned(shop):
    return [c.as_json() for c in shop.change(lambda s: plans.plan(s, hook(s))).changes]


def heard(stub):
    """What arrived of stock, oldest first; fails when a quantity is anywhere in it."""
    assert not any('"quantity"' in arrival.body for arrival in stub.arrivals)
    return [item["available"] for arrival in stub.arrivals for item in json.loads(arrival.body)["items"]]


@pytest.fixture
def told(shop, stub):
    """A pair that was told "in stock"; gives its listing and its product."""
    [pair] = shop.open(1, quantity=7)
    switch(shop, True)
    assert shop.send().sent == 1
    assert heard(stub) == [True]
    return pair


def test_nothing_is_due_until_the_quantity_crosses_zero(shop, stub, told):
    _, product = told
    for quantity in (5, 1, 900):
        shop.set_stock(product, quantity)
        assert (shop.due(), planned(shop)) == (0, [])
    shop.set_stock(product, 0)
    assert shop.due() == 1
    assert [(c["aspect"], c["old"], c["new"]) for c in planned(shop)] == [("availability", True, False)]
    shop.send()
    shop.set_stock(product, 0)
    assert shop.due() == 0
    shop.set_stock(product, 3)
    shop.send()
    assert heard(stub) == [True, False, True]
    assert [(a.old_quantity, a.quantity) for a in shop.attempts()][1:] == [(1, 0), (0, 1)]


def test_out_and_back_before_anything_left_says_in_stock_once_more_at_most(shop, stub, told):
    _, product = told
    shop.set_stock(product, 0)
    shop.set_stock(product, 2)
    shop.send()
    assert heard(stub) == [True, True]
    assert shop.due() == 0


def test_back_in_stock_while_out_of_stock_is_on_its_way_is_told_after_it(shop, stub, told):
    _, product = told
    shop.set_stock(product, 0)
    claim = shop.claim(begin=True)
    shop.set_stock(product, 4)
    shop.settle(claim, shop.answered(claim))
    shop.send()
    assert heard(stub) == [True, False, True]


def test_after_trouble_it_is_told_again_though_it_seems_right(shop, stub, told):
    listing, product = told
    shop.set_stock(product, 0)
    stub.script("404")
    shop.send()
    assert shop.link(listing).problem
    shop.set_stock(product, 6)
    shop.send()
    assert heard(stub)[-1] is True
    assert shop.link(listing).problem == ""


def test_a_quantity_that_was_claimed_before_the_change_does_not_leave(shop, stub):
    shop.open(1, quantity=7)
    claim = shop.claim(begin=False)
    switch(shop, True)
    assert shop.begin(claim).deliveries == ()
    assert shop.attempts()[0].outcome == Outcome.FENCED
    shop.send()
    assert heard(stub) == [True]


def test_from_quantities_on_only_what_crosses_zero_is_told(shop, stub):
    [(_, one), (_, other)] = shop.open(2, quantity=7)
    shop.send()
    stub.reset()
    switch(shop, True)
    shop.set_stock(one, 3)
    shop.set_stock(other, 0)
    shop.send()
    assert heard(stub) == [False]


@pytest.mark.parametrize("mode", list(SendMode))
def test_back_to_quantities_every_one_is_told(shop, stub, told, mode):
    """Also the single unit, which looks like "in stock" in the columns."""
    shop.set_stock(told[1], 1)
    switch(shop, False, mode=mode)
    assert [(c["aspect"], c["old"], c["new"]) for c in planned(shop)] == [("stock", None, 1)]
    assert shop.due() == (mode == SendMode.AUTOMATIC)
    if mode == SendMode.AUTOMATIC:
        shop.send()
        assert shop.now_shown() == {"L0": 1}


def test_back_to_quantities_waits_for_what_is_on_its_way(shop, told):
    shop.set_stock(told[1], 0)
    shop.claim(begin=True)
    with pytest.raises(Conflict, match="on its way"):
        switch(shop, False)
    assert shop.change(hook).in_stock_only


def test_how_far_a_listing_is_off_does_not_count_units(shop, told):
    listing, product = told
    shop.channel(mode=SendMode.MANUAL)
    shop.set_stock(product, 900)
    assert shop.change(lambda s: differences.look(s, [listing])) == {}
    shop.set_stock(product, 0)
    [seen] = shop.change(lambda s: differences.look(s, [listing])).values()
    assert seen.apart == differences.MOST


def test_an_amazon_file_cannot_say_it(session, settings):
    with pytest.raises(Refused, match="no column for"):
        channels.connect(
            session, "A", "file", by=COMMAND_LINE, settings=settings, options={"format": "amazon_tsv"},
            in_stock_only=True,
        )  # fmt: skip
    made = channels.connect(session, "B", "file", by=COMMAND_LINE, settings=settings, in_stock_only=True)
    with pytest.raises(Refused, match="no column for"):
        channels.change(session, made, by=COMMAND_LINE, settings=settings, options={"format": "amazon_tsv"})
