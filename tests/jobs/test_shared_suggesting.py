"""Several worker processes at one queue of suggestions: nothing twice, nothing lost, whatever kills one of them."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from tests.conftest import POSTGRES
from tests.factories import Make
from webapp.db import unit_of_work
from webapp.jobs import pace, tasks
from webapp.models import Channel, Listing, SuggestClaim, Suggestion, SuggestRun
from webapp.models.base import utc_now
from webapp.models.listings import NOT_COMPUTED
from webapp.services import listings, suggesting

LISTINGS, CHUNK = 200, 20
WORKER = f"""
import json, sys, time
from webapp import create_app
from webapp.config import load
from webapp.jobs import tasks

app, slow = create_app(load()), float(sys.argv[1])
tasks.SUGGEST_CHUNK = {CHUNK}

def find(session, ids, index, found=tasks.suggestions.suggest_for):
    print(json.dumps(ids), flush=True)
    time.sleep(slow)
    return found(session, ids, index)

tasks.suggestions.suggest_for = find
with app.app_context():
    index = app.extensions["pairbook_index"]
    tasks.suggest(index, until=0)  # everything is loaded before the race
    print("ready", flush=True)
    sys.stdin.readline()
    tasks.suggest(index)
"""


@pytest.fixture
def queue(context, settings):
    """Two hundred listings that wait, most of which are no product."""
    with unit_of_work() as session:
        make = Make(session, settings)
        channel = make.channel()
        for n in range(5):
            make.product(f"MUG-{n}", title=f"Acme stoneware mug {n + 2}00 ml", brand="Acme")
        rows = [{"listing_id": f"L{n}", "title": f"Acme stoneware mug {n % 9}00 ml"} for n in range(LISTINGS)]
        listings.upsert_listings(session, rows, {channel.name: channel})
        return channel.id


@pytest.fixture
def worker(settings):
    """`worker(slow=0.1)` starts a worker process that waits for its line; all are ended after the test."""
    started = []

    def start(slow=0.0):
        environ = os.environ | {"PAIRBOOK_INSTANCE": str(settings.instance), "PAIRBOOK_SECRET_KEY": "tests" * 16}
        if POSTGRES:
            environ["PAIRBOOK_DATABASE_URL"] = POSTGRES
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environ}
        process = subprocess.Popen([sys.executable, "-c", WORKER, str(slow)], **pipes)  # type: ignore[call-overload]
        started.append(process)
        assert process.stdout.readline().strip() == "ready"
        return process

    yield start
    for process in started:
        process.kill()
        with process:  # its pipes are closed, and its end is waited for
            pass


def go(process):
    process.stdin.write("\n")
    process.stdin.flush()


def waiting():
    with unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Listing).where(Listing.place == NOT_COMPUTED))


def test_two_processes_share_the_work_and_never_compute_the_same_chunk(queue, worker):
    both = [worker(slow=0.05), worker(slow=0.05)]
    for process in both:
        go(process)
    said = [process.communicate(timeout=240)[0] for process in both]
    chunks = [[json.loads(line) for line in each.split("\n") if line] for each in said]
    done = [i for each in chunks for chunk in each for i in chunk]
    assert len(done) == len(set(done)) == LISTINGS
    assert all(len(each) > 1 for each in chunks), "one of them did it all"
    assert waiting() == 0
    with unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count(Suggestion.listing_id.distinct()))) > 0
        assert session.scalars(select(SuggestClaim)).all() == []
        assert session.get(SuggestRun, queue).total == 0


def test_after_kill_9_another_goes_on_where_it_stopped(queue, worker, context):
    victim = worker(slow=0.3)
    go(victim)
    first = json.loads(victim.stdout.readline())
    second = json.loads(victim.stdout.readline())  # the first chunk is kept by now, and the second is being computed
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert waiting() == LISTINGS - len(first)
    with unit_of_work(read_only=True) as session:
        channel = session.get(Channel, queue)
        assert suggesting.progress(session, channel, 0).done == len(first)
    index = context.extensions["pairbook_index"]
    assert tasks.suggest(index) == LISTINGS - len(first) - len(second)
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(SuggestClaim)) == 1
        session.execute(update(SuggestClaim).values(lease_until=utc_now() - timedelta(seconds=1)))
    assert tasks.suggest(index) == len(second)
    assert waiting() == 0


def test_a_pause_ends_the_work_after_the_chunk_at_hand(queue, worker, bob):
    process = worker(slow=0.3)
    go(process)
    process.stdout.readline()
    with unit_of_work() as session:
        suggesting.pause(session, session.get(Channel, queue), True, by=bob)
    started = time.monotonic()
    process.communicate(timeout=240)
    assert time.monotonic() - started < 20
    left = waiting()
    assert 0 < left < LISTINGS
    assert left % CHUNK == 0


def test_cycles_are_looked_for_as_before_when_a_chunk_has_failed(queue, context, monkeypatch):
    usual, seen = gc.get_threshold(), []

    def fail(*_given):
        seen.append(gc.get_threshold()[0])
        raise MemoryError

    monkeypatch.setattr(tasks.suggestions, "suggest_for", fail)
    with pytest.raises(MemoryError):
        tasks.suggest(context.extensions["pairbook_index"])
    assert seen == [pace.RARELY]
    assert gc.get_threshold() == usual
