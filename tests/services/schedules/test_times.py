"""When a schedule comes round: on the clock's full steps, or at a time on the wall, whatever the zone does to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import Refused
from webapp.models import Every, Schedule
from webapp.models.schedules import STEPS, moment_of
from webapp.services.schedules import Wish

MOMENTS = st.integers(0, 15 * 366 * 24 * 3600).map(lambda n: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=n))
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")


def schedule(every: Every, at: str = "", zone: str = "UTC") -> Schedule:
    return Schedule(every=every, at=at, zone=zone)


@pytest.mark.parametrize(
    ("zone", "day", "wall", "moment"),
    [
        ("Europe/Berlin", date(2026, 3, 28), time(2, 30), "2026-03-28 01:30"),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29 01:00"),  # 02:30 is skipped: 03:00 is the next
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25 00:30"),  # twice: the first time
        ("America/New_York", date(2026, 3, 8), time(2, 15), "2026-03-08 07:00"),
        ("America/New_York", date(2026, 11, 1), time(1, 15), "2026-11-01 05:15"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 10), "2026-10-03 15:30"),  # half an hour is skipped
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), "2026-04-04 14:45"),
        ("Pacific/Apia", date(2011, 12, 30), time(2, 30), "2011-12-30 10:00"),  # the whole day was skipped
    ],
)
def test_a_time_on_the_wall_is_one_moment(zone, day, wall, moment):
    assert moment_of(day, wall, ZoneInfo(zone)) == datetime.fromisoformat(f"{moment}+00:00")


@given(MOMENTS, st.sampled_from(list(STEPS)))
def test_steps_stand_on_the_clock(after, every):
    following = schedule(every).following(after)
    assert after < following <= after + STEPS[every]
    assert (following - datetime(1970, 1, 1, tzinfo=UTC)) % STEPS[every] == timedelta(0)


@given(MOMENTS, st.times().map(lambda t: f"{t:%H:%M}"), st.sampled_from(ZONES))
def test_a_night_comes_once_a_day_and_never_stands_still(after, at, zone):
    night = schedule(Every.NIGHT, at, zone)
    first = night.following(after)
    second = night.following(first)
    assert after < first <= after + timedelta(days=2)
    assert timedelta(hours=20) <= second - first <= timedelta(hours=28)
    assert night.following(first - timedelta(microseconds=1)) == first


@pytest.mark.parametrize("at", ["", "24:00", "3", "03:60", "noon", "03:00:00"])
def test_what_is_no_time_is_refused_with_the_repair(at):
    with pytest.raises(Refused, match="Type it as 03:00"):
        Wish(True, False, Every.NIGHT, at)


def test_a_time_is_kept_in_one_spelling_and_only_where_it_means_something():
    assert Wish(True, False, Every.NIGHT, " 3:05 ").at == "03:05"
    assert Wish(True, False, Every.HOUR, "3:05").at == ""


def test_a_schedule_that_sends_nothing_is_refused():
    with pytest.raises(Refused, match="stock, price or both"):
        Wish(False, False, Every.HOUR)
