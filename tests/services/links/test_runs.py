"""A person's run: what was decided without a long pause, on one channel, as often as somebody asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from webapp.models import Channel, Listing, ListingState
from webapp.models.accounts import Actor, Role
from webapp.models.base import utc_now
from webapp.models.links import LinkBatch
from webapp.services import links, runs

pytestmark = pytest.mark.usefixtures("people")  # committed before the session of a test begins
MINUTE = timedelta(minutes=1)


@pytest.fixture
def alice(people):
    return Actor(people["alice"], "Alice", Role.OWNER)


@pytest.fixture
def bob(people):
    return Actor(people["bob"], "Bob", Role.EDITOR)


@pytest.fixture
def channel(make):
    return make.channel("Shop")


@pytest.fixture
def decide(session, make, channel, alice):
    """Set a new listing aside, so many minutes ago; gives the act's number."""

    def act(ago: float, state=ListingState.IGNORED, by=alice, on: Channel = channel) -> int:
        listing: Listing = make.listing(channel=on)
        change = links.set_aside(session, [listing.id], state, by=by)
        session.execute(update(LinkBatch).where(LinkBatch.id == change.act.id).values(at=utc_now() - ago * MINUTE))
        return change.act.id

    return act


def run_of(session, channel, by):
    session.flush()
    return runs.run(session, channel, by, now=utc_now())


def test_a_run_holds_what_came_after_the_last_long_pause(session, decide, channel, alice):
    for ago in (60, 50, 30, 20, 10, 9):
        decide(ago)
    found = run_of(session, channel, alice)
    assert (found.done, found.total, found.undo) == ({"ignored": 4}, 4, True)
    assert found.seconds == pytest.approx(21 * 60, abs=5)
    assert found.each == pytest.approx(21 * 60 / 3, abs=5)


def test_it_grows_with_each_decision_and_says_what_became_of_the_listings(session, decide, channel, alice):
    for n in range(1, 6):
        decide(20 - n, ListingState.NO_MATCH if n % 2 else ListingState.IGNORED)
        assert run_of(session, channel, alice).total == n
    assert run_of(session, channel, alice).done == {"none": 3, "ignored": 2}


def test_a_pause_begins_another_run_also_where_the_former_was_asked_for(session, decide, channel, alice):
    decide(60)
    decide(55)
    assert run_of(session, channel, alice).total == 2
    decide(5)
    assert run_of(session, channel, alice).total == 1
    decide(4)
    assert run_of(session, channel, alice).total == 2


def test_what_is_taken_back_counts_no_more_be_it_the_first_act(session, decide, channel, alice):
    first, _middle, last = decide(9), decide(8), decide(7)
    assert run_of(session, channel, alice).total == 3
    links.undo(session, first, by=alice)
    assert run_of(session, channel, alice).total == 2
    links.undo(session, last, by=alice)
    assert run_of(session, channel, alice).total == 1


def test_other_people_and_other_channels_have_runs_of_their_own(session, make, decide, channel, alice, bob):
    decide(5)
    decide(4, by=bob)
    decide(3, on=make.channel("Other"))
    assert run_of(session, channel, alice).total == run_of(session, channel, bob).total == 1


def test_a_run_of_more_than_a_thousand_is_counted_to_its_end(session, decide, channel, alice):
    first = decide(100)
    batch = session.get_one(LinkBatch, first)
    more = [
        {"verb": batch.verb, "by_id": batch.by_id, "by_name": "", "channel_id": channel.id, "listing_id": n,
         "changed": 1, "at": utc_now() - (100 - n / 15) * MINUTE}
        for n in range(1, 1_200)
    ]  # fmt: skip
    session.execute(LinkBatch.__table__.insert(), more)
    assert run_of(session, channel, alice).total == 1_200


def test_no_decision_is_no_run(session, channel, alice):
    found = run_of(session, channel, alice)
    assert (found.total, found.each, found.undo) == (0, None, False)


def test_what_was_seen_of_runs_is_forgotten_when_it_is_much(session, decide, channel, alice, bob, monkeypatch):
    monkeypatch.setattr(runs, "REMEMBERED", 1)
    decide(5)
    decide(4, by=bob)
    for _ in range(2):
        assert run_of(session, channel, alice).total == run_of(session, channel, bob).total == 1
