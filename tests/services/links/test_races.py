"""Two people at once, on real transactions: one wins, the other reads who did."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from matching import Advice, Candidate
from tests.factories import Make
from webapp.db import db, unit_of_work
from webapp.errors import Conflict
from webapp.models import Link, Listing, ListingState, NearMiss, PastLink, Suggestion
from webapp.models.accounts import Actor, Role
from webapp.services import counts, links, reconciliation, suggestions
from webapp.services.links import Pair

PEOPLE = [Actor(None, name, Role.EDITOR) for name in ("Ana", "Bob", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hugo")]


def at_once(app: Any, act: Callable[[Any, Actor, int], Any], n: int) -> list[Any]:
    """Let n people do `act` in a transaction of their own at the same moment."""
    gate = Barrier(n)

    def one(i: int) -> Any:
        with app.app_context():
            gate.wait()
            try:
                with unit_of_work() as session:
                    return act(session, PEOPLE[i], i)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


@pytest.fixture
def stage(context, settings):
    """Makes things that are committed."""

    def build(run: Callable[[Make], Any]) -> Any:
        with unit_of_work() as session:
            return run(Make(session, settings))

    return build


@pytest.mark.parametrize("n", [2, 8])
def test_of_people_who_link_one_listing_one_wins_and_the_others_read_who(app, stage, n):
    listing, products = stage(lambda m: (m.listing().id, [m.product(f"P-{i}").id for i in range(n)]))
    changes = at_once(app, lambda s, who, i: links.confirm(s, [Pair(listing, products[i])], by=who), n)
    winners = [PEOPLE[i].name for i, c in enumerate(changes) if c.changed]
    assert len(winners) == 1
    for change in changes:
        if not change.changed:
            assert change.refused[0].message.startswith(f"{winners[0]} linked this listing to P-")
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Link)) == 1
        assert session.get(Listing, listing).fence == 1


@pytest.mark.parametrize("n", [2, 6])
def test_of_listings_that_race_for_one_product_one_gets_it(app, stage, n):
    product, listings = stage(lambda m: (m.product("MUG").id, [m.listing(listing_id=f"L{i}").id for i in range(n)]))
    changes = at_once(app, lambda s, who, i: links.confirm(s, [Pair(listings[i], product)], by=who), n)
    assert sum(c.changed for c in changes) == 1
    assert all("MUG is already linked on Alpha" in c.refused[0].message for c in changes if not c.changed)
    with unit_of_work(read_only=True) as session:
        channel = session.get(Listing, listings[0]).channel_id
        numbers = counts.of_channel(session, channel)
        assert (numbers[ListingState.LINKED], numbers[ListingState.PENDING]) == (1, n - 1)


def test_of_two_who_unlink_one_pair_one_does_it(app, stage):
    listing = stage(lambda m: m.link().listing_id)
    changes = at_once(app, lambda s, who, i: links.unlink(s, [listing], by=who), 2)
    assert sorted(c.changed for c in changes) == [0, 1]
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(PastLink)) == 1
        assert session.get(Listing, listing).fence == 2


def test_of_two_who_take_one_act_back_one_does_it(app, stage):
    def act(session: Any, who: Actor, _i: int) -> Any:
        try:
            return links.undo(session, batch, by=who).changed
        except Conflict:
            return "too late"

    batch = stage(lambda m: links.unlink(m.session, [m.link().listing_id], by=PEOPLE[0]).batch.id)
    assert sorted(map(str, at_once(app, act, 2))) == ["1", "too late"]


def test_linking_and_setting_aside_at_once_never_leave_a_link_on_a_listing_without_match(app, stage):
    listing, product = stage(lambda m: (m.listing().id, m.product().id))

    def act(session: Any, who: Actor, i: int) -> Any:
        if i:
            return links.set_aside(session, [listing], ListingState.NO_MATCH, by=who)
        return links.confirm(session, [Pair(listing, product)], by=who)

    at_once(app, act, 2)
    with unit_of_work(read_only=True) as session:
        linked = session.scalar(select(func.count()).select_from(Link))
        assert linked == 1  # a link may follow "no match", never the other way round
        assert session.get(Listing, listing).state is ListingState.LINKED


def test_overlapping_selections_never_wait_for_each_other(app, stage):
    pairs = stage(lambda m: [Pair(m.listing().id, m.product().id) for _ in range(6)])
    orders = [pairs, pairs[::-1], pairs[3:] + pairs[:3], pairs[::2] + pairs[1::2]]
    changes = at_once(app, lambda s, who, i: links.confirm(s, orders[i], by=who), 4)
    assert sum(c.changed for c in changes) == 6
    assert sum(c.unchanged for c in changes) == 18


def test_two_who_note_near_misses_or_suggest_at_once_note_them_once(app, stage):
    """What both find is the same: the second one replaces it, and neither fails on its key."""

    def build(m: Make) -> tuple[list[int], int]:
        products = [m.product(f"NEAR-{i}") for i in range(30)]
        return [m.listing(f"near {i}").id for i in range(30)], products[0].id

    ids, product = stage(build)
    span = (min(ids) - 1, max(ids))
    noted = at_once(app, lambda s, _who, _i: reconciliation.note_near_misses(s, None, span), 4)
    assert noted == [30] * 4
    candidate = Candidate(product, 90, (), Advice.LIKELY, 1)
    kept = at_once(app, lambda s, _who, _i: suggestions.keep(s, {i: [candidate] for i in ids}), 4)
    assert kept == [30] * 4
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(NearMiss)) == 30
        assert session.scalar(select(func.count()).select_from(Suggestion)) == 30
