"""The search index of the catalogue: built by workers, mapped by web processes, never waited for by a page."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from webapp.db import db, unit_of_work
from webapp.services import candidates, catalog, retirement, retrieval, searching
from webapp.services.catalog_search import Filter, search_products
from webapp.services.retrieval import CatalogueIndex


@pytest.fixture
def large(monkeypatch):
    """Every catalogue counts as a large one, and changes are looked for at each use."""
    monkeypatch.setattr(retrieval, "SMALL", 0)
    monkeypatch.setattr(retrieval, "LOOK_AGAIN", -1.0)


@pytest.fixture
def folder(settings):
    settings.index_folder.mkdir(exist_ok=True)
    return settings.index_folder


@pytest.fixture
def shop(session, make):
    """A committed catalogue."""
    for n in range(20):
        make.product(f"P-{n}", title=f"Plain thing {n}")
    make.product("LAMP-1", title="Desk lamp", gtin="4006381333931")
    session.commit()


def titles(products):
    return [p.title for p in products]


def test_a_page_is_given_no_index_of_a_large_catalogue_until_a_worker_has_saved_one(session, shop, large, folder):
    web = CatalogueIndex(folder)
    assert web.ready(session) is None
    with unit_of_work(read_only=True) as reading:
        CatalogueIndex(folder).keep(reading)
    assert len(web.ready(session)) == 21


def test_a_small_catalogue_is_indexed_on_the_spot_and_saved_nowhere(session, shop, folder):
    assert len(CatalogueIndex(folder).ready(session)) == 21
    assert list(folder.iterdir()) == []


def test_a_web_process_takes_the_newer_index_over_once_it_is_saved(session, make, shop, large, folder, monkeypatch):
    monkeypatch.setattr(retrieval, "SAVE_AGAIN", 0.0)
    web, worker = CatalogueIndex(folder), CatalogueIndex(folder)
    worker.keep(session)
    assert len(web.ready(session)) == 21
    make.product("NEW-1", title="A new thing")
    session.commit()
    worker.keep(session)
    assert len(web.ready(session)) == 22


def test_a_worker_takes_the_saved_index_up_and_learns_what_has_changed_since(session, make, shop, large, folder):
    CatalogueIndex(folder).keep(session)
    lamp = catalog.by_sku(session, "LAMP-1")
    retirement.retire(session, [retrieval.Product.id == lamp.id])
    make.product("NEW-1", title="A new thing")
    session.commit()
    index = CatalogueIndex(folder).current(session)
    assert (len(index), index.get(lamp.id)) == (21, None)


def test_the_index_of_another_catalogue_is_not_taken_up(session, make, shop, large, folder):
    CatalogueIndex(folder).keep(session)
    (folder / "seen").write_text("2999-01-01T00:00:00+00:00 0", encoding="ascii")
    make.product("NEW-1", title="A new thing")
    session.commit()
    assert len(CatalogueIndex(folder).current(session)) == 22


def test_a_damaged_index_is_built_again(session, shop, large, folder):
    CatalogueIndex(folder).keep(session)
    (folder / "index.json").write_text('{"format": 0}', encoding="utf-8")
    assert CatalogueIndex(folder).ready(session) is None
    assert len(CatalogueIndex(folder).current(session)) == 21


def test_an_index_in_use_stays_as_it_is_when_products_change(session, make, shop, large):
    index = CatalogueIndex()
    before = index.current(session)
    make.product("NEW-1", title="A new thing")
    session.flush()
    after = index.current(session)
    assert (len(before), len(after)) == (21, 22)


def test_without_an_index_words_and_keys_are_found_and_mistyped_ones_are_not(session, shop, large):
    none = CatalogueIndex()
    assert titles(searching.search(session, none, "lamp desk")) == ["Desk lamp"]
    assert titles(searching.search(session, none, "lamp sky")) == ["Desk lamp"]
    assert titles(searching.search(session, none, "LAMP-")) == ["Desk lamp"]
    assert titles(searching.search(session, none, "4006381333931")) == ["Desk lamp"]
    assert searching.search(session, none, "lammp") == []
    assert titles(r.product for r in search_products(session, none, Filter(text="lamp")).rows) == ["Desk lamp"]


@pytest.mark.parametrize("gtin", ["4006381333931", "04006381333931", "4006381333932", "4006381333391"])
def test_doubles_are_named_without_an_index(session, make, shop, large, gtin):
    listing = make.listing("ANOTHER", title="Something else", gtin=gtin)
    alike = searching.look_alikes(session, CatalogueIndex(), listing)
    assert [a.product.title for a in alike] == ["Desk lamp"]


def test_doubles_by_sku_and_by_name_are_named_without_an_index(session, make, shop, large):
    none = CatalogueIndex()
    assert titles(a.product for a in searching.look_alikes(session, none, make.listing("lamp1", title="-")))
    assert titles(a.product for a in searching.look_alikes(session, none, make.listing("Z", title="Desk lamps")))


def test_a_listing_nobody_has_looked_at_shows_what_has_its_words_while_there_is_no_index(session, make, shop, large):
    listing = make.listing("ANOTHER", title="Desk lamp")
    channel = make.channel()
    stage = candidates.stage(session, listing, channel, CatalogueIndex())
    assert stage.choices == []
    found = candidates.search(session, listing, channel, CatalogueIndex(), "Desk lamp", hide=True)
    assert [c.product.title for c in found.choices] == ["Desk lamp"]


def test_a_page_does_not_wait_for_whoever_is_mapping_the_index(session, shop, large, folder):
    index = CatalogueIndex(folder)
    with index._lock, Session(db.engine) as other:
        assert index.ready(other) is None
