"""What would empty or reprice a shop stops before it leaves, and what nobody asked for stays at home."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from webapp.models import AuditEntry, Channel, Link, Listing, Product, SendMode
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import brakes, channels, links, plans, propagation, stock, targets

ZEROED = 60


def hook(session) -> Channel:
    return channels.get(session, "Hook")


def empty(shop, pairs) -> None:
    levels = [stock.Level(product_id, 0) for _, product_id in pairs]
    shop.change(lambda s: stock.set_levels(s, levels, stock.warehouse(s), by=COMMAND_LINE))


def plan_of(shop, **how):
    return shop.change(lambda s: plans.plan(s, hook(s), **how))


def test_sixty_listings_going_to_zero_at_once_are_held_until_a_person_releases_them(shop, stub):
    pairs = shop.open(ZEROED)
    shop.send()
    stub.reset()
    empty(shop, pairs)
    for _ in range(2):
        assert shop.send().sent == 0
    assert stub.arrivals == []
    assert "60 listings would go to zero" in shop.change(hook).held
    run = shop.change(lambda s: propagation.release(s, hook(s), by=COMMAND_LINE, now=utc_now()))
    assert shop.send().sent == ZEROED
    assert set(shop.now_shown().values()) == {0}
    assert shop.run(run.id).sent == ZEROED
    assert shop.change(hook).held == ""


def test_a_run_by_hand_does_not_carry_past_the_brakes_what_waits_by_itself(shop, stub):
    pairs = shop.open(ZEROED + 1)
    shop.send()
    stub.reset()
    empty(shop, pairs[:ZEROED])
    last = shop.link(pairs[-1][0]).id
    run = shop.change(
        lambda s: propagation.start_run(s, hook(s), [last], stock=True, price=False, by=COMMAND_LINE, now=utc_now())
    )
    shop.send()
    assert [item["listing_id"] for arrival in stub.arrivals for item in arrival.items] == [f"L{ZEROED}"]
    assert shop.run(run.id).sent == 1


def test_the_first_sending_after_linking_is_braked_by_what_the_channel_shows(shop, stub):
    """Linking a catalogue that counts nothing in stock must not empty a shop that sells."""
    shop.open(ZEROED, quantity=0, facts={"quantity": 7})
    shop.send()
    assert stub.arrivals == []
    assert shop.change(hook).held


def test_stock_that_nobody_counted_is_not_zero_and_is_never_sent(shop, stub):
    def fill(session):
        make = shop.make(session)
        channel = make.channel("Hook", "webhook", options={"url": stub.url, "secret": stub.secret})
        make.link(make.product("A", quantity=None), make.listing("A", channel=channel, listing_id="LA", quantity=5))
        make.link(make.product("B", quantity=0), make.listing("B", channel=channel, listing_id="LB", quantity=5))

    shop.change(fill)
    assert [(c.listing_id, c.old, c.new) for c in plan_of(shop).changes] == [("LB", 5, 0)]
    shop.send()
    assert shop.now_shown() == {"LB": 0}
    assert shop.due() == 0


def test_fifty_zeroes_are_business_as_usual(shop, stub):
    pairs = shop.open(50)
    shop.send()
    empty(shop, pairs)
    assert shop.send().sent == 50


def test_prices_that_leap_are_held_on_automatic(shop, stub):
    pairs = shop.open(8)
    shop.channel(sends_price=True)
    shop.change(lambda s: stock.set_prices(s, [(p, Decimal("10.00")) for _, p in pairs], by=COMMAND_LINE))
    shop.send()
    stub.reset()
    shop.change(lambda s: stock.set_prices(s, [(p, Decimal("1000.00")) for _, p in pairs], by=COMMAND_LINE))
    shop.send()
    assert stub.arrivals == []
    assert "8 prices" in shop.change(hook).held


def test_the_plan_names_what_it_holds_and_sends_the_rest(shop, stub):
    pairs = shop.open(8)
    shop.channel(mode=SendMode.MANUAL)
    shop.change(lambda s: stock.set_prices(s, [(p, Decimal("10.00")) for _, p in pairs], by=COMMAND_LINE))
    shop.change(lambda s: s.execute(update(Listing).values(price=Decimal("1.00"), quantity=3)))
    shop.change(lambda s: s.execute(update(Link).values(due_at=None, want_stock=False, want_price=False)))
    made = plan_of(shop, stock=True, price=True)
    assert len(made.changes) == 8
    assert {c.aspect for c in made.changes} == {"stock"}
    assert len(made.held) == 8
    assert "8 prices would move" in made.held[0].held
    run = shop.change(lambda s: plans.send(s, hook(s), made, stock=True, price=True, by=COMMAND_LINE, now=utc_now()))
    shop.send()
    items = [item for arrival in stub.arrivals for item in arrival.items]
    assert all("price" not in item for item in items), "a held price stays although the stock of its listing goes"
    assert len(items) == 8
    assert (shop.run(run.id).sent, shop.run(run.id).held) == (8, 8)


def test_sixty_zeroes_are_held_in_the_plan_of_a_manual_channel(shop, stub):
    pairs = shop.open(ZEROED)
    shop.send()
    shop.channel(mode=SendMode.MANUAL)
    empty(shop, pairs)
    made = plan_of(shop)
    assert (made.changes, len(made.held)) == ([], ZEROED)
    assert len(plan_of(shop, anyway=True).changes) == ZEROED


def test_a_plan_for_no_products_is_empty_and_not_a_plan_for_all(shop):
    pairs = shop.open(2)
    assert plan_of(shop, product_ids=[]).listings == 0
    assert plan_of(shop, link_ids=[]).listings == 0
    assert plan_of(shop, product_ids=[pairs[0][1]]).listings == 1


def test_a_manual_channel_hears_nothing_without_the_button(shop, stub):
    pairs = shop.open(3)
    shop.channel(mode=SendMode.MANUAL)
    for number, (_, product_id) in enumerate(pairs):
        shop.set_stock(product_id, 50 + number)
    shop.send()
    assert stub.arrivals == []
    made = plan_of(shop)
    shop.change(lambda s: plans.send(s, hook(s), made, stock=True, price=False, by=COMMAND_LINE, now=utc_now()))
    shop.send()
    assert shop.now_shown() == shop.ought()
    shop.set_stock(pairs[0][1], 1)
    shop.send()
    assert len(stub.arrivals) == 1


def test_switching_to_manual_holds_what_is_due_already(shop, stub):
    pairs = shop.open(2)
    shop.send()
    stub.reset()
    shop.set_stock(pairs[0][1], 77)
    shop.channel(mode=SendMode.MANUAL)
    shop.send()
    assert stub.arrivals == []
    shop.channel(mode=SendMode.AUTOMATIC)
    shop.send()
    assert shop.now_shown() == {"L0": 77}


@pytest.mark.parametrize(("mode", "told"), [(SendMode.AUTOMATIC, {"L0": 70}), (SendMode.MANUAL, {"L0": 5})])
def test_a_late_delivery_is_repaired_at_once_on_automatic_and_shown_in_the_plan_on_manual(shop, stub, mode, told):
    [(listing_id, product_id)] = shop.open(1)
    shop.send()
    shop.set_stock(product_id, 5)
    claim = shop.claim(begin=True)
    shop.unlink(listing_id)
    other = shop.change(lambda s: shop.make(s).product("B", quantity=70).id)
    shop.channel(mode=mode)
    shop.confirm(listing_id, other)
    shop.settle(claim, shop.answered(claim))
    shop.send()
    assert shop.now_shown() == told
    assert shop.due() == 0
    assert [(c.old, c.new) for c in plan_of(shop).changes] == ([] if mode is SendMode.AUTOMATIC else [(None, 70)])


def test_links_with_auto_sync_off_are_told_only_by_hand(shop, stub):
    pairs = shop.open(2)
    shop.send()
    shop.change(lambda s: s.execute(update(Link).where(Link.listing_id == pairs[0][0]).values(auto_sync=False)))
    for _, product_id in pairs:
        shop.set_stock(product_id, 3)
    shop.send()
    assert shop.now_shown() == {"L0": 10, "L1": 3}
    assert [c.listing_id for c in plan_of(shop).changes] == ["L0"]


def test_a_plan_reads_what_a_file_said_until_the_channel_was_told_something(shop):
    shop.open(1, quantity=4, facts={"quantity": 4})
    assert plan_of(shop).changes == []
    assert plan_of(shop).unchanged == 1


def test_an_oversold_product_is_published_as_zero(shop, stub):
    [(_, product_id)] = shop.open(1, quantity=1)

    def sell(session):
        product = session.scalars(select(Product).where(Product.id == product_id)).one()
        stock.move(session, product, -3, place=stock.warehouse(session), reason="sale", by=COMMAND_LINE)
        return product.available

    assert shop.change(sell) == -2
    shop.send()
    assert shop.now_shown() == {"L0": 0}


def test_a_run_for_prices_leaves_held_stock_at_home(shop, stub):
    """What waits on a channel that was switched to manual is not carried along by a run for something else."""
    pairs = shop.open(2)
    shop.channel(mode=SendMode.MANUAL)
    ids = [shop.link(listing_id).id for listing_id, _ in pairs]
    shop.change(
        lambda s: propagation.start_run(s, hook(s), ids, stock=False, price=True, by=COMMAND_LINE, now=utc_now())
    )
    assert shop.send().sent == 2
    assert [set(item) & {"quantity", "price"} for a in stub.arrivals for item in a.items] == [{"price"}] * 2
    shop.channel(mode=SendMode.AUTOMATIC)
    assert shop.send().sent == 2
    assert shop.now_shown() == shop.ought()


@pytest.fixture
def forgotten(shop, stub):
    """Sixty pairs in stock whose channel goes from "in stock or not" to quantities; gives them."""
    pairs = shop.open(ZEROED)
    switch(shop, True)
    shop.send()
    switch(shop, False)
    stub.reset()
    return pairs


def switch(shop, on):
    shop.change(lambda s: channels.change(s, hook(s), by=COMMAND_LINE, settings=shop.settings, in_stock_only=on))


def test_what_was_told_and_then_forgotten_is_in_stock_for_the_brakes(shop, stub, forgotten):
    empty(shop, forgotten)
    shop.send()
    assert stub.arrivals == []
    assert "60 listings" in shop.change(hook).held
    shop.channel(mode=SendMode.MANUAL)
    made = plan_of(shop)
    assert (made.changes, len(made.held), made.held[0].old) == ([], ZEROED, None)


def test_quantities_that_were_forgotten_are_told_without_a_brake(shop, stub):
    """Most of the range is sold out, as the channel was told: saying that in numbers empties nothing."""
    pairs = shop.open(ZEROED)
    empty(shop, pairs)
    switch(shop, True)
    shop.send()
    switch(shop, False)
    assert shop.send().sent == ZEROED
    assert (set(shop.now_shown().values()), shop.change(hook).held) == ({0}, "")


def test_where_nobody_knows_what_a_listing_was_told_it_may_be_in_stock(shop, stub):
    pairs = shop.open(ZEROED)
    shop.send()
    stub.reset()
    again = {"stock": True, "price": False, "due": True, "at": utc_now()}
    shop.change(lambda s: [targets.assert_again(s, link.id, **again) for link in shop.links_of(s, hook(s))])
    empty(shop, pairs)
    shop.send()
    assert (stub.arrivals, "60 listings" in shop.change(hook).held) == ([], True)


def test_pairs_that_an_undo_brought_back_remember_what_their_listings_were_told(shop, stub):
    pairs = shop.open(ZEROED)
    shop.send()
    shop.unlink(*(listing_id for listing_id, _ in pairs))
    shop.change(lambda s: links.confirm(s, [links.Pair(*pair) for pair in pairs], by=COMMAND_LINE))
    stub.reset()
    empty(shop, pairs)
    shop.send()
    assert (stub.arrivals, "60 listings" in shop.change(hook).held) == ([], True)


def test_a_new_channel_of_which_no_file_says_a_quantity_hears_its_zeros(shop, stub):
    shop.open(ZEROED, quantity=0)
    assert shop.send().sent == ZEROED
    assert shop.change(hook).held == ""


def events(shop):
    query = select(AuditEntry.event).where(AuditEntry.event.startswith("channel.")).order_by(AuditEntry.id)
    return shop.change(lambda s: list(s.scalars(query)))[1:]


def test_a_hold_says_the_number_of_now_and_ends_by_itself_when_its_cause_has_gone(shop, stub):
    pairs = shop.open(100)
    shop.send()
    stub.reset()
    empty(shop, pairs[:ZEROED])
    shop.send()
    empty(shop, pairs)  # the import goes on
    assert "60 listings" in shop.change(hook).held
    shop.send()
    assert "100 listings" in shop.change(hook).held
    for _, product_id in pairs[ZEROED - 20 :]:  # and is taken back, but for what fifty may lose
        shop.set_stock(product_id, 10)
    assert stub.arrivals == []
    shop.send()
    assert (shop.change(hook).held, events(shop)) == ("", ["channel.held", "channel.released"])
    assert list(shop.now_shown().values()).count(0) == ZEROED - 20
    assert shop.due() == 0


def test_a_release_that_comes_late_keeps_the_number_that_goes(shop, stub):
    pairs = shop.open(100)
    shop.send()
    empty(shop, pairs[:ZEROED])
    shop.send()
    empty(shop, pairs)
    shop.change(lambda s: propagation.release(s, hook(s), by=COMMAND_LINE, now=utc_now()))
    released = select(AuditEntry).where(AuditEntry.event == "channel.released")
    assert "100 listings" in shop.change(lambda s: s.scalars(released).one().before["held"])


def test_a_hold_that_a_person_ended_meanwhile_stays_ended(shop, stub):
    pairs = shop.open(100)
    shop.send()
    empty(shop, pairs[:ZEROED])
    shop.send()
    before = shop.change(hook).held
    empty(shop, pairs)
    [(channel_id, found)] = shop.change(brakes.outdated)
    assert found == before
    shop.channel(held="")
    shop.change(lambda s: brakes.look_again(s, channel_id, before))
    assert shop.change(hook).held == ""


def test_a_large_file_that_arrives_in_small_portions_meets_the_brakes_too(shop, stub):
    """A worker sends beside an import: no portion is large, and together they would empty the channel."""
    pairs = shop.open(100)
    shop.send()
    for start in range(0, 100, 20):
        empty(shop, pairs[start : start + 20])
        shop.send()
    assert list(shop.now_shown().values()).count(0) == 40
    assert "60 listings would go to zero" in shop.change(hook).held
    for _, product_id in pairs[40:]:
        shop.set_stock(product_id, 10)
    shop.send()
    assert shop.change(hook).held == ""
