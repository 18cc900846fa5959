"""Files with and without listing ids speak of the same listings, whichever comes first."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.factories import Make
from tests.services.imports.conftest import NOTHING_NEWER, read, take_back
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Channel, Link, Listing, ListingState, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.services import counts, imports

WITH_IDS = "listing-id,seller-sku,item-name,price,quantity\n"
BY_SKU = "sku,price,quantity\n"
REPORT = "0929AB1,A-1,Mug,9.90,3\n0929AB2,A-2,Cup,8.00,4\n"
SHORT = "A-1,9.50,7\nA-2,8.00,4\n"


def there():
    with unit_of_work(read_only=True) as session:
        rows = session.execute(select(Listing.external_id, Listing.sku, Listing.quantity).order_by(Listing.id))
        return [tuple(row) for row in rows]


def pairs():
    with unit_of_work(read_only=True) as session:
        query = select(Link.id, Link.listing_id, Product.sku).join(Product, Product.id == Link.product_id)
        return sorted(tuple(row) for row in session.execute(query))


def counted(channel_id):
    with unit_of_work(read_only=True) as session:
        return {state: n for state, n in counts.of_channel(session, channel_id).items() if n}


def test_a_file_without_ids_finds_the_listings_by_their_sku(apply, alpha):
    apply("listings", WITH_IDS + REPORT, channel=alpha)
    job = apply("listings", BY_SKU + SHORT + "A-3,1.00,1\n", channel=alpha)
    assert (job.created, job.updated, job.unchanged) == (1, 1, 1)
    assert there() == [("0929AB1", "A-1", 7), ("0929AB2", "A-2", 4), ("A-3", "A-3", 1)]
    assert job.report["forecast"] == {"link": 0, "review": 1, "update": 2}
    assert counted(alpha) == {ListingState.LINKED: 2, ListingState.PENDING: 1}


def test_a_file_with_ids_gives_them_to_listings_that_had_a_sku_alone(apply, alpha):
    apply("listings", BY_SKU + SHORT, channel=alpha)
    before = pairs()
    job = apply("listings", WITH_IDS + REPORT + "0929AB3,A-3,Jug,1.00,1\n", channel=alpha)
    assert (job.created, job.updated, job.unchanged) == (1, 2, 0)
    assert there() == [("0929AB1", "A-1", 3), ("0929AB2", "A-2", 4), ("0929AB3", "A-3", 1)]
    assert job.report["forecast"] == {"link": 0, "review": 1, "update": 2}
    assert len(before) == 2
    assert pairs() == before
    changes = job.report["changes"]
    assert (changes["listing_id"], changes["known"], "gone" in changes) == (2, 2, False)
    told = [(row["before"], row["after"], row["linked"]) for row in changes["shown"]["listing_id"]]
    assert told == [("A-1", "0929AB1", "A-1"), ("A-2", "0929AB2", "A-2")]


def test_taking_the_second_file_back_restores_what_the_first_one_left(apply, alpha):
    apply("listings", BY_SKU + SHORT, channel=alpha)
    before, links = there(), pairs()
    job = apply("listings", WITH_IDS + REPORT + "0929AB3,A-3,Jug,1.00,1\n", channel=alpha)
    assert take_back(job) == {"removed": 1, "restored": 2, "unlinked": 0, "kept": 0, **NOTHING_NEWER}
    assert (there(), pairs()) == (before, links)
    apply("listings", WITH_IDS + REPORT, channel=alpha)  # and it can come again
    assert [row[0] for row in there()] == ["0929AB1", "0929AB2"]


def test_taking_a_file_without_ids_back_restores_the_values_alone(apply, alpha):
    apply("listings", WITH_IDS + REPORT, channel=alpha)
    before = there()
    assert take_back(apply("listings", BY_SKU + SHORT, channel=alpha))["restored"] == 1
    assert there() == before


def test_an_id_that_somebody_else_has_by_now_is_not_taken_back(apply, alpha, settings):
    apply("listings", BY_SKU + "A-1,9.50,7\n", channel=alpha)
    job = apply("listings", WITH_IDS + "0929AB1,A-1,Mug,9.90,3\n", channel=alpha)
    with unit_of_work() as session:
        Make(session, settings).listing(channel=session.get(Channel, alpha), listing_id="A-1")
    take_back(job)
    assert there()[0] == ("0929AB1", "A-1", 7)


@pytest.mark.parametrize("first", ["ids", "skus"])
def test_each_file_again_changes_nothing(apply, alpha, first):
    files = [WITH_IDS + "0929AB1,A-1,Mug,9.90,3\n", BY_SKU + "A-1,9.90,3\n"]
    for text in files if first == "ids" else files[::-1]:
        apply("listings", text, channel=alpha)
    for text in (*files, *files):
        job = apply("listings", text, channel=alpha)
        assert (job.created, job.updated, job.unchanged) == (0, 0, 1)
    assert there() == [("0929AB1", "A-1", 3)]


def test_a_sku_of_several_listings_says_which_one_to_none(bring, apply, alpha):
    apply("listings", WITH_IDS + "L1,A-1,Mug,9.90,3\nL2,A-1,Mug,9.90,3\n", channel=alpha)
    job = read(bring("listings", BY_SKU + "A-1,9.90,3\nA-2,8.00,4\n", channel=alpha))
    assert [(e["row"], e["code"]) for e in job.report["errors"]] == [(2, "ambiguous_sku")]
    assert job.report["forecast"] == {"link": 1, "review": 0, "update": 0}


def test_a_sku_that_a_file_gives_to_several_ids_adopts_none(apply, alpha):
    apply("listings", BY_SKU + "A-1,9.90,3\n", channel=alpha)
    filler = "".join(f"F{n},S-{n},x,1.00,1\n" for n in range(3_000))  # so that they stand in different chunks
    job = apply("listings", WITH_IDS + "L1,A-1,Mug,9.90,3\n" + filler + "L2,A-1,Mug,9.90,3\n", channel=alpha)
    assert (job.created, job.updated) == (3_002, 0)
    assert "listing_id" not in job.report["changes"]


def test_a_listing_with_an_id_of_its_own_keeps_it(apply, alpha):
    apply("listings", WITH_IDS + "A-1,A-1,Mug,9.90,3\n", channel=alpha)  # the channel's own id looks like the SKU
    apply("listings", WITH_IDS + "L2,A-1,Mug,9.90,3\n", channel=alpha)
    assert [row[0] for row in there()] == ["A-1", "L2"]


def test_another_channel_has_nothing_to_do_with_it(apply, alpha, settings):
    with unit_of_work() as session:
        beta = Make(session, settings).channel("Beta").id
    apply("listings", BY_SKU + SHORT, channel=beta)
    assert apply("listings", WITH_IDS + REPORT, channel=alpha).created == 2


def test_a_relisted_one_is_meant_and_not_the_one_that_ended(apply, bring, settings, alpha):
    apply("listings", WITH_IDS + REPORT, channel=alpha)
    job_id = bring("listings", WITH_IDS + "0929AB9,A-1,Mug,9.90,3\n0929AB2,A-2,Cup,8.00,4\n", channel=alpha)
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE, ends=1)
    tasks.run_imports(settings, only=job_id)
    apply("listings", BY_SKU + SHORT, channel=alpha)
    assert there() == [("0929AB1", "A-1", 3), ("0929AB2", "A-2", 4), ("0929AB9", "A-1", 7)]


def test_a_full_list_without_ids_ends_only_what_it_lacks(apply, bring, settings, alpha):
    apply("listings", WITH_IDS + REPORT, channel=alpha)
    job_id = bring("listings", BY_SKU + "A-2,8.00,4\n", channel=alpha)
    assert read(job_id).report["changes"]["gone"] == 1
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE, ends=1)
    tasks.run_imports(settings, only=job_id)
    with unit_of_work(read_only=True) as session:
        ended = session.scalars(select(Listing.external_id).where(Listing.state == ListingState.ENDED))
        assert list(ended) == ["0929AB1"]


def test_two_files_that_were_checked_before_either_was_applied_meet_all_the_same(bring, settings, alpha):
    waiting = [bring("listings", text, channel=alpha) for text in (WITH_IDS + REPORT, BY_SKU + SHORT)]
    for job_id in waiting:
        with unit_of_work() as session:
            imports.confirm(session, job_id, by=COMMAND_LINE)
        tasks.run_imports(settings, only=job_id)
    assert [row[0] for row in there()] == ["0929AB1", "0929AB2"]


def test_skus_that_are_the_same_composed_are_the_same_row_of_a_file_without_ids(bring, alpha):
    job = read(bring("listings", BY_SKU + "CAF\u00c9,1.00,1\nCAFE\u0301,2.00,1\n", channel=alpha))
    found = [(e["row"], e["code"]) for e in job.report["errors"]]
    assert found == [(2, "duplicate_conflict"), (3, "duplicate_conflict")]
