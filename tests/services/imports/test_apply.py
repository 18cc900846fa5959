"""Applying a file: once, in order, to the end, and back again."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from importers import block_rows
from tests.factories import Make
from tests.services.imports.conftest import NOTHING_NEWER, read, take_back
from webapp.db import unit_of_work
from webapp.errors import Conflict, NotFound, Refused
from webapp.jobs import importing, pace, tasks
from webapp.models import (
    ImportChange,
    ImportKind,
    ImportState,
    Link,
    LinkBatch,
    Listing,
    ListingState,
    Product,
    ProductWords,
)
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import counts, import_undo, imports, reconciliation, stock, words

PRODUCTS = "sku,title,price,quantity\nA-1,Blue mug,9.50,3\nA-2,Red mug,19.90,0\n"


def number(table, *which):
    with unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(table).where(*which))


def product(sku):
    with unit_of_work(read_only=True) as session:
        return session.scalars(select(Product).where(Product.sku == sku)).one()


def test_a_product_file_makes_products_with_stock_and_price(apply):
    job = apply("products", PRODUCTS)
    assert (job.state, job.created, job.updated, job.unchanged) == (ImportState.DONE, 2, 0, 0)
    mug = product("A-1")
    assert (mug.title, mug.price, mug.available) == ("Blue mug", Decimal("9.5"), 3)


def test_the_same_file_again_changes_nothing(apply):
    apply("products", PRODUCTS)
    before = product("A-1")
    job = apply("products", PRODUCTS)
    assert (job.created, job.updated, job.unchanged) == (0, 0, 2)
    after = product("A-1")
    assert (after.version, after.changed_at) == (before.version, before.changed_at)


def test_columns_that_a_file_lacks_are_left_alone(apply):
    apply("products", PRODUCTS)
    apply("products", "sku,title\nA-1,Mug in blue\n")
    mug = product("A-1")
    assert (mug.title, mug.price, mug.available) == ("Mug in blue", Decimal("9.5"), 3)


def test_an_import_begins_once(bring):
    job_id = bring("products", PRODUCTS)
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)
    with pytest.raises(Conflict, match="begun"), unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)


def test_a_refused_file_never_begins(bring):
    job_id = bring("products", "sku,title\n")
    assert read(job_id).state is ImportState.REFUSED
    with pytest.raises(Conflict, match="refused"), unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)


def test_an_unknown_import_is_named(session):
    with pytest.raises(NotFound, match="no import 77"):
        imports.get(session, 77)


def test_all_or_nothing_refuses_a_file_with_one_bad_row(context, settings):
    (settings.uploads / "f").write_text("sku,price\nA-1,9\nA-2,x\n", encoding="utf-8")
    with unit_of_work() as session:
        job = imports.receive(session, ImportKind.PRODUCTS, "f.csv", "f", by=COMMAND_LINE)
    assert tasks.check_import(settings, job.id, all_or_nothing=True).state is ImportState.REFUSED


@pytest.mark.parametrize("died_after", [0, 1, 3, 6, 7])
def test_a_dead_worker_is_followed_by_one_that_goes_on_where_it_stopped(bring, settings, monkeypatch, died_after):
    monkeypatch.setattr(imports, "CHUNKS", dict.fromkeys(ImportKind, 1))
    monkeypatch.setattr(block_rows, "BLOCK", 1)
    monkeypatch.setattr(block_rows, "PULLED", 1)
    rows = "".join(f"A-{n},Mug {n},{n}.50\n" for n in range(7))
    job_id = bring("products", "sku,title,price\n" + rows)
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE, reconcile=False)
    with unit_of_work() as session:
        job = imports.claim_next(session, worker="first", now=utc_now())
    staged = [block for block, _ in imports.staged_blocks(settings.uploads, job)]
    assert [len(block) for block in staged] == [1] * 7
    for block in staged[:died_after]:
        with unit_of_work() as session:
            imports.apply_chunk(session, job, block, by=COMMAND_LINE, now=utc_now())
    later = utc_now() + timedelta(minutes=5)
    with unit_of_work() as session:
        assert imports.claim_next(session, worker="second", now=utc_now()) is None
        again = imports.claim_next(session, worker="second", now=later)
    if died_after < 7:
        with pytest.raises(Conflict, match="taken this import over"), unit_of_work() as session:
            imports.apply_chunk(session, job, staged[-1], by=COMMAND_LINE, now=later)
    rest = [block for block, _ in imports.staged_blocks(settings.uploads, again)]
    assert [block.numbers for block in rest] == [block.numbers for block in staged[died_after:]]
    importing.apply(settings, again, None)
    done = read(job_id)
    assert (done.state, done.created, number(Product)) == (ImportState.DONE, 7, 7)


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 9])
def test_known_listings_are_met_wherever_they_stand_in_the_file(apply, settings, context, monkeypatch, chunk):
    monkeypatch.setattr(imports, "CHUNKS", dict.fromkeys(ImportKind, chunk))
    for name in ("BLOCK", "PULLED"):
        monkeypatch.setattr(block_rows, name, chunk)
    with unit_of_work() as session:
        channel = Make(session, settings).channel("Alpha").id
    apply("listings", "listing id,title\nL4,Old\nL6,Mug\n", channel=channel)
    rows = "".join(f"L{n},Mug\n" for n in range(8))
    job = apply("listings", "listing id,title\n" + rows, channel=channel)
    assert (job.created, job.updated, job.unchanged) == (6, 1, 1)
    with unit_of_work(read_only=True) as session:
        assert dict(session.execute(select(Listing.external_id, Listing.title)).all()) == {
            f"L{n}": "Mug" for n in range(8)
        }
        assert counts.of_channel(session, channel)[ListingState.PENDING] == 8
    numbers = take_back(job)
    assert (numbers["removed"], numbers["restored"]) == (6, 1)


class Dead(Exception):
    """What stands for kill -9: the transaction under way is lost, and nobody clears up."""


@pytest.mark.parametrize("kind", ["listings", "products"])
def test_wherever_a_worker_dies_the_next_one_ends_the_import(bring, settings, context, monkeypatch, kind):
    monkeypatch.setattr(reconciliation, "STEP", 30)
    monkeypatch.setattr(imports, "CHUNKS", dict.fromkeys(ImportKind, 2))
    for name in ("BLOCK", "PULLED"):
        monkeypatch.setattr(block_rows, name, 2)
    with unit_of_work() as session:
        alpha = Make(session, settings).channel("Alpha").id
    first = "products" if kind == "listings" else "listings"
    died, deaths = True, 0
    while died:
        text = {
            "listings": "listing id,sku\n" + "".join(f"L{deaths}-{n},S{deaths}-{n}\n" for n in range(3)),
            "products": "sku,title\n" + "".join(f"S{deaths}-{n},Mug\n" for n in range(3)),
        }
        channel = {"listings": alpha, "products": None}
        run(bring(first, text[first], channel=channel[first]), settings, reconcile=False)
        job_id = bring(kind, text[kind], channel=channel[kind])
        died = run(job_id, settings, dies_after=deaths)
        run(job_id, settings, later=True)
        done = read(job_id)
        assert (done.state, done.created, done.report["linked"]) == (ImportState.DONE, 3, 3)
        with unit_of_work(read_only=True) as session:
            mine = select(Link.batch_id).join(Listing).where(Listing.external_id.startswith(f"L{deaths}-"))
            assert list(session.scalars(mine)) == [done.batch_id] * 3
            assert session.get_one(LinkBatch, done.batch_id).changed == 3
            assert counts.of_channel(session, alpha)[ListingState.LINKED] == 3 * (deaths + 1)
        deaths += 1
    assert deaths > 7


def run(job_id, settings, *, reconcile=True, dies_after=None, later=False):
    """Work on an import as a worker that dies in its n-th transaction, or the one after it; gives whether it died."""
    now = utc_now() + timedelta(minutes=5 if later else 0)
    with unit_of_work() as session:
        if read(job_id).state is ImportState.CHECKED:
            imports.confirm(session, job_id, by=COMMAND_LINE, reconcile=reconcile)
        job = imports.claim_next(session, worker=f"worker {now}", now=now, job_id=job_id)
    left = itertools.count(dies_after if dies_after is not None else 10_000, -1)

    @contextmanager
    def mortal(**options):
        with unit_of_work(**options) as session:
            yield session
            if not next(left):
                raise Dead

    with pytest.MonkeyPatch.context() as patch:
        for module in (importing, pace):
            patch.setattr(module, "unit_of_work", mortal)
        try:
            if job is not None:
                importing.apply(settings, job, None)
        except Dead:
            return True
    return False


def test_an_import_that_kills_its_workers_is_given_up_and_says_where(bring):
    job_id = bring("products", PRODUCTS)
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)
    for n in range(imports.MOST_TRIES + 1):
        with unit_of_work() as session:
            found = imports.claim_next(session, worker=f"w{n}", now=utc_now() + timedelta(minutes=5 * n))
    assert found is None
    job = read(job_id)
    assert job.state is ImportState.FAILED
    assert "Three workers stopped" in job.message


def test_products_of_a_file_are_found_by_the_words_that_they_have_by_hand(apply, settings):
    head = "sku,title,brand,mpn,option1 name,option1 value,price\n"
    rows = [
        "DSC-W120,Cámara “Réflex” 12 MP,Sony,W-120/B,Color,Azul marino,9.50",
        "00123,日本の茶碗,,,,,1.00",
        "N-1,,,,,,2.00",
    ]
    apply("products", head + rows[0] + "\n")
    apply("products", head + "\n".join(rows).replace("12 MP", "14 MP") + "\n")  # one is known, and called otherwise
    columns = [getattr(Product, name) for name in ("id", *words.FIELDS)]
    with unit_of_work(read_only=True) as session:
        kept = dict(session.execute(select(ProductWords.product_id, ProductWords.words)).all())
        facts = session.execute(select(*columns)).mappings()
        assert kept == {each["id"]: words.words_of(dict(each)) for each in facts}
        sku = select(Product.sku)
        for asked, found in (("camara 14", "DSC-W120"), ("azul w120", "DSC-W120"), ("茶碗", "00123"), ("n-1", "N-1")):
            assert [session.scalar(sku.where(Product.id == i)) for i in words.find(session, asked, limit=9)] == [found]
        assert words.find(session, "12 MP", limit=9) == []


@pytest.mark.usefixtures("both_ways")
def test_undo_removes_what_was_new_and_restores_what_was_changed(apply, context):
    apply("products", PRODUCTS)
    job = apply("products", "sku,title\nA-1,Other name\nA-3,Third\n")
    numbers = take_back(job)
    assert numbers == {"removed": 1, "restored": 1, "unlinked": 0, "kept": 0, **NOTHING_NEWER}
    assert product("A-1").title == "Blue mug"
    assert number(Product, Product.retired_at.is_(None)) == 2


@pytest.mark.usefixtures("both_ways")
def test_undo_gives_prices_and_stock_back_and_tells_the_channels(apply, settings, context):
    apply("products", PRODUCTS)
    with unit_of_work() as session:
        Make(session, settings).link(session.scalars(select(Product).where(Product.sku == "A-1")).one())
    job = apply("products", "sku,price,quantity,warehouse\nA-1,12.00,8,Main\nA-2,19.90,5,Outlet\n", reconcile=False)
    version = product("A-1").version
    with unit_of_work() as session:
        session.scalars(select(Link)).one().want_stock = False
    assert take_back(job)["restored"] == 2
    mug = product("A-1")
    assert (mug.price, mug.available, product("A-2").available) == (Decimal("9.5"), 3, 0)
    assert mug.version > version
    assert number(Link, Link.want_stock) == 1


@pytest.mark.usefixtures("both_ways")
def test_undo_leaves_a_price_that_somebody_set_since(apply):
    apply("products", PRODUCTS)
    job = apply("products", "sku,price\nA-1,12.00\n")
    with unit_of_work() as session:
        mug = session.scalars(select(Product).where(Product.sku == "A-1")).one()
        stock.set_prices(session, [(mug.id, Decimal(15))], by=COMMAND_LINE)
    assert take_back(job)["restored"] == 0
    assert product("A-1").price == 15


@pytest.mark.usefixtures("both_ways")
def test_undo_gives_a_listing_its_price_back(apply, settings, context):
    with unit_of_work() as session:
        channel = Make(session, settings).channel("Alpha").id
    apply("listings", "listing id,title,price\nL1,Mug,9.50\n", channel=channel)
    job = apply("listings", "listing id,title,price\nL1,Mug,12.00\n", channel=channel)
    take_back(job)
    with unit_of_work(read_only=True) as session:
        assert session.scalars(select(Listing.price)).one() == Decimal("9.5")


@pytest.mark.usefixtures("both_ways")
def test_undo_leaves_what_somebody_changed_since(apply):
    apply("products", PRODUCTS)
    job = apply("products", "sku,title\nA-1,Other name\n")
    with unit_of_work() as session:
        session.scalars(select(Product).where(Product.sku == "A-1")).one().title = "By hand"
    assert take_back(job)["restored"] == 0
    assert product("A-1").title == "By hand"


@pytest.mark.usefixtures("both_ways")
def test_undo_of_listings_takes_their_links_back_and_keeps_what_is_linked_since(apply, settings, context):
    with unit_of_work() as session:
        make = Make(session, settings)
        make.product("A-1")
        other = make.product("B-1").id
        channel = make.channel("Alpha").id
    job = apply("listings", "listing id,sku\nL1,A-1\nL2,\n", channel=channel)
    assert number(Link) == 1
    with unit_of_work() as session:
        make = Make(session, settings)
        second = session.scalars(select(Listing).where(Listing.external_id == "L2")).one()
        make.link(session.get_one(Product, other), second)
    numbers = take_back(job)
    assert numbers["unlinked"] == 1
    assert numbers["kept"] >= 1
    assert number(Link) == 1
    assert number(Listing, Listing.external_id == "L2") == 1


def test_an_import_is_taken_back_once(apply):
    job = apply("products", PRODUCTS)
    take_back(job)
    with pytest.raises(Conflict, match="taken back already"):
        take_back(job)


def test_a_stock_file_is_taken_back_where_nobody_counted_since(apply, settings):
    apply("products", PRODUCTS)
    with unit_of_work() as session:
        Make(session, settings).link(session.scalars(select(Product).where(Product.sku == "A-1")).one())
    job = apply("stock", "sku,quantity,price,warehouse\nA-1,9,12.00,Main\nA-1,4,,Outlet\nA-2,7,,Main\n")
    assert (product("A-1").available, product("A-1").price, product("A-2").available) == (13, 12, 7)
    with unit_of_work() as session:
        session.scalars(select(Link)).one().want_stock = False
        red = session.scalars(select(Product).where(Product.sku == "A-2")).one()
        stock.set_levels(session, [stock.Level(red.id, 6)], stock.warehouse(session), by=COMMAND_LINE)
    numbers = take_back(job)
    assert numbers == {"removed": 0, "restored": 1, "unlinked": 0, "kept": 0, **NOTHING_NEWER}
    mug = product("A-1")
    assert (mug.available, mug.price, product("A-2").available) == (3, Decimal("9.5"), 6)
    assert number(Link, Link.want_stock) == 1, "the channel is not told"
    assert read(job.id).state is ImportState.UNDONE


def test_what_a_file_says_twice_goes_back_to_what_was_before_it(apply):
    apply("products", PRODUCTS)
    with unit_of_work(read_only=True) as session:
        mug = session.scalars(select(Product.id).where(Product.sku == "A-1")).one()
    job = apply("stock", "sku,quantity\nA-2,1\n")
    with unit_of_work() as session:  # as two chunks of one file leave it
        for before, after in ((3, 5), (5, 7)):
            change = {
                "import_id": job.id,
                "row_id": mug,
                "before": {"stock:Main": before},
                "after": {"stock:Main": after},
            }
            session.execute(insert(ImportChange), [change])
            stock.set_levels(session, [stock.Level(mug, after)], stock.warehouse(session), by=COMMAND_LINE)
    take_back(job)
    assert (product("A-1").available, product("A-2").available) == (3, 0)


@pytest.mark.parametrize(("days", "goes"), [(29, True), (31, False)])
def test_an_import_can_be_taken_back_for_thirty_days(apply, days, goes):
    apply("products", PRODUCTS)
    job = apply("stock", "sku,quantity\nA-1,9\n")
    later = utc_now() + timedelta(days=days)
    assert import_undo.undoable(job, now=later) is goes
    if goes:
        take_back(job, now=later)
    else:
        with pytest.raises(Refused, match="more than 30 days old"):
            take_back(job, now=later)
    assert product("A-1").available == (3 if goes else 9)


UNSEEN = ("Cs", "Cc", "Cf", "Zl", "Zp", "Zs")  # what trimming and line ends may rightly change
names = st.text(st.characters(codec="utf-8", exclude_categories=UNSEEN), min_size=1, max_size=12)


@given(titles=st.lists(names, min_size=1, max_size=6))
@hypothesis_settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_text_arrives_as_it_was_written(apply, titles):
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(["sku", "title"])
    writer.writerows((f"T-{n}", title) for n, title in enumerate(titles))
    job = apply("products", stream.getvalue(), reconcile=False)
    assert job.rows_ok == len(titles)
    for n, title in enumerate(titles):
        assert product(f"T-{n}").title == title
