"""What a newer import has seen again stays when the one before it is taken back, and goes with the newer one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.services.imports.conftest import NOTHING_NEWER, read, take_back
from webapp.db import unit_of_work
from webapp.errors import Conflict
from webapp.models import Link, Listing, ListingState, Product
from webapp.services import counts, import_heirs

pytestmark = pytest.mark.usefixtures("both_ways")
HEAD = "listing id,sku,title,price\n"
TWO = "L1,A-1,Mug,5.00\nL2,A-2,Cup,6.00\n"
CATALOGUE = "sku,title,price\nB-1,Jug,4.00\nB-2,Pot,5.00\n"


def listed():
    with unit_of_work(read_only=True) as session:
        rows = session.execute(select(Listing.external_id, Listing.title, Listing.price).order_by(Listing.external_id))
        return {listing_id: (title, price) for listing_id, title, price in rows}


def linked():
    with unit_of_work(read_only=True) as session:
        rows = select(Listing.external_id, Product.sku).join(Link, Link.listing_id == Listing.id)
        return dict(session.execute(rows.join(Product, Product.id == Link.product_id)).all())


def catalogue():
    with unit_of_work(read_only=True) as session:
        return dict(session.execute(select(Product.sku, Product.title).where(Product.retired_at.is_(None))).all())


def test_listings_that_a_newer_file_has_stay_with_their_links(apply, alpha):
    older = apply("listings", HEAD + TWO + "L3,,Jug,7.00\nL4,,Pot,8.00\n", channel=alpha)
    newer = apply("listings", HEAD + TWO + "L3,,Jug,7.00\n", channel=alpha)
    assert (newer.unchanged, newer.batch_id) == (3, None)
    assert take_back(older) == {
        "removed": 1, "restored": 0, "unlinked": 0, "kept": 0,
        "newer_rows": 3, "newer_values": 0, "newer_links": 2,
    }  # fmt: skip
    assert linked() == {"L1": "A-1", "L2": "A-2"}
    assert set(listed()) == {"L1", "L2", "L3"}
    assert take_back(newer) == {"removed": 3, "restored": 0, "unlinked": 2, "kept": 0, **NOTHING_NEWER}
    assert (listed(), linked()) == ({}, {})
    with unit_of_work(read_only=True) as session:
        assert not any(counts.of_channel(session, alpha).values())


def test_links_go_when_the_newer_import_was_to_link_nothing(apply, alpha):
    older = apply("listings", HEAD + TWO, channel=alpha)
    apply("listings", HEAD + TWO, channel=alpha, reconcile=False)
    numbers = take_back(older)
    assert (numbers["unlinked"], numbers["newer_links"], numbers["newer_rows"]) == (2, 0, 2)
    with unit_of_work(read_only=True) as session:
        assert counts.of_channel(session, alpha)[ListingState.PENDING] == 2


def test_a_link_goes_when_the_newer_file_names_another_sku(apply, alpha):
    older = apply("listings", HEAD + TWO, channel=alpha)
    apply("listings", HEAD + "L1,Z-9,Mug,5.00\nL2,A-2,Cup,6.00\n", channel=alpha)
    assert (take_back(older)["unlinked"], linked()) == (1, {"L2": "A-2"})


@pytest.mark.parametrize("first", ["older", "newer"])
def test_values_that_a_newer_file_states_too_stay_and_others_return(apply, alpha, first):
    apply("listings", HEAD + TWO, channel=alpha)
    older = apply("listings", HEAD + "L1,A-1,Wrong,9.00\nL2,A-2,Cup,9.50\n", channel=alpha)
    newer = apply("listings", "listing id,price\nL1,9.00\nL2,\n", channel=alpha)
    if first == "older":
        numbers = take_back(older)
        assert (numbers["restored"], numbers["newer_values"]) == (2, 1)
        assert listed() == {"L1": ("Mug", Decimal(9)), "L2": ("Cup", Decimal(6))}
        assert take_back(newer)["restored"] == 1
    else:
        assert take_back(newer)["restored"] == 0
        assert take_back(older)["restored"] == 2
    assert listed() == {"L1": ("Mug", Decimal(5)), "L2": ("Cup", Decimal(6))}


def test_what_both_files_changed_goes_back_to_the_start(apply, alpha):
    apply("listings", HEAD + TWO, channel=alpha)
    older = apply("listings", HEAD + "L1,A-1,Mug,7.00\n", channel=alpha)
    newer = apply("listings", HEAD + "L1,A-1,Mug,8.00\n", channel=alpha)
    take_back(older)
    assert listed()["L1"] == ("Mug", Decimal(8))
    take_back(newer)
    assert listed()["L1"] == ("Mug", Decimal(5))


def test_a_newer_file_without_ids_has_seen_the_listings_of_its_skus(apply, alpha):
    older = apply("listings", HEAD + TWO, channel=alpha)
    apply("listings", "sku,quantity\nA-1,3\n", channel=alpha)
    assert take_back(older)["newer_rows"] == 1
    assert set(listed()) == {"L1"}


def test_an_import_that_came_before_or_was_taken_back_keeps_nothing(apply, alpha):
    apply("listings", HEAD + TWO, channel=alpha)
    again = apply("listings", HEAD + "L1,A-1,Mug,9.00\n", channel=alpha)
    last = apply("listings", HEAD + "L1,A-1,Mug,9.00\n", channel=alpha)
    take_back(last)
    assert take_back(again)["restored"] == 1
    assert listed()["L1"] == ("Mug", Decimal(5))


def test_products_that_a_newer_file_has_stay_with_their_links(apply, alpha):
    apply("listings", HEAD + "L7,B-1,Jug,4.00\nL8,B-2,Pot,5.00\n", channel=alpha)
    older = apply("products", CATALOGUE + "B-3,Pan,6.00\n")
    assert linked() == {"L7": "B-1", "L8": "B-2"}
    newer = apply("products", "sku,title\nB-1,Jug\n")
    assert take_back(older) == {
        "removed": 2, "restored": 0, "unlinked": 1, "kept": 0,
        "newer_rows": 1, "newer_values": 0, "newer_links": 1,
    }  # fmt: skip
    assert linked() == {"L7": "B-1"}
    assert set(catalogue()) == {"A-1", "A-2", "B-1"}
    take_back(newer)
    assert (linked(), set(catalogue())) == ({}, {"A-1", "A-2"})


def test_products_whose_stock_a_newer_file_has_counted_stay(apply, alpha):
    older = apply("products", CATALOGUE)
    newer = apply("stock", "sku,quantity\nB-1,4\n")
    numbers = take_back(older)
    assert (numbers["removed"], numbers["newer_rows"]) == (1, 1)
    take_back(newer)
    assert set(catalogue()) == {"A-1", "A-2"}


def test_stock_that_two_files_say_stays_until_both_are_taken_back(apply, alpha):
    older = apply("stock", "sku,quantity,warehouse\nA-1,7,Main\nA-1,2,Outlet\n")
    newer = apply("stock", "sku,quantity,warehouse\nA-1,7,Main\n")
    assert take_back(older)["newer_values"] == 1

    def available():
        with unit_of_work(read_only=True) as session:
            return session.scalars(select(Product.available).where(Product.sku == "A-1")).one()

    assert available() == 7
    take_back(newer)
    assert available() == 10, "what it was before both"


def test_links_of_a_file_that_a_newer_one_names_again_stay(apply, alpha):
    apply("listings", HEAD + "L1,,Mug,5.00\nL2,,Cup,6.00\n", channel=alpha)
    head = "listing id,sku\n"
    older = apply("links", head + "L1,A-1\nL2,A-2\n", channel=alpha)
    newer = apply("links", head + "L1,A-1\n", channel=alpha)
    numbers = take_back(older)
    assert (numbers["unlinked"], numbers["newer_links"]) == (1, 1)
    assert linked() == {"L1": "A-1"}
    assert take_back(newer)["unlinked"] == 1
    assert linked() == {}


def test_links_by_sku_that_a_newer_file_of_links_names_stay(apply, alpha):
    older = apply("listings", HEAD + TWO, channel=alpha)
    apply("links", "listing id,sku\nL1,A-1\n", channel=alpha)
    numbers = take_back(older)
    assert (numbers["unlinked"], numbers["kept"], numbers["newer_links"]) == (1, 1, 1)
    assert linked() == {"L1": "A-1"}


def test_without_its_file_nobody_can_tell_what_a_newer_import_has_seen(apply, alpha, settings):
    older = apply("listings", HEAD + TWO, channel=alpha)
    newer = apply("listings", HEAD + TWO, channel=alpha)
    Path(settings.uploads / f"{newer.stored_as}.rows").unlink()
    with pytest.raises(Conflict, match=f"Import {newer.id} came later"):
        take_back(older)
    assert len(listed()) == 2
    take_back(newer)
    assert take_back(older)["removed"] == 2


def test_a_large_newer_file_is_read_in_parts(apply, alpha, monkeypatch):
    monkeypatch.setattr(import_heirs, "STEP", 1)
    older = apply("listings", HEAD + TWO, channel=alpha)
    newer = apply("listings", HEAD + TWO + "L3,,Jug,1.00\n", channel=alpha)
    assert take_back(older)["newer_rows"] == 2
    assert read(newer.id).batch_id is not None
    assert linked() == {"L1": "A-1", "L2": "A-2"}
