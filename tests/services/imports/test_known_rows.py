"""Rows that say what is known are compared once, with the check, and passed over if nothing was written since."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from importers import block_rows, marks_of
from tests.factories import Make
from tests.services.imports.conftest import read, take_back
from webapp.db import unit_of_work
from webapp.jobs import importing, tasks
from webapp.models import ImportJob, ImportState, Listing
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import imports, known_rows

HEAD = "listing id,sku,title,price\n"
ROWS = [f"L{n},A-{n},Mug {n},{n}.50" for n in range(12)]


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BLOCK", "PULLED"):
        monkeypatch.setattr(block_rows, name, 3)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the rows that imports have prepared."""
    rows, prepare = [], imports.prepared

    def prepared(session, job, block):
        rows.extend(block.numbers)
        return prepare(session, job, block)

    monkeypatch.setattr(imports, "prepared", prepared)
    return rows


def file_of(rows: list[str]) -> str:
    return HEAD + "\n".join(rows) + "\n"


def changed(*places: int) -> list[str]:
    return [row.replace("Mug", "Cup") if n in places else row for n, row in enumerate(ROWS)]


def titles() -> dict[str, str]:
    with unit_of_work(read_only=True) as session:
        return dict(session.execute(select(Listing.external_id, Listing.title)).all())


def run(job_id: int, settings) -> ImportJob:
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)
    tasks.run_imports(settings, only=job_id)
    return read(job_id)


def result(job: ImportJob) -> tuple[int, int, int, int]:
    assert job.state is ImportState.DONE, job.message
    return job.created, job.updated, job.unchanged, job.next_row


def test_the_same_file_again_is_not_looked_at_twice(apply, alpha, looked_at):
    apply("listings", file_of(ROWS), channel=alpha)
    assert looked_at == list(range(2, 14))
    looked_at.clear()
    assert result(apply("listings", file_of(ROWS), channel=alpha)) == (0, 0, 12, 13)
    assert looked_at == []


@pytest.mark.parametrize("places", [(0,), (11,), (4, 5), (2, 3, 8), tuple(range(12)), ()])
def test_only_rows_that_say_something_new_are_looked_at(apply, alpha, looked_at, places):
    apply("listings", file_of(ROWS), channel=alpha)
    looked_at.clear()
    more = ["N1,,New,1.00"]
    job = apply("listings", file_of([*changed(*places), *more]), channel=alpha)
    assert result(job) == (1, len(places), 12 - len(places), 14)
    assert looked_at == [*(place + 2 for place in places), 14]
    assert sum(title.startswith("Cup") for title in titles().values()) == len(places)


def test_a_blank_cell_and_a_price_written_otherwise_are_nothing_new(apply, alpha, looked_at):
    apply("listings", file_of(ROWS), channel=alpha)
    looked_at.clear()
    rows = [ROWS[0].replace("0.50", "0.5"), ROWS[1].replace("Mug 1", ""), *ROWS[2:]]
    assert result(apply("listings", file_of(rows), channel=alpha)) == (0, 0, 12, 13)
    assert looked_at == []


@pytest.mark.parametrize("order", [slice(None, None, -1), slice(None, None, 2), slice(6, None)])
def test_rows_in_another_order_or_fewer_are_known_too(apply, alpha, looked_at, order):
    apply("listings", file_of(ROWS), channel=alpha)
    looked_at.clear()
    rows = [*ROWS[order], *changed(0, 11)[:: len(ROWS) - 1]]
    rows = list({row.split(",")[0]: row for row in rows}.values())
    job = apply("listings", file_of(rows), channel=alpha)
    assert result(job) == (0, 2, len(rows) - 2, len(rows) + 1)
    assert len(looked_at) == 2


def test_what_another_import_wrote_since_the_check_is_written_again(apply, bring, settings, alpha):
    apply("listings", file_of(ROWS), channel=alpha)
    job_id = bring("listings", file_of(ROWS), channel=alpha)
    apply("listings", file_of(changed(3, 7)), channel=alpha)
    assert result(run(job_id, settings)) == (0, 2, 10, 13)
    assert all(title.startswith("Mug") for title in titles().values())


def test_what_was_taken_back_since_the_check_is_written_again(apply, bring, settings, alpha):
    apply("listings", file_of(ROWS), channel=alpha)
    other = apply("listings", file_of(changed(3)), channel=alpha)
    job_id = bring("listings", file_of(changed(3)), channel=alpha)
    take_back(other)
    assert titles()["L3"] == "Mug 3"
    assert result(run(job_id, settings)) == (0, 1, 11, 13)
    assert titles()["L3"] == "Cup 3"


def test_a_row_of_a_listing_that_ended_opens_it_again(apply, bring, settings, alpha):
    apply("listings", file_of(ROWS), channel=alpha)
    job_id = bring("listings", file_of(ROWS[:-1]), channel=alpha)
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE, ends=1)
    tasks.run_imports(settings, only=job_id)
    assert result(apply("listings", file_of(ROWS), channel=alpha)) == (0, 0, 12, 13)
    with unit_of_work(read_only=True) as session:
        assert session.scalars(select(Listing.state).where(Listing.external_id == "L11")).one() != "ended"


def test_of_rows_that_mean_one_listing_the_later_one_counts(apply, alpha):
    head = "channel," + HEAD
    apply("listings", head + "Alpha,L1,A-1,Mug,1.00\n", channel=alpha)
    rows = ",L1,A-1,Cup,1.00\nAlpha,L2,A-2,Jug,2.00\nAlpha,L3,A-3,Jug,2.00\nAlpha,L1,A-1,Mug,1.00\n"
    apply("listings", head + rows, channel=alpha)
    assert titles()["L1"] == "Mug"


def test_a_file_without_ids_is_passed_over_too(apply, alpha, looked_at):
    text = "sku,title\n" + "".join(f"S-{n},Mug {n}\n" for n in range(7))
    apply("listings", text, channel=alpha)
    looked_at.clear()
    assert result(apply("listings", text, channel=alpha)) == (0, 0, 7, 8)
    assert looked_at == []


@pytest.mark.parametrize("steps", range(6))
def test_a_dead_worker_is_followed_by_one_that_counts_each_row_once(bring, apply, settings, alpha, monkeypatch, steps):
    monkeypatch.setattr(imports, "CHUNKS", dict.fromkeys(imports.CHUNKS, 1))
    apply("listings", file_of(ROWS), channel=alpha)
    job_id = bring("listings", file_of(changed(1, 5, 6, 10)), channel=alpha)
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)
    with unit_of_work() as session:
        job = imports.claim_next(session, worker="first", now=utc_now(), job_id=job_id)
    todo, apply_chunk = [None] * steps, imports.apply_chunk

    def dying(*args, **more):
        if not todo:
            raise KeyboardInterrupt
        todo.pop()
        apply_chunk(*args, **more)

    monkeypatch.setattr(imports, "apply_chunk", dying)
    with pytest.raises(KeyboardInterrupt):
        importing.apply(settings, job, None)
    monkeypatch.setattr(imports, "apply_chunk", apply_chunk)
    with unit_of_work() as session:
        session.execute(update(ImportJob).where(ImportJob.id == job_id).values(lease_until=utc_now()))
    assert tasks.run_imports(settings, only=job_id) == [job_id]
    assert result(read(job_id)) == (0, 4, 8, 13)


def test_nothing_is_passed_over_on_the_word_of_a_time_in_which_something_was_written(apply, bring, settings, alpha):
    apply("listings", file_of(ROWS), channel=alpha)
    with unit_of_work() as session:
        beta = Make(session, settings).channel("Beta").id
    job = read(bring("listings", file_of(ROWS), channel=alpha))
    staged = settings.uploads / f"{job.stored_as}.rows"
    with unit_of_work(read_only=True) as session:
        assert known_rows.passable(session, job, staged) == marks_of(staged)
    apply("listings", file_of(ROWS[:1]), channel=beta)
    with unit_of_work(read_only=True) as session:
        assert known_rows.passable(session, job, staged) is None


@pytest.mark.parametrize(
    ("numbers", "same", "settled"),
    [([2, 3, 4], [True, False, True], [2, 4]), ([2, 2, 3, 3], [True, False, True, True], [3]), ([], [], [])],
)
def test_of_rows_with_one_number_all_have_to_be_known(numbers, same, settled):
    assert list(known_rows.settled(numbers, same)) == settled
