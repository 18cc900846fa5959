"""Starts the child process that reads uploads, and turns whatever happens to it into a report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from importers.report import DEFAULT, FileRefused, Kind, Limits, Options, Report, refused, shown
from importers.staging import discard_parts, discard_staged
from importers.wording import phrase

Meanwhile = Callable[[Callable[[], bool]], None]
_CHILD = Path(__file__).with_name("child.py")
#: The child writes one report; more than this on its standard output is not a report.
_MOST_OUTPUT = 64 * 1024**2
#: What the system sends for too much memory or disk; a reader that aborts met a damaged file instead.
_RESOURCE_SIGNALS = (signal.SIGKILL, signal.SIGXFSZ)
#: What the child ends with when its memory was not enough; a number that neither Python nor a shell uses.
EXIT_MEMORY = 77
_TOO_LONG = phrase(
    "Reading the file needs more time than allowed. Delete rows and formatting without use, or split it."
)
_TOO_LARGE = phrase(
    "Reading the file needs more memory than allowed. Delete rows and formatting without use, or split it."
)


def check(
    path: Path,
    *,
    kind: Kind,
    staged: Path,
    options: Options | None = None,
    file_name: str | None = None,
    limits: Limits = DEFAULT,
    meanwhile: Meanwhile | None = None,
) -> Report:
    """Reads a file in a child process, writes its good rows to `staged` and returns the report.

    path: the upload. staged: where the good rows go, column by column, with all problems beside them; both are absent
    after a refusal. file_name: the name people know the file by, which is only ever shown. meanwhile: what this process
    does until the child has ended, of which it is told by what it is called with; it may `follow` the rows.

    Never raises for a bad file: it is reported with outcome "reject" and the cause as its error.
    """
    discard_staged(staged)
    request = {"task": "check", "staged": str(staged.resolve())}
    return _report(path, kind, options or Options(), file_name, limits, request, staged, meanwhile)


def preview(
    path: Path, *, kind: Kind, options: Options | None = None, file_name: str | None = None, limits: Limits = DEFAULT
) -> Report:
    """Reads only the head of a file: sheets, encoding, delimiter, headers with first values, and the guessed mapping.

    The report has no row counts; outcome "accept" means that every required column was found.
    """
    return _report(path, kind, options or Options(), file_name, limits, {"task": "preview"}, None)


def _report(
    path: Path,
    kind: Kind,
    options: Options,
    file_name: str | None,
    limits: Limits,
    request: dict[str, str],
    staged: Path | None,
    meanwhile: Meanwhile | None = None,
) -> Report:
    name = shown(path.name if file_name is None else file_name)
    try:
        answer = run_child(path, kind, options, name, limits, request, meanwhile)
        return Report.from_json(answer)
    except FileRefused as refusal:
        if staged is not None:
            discard_staged(staged)
        return refused(kind, name, refusal.problem)


def run_child(
    path: Path,
    kind: Kind,
    options: Options,
    name: str,
    limits: Limits,
    request: Mapping[str, object],
    meanwhile: Meanwhile | None = None,
) -> dict[str, Any]:
    """The answer of a child process to one request.

    Raises:
        FileRefused: when the child was stopped by a limit, or ended without an answer.
    """
    told = {**vars(options)}
    told["mapping"] = None if options.mapping is None else dict(options.mapping)
    told["known"] = {field: list(values) for field, values in (options.known or {}).items()}
    full = {
        **request,
        "path": str(path.resolve()),
        "kind": kind,
        "name": name,
        "options": told,
        "limits": asdict(limits),
    }
    try:
        code, output = _run(json.dumps(full), limits, meanwhile)
    finally:
        if request.get("staged"):
            discard_parts(Path(str(request["staged"])))
    if code == 0 and output:
        answer: dict[str, Any] = json.loads(output)
        return answer
    raise _ended(code)


def _run(request: str, limits: Limits, meanwhile: Meanwhile | None) -> tuple[int, bytes]:
    """Runs the child to its end, or kills it when the time is over; the exit code and what it printed."""
    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "PATH": ""}
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file, no shell
        [sys.executable, "-I", "-B", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        close_fds=True,
        start_new_session=True,
    )
    try:
        with ThreadPoolExecutor(1) as beside:
            talk = beside.submit(child.communicate, request.encode(), limits.wall_seconds)
            try:
                if meanwhile is not None:
                    meanwhile(talk.done)
                output, _ = talk.result()
            except BaseException:
                child.kill()  # or the talk would go on until its end
                raise
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise FileRefused("too_big", _TOO_LONG) from None
    except BaseException:
        child.kill()
        child.communicate()
        raise
    return child.returncode, output if len(output) <= _MOST_OUTPUT else b""


def _ended(code: int) -> FileRefused:
    if code == -signal.SIGXCPU:
        return FileRefused("too_big", _TOO_LONG)
    if code == EXIT_MEMORY or -code in _RESOURCE_SIGNALS:
        return FileRefused("too_big", _TOO_LARGE)
    return FileRefused(
        "corrupt",
        phrase(
            "The file cannot be read. Open it in a spreadsheet program, save it under a new name, and select that file."
        ),
    )
