"""Products are found by their words, whatever the database."""

from __future__ import annotations

import pytest

from webapp.models import Product
from webapp.services import catalog, retirement, words


@pytest.fixture
def shop(make):
    """A few products by SKU; every test searches among all of them."""
    titles = {
        "T-1": "Glass teapot, 500 ml",
        "T-2": "Iron teapot with a lid",
        "L-1": "Desk lamp",
        "C-1": "Camera DSC-W120/B",
        "C-2": "Camera DSCW130",
        "J-1": "青いガラスのボトル",
        "E-1": "Señalización LED",
        "R-1": "Ring of lamp shades",
    }
    return {sku: make.product(sku, title=title, brand="Bowen").id for sku, title in titles.items()}


def found(session, shop, text, how=words.find, **more):
    skus = {i: sku for sku, i in shop.items()}
    return [skus[i] for i in how(session, text, limit=20, **more)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("teapot", {"T-1", "T-2"}),
        ("TEAPOT Iron", {"T-2"}),
        ("teapot lamp", set()),
        ("iron tea", {"T-2"}),  # the last word may only be begun
        ("tea iron", set()),  # another one may not
        ("lam", {"L-1", "R-1"}),
        ("la", set()),  # two letters begin too many words
        ("bowen teapot", {"T-1", "T-2"}),
        ("DSC-W120", {"C-1"}),
        ("dscw120", {"C-1"}),
        ("dsc-w130", {"C-2"}),
        ("T-2", {"T-2"}),
        ("senalizacion", {"E-1"}),
        ("ガラス", {"J-1"}),
        ("ボトル 青い", {"J-1"}),
        ("500", {"T-1"}),
        ("", set()),
        ("'\"*:^()- AND OR NOT NEAR(", set()),
        ("100%", set()),
        ("tea_ot", set()),
    ],
)
def test_every_word_has_to_be_there(session, shop, text, expected):
    assert set(found(session, shop, text)) == expected


def test_the_closest_come_first(session, shop):
    assert found(session, shop, "lamp")[0] == "L-1"


def test_some_words_are_enough_where_not_all_are_there_and_rare_ones_count_more(session, make, shop):
    for n in range(5):
        make.product(f"X-{n}", title=f"Plain lamp {n}")
    assert words.find(session, "iron lamp", limit=5) == []
    assert words.find_some(session, "iron lamp", limit=5)[0] == shop["T-2"]


def test_a_condition_narrows_the_search(session, shop):
    assert found(session, shop, "teapot", where=[Product.sku == "T-2"]) == ["T-2"]
    assert found(session, shop, "teapot", words.find_some, where=[Product.sku == "T-2"]) == ["T-2"]


def test_an_edited_product_is_found_by_its_new_words_only(session, make, bob):
    product = make.product("A-1", title="Teapot")
    catalog.edit_product(session, product, {"title": "Kettle"}, by=bob)
    assert (words.find(session, "teapot", limit=5), words.find(session, "kettle", limit=5)) == ([], [product.id])
    make.product("A-1", title="Jug", options={"Colour": "Petrol"})  # the same SKU from a file
    assert (words.find(session, "kettle", limit=5), words.find(session, "petrol jug", limit=5)) == ([], [product.id])


def test_a_retired_product_is_not_found_and_its_words_are_gone(session, make):
    product = make.product("A-1", title="Teapot")
    retirement.retire(session, [Product.id == product.id])
    assert words.find(session, "teapot", limit=5) == words.find_some(session, "teapot", limit=5) == []
    assert session.get(words.ProductWords, product.id) is None


def test_a_title_of_a_megabyte_keeps_a_hundred_words(session, make):
    product = make.product("A-1", title="lamp " + " ".join(f"word{n}" for n in range(200_000)))
    kept = session.get_one(words.ProductWords, product.id).words.split()
    assert len(kept) == words.MOST
    assert words.find(session, "lamp word1", limit=5) == [product.id]
