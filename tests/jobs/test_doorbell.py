"""The doorbell: the first ring sounds at once, those that follow it closely sound together, and none is lost."""

from __future__ import annotations

import time

import pytest

from webapp.jobs import APART, Doorbell

PATIENCE = 20.0  # seconds for a thread of a busy machine


@pytest.fixture
def bell(tmp_path, monkeypatch):
    """A doorbell with a queue of its own, whose rings are kept with their times in `bell.heard`."""
    bell = Doorbell(f"sqlite:///{tmp_path / 'queue.db'}", "a secret of a test")
    assert bell.queue.storage
    bell.heard = []
    monkeypatch.setattr(bell, "_look", lambda names: bell.heard.append((time.monotonic(), names)))
    return bell


def wait_for(bell, number):
    end = time.monotonic() + PATIENCE
    while len(bell.heard) < number and time.monotonic() < end:
        time.sleep(0.01)
    assert len(bell.heard) == number


def test_the_first_ring_sounds_before_it_returns(bell):
    bell.ring({"check"})
    assert [names for _, names in bell.heard] == [["check"]]


def test_rings_that_follow_closely_sound_once_and_with_all_names(bell):
    bell.ring({"start"})
    for name in ("send", "check", "send"):
        bell.ring({name})
    assert len(bell.heard) == 1
    wait_for(bell, 2)
    (first, _), (second, names) = bell.heard
    assert names == ["check", "send"]
    assert second - first >= 0.9 * APART


def test_after_a_pause_a_ring_sounds_at_once_again(bell):
    bell.ring({"send"})
    bell.ring({"send"})
    wait_for(bell, 2)
    time.sleep(APART)
    bell.ring({"check"})
    assert [names for _, names in bell.heard][2:] == [["check"]]


def test_a_ring_that_waits_reaches_the_queue_of_another_thread(tmp_path):
    bell = Doorbell(f"sqlite:///{tmp_path / 'queue.db'}", "a secret of a test")
    bell.ring({"send"})
    bell.ring({"check"})
    end = time.monotonic() + PATIENCE
    while bell.queue.pending_count() < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert bell.queue.pending_count() == 2
