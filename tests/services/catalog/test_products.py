"""What adding, editing and retiring products promise."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from webapp.errors import Conflict, NotFound, Refused
from webapp.models import AuditEntry, BaseProduct, Link, Product, Warehouse
from webapp.services import catalog, links, retirement, stock


def count(session, table, *which):
    return session.scalar(select(func.count()).select_from(table).where(*which))


def test_rows_are_made_by_sku_and_found_again_by_its_trimmed_form(session, script):
    first = catalog.upsert_products(session, [{"sku": "A-1", "title": "Mug"}], by=script, currency="EUR")
    again = catalog.upsert_products(session, [{"sku": "\u00a0A-1 ", "title": "Mug"}], by=script, currency="EUR")
    assert (len(first.created), len(again.created)) == (1, 0)
    assert count(session, Product) == 1


def test_another_case_is_another_product(session, script):
    catalog.upsert_products(session, [{"sku": "A-1"}, {"sku": "a-1"}], by=script)
    assert count(session, Product) == 2


def test_a_row_without_a_field_leaves_it_alone(session, make, script):
    product = make.product("A-1", title="Mug", brand="Nomad", quantity=3, price="9.90")
    catalog.upsert_products(session, [{"sku": "A-1", "title": "Cup"}], by=script)
    session.refresh(product)
    assert (product.title, product.brand, product.available, product.price) == ("Cup", "Nomad", 3, Decimal("9.9"))


def test_what_did_not_change_is_counted_and_not_written(session, make, script):
    make.noise()
    product = make.product("A-1", title="Mug", quantity=3, price="9.90")
    before = (product.version, product.changed_at)
    row = {"sku": "A-1", "title": "Mug", "quantity": 3, "price": "9.9"}
    result = catalog.upsert_products(session, [row], by=script)
    session.refresh(product)
    assert (len(result.created), len(result.changed), result.unchanged) == (0, 0, 1)
    assert (product.version, product.changed_at) == before


def test_a_change_of_stock_alone_is_a_change_and_raises_the_version_once(session, make, script):
    product = make.product("A-1", quantity=3)
    version = product.version
    result = catalog.upsert_products(session, [{"sku": "A-1", "quantity": 8}], by=script)
    session.refresh(product)
    assert (len(result.changed), result.unchanged) == (1, 0)
    assert (product.available, product.version) == (8, version + 1)


@pytest.mark.parametrize("quantity", [None, 0, 4])
@pytest.mark.parametrize("price", [None, "9.90"])
@pytest.mark.parametrize("place", [None, "Main", "Outlet", "Closed"])
def test_a_product_begins_as_if_stock_and_price_were_set_one_after_the_other(session, script, quantity, price, place):
    session.add(Warehouse(name="Closed", sells=False))
    worth = {"quantity": quantity, "price": price, "warehouse": place}
    worth = {name: value for name, value in worth.items() if value is not None}
    catalog.upsert_products(
        session, [{"sku": "B-1", "title": "Mug"}, {"sku": "A-1", "title": "Mug", **worth}], by=script
    )
    for row in ({"sku": "A-2", "title": "Mug"}, {"sku": "A-2", **worth}):
        catalog.upsert_products(session, [row], by=script)
    at_once, later = (catalog.by_sku(session, sku) for sku in ("A-1", "A-2"))
    session.refresh(later)
    for name in ("price", "available", "version"):
        assert getattr(at_once, name) == getattr(later, name), name
    assert {p: n for (_, p), n in stock.held(session, [at_once.id]).items()} == {
        p: n for (_, p), n in stock.held(session, [later.id]).items()
    }
    assert count(session, AuditEntry) == 0


def test_rows_that_repeat_a_new_sku_set_its_stock_in_every_warehouse(session, script):
    rows = [{"sku": "A-1", "quantity": n, "warehouse": place} for n, place in ((3, "Main"), (4, "Outlet"), (5, "Main"))]
    catalog.upsert_products(session, rows, by=script)
    product = catalog.by_sku(session, "A-1")
    assert stock.held(session, [product.id]) == {(product.id, "Main"): 5, (product.id, "Outlet"): 4}
    assert product.available == 9


def test_no_product_is_made_with_a_stock_that_cannot_be(session, script):
    with pytest.raises(Refused, match="cannot be"):
        catalog.upsert_products(session, [{"sku": "A-1", "quantity": -1}], by=script)


def test_variants_share_the_base_that_is_made_for_them(session, script):
    rows = [{"sku": f"B-{n}", "base_sku": " B "} for n in range(3)]
    catalog.upsert_products(session, rows, by=script)
    catalog.upsert_products(session, [{"sku": "B-9", "base_sku": "B"}], by=script)
    assert count(session, BaseProduct) == 1
    assert set(session.scalars(select(Product.base_id))) == {session.scalar(select(BaseProduct.id))}


@given(order=st.permutations(["A-1", "A-2", "B-1"]))
@hypothesis_settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_order_of_rows_never_matters(session, script, order):
    with session.begin_nested() as nested:
        catalog.upsert_products(session, [{"sku": s, "title": s, "quantity": len(s)} for s in order], by=script)
        found = {p.sku: (p.title, p.available) for p in session.scalars(select(Product))}
        nested.rollback()
    assert found == {s: (s, 3) for s in ("A-1", "A-2", "B-1")}


def test_a_product_of_ones_own_is_recorded(session, bob):
    product = catalog.add_product(session, {"sku": " N-1 ", "title": "Lamp", "price": "34.00", "quantity": "7"}, by=bob)
    assert (product.sku.strip(), product.match_key, product.price, product.available) == ("N-1", "N-1", Decimal(34), 7)
    sentences = session.execute(select(AuditEntry.by_name, AuditEntry.event)).all()
    assert ("Bob", "product.added") in sentences


@pytest.mark.parametrize("sku", ["", "   ", "\u00a0\u3000", "\ufeff"])
def test_a_product_needs_a_sku(session, bob, sku):
    with pytest.raises(Refused, match="Type a SKU"):
        catalog.add_product(session, {"sku": sku, "title": "Lamp"}, by=bob)
    assert count(session, Product) == 0


def test_a_taken_sku_names_its_product(session, make, bob):
    make.product("A-1", title="Blue mug")
    with pytest.raises(Conflict, match="belongs to “Blue mug”"):
        catalog.add_product(session, {"sku": "A-1 ", "title": "Lamp"}, by=bob)


def test_a_new_sku_keeps_the_links_and_the_old_one_is_free(session, make, bob):
    link = make.link(make.product("A-1"))
    product = session.get(Product, link.product_id)
    catalog.edit_product(session, product, {"sku": "A-2"}, by=bob)
    assert count(session, Link, Link.product_id == product.id) == 1
    assert catalog.by_sku(session, "A-2").id == product.id
    with pytest.raises(NotFound, match="no product with the SKU A-1"):
        catalog.by_sku(session, "A-1")
    make.product("A-1")


def test_an_edit_records_before_and_after_and_nothing_when_nothing_changed(session, make, bob):
    product = make.product("A-1", title="Mug", brand="Nomad")
    catalog.edit_product(session, product, {"title": "Mug", "brand": "Nomad"}, by=bob)
    edits = AuditEntry.event == "product.edited"
    assert count(session, AuditEntry, edits) == 0
    catalog.edit_product(session, product, {"title": "Cup", "brand": "Nomad", "available": 99}, by=bob)
    entry = session.scalars(select(AuditEntry).where(edits)).one()
    assert (entry.before, entry.after) == ({"title": "Mug"}, {"title": "Cup"})
    assert product.available == 10


@pytest.mark.parametrize(("sku", "error"), [("", Refused), ("B-1", Conflict), (" B-1", Conflict)])
def test_an_edit_never_takes_a_sku_away(session, make, bob, sku, error):
    make.product("B-1")
    product = make.product("A-1")
    with pytest.raises(error):
        catalog.edit_product(session, product, {"sku": sku}, by=bob)
    assert product.match_key == "A-1"


def test_a_retired_product_frees_its_sku_and_is_found_no_more(session, make):
    product = make.product("A-1")
    assert retirement.retire(session, [Product.id == product.id]) == 1
    with pytest.raises(NotFound):
        catalog.by_sku(session, "A-1")
    assert make.product("A-1").id != product.id


def test_a_listing_becomes_a_product_that_is_linked_to_it(session, make, bob, app):
    listing = make.listing("X-1", title="Glass teapot", brand="Borosil", price="25.00", quantity=4)
    added = catalog.add_from_listing(session, listing.id, by=bob, index=app.extensions["pairbook_index"])
    assert added.product is not None
    assert (added.product.sku, added.product.title, added.product.brand) == ("X-1", "Glass teapot", "Borosil")
    link = session.scalars(select(Link).where(Link.listing_id == listing.id)).one()
    assert (link.product_id, link.source.value) == (added.product.id, "added")


def test_adding_from_a_listing_shows_look_alikes_first(session, make, bob, app):
    index = app.extensions["pairbook_index"]
    make.product("Y-1", title="Glass teapot 1 l", gtin="4006381333931")
    listing = make.listing("X-1", title="Glass teapot 1 l", gtin="4006381333931")
    first = catalog.add_from_listing(session, listing.id, by=bob, index=index)
    assert first.product is None
    assert [alike.product.sku for alike in first.similar] == ["Y-1"]
    assert count(session, Product) == 1
    anyway = catalog.add_from_listing(session, listing.id, by=bob, index=index, anyway=True)
    assert anyway.product is not None


def test_adding_from_a_listing_twice_names_the_product_that_is_there(session, make, bob, app):
    index = app.extensions["pairbook_index"]
    listing = make.listing("X-1", title="Glass teapot")
    catalog.add_from_listing(session, listing.id, by=bob, index=index)
    with pytest.raises(Conflict, match="The SKU X-1 belongs to"):
        catalog.add_from_listing(session, listing.id, by=bob, index=index)


def test_a_listing_without_sku_needs_one_for_its_product(session, make, bob, app):
    index = app.extensions["pairbook_index"]
    listing = make.listing("", title="Glass teapot")
    with pytest.raises(Refused, match="has no SKU"):
        catalog.add_from_listing(session, listing.id, by=bob, index=index)
    added = catalog.add_from_listing(session, listing.id, by=bob, index=index, fields={"sku": "T-1"})
    assert added.product is not None
    assert added.product.sku == "T-1"
    links.unlink(session, [listing.id], by=bob)
