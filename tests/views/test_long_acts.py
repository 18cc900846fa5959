"""Acts on very many listings on the screens: a line that moves, Stop, one undo, and a second click that joins."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.views.pair_pages import HX, live, text_of
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import LinkBatch
from webapp.models.base import utc_now
from webapp.services import health, linking, long_acts, reconciliation, steps, undo


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Three listings are many, and two are a step."""
    monkeypatch.setattr(linking, "AT_ONCE", 2)
    monkeypatch.setattr(steps, "FROM", 3)
    for module in (linking, undo, reconciliation):
        monkeypatch.setattr(module, "STEP", 2)


def equal(m):
    return [x for i in range(6) for x in (m.product(f"A-{i}"), m.listing(f"A-{i}"))] and None


def nearly(m):
    return [x for i in range(4) for x in (m.product(f"AB-{i}-X"), m.listing(f"AB{i}X"))] and None


@pytest.fixture
def step(app):
    """Take one step of two listings of the oldest act that goes on."""

    def take() -> int | None:
        with app.app_context(), unit_of_work() as session:
            batch = steps.get(session, steps.waiting(session)[0])
            return long_acts.take(session, batch.id, 2, long_acts.KINDS[batch.verb].known(session, batch))

    return take


@pytest.fixture
def work(app):
    """Let a worker take every step."""

    def all_steps() -> int:
        with app.app_context():
            return tasks.take_steps()

    return all_steps


def test_linking_very_many_by_sku_is_left_to_the_worker_and_the_page_follows(browse, put, look, step, work):
    put(equal)
    bob = browse("bob")
    asked = bob.post("/review/reconcile?channel=Alpha")
    assert re.fullmatch(r"/acts/\d+", asked.location)
    assert browse("alice").post("/review/reconcile").location != asked.location  # of all channels: another act
    assert bob.post("/review/reconcile?channel=Alpha").location == asked.location
    page = bob.get(asked.location)
    assert page.text.count("<h1") == 1
    assert "Linking by SKU 0 of 6" in text_of(page)
    assert step() == 2
    piece = bob.get(f"{asked.location}/progress", headers=HX)
    assert "Linking by SKU 2 of 6" in text_of(piece)
    assert "<html" not in piece.text
    assert "Linking by SKU 2 of 6" in text_of(bob.get("/review?channel=Alpha"))
    work()
    assert bob.get(f"{asked.location}/progress", headers=HX).headers["HX-Refresh"] == "true"
    assert look(live) == 6
    done = bob.get(asked.location)
    assert "6 listings linked by SKU." in text_of(done)
    undone = bob.post(re.search(r'action="(/undo/\d+)"', done.text)[1])
    assert "Taking back 0 of 6" in text_of(bob.get(undone.location))
    assert bob.post(re.search(r'action="(/undo/\d+)"', done.text)[1]).location == undone.location  # it joins
    assert "Taking back 0 of 6" in text_of(bob.get("/pairs"))
    work()
    assert look(live) == 0
    assert "Undone. 6 listings are as they were." in text_of(bob.get(undone.location))


def test_who_stops_it_keeps_what_is_linked(browse, put, look, step):
    put(equal)
    alice, bob, charlie = browse("alice"), browse("bob"), browse("charlie")
    here = bob.post("/review/reconcile?channel=Alpha").location
    step()
    assert "/stop" not in charlie.get(here).text
    assert charlie.post(f"{here}/stop").status_code == 403
    assert bob.post(f"{here}/stop").location == here
    assert look(live) == 2
    page = text_of(bob.get(here))
    assert "2 listings linked by SKU." in page
    assert "Bob stopped it. What is linked stays; link by SKU again for the rest." in page
    other = alice.post("/review/reconcile?channel=Alpha").location
    assert "/stop" not in bob.get(other).text
    assert bob.post(f"{other}/stop").status_code == 403
    assert "Only Alice or an owner can stop this." in bob.post(f"{other}/stop").text
    assert "/stop" in alice.get(other).text
    alice.post(f"{other}/stop")
    assert "Stopped before a listing was linked." in text_of(alice.get(other))


def test_a_line_that_nobody_works_at_says_that_it_waits(app, browse, put):
    put(equal)
    bob = browse("bob")
    here = bob.post("/review/reconcile?channel=Alpha").location
    assert "worker" not in text_of(bob.get(here))
    with app.app_context(), unit_of_work() as session:
        session.get_one(LinkBatch, int(here.rsplit("/", 1)[1])).moved_at -= timedelta(seconds=30)
    assert "No worker runs. Start “pairbook run” or “pairbook worker” on the server" in text_of(bob.get(here))
    with app.app_context(), unit_of_work() as session:
        health.beat(session, "host:1", now=utc_now())
    assert "It waits for a worker, and goes on by itself from here." in text_of(bob.get(here))


def test_a_large_group_of_near_misses_is_accepted_in_steps(browse, put, look, step, work):
    put(nearly)
    bob = browse("bob")
    bob.post("/review/reconcile?channel=Alpha")
    work()
    here = bob.post("/review/near?channel=Alpha", data={"reason": "dash"}).location
    assert "Linking 0 of 4" in text_of(bob.get(here))
    step()
    assert "Linking 2 of 4" in text_of(bob.get("/review/near?channel=Alpha"))
    assert bob.post("/review/near?channel=Alpha", data={"reason": "dash"}).location == here  # it joins
    work()
    assert look(live) == 4
    assert "Linked 4 listings." in text_of(bob.get(here))


def test_an_act_that_never_was_is_not_found(browse):
    assert browse("bob").get("/acts/99").status_code == 404
