"""What bringing listings in promises."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from webapp.errors import NotFound
from webapp.models import Link, Listing, ListingState
from webapp.models.listings import NOT_COMPUTED
from webapp.services import counts, listings


def bring(session, channel, *rows):
    named = [{"channel": channel.name, **row} for row in rows]
    return listings.upsert_listings(session, named, {channel.name: channel})


def one(session, external_id):
    query = select(Listing).where(Listing.external_id == external_id)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def test_a_new_listing_waits_for_a_decision_and_is_counted(session, make):
    channel = make.channel("Alpha")
    result = bring(session, channel, {"listing_id": "L1", "sku": "A-1", "match_key": "A-1", "title": "Mug"})
    listing = one(session, "L1")
    assert (len(result.created), listing.state, listing.place) == (1, ListingState.PENDING, NOT_COMPUTED)
    assert counts.of_channel(session, channel.id)[ListingState.PENDING] == 1


def test_the_same_id_on_another_channel_is_another_listing(session, make):
    for name in ("Alpha", "Beta"):
        bring(session, make.channel(name), {"listing_id": "L1", "title": "Mug"})
    assert session.scalar(select(func.count()).select_from(Listing)) == 2


@pytest.mark.parametrize("sku", ["", None])
def test_a_blank_sku_has_no_key_to_match_by(session, make, sku):
    row = {"listing_id": "L1"} | ({} if sku is None else {"sku": sku, "match_key": ""})
    bring(session, make.channel("Alpha"), row)
    assert (one(session, "L1").match_key, one(session, "L1").loose_key) == (None, None)


def test_what_a_file_lacks_stays(session, make):
    channel = make.channel("Alpha")
    bring(session, channel, {"listing_id": "L1", "title": "Mug", "price": "9.50", "quantity": 4, "brand": "Nomad"})
    result = bring(session, channel, {"listing_id": "L1", "quantity": 5})
    listing = one(session, "L1")
    assert (listing.title, listing.price, listing.quantity, listing.brand) == ("Mug", Decimal("9.5"), 5, "Nomad")
    assert (len(result.created), len(result.changed)) == (0, 1)


def test_the_same_rows_again_change_nothing(session, make):
    channel, row = make.channel("Alpha"), {"listing_id": "L1", "sku": "A-1", "match_key": "A-1", "price": "9.50"}
    bring(session, channel, row)
    result = bring(session, channel, row)
    assert (len(result.created), len(result.changed), result.unchanged) == (0, 0, 1)


def test_a_linked_listing_keeps_its_link_whatever_its_facts_become(session, make):
    link = make.link(make.product("A-1"), make.listing("A-1", listing_id="L1"))
    bring(session, make.channel(), {"listing_id": "L1", "sku": "Z-9", "match_key": "Z-9", "title": "Something else"})
    assert session.scalar(select(Link.product_id).where(Link.listing_id == link.listing_id)) == link.product_id
    assert one(session, "L1").state is ListingState.LINKED


@pytest.mark.parametrize(
    ("facts", "asks"), [({"title": "Blue mug"}, True), ({"quantity": 9}, False), ({"price": "1.00"}, False)]
)
def test_suggestions_are_asked_for_again_when_facts_of_the_match_changed(session, make, facts, asks):
    listing = make.listing("A-1", listing_id="L1")
    listing.place = 7
    session.flush()
    bring(session, make.channel(), {"listing_id": "L1", **facts})
    assert (one(session, "L1").place == NOT_COMPUTED) is asks


def test_a_price_bears_the_currency_of_its_row_or_of_the_channel(session, make):
    channel = make.channel("Alpha", currency="MXN")
    bring(session, channel, {"listing_id": "L1", "price": "9"}, {"listing_id": "L2", "price": "9", "currency": "EUR"})
    assert (one(session, "L1").currency, one(session, "L2").currency) == ("MXN", "EUR")


def test_an_unknown_listing_is_named_with_its_channel(session, make):
    channel = make.channel("Alpha")
    with pytest.raises(NotFound, match="no listing L9 on Alpha"):
        listings.find(session, channel, "L9")


def test_removing_keeps_what_has_a_history_and_the_numbers_right(session, make):
    channel = make.channel("Alpha")
    make.link(listing=make.listing(channel=channel, listing_id="KEPT"))
    make.listing(channel=channel, listing_id="GONE")
    assert listings.remove(session, select(Listing.id)) == 1
    assert list(session.scalars(select(Listing.external_id))) == ["KEPT"]
    numbers = counts.of_channel(session, channel.id)
    assert (numbers[ListingState.PENDING], numbers[ListingState.LINKED]) == (0, 1)
