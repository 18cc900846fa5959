"""The child process: sets its own limits, reads one request, reads one file, prints one report.

It is started by path in isolated mode, so that neither the environment nor the current folder can slip code into it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MOST_FILES = 32
#: From this size on a file may have enough rows to be sorted by numpy.
_LARGE = 250_000


def confine(memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    """Takes from this process what reading a file does not need: memory, time, dumps, and the network.

    Losing the network and dying with the parent are extra: a system that refuses them still has all the other limits.
    """
    _lower(resource.RLIMIT_AS, memory_bytes)
    _lower(resource.RLIMIT_CPU, cpu_seconds)
    _lower(resource.RLIMIT_FSIZE, file_bytes)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, _MOST_FILES)
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.geteuid() == 0:
            library.unshare(_CLONE_NEWNET)


def _lower(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (most, most))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request of the parent: the report of a check or preview, or of the writing of problem rows."""
    # The package is found only after the path was set.
    from importers.checking import check_file
    from importers.problem_rows import copy_problem_rows
    from importers.report import Limits, Options

    limits, options = Limits(**request["limits"]), Options(**request["options"])
    path, kind, name = Path(request["path"]), request["kind"], request["name"]
    if request["task"] == "problem_rows":
        count = copy_problem_rows(path, kind, request, options, limits, name)
        return {"rows": count}
    staged = Path(request["staged"]) if request["task"] == "check" else None
    return check_file(path, kind, staged, options, limits, name).as_json()


def _load(request: dict[str, Any]) -> None:
    """Loads our code while there is memory: a loader that finds none ends the process without saying why."""
    import importers.checking  # noqa: F401

    if Path(request["path"]).stat().st_size > _LARGE:
        import numpy  # noqa: F401


def main() -> int:
    """Serves one request from standard input; the exit code is 77 when memory was not enough."""
    request = json.loads(sys.stdin.buffer.read())
    limits = request["limits"]
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    _load(request)
    confine(limits["memory_bytes"], limits["cpu_seconds"], 2 * limits["unpacked_bytes"])
    try:
        text = json.dumps(answer(request))
    except MemoryError:
        return 77
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
