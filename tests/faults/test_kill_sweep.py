"""kill -9 at forty points of an import, swept from its first statement to its last commit: it is then not begun, to be
gone on with, or done; never half, never twice. The same file again changes nothing and sends nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

import importers
from importers import block_rows
from importers.checking import check_file
from tests.factories import Make
from tests.faults.victims import Victims
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import ImportJob, ImportKind, ImportState, Link, Listing, Product, StockLevel
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, counts, imports

ROWS = 40
Facts = set[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files here, eight rows together: the workers that die apply what was read."""
    monkeypatch.setattr(block_rows, "BLOCK", 8)
    monkeypatch.setattr(block_rows, "PULLED", 8)

    def check(
        path: Path, *, kind: Any, staged: Path, options: importers.Options, file_name: str, meanwhile: object
    ) -> importers.Report:
        return check_file(path, kind, staged, options, importers.DEFAULT, file_name)

    monkeypatch.setattr(importers, "check", check)


@pytest.mark.parametrize(("kind", "points"), [("listings", 40), ("products", 40), ("stock", 10)])
def test_an_import_that_is_killed_anywhere_is_ended_by_the_next_worker(
    context, settings, victims: Victims, kind, points
):
    with unit_of_work() as session:
        Make(session, settings).channel("Hook")
    for n in (-1, 0):  # the first one makes what is made once, such as the warehouse
        before(kind, n, settings)
        whole = queue(kind, n, settings)
        victims.wait(victims.start("dying import 0"))
        passed = victims.points()
        assert_done(whole, kind, n)
    assert passed > points
    states = []
    for place in range(points):
        point, n = 1 + place * (passed - 1) // (points - 1), place + 1
        before(kind, n, settings)
        job_id = queue(kind, n, settings)
        ended = victims.wait(victims.start(f"dying import {point}"))
        states.append(assert_whole_chunks(job_id, kind, n))
        assert ended == "-9", f"point {point} of {passed} was not reached"
        with unit_of_work() as session:
            session.execute(update(ImportJob).values(lease_until=utc_now() - timedelta(seconds=1)))
        tasks.run_imports(settings)
        assert_done(job_id, kind, n)
        if place % 5 == 0:
            assert_again_changes_nothing(kind, n, settings)
    assert states[0] is ImportState.QUEUED
    assert states.count(ImportState.RUNNING) > points // 2


def before(kind: str, n: int, settings: Any) -> None:
    """What has to be there before the file of a round: products for listings to link to, or stock to be counted."""
    other = {"listings": "products", "products": "listings", "stock": "products"}[kind]
    queue(other, n, settings, reconcile=False)
    tasks.run_imports(settings)


def queue(kind: str, n: int, settings: Any, *, reconcile: bool = True) -> int:
    """A checked and confirmed file of round n; gives the number of its import."""
    skus = [f"S{n}-{row}" for row in range(ROWS)]
    texts = {
        "products": ["sku,title,price"] + [f"{sku},Mug {sku},9.50" for sku in skus],
        "listings": ["listing_id,sku,title"] + [f"L-{sku},{sku},Mug" for sku in skus],
        "stock": ["sku,quantity,price"] + [f"{sku},{row},{row}.25" for row, sku in enumerate(skus)],
    }
    with unit_of_work() as session:
        hook = channels.get(session, "Hook") if kind == "listings" else None
        job = imports.receive(session, ImportKind(kind), f"{kind}.csv", "", by=COMMAND_LINE, channel=hook)
        job.stored_as = f"{kind}-{job.id}"
        (settings.uploads / job.stored_as).write_text("\n".join(texts[kind]) + "\n", encoding="utf-8")
    tasks.check_import(settings, job.id)
    with unit_of_work() as session:
        imports.confirm(session, job.id, by=COMMAND_LINE, reconcile=reconcile)
    return job.id


def read(job_id: int) -> ImportJob:
    with unit_of_work(read_only=True) as session:
        return imports.get(session, job_id)


def assert_whole_chunks(job_id: int, kind: str, n: int) -> ImportState:
    """What the tables hold of a killed import is what the import says it did; gives where it stands."""
    job = read(job_id)
    assert job.state in {ImportState.QUEUED, ImportState.RUNNING, ImportState.DONE}
    said = job.created + job.updated + job.unchanged
    assert written(kind, n) == said
    assert said % 8 == 0
    assert job.next_row == (said + 1 if said else 0)  # row 1 is the header
    if job.state is ImportState.QUEUED:
        assert said == 0
    return job.state


def written(kind: str, n: int) -> int:
    """How many rows of round n are in the tables."""
    query = {
        "listings": select(func.count()).where(Listing.external_id.startswith(f"L-S{n}-")),
        "products": select(func.count()).where(Product.sku.startswith(f"S{n}-")),
        "stock": select(func.count()).select_from(StockLevel).join(Product, Product.id == StockLevel.product_id)
        .where(Product.sku.startswith(f"S{n}-")),
    }[kind]  # fmt: skip
    with unit_of_work(read_only=True) as session:
        return session.scalar(query) or 0


def assert_done(job_id: int, kind: str, n: int) -> None:
    """Every row is in, once; pairs are linked once, and the kept numbers agree with the tables."""
    job = read(job_id)
    assert (job.state, job.created + job.updated, job.unchanged) == (ImportState.DONE, ROWS, 0)
    assert written(kind, n) == ROWS
    with unit_of_work(read_only=True) as session:
        mine = Listing.external_id.startswith(f"L-S{n}-")
        linked = select(func.count()).select_from(Link).join(Listing, Listing.id == Link.listing_id).where(mine)
        assert session.scalar(linked) == (0 if kind == "stock" else ROWS)
        if kind == "stock":
            worth = session.execute(select(Product.sku, Product.available, Product.price, Product.version))
            assert {f"S{n}-{row}": (row, row + 0.25) for row in range(ROWS)}.items() <= {
                sku: (available, float(price)) for sku, available, price, _ in worth
            }.items()
        kept = counts.of_channel(session, channels.get(session, "Hook").id)
        for state, real in session.execute(select(Listing.state, func.count()).group_by(Listing.state)):
            assert kept[state] == real


def assert_again_changes_nothing(kind: str, n: int, settings: Any) -> None:
    was = facts()
    again = queue(kind, n, settings)
    tasks.run_imports(settings)
    job = read(again)
    assert (job.state, job.created, job.updated, job.unchanged) == (ImportState.DONE, 0, 0, ROWS)
    assert facts() == was, "the same file again has changed something"


def facts() -> Facts:
    """All that an import may change, and what is due to be sent."""
    with unit_of_work(read_only=True) as session:
        found: Facts = set()
        for table in (Product, Listing, StockLevel, Link):
            rows = session.connection().exec_driver_sql(f"SELECT * FROM {table.__tablename__}").all()
            found |= {(table.__tablename__, *map(str, row)) for row in rows}
        return found
