"""The overview: numbers by channel, what needs somebody, and the first visit."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from tests.factories import Make
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.models import Channel, ImportJob, ImportKind, ImportState, Link, Listing, ListingState
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import links, overview, reconciliation


@pytest.fixture
def fill(app, settings):
    """`with fill() as make:` puts things in and commits them."""
    from contextlib import contextmanager

    @contextmanager
    def opened():
        with app.app_context(), unit_of_work() as session:
            yield Make(session, settings)

    return opened


def look(app):
    with app.app_context(), unit_of_work(read_only=True) as session:
        return overview.look(session, now=utc_now())


def needs(app):
    return [(need.what, need.n) for need in look(app).needs]


def test_the_first_visit_asks_for_listings_or_offers_sample_data(browse):
    page = browse("bob").get("/").text
    assert "Import your first listings" in page
    assert 'action="/import/sample"' in page
    assert "Reconciliation by channel" not in page


def test_sample_data_fills_every_screen(browse):
    bob = browse("bob")
    assert bob.post("/import/sample").status_code == 303
    page = bob.get("/").text
    assert "Reconciliation by channel" in page
    assert "Amazon MX" in page
    assert bob.get("/products").text.count("data-row>") > 20


def test_links_by_sku_and_by_hand_are_told_apart(app, fill, bob):
    with fill() as make:
        alpha = make.channel("Alpha")
        for n in range(3):
            make.product(f"S-{n}")
            make.listing(f"S-{n}", channel=alpha)
        reconciliation.reconcile(make.session, alpha, by=bob)
        make.link(channel=alpha)
        make.listing(channel=alpha)
        make.channel("Beta")
    found = {p.channel.name: p for p in look(app).progress}
    alpha = found["Alpha"]
    assert (alpha.by_sku, alpha.by_hand, alpha.waiting, alpha.linked, alpha.listings) == (3, 1, 1, 4, 5)
    assert found["Beta"].listings == 0


def test_the_page_names_the_numbers_of_each_channel(browse, fill):
    with fill() as make:
        make.link(channel=make.channel("Alpha"))
        make.listing(channel=make.channel("Alpha"))
    page = browse("bob").get("/").text
    assert "50.0%" in page
    assert 'aria-label="0 linked by SKU, 1 linked by hand, 1 to review, 0 no match"' in page
    assert "Review 1 listing" in page


def test_what_stops_sending_comes_before_what_waits_for_a_decision(app, browse, fill):
    with fill() as make:
        alpha, beta = make.channel("Alpha"), make.channel("Beta")
        make.listing(channel=alpha)
        refused = make.link(channel=beta)
        refused.problem = "price under the minimum"
        alpha.held = "60 listings would go to zero at once."
        job = ImportJob(kind=ImportKind.LISTINGS, file_name="late.csv", stored_as="x", state=ImportState.FAILED)
        job.message = "Stopped."
        make.session.add(job)
    assert needs(app) == [("held", 0), ("refused", 1), ("failed_import", 0), ("waiting", 1)]
    page = browse("bob").get("/").text
    for words in (
        "60 listings would go to zero at once.",
        "1 listing refused the last update",
        "price under the minimum",
        "The import of late.csv stopped",
    ):
        assert words in page
    assert page.index("Alpha is held") < page.index("1 listing waits for review")


def test_broken_and_paused_channels_need_somebody(app, fill):
    with fill() as make:
        make.channel("Alpha").problem = "The key was refused."
        make.channel("Beta").paused_at = utc_now()
    assert needs(app) == [("broken", 0), ("paused", 0)]


def test_near_misses_and_sure_suggestions_are_counted(app, fill, bob):
    with fill() as make:
        make.product("AB-100", title="Insulated bottle")
        near = make.listing("AB100", title="Insulated bottle")
        reconciliation.reconcile(make.session, None, by=bob)
        near.place = 3
        make.session.flush()
    assert needs(app) == [("near", 1), ("sure", 1), ("waiting", 1)]


def test_more_near_misses_than_are_counted_are_said_to_be_more(app, browse, fill, bob, monkeypatch):
    monkeypatch.setattr(overview, "NEAR_CAP", 2)
    with fill() as make:
        for n in range(4):
            make.product(f"AB-10{n}")
            make.listing(f"AB10{n}")
        reconciliation.reconcile(make.session, None, by=bob)
    page = browse("bob").get("/").text
    assert "2+ SKUs are nearly the same" in page
    assert "4 listings wait for review" in page


def test_waiting_updates_without_a_worker_are_said(app, fill):
    with fill() as make:
        link = make.link(channel=make.channel("Alpha"))
        link.due_at = utc_now() - timedelta(minutes=10)
    assert ("no_worker", 0) in needs(app)


def test_nothing_to_do_is_said_too(browse, fill):
    with fill() as make:
        make.product()
    assert "Nothing needs you" in browse("bob").get("/").text


def test_differences_show_sign_and_size_of_stock_and_price(app, browse, fill):
    with fill() as make:
        product = make.product("A-1", title="Field mug", quantity=10, price="10.00")
        make.link(product, make.listing(quantity=4, price="12.00", currency="USD"))
        same = make.product("A-2", quantity=5, price="3.00")
        make.link(same, make.listing(quantity=5, price="3.00", currency="USD"))
    found = look(app)
    assert sorted((d.aspect, int(d.by)) for d in found.differences) == [("price", 20), ("stock", -6)]
    assert found.differing == 1
    page = browse("bob").get("/").text
    assert "+20%" in page
    assert "-6" in page


def test_a_price_in_another_currency_is_no_difference(app, fill):
    with fill() as make:
        product = make.product("A-1", quantity=4, price="10.00")
        make.link(product, make.listing(quantity=4, price="180.00", currency="MXN"))
    assert look(app).differences == []


def test_the_last_decisions_are_the_newest_first(app, browse, fill):
    with fill() as make:
        link = make.link(make.product(), make.listing(title="Blue mug"))
        links.unlink(make.session, [link.listing_id], by=COMMAND_LINE)
    acts = look(app).acts
    assert [act.batch.verb.value for act in acts] == ["unlink", "link"]
    page = browse("bob").get("/").text
    assert page.index("Unlinked") < page.rindex("Linked</span>")


def test_the_page_takes_few_queries_however_much_there_is(app, browse, fill):
    with fill() as make:
        for n in range(30):
            make.product(f"S-{n}")
            make.listing(f"S-{n}", channel=make.channel("Alpha"))
            make.listing(channel=make.channel("Beta"))
        reconciliation.reconcile(make.session, None, by=COMMAND_LINE)
    bob, said = browse("bob"), []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    assert bob.get("/").status_code == 200
    assert len(said) <= 24


def test_every_page_has_one_heading_and_no_style_of_its_own(browse, fill):
    with fill() as make:
        make.link(make.product(quantity=3), make.listing(quantity=7))
    page = browse("charlie").get("/").text
    assert page.count("<h1") == 1
    assert "<title>Overview" in page
    assert " style=" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "Import listings" not in page


def test_a_stranger_is_sent_to_sign_in(app, browse):
    assert browse().get("/").location.startswith("/login")
    with app.app_context(), unit_of_work(read_only=True) as session:
        for table in (Channel, Link, Listing):
            assert session.scalar(select(table.id)) is None


def test_the_time_to_reach_the_channel_is_drawn_and_told_in_words(app, settings, browse):
    with app.app_context():
        with unit_of_work() as session:
            Make(session, settings).link()
        tasks.propagate(settings)
    page = browse("charlie").get("/").text
    assert "Time to reach the channel" in page
    assert re.search(r'role="img" aria-label="1 update reached its channel within [^"]+Slowest: Alpha, ', page)
    assert "Last syncs" not in page


def test_each_number_leads_to_its_rows(browse, fill, bob):
    with fill() as make:
        for name in ("Alpha", "Beta"):
            make.link(channel=make.channel(name))
        gone = make.listing(channel=make.channel("Alpha"))
        links.set_aside(make.session, [gone.id], ListingState.NO_MATCH, by=bob)
    browser = browse("bob")
    page = browser.get("/").text
    assert re.search(r'class="big"><a class="link" href="/pairs">2<', page)
    assert re.search(r'href="/pairs\?channel=Beta">100', page)
    addresses = re.findall(r'href="(/review\?[^"]*state=none[^"]*)">1<', page)
    assert len(addresses) == 2, "the total, which one channel has alone, and its row"
    for address in addresses:
        assert gone.title in browser.get(address.replace("&amp;", "&")).text
