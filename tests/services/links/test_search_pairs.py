"""Pairs found by a text: by the beginning of a SKU or a listing id, by a GTIN, else by words."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from webapp.models import Link, LinkSource
from webapp.models.base import utc_now
from webapp.services import links, pairs
from webapp.services.pair_sorts import Sort
from webapp.services.pairs import Filter
from webapp.services.retrieval import CatalogueIndex


@pytest.fixture
def search(session):
    """`search(text)` gives the SKUs of the pairs that a text finds, newest first; more words narrow it."""

    def found(text, **more):
        filters = Filter(text=text, **more)
        ids, further = pairs.find(session, filters, CatalogueIndex())
        filters = Filter(text=text, found=ids, more=further, **more)
        shown = [row.product.sku for row in pairs.page(session, filters).rows]
        assert pairs.count(session, filters) == len(shown)
        return shown

    return found


@pytest.fixture
def shop(session, make):
    alpha, beta = make.channel("Alpha"), make.channel("Beta")
    lamp = make.product("LAMP-10", title="Desk lamp", gtin="4006381333931")
    make.link(lamp, make.listing("LAMP-10", channel=alpha, listing_id="B0-1"))
    make.link(lamp, make.listing("other", channel=beta, listing_id="B0-2"))
    make.link(make.product("LAMP-20", title="Floor lamp"), make.listing(channel=alpha, listing_id="X-1"))
    make.link(make.product("MUG-1", title="Mug"), make.listing("SELLER-7", channel=alpha, listing_id="X-2"))
    make.product("LAMP-30", title="Desk lamp that is linked nowhere")
    return {"alpha": alpha, "beta": beta}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LAMP", ["LAMP-20", "LAMP-10", "LAMP-10"]),
        ("lamp1", ["LAMP-10", "LAMP-10"]),
        ("LAMP-20", ["LAMP-20"]),
        ("4006381333931", ["LAMP-10", "LAMP-10"]),
        ("B0-", ["LAMP-10", "LAMP-10"]),
        ("X-2", ["MUG-1"]),
        ("SELLER", ["MUG-1"]),
        ("desk lamp", ["LAMP-10", "LAMP-10"]),
        ("mug", ["MUG-1"]),
        ("xqzw", []),
        ("", ["MUG-1", "LAMP-20", "LAMP-10", "LAMP-10"]),
    ],
)
def test_a_text_means_codes_first_and_words_where_there_is_none(search, shop, text, expected):
    assert search(text) == expected


def test_other_filters_narrow_what_a_text_finds(search, shop):
    assert search("LAMP", channel=shop["beta"]) == ["LAMP-10"]
    assert search("LAMP", by=LinkSource.SKU) == []
    assert search("LAMP", auto=True) == ["LAMP-20", "LAMP-10", "LAMP-10"]
    assert search("LAMP", sort=Sort.OLDEST) == ["LAMP-10", "LAMP-10", "LAMP-20"]


@pytest.mark.parametrize("oldest", [False, True])
def test_pages_of_what_a_text_finds_hold_every_pair_once_in_both_directions(session, make, monkeypatch, oldest):
    monkeypatch.setattr(pairs, "PAGE", 2)
    for n in range(5):
        make.link(make.product(f"LAMP-{n}"))
        make.link(make.product(f"MUG-{n}"))
    ids, _ = pairs.find(session, Filter(text="LAMP"), CatalogueIndex())
    filters = Filter(text="LAMP", found=ids, sort=Sort.OLDEST if oldest else Sort.NEWEST)
    page = pairs.page(session, filters)
    seen = [row.link.id for row in page.rows]
    assert not page.before
    while page.after:
        page = pairs.page(session, filters, after=page.after)
        seen += [row.link.id for row in page.rows]
    assert seen == sorted(ids, reverse=not oldest)
    back = [row.link.id for row in page.rows]
    while page.before:
        page = pairs.page(session, filters, before=page.before)
        back = [*(row.link.id for row in page.rows), *back]
    assert back == seen


def test_it_is_said_when_a_text_finds_more_than_is_looked_at(session, make, monkeypatch):
    monkeypatch.setattr(pairs, "NAMES", 2)
    for n in range(3):
        make.link(make.product(f"LAMP-{n}"))
    assert pairs.find(session, Filter(text="LAMP-"), CatalogueIndex())[1]
    assert not pairs.find(session, Filter(text="LAMP-1"), CatalogueIndex())[1]


@pytest.mark.parametrize("channel", [True, False])
@pytest.mark.parametrize("sort", [Sort.SCORE, Sort.NEVER, Sort.NEWEST])
def test_each_order_holds_every_pair_that_has_a_place_in_it_once(session, make, bob, monkeypatch, sort, channel):
    monkeypatch.setattr(pairs, "PAGE", 2)
    made = []
    for n in range(9):
        listing = make.listing(channel=make.channel("Beta" if n % 2 and not channel else "Alpha"))
        pair = links.Pair(listing.id, make.product().id, score=(n * 37) % 50 if n % 3 else None)
        links.confirm(session, [pair], by=bob)
        made.append(session.scalars(select(Link).where(Link.listing_id == listing.id)).one())
    for link in made[:4]:
        link.told_at = utc_now()
    session.flush()
    filters = Filter(channel=make.channel("Alpha") if channel else None, sort=sort)
    page = pairs.page(session, filters)
    seen = [row.link for row in page.rows]
    while page.after:
        page = pairs.page(session, filters, after=page.after)
        seen += [row.link for row in page.rows]
    expected = {
        Sort.SCORE: sorted((x for x in made if x.score is not None), key=lambda x: (x.score, x.id)),
        Sort.NEVER: made[:3:-1],
        Sort.NEWEST: made[::-1],
    }[sort]
    assert [x.id for x in seen] == [x.id for x in expected]
    assert pairs.count(session, filters) == len(seen)
    back = [row.link for row in page.rows]
    while page.before:
        page = pairs.page(session, filters, before=page.before)
        back = [*(row.link for row in page.rows), *back]
    assert [x.id for x in back] == [x.id for x in expected]


@pytest.mark.parametrize("cursor", ["", "x", "1.2.3", "-1", "9" * 30, "1"])
def test_a_place_that_is_none_begins_at_the_first_page(session, make, cursor):
    link = make.link()
    link.score = 50
    session.flush()
    assert len(pairs.page(session, Filter(sort=Sort.SCORE), after=cursor).rows) == 1
    assert len(pairs.page(session, Filter(sort=Sort.SCORE), before=cursor).rows) == 1
