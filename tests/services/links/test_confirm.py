"""What linking promises."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from webapp.errors import NotFound
from webapp.models import BatchVerb, Link, LinkBatch, LinkSource, Listing, ListingState, Refusal
from webapp.models.accounts import AuditEntry
from webapp.services import counts, links
from webapp.services.links import Pair


def link_of(session, listing):
    return session.scalar(select(Link).where(Link.listing_id == listing.id))


def test_linking_is_one_batch_with_who_and_the_score(session, make, bob):
    make.noise()
    product, listing = make.product(), make.listing()
    change = links.confirm(session, [Pair(listing.id, product.id, 94)], by=bob)
    link = link_of(session, listing)
    assert (change.changed, change.refused) == (1, [])
    assert (link.product_id, link.score, link.source, link.by_name) == (product.id, 94, LinkSource.HAND, "Bob")
    assert link.batch_id == change.batch.id
    assert (change.batch.verb, change.batch.changed, change.batch.listing_id) == (BatchVerb.LINK, 1, listing.id)


def test_a_linked_listing_leaves_the_review_and_the_numbers_follow(session, make, bob):
    product, listing = make.product(), make.listing()
    before = counts.of_channel(session, listing.channel_id)
    links.confirm(session, [Pair(listing.id, product.id)], by=bob)
    after = counts.of_channel(session, listing.channel_id)
    assert listing.state is ListingState.LINKED
    assert after[ListingState.PENDING] == before[ListingState.PENDING] - 1
    assert after[ListingState.LINKED] == before[ListingState.LINKED] + 1


def test_linking_again_changes_nothing_and_leaves_no_batch(session, make, bob):
    link = make.link()
    batches = session.scalar(select(func.count()).select_from(LinkBatch))
    change = links.confirm(session, [Pair(link.listing_id, link.product_id)], by=bob)
    assert (change.changed, change.unchanged, change.batch) == (0, 1, None)
    assert session.scalar(select(func.count()).select_from(LinkBatch)) == batches


def test_a_linked_listing_is_refused_with_the_name_of_its_product(session, make, bob):
    link = make.link(make.product("MUG-1"))
    change = links.confirm(session, [Pair(link.listing_id, make.product().id)], by=bob)
    assert change.changed == 0
    assert "Command line linked this listing to MUG-1 already" in change.refused[0].message
    assert link_of(session, session.get(Listing, link.listing_id)).product_id == link.product_id


def test_a_product_has_one_listing_on_a_channel(session, make, bob):
    product = make.product("MUG-1")
    make.link(product, make.listing(listing_id="FIRST", title="First mug"))
    second = make.listing()
    change = links.confirm(session, [Pair(second.id, product.id)], by=bob)
    assert "MUG-1 is already linked on Alpha to “First mug”, FIRST." in change.refused[0].message
    assert second.state is ListingState.PENDING


def test_a_channel_may_allow_several_listings_of_a_product(session, make, bob):
    channel = make.channel("Many", many=True)
    product = make.product()
    pairs = [Pair(make.listing(channel=channel).id, product.id) for _ in range(3)]
    assert links.confirm(session, pairs, by=bob).changed == 3


def test_a_product_may_be_on_two_channels(session, make, bob):
    product = make.product()
    pairs = [Pair(make.listing(channel=make.channel(name)).id, product.id) for name in ("Alpha", "Beta")]
    assert links.confirm(session, pairs, by=bob).changed == 2


def test_of_many_pairs_the_good_ones_go_through(session, make, bob):
    taken = make.link()
    good = make.listing()
    pairs = [Pair(taken.listing_id, make.product().id), Pair(good.id, make.product().id)]
    change = links.confirm(session, pairs, by=bob)
    assert (change.changed, len(change.refused)) == (1, 1)
    assert change.batch.listing_id is None


def test_undo_of_several_leads_back_to_the_listing_on_the_screen(session, make, bob):
    channel = make.channel("Many", many=True)
    product, one, two = make.product(), make.listing(channel=channel), make.listing(channel=channel)
    change = links.confirm(session, [Pair(one.id, product.id), Pair(two.id, product.id)], by=bob, shown=one.id)
    assert change.batch.listing_id == one.id


@pytest.mark.parametrize("which", ["listing", "product"])
def test_what_is_gone_cannot_be_linked(session, make, bob, which):
    ids = {"listing": make.listing().id, "product": make.product().id} | {which: 999_999}
    with pytest.raises(NotFound, match="no longer there"):
        links.confirm(session, [Pair(ids["listing"], ids["product"])], by=bob)


def test_a_person_may_link_what_was_refused_before(session, make, bob):
    product, listing = make.product(), make.listing()
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    assert links.confirm(session, [Pair(listing.id, product.id)], by=bob).changed == 1
    assert session.get(Refusal, (listing.id, product.id)) is None


def test_every_act_is_one_line_in_the_trail(session, make, bob):
    pairs = [Pair(make.listing().id, make.product().id) for _ in range(2)]
    change = links.confirm(session, pairs, by=bob)
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (line.event, line.by_name, line.subject) == ("link.confirmed", "Bob", f"batch {change.batch.id}")
    assert line.sentence == "Linked 2 listings."
