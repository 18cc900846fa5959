"""What changed since the last file: gone, renamed, repriced and retitled rows are counted and named."""

from __future__ import annotations

import random

from sqlalchemy import select

from tests.factories import Make
from tests.services.imports.conftest import read
from webapp.db import unit_of_work
from webapp.models import Link, Listing, Product
from webapp.services import file_changes

HEAD = "listing id,sku,title,price,quantity\n"
BEFORE = "L1,A-1,Mug,9.50,3\nL2,A-2,Cup,8.00,4\nL3,A-3,Jug,7.00,5\n"


def numbers(job):
    return {name: n for name, n in job.report["changes"].items() if name != "shown"}


def test_a_first_file_changes_nothing(apply, alpha):
    assert apply("listings", HEAD + BEFORE, channel=alpha).report["changes"] == {}


def test_the_same_file_again_has_no_changes(apply, alpha):
    apply("listings", HEAD + BEFORE, channel=alpha)
    assert numbers(apply("listings", HEAD + BEFORE, channel=alpha)) == {"known": 3}


def test_each_kind_of_change_is_counted_and_named_with_before_and_after(apply, bring, alpha):
    apply("listings", HEAD + BEFORE, channel=alpha)
    text = HEAD + "L1,A-9,Mug,9.5,3\nL2,A-2,Big cup,8.25,\nL4,A-4,New,1.00,1\n"
    changes = read(bring("listings", text, channel=alpha)).report["changes"]
    shown = changes.pop("shown")
    assert changes == {"known": 2, "gone": 1, "sku": 1, "price": 1, "title": 1}
    assert [(r["row"], r["key"], r["before"], r["after"], r["linked"]) for r in shown["sku"]] == [
        (2, "L1", "A-1", "A-9", "A-1")
    ]
    assert [(r["before"], r["after"]) for r in shown["price"]] == [("8.00", "8.25")]
    assert [(r["before"], r["after"]) for r in shown["title"]] == [("Cup", "Big cup")]
    assert [(r["key"], r["before"]) for r in shown["gone"]] == [("L3", "Jug")]


def test_a_renamed_sku_keeps_its_link(apply, alpha):
    apply("listings", HEAD + BEFORE, channel=alpha)
    with unit_of_work(read_only=True) as session:
        before = set(session.execute(select(Link.id, Link.listing_id, Link.product_id)).all())
    apply("listings", HEAD + "L1,A-2,Mug,9.50,3\n", channel=alpha)
    with unit_of_work(read_only=True) as session:
        assert set(session.execute(select(Link.id, Link.listing_id, Link.product_id)).all()) == before
        assert session.scalar(select(Listing.sku).where(Listing.external_id == "L1")) == "A-2"


def test_only_the_channels_of_the_file_can_miss_listings(apply, bring, settings, alpha):
    with unit_of_work() as session:
        beta = Make(session, settings).channel("Beta").id
    apply("listings", HEAD + BEFORE, channel=alpha)
    apply("listings", HEAD + BEFORE, channel=beta)
    job = read(bring("listings", "channel,listing id,sku\nBeta,L1,A-1\n"))
    assert numbers(job) == {"known": 1, "gone": 2}


def test_products_are_compared_by_sku(apply, bring, context):
    apply("products", "sku,title,price\nA-1,Mug,9.50\nA-2,Cup,8\n")
    job = read(bring("products", "sku,title,price\nA-1,Mug,12.00\nA-3,Jug,1\n"))
    assert numbers(job) == {"known": 1, "gone": 1, "price": 1}
    assert job.report["changes"]["shown"]["price"][0]["after"] == "12.00"
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(Product.price).where(Product.sku == "A-1")) == 9.5


def test_many_changes_are_counted_and_some_are_named(apply, bring, alpha):
    rows = [(f"L{n}", f"S-{n}", n) for n in range(300)]
    random.Random(3).shuffle(rows)
    apply("listings", HEAD + "".join(f"{i},{sku},Mug,{n}.00,1\n" for i, sku, n in rows), channel=alpha)
    text = HEAD + "".join(f"{i},{sku},Mug,{n}.50,1\n" for i, sku, n in rows if n >= 100)
    changes = read(bring("listings", text, channel=alpha)).report["changes"]
    assert (changes["gone"], changes["price"]) == (100, 200)
    assert [len(changes["shown"][kind]) for kind in ("gone", "price")] == [file_changes.MOST_SHOWN] * 2
    assert {row["key"] for row in changes["shown"]["gone"]} <= {f"L{n}" for n in range(100)}
