"""Whatever the channel answers is settled listing by listing, and tried again when that can help."""

from __future__ import annotations

import time

import pytest

from webapp.jobs import tasks
from webapp.models import AttemptState, Outcome, RunState, SendMode
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, propagation, settlement


@pytest.mark.parametrize(
    ("behaviour", "outcome", "seconds"),
    [
        ("500", Outcome.FAILED, (4, 6)),
        ("503:20", Outcome.FAILED, (19, 23)),
        ("429", Outcome.THROTTLED, (4, 6)),
        ("429:120", Outcome.THROTTLED, (119, 133)),
        ("429:999999999", Outcome.THROTTLED, (3_590, 3_970)),
        ("html", Outcome.FAILED, (4, 6)),
        ("other-items", Outcome.FAILED, (4, 6)),
        ("body:{}", Outcome.FAILED, (4, 6)),
        ("reset", Outcome.UNKNOWN, (29, 34)),
        ("hang:3", Outcome.UNKNOWN, (28, 34)),
        ("504", Outcome.UNKNOWN, (28, 34)),
        ("404", Outcome.REJECTED, None),
        ("redirect", Outcome.FAILED, None),
    ],
)
def test_trouble_is_written_down_with_the_time_of_the_next_try(shop, stub, behaviour, outcome, seconds):
    [(listing_id, _)] = shop.open(1)
    stub.script(behaviour)
    done = shop.send()
    assert (done.sent, done.failed) == (0, 1)
    [attempt] = shop.attempts()
    assert (attempt.state, attempt.outcome) == (AttemptState.DONE, outcome)
    link = shop.link(listing_id)
    assert link.problem
    if seconds is None:
        assert link.due_at is None, "what is refused for good waits for a person or for another value"
    else:
        assert seconds[0] <= (link.due_at - attempt.ended_at).total_seconds() <= seconds[1]
        shop.later(4_000)
        assert shop.send().sent == 1
        assert shop.link(listing_id).problem == ""
        assert shop.now_shown() == {"L0": 10}


def test_a_partial_answer_is_settled_listing_by_listing(shop, stub):
    pairs = shop.open(5)
    stub.script("reject:L1|L3")
    done = shop.send()
    assert (done.sent, done.failed) == (3, 2)
    problems = {number: shop.link(listing_id).problem for number, (listing_id, _) in enumerate(pairs)}
    assert problems == {0: "", 1: "<b>Frozen</b> by campaign", 2: "", 3: "<b>Frozen</b> by campaign", 4: ""}
    run = shop.run(shop.attempts()[0].run_id)
    assert (run.state, run.sent, run.failed) == (RunState.PARTLY, 3, 2)


def test_a_refusal_without_a_reason_is_trouble_all_the_same(shop, stub):
    [(listing_id, _)] = shop.open(1)
    stub.script('body:{"items": [{"listing_id": "L0", "status": "rejected"}]}')
    assert shop.send().failed == 1
    assert shop.link(listing_id).problem == "The channel gave no reason."
    assert shop.attempts()[0].message == "The channel gave no reason."


def test_a_listing_that_the_answer_forgets_is_no_success(shop, stub):
    pairs = shop.open(3)
    stub.script("missing")
    assert shop.send().failed == 1
    assert shop.link(pairs[0][0]).due_at is not None


def test_a_retry_carries_the_newest_value_not_the_old_body(shop, stub):
    [(_, product_id)] = shop.open(1, quantity=3)
    stub.script("500")
    shop.send()
    shop.set_stock(product_id, 8)
    shop.later(10)
    shop.send()
    assert [item["quantity"] for arrival in stub.arrivals for item in arrival.items] == [3, 8]


def test_a_retry_of_the_same_value_has_the_same_key(shop, stub):
    shop.open(1)
    stub.script("500")
    shop.send()
    shop.later(10)
    shop.send()
    first, second = (arrival.items[0]["key"] for arrival in stub.arrivals)
    assert first == second


def test_tries_follow_the_published_schedule_and_then_end(shop, stub):
    [(listing_id, _)] = shop.open(1)
    stub.default = "500"
    waits = []
    for _ in range(10):
        shop.channel(rest_until=None)
        shop.send()
        link, attempt = shop.link(listing_id), shop.attempts()[-1]
        waits.append((link.due_at - attempt.ended_at).total_seconds() if link.due_at else None)
        shop.later(100_000)
    nominal = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert [abs(wait / due - 1) <= 0.11 for wait, due in zip(waits[:9], nominal, strict=True)] == [True] * 9
    assert waits[9] is None
    assert len(stub.arrivals) == 10
    assert "500" in shop.link(listing_id).problem


def test_a_channel_that_says_gone_is_paused_and_hears_no_more(shop, stub):
    [(_, product_id)] = shop.open(1)
    stub.script("410")
    shop.send()
    shop.set_stock(product_id, 4)
    shop.later(100_000)
    shop.send()
    assert len(stub.arrivals) == 1
    hook = shop.change(lambda s: channels.get(s, "Hook"))
    assert hook.paused_at is not None
    assert "410" in hook.problem


def test_a_request_that_lands_late_is_overwritten_by_the_newest_value(shop, stub):
    """The receiver applies a request after we gave up on it; what is newer waits until that can no longer happen."""
    [(_, product_id)] = shop.open(1, quantity=3)
    stub.script("timeout-then-applied:2.6")
    shop.send()
    shop.set_stock(product_id, 8)
    assert shop.send().sent == 0, "nothing newer is said while the old request may still land"
    assert stub.wait_for(lambda s: bool(s.arrivals[0].applied))
    assert shop.now_shown() == {"L0": 3}
    shop.later(settlement.QUARANTINE.total_seconds())
    assert shop.send().sent == 1
    assert shop.now_shown() == {"L0": 8}


def test_a_dead_worker_is_relieved_when_its_lease_is_over(shop, stub):
    [(_, product_id)] = shop.open(1, quantity=3)
    claim = shop.claim(begin=False)
    shop.set_stock(product_id, 8)
    assert shop.send().sent == 0, "the lease still holds"
    shop.later(propagation.LEASE.total_seconds() + 1)
    assert shop.send().sent == 1
    assert shop.begin(claim).deliveries == (), "the sleeper wakes up and finds that it may not send"
    assert shop.now_shown() == {"L0": 8}


def test_a_worker_that_died_after_the_first_byte_leaves_unknown_and_the_newest_value_is_said_after_the_quarantine(
    shop, stub
):
    [(_, product_id)] = shop.open(1, quantity=3)
    claim = shop.claim(begin=True)
    outcomes = shop.answered(claim)  # it landed, and the worker died before it wrote that down
    shop.set_stock(product_id, 8)
    shop.later(propagation.LEASE.total_seconds() + 1)
    assert shop.send().sent == 0
    assert [a.outcome for a in shop.attempts()] == [Outcome.UNKNOWN]
    shop.later(settlement.QUARANTINE.total_seconds() + 1)
    assert shop.send().sent == 1
    shop.settle(claim, outcomes)  # the dead one lives after all: too late to say anything
    assert shop.now_shown() == {"L0": 8}
    assert shop.link(claim.deliveries[0].listing_id).told_quantity == 8


def test_told_versions_never_go_backwards(shop, stub):
    [(listing_id, product_id)] = shop.open(1)
    told = []
    for quantity in (4, 3, 9, 9, 1):
        shop.set_stock(product_id, quantity)
        shop.send()
        told.append(shop.link(listing_id).told_stock_version)
    assert told == sorted(told)


def test_a_run_counts_listings_not_tries(shop, stub):
    pairs = shop.open(3)
    shop.send()
    run_id = _ask_again(shop, pairs)
    stub.script("500", "500")
    for _ in range(3):
        shop.send()
        shop.later(1_000)
    run = shop.run(run_id)
    assert (run.state, run.asked, run.sent, run.failed, run.fenced) == (RunState.DONE, 3, 3, 0, 0)


def test_a_run_ends_when_its_waiting_links_are_taken_apart(shop, stub):
    pairs = shop.open(4)
    shop.send()
    shop.change(lambda s: channels.pause(s, channels.get(s, "Hook"), True, by=COMMAND_LINE))
    run_id = _ask_again(shop, pairs)
    shop.unlink(*(listing_id for listing_id, _ in pairs))
    shop.send()
    run = shop.run(run_id)
    assert (run.state, run.asked, run.sent, run.fenced) == (RunState.DONE, 4, 0, 4)


def test_a_run_whose_links_a_newer_run_takes_over_ends(shop, stub):
    pairs = shop.open(2)
    shop.send()
    first = _ask_again(shop, pairs)
    second = _ask_again(shop, pairs)
    assert shop.run(first).ended_at is not None
    shop.send()
    assert shop.run(second).sent == 2


def test_a_broken_channel_is_paused_with_a_reason_and_the_others_go_on(shop, stub):
    shop.open(1)

    def break_one(session):
        other = shop.make(session).channel("Aardvark", "webhook", options={"url": stub.url, "secret": "broken secret"})
        shop.make(session).link(channel=other)
        other.options = {"url": "ftp://nowhere"}

    shop.change(break_one)
    assert shop.send().sent == 1
    broken = shop.change(lambda s: channels.get(s, "Aardvark"))
    assert broken.paused_at is not None
    assert "url" in broken.problem


def test_a_file_of_many_listings_is_one_file(shop, settings):
    pairs = 600

    def fill(session):
        make = shop.make(session)
        channel = make.channel("Upload", "file")
        shop.fill(session, channel, pairs, prefix="F")
        ids = [link.id for link in shop.links_of(session, channel)]
        return propagation.start_run(session, channel, ids, stock=True, price=True, by=COMMAND_LINE, now=utc_now()).id

    run_id = shop.change(fill)
    shop.send()
    run = shop.run(run_id)
    assert (run.sent, run.state) == (pairs, RunState.DONE)
    files = list((settings.outbox / "upload").iterdir())
    assert [f.name for f in files] == [run.artifact]
    assert len(files[0].read_text(encoding="utf-8-sig").splitlines()) == pairs + 1


def _ask_again(shop, pairs) -> int:
    ids = [shop.link(listing_id).id for listing_id, _ in pairs]

    def ask(session):
        hook = channels.get(session, "Hook")
        return propagation.start_run(session, hook, ids, stock=True, price=False, by=COMMAND_LINE, now=utc_now()).id

    return shop.change(ask)


@pytest.mark.parametrize("beside", [True, False])
def test_who_asked_for_a_run_may_wait_for_what_another_worker_has_taken_of_it(shop, stub, beside):
    [(listing_id, product_id)] = shop.open(1)
    shop.send()
    shop.channel(mode=SendMode.MANUAL)
    shop.set_stock(product_id, 4)
    ids = [shop.link(listing_id).id]

    def ask(session):
        hook = channels.get(session, "Hook")
        return propagation.start_run(session, hook, ids, stock=True, price=False, by=COMMAND_LINE, now=utc_now()).id

    run_id = shop.change(ask)
    claim = shop.claim(begin=True)

    def answer():
        time.sleep(0.3)
        shop.settle(claim, shop.answered(claim))

    other = shop.thread(answer)
    run = tasks.finish_run(shop.settings, run_id, patience=60, beside=beside)
    other.join(20)
    assert (run.sent, run.ended_at is not None) == ((1, True) if beside else (0, False))
