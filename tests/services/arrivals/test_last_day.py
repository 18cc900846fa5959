"""How long changes take: from the change to the channel's answer, by the hour, for the last day only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from webapp.models import Attempt, Link
from webapp.models.base import utc_now
from webapp.services import arrivals


def look(shop, now):
    return shop.change(lambda s: arrivals.last_day(s, now=now))


def test_a_delivery_knows_since_when_it_was_due(shop):
    shop.open(1)
    since = utc_now() - timedelta(seconds=90)
    shop.change(lambda s: s.execute(update(Link).values(dirty_at=since)))
    shop.send()
    assert shop.attempts()[0].due_since == since
    found = look(shop, utc_now())
    assert found.n == 1
    assert 90 <= found.half == found.most < 120


def test_the_hours_part_the_day_and_name_the_slowest_channel(shop):
    shop.open(4)
    shop.send()
    now = utc_now()
    ids = [attempt.id for attempt in shop.attempts()]
    told = ((30, 2), (25, 9), (24 * 60 - 1, 4), (24 * 60 + 1, 500))  # minutes ago, seconds it took

    def spread(session):
        for attempt_id, (ago, took) in zip(ids, told, strict=True):
            end = now - timedelta(minutes=ago)
            row = session.get_one(Attempt, attempt_id)
            row.ended_at, row.due_since = end, end - timedelta(seconds=took)

    shop.change(spread)
    found = look(shop, now)
    hours = [(h.ago, h.half, h.most, h.slowest, h.n) for h in found.hours]
    assert hours == [(23, 4, 4, "Hook", 1), (0, 2, 9, "Hook", 2)]
    assert (found.n, found.half, found.most, found.worst.ago) == (3, 4, 9, 0)


def test_what_was_not_taken_does_not_count(shop, stub):
    stub.default = "422"
    shop.open(1)
    shop.send()
    assert look(shop, utc_now()) == arrivals.Arrivals([])
    assert shop.change(lambda s: s.scalars(select(Attempt.due_since)).one()) is not None


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([50, 95]))
def test_a_rank_is_a_value_that_so_many_are_at_or_below(values, percent):
    ordered = sorted(values)
    found = arrivals.rank(ordered, percent)
    assert found in ordered
    assert sum(v <= found for v in ordered) >= len(ordered) * percent / 100


@pytest.mark.parametrize(("values", "half", "most"), [([1], 1, 1), ([1, 2, 3, 4], 2, 4), (list(range(1, 101)), 50, 95)])
def test_ranks_of_known_lists(values, half, most):
    assert (arrivals.rank(values, 50), arrivals.rank(values, 95)) == (half, most)
