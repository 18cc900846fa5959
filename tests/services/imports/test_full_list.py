"""A file that is the full list: what it lacks ends when its number was agreed to, and comes back by an undo."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.factories import Make
from tests.services.imports.conftest import read, take_back
from webapp.db import unit_of_work
from webapp.errors import Conflict, Refused
from webapp.jobs import tasks
from webapp.models import ImportState, Link, Listing, ListingState, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.services import counts, full_list, imports

HEAD = "listing id,sku,title\n"
ROWS = "".join(f"L{n},A-{n},Mug {n}\n" for n in range(8))


@pytest.fixture
def alpha(apply, context, settings):
    """Eight listings on a channel, the first four of them linked; gives the channel's id."""
    with unit_of_work() as session:
        make = Make(session, settings)
        for n in range(4):
            make.product(f"A-{n}")
        channel = make.channel("Alpha").id
    apply("listings", HEAD + ROWS, channel=channel)
    return channel


def run(job_id, settings, ends):
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE, ends=ends)
    tasks.run_imports(settings, only=job_id)
    return read(job_id)


def states(channel):
    with unit_of_work(read_only=True) as session:
        found = dict(session.execute(select(Listing.external_id, Listing.state).order_by(Listing.id)).all())
        kept = counts.of_channel(session, channel)
        assert {s: n for s, n in kept.items() if n} == {s: list(found.values()).count(s) for s in set(found.values())}
        return found


def linked():
    with unit_of_work(read_only=True) as session:
        query = select(Listing.external_id).join(Link, Link.listing_id == Listing.id).order_by(Listing.external_id)
        return list(session.scalars(query))


def test_without_saying_so_nothing_ends(bring, settings, alpha):
    before = states(alpha)
    job_id = bring("listings", HEAD + "L0,A-0,Mug 0\n", channel=alpha)
    assert full_list.missing(read(job_id)) == 7
    assert run(job_id, settings, None).state is ImportState.DONE
    assert states(alpha) == before


@pytest.mark.parametrize("wrong", [0, 6, 8, -1])
def test_another_number_than_is_missing_is_refused_and_nothing_begins(bring, settings, alpha, wrong):
    job_id = bring("listings", HEAD + "L0,A-0,Mug 0\n", channel=alpha)
    with pytest.raises(Conflict, match="7 known rows are not in this file"):
        run(job_id, settings, wrong)
    assert read(job_id).state is ImportState.CHECKED
    assert len(linked()) == 4


@pytest.mark.usefixtures("both_ways")
def test_missing_listings_end_with_their_links_and_come_back_by_the_undo(bring, settings, alpha):
    before = states(alpha)
    job = run(bring("listings", HEAD + "L0,A-0,Mug 0\nL7,A-7,Mug 7\n", channel=alpha), settings, 6)
    assert job.report["ended"] == 6
    assert linked() == ["L0"]
    assert [name for name, state in states(alpha).items() if state is not ListingState.ENDED] == ["L0", "L7"]
    numbers = take_back(job)
    assert numbers["restored"] == 6
    assert linked() == ["L0", "L1", "L2", "L3"]
    assert states(alpha) == before


def test_a_listing_that_is_in_a_later_file_again_waits_for_a_decision(apply, bring, settings, alpha):
    run(bring("listings", HEAD + "L0,A-0,Mug 0\n", channel=alpha), settings, 7)
    job = apply("listings", HEAD + "L0,A-0,Mug 0\nL1,A-1,Mug 1\nL5,A-5,Mug 5\n", channel=alpha, reconcile=False)
    assert (job.created, job.unchanged) == (0, 3)
    assert "gone" not in job.report["changes"]  # what has ended is not missed again
    found = states(alpha)
    assert {found[name] for name in ("L1", "L5")} == {ListingState.PENDING}
    assert found["L2"] is ListingState.ENDED


def test_when_more_is_missing_by_now_nothing_ends(bring, settings, alpha):
    job_id = bring("listings", HEAD + ROWS.replace("L7,A-7,Mug 7\n", ""), channel=alpha)
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE, ends=1)
        Make(session, settings).listing("B-1", channel=Make(session, settings).channel("Alpha"), listing_id="L99")
    tasks.run_imports(settings, only=job_id)
    job = read(job_id)
    assert (job.state, job.report.get("ended", 0)) == (ImportState.DONE, 0)
    assert "None of them was ended" in full_list.words_for_done(job)
    assert ListingState.ENDED not in states(alpha).values()


def test_missing_products_leave_the_catalogue_and_come_back_with_their_links(bring, settings, alpha):
    job = run(bring("products", "sku,title\nA-0,Mug 0\nB-1,New\n"), settings, 3)
    live = select(Product.sku).where(Product.retired_at.is_(None)).order_by(Product.sku)
    with unit_of_work(read_only=True) as session:
        assert list(session.scalars(live)) == ["A-0", "B-1"]
    assert (job.report["ended"], linked()) == (3, ["L0"])
    take_back(job)
    with unit_of_work(read_only=True) as session:
        assert list(session.scalars(live)) == ["A-0", "A-1", "A-2", "A-3"]
        assert session.scalar(select(func.count()).select_from(Link)) == 4


def test_a_stock_file_is_never_the_full_list(bring, settings, alpha):
    job_id = bring("stock", "sku,quantity\nA-0,5\n")
    with pytest.raises(Refused, match="Only a file of listings or products"):
        run(job_id, settings, 3)
