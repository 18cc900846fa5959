"""What linking by SKU, near misses and an undo promise in steps: progress, a stop that keeps what is done, one undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from webapp.db import unit_of_work
from webapp.errors import Conflict, Forbidden
from webapp.jobs import tasks
from webapp.models import (
    ActStep,
    Decision,
    Link,
    LinkBatch,
    LinkSource,
    Listing,
    ListingState,
    NearMiss,
    Product,
    Recheck,
    Refusal,
    Suggestion,
)
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import audit, counts, linking, links, long_acts, reconciliation, restore, steps, undo, unsyncing

ALL = [Link.id > 0]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Two listings a step, so that few listings are several steps."""
    for module in (linking, undo, unsyncing, reconciliation):
        monkeypatch.setattr(module, "STEP", 2)


@pytest.fixture
def seven(make):
    """Seven listings whose SKU is a product's, and three that wait for other reasons."""
    for n in range(7):
        make.product(f"A-{n}")
        make.listing(f"A-{n}")
    make.listing("")
    make.listing("A-0b")
    make.listing("a1")
    return make.channel()


def live(session):
    return session.scalar(select(func.count()).select_from(Link))


def take(session, batch, known=None):
    """One step of an act of at most two ids; gives how many listings it changed."""
    known = long_acts.KINDS[batch.verb].known(session, batch) if known is None else known
    before = batch.changed
    assert long_acts.take(session, batch.id, 2, known) is not None
    return batch.changed - before


def take_all(session, batch):
    while steps.goes_on(session, batch.id):
        take(session, batch)


def test_linking_by_sku_goes_step_by_step_over_all_listings_and_tells_the_same_numbers(session, seven, alice):
    batch, begun = linking.begin_by_sku(session, seven, by=alice)
    assert (begun, steps.progress(session, batch)) == (True, steps.Progress(0, 10, 0))
    assert (take(session, batch), live(session)) == (2, 2)
    assert steps.progress(session, batch) == steps.Progress(2, 10, 2)
    with pytest.raises(Conflict, match="still going on"):
        links.undo(session, batch.id, by=alice)
    take_all(session, batch)
    assert steps.progress(session, batch) is None
    numbers = reconciliation.Reconciled(**batch.numbers)
    assert numbers == reconciliation.Reconciled(batch.id, 7, 3, 0, 1, 0, 1)
    waiting = reconciliation.waiting(session, seven)
    assert (waiting["pending"], waiting["ambiguous"], waiting["no_sku"]) == (3, 0, 1)
    assert audit.page(session, event="link.reconciled")[0].sentence == "Linked 7 listings with the same SKU."


def test_a_sku_that_two_listings_share_is_counted_as_ambiguous(session, make, seven, alice):
    make.product("B")
    make.listing("B")
    make.listing("B")
    batch, _ = linking.begin_by_sku(session, None, by=alice)
    take_all(session, batch)
    assert (batch.numbers["linked"], batch.numbers["ambiguous"]) == (7, 2)
    assert reconciliation.waiting(session, None)["ambiguous"] == 2


def test_a_second_click_finds_the_act_that_goes_on(session, make, seven, alice, bob):
    first, _ = linking.begin_by_sku(session, seven, by=alice)
    assert linking.begin_by_sku(session, seven, by=bob) == (first, False)
    other = make.channel("Beta")
    make.listing("A-1", channel=other)
    assert linking.begin_by_sku(session, other, by=bob)[1]  # it concerns other listings
    every, begun = linking.begin_by_sku(session, None, by=bob)
    assert begun
    take_all(session, first)
    assert linking.begin_by_sku(session, seven, by=alice) == (every, False)  # one for all channels is for this one too


def test_a_stop_keeps_what_is_linked_and_one_undo_takes_it_back(session, seven, alice, bob):
    batch, _ = linking.begin_by_sku(session, seven, by=alice)
    take(session, batch)
    take(session, batch)
    long_acts.stop(session, batch.id, by=alice)
    assert (steps.goes_on(session, batch.id), batch.changed, live(session)) == (False, 4, 4)
    assert batch.stopped_by == "Alice"
    assert audit.page(session, event="link.reconciled")[0].sentence == "Stopped linking by SKU: 4 listings are linked."
    assert links.undo(session, batch.id, by=alice).changed == 4
    assert live(session) == 0


def test_somebody_elses_act_is_an_owners_to_stop(session, seven, alice, bob):
    batch, _ = linking.begin_by_sku(session, seven, by=alice)
    with pytest.raises(Forbidden, match="Only Alice or an owner"):
        long_acts.stop(session, batch.id, by=bob)
    assert steps.goes_on(session, batch.id)


def test_an_act_that_nobody_is_at_says_so(session, seven, alice):
    batch, _ = linking.begin_by_sku(session, seven, by=alice)
    assert not steps.progress(session, batch).waits
    assert steps.progress(session, batch, now=utc_now() + timedelta(seconds=20)).waits
    take(session, batch)
    assert not steps.progress(session, batch).waits


@pytest.fixture
def near(session, make, alice):
    """Five listings whose SKU differs from a product's by a dash, noted as such."""
    for n in range(5):
        make.product(f"AB-{n}-X")
        make.listing(f"AB{n}X")
    reconciliation.reconcile(session, None, by=alice)
    assert session.scalar(select(func.count()).select_from(NearMiss)) == 5
    return make.channel()


def test_near_misses_are_accepted_in_steps_as_one_act(session, near, alice, bob):
    batch = linking.begin_near(session, near, "dash", by=alice)
    assert linking.begin_near(session, near, "dash", by=bob) is batch
    assert steps.progress(session, batch).total == 5
    assert [take(session, batch), take(session, batch), take(session, batch)] == [2, 2, 1]
    assert (steps.goes_on(session, batch.id), batch.changed, live(session)) == (False, 5, 5)
    assert {(x.by_name, x.source, x.want_stock) for x in session.scalars(select(Link))} == {("Alice", "hand", True)}
    assert session.scalar(select(func.count()).select_from(Recheck)) > 0
    assert audit.page(session, event="link.confirmed")[0].sentence == "Linked 5 listings."
    assert links.undo(session, batch.id, by=alice).changed == 5
    assert counts.of_channel(session, near.id)[ListingState.PENDING] == 5


def test_what_was_decided_meanwhile_is_left_and_a_refused_pair_is_never_linked(session, near, alice, bob):
    batch = linking.begin_near(session, near, "dash", by=alice)
    misses = session.scalars(select(NearMiss).order_by(NearMiss.listing_id)).all()
    links.reject(session, [links.Pair(misses[0].listing_id, misses[0].product_id)], by=bob)
    links.set_aside(session, [misses[1].listing_id], ListingState.IGNORED, by=bob)
    take_all(session, batch)
    assert (batch.changed, live(session)) == (3, 3)
    assert session.get(Listing, misses[1].listing_id).state is ListingState.IGNORED
    assert session.scalar(select(func.count()).select_from(Refusal)) == 1


def test_two_listings_that_are_nearly_one_product_do_not_both_get_it(session, make, near, alice):
    make.product("CD-1")
    make.listing("CD1")
    make.listing("C-D1")
    reconciliation.reconcile(session, None, by=alice)
    batch = linking.begin_near(session, near, "dash", by=alice)
    take_all(session, batch)
    assert (batch.total, batch.changed, batch.numbers["refused"], live(session)) == (7, 6, 1, 6)


def test_an_undo_goes_in_steps_too(app, session, near, make, alice):
    products = session.scalars(select(Product)).all()
    for listing in session.scalars(select(Listing)).all():
        make.suggested(listing, products, app.extensions["pairbook_index"])
    assert session.scalar(select(func.count()).select_from(Suggestion)) >= 5
    batch = linking.begin_near(session, near, "dash", by=alice)
    take_all(session, batch)
    assert session.scalar(select(func.count()).select_from(Decision)) == 5
    back = undo.begin(session, batch.id, by=alice)
    assert (batch.undone_by, steps.progress(session, back)) == (back.id, steps.Progress(0, 5, 0))
    with pytest.raises(Conflict, match="taken back already"):
        links.undo(session, batch.id, by=alice)
    assert (take(session, back), live(session)) == (2, 3)
    take_all(session, back)
    assert (back.changed, live(session)) == (5, 0)
    assert session.scalar(select(func.count()).select_from(Decision)) == 0
    assert audit.page(session, event="link.undone")[0].sentence == f"Took back link {batch.id}: 5 listings."


@pytest.mark.parametrize("many", [1, 50])  # all at once where nothing happened to them since, or one by one
def test_an_undo_in_steps_brings_back_what_an_unsync_ended(session, make, alice, bob, monkeypatch, many):
    monkeypatch.setattr(restore, "MANY", many)
    pairs = [make.link() for _ in range(5)]
    pairs[1].auto_sync, pairs[1].source, pairs[1].score, pairs[1].by_name = False, LinkSource.HAND, 88, "Bob"
    pairs[2].source = LinkSource.SKU
    refused = links.Pair(make.listing().id, make.product().id)
    links.reject(session, [refused], by=bob)
    session.flush()
    before = {p.listing_id: (p.product_id, p.source, p.score, p.by_name, p.auto_sync, p.slot) for p in pairs[1:]}
    batch = unsyncing.begin(session, ALL, expect=5, by=alice)
    take_all(session, batch)
    other = make.product()
    links.confirm(session, [links.Pair(pairs[0].listing_id, other.id)], by=bob)  # it moved on
    back = undo.begin(session, batch.id, by=alice)
    take_all(session, back)
    assert (back.changed, back.numbers["refused"], live(session)) == (4, 1, 5)
    assert "linked this listing to" in back.numbers["named"][0][2]
    rows = session.scalars(select(Link).where(Link.listing_id.in_(before)).execution_options(populate_existing=True))
    again = {p.listing_id: p for p in rows}
    shown = {i: (p.product_id, p.source, p.score, p.by_name, p.auto_sync, p.slot) for i, p in again.items()}
    assert shown == before
    assert [again[p.listing_id].want_stock for p in pairs[1:]] == [False, True, True, True]
    assert counts.of_channel(session, pairs[0].channel_id)[ListingState.LINKED] == 5
    for listing_id, link in again.items():
        listing = session.get(Listing, listing_id, populate_existing=True)
        assert (listing.state, listing.fence) == (ListingState.LINKED, link.fence)
    left = session.scalars(select(Refusal)).all()
    assert [(r.listing_id, r.product_id) for r in left] == [(refused.listing_id, refused.product_id)]


def test_a_stopped_undo_leaves_the_rest_to_be_taken_back_later(session, make, seven, alice):
    batch, _ = linking.begin_by_sku(session, seven, by=alice)
    take_all(session, batch)
    back = undo.begin(session, batch.id, by=alice)
    take(session, back)
    long_acts.stop(session, back.id, by=alice)
    assert (back.changed, live(session), batch.undone_by) == (2, 5, None)
    sentence = audit.page(session, event="link.undone")[0].sentence
    assert sentence == f"Stopped taking back {batch.id}: 2 of 7 listings are as they were."
    assert links.undo(session, batch.id, by=alice).changed == 5


def test_who_takes_over_goes_on_where_a_dead_worker_stopped(context, settings, alice):
    from tests.factories import Make

    with unit_of_work() as session:
        make = Make(session, settings)
        for n in range(5):
            make.product(f"A-{n}")
            make.listing(f"A-{n}")
        batch, _ = linking.begin_by_sku(session, None, by=COMMAND_LINE)
    with unit_of_work() as session:
        assert take(session, session.get_one(LinkBatch, batch.id)) == 2
    with pytest.raises(RuntimeError):
        _die_within_a_step(batch.id)
    with unit_of_work(read_only=True) as session:
        assert (live(session), steps.progress(session, steps.get(session, batch.id)).done) == (2, 2)
    assert tasks.take_steps() == 3
    with unit_of_work(read_only=True) as session:
        assert live(session) == 5
        assert steps.get(session, batch.id).numbers["linked"] == 5
        assert session.scalar(select(ActStep.id)) is None


def _die_within_a_step(batch_id):
    with unit_of_work() as session:
        take(session, session.get_one(LinkBatch, batch_id))
        raise RuntimeError


def test_the_command_brings_an_act_that_goes_on_to_its_end_and_then_does_its_own(context, settings):
    from tests.factories import Make

    with unit_of_work() as session:
        make = Make(session, settings)
        make.product("A-1")
        make.listing("A-1")
        linking.begin_by_sku(session, None, by=COMMAND_LINE)
        make.product("A-2")
        make.listing("A-2")  # it came after the beginning of that one
    done = tasks.reconcile(None, by=COMMAND_LINE)
    assert (done.linked, done.already_linked, done.pending) == (1, 1, 0)
    assert tasks.reconcile(None, by=COMMAND_LINE).batch is None
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(LinkBatch)) == 2  # one without a link leaves none


@pytest.fixture
def likely(make):
    """Five listings whose first suggestion scores 97, and two that want the same product."""
    channel = make.channel()
    products = [make.product() for _ in range(6)]
    for n in range(7):
        listing = make.listing(listing_id=f"W-{n}")
        product = products[min(n, 5)]
        make.session.add(Suggestion(listing_id=listing.id, rank=1, product_id=product.id, score=97, evidence=[]))
        listing.place = 3
    make.session.flush()
    return channel


def test_suggestions_above_a_line_are_linked_in_steps_and_judge_nothing(session, likely, alice, bob):
    batch = linking.begin_above(session, likely, 95, by=alice)
    assert linking.begin_above(session, likely, 95, by=bob) is batch
    assert steps.progress(session, batch).total == 7
    assert [take(session, batch) for _ in range(3)] == [2, 2, 1]
    take_all(session, batch)
    assert (batch.changed, live(session)) == (5, 5)  # whom the product belongs to, a person says
    wanted = session.scalars(select(Product).order_by(Product.id.desc())).first().sku
    said = f"Several listings want {wanted}, and only one can have it. Choose which in Review."
    assert [(code, words) for _id, code, words in batch.numbers["named"]] == [("W-5", said), ("W-6", said)]
    assert batch.numbers["refused"] == 2
    rows = session.scalars(select(Link)).all()
    assert {(x.source, x.score, x.by_name) for x in rows} == {(LinkSource.RULE, 97, "Alice")}
    assert {d.right for d in session.scalars(select(Decision))} == {None}
    assert links.undo(session, batch.id, by=alice).changed == 5
