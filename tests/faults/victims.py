"""Children that do what Pairbook's processes do, and are killed; the interpreter starts once, not for each of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import POSTGRES
from webapp.config import Settings

ROOT = Path(__file__).resolve().parents[2]


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of a process that works on the test's instance and the test's tables."""
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PAIRBOOK_")},
        "PAIRBOOK_INSTANCE": str(settings.instance),
        "PAIRBOOK_OUTBOUND_ALLOW": "127.0.0.0/8",
        "PAIRBOOK_SECRET_KEY": settings.secret_key,
        "PYTHONPATH": str(ROOT),
    }
    if POSTGRES:
        environ["PAIRBOOK_DATABASE_URL"] = POSTGRES
    return environ | more


class Victims:
    """Starts children; what they say on standard error is in `log`. With `warm`, they have loaded the matcher."""

    def __init__(self, settings: Settings, log: Path, *, warm: bool = False, **environ: str) -> None:
        self.log = log
        self._said: list[str] = []
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victim", *(["warm"] if warm else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=ROOT,
                env=environment(settings, **environ),
                text=True,
            )

    def start(self, job: str) -> int:
        """Start a child; gives its process id once it has begun to work."""
        assert self.process.stdin is not None
        self.process.stdin.write(job + "\n")
        self.process.stdin.flush()
        self._read("began")
        return int(self._read("pid "))

    def kill(self, pid: int) -> bool:
        """Whether the child was still at work when it was killed."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return self._read(f"ended {pid} ") == "-9"

    def kill_after(self, job: str, seconds: float) -> bool:
        """Start a child and kill it so much later; whether it was still at work."""
        pid = self.start(job)
        time.sleep(seconds)
        return self.kill(pid)

    def wait(self, pid: int) -> str:
        """How a child ended that nobody killed from outside: its exit code."""
        return self._read(f"ended {pid} ")

    def points(self) -> int:
        """How many points the children that were to tell them have passed since this was last asked."""
        told = [line for line in self._said if line.startswith("passed ")]
        self._said = [line for line in self._said if line not in told]
        return len(told)

    def stop(self) -> None:
        """Start no more children."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def _read(self, start: str) -> str:
        """The rest of the first line that begins so; the others are kept, since children speak in any order."""
        assert self.process.stdout is not None
        while True:
            found = next((line for line in self._said if line.startswith(start)), None)
            if found is not None:
                self._said.remove(found)
                return found.removeprefix(start)
            line = self.process.stdout.readline().strip()
            assert line, f"no {start!r}: {self.log.read_text()}"
            self._said.append(line)
