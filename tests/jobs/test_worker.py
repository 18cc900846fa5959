"""What a worker promises: it hears the bell, finds what became due by itself, tells that it lives, and ends cleanly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.factories import Make
from webapp.config import Settings
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.jobs.worker import Worker
from webapp.models import Attempt, Channel, ImportJob, ImportKind, ImportState, Link, Listing, Product, Suspicion
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import health, imports, propagation, stock

PATIENCE = 90.0  # seconds; what comes with the pulse comes each 10, later on a busy machine


def until(app: Flask, condition: Callable[..., object]) -> bool:
    """Whether `condition(session)` came true in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with app.app_context(), unit_of_work(read_only=True) as session:
            if condition(session):
                return True
        time.sleep(0.05)
    return False


@pytest.fixture
def worker(app: Flask, settings: Settings) -> Iterator[Worker]:
    """A worker of this instance, started; it is stopped at the end of the test."""
    made = Worker(settings, app.extensions["pairbook_doorbell"], app.extensions["pairbook_index"], app.app_context)
    made.start()
    yield made
    made.stop()


def linked(app: Flask, settings: Settings) -> int:
    """A linked listing on a demo channel that is sent to automatically; gives the product's id."""
    with app.app_context(), unit_of_work() as session:
        return Make(session, settings).link().product_id


def told(session) -> int | None:
    return session.scalar(select(Link.told_quantity))


def test_a_change_is_sent_soon_after_its_commit(app, settings, worker):
    product_id = linked(app, settings)
    assert until(app, lambda s: told(s) == 10)
    with app.app_context(), unit_of_work() as session:
        stock.set_levels(session, [stock.Level(product_id, 4)], stock.warehouse(session), by=COMMAND_LINE)
    assert until(app, lambda s: told(s) == 4)


def test_what_becomes_due_later_is_found_without_a_bell(app, settings, worker):
    linked(app, settings)
    assert until(app, lambda s: told(s) == 10)
    with app.app_context(), unit_of_work() as session:
        link = session.scalars(select(Link)).one()
        link.want_stock, link.told_quantity, link.told_stock_version = True, None, 0
        link.due_at = link.dirty_at = utc_now() + timedelta(seconds=0.5)
    assert until(app, lambda s: told(s) == 10)


def test_what_a_dead_worker_held_is_sent_soon_after_its_lease(app, settings):
    linked(app, settings)
    with app.app_context(), unit_of_work() as session:
        channel_id = session.scalars(select(Channel.id)).one()
        lease, now = timedelta(seconds=2), utc_now()
        assert propagation.claim_due(session, channel_id, now=now, limit=9, worker="dead", lease=lease)
    made = Worker(settings, app.extensions["pairbook_doorbell"], app.extensions["pairbook_index"], app.app_context)
    made.start()
    try:
        assert until(app, lambda s: told(s) == 10)
        assert utc_now() - now < lease + health.HEARTBEAT / 2, "it waits for no pulse"
    finally:
        made.stop()


def test_an_import_that_waits_is_worked_and_suggestions_follow(app, settings, worker, tmp_path):
    with app.app_context():
        with unit_of_work() as session:
            alpha = Make(session, settings).channel("Alpha")
            Make(session, settings).listing("", channel=alpha, title="Nomad field mug 350 ml")
        number = queue(settings, "sku,title\nA-1,Nomad field mug 350 ml\n")
    assert until(app, lambda s: s.get(ImportJob, number).state == ImportState.DONE)
    assert until(app, lambda s: s.scalar(select(Product.sku)) == "A-1")
    assert until(app, lambda s: s.scalar(select(Listing.place)) != 102)


def test_a_pair_that_contradicts_is_found_soon_after_it_was_linked(app, settings, worker):
    with app.app_context(), unit_of_work() as session:
        make = Make(session, settings)
        make.link(make.product("S", title="Soap, pack of 3"), make.listing(title="Soap, pack of 6"))
    assert until(app, lambda s: s.scalar(select(func.count()).select_from(Suspicion)) == 1)


def test_an_upload_that_a_dead_web_process_left_is_checked(app, settings, tmp_path):
    with app.app_context(), unit_of_work() as session:
        (settings.uploads / "left").write_text("sku,title\nA-1,Mug\n")
        job = imports.receive(session, ImportKind.PRODUCTS, "p.csv", "left", by=COMMAND_LINE)
        job.lease_until = utc_now() - timedelta(seconds=1)
        number = job.id
    made = Worker(settings, app.extensions["pairbook_doorbell"], app.extensions["pairbook_index"], app.app_context)
    made.start()
    try:
        assert until(app, lambda s: s.get(ImportJob, number).state == ImportState.CHECKED)
    finally:
        made.stop()


def test_a_worker_signs_on_and_off(app, settings):
    made = Worker(settings, app.extensions["pairbook_doorbell"], app.extensions["pairbook_index"], app.app_context)
    made.start()
    assert until(app, lambda s: health.last_beat(s) is not None)
    made.stop()
    assert until(app, lambda s: health.last_beat(s) is None)


def test_one_failure_does_not_end_a_worker(app, settings, worker):
    with app.app_context(), unit_of_work() as session:
        broken = Make(session, settings).channel("Broken")
        broken.kind = "telex"  # a plug-in that was taken away
        Make(session, settings).link(channel=broken)
    linked(app, settings)
    assert until(app, lambda s: s.scalar(select(func.count()).select_from(Attempt).where(Attempt.channel_id != 1)))
    assert until(app, lambda s: s.scalar(select(Channel.problem).where(Channel.name == "Broken")))


def queue(settings: Settings, text: str) -> int:
    """An import of products that waits for a worker."""

    Path(settings.uploads / "waits").write_text(text)
    with unit_of_work() as session:
        number = imports.receive(session, ImportKind.PRODUCTS, "p.csv", "waits", by=COMMAND_LINE).id
    tasks.check_import(settings, number)
    with unit_of_work() as session:
        imports.confirm(session, number, by=COMMAND_LINE, reconcile=False)
    return number


def test_a_worker_looks_at_connectors_by_itself(app, settings, stub, worker):
    with app.app_context(), unit_of_work() as session:
        Make(session, settings).channel("Hook", "webhook", options={"url": stub.url, "secret": "s" * 32})
    assert until(app, lambda s: s.scalar(select(Channel.looked_at).where(Channel.name == "Hook")))
    assert stub.arrivals == []
