"""Unlinking, relinking and pausing against workers that send: what has not begun by then never begins."""

from __future__ import annotations

import threading
import time

from tests.factories import Make
from webapp.models import Channel, Outcome
from webapp.models.accounts import COMMAND_LINE
from webapp.services import channels

ROUNDS = 120


def test_nothing_begins_for_an_unlinked_listing_after_the_unlink_returned(shop, stub, rng):
    """120 rounds: a change and, a moment later, an unlink, while two workers send as fast as they can.

    The moment grows while updates come too late and shrinks while they get through: the race is close on any machine.
    """
    pairs = shop.open(ROUNDS)
    shop.send()
    stop = threading.Event()
    workers = [shop.worker(stop) for _ in range(2)]
    returned: dict[str, int] = {}
    in_flight: dict[str, list[str]] = {}
    moment = 0.05
    try:
        for number, (listing_id, product_id) in enumerate(pairs):
            before = len(stub.arrivals)
            shop.set_stock(product_id, 100 + number)
            time.sleep(rng.uniform(0, moment))
            moment = max(moment * 0.8, 0.005) if len(stub.arrivals) > before else min(moment * 1.25, 2.0)
            change = shop.unlink(listing_id)
            returned[f"L{number}"], in_flight[f"L{number}"] = time.monotonic_ns(), change.in_flight
    finally:
        time.sleep(0.1)
        stop.set()
        for worker in workers:
            worker.join()
    begun_after = [
        (item["listing_id"], arrival.number)
        for arrival in stub.arrivals
        for item in arrival.items
        if arrival.begin_ns > returned[item["listing_id"]] and item["listing_id"] not in in_flight[item["listing_id"]]
    ]
    assert begun_after == []
    told = {item["listing_id"] for arrival in stub.arrivals for item in arrival.items if item["quantity"] >= 100}
    assert len(told) > 5, "the race was never close: no update got through before its unlink"
    assert len(told) < ROUNDS or any(in_flight.values()), "the race was never close: every update got through"
    assert stub.overlaps() == 0
    assert shop.due() == 0


def test_what_waits_for_a_listing_that_is_linked_anew_is_dropped_and_only_the_new_product_speaks(shop, stub):
    pairs = shop.open(50, quantity=3)
    others = shop.change(lambda s: [Make(s, shop.settings).product(f"B-{n}", quantity=700 + n).id for n in range(50)])
    with_first_claim = shop.claim(begin=False)  # a worker has taken the old values and sleeps
    for listing_id, _ in pairs:
        shop.unlink(listing_id)
    for (listing_id, _), other in zip(pairs, others, strict=True):
        shop.confirm(listing_id, other)
    assert shop.begin(with_first_claim).deliveries == ()
    assert len(shop.attempts(outcome=Outcome.FENCED)) == 50
    shop.send()
    assert {item["quantity"] for arrival in stub.arrivals for item in arrival.items} == {700 + n for n in range(50)}
    assert shop.now_shown() == shop.ought()


def test_a_late_answer_for_the_old_pair_makes_the_new_pair_speak_again(shop, stub):
    [(listing_id, product_id)] = shop.open(1)
    shop.send()
    stub.script("slow:0.3")
    shop.set_stock(product_id, 5)
    sender = shop.thread(shop.send)
    assert stub.wait_for(lambda s: len(s.arrivals) == 2)
    assert shop.unlink(listing_id).in_flight == ["L0"]
    other = shop.change(lambda s: Make(s, shop.settings).product("B-1", quantity=70).id)
    shop.confirm(listing_id, other)
    sender.join()
    shop.send()
    assert shop.now_shown() == {"L0": 70}
    assert shop.attempts(outcome=Outcome.LATE)
    assert shop.due() == 0


def test_nothing_begins_after_a_pause_returned_and_resuming_sends_the_newest_only(shop, stub, rng):
    pairs = shop.open(8, batch="1")
    shop.send()
    for round_ in range(4):
        stub.reset()
        stop = threading.Event()
        worker = shop.worker(stop)
        for _, product_id in pairs:
            shop.set_stock(product_id, 20 + round_)
        time.sleep(rng.uniform(0, 0.04))
        begun = shop.change(lambda s: channels.pause(s, _hook(s), True, by=COMMAND_LINE))
        paused = time.monotonic_ns()
        for _, product_id in pairs:
            shop.set_stock(product_id, 50 + round_)
        time.sleep(0.05)
        stop.set()
        worker.join()
        after = [i["listing_id"] for a in stub.arrivals if a.begin_ns > paused for i in a.items]
        assert set(after) <= set(begun)
        stub.reset()
        shop.change(lambda s: channels.pause(s, _hook(s), False, by=COMMAND_LINE))
        shop.send()
        assert shop.now_shown() == shop.ought() == {f"L{n}": 50 + round_ for n in range(8)}
        assert len(stub.arrivals) == 8, "one update per listing: the newest"


def _hook(session) -> Channel:
    return channels.get(session, "Hook")
