"""Chunks of suggestions: claimed by one worker each, kept once, free again after a death, paused and gone on with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from webapp.jobs import tasks
from webapp.models import Listing, ListingState, SuggestClaim, Suggestion
from webapp.models.base import utc_now
from webapp.models.listings import NOT_COMPUTED
from webapp.services import links, suggesting, suggestions


@pytest.fixture
def queue(make):
    """Ten listings that wait, and a product for one of them."""
    make.product("MUG-1", title="Acme stoneware mug blue 350 ml", brand="Acme")
    listings = [make.listing(f"X{n}", title="Acme stoneware mug, blue, 350ml") for n in range(10)]
    return listings


def take(session, channel, worker="one", limit=4, now=None):
    return suggesting.claim(session, channel.id, worker=worker, now=now or utc_now(), limit=limit)


def settle(session, chunk, found, limit=suggesting.WRITTEN, now=None):
    return suggesting.settle(session, chunk, found, now=now or utc_now(), limit=limit)


def test_two_workers_never_have_the_same_chunk(session, make, queue):
    channel = make.channel()
    chunks = [take(session, channel, worker) for worker in ("one", "two", "one", "two")]
    assert [len(c.ids) for c in chunks[:3]] == [4, 4, 2]
    assert chunks[3] is None
    assert sorted(i for c in chunks[:3] for i in c.ids) == [x.id for x in queue]


def test_what_a_worker_finds_is_kept_and_said(session, make, queue, context):
    channel, index = make.channel(), context.extensions["pairbook_index"]
    chunk = take(session, channel)
    assert suggesting.progress(session, channel, 10) == suggesting.Progress(0, 10, "", 1)
    assert settle(session, chunk, suggestions.suggest_for(session, chunk.ids, index)) == (4, None)
    assert suggesting.progress(session, channel, 6) == suggesting.Progress(4, 10, "", 0)
    found = session.scalars(select(Suggestion.listing_id).distinct()).all()
    assert sorted(found) == chunk.ids
    assert take(session, channel, limit=100).ids == [x.id for x in queue[4:]]


def test_the_chunk_of_a_dead_worker_is_free_after_its_lease_and_kept_once(session, make, queue):
    channel = make.channel()
    dead = take(session, channel, "one")
    assert take(session, channel, "two").ids != dead.ids
    late = utc_now() + suggesting.LEASE + timedelta(seconds=1)
    again = take(session, channel, "three", now=late)
    assert again.ids == dead.ids
    assert settle(session, dead, {i: [] for i in dead.ids}) == (0, None)
    assert session.scalars(select(Listing.id).where(Listing.place != NOT_COMPUTED)).all() == []
    assert settle(session, again, {i: [] for i in again.ids}) == (4, None)


def test_a_span_between_two_others_never_reaches_into_them(session, make, queue):
    channel = make.channel()
    first, second = take(session, channel, "one", 2), take(session, channel, "two", 2)
    suggesting.release(session, first)
    between = take(session, channel, "three", 5)
    assert between.ids == first.ids
    assert take(session, channel, "four", 5).ids == [x.id for x in queue[4:9]]
    assert second.ids == [x.id for x in queue[2:4]]


def test_a_listing_that_somebody_decided_on_meanwhile_keeps_its_decision(session, make, queue, bob):
    chunk = take(session, make.channel())
    links.skip(session, queue[0].id, by=bob)
    links.set_aside(session, [queue[1].id], ListingState.IGNORED, by=bob)
    skipped = queue[0].place
    assert settle(session, chunk, {i: [] for i in chunk.ids}) == (2, None)
    session.expire_all()
    assert (queue[0].place, queue[1].place) == (skipped, NOT_COMPUTED)


def test_a_paused_channel_gives_no_chunk_and_keeps_what_was_begun(session, make, queue, bob):
    channel = make.channel()
    chunk = take(session, channel)
    suggesting.pause(session, channel, True, by=bob)
    suggesting.pause(session, channel, True, by=bob)
    assert take(session, channel, "two") is None
    assert suggesting.channels_waiting(session) == []
    assert settle(session, chunk, {i: [] for i in chunk.ids}) == (4, None)
    assert suggesting.progress(session, channel, 6).paused_by == "Bob"
    suggesting.pause(session, channel, False, by=bob)
    assert suggesting.channels_waiting(session) == [channel.id]
    assert len(take(session, channel, "two").ids) == 4


def test_a_run_ends_when_nothing_waits(session, make, queue):
    channel = make.channel()
    assert suggesting.progress(session, channel, 10) == suggesting.Progress(0, 10)
    chunk = take(session, channel, limit=100)
    assert take(session, channel) is None
    settle(session, chunk, {i: [] for i in chunk.ids})
    assert take(session, channel) is None
    assert suggesting.progress(session, channel, 0) == suggesting.Progress(0, 0)
    assert session.scalars(select(SuggestClaim)).all() == []


def test_a_failure_frees_its_chunk_at_once(make, queue, context, monkeypatch, session):
    session.commit()
    index = context.extensions["pairbook_index"]
    with monkeypatch.context() as broken:
        broken.setattr(suggestions, "suggest_for", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tasks.suggest(index)
    assert tasks.suggest(index) == 10
    assert tasks.suggest(index) == 0


def test_a_chunk_is_written_in_parts_and_what_is_left_stays_claimed(session, make, queue):
    channel = make.channel()
    chunk = take(session, channel, "one", limit=8)
    found = {i: [] for i in chunk.ids}
    later = utc_now() + timedelta(seconds=60)
    kept, left = settle(session, chunk, found, limit=3, now=later)
    assert (kept, left.ids, left.lease_until) == (3, chunk.ids[3:], later + suggesting.LEASE)
    assert suggesting.progress(session, channel, 7) == suggesting.Progress(3, 10, "", 1)
    assert take(session, channel, "two", limit=8).ids == [x.id for x in queue[8:]]
    assert settle(session, chunk, found, limit=3) == (0, None), "the first part again, by a lease that was renewed"
    kept, left = settle(session, left, found, limit=3)
    assert kept == 3
    assert settle(session, left, found, limit=3) == (2, None)
    assert session.scalars(select(Listing.id).where(Listing.place != NOT_COMPUTED)).all() == chunk.ids


def test_what_a_worker_left_unwritten_when_it_died_is_found_by_the_next_one(session, make, queue):
    channel = make.channel()
    chunk = take(session, channel, "one", limit=8)
    _, left = settle(session, chunk, {i: [] for i in chunk.ids}, limit=5)
    late = left.lease_until + timedelta(seconds=1)
    assert take(session, channel, "two", limit=8, now=late).ids == [x.id for x in queue[5:]]
    assert settle(session, left, {i: [] for i in left.ids}) == (0, None)
