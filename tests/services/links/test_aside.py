"""What rejecting, setting aside and skipping promise."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from webapp.errors import Refused
from webapp.models import LinkBatch, ListingState, Refusal
from webapp.models.listings import SKIPPED_FROM
from webapp.services import counts, links, reconciliation
from webapp.services.links import Pair


def refusals(session):
    return session.scalar(select(func.count()).select_from(Refusal))


def test_a_rejected_pair_is_never_linked_by_the_rule(session, make, bob):
    product, listing = make.product("A-1"), make.listing("A-1")
    assert links.reject(session, [Pair(listing.id, product.id)], by=bob).changed == 1
    assert reconciliation.reconcile(session, None, by=bob).linked == 0
    assert listing.state is ListingState.PENDING


def test_rejecting_twice_changes_nothing(session, make, bob):
    pair = Pair(make.listing().id, make.product().id)
    links.reject(session, [pair], by=bob)
    change = links.reject(session, [pair], by=bob)
    assert (change.changed, change.unchanged, change.batch) == (0, 1, None)


def test_a_live_link_is_not_rejected_but_named(session, make, bob):
    link = make.link(make.product("MUG-1"))
    change = links.reject(session, [Pair(link.listing_id, link.product_id)], by=bob)
    assert change.changed == 0
    assert "MUG-1" in change.refused[0].message
    assert refusals(session) == 0


@pytest.mark.parametrize("state", [ListingState.NO_MATCH, ListingState.IGNORED])
def test_a_listing_set_aside_leaves_the_review(session, make, bob, state):
    make.noise()
    listing = make.listing()
    change = links.set_aside(session, [listing.id], state, by=bob)
    assert (change.changed, listing.state) == (1, state)
    assert counts.of_channel(session, listing.channel_id)[state] == 1
    again = links.set_aside(session, [listing.id], state, by=bob)
    assert (again.changed, again.unchanged, again.batch) == (0, 1, None)


def test_no_match_remembers_what_was_on_the_screen(session, make, bob):
    listing, wrong = make.listing(), [make.product(), make.product()]
    pairs = [Pair(listing.id, p.id) for p in wrong]
    links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob, rejected=pairs)
    assert refusals(session) == 2


def test_a_linked_listing_is_not_set_aside_and_nothing_is_remembered(session, make, bob):
    link = make.link(make.product("MUG-1"))
    pairs = [Pair(link.listing_id, make.product().id)]
    change = links.set_aside(session, [link.listing_id], ListingState.NO_MATCH, by=bob, rejected=pairs)
    assert (change.changed, change.batch) == (0, None)
    assert "MUG-1" in change.refused[0].message
    assert refusals(session) == 0


def test_linked_is_no_state_to_set_a_listing_to(session, make, bob):
    with pytest.raises(Refused, match="choosing its product"):
        links.set_aside(session, [make.listing().id], ListingState.LINKED, by=bob)


def test_a_skipped_listing_goes_to_the_end(session, make, bob):
    listing = make.listing()
    assert links.skip(session, listing.id, by=bob).changed == 1
    assert listing.place > SKIPPED_FROM
    assert listing.state is ListingState.PENDING


def test_only_a_waiting_listing_can_be_skipped(session, make, bob):
    link = make.link()
    before = session.scalar(select(func.count()).select_from(LinkBatch))
    change = links.skip(session, link.listing_id, by=bob)
    assert (change.changed, change.unchanged, change.batch) == (0, 1, None)
    assert session.scalar(select(func.count()).select_from(LinkBatch)) == before
