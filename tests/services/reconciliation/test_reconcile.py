"""The decision table of the exact rule, to the letter."""

from __future__ import annotations

import itertools
import threading

import pytest
from sqlalchemy import func, select

from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Link, Listing, ListingCount, ListingState, NearMiss, SendMode
from webapp.models.accounts import COMMAND_LINE
from webapp.services import catalog, links, listings, reconciliation


def pairs(session) -> set[tuple[str, int]]:
    """Who is linked to whom: listing ids and product ids."""
    query = select(Listing.external_id, Link.product_id).join(Link, Link.listing_id == Listing.id)
    return {(a, b) for a, b in session.execute(query)}


def test_one_listing_and_one_product_with_the_same_sku_are_linked(session, make, bob):
    make.noise()
    product, listing = make.product("A-1"), make.listing("A-1")
    done = reconciliation.reconcile(session, make.channel(), by=bob)
    assert (done.linked, done.pending) == (1, 0)
    assert (listing.external_id, product.id) in pairs(session)
    link = session.scalars(select(Link).where(Link.listing_id == listing.id)).one()
    assert (link.source.value, link.by_name, link.batch_id) == ("sku", "Same SKU", done.batch)


@pytest.mark.parametrize("blank", ["", "   ", "\u00a0", "\ufeff", "\u3000"])
def test_a_blank_sku_never_links(session, make, bob, blank):
    from matching import match_key

    make.product("A-1")
    make.listing(match_key(blank))
    assert reconciliation.reconcile(session, None, by=bob).linked == 0
    assert reconciliation.waiting(session, None)["no_sku"] == 1


def test_two_listings_with_the_sku_are_ambiguous_and_neither_is_linked(session, make, bob):
    make.product("A-1")
    make.listing("A-1")
    make.listing("A-1")
    done = reconciliation.reconcile(session, None, by=bob)
    assert (done.linked, done.ambiguous, done.pending) == (0, 2, 2)


def test_the_same_sku_on_two_channels_is_not_ambiguous(session, make, bob):
    make.product("A-1")
    make.listing("A-1", channel=make.channel("Alpha"))
    make.listing("A-1", channel=make.channel("Beta"))
    assert reconciliation.reconcile(session, None, by=bob).linked == 2


def test_a_listing_without_its_product_waits(session, make, bob):
    make.listing("A-1")
    assert reconciliation.reconcile(session, None, by=bob).pending == 1


def test_a_product_that_is_linked_on_the_channel_is_not_linked_again(session, make, bob):
    product = make.product("A-1")
    make.link(product, make.listing("OTHER"))
    make.listing("A-1")
    assert reconciliation.reconcile(session, None, by=bob).linked == 0


def test_a_linked_listing_is_left_alone(session, make, bob):
    make.product("A-1")
    other, listing = make.product("B-1"), make.listing("A-1")
    make.link(other, listing)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0
    assert (listing.external_id, other.id) in pairs(session)


def test_a_rejected_pair_is_never_linked_by_the_rule(session, make, bob):
    product, listing = make.product("A-1"), make.listing("A-1")
    links.reject(session, [links.Pair(listing.id, product.id)], by=bob)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0


@pytest.mark.parametrize("state", [ListingState.NO_MATCH, ListingState.IGNORED])
def test_a_listing_that_was_set_aside_stays_aside(session, make, bob, state):
    make.product("A-1")
    listing = make.listing("A-1")
    links.set_aside(session, [listing.id], state, by=bob)
    assert reconciliation.reconcile(session, None, by=bob).linked == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        ("ABC-1", "abc-1", "case"),
        ("ABC-1", "ABC1", "dash"),
        ("AB 1", "AB1", "space"),
        ("0017", "17", "zero"),
        ("90750", "90750.0", "excel"),
        ("RED-1", "'RED-1", "apostrophe"),
        ("AB-1", "ＡＢ-1", "width"),
        ("AB-1", "AB\u200b-1", "invisible"),
    ],
)
def test_what_is_equal_only_after_normalising_is_a_near_miss_with_its_reason(session, make, bob, ours, theirs, reason):
    make.product(ours)
    listing = make.listing(theirs)
    done = reconciliation.reconcile(session, None, by=bob)
    assert (done.linked, done.near_miss) == (0, 1)
    miss = session.get(NearMiss, listing.id)
    assert reason in miss.reason


def test_outer_white_space_and_composition_do_not_count(session, make, bob):
    from matching import match_key

    make.product("CAFÉ-1")
    make.listing(match_key("\u00a0CAFE\u0301-1 "))
    assert reconciliation.reconcile(session, None, by=bob).linked == 1


def test_running_it_again_changes_nothing(session, make, bob):
    for i in range(5):
        make.product(f"A-{i}")
        make.listing(f"A-{i}")
    first = reconciliation.reconcile(session, None, by=bob)
    before = pairs(session)
    second = reconciliation.reconcile(session, None, by=bob)
    assert (first.linked, second.linked, second.batch) == (5, 0, None)
    assert pairs(session) == before


def test_the_order_of_rows_never_matters(session, make, bob):
    """Every order of the same rows gives the same set of pairs."""
    rows = [("A", "A-1"), ("B", "A-1"), ("C", "B-1"), ("D", "")]
    results = set()
    for turn, order in enumerate(itertools.islice(itertools.permutations(rows), 0, 24, 5)):
        channel = make.channel(f"Channel {turn}")
        for listing_id, sku in order:
            make.listing(sku, channel=channel, listing_id=listing_id)
        if turn == 0:
            make.product("B-1")
            make.product("A-1")
        reconciliation.reconcile(session, channel, by=bob)
        query = select(Listing.external_id).where(
            Listing.channel_id == channel.id, Listing.state == ListingState.LINKED
        )
        results.add(frozenset(session.scalars(query)))
    assert results == {frozenset({"C"})}


def test_an_automatic_channel_is_told_about_new_pairs_and_a_manual_one_is_not(session, make, bob):
    automatic, manual = make.channel("Alpha"), make.manual(make.channel("Beta"))
    make.product("A-1")
    for channel in (automatic, manual):
        make.listing("A-1", channel=channel)
    reconciliation.reconcile(session, None, by=bob)
    due = dict(session.execute(select(Link.channel_id, Link.due_at)).all())
    assert due[automatic.id] is not None
    assert due[manual.id] is None
    assert manual.mode is SendMode.MANUAL


def test_the_kept_numbers_are_the_counted_ones(session, make, bob):
    make.noise()
    for i in range(4):
        make.product(f"A-{i}")
        make.listing(f"A-{i}")
    listing = make.listing("Z")
    reconciliation.reconcile(session, None, by=bob)
    links.set_aside(session, [listing.id], ListingState.NO_MATCH, by=bob)
    links.unlink(session, [session.scalars(select(Link.listing_id).limit(1)).one()], by=bob)
    kept = {(c.channel_id, c.state): c.n for c in session.scalars(select(ListingCount)) if c.n}
    counted = select(Listing.channel_id, Listing.state, func.count()).group_by(Listing.channel_id, Listing.state)
    assert kept == {(a, b): n for a, b, n in session.execute(counted)}


def test_two_at_once_and_an_import_in_between_link_each_pair_once(context, settings):
    """Three threads with transactions of their own: the result is that of one run after the import."""
    from tests.factories import Make

    with unit_of_work() as session:
        make = Make(session, settings)
        channel = make.channel()
        for i in range(60):
            make.product(f"A-{i}")
        for i in range(40):
            make.listing(f"A-{i}", listing_id=f"L{i}")

    def late_import() -> None:
        with context.app_context(), unit_of_work() as session:
            rows = [
                {"channel": channel.name, "listing_id": f"L{i}", "sku": f"A-{i}", "match_key": f"A-{i}"}
                for i in range(40, 60)
            ]
            listings.upsert_listings(session, rows, {channel.name: channel})

    def link() -> None:
        with context.app_context():
            tasks.reconcile(None, by=COMMAND_LINE)

    threads = [threading.Thread(target=f) for f in (link, late_import, link)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    link()
    with unit_of_work(read_only=True) as session:
        assert len(pairs(session)) == 60
        assert session.scalar(select(func.count()).select_from(Link)) == 60


def test_adding_from_a_listing_twice_makes_one_product(session, make, bob, context):
    from webapp.errors import Conflict

    index = context.extensions["pairbook_index"]
    listing = make.listing("NEW-1", title="A thing nobody has")
    added = catalog.add_from_listing(session, listing.id, by=bob, index=index, anyway=True)
    assert added.product.sku == "NEW-1"
    assert added.change.changed == 1
    with pytest.raises(Conflict, match="belongs to"):
        catalog.add_from_listing(session, listing.id, by=bob, index=index, anyway=True)
