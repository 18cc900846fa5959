"""Commands that go on until they are stopped: `run` (web and worker together) and `worker`."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import click
from flask import Flask

from webapp import warmup
from webapp.cli.compressing import Compressing
from webapp.cli.support import Say, command
from webapp.config import Settings
from webapp.db import db, unit_of_work
from webapp.errors import Refused
from webapp.migrations import current, newest, upgrade
from webapp.services import accounts

THREADS = 16
PATIENCE = 30.0  # seconds a worker gets to bring its deliveries to an end
LONG_LIVED = 60.0  # a worker that lived this long died of something new: begin again without waiting
LONGEST_WAIT = 30.0
log = logging.getLogger("run")


@command("run", database=False, json_option=False)
def run(say: Say) -> None:
    """Upgrade the database, start web and worker, and print the address."""
    set_up_logging()
    settings = say.settings
    with _alone(settings.instance / "run.lock", settings):
        listening = _listen(settings)
        if current(db.engine) != newest():
            upgrade(db.engine)
        click.echo(f"Pairbook answers at {settings.listening}")
        if link := _setup_link(settings):
            click.echo(f"Set up the owner's account here, once: {link}")
        sys.stdout.flush()
        with _keeper():
            serve(say.app, listening, settings)


@command("worker", json_option=False)
@click.option("--parent", type=int, hidden=True, help="End when this process is no longer the parent.")
def worker(say: Say, parent: int | None) -> None:
    """Run one more worker, on this or another machine."""
    from webapp.jobs.worker import Worker

    set_up_logging()
    app = say.app
    busy = Worker(say.settings, app.extensions["pairbook_doorbell"], app.extensions["pairbook_index"], app.app_context)
    busy.start()
    ended = threading.Event()
    _on_signals(lambda *_: ended.set())
    while not ended.wait(1.0):
        if parent is not None and os.getppid() != parent:
            log.warning("worker.orphaned")
            break
    busy.stop()


def serve(app: Flask, listening: socket.socket, settings: Settings) -> None:
    """Answer requests until a signal comes."""
    from waitress.server import create_server

    server = create_server(
        Compressing(app),
        sockets=[listening],
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=not settings.trusted_proxies,
        channel_timeout=60,
        max_request_body_size=2 * settings.upload_limit,  # what is a little too large is told so on a page of ours
    )

    def leave(*_: Any) -> None:
        raise SystemExit(0)

    _on_signals(leave)
    warmup.start(app)
    try:
        server.run()  # ends its threads on SystemExit
    finally:
        server.close()


def set_up_logging(stream: Any = None) -> None:
    """One line per event on standard error, ours and those of libraries."""
    import structlog

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    line = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"], bool_as_flag=False)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                line,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for noisy in ("huey", "alembic", "httpx2", "httpcore2", "waitress.queue", "numba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _setup_link(settings: Settings) -> str:
    """A fresh one-time link while nobody owns the instance; the one before stops working."""
    with unit_of_work() as session:
        if not accounts.needs_owner(session):
            return ""
        return f"{settings.address}/setup/{accounts.new_setup_code(session)}"


@contextlib.contextmanager
def _alone(path: Path, settings: Settings) -> Iterator[None]:
    """Hold the instance: a second `run` on it is told so in words."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(
                f"Pairbook runs on {settings.instance} already. Stop it first, or choose another PAIRBOOK_INSTANCE."
            ) from error
        yield


def _listen(settings: Settings) -> socket.socket:
    """The open port; raises Refused when somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        words = f"Port {settings.port} on {settings.host} cannot be used ({error.strerror})."
        raise Refused(f"{words} Stop what listens there, or choose another PAIRBOOK_PORT.") from error
    listening.listen(256)
    return listening


@contextlib.contextmanager
def _keeper() -> Iterator[None]:
    """Keep a worker alive beside the web server: a dead one is started again, more slowly each time it dies young."""
    ended = threading.Event()
    keeper = threading.Thread(target=_keep_worker, args=(ended,), name="keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join(PATIENCE + 5)


def _keep_worker(ended: threading.Event) -> None:
    wait = 0.0
    while not ended.wait(wait):
        began = time.monotonic()
        child = _start_worker()
        while child.poll() is None and not ended.wait(0.25):
            pass
        if ended.is_set():
            _end(child)
            return
        wait = 0.5 if time.monotonic() - began > LONG_LIVED else min(max(wait * 2, 0.5), LONGEST_WAIT)
        log.warning("worker.died exit=%s again_in=%s", child.returncode, wait)


def _start_worker() -> subprocess.Popen[bytes]:
    """A worker of its own process group: Ctrl+C in the terminal reaches `run` alone, which then ends both in order."""
    line = [sys.executable, "-m", "webapp.cli", "worker", "--parent", str(os.getpid())]
    return subprocess.Popen(line, start_new_session=True, stdin=subprocess.DEVNULL)  # noqa: S603  # our own interpreter and module


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _on_signals(handle: Any) -> None:
    def once(number: int, frame: FrameType | None) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)  # a second Ctrl+C must not cut the clean end short
        handle(number, frame)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, once)


COMMANDS = (run, worker)
