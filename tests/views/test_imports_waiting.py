"""The page of an import whose worker died, or that has none yet, says so instead of counting on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.views.pair_pages import text_of
from webapp.models import ImportJob, ImportKind, ImportState
from webapp.models.base import utc_now
from webapp.services import health, imports

PAGE = "/import/1/done"
DEAD = "The worker that was at it has stopped. It waits for another, and goes on by itself within a minute."


@pytest.fixture
def job(put):
    """An import of 30,000 rows, 24,000 of which are in; `job(chunk=…, beat=…)` says how many seconds ago each was."""

    def stands(*, state=ImportState.RUNNING, chunk=None, beat=None, other=None, lease=imports.LEASE):
        def write(make):
            found = make.session.get(ImportJob, 1) or ImportJob(
                kind=ImportKind.PRODUCTS, file_name="p.csv", stored_as="x", report={"rows": 30_000}
            )
            found.state, found.rows_ok, found.created, found.worker = state, 30_000, 24_000, "host:7"
            found.lease_until = None if chunk is None else utc_now() - timedelta(seconds=chunk) + lease
            make.session.add(found)
            for name, seconds in (("host:7", beat), ("host:8", other)):
                if seconds is not None:
                    health.beat(make.session, name, now=utc_now() - timedelta(seconds=seconds))

        put(write)

    return stands


def test_an_import_that_is_worked_at_counts(browse, job):
    job(chunk=0, beat=2)
    page = text_of(browse("bob").get(PAGE))
    assert "Importing 24,000 of 30,000" in page
    assert "worker" not in page


@pytest.mark.parametrize("signs", [{"chunk": 0, "beat": 40}, {"chunk": 40, "beat": 2}])
def test_one_sign_alone_says_nothing(browse, job, signs):
    job(**signs)
    assert "Importing 24,000 of 30,000" in text_of(browse("bob").get(PAGE))


def test_an_import_whose_worker_died_says_that_it_waits_long_before_its_lease_ends(browse, job):
    job(chunk=20, beat=22)
    bob = browse("bob")
    page = text_of(bob.get(PAGE))
    assert "Waiting 24,000 of 30,000" in page
    assert DEAD in page
    assert DEAD in text_of(bob.get("/import/1/progress", headers={"HX-Request": "true"}))


def test_a_web_process_that_died_over_an_import_is_judged_by_its_chunks(browse, job):
    job(chunk=20, other=1)
    assert DEAD in text_of(browse("bob").get(PAGE))


def test_what_nobody_could_take_says_how_to_start_a_worker(browse, job):
    job(chunk=70, beat=72)
    assert "No worker runs. Start “pairbook run” or “pairbook worker” on the server" in text_of(browse("bob").get(PAGE))


def test_an_import_in_the_queue_says_that_it_begins_by_itself(browse, job):
    job(state=ImportState.QUEUED, other=3)
    page = text_of(browse("bob").get(PAGE))
    assert "It waits until a worker is free, and begins by itself." in page


def test_a_file_that_waits_to_be_read_says_so(browse, job):
    job(state=ImportState.CHECKING, chunk=0, lease=imports.CHECK_LEASE)
    bob = browse("bob")
    assert "The file is being read" in text_of(bob.get("/import/1"))
    job(state=ImportState.CHECKING)
    page = text_of(bob.get("/import/1"))
    assert "The file waits to be read" in page
    assert "No worker runs." in page
    job(state=ImportState.CHECKING, other=1)
    assert "It waits until a worker is free" in text_of(bob.get("/import/1"))
