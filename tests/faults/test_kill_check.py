"""kill -9 while pairs are checked: who takes over goes on where the dead one stopped, and misses nothing."""

from __future__ import annotations

import random
from datetime import timedelta

from sqlalchemy import func, select, update

from tests.factories import Make
from tests.faults.victims import Victims
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Recheck, Suspicion
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import catalog, listings

PAIRS = 3_000


def test_killed_checks_are_taken_over_and_find_every_contradiction(shop, victims: Victims):
    wrong = sell(shop.settings)
    tasks.reconcile(None, by=COMMAND_LINE)
    rng = random.Random(9)
    places, kills = [], 0
    for _ in range(8):
        kills += victims.kill_after("check", rng.uniform(0.05, 0.5))
        with unit_of_work() as session:
            places += session.scalars(select(Recheck.after).order_by(Recheck.id)).all()[:1]
            session.execute(update(Recheck).values(lease_until=utc_now() - timedelta(seconds=1)))
    assert kills >= 1
    assert places == sorted(places)  # nobody began again from the front
    tasks.check_links()
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Suspicion)) == wrong
        assert session.scalar(select(func.count()).select_from(Recheck)) == 0


def sell(settings) -> int:
    """A catalogue and its listings on one channel; gives how many of the pairs will contradict."""
    with unit_of_work() as session:
        channel = Make(session, settings).channel()
        goods = [{"sku": f"C-{n}", "title": f"Soap, pack of 3, lot B{n}"} for n in range(PAIRS)]
        catalog.upsert_products(session, goods, by=COMMAND_LINE)
        offers = [
            {"channel": channel.name, "listing_id": f"L-{n}", "sku": f"C-{n}", "match_key": f"C-{n}",
             "title": f"Soap, pack of {6 if n % 7 == 0 else 3}, lot B{n}"}
            for n in range(PAIRS)
        ]  # fmt: skip
        listings.upsert_listings(session, offers, {channel.name: channel})
    return len(range(0, PAIRS, 7))
