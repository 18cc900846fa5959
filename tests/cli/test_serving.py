"""`pairbook run` as a process: it answers, keeps its worker alive, ends cleanly, and says so when it cannot start."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import POSTGRES

pytestmark = pytest.mark.skipif(bool(POSTGRES), reason="processes of their own would not share this test's tables")
LONG = 60.0
LIMIT = 4096  # bytes of an upload


class Running:
    """A `pairbook run` that was started, and what it said."""

    def __init__(self, instance: Path, port: int) -> None:
        self.instance, self.port = instance, port
        self.log = instance.parent / f"run-{port}.log"
        environ = os.environ | {"PAIRBOOK_INSTANCE": str(instance), "PAIRBOOK_PORT": str(port), "PYTHONUNBUFFERED": "1"}
        environ["PAIRBOOK_UPLOAD_LIMIT"] = str(LIMIT)
        environ.pop("PAIRBOOK_DATABASE_URL", None)
        line = [sys.executable, "-m", "webapp.cli", "run"]
        root = Path(__file__).resolve().parents[2]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(line, stdout=out, stderr=subprocess.STDOUT, env=environ, cwd=root)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first place in the log that matches, as soon as it is there."""
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            if found := re.search(pattern, self.log.read_text()):
                return found
            if self.process.poll() is not None and not re.search(pattern, self.log.read_text()):
                break
            time.sleep(0.05)
        raise AssertionError(f"{pattern} did not come: {self.log.read_text()}")

    def get(self, path: str) -> int:
        """The status of a page."""
        with contextlib.suppress(urllib.error.HTTPError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60).status
        return 0

    def post(self, path: str, body: bytes) -> tuple[int, str]:
        """The status and the text of the answer to a form of these bytes."""
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def workers(self) -> set[int]:
        """Process ids of its workers, as they told."""
        return {int(pid) for pid in re.findall(r"worker\.started worker=\S+:(\d+)", self.log.read_text())}

    def end(self, how: int = signal.SIGTERM) -> int:
        """Ask it to end; gives the exit code."""
        self.process.send_signal(how)
        return self.process.wait(LONG)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    instance = tmp_path / "instance"
    instance.mkdir()
    made = Running(instance, free_port())
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    end = time.monotonic() + LONG
    while time.monotonic() < end and alive(pid):
        time.sleep(0.05)
    return not alive(pid)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_run_serves_keeps_its_worker_alive_and_ends_both(running):
    link = running.wait_for(r"http://\S+/setup/(\S+)")
    assert running.get(f"/setup/{link[1]}") == 200
    status, page = running.post("/import", b"x" * (LIMIT + LIMIT // 2))
    assert (status, "The file is too large." in page) == (413, True), page
    running.wait_for(r"worker\.started")
    (first,) = running.workers()
    second_run = Running(running.instance, free_port())
    assert second_run.process.wait(LONG) == 1
    assert "already" in second_run.log.read_text()
    os.kill(first, signal.SIGKILL)
    running.wait_for(r"worker\.died")
    running.wait_for(rf"worker\.started worker=\S+:(?!{first}\b)\d+")
    assert running.end() == 0
    assert all(gone(pid) for pid in running.workers())
    assert "Traceback" not in running.log.read_text()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_worker_ends_when_run_was_killed(running):
    running.wait_for(r"worker\.started")
    running.process.kill()
    running.process.wait()
    assert all(gone(pid) for pid in running.workers())


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        instance = tmp_path / "instance"
        instance.mkdir()
        run = Running(instance, other.getsockname()[1])
        assert run.process.wait(LONG) == 1
        assert "PAIRBOOK_PORT" in run.log.read_text()
        assert json.dumps(run.log.read_text()).count("Traceback") == 0
