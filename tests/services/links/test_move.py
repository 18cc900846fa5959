"""What moving a link to another listing, and taking acts back whole, promise."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from webapp.errors import Conflict
from webapp.models import Link, Listing, ListingState, Product, Refusal
from webapp.services import catalog, links, reconciliation
from webapp.services.links import Pair
from webapp.services.undo import take_back


def product_of(session, listing: Listing) -> int | None:
    return session.scalar(select(Link.product_id).where(Link.listing_id == listing.id))


def test_a_link_moves_in_one_act_whose_undo_brings_both_back(session, make, bob):
    product, first, second = make.product("KNF-7"), make.listing("KNF-7"), make.listing()
    reconciliation.reconcile(session, None, by=bob)
    change = links.move(session, Pair(second.id, product.id, 88), by=bob)
    assert (change.changed, product_of(session, first), product_of(session, second)) == (1, None, product.id)
    links.undo(session, change.batch.id, by=bob)
    assert (product_of(session, first), product_of(session, second)) == (product.id, None)
    assert session.get(Refusal, (first.id, product.id)) is None
    session.refresh(second)
    assert second.state is ListingState.PENDING


def test_the_listing_that_lost_its_product_waits_and_no_rule_gives_it_back(session, make, bob):
    product, first, second = make.product("KNF-7"), make.listing("KNF-7"), make.listing()
    reconciliation.reconcile(session, None, by=bob)
    change = links.move(session, Pair(second.id, product.id), by=bob)
    links.unlink(session, [second.id], by=bob)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0
    assert change.batch.listing_id == second.id
    assert first.state is ListingState.PENDING


def test_only_the_link_on_this_channel_moves(session, make, bob):
    product = make.product()
    elsewhere = make.link(product, channel=make.channel("Beta"))
    listing = make.listing(channel=make.channel("Alpha"))
    assert links.move(session, Pair(listing.id, product.id), by=bob).changed == 1
    assert session.get(Link, elsewhere.id) is not None


def test_a_listing_that_is_linked_elsewhere_takes_no_other_product(session, make, bob):
    held, listing = make.link(), make.listing()
    make.link(listing=listing)
    with pytest.raises(Conflict):
        links.move(session, Pair(listing.id, held.product_id), by=bob)


def test_undo_of_adding_takes_the_product_out_again_and_frees_its_sku(session, make, bob, app):
    listing = make.listing("NEW-1", title="Brass desk bell")
    index = app.extensions["pairbook_index"]
    added = catalog.add_from_listing(session, listing.id, by=bob, index=index, anyway=True)
    take_back(session, added.change.batch.id, by=bob)
    assert session.get_one(Product, added.product.id, populate_existing=True).retired_at is not None
    again = catalog.add_from_listing(session, listing.id, by=bob, index=index, anyway=True)
    assert (again.product.sku, again.change.changed) == ("NEW-1", 1)


def test_undo_of_adding_keeps_a_product_that_another_listing_has_by_now(session, make, bob, app):
    listing = make.listing("NEW-1", title="Brass desk bell")
    added = catalog.add_from_listing(session, listing.id, by=bob, index=app.extensions["pairbook_index"], anyway=True)
    make.link(added.product, channel=make.channel("Beta"))
    take_back(session, added.change.batch.id, by=bob)
    assert session.get_one(Product, added.product.id, populate_existing=True).retired_at is None
