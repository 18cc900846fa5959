"""Many catalogue managers at once, on the real server, each with a pace of their own.

    python bench/managers.py --instance FOLDER [--managers 20] [--minutes 2] [--pause 5] [--processes 4]

The instance is one that bench/scale.py has left (`--instance` there): its catalogue, listings and suggestions. The
server is gunicorn as the README starts it, without a worker beside it. Each manager signs in and then goes on: of ten
acts seven are a decision with the fetch of the listing after the next, as the screen makes it, one searches the
catalogue from the review, one searches the pairs, and one looks at a page (overview, pairs, products, activity, or the
queue of the review). Between two acts a manager pauses, an exponential time with the mean of --pause seconds: five
seconds are the mean of a decision in the keystroke model that the screen was designed by. An act that comes late
shifts those after it.

Prints n, the achieved rate and the times of 50, 95 and 99 of 100 requests of each kind, as the client sees them. The
baseline beside them is the same kind of request by one manager alone, before the others come.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from flask_security import hash_password  # noqa: E402 - the paths above make the program importable
from make_data import BRANDS, THINGS  # noqa: E402
from scale_steps import instance  # noqa: E402
from sqlalchemy import select  # noqa: E402

from webapp.db import db, unit_of_work  # noqa: E402
from webapp.migrations import upgrade  # noqa: E402
from webapp.models import Listing, ListingState, User  # noqa: E402
from webapp.models.accounts import COMMAND_LINE, Role  # noqa: E402
from webapp.models.listings import NOT_COMPUTED  # noqa: E402
from webapp.services import accounts  # noqa: E402

PASSWORD = "four unrelated small words"  # noqa: S105 - of users of a benchmark
LIMITS = {"decision": 50, "next listing": 150, "search": 120, "pairs by words": 150, "page": 150}  # ms, 95 of 100
PAGES = ("/", "/pairs", "/products", "/activity", "/review")
APART = 200  # listings of the queue between the places where two managers begin
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
MARK, HIDDEN = re.compile(r'data-stage="([^"]+)"'), re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
ACTION, NEXT = re.compile(r'action="(/review/\d+)/link([^"]*)"'), re.compile(r'href="([^"]+)"[^>]*data-next')
Times = dict[str, list[float]]


@dataclass(frozen=True)
class Stage:
    """What the screen shows of one listing: where decisions go and with what, its mark, and the listing after it."""

    path: str
    query: str
    fields: dict[str, str]
    mark: str
    next: str

    @classmethod
    def of(cls, page: str) -> Stage | None:
        """Read it from a page; None when the page has none, or nobody can decide there."""
        action, mark, after = ACTION.search(page), MARK.search(page), NEXT.search(page)
        if not (action and mark and after):
            return None
        fields = {name: unescape(value) for name, value in HIDDEN.findall(page[action.start() :])}
        return cls(action[1], unescape(action[2]), fields, mark[1], unescape(after[1]))


@dataclass
class Manager:
    """One person: a connection kept open, a session, a place in the queue where nobody else begins."""

    number: int
    port: int
    start: int
    times: Times = field(default_factory=lambda: defaultdict(list))
    cookies: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    stage: Stage | None = None
    ahead: Stage | None = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def begin(self) -> None:
        """As a browser does it: the form, its token, the cookie; then the review, and the next listing ahead."""
        token = TOKEN.search(self.ask("", "GET", "/login"))
        form = {"email": _email(self.number), "password": PASSWORD, "csrf_token": token[1] if token else ""}
        self.ask("", "POST", "/login", form)
        self.stage = Stage.of(self.ask("", "GET", f"/review/{self.start}"))
        if self.stage is None:
            raise SystemExit(f"The review shows nothing to decide at /review/{self.start}.")
        self.ahead = Stage.of(self.ask("", "GET", self.stage.next, piece="ahead"))

    def work(self, until: float, pause: float) -> None:
        """Go on until that moment (monotonic), or the end of the queue."""
        while time.monotonic() < until and self.stage and self.ahead:
            time.sleep(self.chance.expovariate(1 / pause))
            dice = self.chance.random()
            if dice < 0.7:
                self.decide(self.stage, self.ahead)
            elif dice < 0.8:
                self.ask("search", "GET", f"{self.stage.path}/search?{self._words()}", piece="found")
            elif dice < 0.9:
                self.ask("pairs by words", "GET", f"/pairs?{self._words()}")
            else:
                self.ask("page", "GET", self.chance.choice(PAGES))

    def decide(self, stage: Stage, ahead: Stage) -> None:
        """One key: the decision, which says what stands there already, and the listing after the next fetched ahead."""
        path = f"{stage.path}/{self.chance.choice(('none', 'skip', 'ignore'))}{stage.query}"
        self.ask("decision", "POST", path, {**stage.fields, "shown": ahead.mark}, piece="stage")
        self.stage, self.ahead = ahead, Stage.of(self.ask("next listing", "GET", ahead.next, piece="ahead"))

    def ask(self, kind: str, method: str, path: str, data: dict[str, str] | None = None, *, piece: str = "") -> str:
        """One request, its time noted under its kind; gives the page."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if piece:
            headers |= {"HX-Request": "true", "HX-Target": piece}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        text = urlencode(data) if data is not None else None
        begun = time.perf_counter()
        try:
            self.connection.request(method, path, text, headers)
            answer = self.connection.getresponse()
        except (ConnectionError, http.client.NotConnected):  # kept open for too long: a browser connects again too
            self.connection.close()
            self.connection.request(method, path, text, headers)
            answer = self.connection.getresponse()
        body = answer.read()
        if kind:
            self.times[kind].append((time.perf_counter() - begun) * 1000)
        if answer.status >= 400:
            self.failed.append(f"{answer.status} {method} {path}")
        for value in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return body.decode("utf-8", "replace")

    def _words(self) -> str:
        return urlencode({"q": f"{self.chance.choice(BRANDS)} {self.chance.choice(THINGS)}"})


def main() -> int:
    """One manager alone, then all; exit code 1 when a kind is slower than it may be, or an answer was an error."""
    given = arguments()
    starts = _people(given.instance, given.managers + 1)
    with _server(given.instance, given.processes) as port:
        managers = [Manager(number, port, start) for number, start in enumerate(starts)]
        for manager in managers:
            manager.begin()
        first, *rest = managers
        print("one manager alone …", file=sys.stderr)
        first.work(time.monotonic() + 20 * given.minutes, 0.2)
        print(f"{given.managers} managers …", file=sys.stderr)
        begun = time.monotonic()
        until = begun + 60 * given.minutes
        threads = [threading.Thread(target=manager.work, args=(until, given.pause)) for manager in rest]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - begun
    return _table(first, rest, seconds)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instance", type=Path, required=True)
    parser.add_argument("--managers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--pause", type=float, default=5.0, help="mean seconds between two acts of one manager")
    parser.add_argument("--processes", type=int, default=4, help="web processes, as many as the README starts")
    return parser.parse_args()


def _email(number: int) -> str:
    return f"manager{number}@example.com"


def _people(folder: Path, count: int) -> list[int]:
    """Editors that can sign in, and for each of them the listing to begin with, first those that have suggestions."""
    with instance(folder):
        upgrade(db.engine)  # the instance may be older
        with unit_of_work() as session:
            known = set(session.scalars(select(User.email)))
            for email in {_email(number) for number in range(count)} - known:
                accounts.add_user(
                    session, email, Role.EDITOR, by=COMMAND_LINE, password=PASSWORD, hash_password=hash_password
                )
        with unit_of_work(read_only=True) as session:
            waits = select(Listing.id).where(Listing.state == ListingState.PENDING, Listing.place <= NOT_COMPUTED)
            return list(session.scalars(waits.order_by(Listing.place, Listing.id).limit(count * APART)))[::APART]


@contextmanager
def _server(folder: Path, processes: int) -> Iterator[int]:
    """Gunicorn on a free port, ready when it has answered and every process has had its time to warm up."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", "webapp:create_app()", "--workers", str(processes), "--threads", "8",
        "--bind", f"127.0.0.1:{port}", "--log-level", "warning",
    ]  # fmt: skip
    environ = {**os.environ, "PAIRBOOK_INSTANCE": str(folder), "PAIRBOOK_SECRET_KEY": "scale" * 16}
    with subprocess.Popen(command, cwd=ROOT, env=environ) as server:
        try:
            _wait_for(port)
            time.sleep(20)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server has not come up within a minute.")


def _table(alone: Manager, managers: list[Manager], seconds: float) -> int:
    times: Times = defaultdict(list)
    for manager in managers:
        for kind, own in manager.times.items():
            times[kind] += own
    failed = [one for manager in (alone, *managers) for one in manager.failed]
    every = sum(map(len, times.values()))
    print(f"{len(managers)} managers for {seconds:.0f} s: {every:,} requests, {every / seconds:.1f} a second, ", end="")
    print(f"{len(times['decision']):,} decisions, {60 * len(times['decision']) / seconds:.0f} a minute\n")
    print(f"{'':<16}{'n':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'alone p95':>11}{'allowed':>9}")
    good = not failed
    for kind, allowed in LIMITS.items():
        found = sorted(times[kind])
        late = _at(found, 0.95)
        good = good and late <= allowed
        print(
            f"{kind:<16}{len(found):>7,}{statistics.median(found or [0]):>9.1f}{late:>9.1f}{_at(found, 0.99):>9.1f}"
            f"{_at(sorted(alone.times[kind]), 0.95):>11.1f}{allowed:>9}{'' if late <= allowed else '  TOO SLOW'}"
        )
    for one in failed[:10]:
        print("failed:", one)
    return 0 if good else 1


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
