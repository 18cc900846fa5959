"""A forecast adds up to the good rows, and comes true."""

from __future__ import annotations

import random
from array import array
from collections import Counter

import pytest
from sqlalchemy import func, select

from importers import block_rows
from tests.factories import Make
from tests.services.imports.conftest import read
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import ImportState, Link, Listing, ListingState, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.models.listings import WITHOUT_SUGGESTION
from webapp.services import forecasts, hashes, imports, listing_forecasts, retrieval


def put(settings, fill):
    """Commit what `fill(make)` puts in; gives the id of the channel Alpha."""
    with unit_of_work() as session:
        make = Make(session, settings)
        fill(make)
        return make.channel("Alpha").id


def forecast(job_id):
    job = read(job_id)
    numbers = dict(job.report["forecast"])
    more = numbers.pop("more", 0)
    assert sum(numbers.values()) == job.report["rows_ok"]
    return numbers, more


def links_now(*which):
    query = select(func.count()).select_from(Link).join(Listing, Listing.id == Link.listing_id).where(*which)
    with unit_of_work(read_only=True) as session:
        return session.scalar(query)


LISTINGS = "listing id,sku,title\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["L1,A-1,x"], {"link": 1, "review": 0, "update": 0}),
        (["L1, A-1\u00a0,x"], {"link": 1, "review": 0, "update": 0}),
        (["L1,a-1,x"], {"link": 0, "review": 1, "update": 0}),
        (["L1,,x"], {"link": 0, "review": 1, "update": 0}),
        (["L1,A-1,x", "L2,A-1,y"], {"link": 0, "review": 2, "update": 0}),
        (["L1,TAKEN,x"], {"link": 0, "review": 1, "update": 0}),
        (["L1,ELSEWHERE,x"], {"link": 1, "review": 0, "update": 0}),
        (["L1,RIVAL,x"], {"link": 0, "review": 1, "update": 0}),
        (["OLD,A-1,x"], {"link": 0, "review": 0, "update": 1}),
        (["L1,GONE,x"], {"link": 0, "review": 1, "update": 0}),
    ],
    ids="equal trimmed case blank twice taken elsewhere rival known unknown".split(),
)
def test_listings_link_exactly_as_the_forecast_said(apply, settings, rows, expected):
    def fill(make):
        for sku in ("A-1", "TAKEN", "ELSEWHERE", "RIVAL"):
            make.product(sku)
        by_sku = {p.sku: p for p in make.session.scalars(select(Product))}
        make.link(by_sku["TAKEN"], make.listing(channel=make.channel("Alpha")))
        make.link(by_sku["ELSEWHERE"], make.listing(channel=make.channel("Beta")))
        make.listing("RIVAL", channel=make.channel("Alpha"))
        make.listing(channel=make.channel("Alpha"), listing_id="OLD")

    channel = put(settings, fill)
    job = apply("listings", LISTINGS + "\n".join(rows) + "\n", channel=channel)
    assert forecast(job.id)[0] == expected
    assert links_now(Listing.external_id.in_(["L1", "L2"])) == expected["link"]


@pytest.mark.parametrize("most_sorted", [0, 50_000])
def test_skus_that_a_file_repeats_are_found_in_files_of_any_size(monkeypatch, most_sorted):
    monkeypatch.setattr(hashes, "MOST_SORTED", most_sorted)
    draw = random.Random(5)
    numbers = [draw.randrange(-2_000, 2_000) for _ in range(3_000)] + [2**63 - 1, -(2**63), 2**63 - 1]
    assert hashes.twice(array("q", numbers)) == {n for n, times in Counter(numbers).items() if times > 1}


def test_products_say_how_many_are_new_and_how_many_waiting_listings_they_link(apply, settings):
    def fill(make):
        make.product("OLD")
        make.listing("NEW", channel=make.channel("Alpha"))

    put(settings, fill)
    job = apply("products", "sku,title\nOLD,Old mug\nNEW,New mug\nOTHER,Other mug\n")
    assert forecast(job.id) == ({"new": 2, "update": 1}, 1)
    assert (job.created, job.updated) == (2, 1)
    assert links_now() == 1


def test_an_import_links_nothing_that_it_did_not_bring(apply, settings):
    def fill(make):
        make.product("OLD")
        make.listing("OLD", channel=make.channel("Alpha"))
        make.listing("TWICE", channel=make.channel("Alpha"))
        make.listing("TWICE", channel=make.channel("Alpha"))

    channel = put(settings, fill)
    job = apply("products", "sku,title\nNEW,New mug\nTWICE,Cup\n")
    assert forecast(job.id) == ({"new": 2, "update": 0}, 0)
    assert links_now() == 0
    job = apply("listings", LISTINGS + "L1,NEW,x\n", channel=channel)
    assert forecast(job.id)[0] == {"link": 1, "review": 0, "update": 0}
    assert links_now() == 1


def test_a_stock_file_that_names_a_product_per_warehouse_counts_its_rows(apply, settings):
    put(settings, lambda make: make.product("A-1"))
    job = apply("stock", "sku,quantity,warehouse\nA-1,5,Main\nA-1,7,Outlet\n")
    assert forecast(job.id)[0] == {"new": 0, "update": 2}
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(Product.available)) == 12


def test_links_are_forecast_as_made_same_or_refused(apply, settings):
    def fill(make):
        alpha = make.channel("Alpha")
        for n in range(3):
            make.product(f"S-{n}")
            make.listing(channel=alpha, listing_id=f"L-{n}")
        by_sku = {p.sku: p for p in make.session.scalars(select(Product))}
        by_id = {x.external_id: x for x in make.session.scalars(select(Listing))}
        make.link(by_sku["S-0"], by_id["L-0"])

    put(settings, fill)
    text = "channel,listing_id,sku\nAlpha,L-0,S-0\nAlpha,L-1,S-1\nAlpha,L-2,S-0\n"
    job = apply("links", text)
    assert forecast(job.id)[0] == {"link": 1, "same": 1, "refused": 1}
    assert links_now() == 2
    assert [r["listing_id"] for r in job.report["refused"]] == ["L-2"]


def test_rows_beyond_the_tables_are_left_out_with_row_and_repair(bring, settings):
    put(settings, lambda make: make.product("A-1"))
    job = read(bring("stock", "sku,quantity\nA-1,5\nNOPE-Ñ,6\n"))
    assert (job.report["rows_ok"], job.report["rows_bad"]) == (1, 1)
    problem = job.report["errors"][0]
    assert (problem["row"], problem["code"], problem["value"]) == (3, "unknown_sku", "NOPE-Ñ")
    assert "Import the product first" in problem["message"]
    assert forecast(job.id)[0] == {"new": 0, "update": 1}


def test_what_a_person_set_aside_is_no_promise(apply, settings):
    def fill(make):
        make.product("A-1")
        make.listing("A-1", channel=make.channel("Alpha"), listing_id="L1").state = ListingState.IGNORED

    channel = put(settings, fill)
    job = apply("listings", LISTINGS + "L1,A-1,x\n", channel=channel)
    assert forecast(job.id)[0] == {"link": 0, "review": 0, "update": 1}
    assert links_now() == 0


CATALOGUE = {"P-1": "Blue ceramic mug 350 ml", "P-2": "Walnut cutting board 40 x 30 cm", "P-3": "Steel garden spade"}


@pytest.mark.parametrize("products", [CATALOGUE, {}], ids="some none".split())
def test_what_resembles_nothing_is_told_apart_and_has_no_suggestion_afterwards(bring, settings, monkeypatch, products):
    def fill(make):
        for sku, title in products.items():
            make.product(sku, title=title)

    channel, index = put(settings, fill), retrieval.CatalogueIndex()
    text = LISTINGS + "L1,P-3,Spade\nL2,x,Blue ceramic mug 350ml\nL3,y,Wireless keyboard\nL4,,Oil filter\n"
    job_id = bring("listings", text, channel=channel)
    assert "none" not in forecast(job_id)[0]
    with unit_of_work() as session:
        imports.get(session, job_id).state = ImportState.CHECKING
    tasks.check_import(settings, job_id, index=index)
    expected = {"link": 1, "review": 1, "update": 0, "none": 2} if products else {
        "link": 0, "review": 0, "update": 0, "none": 4
    }  # fmt: skip
    assert forecast(job_id)[0] == expected
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)
    tasks.run_imports(settings, only=job_id)
    tasks.suggest(index)
    with unit_of_work(read_only=True) as session:
        here = select(func.count()).where(Listing.channel_id == channel, Listing.place == WITHOUT_SUGGESTION)
        assert session.scalar(here) == expected["none"]


@pytest.mark.parametrize("limit", ["MOST_LOOKED_UP", "PATIENCE"])
def test_what_would_take_long_is_not_told_apart(bring, settings, monkeypatch, limit):
    monkeypatch.setattr(forecasts, limit, 0)
    channel = put(settings, lambda make: make.product("P-1", title="Blue ceramic mug"))
    job_id = bring("listings", LISTINGS + "L1,x,Blue ceramic mug\nL2,y,Oil filter\n", channel=channel)
    with unit_of_work() as session:
        imports.get(session, job_id).state = ImportState.CHECKING
    tasks.check_import(settings, job_id, index=retrieval.CatalogueIndex())
    assert forecast(job_id)[0] == {"link": 0, "review": 2, "update": 0}


@pytest.mark.parametrize("few", [0, 10_000], ids=["catalogue read", "SKUs asked for"])
@pytest.mark.parametrize("before", [True, False], ids=["looked up while read", "looked up afterwards"])
@pytest.mark.parametrize("known", [True, False], ids=["known channel", "new channel"])
def test_rows_that_are_taken_out_at_the_end_are_not_foreseen(apply, bring, settings, monkeypatch, few, before, known):
    monkeypatch.setattr(listing_forecasts, "FEW", few)
    for name in ("BLOCK", "PULLED"):
        monkeypatch.setattr(block_rows, name, 2)
    channel = put(settings, lambda make: [make.product(f"A-{n}") for n in range(6)])
    if known:
        apply("listings", LISTINGS + "L0,A-0,Old\nL9,A-9,Gone\n", channel=channel, reconcile=False)
    looked, look = [], listing_forecasts.Outlooks._of

    def counted(self, block, meeting):
        looked.append(len(block))
        return look(self, block, meeting)

    monkeypatch.setattr(listing_forecasts.Outlooks, "_of", counted)
    if not before:
        monkeypatch.setattr(listing_forecasts.Outlooks, "begin", lambda *_: None)
    rows = [f"L{n},A-{n},Mug" for n in range(6)]
    rows += ["L1,A-1,Mug", "L2,A-2,Cup", "L7,,Mug", "L8,A-3,Mug"]  # one again, one that contradicts, A-3 twice
    job = read(bring("listings", LISTINGS + "\n".join(rows) + "\n", channel=channel))
    old = {"L0"} if known else set()
    assert job.report["rows_ok"] == 7
    assert job.report["forecast"] == {"link": 4 - len(old), "review": 3, "update": len(old)}
    assert job.report["changes"].get("title") == (1 if known else None)
    assert job.report["changes"].get("gone") == (1 if known else None)
    assert sum(looked) == (10 + 1 if before else 7)  # again: what is left of a block that lost a row
