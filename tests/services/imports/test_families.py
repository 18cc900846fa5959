"""Variants of marketplace files come in under one base product with a title."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from webapp.db import unit_of_work
from webapp.models import BaseProduct, Product

SAMPLES = Path(__file__).parents[2] / "importers" / "samples"


@pytest.mark.parametrize(
    ("file", "base"),
    [
        ("shopify-products.csv", ("mug", "Mug", ["MUG-B", "MUG-R"])),
        ("shopify-products-old.csv", ("mug", "Mug", ["MUG-B", "MUG-R"])),
        ("woocommerce-en.csv", ("MUG", "Mug", ["-RED", "MUG-B"])),
    ],
)
def test_a_base_has_the_title_that_its_variants_share(apply, context, file, base):
    apply("products", (SAMPLES / file).read_text(encoding="utf-8"))
    with unit_of_work(read_only=True) as session:
        query = select(BaseProduct.sku, BaseProduct.title, Product.sku).join(Product, Product.base_id == BaseProduct.id)
        rows = session.execute(query.order_by(Product.sku)).all()
    assert [(sku, title) for sku, title, _ in rows] == [base[:2]] * len(base[2])
    assert [own for _, _, own in rows] == base[2]
