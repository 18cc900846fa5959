"""A process that forks workers on demand, so that each of many kills costs milliseconds and not an interpreter's start.

Lines on standard input name a job; each is done by a child whose process id is printed, and whose end is printed too.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import sys

import huey.consumer
import structlog
import waitress.server
from flask import Flask
from sqlalchemy import Engine, event

from webapp import config, create_app, warmup
from webapp.cli import serving
from webapp.config import Settings
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.models.accounts import COMMAND_LINE
from webapp.services import channels, imports, reconciliation

LOADED = (huey.consumer, structlog, waitress.server)  # or each child would load them again


def work(job: str, app: Flask) -> None:
    """What a process of Pairbook does; the application was made before the fork, and has no connection yet."""
    settings: Settings = app.extensions["pairbook_settings"]
    if job == "worker":  # all of `pairbook worker`
        _tell("began")
        serving.worker.main([], standalone_mode=False)
        return
    with app.app_context():
        if job == "web":  # what `pairbook run` does when the tables are there, without the worker beside it
            serving.set_up_logging()
            listening = serving._listen(settings)
            _tell("began")
            serving.serve(app, listening, settings)
            return
        _tell("began")
        if job == "import":
            tasks.run_imports(settings)
        elif job.startswith("dying import"):
            small_steps()
            die_at(int(job.split()[-1]))
            tasks.run_imports(settings)
        elif job == "reconcile":
            with unit_of_work(read_only=True) as session:
                channel = channels.get(session, "Hook")
            tasks.reconcile(channel, by=COMMAND_LINE)
        elif job == "rounds":
            tasks.run_schedules()
        elif job == "check":
            tasks.check_links()
        else:
            while True:
                tasks.propagate(settings)
        db.engine.dispose()


def small_steps() -> None:
    """A few rows in each transaction, so that a short file takes many."""
    imports.CHUNKS = dict.fromkeys(imports.CHUNKS, 8)
    reconciliation.STEP = 16


def die_at(point: int) -> None:
    """kill -9 of this process right before its n-th statement or commit; at 0 it lives, and tells each of them."""
    passed = itertools.count(1)

    def pass_by(*_: object) -> None:
        here = next(passed)
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)
        if not point:
            _tell(f"passed {here}")

    event.listen(Engine, "before_cursor_execute", pass_by)
    event.listen(Engine, "commit", pass_by)


def main() -> None:
    """Fork a child for each line until the input ends, and tell of each end."""
    app = create_app(config.load())
    if "warm" in sys.argv:
        warmup.warm(app)
    with app.app_context():
        db.engine.dispose()  # two processes on one connection would talk at once
    while True:
        asked, _, _ = select.select([sys.stdin], [], [], 0.005)
        if asked:
            line = os.read(0, 64).decode()  # one job at a time: who asks waits for the answer
            if not line:
                return
            _tell(f"pid {_fork(line.strip(), app)}")
        with contextlib.suppress(ChildProcessError):
            child, status = os.waitpid(-1, os.WNOHANG)
            if child:
                _tell(f"ended {child} {os.waitstatus_to_exitcode(status)}")


def _fork(job: str, app: Flask) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(job, app)
            code = 0
        finally:
            os._exit(code)
    return child


def _tell(words: str) -> None:
    """One line, written at once: children tell as well."""
    os.write(1, f"{words}\n".encode())


if __name__ == "__main__":
    main()
