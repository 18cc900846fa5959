"""What taking back promises."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from webapp.errors import Conflict, NotFound, Refused
from webapp.models import Link, LinkBatch, LinkSource, Listing, ListingState, PastLink, Refusal
from webapp.models.base import utc_now
from webapp.services import counts, links, reconciliation, retirement
from webapp.services.links import Pair


def link_of(session, listing):
    return session.scalar(select(Link).where(Link.listing_id == listing.id))


def test_undo_of_a_link_puts_the_listing_back_with_its_candidates(session, make, bob, app):
    product = make.product("BOTTLE-750", title="Nomad insulated bottle 750 ml sage")
    listing = make.listing("btl750", title="Nomad insulated bottle 750 ml sage green")
    make.suggested(listing, [product], app.extensions["pairbook_index"])
    place = listing.place
    change = links.confirm(session, [Pair(listing.id, product.id)], by=bob)
    links.undo(session, change.batch.id, by=bob)
    session.refresh(listing)
    assert (listing.state, listing.place) == (ListingState.PENDING, place)
    assert link_of(session, listing) is None
    assert session.get(Refusal, (listing.id, product.id)) is None


@pytest.mark.parametrize("state", [ListingState.NO_MATCH, ListingState.IGNORED])
def test_undo_brings_back_what_was_set_aside_with_its_suggestions(session, make, bob, state):
    listing, product = make.listing(), make.product()
    change = links.set_aside(session, [listing.id], state, by=bob, rejected=[Pair(listing.id, product.id)])
    assert links.undo(session, change.batch.id, by=bob).changed == 1
    assert listing.state is ListingState.PENDING
    assert session.get(Refusal, (listing.id, product.id)) is None


def test_undo_of_a_skip_restores_the_place(session, make, bob):
    listing = make.listing()
    place = listing.place
    change = links.skip(session, listing.id, by=bob)
    links.undo(session, change.batch.id, by=bob)
    assert listing.place == place


def test_undo_of_a_rejection_forgets_it(session, make, bob):
    listing, product = make.listing("A-1"), make.product("A-1")
    change = links.reject(session, [Pair(listing.id, product.id)], by=bob)
    assert links.undo(session, change.batch.id, by=bob).changed == 1
    assert reconciliation.reconcile(session, None, by=bob).linked == 1


def test_undo_of_an_unlink_restores_the_pair_as_it_was(session, make, bob, alice):
    product, listing = make.product(), make.listing()
    links.confirm(session, [Pair(listing.id, product.id, 91)], by=bob)
    link_of(session, listing).auto_sync = False
    fence = listing.fence
    change = links.unlink(session, [listing.id], by=alice)
    links.undo(session, change.batch.id, by=alice)
    link = link_of(session, listing)
    assert (link.product_id, link.score, link.source, link.by_name) == (product.id, 91, LinkSource.HAND, "Bob")
    assert link.auto_sync is False
    assert link.fence > fence  # what was on its way for the first link may not land any more
    assert session.get(Refusal, (listing.id, product.id)) is None


def test_undo_of_a_link_remembers_again_what_was_refused_before_it(session, make, bob):
    listing, product = make.listing("A-1"), make.product("A-1")
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    change = links.confirm(session, [Pair(listing.id, product.id)], by=bob)
    links.undo(session, change.batch.id, by=bob)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0


def test_undo_of_linking_a_listing_that_was_set_aside_sets_it_aside_again(session, make, bob):
    listing, product = make.listing(), make.product()
    links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob)
    change = links.confirm(session, [Pair(listing.id, product.id)], by=bob)
    undone = links.undo(session, change.batch.id, by=bob)
    session.refresh(listing)
    assert (undone.changed, listing.state) == (1, ListingState.NO_MATCH)
    numbers = counts.of_channel(session, listing.channel_id)
    assert (numbers[ListingState.NO_MATCH], numbers[ListingState.LINKED], numbers[ListingState.PENDING]) == (1, 0, 0)


def test_undo_works_once(session, make, bob):
    change = links.set_aside(session, [make.listing().id], ListingState.IGNORED, by=bob)
    links.undo(session, change.batch.id, by=bob)
    with pytest.raises(Conflict, match="taken back already"):
        links.undo(session, change.batch.id, by=bob)


def test_undo_of_an_unknown_act_says_so(session, make, bob):
    with pytest.raises(NotFound):
        links.undo(session, 4711, by=bob)


def test_undo_ends_after_thirty_days(session, make, bob):
    change = links.unlink(session, [make.link().listing_id], by=bob)
    later = utc_now() + timedelta(days=30, minutes=1)
    with pytest.raises(Refused, match="30 days"):
        links.undo(session, change.batch.id, by=bob, now=later)


def test_what_moved_on_is_named_and_left_alone(session, make, bob, alice):
    listing = make.listing(listing_id="MUG")
    first = links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob)
    links.set_aside(session, [listing.id], ListingState.IGNORED, by=alice)
    change = links.undo(session, first.batch.id, by=bob)
    assert (change.changed, listing.state) == (0, ListingState.IGNORED)
    assert change.refused[0].external_id == "MUG"


def test_a_pair_that_found_another_partner_is_left_alone(session, make, bob):
    link = make.link(make.product("OLD"))
    unlinked = links.unlink(session, [link.listing_id], by=bob)
    links.confirm(session, [Pair(link.listing_id, make.product("NEW").id)], by=bob)
    change = links.undo(session, unlinked.batch.id, by=bob)
    assert change.changed == 0
    assert "NEW" in change.refused[0].message


def test_a_product_that_left_the_catalogue_is_not_linked_again(session, make, bob):
    from webapp.models import Product

    link = make.link(make.product("OLD"))
    change = links.unlink(session, [link.listing_id], by=bob)
    retirement.retire(session, [Product.id == link.product_id])
    session.expire_all()
    undone = links.undo(session, change.batch.id, by=bob)
    assert undone.changed == 0
    assert "no longer in your catalogue" in undone.refused[0].message


def test_an_undo_that_could_do_nothing_still_counts_as_done(session, make, bob):
    listing = make.listing()
    first = links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob)
    links.confirm(session, [Pair(listing.id, make.product().id)], by=bob)
    change = links.undo(session, first.batch.id, by=bob)
    assert change.changed == 0
    assert session.get(LinkBatch, first.batch.id).undone_by == change.batch.id


def test_unsync_takes_exactly_what_was_said_and_gives_all_back(session, make, bob):
    make.noise()
    made = [make.link() for _ in range(5)]
    channel = made[0].channel_id
    change = links.unsync(session, [Link.channel_id == channel], expect=5, by=bob)
    assert change.changed == 5
    assert session.scalar(select(func.count()).select_from(Link).where(Link.channel_id == channel)) == 0
    assert session.scalar(select(func.count()).select_from(PastLink)) == 5
    assert links.undo(session, change.batch.id, by=bob).changed == 5
    restored = set(session.execute(select(Link.listing_id, Link.product_id).where(Link.channel_id == channel)))
    assert restored == {(x.listing_id, x.product_id) for x in made}


def test_unsync_of_another_number_changes_nothing(session, make, bob):
    channel = make.link().channel_id
    with pytest.raises(Conflict, match="There is 1 pair now, not 2"):
        links.unsync(session, [Link.channel_id == channel], expect=2, by=bob)
    session.rollback()


def test_an_unlinked_listing_may_be_linked_anew(session, make, bob):
    link = make.link()
    links.unlink(session, [link.listing_id], by=bob)
    assert links.confirm(session, [Pair(link.listing_id, link.product_id)], by=bob).changed == 1
    assert session.get(Listing, link.listing_id).state is ListingState.LINKED
