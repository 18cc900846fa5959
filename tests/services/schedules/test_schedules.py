"""Adding, changing, pausing, cancelling and restoring: nothing is edited, nothing is lost, everything is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from webapp.errors import Conflict, NotFound, Refused
from webapp.models import AuditEntry, Every, Schedule
from webapp.services import schedules
from webapp.services.schedules import Wish

NOW = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)
STOCK = Wish(True, False, Every.QUARTER)


@pytest.fixture
def one(session, make, bob) -> Schedule:
    """A schedule on Alpha, every 15 minutes."""
    make.noise()
    return schedules.add(session, [make.channel()], STOCK, by=bob, now=NOW)[0]


def events(session) -> list[str]:
    every = select(AuditEntry.event).where(AuditEntry.event.startswith("schedule.")).order_by(AuditEntry.id)
    return list(session.scalars(every))


def names(session, **how) -> list[tuple[int, str]]:
    return [(row.schedule.id, row.channel.name) for row in schedules.listed(session, **how)]


def test_one_form_schedules_several_channels(session, make, bob):
    made = schedules.add(session, [make.channel("Alpha"), make.channel("Beta")], STOCK, by=bob, now=NOW)
    assert names(session) == [(made[0].id, "Alpha"), (made[1].id, "Beta")]
    assert {s.next_at for s in made} == {NOW + timedelta(minutes=10)}
    assert events(session) == ["schedule.added"] * 2


def test_no_channel_is_refused(session, bob):
    with pytest.raises(Refused, match="at least one connector"):
        schedules.add(session, [], STOCK, by=bob, now=NOW)


def test_a_change_cancels_the_old_one_and_keeps_it(session, one, bob):
    new = schedules.change(session, one, Wish(True, True, Every.NIGHT, "3:00", "UTC"), by=bob, now=NOW)
    assert (new.id != one.id, new.replaces_id) == (True, one.id)
    assert [row.schedule for row in schedules.listed(session)] == [new]
    assert [row.schedule for row in schedules.listed(session, cancelled=True)] == [one]
    assert (one.every, one.cancelled_by) == (Every.QUARTER, "Bob")
    assert new.next_at == datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert events(session) == ["schedule.added", "schedule.changed"]


def test_saving_the_same_again_changes_nothing(session, one, bob):
    assert schedules.change(session, one, STOCK, by=bob, now=NOW) is one
    assert events(session) == ["schedule.added"]


def test_a_change_is_taken_back_by_restoring_the_old_one(session, one, bob):
    new = schedules.change(session, one, Wish(True, False, Every.HOUR), by=bob, now=NOW)
    schedules.restore(session, one, by=bob, now=NOW)
    assert [row.schedule for row in schedules.listed(session)] == [one]
    assert new.cancelled_at is not None


def test_a_cancelled_schedule_comes_back_at_its_next_moment(session, one, bob):
    schedules.cancel(session, one, by=bob, now=NOW)
    assert names(session) == []
    assert not schedules.due(session, now=NOW + timedelta(days=1))
    later = NOW + timedelta(hours=3)
    schedules.restore(session, one, by=bob, now=later)
    assert one.next_at == later + timedelta(minutes=10)
    assert events(session)[-2:] == ["schedule.cancelled", "schedule.restored"]


def test_what_somebody_else_cancelled_is_not_changed(session, one, alice, bob):
    schedules.cancel(session, one, by=alice, now=NOW)
    for act in (
        lambda: schedules.change(session, one, Wish(True, True, Every.HOUR), by=bob, now=NOW),
        lambda: schedules.pause(session, one, True, by=bob, now=NOW),
        lambda: schedules.cancel(session, one, by=bob, now=NOW),
    ):
        with pytest.raises(Conflict, match="Alice cancelled"):
            act()
    with pytest.raises(NotFound):
        schedules.get(session, one.id + 1)


def test_a_pause_is_not_caught_up_on(session, one, bob):
    schedules.pause(session, one, True, by=bob, now=NOW)
    assert not schedules.due(session, now=NOW + timedelta(days=1))
    schedules.pause(session, one, True, by=bob, now=NOW)
    later = NOW + timedelta(hours=1)
    schedules.pause(session, one, False, by=bob, now=later)
    assert one.next_at == later + timedelta(minutes=10)
    assert events(session) == ["schedule.added", "schedule.paused", "schedule.resumed"]


def test_another_that_sends_the_same_is_named(session, make, one, bob):
    alpha = make.channel()
    hourly = schedules.add(session, [alpha], Wish(True, True, Every.HOUR), by=bob, now=NOW)[0]
    price = schedules.add(session, [alpha], Wish(False, True, Every.NIGHT, "03:00"), by=bob, now=NOW)[0]
    assert schedules.same_as(session, hourly) is one
    assert schedules.same_as(session, price) is hourly
    assert schedules.same_as(session, one) is hourly
    schedules.cancel(session, hourly, by=bob, now=NOW)
    assert schedules.same_as(session, one) is None
