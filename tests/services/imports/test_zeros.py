"""Zeros that a spreadsheet took: found where the catalogue or a check digit proves them, put back when asked."""

from __future__ import annotations

import pytest
from sqlalchemy import select

import importers
from tests.factories import Make
from tests.services.imports.conftest import read
from webapp.db import unit_of_work
from webapp.models import Link, Listing, Product
from webapp.services.lost_zeros import whole_gtin


@pytest.fixture
def alpha(context, settings):
    """A catalogue with SKUs that begin with zeros; gives the id of a channel."""
    with unit_of_work() as session:
        make = Make(session, settings)
        for sku in ("00212", "00640", "641", "0641", "007", "07", "A-01"):
            make.product(sku)
        return make.channel("Alpha").id


def lost(job):
    found = job.report["lost_zeros"]
    return found and (found["sku"], found["gtin"])


def test_a_sku_is_repaired_only_where_one_product_alone_proves_it(bring, alpha):
    text = "listing id,sku\nL1,212\nL2,640\nL3,641\nL4,7\nL5,999\nL6,A-1\nL7,\n"
    job = read(bring("listings", text, channel=alpha))
    assert lost(job) == (2, 0)  # 641 is a SKU itself, 7 could be two, 999 is none, A-1 is no number
    assert job.report["lost_zeros"]["shown"][0] == {"row": 2, "field": "sku", "before": "212", "after": "00212"}
    assert job.report["forecast"]["link"] == 1


def test_zeros_are_put_back_when_asked_and_the_listings_link(apply, alpha):
    text = "listing id,sku\nL1,212\nL2,640\nL3,999\n"
    job = apply("listings", text, channel=alpha, add_zeros=True)
    assert (lost(job), job.report["forecast"]["link"], job.report["linked"]) == ((2, 0), 2, 2)
    with unit_of_work(read_only=True) as session:
        assert sorted(session.scalars(select(Listing.sku))) == ["00212", "00640", "999"]
        assert len(session.scalars(select(Link)).all()) == 2


def test_without_asking_nothing_is_repaired(apply, alpha):
    apply("listings", "listing id,sku\nL1,212\n", channel=alpha)
    with unit_of_work(read_only=True) as session:
        assert session.scalars(select(Listing.sku)).one() == "212"


def test_a_stock_file_finds_its_products_again(bring, apply, alpha):
    text = "sku,quantity\n212,5\n640,6\n999,7\n"
    assert read(bring("stock", text)).report["rows_bad"] == 3
    job = apply("stock", text, add_zeros=True)
    assert (job.report["rows_ok"], job.report["rows_bad"], job.updated) == (2, 1, 2)
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(Product.available).where(Product.sku == "00212")) == 5


def test_a_sku_that_the_file_has_with_its_zeros_too_is_another_one(bring, alpha):
    job = read(bring("products", "sku,title\n212,Mug\n00212,Cup\n640,Pan\n", add_zeros=True))
    assert lost(job) == (1, 0)
    assert job.report["forecast"] == {"new": 1, "update": 2, "more": 0}


def test_where_the_sku_stands_for_the_listing_id_both_get_their_zeros(apply, alpha):
    apply("listings", "sku,title\n212,Mug\n", channel=alpha, add_zeros=True)
    with unit_of_work(read_only=True) as session:
        assert session.execute(select(Listing.external_id, Listing.sku)).one() == ("00212", "00212")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("36000291452", "036000291452"),  # the UPC-A of the GS1 manual without its first zero
        ("36000291453", "36000291453"),  # its check digit proves nothing
        ("036000291452", "036000291452"),
        ("4006381333931", "4006381333931"),
        ("abc", "abc"),
        ("123", "123"),
        ("٣٦٠٠٠٢٩١٤٥٢", "٣٦٠٠٠٢٩١٤٥٢"),
    ],
)
def test_a_gtin_gets_the_zeros_that_its_check_digit_proves(text, whole):
    assert whole_gtin(text) == whole


def test_gtins_are_repaired_with_the_skus(apply, context):
    job = apply("products", "sku,title,ean\nB-1,Mug,36000291452\nB-2,Cup,4006381333931\n", add_zeros=True)
    assert lost(job) == (0, 1)
    with unit_of_work(read_only=True) as session:
        assert sorted(session.scalars(select(Product.gtin))) == ["036000291452", "4006381333931"]


def test_rewriting_keeps_rows_their_numbers_and_blanks(bring, settings, alpha):
    job = read(bring("listings", "listing id,sku,title\nL1,212,\nL2,,Cup\nL3,7é,Ω\n", channel=alpha, add_zeros=True))
    rows = list(importers.read_staged(settings.uploads / f"{job.stored_as}.rows"))
    assert rows == [
        (2, {"listing_id": "L1", "sku": "00212", "match_key": "00212"}),
        (3, {"listing_id": "L2", "title": "Cup"}),
        (4, {"listing_id": "L3", "sku": "7é", "match_key": "7é", "title": "Ω"}),
    ]
