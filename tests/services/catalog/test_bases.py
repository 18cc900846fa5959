"""A base product is called by what the titles of its variants share."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import select

import webapp
from webapp.models import BaseProduct, Product
from webapp.services import bases, catalog


@pytest.mark.parametrize(
    ("variants", "title"),
    [
        ([("Mug", {"Colour": "Red"}), ("Mug", {"Colour": "Blue"})], "Mug"),
        ([("Mug - Red", {}), ("Mug - Blue", {})], "Mug"),
        ([("Mug - Red", {"Colour": "Red"})], "Mug"),
        ([("Mug (Red, XL)", {"Colour": "Red", "Size": "XL"})], "Mug"),
        ([("Mug - RED / 350 ml", {"Size": "350 ml", "Colour": "Red"})], "Mug"),
        ([("Summer dress", {"Size": "s"})], "Summer dress"),
        ([("Red", {"Colour": "Red"})], "Red"),
        ([("Organic Tee S, Moss", {"a": "S", "b": "Moss"}), ("Organic Tee", {})], "Organic Tee"),
        ([("Mug", {}), ("Lamp", {})], ""),
        ([("", {"Colour": "Red"}), ("Mug, Blue", {"Colour": "Blue"})], "Mug"),
        ([], ""),
    ],
)
def test_titles_share_what_is_not_of_one_variant_alone(variants, title):
    assert bases.shared_title(variants) == title


def test_a_base_is_named_by_the_variants_that_come_in_and_narrowed_by_later_ones(session, script):
    catalog.upsert_products(session, [{"sku": "B-1", "title": "Mug Red", "base_sku": "B"}], by=script)
    assert session.scalars(select(BaseProduct.title)).one() == "Mug Red"
    catalog.upsert_products(session, [{"sku": "B-2", "title": "Mug Blue", "base_sku": "B"}], by=script)
    assert session.scalars(select(BaseProduct.title)).one() == "Mug"
    catalog.upsert_products(session, [{"sku": "B-3", "title": "Spare handle", "base_sku": "B"}], by=script)
    assert session.scalars(select(BaseProduct.title)).one() == "Mug"


def test_a_base_follows_when_its_variants_are_called_otherwise(session, script):
    rows = [{"sku": f"B-{n}", "title": "Mug", "options": {"Size": n}, "base_sku": "B"} for n in "123"]
    catalog.upsert_products(session, rows, by=script)
    catalog.upsert_products(session, [{"sku": row["sku"], "title": "Stoneware cup"} for row in rows], by=script)
    assert session.scalars(select(BaseProduct.title)).one() == "Stoneware cup"
    product = session.scalars(select(Product).where(Product.sku == "B-1")).one()
    catalog.edit_product(session, product, {"title": "Stoneware beaker"}, by=script)
    assert session.scalars(select(BaseProduct.title)).one() == "Stoneware"


def test_the_sample_catalogue_has_bases_with_whole_titles():
    with (Path(webapp.__file__).parent / "sample" / "products.csv").open(encoding="utf-8") as stream:
        families = {}
        for row in csv.DictReader(stream):
            if row["base_sku"]:
                values = {n: row[f"option{n}_value"] for n in "12" if row[f"option{n}_value"]}
                families.setdefault(row["base_sku"], []).append((row["title"], values))
    titles = {sku: bases.shared_title(variants) for sku, variants in families.items()}
    assert (titles["NOM-LUN"], len(titles)) == ("Luna LED Table Lamp", len(set(titles.values())))
    assert all(titles.values())
