"""kill -9 of the web process, and of the worker, while people work at browsers: every answer that somebody got holds,
nothing is half done, nothing unlinked is told, no older quantity comes after a newer one, and no page fails."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask_security import hash_password
from sqlalchemy import func, select, update

from tests.cli.test_serving import free_port
from tests.factories import Make
from tests.faults.managers import NO_MATCH, PASSWORD, PENDING, Client, Ledger, Manager, jobs_by_file, linked
from tests.faults.victims import Victims
from tests.shop import SECRET, Shop
from tests.stub_channel import StubChannel
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.migrations import current, newest
from webapp.models import (
    Attempt,
    AttemptState,
    ImportJob,
    ImportState,
    Link,
    Listing,
    ListingState,
    Product,
)
from webapp.models.accounts import COMMAND_LINE, Role
from webapp.models.base import utc_now
from webapp.services import accounts, health, propagation, settlement

KILLS = 22
PAGES = ("/", "/review", "/pairs", "/products", "/import", "/sync/history", "/activity", "/connectors", "/settings")
MOVING = {ImportState.QUEUED, ImportState.RUNNING}


class House:
    """The processes of one instance, and who works at it."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop, self.folder, self.port = shop, folder, free_port()
        self.victims = Victims(shop.settings, folder / "house.log", warm=True, PAIRBOOK_PORT=str(self.port))
        self.worker = self.web = 0
        self.ledger = Ledger()
        self.managers: list[Manager] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for_acts(self, many: int) -> None:
        """Let people be answered so many times."""
        enough = self.ledger.acts + many
        assert wait_for(lambda: self.ledger.acts >= enough or self.ledger.complaints, 180)

    def kill_web(self) -> None:
        """The web process dies, and people find out."""
        assert self.victims.kill(self.web), self.victims.log.read_text()
        for manager in self.managers:
            manager.end()
        _forget(self.web)

    def kill_worker(self) -> None:
        """The worker dies; what it held is free at once, as if its leases were over."""
        assert self.victims.kill(self.worker), self.victims.log.read_text()
        _forget(self.worker)
        self.shop.later(propagation.LEASE.total_seconds() + 1)

    def stop(self) -> None:
        """End what is left of it."""
        for pid in filter(None, (self.web, self.worker)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.victims.stop()


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[House]:
    house = House(shop, tmp_path)
    yield house
    house.stop()


def test_the_web_process_may_die_at_any_moment(house: House, shop: Shop, stub: StubChannel):
    rng = random.Random(11)
    stub.default = "slow:0.01"
    open_house(house, stub)
    for number in range(KILLS):
        for manager in house.managers:
            manager.begin()
        house.wait_for_acts(rng.randrange(8))
        time.sleep(rng.uniform(0.0, 0.12))  # into the middle of what comes next
        if number % 5 == 4:
            house.kill_worker()
            house.worker = house.victims.start("worker")
        house.kill_web()
        house.web = house.victims.start("web")
        judge(house, PAGES[number % len(PAGES)])
    settle(house, stub)


def open_house(house: House, stub: StubChannel) -> None:
    """A channel, two owners who sign in by the form and bring their first files in, a worker and a web process."""
    shop = house.shop
    with unit_of_work() as session:
        options = {"url": stub.url, "secret": SECRET, "timeout": "2", "batch": "7"}
        channel = Make(session, shop.settings).channel("Hook", "webhook", options=options).id
        for letter in "ab":
            email, hashing = f"{letter}@example.com", {"hash_password": hash_password}
            accounts.add_user(session, email, Role.OWNER, by=COMMAND_LINE, password=PASSWORD, **hashing)
    house.worker, house.web = house.victims.start("worker"), house.victims.start("web")
    for letter in "ab":
        manager = Manager(letter, shop.app, house.address, house.ledger, random.Random(letter), channel)
        house.managers.append(manager)
        manager.sign_in(f"{letter}@example.com")
        with manager.client() as client:
            manager.bring_in(client)


def judge(house: House, page: str) -> None:
    """After a restart: what was answered is there, what was not answered is whole or absent, and pages open."""
    ledger = house.ledger
    with house.managers[0].client() as client:
        house.managers[0].look(client, page)
        _repeat(client, ledger)
    said = house.victims.log.read_text()
    assert ledger.complaints == [], said[-5000:]
    assert "Traceback" not in said, said[-5000:]
    assert wait_for(lambda: not _doubted()), _doubted()
    _judge_files(ledger)
    _judge_states(ledger)
    _judge_stock(ledger)


def _repeat(client: Client, ledger: Ledger) -> None:
    """Post the forms again that were not answered, as people do: done already or not, they are done once."""
    for name, (path, form) in ledger.open.items():
        answer = client.post(path, data=form)
        assert answer.status_code < 400, answer.text
        ledger.states[name] -= {PENDING}
    ledger.open.clear()


def _doubted() -> object:
    return health.look(current(db.engine), newest())["counts"]


def _judge_files(ledger: Ledger) -> None:
    """A confirmed file comes in; one that nobody confirmed does not; and none comes in by half."""
    for name, job in jobs_by_file().items():
        word = ledger.files[name]
        allowed = {
            "sent": {ImportState.CHECKING, ImportState.CHECKED},
            "received": {ImportState.CHECKED},
            "asked": {ImportState.CHECKED, ImportState.DONE, *MOVING},
            "confirmed": {ImportState.DONE, *MOVING},
        }
        assert job.state in allowed[word], (name, word, job.state, job.message, str(job.report)[-600:])
        if job.state is ImportState.DONE:
            assert job.created == job.rows_ok, (name, job.created, job.rows_ok)
        elif job.state not in MOVING:
            assert _rows_of(job) == 0, name
    missing = {n for n, word in ledger.files.items() if word in {"asked", "confirmed"}} - jobs_by_file().keys()
    assert not missing, f"answered and gone: {missing}"


def _rows_of(job: ImportJob) -> int:
    stem = job.file_name.split(".")[0]
    column = Product.sku if "goods" in job.file_name else Listing.external_id
    with unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).where(column.startswith(f"{stem}-"))) or 0


def _judge_states(ledger: Ledger) -> None:
    """Decisions that were answered hold; the others are made or not, and from here on we know."""
    is_in = {stem for stem in ledger.done if _both_done(stem)}
    found = states()
    for name, allowed in ledger.states.items():
        if name.split("-")[0] not in is_in:
            continue
        assert found.get(name) in allowed, (name, found.get(name), allowed)
        if "-A" not in name:  # those may be linked at any time by the end of an import
            if found[name] == PENDING and len(allowed) > 1 and name not in ledger.returned:
                ledger.returned[name] = time.monotonic_ns()
                ledger.on_the_way |= _begun(name)
            ledger.states[name] = {found[name]}


def _both_done(stem: str) -> bool:
    jobs = jobs_by_file()
    return all(jobs[f"{stem}.{what}.csv"].state is ImportState.DONE for what in ("goods", "offers"))


def states() -> dict[str, str]:
    """Every listing's state, with the product when it is linked."""
    query = select(Listing.external_id, Listing.state, Product.sku)
    query = query.outerjoin(Link, Link.listing_id == Listing.id).outerjoin(Product, Product.id == Link.product_id)
    with unit_of_work(read_only=True) as session:
        found = session.execute(query).all()
    assert all((state is ListingState.LINKED) == (sku is not None) for _, state, sku in found)
    return {name: linked(sku) if sku else state.value for name, state, sku in found}


def _begun(name: str) -> set[str]:
    query = select(Attempt.id).join(Listing, Listing.id == Attempt.listing_id)
    query = query.where(Listing.external_id == name, Attempt.state == AttemptState.BEGUN)
    with unit_of_work(read_only=True) as session:
        return {name} if session.scalar(query) else set()


def _judge_stock(ledger: Ledger) -> None:
    with unit_of_work(read_only=True) as session:
        kept = dict(session.execute(select(Product.sku, Product.available)).all())
    for sku, allowed in ledger.stock.items():
        assert kept[sku] in allowed, (sku, kept[sku], allowed)
        ledger.stock[sku] = {kept[sku]}


def settle(house: House, stub: StubChannel) -> None:
    """The dust settles: everything is told, and the judge reads everything."""
    ledger, shop = house.ledger, house.shop
    tasks.run_imports(shop.settings)  # as the sweep of each minute does: a process that died may not have rung
    assert wait_for(lambda: not any(job.state in MOVING for job in jobs_by_file().values()), 60)
    for _ in range(2):
        shop.later(propagation.LEASE.total_seconds() + settlement.QUARANTINE.total_seconds() + 1)
        assert shop.wait_until_quiet(20)
    judge(house, "/")
    with house.managers[0].client() as client:
        for page in PAGES:
            house.managers[0].look(client, page)
    assert ledger.complaints == []
    shown, ought = shop.now_shown(), shop.ought()
    assert {name: shown.get(name) for name in ought} == ought
    for arrival in stub.arrivals:
        for item in arrival.items:
            name = item["listing_id"]
            late = arrival.begin_ns > ledger.returned.get(name, 2**63) and name not in ledger.on_the_way
            assert not late, f"{name} was told after its unlink"
    for name, series in stub.series.items():
        assert series == sorted(series), f"{name} went back"
    assert stub.overlaps() == 0
    found = health.look(current(db.engine), newest())  # all that `pairbook status` says
    assert (found["ok"], found["counts"], found["problems"]) == (True, [], []), found
    # The run was worth something: people did much, of every kind, and some decisions were taken apart again.
    assert ledger.acts > 3 * KILLS
    assert len(ledger.unanswered) > KILLS / 2, ledger.unanswered
    assert {NO_MATCH, PENDING} <= {next(iter(s)) for s in ledger.states.values() if len(s) == 1}


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> bool:
    """Whether something came true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False


def _forget(pid: int) -> None:
    """As if the leases of a dead process were over. Three deaths at one row would give its file up: another promise."""
    with unit_of_work() as session:
        dead = ImportJob.worker.endswith(f":{pid}")
        values = {"lease_until": utc_now() - timedelta(seconds=1), "tries": 0}
        session.execute(update(ImportJob).where(dead, ImportJob.state == ImportState.RUNNING).values(values))
