"""One request at a time for each listing, never an older value after a newer one, and the newest at the end."""

from __future__ import annotations

import threading
import time

import pytest

from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, propagation, stock, targets


def test_two_workers_never_have_two_requests_in_flight_for_a_listing_and_versions_never_fall(shop, stub, rng):
    pairs = shop.open(6, batch="2")
    stub.script(*(f"slow:{rng.uniform(0, 0.08):.3f}" for _ in range(60)))
    stop = threading.Event()
    workers = [shop.worker(stop) for _ in range(3)]
    for number in range(40):
        _, product_id = pairs[rng.randrange(len(pairs))]
        shop.set_stock(product_id, 1_000 + number)
        time.sleep(rng.uniform(0, 0.02))
    assert shop.wait_until_quiet()
    stop.set()
    for worker in workers:
        worker.join()
    assert stub.overlaps() == 0
    for listing, series in stub.series.items():
        assert series == sorted(series), listing
    assert shop.now_shown() == shop.ought()
    assert all(arrival.signature_ok for arrival in stub.arrivals)


def test_a_state_that_was_taken_and_is_said_once_more_has_another_key_and_a_retry_keeps_it(shop, stub):
    """A receiver that keeps keys apart must not throw away what a person, or a late delivery, has us say again."""
    [(listing_id, _)] = shop.open(1)
    ids = [shop.link(listing_id).id]

    def again(session):
        hook = channels.get(session, "Hook")
        propagation.start_run(session, hook, ids, stock=True, price=False, by=COMMAND_LINE, now=utc_now())

    shop.send()
    shop.change(again)
    stub.script("500")
    shop.send()
    shop.later(60)
    assert shop.send().sent == 1
    forget = {"stock": True, "price": False, "due": True, "at": utc_now()}
    shop.change(lambda s: targets.assert_again(s, ids[0], **forget))
    assert shop.send().sent == 1
    keys = [(item["key"], arrival.headers["webhook-id"]) for arrival in stub.arrivals for item in arrival.items]
    assert len(keys) == 4
    assert keys[1] == keys[2], "the retry of a try that nobody took"
    assert len(set(keys)) == len({key for key, _ in keys}) == len({name for _, name in keys}) == 3


def test_five_four_five_ends_at_five_under_three_keys(shop, stub):
    [(_, product_id)] = shop.open(1, quantity=9)
    for quantity in (5, 4, 5, 4, 5):
        shop.set_stock(product_id, quantity)
        shop.send()
    keys = [item["key"] for arrival in stub.arrivals for item in arrival.items]
    assert len(keys) == len(set(keys)) == 5
    assert shop.now_shown() == {"L0": 5}


def test_a_change_back_and_forth_between_two_looks_of_a_worker_still_ends_right(shop, stub):
    [(_, product_id)] = shop.open(1, quantity=5)
    shop.send()
    shop.set_stock(product_id, 4)
    shop.set_stock(product_id, 5)
    shop.send()
    assert shop.now_shown() == {"L0": 5}
    assert shop.due() == 0


@pytest.mark.parametrize("changes", [1_000])
def test_a_thousand_changes_cost_one_delivery(shop, stub, changes):
    [(_, product_id)] = shop.open(1)
    shop.send()
    stub.reset()

    def many(session):
        for number in range(changes):
            stock.set_levels(
                session, [stock.Level(product_id, number)], stock.warehouse(session), by=COMMAND_LINE, quiet=True
            )

    shop.change(many)
    shop.send()
    assert len(stub.arrivals) == 1
    assert shop.now_shown() == {"L0": changes - 1}


def test_changes_while_the_channel_is_down_cost_few_calls_and_one_delivery(shop, stub):
    [(_, product_id)] = shop.open(1)
    shop.send()
    stub.reset()
    stub.default = "500"
    for number in range(60):
        shop.set_stock(product_id, 100 + number)
        shop.send()
    assert len(stub.arrivals) <= 4, "the channel rests after three calls in a row that failed"
    stub.reset()
    stub.default = "200"
    shop.later(400)
    shop.send()
    assert len(stub.arrivals) == 1
    assert shop.now_shown() == {"L0": 159}


def test_a_change_during_the_request_is_sent_after_it(shop, stub):
    [(_, product_id)] = shop.open(1)
    shop.send()
    stub.script("slow:0.2")
    shop.set_stock(product_id, 5)
    sender = shop.thread(shop.send)
    assert stub.wait_for(lambda s: len(s.arrivals) == 2)
    shop.set_stock(product_id, 6)
    sender.join()
    shop.send()
    assert shop.now_shown() == {"L0": 6}
    assert stub.overlaps() == 0


def test_a_change_during_a_request_that_is_refused_for_good_is_still_sent(shop, stub):
    [(_, product_id)] = shop.open(1)
    shop.send()
    stub.script("reject:L0")
    shop.set_stock(product_id, 5)
    claim = shop.claim(begin=True)
    outcomes = shop.answered(claim)
    shop.set_stock(product_id, 6)
    shop.settle(claim, outcomes)
    shop.later(10)
    shop.send()
    assert shop.now_shown() == {"L0": 6}
    assert shop.link(shop.attempts()[0].listing_id).problem == ""
