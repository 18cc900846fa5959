"""What checking confirmed pairs for contradictions promises."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import BatchVerb, Channel, Link, Listing, ListingState, PriceList, Product, Recheck, Suspicion
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import catalog, links, listings, rechecks, stock, suspicions

MUG, OTHER = "4006381333931", "4006381333948"


def wrong(m: Make, n: int = 0, **facts: Any) -> int:
    """A pair whose GTINs are two items'; gives the listing's id."""
    product = m.product(f"W-{n}", gtin=MUG, title=f"Camp mug {n}")
    return m.link(product, m.listing(title=f"Camp mug {n}", gtin=OTHER, **facts)).listing_id


def kept() -> list[tuple[int, bool]]:
    with unit_of_work(read_only=True) as session:
        return [(s.listing_id, s.kept_batch_id is not None) for s in session.scalars(select(Suspicion))]


def left() -> int:
    with unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Recheck))


def test_a_new_pair_that_contradicts_is_found_with_its_reason(put):
    put(lambda m: m.link())
    listing_id = put(wrong)
    assert tasks.check_links() == 2
    assert left() == 0
    with unit_of_work(read_only=True) as session:
        (found,) = session.scalars(select(Suspicion))
        assert found.listing_id == listing_id
        assert found.severity >= 51
        (reason,) = found.reasons
        assert (reason["field"], reason["ours"], reason["theirs"]) == ("gtin", MUG, OTHER)
        assert suspicions.count(session) == suspicions.count(session, found.channel_id) == 1


def test_nothing_is_looked_at_twice_until_something_changes(put):
    put(wrong)
    tasks.check_links()
    assert tasks.check_links() == 0


@pytest.mark.parametrize("side", ["product", "listing"])
def test_a_fact_that_is_put_right_clears_the_pair(put, side):
    listing_id = put(wrong)
    tasks.check_links()

    def repair(m: Make) -> None:
        listing = m.session.get_one(Listing, listing_id)
        if side == "product":
            product = m.session.scalars(select(Product).where(Product.gtin == MUG)).one()
            catalog.edit_product(m.session, product, {"gtin": OTHER}, by=COMMAND_LINE)
        else:
            row = {"channel": "Alpha", "listing_id": listing.external_id, "gtin": MUG}
            listings.upsert_listings(m.session, [row], {"Alpha": m.channel()})

    put(repair)
    assert tasks.check_links() == 1
    assert kept() == []


def test_an_import_of_products_and_a_price_have_their_pairs_looked_at(put):
    link = put(lambda m: m.link(m.product("A", price="10"), m.listing(price="12", currency="USD")))
    tasks.check_links()
    row = {"sku": "A", "title": "Another title"}
    put(lambda m: catalog.upsert_products(m.session, [row], by=COMMAND_LINE))
    assert tasks.check_links() == 1
    put(lambda m: catalog.upsert_products(m.session, [{"sku": "A", "mpn": ""}], by=COMMAND_LINE))
    assert tasks.check_links() == 0  # nothing changed
    put(lambda m: stock.set_prices(m.session, [(link.product_id, Decimal("40"))], by=COMMAND_LINE))
    assert tasks.check_links() == 1
    assert kept() == [(link.listing_id, False)]


def test_a_price_of_the_channels_own_list_is_the_one_compared(put):
    def build(m: Make) -> None:
        product = m.product("A", price="10")
        m.link(product, m.listing(price="100", currency="MXN"))
        prices = PriceList(name="Mexico", currency="MXN")
        m.session.add(prices)
        m.session.flush()
        m.channel().price_list_id = prices.id
        stock.set_prices(m.session, [(product.id, Decimal("110"))], by=COMMAND_LINE, price_list=prices)

    put(build)
    tasks.check_links()
    assert kept() == []


def test_a_pair_that_ends_leaves_the_list(put, bob):
    listing_id = put(wrong)
    tasks.check_links()
    batch = put(lambda m: links.unlink(m.session, [listing_id], by=bob)).batch
    assert kept() == []
    put(lambda m: links.undo(m.session, batch.id, by=bob))
    tasks.check_links()
    assert kept() == [(listing_id, False)]


def test_a_kept_pair_stays_kept_until_a_fact_changes(put, bob):
    listing_id = put(wrong)
    tasks.check_links()
    change = put(lambda m: suspicions.keep(m.session, [listing_id], by=bob))
    assert (change.changed, change.act.verb) == (1, BatchVerb.KEEP)
    again = put(lambda m: suspicions.keep(m.session, [listing_id], by=bob))
    assert (again.changed, again.unchanged, again.batch) == (0, 1, None)
    put(lambda m: rechecks.ask_listings(m.session, [listing_id]))
    tasks.check_links()
    assert kept() == [(listing_id, True)]
    put(lambda m: catalog.upsert_products(m.session, [{"sku": "W-0", "price": "11"}], by=COMMAND_LINE))
    tasks.check_links()
    assert kept() == [(listing_id, True)]  # its price is not what contradicts
    put(lambda m: catalog.upsert_products(m.session, [{"sku": "W-0", "title": "Kettle"}], by=COMMAND_LINE))
    tasks.check_links()
    assert kept() == [(listing_id, False)]


def test_keeping_is_in_the_trail_and_can_be_taken_back(put, bob):
    listing_id = put(wrong)
    tasks.check_links()
    batch = put(lambda m: suspicions.keep(m.session, [listing_id], by=bob)).batch
    undone = put(lambda m: links.undo(m.session, batch.id, by=bob))
    assert undone.changed == 1
    assert kept() == [(listing_id, False)]


def test_what_was_kept_is_remembered_when_the_pair_comes_back(put, bob):
    listing_id = put(wrong)
    tasks.check_links()
    put(lambda m: suspicions.keep(m.session, [listing_id], by=bob))
    ended = put(lambda m: links.unlink(m.session, [listing_id], by=bob)).batch
    with unit_of_work(read_only=True) as session:
        assert suspicions.count(session) == 0
    put(lambda m: links.undo(m.session, ended.id, by=bob))
    tasks.check_links()
    assert kept() == [(listing_id, True)]


def test_taking_back_keep_after_the_pair_ended_forgets_it(put, bob):
    listing_id = put(wrong)
    tasks.check_links()
    batch = put(lambda m: suspicions.keep(m.session, [listing_id], by=bob)).batch
    put(lambda m: links.unlink(m.session, [listing_id], by=bob))
    put(lambda m: links.undo(m.session, batch.id, by=bob))
    assert kept() == []


def test_a_dead_workers_span_goes_on_where_it_stopped(put, monkeypatch):
    ids = put(lambda m: [wrong(m, n) for n in range(7)])
    with unit_of_work() as session:
        session.query(Recheck).delete()
        rechecks.ask_span(session, (0, max(ids)))
    monkeypatch.setattr(suspicions, "STEP", 3)
    with unit_of_work() as session:
        span = rechecks.claim(session, worker="dead", now=utc_now())
    with unit_of_work(read_only=True) as session:
        found = suspicions.look(session, span, limit=3)
    with unit_of_work() as session:
        assert suspicions.settle(session, span, found, now=utc_now())
    assert len(kept()) == 3
    assert tasks.check_links() == 0  # the lease still runs
    with unit_of_work() as session:
        later = utc_now() + timedelta(minutes=2)
        taken = rechecks.claim(session, worker="alive", now=later)
        assert taken.after == ids[2]
    with unit_of_work(read_only=True) as session:
        late = suspicions.look(session, span, limit=3)
    with unit_of_work() as session:
        assert not suspicions.settle(session, span, late, now=utc_now())  # the dead one wakes: nothing is written
    assert len(kept()) == 3
    with unit_of_work() as session:
        rechecks.release(session, taken)
    assert tasks.check_links() == 4
    assert len(kept()) == 7
    assert left() == 0


def test_what_changed_while_it_was_compared_is_left_to_its_own_look(put):
    listing_id = put(wrong)
    with unit_of_work() as session:
        span = rechecks.claim(session, worker="me", now=utc_now())
    with unit_of_work(read_only=True) as session:
        found = suspicions.look(session, span)
    row = {"sku": "W-0", "gtin": OTHER}
    put(lambda m: catalog.upsert_products(m.session, [row], by=COMMAND_LINE))
    with unit_of_work() as session:
        suspicions.settle(session, span, found, now=utc_now())
    assert kept() == []
    assert tasks.check_links() == 1
    assert kept() == []
    assert listing_id


def test_the_exact_rule_asks_with_one_row_a_step(put):
    def build(m: Make) -> None:
        for n in range(30):
            m.product(f"S-{n}", title="Soap pack of 3")
            m.listing(f"S-{n}", title="Soap pack of 6" if n % 10 == 0 else "Soap pack of 3")

    put(build)
    tasks.reconcile(None, by=COMMAND_LINE)
    assert left() == 1
    assert tasks.check_links() == 30
    assert len(kept()) == 3


def test_a_listing_without_history_can_go_and_one_that_moved_on_is_judged_anew(put, bob):
    listing_id = put(wrong)
    tasks.check_links()
    put(lambda m: suspicions.keep(m.session, [listing_id], by=bob))
    put(lambda m: links.unlink(m.session, [listing_id], by=bob))
    put(lambda m: m.link(m.product("OTHER", gtin=OTHER, title="Camp mug 0"), m.session.get_one(Listing, listing_id)))
    tasks.check_links()
    assert kept() == []
    with unit_of_work(read_only=True) as session:
        assert session.get_one(Listing, listing_id).state is ListingState.LINKED
        assert session.scalar(select(func.count()).select_from(Link)) == 1
        assert session.scalar(select(func.count()).select_from(Channel)) == 1
