"""A worker: hears the bell, looks each second for what became due, and tells that it lives.

Each channel has a lane of its own, so that one which is slow or dead does not hold up the others. Any number
of workers may run; rows are claimed under leases.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta

import structlog

import importers
from webapp.config import Settings
from webapp.db import unit_of_work
from webapp.jobs import Doorbell, tasks
from webapp.models.base import utc_now
from webapp.services import channel_looks, health, propagation, rechecks, retrieval, schedules, suggesting

log = structlog.get_logger("worker")
LANES = 8  # channels sent to at the same time
TURN = 5.0  # seconds one lane works before it makes room, and before a stop is heard
LOOK = 1.0  # seconds between two looks for what became due
RARER = 20  # times as long as counting what held channels wait with took, before it is counted again
KEPT = timedelta(days=31)  # uploaded files are kept as long as their import can be taken back
UNFINISHED = timedelta(days=1)  # no check takes as long
STOP_PATIENCE = 60.0


class Worker:
    """The threads of one worker process; `context` pushes the application's context on a thread."""

    def __init__(
        self,
        settings: Settings,
        doorbell: Doorbell,
        index: retrieval.CatalogueIndex,
        context: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._settings, self._index, self._context, self._doorbell = settings, index, context, doorbell
        self._consumer = doorbell.consumer(self.answer)
        self._stop, self._wake = threading.Event(), threading.Event()
        self._lanes = ThreadPoolExecutor(LANES, thread_name_prefix="lane")
        self._busy: set[int] = set()
        self._recount_at = 0.0
        self._guard, self._suggesting, self._checking = threading.Lock(), threading.Lock(), threading.Lock()
        self._planning, self._stepping, self._looking = threading.Lock(), threading.Lock(), threading.Lock()
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("sender", self._send), ("pulse", self._pulse))
        ]

    def start(self) -> None:
        """Begin to work; must be called on the main thread, since the queue's consumer takes the signals."""
        self._consumer.start()
        for thread in self._threads:
            thread.start()
        self._doorbell.ring({"start"})  # what waits since before is not kept waiting for the sweep
        log.info("worker.started", worker=tasks.worker_name())

    def stop(self) -> None:
        """Let what has begun come to its end, then stop."""
        self._stop.set()
        self._wake.set()
        self._lanes.shutdown(wait=True, cancel_futures=True)
        self._consumer.stop(graceful=True)
        for thread in self._threads:
            thread.join(STOP_PATIENCE)
        with contextlib.suppress(Exception), self._context(), unit_of_work() as session:
            health.sign_off(session, tasks.worker_name())
        log.info("worker.stopped", worker=tasks.worker_name())

    def answer(self, names: set[str]) -> None:
        """What happens when the bell rings: sending is woken, imports and suggestions are worked here."""
        self._wake.set()
        if names == {"propagate"}:
            return
        with self._context():
            self._alone(self._stepping, "steps", lambda: tasks.take_steps(self._stop.is_set))
            self._guarded("imports", lambda: tasks.run_imports(self._settings))
            self._suggest()
            self._alone(self._checking, "check", self._check)

    def _suggest(self) -> None:
        """Take part in finding suggestions, chunk by chunk until none is free or a stop is heard."""
        if not self._suggesting.acquire(blocking=False):  # this process is at it, and finds the new listings too
            return
        try:
            self._guarded("suggest", self._suggest_in_turns)
            self._guarded("index", lambda: tasks.keep_index(self._index))
        finally:
            self._suggesting.release()

    def _suggest_in_turns(self) -> None:
        while tasks.suggest(self._index, until=time.monotonic() + TURN) and not self._stop.is_set():
            pass

    def _join(self) -> None:
        """Help to find suggestions: one worker hears the bell, and all of them may answer."""
        with unit_of_work(read_only=True) as session:
            waits = suggesting.channels_waiting(session)
        if waits and not self._stop.is_set():
            self._lanes.submit(self._help)

    def _help(self) -> None:
        with self._context():
            self._suggest()

    def _check(self) -> None:
        """Look at pairs for a turn, then ring again: imports and suggestions that came meanwhile go first."""
        if tasks.check_links(until=time.monotonic() + TURN) and not self._stop.is_set():
            self._doorbell.ring({rechecks.BELL})

    def _send(self) -> None:
        """Each second, or at once when the bell rings: give every channel with something due its lane."""
        while not self._stop.is_set():
            self._wake.wait(LOOK)
            self._wake.clear()
            with self._context():
                self._guarded("rescue", self._rescue)
                self._guarded("brakes", self._recount)
                self._guarded("look", self._open_lanes)
                self._guarded("rounds", self._open_rounds)

    def _open_rounds(self) -> None:
        """Have the rounds that are due compared beside the lanes: on a large channel that takes seconds."""
        with unit_of_work(read_only=True) as session:
            waits = schedules.due(session, now=utc_now())
        if waits and not self._stop.is_set() and not self._planning.locked():
            self._lanes.submit(self._rounds)

    def _rounds(self) -> None:
        with self._context():
            self._alone(self._planning, "schedules", tasks.run_schedules)

    def _open_looks(self) -> None:
        """Have connectors looked at beside the lanes: one that does not answer takes seconds."""
        with unit_of_work(read_only=True) as session:
            waits = channel_looks.due(session, now=utc_now())
        if waits and not self._stop.is_set() and not self._looking.locked():
            self._lanes.submit(self._looks)

    def _looks(self) -> None:
        with self._context():
            self._alone(self._looking, "looks", lambda: tasks.look_at_channels(self._settings))

    def _rescue(self) -> None:
        """Free what dead workers held as soon as their leases are over."""
        with unit_of_work(read_only=True) as session:  # mostly there is none, and nobody need wait for that
            if not propagation.lost(session, now=utc_now()):
                return
        with unit_of_work() as session:
            freed = propagation.rescue(session, now=utc_now())
        log.warning("rescued", deliveries=freed)

    def _recount(self) -> None:
        """Let held channels say the number of now, and go on when their reason has gone; large ones more rarely."""
        began = time.monotonic()
        if began >= self._recount_at:
            tasks.look_at_brakes()
            self._recount_at = began + RARER * (time.monotonic() - began)

    def _open_lanes(self) -> None:
        with unit_of_work(read_only=True) as session:
            due = propagation.due_channels(session, now=utc_now())
        for channel_id in due:
            with self._guard:
                if channel_id in self._busy or self._stop.is_set():
                    continue
                self._busy.add(channel_id)
            self._lanes.submit(self._lane, channel_id)

    def _lane(self, channel_id: int) -> None:
        try:
            with self._context():
                self._guarded("send", lambda: self._send_to(channel_id))
        finally:
            with self._guard:
                self._busy.discard(channel_id)

    def _send_to(self, channel_id: int) -> None:
        done = tasks.send_channel(self._settings, channel_id, until=time.monotonic() + TURN)
        if done.sent or done.failed or done.fenced:
            log.info("sent", channel=channel_id, sent=done.sent, failed=done.failed, fenced=done.fenced)

    def _pulse(self) -> None:
        """Tell that we live, and clear what is past its time."""
        while True:
            with self._context():
                self._guarded("pulse", self._beat)
                self._guarded("join", self._join)
                self._guarded("looks", self._open_looks)
                self._guarded("uploads", self._remove_old_uploads)
            if self._stop.wait(health.HEARTBEAT.total_seconds()):
                return

    def _beat(self) -> None:
        with unit_of_work() as session:
            health.beat(session, tasks.worker_name(), now=utc_now())
            propagation.close_idle_runs(session, now=utc_now())

    def _remove_old_uploads(self) -> None:
        """Remove files whose import is past taking back, and what checks left that were killed."""
        importers.discard_old_parts(self._settings.uploads, (utc_now() - UNFINISHED).timestamp())
        oldest = (utc_now() - KEPT).timestamp()
        for path in self._settings.uploads.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime < oldest:
                    path.unlink()

    def _alone(self, lock: threading.Lock, what: str, work: Callable[[], object]) -> None:
        """Do what one thread of this process does at a time: the others go on to what comes next."""
        if lock.acquire(blocking=False):
            try:
                self._guarded(what, work)
            finally:
                lock.release()

    def _guarded(self, what: str, work: Callable[[], object]) -> None:
        """One failure must not end a thread: it is logged and the next look tries again."""
        try:
            work()
        except Exception:
            log.exception("failed", what=what)
