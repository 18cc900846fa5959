"""What a round sends: what changed on pairs with auto-sync on, once, under the brakes, for any number of workers."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from webapp.jobs import tasks
from webapp.models import (
    Attempt,
    AuditEntry,
    Channel,
    Every,
    Link,
    Product,
    RunKind,
    RunState,
    Schedule,
    SendMode,
    SyncRun,
)
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, health, plans, propagation, schedules
from webapp.services.schedules import Wish

STOCK = Wish(True, False, Every.QUARTER)


@pytest.fixture
def hooked(shop, stub):
    """Three pairs on a channel that is sent to by the clock only, all told; gives their (listing, product) ids."""
    pairs = shop.open(3)
    shop.send()
    shop.channel(mode=SendMode.MANUAL)
    plan_it(shop)
    stub.reset()
    return pairs


def plan_it(shop, wish=STOCK) -> int:
    def add(session):
        return schedules.add(session, [channels.get(session, "Hook")], wish, by=COMMAND_LINE, now=utc_now())[0].id

    return shop.change(add)


def make_due(shop, ago: float = 1.0) -> None:
    """Let the moment of every schedule have come, `ago` seconds ago."""
    at = utc_now() - timedelta(seconds=ago)
    shop.change(lambda s: s.execute(update(Schedule).values(next_at=at)))


def round_(shop) -> int:
    """One round of everything, and its sending; gives how many runs began."""
    make_due(shop)
    started = tasks.run_schedules()
    shop.send()
    return started


def runs(shop) -> list[SyncRun]:
    every = select(SyncRun).where(SyncRun.kind == RunKind.SCHEDULED).order_by(SyncRun.id)
    return shop.change(lambda s: list(s.scalars(every)))


def told(stub) -> dict[str, int]:
    return {i["listing_id"]: i["quantity"] for arrival in stub.arrivals for i in arrival.items}


def test_before_its_time_nothing_leaves_and_then_only_what_changed(shop, stub, hooked):
    shop.set_stock(hooked[1][1], 4)
    assert tasks.run_schedules() == 0
    shop.send()
    assert stub.arrivals == []
    assert round_(shop) == 1
    assert told(stub) == {"L1": 4}
    run = runs(shop)[0]
    assert (run.state, run.asked, run.sent, run.unchanged) == (RunState.DONE, 1, 1, 2)


def test_a_round_without_a_change_sends_nothing_and_is_told_in_the_history(shop, stub, hooked):
    assert round_(shop) == 1
    assert stub.arrivals == []
    assert [(r.state, r.asked, r.unchanged) for r in runs(shop)] == [(RunState.DONE, 0, 3)]


def test_a_round_happens_once_and_the_next_is_in_the_future(shop, hooked):
    round_(shop)
    assert tasks.run_schedules() == 0
    next_at = shop.change(lambda s: s.scalars(select(Schedule.next_at)).one())
    assert next_at > utc_now()


def test_what_was_missed_is_made_up_for_once_and_said_to_be_late(shop, stub, hooked):
    shop.set_stock(hooked[0][1], 4)
    make_due(shop, ago=5 * 3600)
    assert tasks.run_schedules() == 1
    assert schedules.is_late(runs(shop)[0])


def test_a_zero_is_sent_as_zero(shop, stub, hooked):
    shop.set_stock(hooked[0][1], 0)
    round_(shop)
    assert told(stub) == {"L0": 0}


def test_pairs_without_auto_sync_are_left_alone(shop, stub, hooked):
    for _, product_id in hooked[:2]:
        shop.set_stock(product_id, 4)
    shop.change(lambda s: s.execute(update(Link).where(Link.listing_id == hooked[0][0]).values(auto_sync=False)))
    round_(shop)
    assert told(stub) == {"L1": 4}


def test_unlinked_pairs_hear_nothing(shop, stub, hooked):
    shop.set_stock(hooked[0][1], 4)
    shop.unlink(hooked[0][0])
    round_(shop)
    assert stub.arrivals == []


def test_price_goes_when_it_was_asked_for_only(shop, stub, hooked):
    shop.change(lambda s: shop.make(s).price(s.get_one(Product, hooked[0][1]), "12.50"))
    round_(shop)
    assert stub.arrivals == []
    plan_it(shop, Wish(False, True, Every.HOUR))
    round_(shop)
    items = [item for arrival in stub.arrivals for item in arrival.items]
    assert {"12.50", "9.90"} >= {item["price"] for item in items}
    assert all("quantity" not in item for item in items)


def test_a_paused_channel_makes_its_rounds_wait(shop, stub, hooked):
    shop.set_stock(hooked[0][1], 4)
    shop.change(lambda s: channels.pause(s, channels.get(s, "Hook"), True, by=COMMAND_LINE))
    assert round_(shop) == 0
    shop.change(lambda s: channels.pause(s, channels.get(s, "Hook"), False, by=COMMAND_LINE))
    assert tasks.run_schedules() == 1
    shop.send()
    assert told(stub) == {"L0": 4}


def test_a_channel_paused_while_a_round_was_compared_hears_nothing(shop, hooked):
    make_due(shop)
    claimed = shop.change(lambda s: schedules.claim(s, worker="slow", now=utc_now()))
    made = shop.change(lambda s: schedules.look(s, claimed))
    shop.change(lambda s: channels.pause(s, channels.get(s, "Hook"), True, by=COMMAND_LINE))
    assert shop.change(lambda s: schedules.settle(s, claimed, made, now=utc_now())) is None
    assert runs(shop) == []


def test_a_schedule_cancelled_while_its_round_was_compared_starts_nothing(shop, hooked):
    make_due(shop)
    claimed = shop.change(lambda s: schedules.claim(s, worker="slow", now=utc_now()))
    made = shop.change(lambda s: schedules.look(s, claimed))
    shop.change(lambda s: schedules.cancel(s, schedules.get(s, claimed.id), by=COMMAND_LINE, now=utc_now()))
    assert shop.change(lambda s: schedules.settle(s, claimed, made, now=utc_now())) is None


def test_the_round_of_a_dead_worker_is_taken_over_and_its_late_answer_counts_for_nothing(shop, stub, hooked):
    shop.set_stock(hooked[0][1], 4)
    make_due(shop)
    dead = shop.change(lambda s: schedules.claim(s, worker="dead", now=utc_now()))
    assert tasks.run_schedules() == 0
    later = utc_now() + schedules.LEASE + timedelta(seconds=1)
    taken = shop.change(lambda s: schedules.claim(s, worker="next", now=later))
    made = shop.change(lambda s: schedules.look(s, taken))
    assert shop.change(lambda s: schedules.settle(s, taken, made, now=utc_now())) is not None
    assert shop.change(lambda s: schedules.settle(s, dead, made, now=utc_now())) is None
    assert len(runs(shop)) == 1


def test_three_workers_start_one_run(shop, stub, hooked):
    shop.set_stock(hooked[0][1], 4)
    make_due(shop)
    gate, started = threading.Barrier(3), []

    def work() -> None:
        gate.wait()
        started.append(tasks.run_schedules())

    threads = [shop.thread(work) for _ in range(3)]
    for thread in threads:
        thread.join(20)
    assert sum(started) == len(runs(shop)) == 1
    shop.send()
    assert len(stub.arrivals) == 1


def test_sixty_zeroes_stop_the_channel_until_a_person_releases_it(shop, stub):
    pairs = shop.open(60)
    shop.send()
    shop.channel(mode=SendMode.MANUAL)
    plan_it(shop)
    stub.reset()
    for _, product_id in pairs:
        shop.set_stock(product_id, 0)
    round_(shop)
    round_(shop)
    assert stub.arrivals == []
    held = shop.change(lambda s: channels.get(s, "Hook").held)
    assert "60 listings would go to zero" in held
    assert [(r.held, r.asked, r.state) for r in runs(shop)] == [(60, 0, RunState.DONE)]
    shop.change(lambda s: propagation.release(s, channels.get(s, "Hook"), by=COMMAND_LINE, now=utc_now()))
    shop.send()
    assert set(told(stub).values()) == {0}
    assert len(told(stub)) == 60


def test_what_waits_for_its_next_try_is_not_started_again(shop, stub, hooked):
    """A channel that is down keeps the pace of its tries, whatever the clock says."""
    stub.default = "500"
    shop.set_stock(hooked[0][1], 4)
    round_(shop)
    before = shop.link(hooked[0][0])
    round_(shop)
    after = shop.link(hooked[0][0])
    assert (after.run_id, after.tries, after.due_at) == (before.run_id, before.tries, before.due_at)
    assert len(stub.arrivals) == 1


def test_a_refused_value_is_not_said_again_until_it_is_another(shop, stub, hooked):
    stub.default = "422"
    shop.set_stock(hooked[0][1], 4)
    round_(shop)
    assert len(stub.arrivals) == 1
    round_(shop)
    assert len(stub.arrivals) == 1
    stub.default = "200"
    shop.set_stock(hooked[0][1], 5)
    round_(shop)
    assert told(stub)["L0"] == 5
    assert shop.link(hooked[0][0]).problem == ""


def test_on_an_automatic_channel_what_goes_by_itself_is_left_to_it(shop, stub, hooked):
    shop.channel(mode=SendMode.AUTOMATIC)
    shop.set_stock(hooked[0][1], 4)
    round_(shop)
    assert [(r.asked, r.sent) for r in runs(shop)] == [(0, 0)]
    assert told(stub) == {"L0": 4}


def test_an_unlink_between_comparing_and_sending_fences_that_listing(shop, stub, hooked):
    for _, product_id in hooked[:2]:
        shop.set_stock(product_id, 4)
    make_due(shop)
    assert tasks.run_schedules() == 1
    shop.unlink(hooked[0][0])
    shop.send()
    assert told(stub) == {"L1": 4}
    shop.change(lambda s: propagation.close_idle_runs(s, now=utc_now()))
    run = runs(shop)[0]
    assert (run.asked, run.sent, run.fenced) == (2, 1, 1)


def test_health_knows_the_next_round(shop, hooked):
    planned = shop.change(lambda s: s.scalars(select(Schedule.next_at)).one())
    assert shop.change(health.next_due) == planned


def test_the_trail_is_not_filled_by_rounds(shop, hooked):
    before = shop.change(lambda s: s.scalar(select(func.count()).select_from(AuditEntry)))
    for _ in range(3):
        round_(shop)
    assert shop.change(lambda s: s.scalar(select(func.count()).select_from(AuditEntry))) == before


def test_a_plan_may_leave_out_what_is_not_sent_by_itself(shop, hooked):
    shop.set_stock(hooked[0][1], 4)
    shop.change(lambda s: s.execute(update(Link).values(auto_sync=False)))
    channel = shop.change(lambda s: s.scalars(select(Channel)).one())
    assert shop.change(lambda s: plans.plan(s, channel, only_auto=True)).listings == 0
    assert len(shop.change(lambda s: plans.plan(s, channel)).changes) == 1
    assert shop.change(lambda s: s.scalar(select(func.count()).select_from(Attempt))) == 3
