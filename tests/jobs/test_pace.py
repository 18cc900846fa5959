"""Long work takes as much in one transaction as nobody feels: less while people decide."""

from __future__ import annotations

import gc
import itertools
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import Block
from tests.conftest import POSTGRES
from webapp.db import unit_of_work
from webapp.jobs.pace import LEAST, LONG, PRESSED, SHORT, Pace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def worked(pace, clock, seconds_a_row, *, pressed=False, steps=12):
    """The size after some transactions whose rows take this long."""
    for _ in range(steps):
        seconds = pace.size * seconds_a_row
        clock.now += seconds
        pace.took(pace.size, seconds, pressed=pressed)
    return pace.size


def test_a_transaction_takes_what_is_done_in_its_time():
    clock = Clock()
    pace = Pace(4_000, clock=clock)
    assert worked(pace, clock, LONG / 1_000) == pytest.approx(1_000, abs=1)
    assert worked(pace, clock, LONG / 100) == pytest.approx(100, abs=1)
    assert worked(pace, clock, 1e-9) == 4_000
    assert worked(pace, clock, 10.0) == LEAST


def test_a_quick_one_among_slow_ones_is_no_promise():
    pace = Pace(4_000)
    for seconds_a_row in (LONG / 500, LONG / 2_000, LONG / 500, LONG / 2_000):
        rows = pace.size
        pace.took(rows, rows * seconds_a_row, pressed=False)
    assert pace.size == pytest.approx(500, abs=1)


def test_who_waits_makes_the_next_ones_short_for_a_while():
    clock = Clock()
    pace = Pace(4_000, clock=clock)
    assert worked(pace, clock, LONG / 1_000, pressed=True) == pytest.approx(1_000 * SHORT / LONG, abs=1)
    clock.now += PRESSED
    assert worked(pace, clock, LONG / 1_000) == pytest.approx(1_000, abs=1)


def test_a_few_quick_rows_say_nothing():
    pace = Pace(4_000)
    before = pace.size
    pace.took(3, 0.02, pressed=False)
    pace.took(0, 5.0, pressed=False)
    assert pace.size == before


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=30), st.integers(1, 9))
def test_portions_are_the_rows_and_never_part_those_of_one_number(rows, size):
    numbers, last = [], 1
    for step, _ in rows:
        last += step
        numbers.append(last)
    same = [flag for _, flag in rows]
    block = Block(numbers, {"place": list(range(len(rows)))})
    pace = Pace(size)
    pieces = list(pace.portions(block, same))
    assert [place for piece, _ in pieces for place in piece.columns["place"]] == block.columns["place"]
    assert [flag for _, flags in pieces for flag in flags] == same
    for (piece, flags), (behind, _) in itertools.pairwise(pieces):
        assert piece.numbers[-1] < behind.numbers[0]
        together = piece.numbers.count(piece.numbers[-1])
        assert size <= flags.count(False) < size + together + 1


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 9))
def test_spans_cover_the_ids_once(low, n, most):
    spans = list(Pace(most).spans(low, low + n))
    assert [i for start, end in spans for i in range(start, end)] == list(range(low, low + n))


@pytest.mark.skipif(bool(POSTGRES), reason="PostgreSQL locks rows, and has no turns to take")
def test_a_waiting_writer_is_noticed(app):
    holds, waits = threading.Event(), threading.Event()

    def decide():
        holds.wait()
        waits.set()
        with app.app_context(), unit_of_work():
            pass

    person = threading.Thread(target=decide)
    person.start()
    pace = Pace(4_000)
    with app.app_context(), pace.step(200):
        holds.set()
        waits.wait()
        time.sleep(0.05)
    person.join()
    assert pace.size < 200


def test_garbage_waits_until_the_lock_is_free(context):
    with Pace(10).step(1):
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(LookupError), Pace(10).step(1):
        raise LookupError
    assert gc.isenabled()
