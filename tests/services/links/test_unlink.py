"""What unlinking promises."""

from __future__ import annotations

from sqlalchemy import select

from webapp.models import Link, Listing, ListingState, Refusal
from webapp.services import links, reconciliation


def test_unlinking_puts_the_listing_back_in_review(session, make, bob):
    make.noise()
    link = make.link()
    change = links.unlink(session, [link.listing_id], by=bob)
    assert change.changed == 1
    listing = session.get(Listing, link.listing_id, populate_existing=True)
    assert listing.state is ListingState.PENDING
    assert session.scalar(select(Link).where(Link.listing_id == listing.id)) is None


def test_what_a_person_took_apart_no_rule_joins_again(session, make, bob):
    make.product("A-1")
    listing = make.listing("A-1")
    assert reconciliation.reconcile(session, None, by=bob).linked == 1
    links.unlink(session, [listing.id], by=bob)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0
    assert session.scalar(select(Refusal).where(Refusal.listing_id == listing.id)) is not None


def test_undo_gives_the_pair_back_and_the_rule_may_link_it_later(session, make, bob):
    make.product("A-1")
    listing = make.listing("A-1")
    first = reconciliation.reconcile(session, None, by=bob)
    links.undo(session, first.batch, by=bob)
    assert reconciliation.reconcile(session, None, by=bob).linked == 1
    unlinked = links.unlink(session, [listing.id], by=bob)
    links.undo(session, unlinked.batch.id, by=bob)
    assert session.scalar(select(Link).where(Link.listing_id == listing.id)) is not None
