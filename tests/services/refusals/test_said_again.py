"""What a refusal promises: rules obey it for ever, and the review asks again only when the facts have changed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from webapp.models import Aside, Listing, ListingState, Refusal, Suggestion
from webapp.models.accounts import COMMAND_LINE
from webapp.services import candidates, catalog, facts, links, listings, reconciliation, refusals, review, suggestions
from webapp.services.links import Pair
from webapp.services.retrieval import CatalogueIndex

FACTS = {
    "title": "Steel flask 750 ml",
    "brand": "Nomad",
    "gtin": "4006381333931",
    "mpn": "FL-75",
    "options": {"Colour": "sage"},
}


@pytest.fixture
def pair(make):
    """A product, and a waiting listing that is suggested to be it."""
    product, listing = make.product("FL-1", **FACTS), make.listing("fl1", **FACTS)
    make.noise()
    return product, listing


def bring(make, listing, **facts_of_listing):
    row = {"channel": "Alpha", "listing_id": listing.external_id, **facts_of_listing}
    listings.upsert_listings(make.session, [row], {"Alpha": make.channel()})
    make.session.refresh(listing)


def suggested(session, listing):
    """The products that the worker would suggest, and that the review shows."""
    index = CatalogueIndex()
    found = suggestions.suggest_for(session, [listing.id], index)
    suggestions.keep(session, found)
    session.refresh(listing)
    kept = list(session.scalars(select(Suggestion.product_id).where(Suggestion.listing_id == listing.id)))
    channel = make_channel(session, listing)
    assert [c.product.id for c in candidates.choices(session, listing, channel, index)] == kept
    return kept


def make_channel(session, listing):
    from webapp.services import channels

    return channels.by_id(session, listing.channel_id)


def test_a_refused_pair_is_not_suggested_while_nothing_changes(session, make, bob, pair):
    product, listing = pair
    assert suggested(session, listing)[0] == product.id
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    bring(make, listing, price="12", quantity=3, url="https://example.com/x")
    assert product.id not in suggested(session, listing)
    assert refusals.said_of_pair(session, listing.id, product.id) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Steel flask 750 ml sage"),
        ("brand", "Nomad Inc"),
        ("gtin", "4006381333948"),
        ("mpn", "FL-76"),
        ("options", {"Colour": "sand"}),
        ("sku", "fl2"),
    ],
)
@pytest.mark.parametrize("side", ["listing", "product"])
def test_a_changed_fact_of_either_side_lets_the_review_ask_again_and_say_why(
    session, make, bob, pair, side, field, value
):
    product, listing = pair
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    suggested(session, listing)
    if side == "listing":
        bring(make, listing, **{field: value}, **({"match_key": value} if field == "sku" else {}))
    else:
        catalog.edit_product(session, product, {field: value}, by=COMMAND_LINE)
    session.refresh(listing)
    assert listing.place == 102  # to be looked at by the worker
    assert product.id in suggested(session, listing)
    said = refusals.said_of_pair(session, listing.id, product.id)
    assert said.by_name == "Bob"
    assert (said.listing, said.product) == (((field,), ()) if side == "listing" else ((), (field,)))


def test_a_fact_that_changes_back_is_no_change(session, make, bob, pair):
    product, listing = pair
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    bring(make, listing, title="Another")
    bring(make, listing, title="STEEL  flask 750 ml")
    assert product.id not in suggested(session, listing)


def test_rules_obey_a_refusal_whatever_changes(session, make, bob):
    product, listing = make.product("A-1"), make.listing("A-1")
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    bring(make, listing, title="Something else", gtin="4006381333931")
    catalog.edit_product(session, product, {"title": "Another thing"}, by=COMMAND_LINE)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0
    assert session.scalar(select(Refusal.listing_id)) == listing.id


def test_what_was_taken_apart_is_remembered_with_its_facts(session, make, bob, pair):
    product, listing = pair
    make.link(product, listing)
    links.unlink(session, [listing.id], by=bob)
    assert product.id not in suggested(session, listing)
    bring(make, listing, title="Steel flask 750 ml, new lid")
    assert product.id in suggested(session, listing)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0


def test_saying_no_again_binds_to_the_new_facts_and_undo_brings_the_old_no_back(session, make, bob, pair):
    product, listing = pair
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    bring(make, listing, title="Steel flask 750 ml, new lid")
    again = links.reject(session, [Pair(listing.id, product.id)], by=bob)
    assert again.changed == 1
    assert product.id not in suggested(session, listing)
    links.undo(session, again.batch.id, by=bob)
    session.expire_all()
    assert product.id in suggested(session, listing)
    assert session.scalar(select(Refusal.listing_id)) == listing.id


def test_linking_a_refused_pair_and_undoing_it_keeps_the_facts_of_the_no(session, make, bob, pair):
    product, listing = pair
    links.reject(session, [Pair(listing.id, product.id)], by=bob)
    before = session.scalar(select(Refusal.facts))
    change = links.confirm(session, [Pair(listing.id, product.id)], by=bob)
    assert session.scalar(select(Refusal.facts)) is None
    links.undo(session, change.batch.id, by=bob)
    assert session.scalar(select(Refusal.facts)) == before != ""


def raised(session, listing):
    """The listings that the review asks about again."""
    channel = make_channel(session, listing)
    queue = review.Queue(channel, review.Shelf.CHANGED)
    assert review.count(session, queue) == review.raised(session, channel.id) == review.raised(session)
    return list(session.scalars(select(Listing.id).where(*queue.where)))


@pytest.mark.parametrize("state", [ListingState.NO_MATCH, ListingState.IGNORED])
def test_a_listing_set_aside_is_asked_about_again_only_when_it_says_something_else(session, make, bob, state):
    make.product("A-1")
    listing = make.listing("A-0", title="Old title")
    links.set_aside(session, [listing.id], state, by=bob)
    bring(make, listing, price="3", quantity=9)
    assert raised(session, listing) == []
    bring(make, listing, title="New title", sku="A-1", match_key="A-1")
    assert raised(session, listing) == [listing.id]
    assert refusals.said_of_listing(session, listing).listing == ("title", "sku")
    assert reconciliation.reconcile(session, None, by=bob).linked == 0  # rules obey for ever
    assert listing.state is state
    bring(make, listing, title="Old title", sku="A-0", match_key="A-0")
    assert raised(session, listing) == []


def test_saying_no_match_again_settles_it_and_undo_asks_again(session, make, bob):
    listing = make.listing("A-0", title="Old title")
    links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob)
    bring(make, listing, title="New title")
    again = links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob)
    assert again.changed == 1
    assert raised(session, listing) == []
    assert links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob).unchanged == 1
    links.undo(session, again.batch.id, by=bob)
    assert raised(session, listing) == [listing.id]


@pytest.mark.parametrize("act", ["reopen", "link"])
def test_deciding_otherwise_settles_it_and_undo_asks_again(session, make, bob, act):
    product, listing = make.product(), make.listing("A-0", title="Old title")
    links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob)
    bring(make, listing, title="New title")
    if act == "reopen":
        change = links.set_aside(session, [listing.id], ListingState.PENDING, by=bob)
    else:
        change = links.confirm(session, [Pair(listing.id, product.id)], by=bob)
    assert raised(session, listing) == []
    links.undo(session, change.batch.id, by=bob)
    assert raised(session, listing) == [listing.id]
    assert session.scalar(select(Aside.listing_id)) == listing.id


def test_a_mark_has_a_place_for_each_field_and_fits_its_column(make):
    listing = make.listing("A", title="x", options={"b": "2", "a": "1"})
    mark = facts.mark(listing)
    assert len(mark) == 24 == len(facts.FIELDS) * facts.WIDTH
    assert facts.changed("", mark) == ()
    listing.options = {"a": "1", "b": "2", "c": ""}
    assert facts.changed(mark, facts.mark(listing)) == ()
    listing.options = {"a": "1"}
    assert facts.changed(mark, facts.mark(listing)) == ("options",)
