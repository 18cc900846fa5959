"""The retry schedule and the breaker, on clocks and dice of our own."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.retry import RETRY_SCHEDULE, Breaker, next_delay
from tests.connectors.conftest import NOW


class Middle(random.Random):
    """Dice that always show the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_the_schedule_is_the_published_one() -> None:
    assert RETRY_SCHEDULE == (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    assert sum(RETRY_SCHEDULE) / 3600 == pytest.approx(75.6, abs=0.1)


def test_each_send_waits_its_time_and_the_tenth_is_the_last() -> None:
    delays = [next_delay(made, rng=Middle()) for made in range(12)]
    assert delays == [*RETRY_SCHEDULE, None, None]


@given(st.integers(0, 9), st.integers())
def test_jitter_stays_within_a_tenth(made: int, seed: int) -> None:
    delay = next_delay(made, rng=random.Random(seed))
    assert delay is not None
    assert 0.9 * RETRY_SCHEDULE[made] <= delay <= 1.1 * RETRY_SCHEDULE[made]


@given(st.integers(0, 9), st.floats(allow_nan=False), st.integers())
def test_retry_after_is_never_undercut_within_the_hour(made: int, retry_after: float, seed: int) -> None:
    delay = next_delay(made, retry_after, rng=random.Random(seed))
    assert delay is not None
    assert delay >= min(max(retry_after, 0), 3600)
    assert delay <= max(1.1 * RETRY_SCHEDULE[made], 1.1 * 3600)


def test_a_thousand_failures_do_not_come_back_together() -> None:
    rng = random.Random(1)
    assert len({next_delay(1, rng=rng) for _ in range(1000)}) == 1000
    assert len({next_delay(1, 60.0, rng=rng) for _ in range(1000)}) == 1000


def test_a_negative_count_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="cannot be -1"):
        next_delay(-1, rng=Middle())


def test_the_breaker_opens_at_the_third_failure_and_doubles_up_to_five_minutes() -> None:
    breaker, pauses = Breaker(), []
    for _ in range(12):
        breaker = breaker.failed(NOW)
        pauses.append((breaker.open_until - NOW).total_seconds() if breaker.open_until else 0)
    assert pauses == [0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300, 300]


def test_an_open_breaker_allows_again_when_its_time_is_over() -> None:
    breaker = Breaker(failures=2).failed(NOW)
    assert not breaker.allows(NOW + timedelta(seconds=4.9))
    assert breaker.allows(NOW + timedelta(seconds=5))
    assert breaker.succeeded().allows(NOW)
    assert breaker.succeeded() == Breaker()


def test_retry_after_opens_the_breaker_at_once_for_an_hour_at_most() -> None:
    assert Breaker().failed(NOW, 30.0).open_until == NOW + timedelta(seconds=30)
    assert Breaker().failed(NOW, 1e12).open_until == NOW + timedelta(hours=1)
    assert Breaker().failed(NOW, -3.0).allows(NOW)


def test_years_of_failures_do_not_overflow() -> None:
    assert Breaker(failures=10**9).failed(NOW).open_until == NOW + timedelta(minutes=5)
