"""Variants of listings: which parent they name, and their options in the layouts that exports have."""

from __future__ import annotations

import pytest

from importers.rows import gather_options
from tests.importers.test_presets import EBAY, SHOPIFY_OLD


def test_listings_carry_their_parent_and_options(run):
    content = "Listing ID,Title,Parent ID,Option1 name,Option1 value\nA,Mug,P1,Colour,Red\nB,Mug,,,\n"
    rows = run(content, kind="listings").rows
    assert (rows[2]["parent_id"], rows[2]["options"]) == ("P1", {"Colour": "Red"})
    assert not rows[3].keys() & {"parent_id", "options"}


def test_the_handle_of_a_shopify_export_is_the_parent_of_its_listings(run):
    rows = run(SHOPIFY_OLD, kind="listings").rows
    assert [(r.get("parent_id"), r.get("options")) for r in rows.values()] == [
        ("mug", {"Colour": "Blue"}), ("mug", {"Colour": "Red"}), (None, None),
    ]  # fmt: skip


def test_variations_of_an_ebay_listing_have_its_number_as_parent(run):
    rows = run(EBAY, kind="listings").rows
    assert [(r["listing_id"], r.get("parent_id"), r.get("options")) for r in rows.values()] == [
        ("111:MUG-R", "111", {"Color": "Red"}), ("111:Color=Blue", "111", {"Color": "Blue"}), ("222", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("[Color=Red;Size=M]", {"Color": "Red", "Size": "M"}),
        ("Color: Red | Size: 10,5", {"Color": "Red", "Size": "10,5"}),
        ("Talla:M,Color:Rojo", {"Talla": "M", "Color": "Rojo"}),
        ("Size=1:50|Finish=Deep blue, matte", {"Size": "1:50", "Finish": "Deep blue, matte"}),
        ("red", None),
        ("=" * 100_000, None),
    ],
)
def test_options_in_one_cell_are_read(cell, options):
    fields = {"listing_id": "7:8", "option_details": cell}
    gather_options(fields)
    assert fields.get("options") == options
    assert fields.get("parent_id") == ("7" if options else None)


def test_a_parent_that_is_named_stays(run):
    content = "Listing ID,Title,Parent ID,Variation details\n7:8,Mug,P1,Color=Red\n7:9,Mug,,Color=Blue\n"
    rows = run(content, kind="listings").rows
    assert [r["parent_id"] for r in rows.values()] == ["P1", "7"]
