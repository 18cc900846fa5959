"""The doorbell: a queue that carries "look again", never the work itself, which waits in rows.

A ring that is lost is forgiven by the sweep; rows are claimed under leases, so that any number of workers
may answer the same ring. SQLite file or Redis: one setting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # huey loads the drivers of every queue it knows: only who rings or listens waits for that
    from huey.consumer import Consumer

log = logging.getLogger(__name__)
Answer = Callable[[set[str]], None]
APART = 0.25  # seconds between two rings of a process: each is a file brought to the disk, for which decisions wait


class Doorbell:
    """Rings travel over huey, signed with the instance's key since huey pickles; `run` answers them in a worker."""

    def __init__(self, url: str, secret: str) -> None:
        scheme_of(url)
        self._answer: Answer | None = None
        self._url, self._secret = url, secret
        self._lock, self._rung = Lock(), -APART
        self._asked: set[str] = set()
        self._later: Timer | None = None

    @cached_property
    def queue(self) -> Any:
        """The queue with its two tasks, opened at the first ring."""
        from huey import crontab
        from huey.serializer import SignedSerializer

        queue = open_queue(self._url, SignedSerializer(secret=self._secret, salt="pairbook doorbell"))
        self._look = queue.task(name="look_again")(self._looked)
        queue.periodic_task(crontab(minute="*"), name="sweep")(lambda: self._looked([]))
        return queue

    def ring(self, names: set[str]) -> None:
        """Wake the workers; what follows another ring at once waits for `APART`, and sounds with all that came by then.

        A queue that does not answer is logged and forgiven.
        """
        with self._lock:
            self._asked |= names
            if self._later is not None:
                return
            wait = self._rung + APART - time.monotonic()
            if wait > 0:
                self._later = Timer(wait, self._sound)
                self._later.start()
                return
        self._sound()

    def _sound(self) -> None:
        with self._lock:
            names, self._asked = self._asked, set()
            self._rung, self._later = time.monotonic(), None
        if not names:  # another thread has just sounded them
            return
        try:
            _ = self.queue
            self._look(sorted(names))
        except Exception as error:
            words = "doorbell unreachable; the sweep will find the work"
            log.warning("%s (%s: %s)", words, type(error).__name__, error)

    def consumer(self, answer: Answer, *, workers: int = 2) -> Consumer:
        """A consumer whose threads call `answer` with the names of the bells; run it with `.run()`."""
        from huey.consumer import Consumer

        self._answer = answer
        return Consumer(self.queue, workers=workers, periodic=True, initial_delay=0.05, backoff=1.1, max_delay=0.5)

    def _looked(self, names: list[str]) -> None:
        if self._answer is not None:
            self._answer(set(names))


def open_queue(url: str, serializer: Any) -> Any:
    """The queue for PAIRBOOK_QUEUE_URL: `sqlite:///path` or `redis://host:port/0`; ValueError for another scheme."""
    from huey import RedisHuey, SqliteHuey

    if scheme_of(url) == "sqlite":
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("pairbook", filename=str(path), results=False, timeout=10, serializer=serializer)
    return RedisHuey("pairbook", url=url, results=False, serializer=serializer)


def scheme_of(url: str) -> str:
    """Which kind of queue the address names; raises ValueError with the repair for any other."""
    for start, kind in (("sqlite:///", "sqlite"), ("redis://", "redis"), ("rediss://", "redis")):
        if url.startswith(start):
            return kind
    raise ValueError(f"PAIRBOOK_QUEUE_URL is “{url}”. Use sqlite:///path or redis://host:port/0.")
