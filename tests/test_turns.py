"""Background work of many small transactions lets whoever waits go first."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from sqlalchemy import text

from tests.conftest import POSTGRES
from webapp.db import unit_of_work

pytestmark = pytest.mark.skipif(bool(POSTGRES), reason="PostgreSQL locks rows, and has no turns to take")
WRITE = text("UPDATE listing_counts SET n = n")


def test_a_person_waits_for_the_step_at_hand_and_never_for_the_next_ones(app):
    steps, stop = [0], threading.Event()

    def work():
        with app.app_context():
            while not stop.is_set():
                with unit_of_work(patient=True) as session:
                    steps[0] += 1
                    session.execute(WRITE)
                    time.sleep(0.02)

    worker = threading.Thread(target=work)
    worker.start()
    waited = []
    try:
        with app.app_context():
            for _ in range(25):
                time.sleep(0.01)
                before = steps[0]
                with unit_of_work() as session:
                    waited.append(steps[0] - before)
                    session.execute(WRITE)
    finally:
        stop.set()
        worker.join()
    assert steps[0] > 5, "the work never went on"
    assert max(waited) <= 2, "somebody had to wait for steps that began after him"


def test_patience_ends(app, monkeypatch):
    turns = sys.modules["webapp.db"]  # the package has a name of its own for what is in it
    monkeypatch.setattr(turns, "MOST_PATIENCE", 0.05)
    monkeypatch.setattr(turns, "_somebody_waits", lambda _turnstile: True)
    with app.app_context(), unit_of_work(patient=True) as session:
        session.execute(WRITE)
