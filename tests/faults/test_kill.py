"""kill -9 at random moments of importing, linking and sending: nothing accepted is lost, nothing unlinked is told,
and no older quantity comes after a newer one."""

from __future__ import annotations

import random
import time
from datetime import timedelta

from sqlalchemy import func, select, update

import importers
from tests.factories import Make
from tests.faults.victims import Victims
from tests.shop import SECRET, Shop
from tests.stub_channel import StubChannel
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import ImportJob, ImportKind, ImportState, Link, LinkBatch, Listing, Product, StockLevel
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, counts, imports, propagation, settlement

ROWS = 600


def test_twenty_kills_lose_nothing_and_send_nothing_wrong(shop, stub, victims):
    rng = random.Random(20)
    with unit_of_work() as session:
        Make(session, shop.settings).channel(
            "Hook", "webhook", options={"url": stub.url, "secret": SECRET, "timeout": "2", "batch": "7"}
        )
        channels.pause(session, channels.get(session, "Hook"), True, by=COMMAND_LINE)
    kills = import_under_fire(shop, victims, rng)
    kills += reconcile_under_fire(victims, rng)
    kills += send_under_fire(shop, stub, victims, rng)
    assert kills >= 20, f"only {kills} children were still at work when they were killed"


def import_under_fire(shop: Shop, victims: Victims, rng: random.Random) -> int:
    """Products and listings come in while the worker dies again and again; every row once, none twice."""
    goods = "sku,title,quantity,price\n" + "".join(f"K-{n},Thing {n},{n % 90 + 1},9.50\n" for n in range(ROWS))
    offers = "listing_id,sku,title\n" + "".join(f"L{n},K-{n},Thing {n}\n" for n in range(ROWS))
    jobs = [queue(shop, ImportKind.PRODUCTS, goods), queue(shop, ImportKind.LISTINGS, offers)]
    kills = 0
    for _ in range(8):
        kills += victims.kill_after("import", rng.uniform(0.01, 0.35))
        forget_leases()
    for _ in jobs:
        tasks.run_imports(shop.settings)
    with unit_of_work(read_only=True) as session:
        done = [session.get_one(ImportJob, job) for job in jobs]
        assert [(j.state, j.created) for j in done] == [(ImportState.DONE, ROWS)] * 2
        assert session.scalar(select(func.count()).select_from(Product)) == ROWS
        assert session.scalar(select(func.count()).select_from(Listing)) == ROWS
        levels = dict(session.execute(select(Product.sku, Product.available)).all())
        assert levels == {f"K-{n}": n % 90 + 1 for n in range(ROWS)}
        assert dict(session.execute(select(Product.sku, StockLevel.on_hand).join(StockLevel)).all()) == levels
    return kills


def reconcile_under_fire(victims: Victims, rng: random.Random) -> int:
    """Linking by SKU dies and is started again; every pair once, and the numbers agree."""
    kills = sum(victims.kill_after("reconcile", rng.uniform(0.0, 0.08)) for _ in range(6))
    with unit_of_work(read_only=True) as session:
        channel = channels.get(session, "Hook")
    tasks.reconcile(channel, by=COMMAND_LINE)
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Link)) == ROWS
        same = select(func.count()).select_from(Link).join(Product, Product.id == Link.product_id)
        same = same.join(Listing, Listing.id == Link.listing_id).where(Listing.match_key == Product.match_key)
        assert session.scalar(same) == ROWS
        assert session.scalar(select(func.sum(LinkBatch.changed))) <= ROWS
        kept = counts.of_channel(session, channel.id)
        for state, n in session.execute(select(Listing.state, func.count()).group_by(Listing.state)):
            assert kept[state] == n
    return kills


def send_under_fire(shop: Shop, stub: StubChannel, victims: Victims, rng: random.Random) -> int:
    """Stock changes and unlinks go on while senders die; then the dust settles and the judge reads everything."""
    stub.default = "slow:0.01"
    with unit_of_work() as session:
        channels.pause(session, channels.get(session, "Hook"), False, by=COMMAND_LINE)
        pairs = list(session.execute(select(Listing.external_id, Link.listing_id, Link.product_id).join(Link)).all())
    ledger: dict[int, int] = {}
    returned: dict[str, int] = {}
    in_flight: set[str] = set()
    kills = 0
    for _ in range(15):
        pid = victims.start("send")
        until = time.monotonic() + rng.uniform(0.02, 0.3)
        while time.monotonic() < until:
            name, listing_id, product_id = pairs[rng.randrange(len(pairs))]
            ledger[product_id] = rng.randrange(1, 500)
            shop.set_stock(product_id, ledger[product_id])
            name, listing_id, _ = pairs[rng.randrange(len(pairs))]
            if name not in returned and rng.random() < 0.4:
                change = shop.unlink(listing_id)
                returned[name] = time.monotonic_ns()
                in_flight.update(change.in_flight)
            time.sleep(0.002)
        kills += victims.kill(pid)
        shop.later(propagation.LEASE.total_seconds() + 1)  # rescued by the next one
    for _ in range(3):
        shop.send()
        shop.later(propagation.LEASE.total_seconds() + settlement.QUARANTINE.total_seconds() + 1)
    shop.send()
    assert shop.due() == 0
    assert not shop.attempts(outcome=None)
    with unit_of_work(read_only=True) as session:
        kept = dict(session.execute(select(Product.id, Product.available)).all())
        assert {i: kept[i] for i in ledger} == ledger, "a change that was accepted is lost"
    shown, ought = shop.now_shown(), shop.ought()
    assert {name: shown.get(name) for name in ought} == ought
    for arrival in stub.arrivals:
        for item in arrival.items:
            name = item["listing_id"]
            assert arrival.begin_ns < returned.get(name, 2**63) or name in in_flight, (
                f"{name} was told after its unlink"
            )
    for name, series in stub.series.items():
        assert series == sorted(series), f"{name} went back"
    assert stub.overlaps() == 0
    return kills


def queue(shop: Shop, kind: ImportKind, text: str) -> int:
    """A checked and confirmed import that waits for a worker."""
    path = shop.settings.uploads / f"{kind.value}.csv"
    path.write_text(text)
    with unit_of_work() as session:
        hook = channels.get(session, "Hook") if kind is ImportKind.LISTINGS else None
        job = imports.receive(
            session, kind, path.name, path.name, by=COMMAND_LINE, channel=hook, options=importers.Options()
        )
    tasks.check_import(shop.settings, job.id)
    with unit_of_work() as session:
        imports.confirm(session, job.id, by=COMMAND_LINE, reconcile=False)
    return job.id


def forget_leases() -> None:
    """As if the lease of the dead were over. Three deaths at one row would give the file up: another promise."""
    with unit_of_work() as session:
        session.execute(update(ImportJob).values(lease_until=utc_now() - timedelta(seconds=1), tries=0))
