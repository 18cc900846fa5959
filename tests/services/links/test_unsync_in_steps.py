"""What an unsync in steps promises: the exact number, a stop that keeps what is done, and one undo for all of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from webapp.errors import Conflict
from webapp.models import ActStep, Link, LinkBatch, Listing, ListingState, Refusal
from webapp.services import audit, counts, links, long_acts, steps, unsyncing

ALL = [Link.id > 0]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Two pairs a step, so that few pairs are several steps."""
    monkeypatch.setattr(unsyncing, "STEP", 2)


@pytest.fixture
def seven(make):
    """Seven pairs."""
    return [make.link() for _ in range(7)]


def live(session):
    return session.scalar(select(func.count()).select_from(Link))


def take_step(session, batch=None):
    """Take a step of the act, or of the oldest one; gives how many pairs it ended, None when there is none."""
    waiting = steps.waiting(session)
    if not waiting:
        return None
    batch = batch or session.get_one(LinkBatch, waiting[0])
    before = batch.changed
    assert long_acts.take(session, batch.id, 500) is not None
    return batch.changed - before


def all_steps(session):
    found = []
    while (ended := take_step(session)) is not None:
        found.append(ended)
    return found


def test_steps_take_all_apart_and_one_undo_brings_all_back(session, seven, alice):
    channel_id = seven[0].channel_id
    batch = unsyncing.begin(session, ALL, expect=7, by=alice)
    assert steps.progress(session, batch) == steps.Progress(0, 7, 0)
    assert (take_step(session), live(session)) == (2, 5)
    assert steps.progress(session, batch) == steps.Progress(2, 7, 2)
    with pytest.raises(Conflict, match="still going on"):
        links.undo(session, batch.id, by=alice)
    assert all_steps(session) == [2, 2, 1]
    assert steps.progress(session, batch) is None
    assert (batch.changed, live(session)) == (7, 0)
    assert counts.of_channel(session, channel_id)[ListingState.PENDING] == 7
    assert session.scalar(select(func.count()).select_from(Refusal)) == 7  # no rule joins them again
    entry = audit.page(session, event="link.unsynced")[0]
    assert (entry.sentence, entry.by_name) == ("Unsynced 7 pairs.", "Alice")
    assert links.undo(session, batch.id, by=alice).changed == 7
    assert live(session) == 7


def test_another_number_is_refused_and_nothing_begins(session, seven, alice):
    with pytest.raises(Conflict, match="There are 7 pairs now, not 8"):
        unsyncing.begin(session, ALL, expect=8, by=alice)
    assert session.scalar(select(func.count()).select_from(ActStep)) == 0
    assert session.scalar(select(LinkBatch.id).where(LinkBatch.verb == "unsync")) is None


def test_a_stop_keeps_what_is_done_and_its_undo_is_exact(session, seven, alice, bob):
    owner = replace(alice, name="Olga")
    batch = unsyncing.begin(session, ALL, expect=7, by=alice)
    take_step(session)
    long_acts.stop(session, batch.id, by=owner)
    assert all_steps(session) == []
    assert (batch.changed, batch.total, batch.stopped_by, live(session)) == (2, 7, "Olga", 5)
    assert audit.page(session, event="link.unsynced")[0].sentence == "Stopped an unsync: 2 of 7 pairs are unsynced."
    long_acts.stop(session, batch.id, by=owner)  # twice says nothing new
    assert len(audit.page(session, event="link.unsynced")) == 1
    assert links.undo(session, batch.id, by=bob).changed == 2
    assert live(session) == 7


def test_pairs_that_changed_meanwhile_are_left_as_they_are(session, make, seven, alice, bob):
    batch = unsyncing.begin(session, ALL, expect=7, by=alice)
    first, last = seven[0], seven[-1]
    again, product = last.listing_id, last.product_id
    links.unlink(session, [first.listing_id], by=bob)
    links.unlink(session, [again], by=bob)
    links.confirm(session, [links.Pair(again, product)], by=bob)  # on SQLite it may get the very same id
    assert sum(all_steps(session)) == 5
    assert (batch.changed, batch.total, live(session)) == (5, 7, 1)
    assert session.get(Listing, again, populate_existing=True).state is ListingState.LINKED


def test_what_is_done_is_done_once_whoever_takes_the_step(session, seven, alice):
    one = unsyncing.begin(session, ALL, expect=7, by=alice)
    two = unsyncing.begin(session, ALL, expect=7, by=alice)
    assert sum(all_steps(session)) == 7
    assert (one.changed, two.changed) == (7, 0)
