"""The stub channel keeps its own promises, since other suites judge by it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors import Connector
from tests.connectors.conftest import NOW, update
from tests.stub_channel import StubChannel


def test_it_counts_overlapping_requests_for_one_listing(webhook: Callable[..., Connector], stub: StubChannel) -> None:
    stub.default = "slow:0.2"
    for names in (["A", "A"], ["B", "C"]):
        threads = [
            threading.Thread(target=webhook().push, args=([update(name)],), kwargs={"now": NOW}) for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert stub.overlaps() == 1


def test_it_notes_begin_and_end_and_what_was_applied(webhook: Callable[..., Connector], stub: StubChannel) -> None:
    stub.script("slow:0.1", "500")
    for _ in range(2):
        webhook().push([update("A", 3)], now=NOW)
    assert stub.wait_for(lambda channel: all(arrival.end_ns for arrival in channel.arrivals))
    slow, failed = stub.arrivals
    assert slow.end_ns - slow.begin_ns >= 100_000_000
    assert failed.begin_ns > slow.begin_ns
    assert (slow.applied, failed.applied) == (["A"], [])


def test_a_word_that_means_nothing_is_refused_at_once(stub: StubChannel) -> None:
    with pytest.raises(ValueError, match="no behaviour 'dance'"):
        stub.script("200", "dance")
    assert not stub.pending


def test_it_runs_as_a_program_that_other_processes_steer(tmp_path: Path) -> None:
    log = tmp_path / "arrivals.jsonl"
    script = Path(__file__).parents[1] / "stub_channel.py"
    command = [sys.executable, str(script), "--log", str(log), "--script", "500"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        base = url.removesuffix("/hook")

        def call(address: str, body: object = None) -> str:
            data = None if body is None else json.dumps(body).encode()
            with urllib.request.urlopen(urllib.request.Request(address, data=data), timeout=5) as answer:
                return str(answer.read().decode())

        item = {"listing_id": "A", "quantity": 4, "version": {"product": 3, "link": 1}, "key": "k"}
        with pytest.raises(urllib.error.HTTPError) as caught:
            call(url, {"items": [item]})
        caught.value.close()
        call(f"{base}/_script", ["items"])
        assert json.loads(call(url, {"items": [item]})) == {"items": [{"listing_id": "A", "status": "applied"}]}
        state = json.loads(call(f"{base}/_state"))
        # A line is written when its answer is out, by the thread that answered: maybe after the next one's.
        until = time.monotonic() + 5
        while log.read_text().count("\n") < 2 and time.monotonic() < until:
            time.sleep(0.01)
        process.terminate()
    assert state["A"]["quantity"] == 4
    arrivals = sorted(map(json.loads, log.read_text().splitlines()), key=lambda arrival: arrival["number"])
    assert [arrival["behaviour"] for arrival in arrivals] == ["500", "items"]
