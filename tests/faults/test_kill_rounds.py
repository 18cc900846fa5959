"""kill -9 while a round of a schedule is claimed, compared or started: it begins once, whole, and is never lost."""

from __future__ import annotations

import random
from datetime import timedelta

from sqlalchemy import func, select, update

from tests.faults.victims import Victims
from tests.shop import Shop
from tests.stub_channel import StubChannel
from webapp.jobs import tasks
from webapp.models import Every, Link, RunKind, Schedule, SendMode, SyncRun
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, schedules

PAIRS = 400
ROUNDS = 8


def test_a_round_whose_worker_is_killed_begins_once_and_sends_everything(
    shop: Shop, stub: StubChannel, victims: Victims
) -> None:
    rng = random.Random(8)
    pairs = shop.open(PAIRS, batch="200")
    shop.send()
    shop.channel(mode=SendMode.MANUAL)
    wish = schedules.Wish(True, False, Every.QUARTER)
    shop.change(lambda s: schedules.add(s, [channels.get(s, "Hook")], wish, by=COMMAND_LINE, now=utc_now()))
    kills = 0
    for number in range(ROUNDS):
        for _, product_id in pairs[number * 20 : number * 20 + 20]:
            shop.set_stock(product_id, 50 + number)
        due(shop)
        kills += victims.kill_after("rounds", rng.uniform(0.0, 0.06))
        rows = runs(shop)
        assert rows in (number, number + 1), "begun or not begun, and nothing in between"
        asked = shop.change(lambda s: s.scalar(select(func.count()).where(Link.run_id.is_not(None))))
        assert asked == (20 if rows > number else 0)
        shop.change(lambda s: s.execute(update(Schedule).values(lease_until=None)))  # it runs out in five minutes
        tasks.run_schedules()
        assert runs(shop) == number + 1
        shop.send()
        assert shop.now_shown() == shop.ought()
    assert kills >= ROUNDS // 2, f"only {kills} children were still at work when they were killed"


def due(shop: Shop) -> None:
    """The moment of the schedule has come."""
    ago = utc_now() - timedelta(seconds=1)
    shop.change(lambda s: s.execute(update(Schedule).values(next_at=ago)))


def runs(shop: Shop) -> int:
    """How many rounds have begun."""
    query = select(func.count()).select_from(SyncRun).where(SyncRun.kind == RunKind.SCHEDULED)
    return shop.change(lambda s: s.scalar(query))
