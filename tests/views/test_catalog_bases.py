"""Base products in the table: one row that says how many variants it stands for, opens to them, and acts on them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from tests.factories import Make
from webapp.models import BaseProduct, Link, Product
from webapp.views.catalog_words import untold

HX = {"HX-Request": "true"}


@pytest.fixture
def shop(put):
    """A bottle in three colours, one of them sold out, of which two are linked; a mug alone; a base of one variant."""

    def build(m: Make) -> dict[str, int]:
        ids = {}
        for colour, n, price in (("Sage", 5, "19.90"), ("Sand", 0, "24.90"), ("Black", 7, "19.90")):
            sku = f"BTL-{colour.upper()}"
            ids[colour] = m.product(
                sku, title=f"Bottle, {colour}", quantity=n, price=price, base_sku="BTL", options={"Colour": colour}
            ).id
        ids["mug"] = m.product("MUG", title="Field mug", quantity=3).id
        ids["one"] = m.product("LMP-1", title="Lamp, oak", base_sku="LMP").id
        for colour in ("Sage", "Sand"):
            m.link(m.session.get(Product, ids[colour]), m.listing(f"L-{colour}"))
        ids["base"] = m.session.scalar(select(BaseProduct.id).where(BaseProduct.sku == "BTL"))
        return ids

    return put(build)


def rows(page):
    return re.findall(r'<tr id="((?:base|product)-\d+)"', page.text)


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.mark.parametrize(
    ("title", "options", "said"),
    [
        ("Organic Tee M, Moss", {"Size": "M", "Colour": "moss"}, ""),
        ("Organic Tee, Moss", {"Size": "M", "Colour": "Moss"}, "M"),
        ("Mat, M", {"Size": "M", "Colour": "Mat"}, ""),
        ("Bottle", {"Size": "750 ml (25 oz)", "Colour": "Sand"}, "750 ml (25 oz), Sand"),
        ("", {"Size": ""}, ""),
    ],
)
def test_a_variant_tells_of_its_options_what_its_title_does_not(title, options, said):
    assert untold(Product(title=title, options=options)) == said


def test_variants_stand_in_one_row_that_says_how_many_and_opens_to_them(browse, shop):
    bob = browse("bob")
    page = bob.get("/products")
    assert rows(page) == [f"base-{shop['base']}", f"product-{shop['mug']}", f"product-{shop['one']}"]
    row = re.search(rf'<tr id="base-{shop["base"]}".*?</tr>', page.text, re.S)[0]
    assert "3 variants" in row
    assert ">12<" in row  # 5 + 0 + 7 units
    assert "1 of 3 out" in row
    assert re.search(r"\$19\.90\s*\+", row)
    opens = re.search(r'class="nm" href="([^"]+)"', row)[1]
    opened = bob.get(opens)
    assert rows(opened) == [f"product-{shop[c]}" for c in ("Sage", "Sand", "Black")]
    assert "Variants of" in text_of(opened)


def test_a_tab_counts_the_variants_that_it_holds(browse, shop):
    page = browse("bob").get("/products?stock=in")
    assert "2 variants" in text_of(page)
    assert f"base-{shop['base']}" in rows(page)
    out = browse("bob").get("/products?stock=out")
    assert rows(out) == [f"product-{shop['Sand']}"]  # alone, it is what it is


def test_a_search_or_another_filter_shows_the_variants_themselves(browse, shop):
    assert f"product-{shop['Black']}" in rows(browse("bob").get("/products?q=bottle+black"))
    assert f"product-{shop['Black']}" in rows(browse("bob").get("/products?linked=no"))


def test_pages_of_rows_follow_each_other_without_a_gap(browse, put):
    def build(m: Make) -> None:
        for n in range(120):  # forty bases, their variants apart from each other
            m.product(f"V-{n}", title=f"Thing {n}", base_sku=f"B-{n % 40}")
        for n in range(30):
            m.product(f"S-{n}", title=f"Single {n}")

    put(build)
    bob = browse("bob")
    page = bob.get("/products")
    seen, following = rows(page), re.search(r'href="(/products\?after=\d+)"', page.text)[1]
    last = bob.get(following)
    assert len(seen) == 50
    assert len(seen + rows(last)) == len(set(seen + rows(last))) == 70
    back = re.search(r'href="(/products\?before=\d+)"', last.text)[1]
    assert rows(bob.get(back)) == seen


def test_the_switch_of_the_row_switches_all_its_variants_and_can_be_taken_back(browse, look, shop):
    def on(s):
        return s.scalar(select(func.count()).select_from(Link).where(Link.auto_sync))

    bob = browse("bob")
    piece = bob.post(f"/products/base/{shop['base']}/auto", data={"on": "0"}, headers=HX)
    assert 'aria-checked="false"' in piece.text
    assert "Auto-sync off for 2 pairs" in piece.text
    assert look(on) == 0
    assert bob.post(re.search(r'action="(/activity/\d+/undo)"', piece.text)[1], headers=HX).status_code == 200
    assert look(on) == 2
    assert bob.post("/products/base/999/auto", headers=HX).status_code == 404
    assert browse("charlie").post(f"/products/base/{shop['base']}/auto").status_code == 403


def test_a_ticked_row_means_its_variants_on_that_tab(browse, look, shop):
    bob = browse("bob")
    form = {"base-id": shop["base"], "stock": "in", "on": "0"}
    assert bob.post("/products/available", data=form).status_code == 303
    marked = look(lambda s: {p.sku: p.available for p in s.scalars(select(Product))})
    assert (marked["BTL-SAGE"], marked["BTL-BLACK"], marked["MUG"]) == (0, 0, 3)
