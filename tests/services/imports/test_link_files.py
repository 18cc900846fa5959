"""Files of links name a listing by its id or by the SKU that it has on its channel."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.factories import Make
from tests.services.imports.conftest import read
from webapp.db import unit_of_work
from webapp.models import Channel, Link, Listing, Product

SAMPLES = Path(__file__).parents[2] / "importers" / "samples"


@pytest.fixture
def shop(context, settings):
    """Two channels with a listing each, and their products; gives the id of the channel EBAY0."""
    with unit_of_work() as session:
        make = Make(session, settings)
        for sku in ("MUG-R", "00900"):
            make.product(sku)
        ebay, amazon = make.channel("EBAY0"), make.channel("Amazon ES")
        make.listing("ebay-mug-r", channel=ebay, listing_id="110000000001:ebay-mug-r")
        make.listing("amz-00900", channel=amazon, listing_id="0929AB1")
        return ebay.id


def linked():
    with unit_of_work(read_only=True) as session:
        query = select(Listing.external_id, Product.sku).join(Link, Link.listing_id == Listing.id)
        return sorted(map(tuple, session.execute(query.join(Product, Product.id == Link.product_id))))


def test_a_listing_is_found_by_its_sku(apply, shop):
    job = apply("links", (SAMPLES / "linnworks-links.csv").read_text(encoding="utf-8"))
    assert (job.report["rows_bad"], job.report["forecast"], job.created) == (0, {"link": 2, "same": 0, "refused": 0}, 2)
    assert linked() == [("0929AB1", "00900"), ("110000000001:ebay-mug-r", "MUG-R")]


def test_an_id_that_is_not_known_gives_way_to_the_sku(apply, shop):
    apply("links", (SAMPLES / "linnworks-links-report.csv").read_text(encoding="utf-8"), channel=shop)
    assert linked() == [("110000000001:ebay-mug-r", "MUG-R")]


def test_what_no_listing_or_several_have_is_left_out_by_name(bring, settings, shop):
    with unit_of_work() as session:
        make = Make(session, settings)
        for n in "12":
            make.listing("twin", channel=session.get(Channel, shop), listing_id=f"T-{n}")
    rows = "EBAY,EBAY0,MUG-R,twin\nEBAY,EBAY0,MUG-R,nobody\nEBAY,Elsewhere,MUG-R,ebay-mug-r\n"
    job = read(bring("links", "Source,SubSource,Linnworks SKU,Channel SKU\n" + rows))
    found = [(e["row"], e["column"], e["code"]) for e in job.report["errors"]]
    assert found == [
        (2, "listing_sku", "ambiguous_sku"), (3, "listing_id", "unknown_value"), (4, "channel", "unknown_value"),
    ]  # fmt: skip
