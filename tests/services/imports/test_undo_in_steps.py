"""A large import is taken back by a worker: whatever stops one, nothing is lost or done twice, and others wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from tests.services.imports.conftest import read, take_back
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import ImportJob, ImportState, Link, Listing, ListingState, PastLink, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import counts, import_undo, imports, links, long_acts
from webapp.services import undo as undo_links

HEAD = "listing id,sku,title\n"
FILE = HEAD + "".join(f"L{n},A-{n},Mug {n}\n" for n in range(1, 7))


class Died(BaseException):
    """What ends a worker in the middle of a step."""


def begin(job: ImportJob, settings) -> None:
    with unit_of_work() as session:
        import_undo.begin(session, job.id, uploads=settings.uploads, by=COMMAND_LINE)


def let_the_lease_end(job: ImportJob) -> None:
    with unit_of_work() as session:
        over = utc_now() - timedelta(seconds=1)
        session.execute(update(ImportJob).where(ImportJob.id == job.id).values(lease_until=over, worker="gone"))


def left() -> dict[str, object]:
    """What an import and its undo may leave behind."""
    with unit_of_work(read_only=True) as session:
        rows = session.execute(select(Listing.external_id, Listing.title, Listing.state).order_by(Listing.external_id))
        numbers = [session.scalar(select(func.count()).select_from(table)) for table in (Link, PastLink)]
        kept = {c: {s: n for s, n in by.items() if n} for c, by in counts.by_channel(session).items()}
        return {"listings": [tuple(r) for r in rows], "links": numbers, "counts": kept}


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_undo, "STEP", 2)
    monkeypatch.setattr(undo_links, "STEP", 2)


@pytest.fixture
def brought(apply, alpha) -> ImportJob:
    """An import of six listings, two of them linked, over one that was there with another title."""
    apply("listings", HEAD + "L6,,Old mug\n", channel=alpha)
    return apply("listings", FILE, channel=alpha)


@pytest.mark.usefixtures("small_steps")
def test_wherever_a_worker_dies_the_next_one_ends_it(brought, settings, monkeypatch):
    """Swept over every transaction of the undo: before the last one the import is there, then it is not."""
    hold, calls = import_undo.hold, [0]

    def die_at_the_last(session, job, *, now):
        calls[0] -= 1
        held = hold(session, job, now=now)
        if calls[0] == 0:
            raise Died
        return held

    monkeypatch.setattr(import_undo, "hold", die_at_the_last)
    begin(brought, settings)
    deaths = 0
    for survives in range(1, 100):
        calls[0] = survives
        try:
            done = tasks.undo_imports(settings)
        except Died:
            deaths += 1
            assert read(brought.id).state is ImportState.UNDOING
            let_the_lease_end(brought)
            with unit_of_work() as session:
                session.execute(update(ImportJob).where(ImportJob.id == brought.id).values(tries=0))
        else:
            assert done == [brought.id]
            break
    assert deaths >= 5
    assert read(brought.id).report["undone"] == {
        "removed": 5, "restored": 1, "unlinked": 2, "kept": 0, "newer_rows": 0, "newer_values": 0, "newer_links": 0,
    }  # fmt: skip
    assert left() == {
        "listings": [("L6", "Old mug", ListingState.PENDING)],
        "links": [0, 0],
        "counts": {1: {ListingState.PENDING: 1}},
    }


def test_an_import_waits_until_the_one_before_is_taken_back(brought, bring, settings, alpha):
    begin(brought, settings)
    later = bring("listings", FILE, channel=alpha)
    with unit_of_work() as session:
        imports.confirm(session, later, by=COMMAND_LINE)
    tasks.run_imports(settings, only=later)
    assert read(later).state is ImportState.QUEUED, "it would meet rows that are about to go"
    assert tasks.run_imports(settings) == [later]
    assert read(brought.id).state is ImportState.UNDONE
    assert (read(later).created, read(later).updated) == (5, 1)
    assert len(left()["listings"]) == 6


def test_it_waits_for_an_import_that_goes_on(brought, bring, settings, alpha):
    later = bring("listings", FILE, channel=alpha)
    with unit_of_work() as session:
        imports.confirm(session, later, by=COMMAND_LINE)
        imports.claim_next(session, worker="another", now=utc_now(), job_id=later)
    begin(brought, settings)
    assert tasks.undo_imports(settings) == []
    let_the_lease_end(read(later))
    assert tasks.run_imports(settings) == [later]
    assert tasks.undo_imports(settings) == [brought.id]
    assert len(left()["listings"]) == 6, "the newer file has them all"
    assert read(brought.id).report["undone"]["newer_rows"] == 5


def test_who_stops_the_links_keeps_the_import_and_can_take_it_back_again(brought, settings):
    begin(brought, settings)
    with unit_of_work() as session:
        job = import_undo.claim(session, worker=tasks.worker_name(), now=utc_now())
        act = import_undo.open_links(session, job)
    with unit_of_work() as session:
        long_acts.stop(session, act, by=COMMAND_LINE)
    let_the_lease_end(brought)
    tasks.undo_imports(settings)
    stopped = read(brought.id)
    assert stopped.state is ImportState.FAILED
    assert "Somebody stopped" in stopped.message
    assert left()["links"] == [2, 0]
    assert take_back(stopped)["unlinked"] == 2
    assert left()["links"] == [0, 0]


def test_three_deaths_are_enough(brought, settings):
    begin(brought, settings)
    with unit_of_work() as session:
        session.execute(update(ImportJob).where(ImportJob.id == brought.id).values(tries=imports.MOST_TRIES))
    assert tasks.undo_imports(settings) == []
    assert read(brought.id).state is ImportState.FAILED
    assert "Three workers stopped" in read(brought.id).message


@pytest.mark.usefixtures("both_ways")
def test_links_that_somebody_took_back_before_are_no_hindrance(brought, settings):
    with unit_of_work() as session:
        links.undo(session, brought.batch_id, by=COMMAND_LINE)
    assert take_back(brought) == {
        "removed": 5, "restored": 1, "unlinked": 0, "kept": 0, "newer_rows": 0, "newer_values": 0, "newer_links": 0,
    }  # fmt: skip
    assert left()["links"] == [0, 0]


def test_it_says_how_far_it_is(brought, settings):
    begin(brought, settings)
    with unit_of_work(read_only=True) as session:
        assert import_undo.progress(session, imports.get(session, brought.id)) == (0, 8)
    with unit_of_work() as session:
        job = import_undo.claim(session, worker=tasks.worker_name(), now=utc_now())
        act = import_undo.open_links(session, job)
        long_acts.take(session, act, 1)
        assert import_undo.progress(session, job) == (1, 8)
        assert import_undo.restore_some(session, job, 10) == 1
        assert import_undo.progress(session, job) == (2, 8)


def test_only_large_ones_are_left_to_a_worker(brought, apply, alpha, monkeypatch):
    def large() -> bool:
        with unit_of_work(read_only=True) as session:
            return import_undo.is_large(session, imports.get(session, brought.id))

    assert not large()
    monkeypatch.setattr(import_undo.steps, "FROM", 6)
    assert large()
    monkeypatch.setattr(import_undo.steps, "FROM", 7)
    assert not large()
    apply("listings", FILE + "L7,,Jug\n", channel=alpha)
    assert large(), "a newer file of seven rows has to be asked"


def test_products_go_in_steps_too(apply, settings, monkeypatch):
    monkeypatch.setattr(import_undo, "STEP", 2)
    job = apply("products", "sku,title\n" + "".join(f"B-{n},Jug {n}\n" for n in range(5)))
    begin(job, settings)
    tasks.undo_imports(settings)
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Product).where(Product.retired_at.is_(None))) == 0
    assert read(job.id).report["undone"]["removed"] == 5
