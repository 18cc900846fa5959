"""The step of bench/scale.py that lets workers and people do what pages show: suggestions, decisions, a send."""

from __future__ import annotations

import time
from pathlib import Path

from flask import current_app
from make_data import Size
from scale_steps import Answer, instance
from sqlalchemy import select

from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Channel, Link, Listing, ListingState, User
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.services import channels, links, pairs, plans, suggestions

CHUNK = 1_000  # listings of each channel that get suggestions, of those that wait
DECIDED = 60  # of them, how many a person links, sets aside, skips, and takes apart again
SENT = 2_000  # pairs that are told their stock


def index(folder: Path, size: Size) -> Answer:
    """Build the search index of the catalogue and save it for the web processes."""
    with instance(folder):
        begun = time.perf_counter()
        tasks.keep_index(current_app.extensions["pairbook_index"])
        return {"seconds": time.perf_counter() - begun, "note": f"{size.products:,} products"}


def people(folder: Path, _size: Size) -> Answer:
    """Suggestions for the first waiting listings of each channel, decisions on some, and a send to one channel."""
    with instance(folder) as settings:
        with unit_of_work(read_only=True) as session:
            every = channels.all_channels(session)
            who = session.scalars(select(User)).first()
        begun = time.perf_counter()
        found = sum(_suggest(channel) for channel in every)
        note = f"{found:,} listings with suggestions in {time.perf_counter() - begun:.1f} s"
        if who is not None:
            _decide(every[-1], who.actor)
            _send(every[0], who.actor)
        tasks.propagate(settings)
    return {"note": note}


def _suggest(channel: Channel) -> int:
    with unit_of_work(read_only=True) as session:
        ids = suggestions.to_suggest(session, channel=channel, limit=CHUNK)
        found = suggestions.suggest_for(session, ids, current_app.extensions["pairbook_index"])
    with unit_of_work() as session:
        return suggestions.keep(session, found)


def _decide(channel: Channel, by: Actor) -> None:
    """One decision in a transaction of its own, as a person makes them."""
    with unit_of_work(read_only=True) as session:
        here = (Listing.channel_id == channel.id, Listing.state == ListingState.PENDING)
        waiting = list(session.scalars(select(Listing.id).where(*here).order_by(Listing.id).limit(3 * DECIDED)))
        linked = list(session.scalars(select(Link).where(Link.channel_id == channel.id).limit(2 * DECIDED)))
    for one in linked[:DECIDED]:
        with unit_of_work() as session:
            links.unlink(session, [one.listing_id], by=by)
            links.confirm(session, [links.Pair(one.listing_id, one.product_id)], by=by)
    with unit_of_work() as session:
        pairs.set_auto(session, [Link.id.in_([one.id for one in linked[DECIDED:]])], False, by=by)
    for place, listing_id in enumerate(waiting):
        with unit_of_work() as session:
            if place % 3 == 0:
                links.skip(session, listing_id, by=by)
            else:
                state = ListingState.NO_MATCH if place % 3 == 1 else ListingState.IGNORED
                links.set_aside(session, [listing_id], state, by=by)


def _send(channel: Channel, by: Actor) -> None:
    """A send by hand of some pairs: a plan, a run, its attempts."""
    with unit_of_work() as session:
        ids = list(session.scalars(select(Link.id).where(Link.channel_id == channel.id).limit(SENT)))
        made = plans.plan(session, channel, link_ids=ids, anyway=True)
        plans.send(session, channel, made, stock=True, price=False, by=by, now=utc_now())


STEPS = {"index": index, "people": people}
