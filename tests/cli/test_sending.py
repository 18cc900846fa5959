"""Stock, price, plan, sync and drain keep the promises of the command line; the channel is a real server."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from tests.cli.conftest import Shell
from tests.stub_channel import StubChannel
from webapp import create_app
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.models import AuditEntry, Link, SendMode
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, links, propagation, stock

SECRET = "whsec_" + "c3R1YiBzZWNyZXQg" * 2
ROUNDS = 50


@pytest.fixture
def stub() -> Iterator[StubChannel]:
    with StubChannel(secret=SECRET) as server:
        yield server


@pytest.fixture
def hooked(shell: Shell, stub: StubChannel) -> Shell:
    """An instance with the webhook channel “Hook”, sent to by hand, and the linked listings L1 to L3."""
    shell("channel", "add", "Hook", "--kind", "webhook", "--option", f"url={stub.url}", "--option", f"secret={SECRET}")
    with shell.inside() as (session, make):
        hook = make.manual(channels.get(session, "Hook"))
        for n in (1, 2, 3):
            product = make.product(f"A-{n}", quantity=n, price="9.90")
            make.link(product, make.listing(f"A-{n}", channel=hook, listing_id=f"L{n}"))
    return shell


def test_a_plan_shows_old_and_new_and_sends_nothing(hooked, stub):
    made = hooked.json("plan", "--channel", "Hook")
    assert [(c["listing_id"], c["sku"], c["aspect"], c["old"], c["new"]) for c in made["changes"]] == [
        (f"L{n}", f"A-{n}", "stock", None, n) for n in (1, 2, 3)
    ]
    assert made["held"] == []
    priced = hooked.json("plan", "--channel", "Hook", "--price", "--sku", "A-2")
    assert [(c["aspect"], c["new"]) for c in priced["changes"]] == [("price", "9.90")]
    assert stub.arrivals == []


def test_sync_sends_stock_only_and_then_has_nothing_to_say(hooked, stub):
    done = hooked.json("sync", "--channel", "Hook")
    assert [done[k] for k in ("sent", "unchanged", "failed", "held", "fenced")] == [3, 0, 0, 0, 0]
    assert done["run"] > 0
    assert {i: s.quantity for i, s in stub.shown.items()} == {"L1": 1, "L2": 2, "L3": 3}
    assert {s.price for s in stub.shown.values()} == {None}
    assert all(a.signature_ok for a in stub.arrivals)
    again = hooked.json("sync", "--channel", "Hook")
    assert (again["sent"], again["unchanged"]) == (0, 3)
    hooked("sync", "--channel", "Hook", "--price", "--sku", "A-1")
    assert stub.shown["L1"].price == "9.90"
    assert stub.shown["L2"].price is None


def test_a_part_that_the_channel_refuses_is_named(hooked, stub):
    stub.script("reject:L2")
    done = hooked.json("sync", "--channel", "Hook", code=3)
    assert (done["sent"], done["failed"]) == (2, 1)
    assert [(p["listing_id"], p["code"]) for p in done["problems"]] == [("L2", "price_frozen")]
    assert not hooked.json("status", code=1)["ok"]


def test_a_channel_that_does_not_answer_leaves_the_work_due(hooked, stub):
    stub.script("503")
    done = hooked.json("sync", "--channel", "Hook", code=1)
    assert (done["sent"], done["failed"]) == (0, 3)
    left = hooked.json("drain")
    assert (left["sent"], left["dirty"]) == (0, 3)
    assert hooked.json("drain", "--seconds", "20") | {"fenced": 0} == {"sent": 3, "failed": 0, "dirty": 0, "fenced": 0}


def test_a_run_that_waits_for_a_channel_that_rests_is_not_done(hooked, stub):
    rest = utc_now() + timedelta(minutes=5)
    with hooked.inside() as (session, _):
        channels.get(session, "Hook").rest_until = rest
    done = hooked.json("sync", "--channel", "Hook", code=1)
    assert (done["sent"], done["failed"], done["state"]) == (0, 0, "running")
    assert done["waits_until"] == rest.isoformat()
    said = hooked("sync", "--channel", "Hook", code=1).out
    assert f"Hook rests until {rest:%Y-%m-%d %H:%M:%S} UTC" in said
    assert stub.arrivals == []


def test_a_paused_channel_hears_nothing(hooked, stub):
    hooked("channel", "pause", "Hook")
    assert "paused" in hooked.json("sync", "--channel", "Hook", code=1)["message"]
    assert stub.arrivals == []


def test_the_brakes_hold_what_would_empty_a_channel(hooked, stub):
    with hooked.inside() as (session, make):
        hook = channels.get(session, "Hook")
        for _number in range(60):
            make.link(make.product(quantity=0), make.listing(channel=hook, quantity=5))
    made = hooked.json("plan", "--channel", "Hook")
    assert (len(made["changes"]), len(made["held"])) == (3, 60)
    assert "go to zero" in made["held"][0]["reason"]
    done = hooked.json("sync", "--channel", "Hook", code=3)
    assert (done["sent"], done["held"]) == (3, 60)
    assert hooked.json("sync", "--channel", "Hook", "--anyway")["sent"] == 60


def test_a_file_channel_gives_the_path_of_its_upload_file(shop):
    shop("reconcile")
    done = shop.json("channel", "add", "Paper", "--kind", "file")
    with shop.inside() as (session, make):
        paper = channels.get(session, done["channel"])
        make.link(make.product("P-9", quantity=4), make.listing("P-9", channel=paper, listing_id="X1"))
    sent = shop.json("sync", "--channel", "Paper")
    with Path(sent["file"]).open(encoding="utf-8-sig", newline="") as file:
        assert [(r["listing_id"], r["quantity"]) for r in csv.DictReader(file)] == [("X1", "4")]


def test_stock_and_price_are_set_audited_and_marked(hooked, stub):
    with hooked.inside() as (session, _):
        channels.get(session, "Hook").mode = SendMode.AUTOMATIC
    assert hooked.json("stock", "set", "A-1", "12") == {"sku": "A-1", "on_hand": 12, "available": 12}
    assert hooked.json("stock", "move", "A-1", "-14", "--reason", "counted") == {
        "sku": "A-1",
        "on_hand": -2,
        "available": 0,
    }
    assert hooked.json("price", "set", "A-1", "10.5")["sku"] == "A-1"
    assert hooked.json("drain")["sent"] == 1
    assert stub.shown["L1"].quantity == 0
    with hooked.inside() as (session, _):
        said = session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()
    assert [event for event in said if event.split(".")[0] in {"stock", "price"}] == [
        "stock.set",
        "stock.moved",
        "price.set",
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["stock", "set", "A-1", "-1"], 1),
        (["stock", "set", "A-1", "2.5"], 2),
        (["stock", "set", "A-1", "1_000"], 2),
        (["stock", "set", "A-1", "٣"], 2),
        (["stock", "move", "A-1", "3", "--reason", " "], 1),
        (["price", "set", "A-1", "1_0.5"], 1),
        (["price", "set", "A-1", "９.９"], 1),
        (["price", "set", "A-1", "1000000000000"], 1),
        (["stock", "set", "B-1", "1"], 1),
        (["stock", "set", "A-1", "1", "--warehouse", "Moon"], 1),
        (["stock", "move", "A-1", "3"], 2),
        (["price", "set", "A-1", "nine"], 1),
        (["price", "set", "A-1", "1.00001"], 1),
        (["price", "set", "A-1", "NaN"], 1),
        (["sync", "--channel", "Hook", "--sku", "B-1"], 1),
    ],
)
def test_values_that_cannot_be_are_refused_and_change_nothing(hooked, stub, words, code):
    hooked(*words, "--json", code=code)
    assert hooked.json("stock", "set", "A-1", "1") == {"sku": "A-1", "on_hand": 1, "available": 1}
    assert stub.arrivals == []


def test_drain_works_imports_that_wait(shell):
    with shell.inside():
        pass
    file = shell.file("p.csv", "sku,title,quantity\nA-1,Mug,5\n")
    number = shell.json("import", "products", file)["import"]
    assert number == 1
    assert shell.json("drain") == {"sent": 0, "failed": 0, "dirty": 0, "fenced": 0}


def test_nothing_arrives_after_an_unlink_returned(shell, stub):
    """Fifty races of one thread that sends against one that unlinks; the server's own clock is the judge."""
    rng = Random(7)
    app = create_app(shell.settings)
    shell(
        "channel",
        "add",
        "Hook",
        "--kind",
        "webhook",
        "--option",
        f"url={stub.url}",
        "--option",
        f"secret={SECRET}",
        "--many",
    )
    with shell.inside() as (session, make):
        hook = make.manual(channels.get(session, "Hook"))
        product = make.product("A-1", quantity=1)
        link = make.link(product, make.listing("A-1", channel=hook, listing_id="L1"))
        listing_id, channel_id, product_id = link.listing_id, hook.id, product.id
    late: list[str] = []
    begun, moment = 0, 0.05
    for turn in range(ROUNDS):
        with app.app_context(), unit_of_work() as session:
            stock.set_levels(session, [stock.Level(product_id, 2 + turn)], stock.warehouse(session), by=COMMAND_LINE)
            link_id = session.scalars(select(Link.id)).one()
            hook = channels.get(session, "Hook")
            propagation.start_run(session, hook, [link_id], stock=True, price=False, by=COMMAND_LINE, now=utc_now())
        seen = len(stub.arrivals)
        errors: list[BaseException] = []
        # Either side may come first: the unlink waits longer while sends come too late, and less while they do not.
        sender = threading.Thread(target=_send, args=(app, shell.settings, channel_id, errors, rng.uniform(0, 0.05)))
        sender.start()
        time.sleep(rng.uniform(0, moment))
        with app.app_context():
            with unit_of_work() as session:
                change = links.unlink(session, [listing_id], by=COMMAND_LINE)
            returned = time.monotonic_ns()
        sender.join(20)
        assert not errors, errors
        arrivals = stub.arrivals[seen:]
        begun += bool(arrivals)
        moment = max(moment * 0.8, 0.005) if arrivals else min(moment * 1.25, 2.0)
        if any(a.begin_ns > returned for a in arrivals) and "L1" not in change.in_flight:
            late.append(f"turn {turn}")
        with app.app_context(), unit_of_work() as session:
            assert change.batch is not None
            assert links.undo(session, change.batch.id, by=COMMAND_LINE).changed == 1
    with app.app_context():
        db.engine.dispose()
    assert late == []
    assert 0 < begun < ROUNDS, f"{begun} of {ROUNDS} sends began before the unlink: the race was none"


def _send(app, settings, channel_id, errors, pause):
    time.sleep(pause)
    try:
        with app.app_context():
            tasks.propagate(settings, channel_id=channel_id)
    except BaseException as error:
        errors.append(error)
