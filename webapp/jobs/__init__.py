"""The doorbell: a queue that carries "look again", never the work itself, which waits in rows.

A ring that is lost is forgiven by the sweep; rows are claimed under leases, so that any number of workers
may answer the same ring. SQLite file or Redis: one setting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey import RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from huey.serializer import SignedSerializer

log = logging.getLogger(__name__)
Answer = Callable[[set[str]], None]


class Doorbell:
    """Rings travel over huey, signed with the instance's key since huey pickles; `run` answers them in a worker."""

    def __init__(self, url: str, secret: str) -> None:
        self._answer: Answer | None = None
        self.queue = open_queue(url, SignedSerializer(secret=secret, salt="pairbook doorbell"))
        self._look = self.queue.task(name="look_again")(self._looked)
        self.queue.periodic_task(crontab(minute="*"), name="sweep")(lambda: self._looked([]))

    def ring(self, names: set[str]) -> None:
        """Wake the workers; a queue that does not answer is logged and forgiven."""
        try:
            self._look(sorted(names))
        except Exception:
            log.warning("doorbell unreachable; the sweep will find the work", exc_info=True)

    def consumer(self, answer: Answer, *, workers: int = 2) -> Consumer:
        """A consumer whose threads call `answer` with the names of the bells; run it with `.run()`."""
        self._answer = answer
        return Consumer(self.queue, workers=workers, periodic=True, initial_delay=0.05, backoff=1.1, max_delay=0.5)

    def _looked(self, names: list[str]) -> None:
        if self._answer is not None:
            self._answer(set(names))


def open_queue(url: str, serializer: Any) -> Any:
    """The queue for PAIRBOOK_QUEUE_URL: `sqlite:///path` or `redis://host:port/0`; ValueError for another scheme."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("pairbook", filename=str(path), results=False, timeout=10, serializer=serializer)
    if url.startswith(("redis://", "rediss://")):
        return RedisHuey("pairbook", url=url, results=False, serializer=serializer)
    raise ValueError(f"PAIRBOOK_QUEUE_URL is “{url}”. Use sqlite:///path or redis://host:port/0.")
