"""A process that forks workers on demand, so that each of many kills costs milliseconds and not an interpreter's start.

Lines on standard input name a job; each is done by a child whose process id is printed, and whose end is printed too.
"""

from __future__ import annotations

import os
import sys

from webapp import config, create_app
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.models.accounts import COMMAND_LINE
from webapp.services import channels


def work(job: str) -> None:
    """What a worker process does."""
    settings = config.load()
    app = create_app(settings)
    with app.app_context():
        sys.stdout.write("began\n")
        sys.stdout.flush()
        if job == "import":
            tasks.run_imports(settings)
        elif job == "reconcile":
            with unit_of_work(read_only=True) as session:
                channel = channels.get(session, "Hook")
            tasks.reconcile(channel, by=COMMAND_LINE)
        else:
            while True:
                tasks.propagate(settings)
        db.engine.dispose()


def main() -> None:
    """Fork a child for each line until the input ends."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work(line.strip())
                code = 0
            finally:
                os._exit(code)
        sys.stdout.write(f"pid {child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"ended {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
