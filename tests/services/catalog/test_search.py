"""What the product table finds, page by page."""

from __future__ import annotations

import pytest

from webapp.errors import NotFound
from webapp.models import Product
from webapp.services import catalog_search, retirement
from webapp.services.catalog_search import Filter


@pytest.fixture
def index(app):
    return app.extensions["pairbook_index"]


def skus(page):
    return [row.product.sku for row in page.rows]


def test_pages_cover_every_product_once_in_both_directions(session, make, index, monkeypatch):
    monkeypatch.setattr(catalog_search, "PAGE", 4)
    wanted = [make.product(f"S-{n}").sku for n in range(10)]
    page = catalog_search.search_products(session, index, Filter())
    seen = skus(page)
    assert page.previous is None
    while page.next:
        page = catalog_search.search_products(session, index, Filter(), after=page.next)
        seen += skus(page)
    assert seen == wanted
    back = catalog_search.search_products(session, index, Filter(), before=page.previous)
    assert skus(back) == wanted[4:8]
    first = catalog_search.search_products(session, index, Filter(), before=back.previous)
    assert (skus(first), first.previous) == (wanted[:4], None)


def test_a_row_sums_up_the_links_of_its_product(session, make, index):
    product = make.product("A-1")
    make.link(product, channel=make.channel("Beta"))
    second = make.link(product, channel=make.channel("Alpha"))
    second.auto_sync = False
    session.flush()
    row = catalog_search.search_products(session, index, Filter()).rows[0]
    assert (row.channels, row.links, row.auto, row.told_at) == (["Alpha", "Beta"], 2, 1, None)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filter(), ["IN", "OUT", "LINKED"]),
        (Filter("in"), ["IN", "LINKED"]),
        (Filter("out"), ["OUT"]),
        (Filter(linked="no"), ["IN", "OUT"]),
        (Filter("out", "no"), ["OUT"]),
        (Filter(text="teapot"), ["IN", "LINKED"]),
        (Filter("in", "no", "teapot"), ["IN"]),
        (Filter(text="xqzw"), []),
    ],
)
def test_filters_narrow_each_other(session, make, index, filters, expected):
    make.product("IN", title="Glass teapot", quantity=4)
    make.product("OUT", title="Wooden spoon", quantity=0)
    make.link(make.product("LINKED", title="Iron teapot", quantity=4))
    gone = make.product("GONE", title="Old teapot")
    retirement.retire(session, [Product.id == gone.id])
    index.forget()
    assert sorted(skus(catalog_search.search_products(session, index, filters))) == sorted(expected)
    if not filters.text:
        assert catalog_search.count(session, filters) == len(expected)


def test_counts_stop_at_their_cap(session, make, monkeypatch):
    monkeypatch.setattr(catalog_search, "CAP", 3)
    for n in range(9):
        make.product(f"S-{n}")
    assert catalog_search.count(session, Filter()) == 4


def test_products_linked_nowhere_are_sought_a_window_at_a_time(session, make, index, monkeypatch):
    monkeypatch.setattr(catalog_search, "PAGE", 2)
    monkeypatch.setattr(catalog_search, "WINDOW", 4)
    for n in range(12):
        product = make.product(f"S-{n:02d}")
        if n not in {0, 1, 2, 9, 11}:
            make.link(product)
    none = Filter(linked="no")
    page, seen, pages = catalog_search.search_products(session, index, none), [], 1
    assert page.previous is None
    seen += skus(page)
    while page.next:
        page = catalog_search.search_products(session, index, none, after=page.next)
        seen, pages = seen + skus(page), pages + 1
    assert seen == ["S-00", "S-01", "S-02", "S-09", "S-11"]
    assert pages <= 5
    back = list(skus(page))
    while page.previous:
        page = catalog_search.search_products(session, index, none, before=page.previous)
        back = skus(page) + back
    assert back == seen


def test_a_letter_too_few_is_forgiven(session, make, index):
    make.product("A-1", title="Insulated bottle")
    make.product("A-2", title="Desk lamp")
    assert skus(catalog_search.search_products(session, index, Filter(text="botle"))) == ["A-1"]


def test_a_retired_product_is_no_longer_shown(session, make):
    product = make.product("A-1")
    assert catalog_search.get(session, product.id) is product
    retirement.retire(session, [Product.id == product.id])
    session.expire_all()
    with pytest.raises(NotFound, match="no longer in the catalogue"):
        catalog_search.get(session, product.id)
