"""A real HTTP server that plays a marketplace: scripted faults, an arrival log, and a table of what it shows.

In a test: `with StubChannel(secret=…) as stub: stub.script("429:7", "timeout-then-applied:0.5"); … stub.arrivals`.
From a shell: `python tests/stub_channel.py --port 9000 --log arrivals.jsonl --secret whsec_… --script 200,500,items`;
then `POST /_script` (a JSON list of behaviours), `GET /_state`, `GET /_arrivals` and `POST /_reset` steer it from other
processes. `stub_behaviours.py` lists what it can do; an argument follows a colon. The default is `200`.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

if not __package__:
    # Started as a script: the folder above is where `tests` is found.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.stub_behaviours import parse


@dataclass
class Shown:
    """What the stub shows for one listing."""

    quantity: int | None = None
    price: str | None = None
    currency: str | None = None
    product_version: int = 0
    link_version: int = 0
    key: str = ""


@dataclass
class Arrival:
    """One request: `begin_ns` when its first line was read, `end_ns` when the answer was out (monotonic clock)."""

    number: int
    begin_ns: int
    path: str
    behaviour: str
    headers: dict[str, str]
    body: str
    items: list[dict[str, Any]]
    signature_ok: bool | None
    connection: int
    end_ns: int = 0
    applied: list[str] = field(default_factory=list)


class StubChannel:
    """The server and its memory. Thread-safe; `fenced` makes it compare versions instead of obeying the last writer."""

    def __init__(
        self,
        *,
        port: int = 0,
        secret: str = "",
        log: Path | None = None,
        default: str = "200",
        fenced: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.default = default
        self.secret = secret
        self.fenced = fenced
        self.tls = tls
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.closing = threading.Event()
        self.pending: deque[str] = deque()
        self.arrivals: list[Arrival] = []
        self.shown: dict[str, Shown] = {}
        self.series: dict[str, list[tuple[int, int]]] = {}
        self._log = log.open("a", encoding="utf-8", buffering=1) if log else None
        self._server = _Server(("127.0.0.1", port), StubHandler, self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True, name="stub")

    @property
    def url(self) -> str:
        """Where updates are posted."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

    def script(self, *behaviours: str) -> None:
        """Queue behaviours for the next requests, one each; after them the default applies again."""
        for behaviour in behaviours:
            parse(behaviour)
        with self.lock:
            self.pending.extend(behaviours)

    def wait_for(self, condition: Callable[[StubChannel], bool], seconds: float = 30.0) -> bool:
        """Whether `condition` came true in time; looked at after each arrival and each application."""
        with self.changed:
            return self.changed.wait_for(lambda: condition(self), timeout=seconds)

    def reset(self) -> None:
        """Forget the script, the arrivals and the table."""
        with self.lock:
            for memory in (self.pending, self.arrivals, self.shown, self.series):
                memory.clear()

    def overlaps(self) -> int:
        """How many pairs of requests for one listing were in flight at the same time."""
        with self.lock:
            spans = [
                (one.begin_ns, one.end_ns or time.monotonic_ns(), item.get("listing_id"))
                for one in self.arrivals
                for item in one.items
            ]
        spans.sort(key=lambda span: span[0])
        busy: dict[Any, int] = {}
        count = 0
        for begin, end, listing in spans:
            count += begin < busy.get(listing, 0)
            busy[listing] = max(end, busy.get(listing, 0))
        return count

    def start(self) -> Self:
        """Begin to serve on a thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Wake everything that hangs, and close."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        if self._log:
            self._log.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    # What the handler does with it.

    def take(self, arrival: Arrival) -> None:
        """Note an arrival and give it the next behaviour."""
        with self.changed:
            arrival.number = len(self.arrivals)
            arrival.behaviour = self.pending.popleft() if self.pending else self.default
            self.arrivals.append(arrival)
            self.changed.notify_all()

    def apply(self, arrival: Arrival, listing_ids: set[str] | None = None) -> None:
        """Carry out the request's items (all, or those named); a fenced stub leaves out what is older."""
        with self.changed:
            for item in arrival.items:
                listing = str(item.get("listing_id"))
                if listing_ids is None or listing in listing_ids:
                    self._apply_one(arrival, listing, item)
            self.changed.notify_all()

    def _apply_one(self, arrival: Arrival, listing: str, item: dict[str, Any]) -> None:
        version = item.get("version") or {}
        mine = (int(version.get("link", 0)), int(version.get("product", 0)))
        shown = self.shown.setdefault(listing, Shown())
        if self.fenced and mine < (shown.link_version, shown.product_version):
            return
        shown.link_version, shown.product_version = mine
        shown.key = str(item.get("key", ""))
        shown.quantity = item.get("quantity", shown.quantity)
        shown.price = item.get("price", shown.price)
        shown.currency = item.get("currency", shown.currency)
        self.series.setdefault(listing, []).append(mine)
        arrival.applied.append(listing)

    def finish(self, arrival: Arrival) -> None:
        """Note when an answer was out, and write the arrival to the log file."""
        with self.changed:
            arrival.end_ns = time.monotonic_ns()
            if self._log and not self._log.closed:
                self._log.write(json.dumps(asdict(arrival), ensure_ascii=False) + "\n")
            self.changed.notify_all()

    def signed(self, headers: dict[str, str], body: bytes) -> bool | None:
        """Whether the signature is right for our secret (any of several given); None without a secret.

        Written down here a second time, from the Standard Webhooks text, so that it can contradict the sender.
        """
        if not self.secret:
            return None
        message = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        good = set()
        for secret in self.secret.split():
            key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
            good.add("v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode())
        return bool(good & set(headers.get("webhook-signature", "").split()))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], stub: StubChannel) -> None:
        self.stub = stub
        self.connections = 0
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The TLS handshake takes place on the connection's own thread."""
        if self.stub.tls is None:
            return super().finish_request(request, client_address)
        with self.stub.tls.wrap_socket(request, server_side=True) as encrypted:
            return super().finish_request(encrypted, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the play."""


class StubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    began = 0

    def parse_request(self) -> bool:
        self.began = time.monotonic_ns()
        return super().parse_request()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on standard error; the arrivals are the log."""

    def setup(self) -> None:
        super().setup()
        self.connection_number = self.server.connections

    def do_GET(self) -> None:
        stub = self.server.stub
        with stub.lock:
            answers = {
                "/_state": {listing: asdict(shown) for listing, shown in stub.shown.items()},
                "/_arrivals": [asdict(arrival) for arrival in stub.arrivals],
            }
        known = self.path in answers
        self.reply(200 if known else 404, json.dumps(answers.get(self.path, {})).encode(), "application/json")

    def do_POST(self) -> None:
        stub = self.server.stub
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/_script":
            stub.script(*json.loads(body))
            return self.reply(204)
        if self.path == "/_reset":
            stub.reset()
            return self.reply(204)
        headers = {name.lower(): value for name, value in self.headers.items()}
        arrival = Arrival(
            0,
            self.began,
            self.path,
            "",
            headers,
            body.decode("utf-8", "replace"),
            _items(body),
            stub.signed(headers, body),
            self.connection_number,
        )
        stub.take(arrival)
        try:
            if arrival.signature_ok is False:
                self.reply(401, b'{"message":"bad signature"}', "application/json")
            else:
                play, argument = parse(arrival.behaviour)
                play(self, arrival, argument)
        except OSError:
            self.close_connection = True
        finally:
            stub.finish(arrival)
        return None

    def reply(self, status: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> None:
        """A whole answer with its length."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if body:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply_items(self, items: list[dict[str, Any]], status: int = 200, **headers: str) -> None:
        self.reply(status, json.dumps({"items": items}).encode(), "application/json", **headers)

    def pause(self, seconds: float) -> None:
        """Sleep, but not past the end of the test."""
        self.server.stub.closing.wait(seconds)


def _items(body: bytes) -> list[dict[str, Any]]:
    try:
        items = json.loads(body)["items"]
    except (ValueError, KeyError, TypeError):
        return []
    return [item for item in items if isinstance(item, dict)]


def main() -> None:
    """Serve until interrupted; the first line on standard output is the address."""
    parser = argparse.ArgumentParser(description="A scripted marketplace for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--secret", default="")
    parser.add_argument("--default", default="200")
    parser.add_argument("--script", default="", help="behaviours, parted by commas")
    parser.add_argument("--fenced", action="store_true", help="refuse older versions")
    given = parser.parse_args()
    stub = StubChannel(port=given.port, secret=given.secret, log=given.log, default=given.default, fenced=given.fenced)
    stub.script(*filter(None, given.script.split(",")))
    with stub:
        sys.stdout.write(stub.url + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
