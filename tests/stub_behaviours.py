"""What the stub channel can do to a request: one function per behaviour, named as in its script."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.stub_channel import Arrival, StubHandler

LOGIN_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><form>Password</form></body></html>"
# Takes the handler, the arrival, and what stood after the colon.
Play = Callable[["StubHandler", "Arrival", str], None]
BEHAVIOURS: dict[str, Play] = {}


def _ids(arrival: Arrival) -> list[str]:
    return [str(item.get("listing_id")) for item in arrival.items]


def _behaviour(name: str) -> Callable[[Play], Play]:
    def keep(play: Play) -> Play:
        BEHAVIOURS[name] = play
        return play

    return keep


def parse(text: str) -> tuple[Play, str]:
    """The behaviour of a script's word, and its argument; raises ValueError for a word that means nothing."""
    name, _, argument = text.partition(":")
    if name in BEHAVIOURS:
        return BEHAVIOURS[name], argument
    if name.isdigit() and 200 <= int(name) <= 599:
        return lambda handler, arrival, value: _status(handler, arrival, int(name), value), argument
    raise ValueError(f"no behaviour {text!r}; there are status codes and {', '.join(BEHAVIOURS)}")


def _status(handler: StubHandler, arrival: Arrival, status: int, retry_after: str) -> None:
    """`CODE` or `CODE:retry-after`: success applies everything, anything else applies nothing."""
    if 200 <= status < 300:
        handler.server.stub.apply(arrival)
    headers = {"Retry_After": retry_after} if retry_after else {}
    handler.reply(status, b"" if status < 300 else b'{"message":"scripted"}', "application/json", **headers)


@_behaviour("items")
def _each(handler: StubHandler, arrival: Arrival, status: str) -> None:
    """`items[:status]`: every listing is named with that status, in reverse order; applied or accepted ones apply."""
    status = status or "applied"
    if status in {"applied", "accepted"}:
        handler.server.stub.apply(arrival)
    handler.reply_items([{"listing_id": one, "status": status} for one in reversed(_ids(arrival))])


@_behaviour("reject")
def _reject(handler: StubHandler, arrival: Arrival, named: str) -> None:
    """`reject:A|B`: those listings are rejected with a reason, the rest applied."""
    refused = set(named.split("|"))
    handler.server.stub.apply(arrival, set(_ids(arrival)) - refused)
    handler.reply_items(
        [
            {"listing_id": one, "status": "rejected", "code": "price_frozen", "message": "<b>Frozen</b>\nby campaign"}
            if one in refused
            else {"listing_id": one, "status": "applied"}
            for one in _ids(arrival)
        ],
        207,
    )


@_behaviour("throttle")
def _throttle(handler: StubHandler, arrival: Arrival, named: str) -> None:
    """`throttle:A|B`: those listings are throttled with Retry-After 9, the rest applied."""
    slowed = set(named.split("|"))
    handler.server.stub.apply(arrival, set(_ids(arrival)) - slowed)
    items = [{"listing_id": one, "status": "throttled" if one in slowed else "applied"} for one in _ids(arrival)]
    handler.reply_items(items, Retry_After="9")


@_behaviour("missing")
def _missing(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """All is applied, but the answer forgets the first listing and mentions a strange one."""
    handler.server.stub.apply(arrival)
    handler.reply_items([{"listing_id": one, "status": "applied"} for one in [*_ids(arrival)[1:], "not-ours"]])


@_behaviour("other-items")
def _other_items(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """The answer to somebody else's request."""
    handler.reply_items([{"listing_id": "somebody-else", "status": "applied"}])


@_behaviour("body")
def _body(handler: StubHandler, arrival: Arrival, text: str) -> None:
    """`body:TEXT`: 200 with exactly that text, nothing applied."""
    handler.reply(200, text.encode(), "application/json")


@_behaviour("html")
def _html(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """A login page with status 200."""
    handler.reply(200, LOGIN_PAGE, "text/html")


@_behaviour("redirect")
def _redirect(handler: StubHandler, arrival: Arrival, to: str) -> None:
    """`redirect:URL`: 302 to that place, or to our own /elsewhere."""
    handler.reply(302, Location=to or f"http://127.0.0.1:{handler.server.stub.port}/elsewhere")


@_behaviour("slow")
def _slow(handler: StubHandler, arrival: Arrival, seconds: str) -> None:
    """`slow:S`: apply, think for S seconds, answer 200."""
    handler.server.stub.apply(arrival)
    handler.pause(float(seconds or 1))
    handler.reply(200)


@_behaviour("timeout-then-applied")
def _zombie(handler: StubHandler, arrival: Arrival, seconds: str) -> None:
    """`timeout-then-applied:S`: think for S seconds, then apply although nobody may be listening any more."""
    handler.pause(float(seconds or 1))
    handler.server.stub.apply(arrival)
    handler.reply(200)


@_behaviour("hang")
def _hang(handler: StubHandler, arrival: Arrival, seconds: str) -> None:
    """`hang:S`: never answer; the connection closes after S seconds."""
    handler.pause(float(seconds or 60))
    handler.close_connection = True


@_behaviour("reset")
def _reset(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """Read the request, then reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


@_behaviour("half")
def _half(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """Apply, promise a hundred bytes, send ten, hang up."""
    handler.server.stub.apply(arrival)
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items":[')
    handler.close_connection = True


@_behaviour("drip")
def _drip(handler: StubHandler, arrival: Arrival, seconds: str) -> None:
    """`drip:S`: the body comes one byte every 20 ms for S seconds; no single read is slow."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    _trickle(handler, float(seconds or 60))


@_behaviour("drip-headers")
def _drip_headers(handler: StubHandler, arrival: Arrival, seconds: str) -> None:
    """`drip-headers:S`: the headers do."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _trickle(handler, float(seconds or 60))


def _trickle(handler: StubHandler, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not handler.server.stub.closing.is_set():
        handler.wfile.write(b" ")
        handler.pause(0.02)
    handler.close_connection = True


@_behaviour("gzip")
def _gzip(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """Every listing applied, in a packed answer."""
    handler.server.stub.apply(arrival)
    items = [{"listing_id": one, "status": "applied"} for one in _ids(arrival)]
    handler.reply(200, gzip.compress(json.dumps({"items": items}).encode()), Content_Encoding="gzip")


@_behaviour("gzip-bomb")
def _gzip_bomb(handler: StubHandler, arrival: Arrival, megabytes: str) -> None:
    """`gzip-bomb:MB`: white space that unpacks to so many megabytes; read whole, it would count as empty."""
    handler.reply(200, gzip.compress(b" " * (int(megabytes or 50) * 1_000_000)), Content_Encoding="gzip")


@_behaviour("big")
def _big(handler: StubHandler, arrival: Arrival, megabytes: str) -> None:
    """`big:MB`: so many megabytes of white space."""
    handler.reply(200, b" " * (int(megabytes or 10) * 1_000_000))


@_behaviour("many-headers")
def _many_headers(handler: StubHandler, arrival: Arrival, count: str) -> None:
    """`many-headers:N`: an empty 200 under N headers."""
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(int(count or 100_000)))
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + lines + b"\r\n")


@_behaviour("set-cookie")
def _set_cookie(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """An empty 200 that wants to be remembered."""
    handler.server.stub.apply(arrival)
    handler.reply(200, Set_Cookie="session=secret; Path=/")


@_behaviour("200-close")
def _close(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """An empty 200, after which the connection closes without having said so."""
    handler.server.stub.apply(arrival)
    handler.reply(200)
    handler.close_connection = True


@_behaviour("echo")
def _echo(handler: StubHandler, arrival: Arrival, _: str) -> None:
    """The request's own body."""
    handler.reply(200, arrival.body.encode(), "application/json")


@_behaviour("coding")
def _coding(handler: StubHandler, arrival: Arrival, coding: str) -> None:
    """`coding:NAME`: a plain body that claims to be packed by NAME."""
    handler.reply(200, b'{"items":[]}', "application/json", Content_Encoding=coding)


@_behaviour("deaf")
def _deaf(handler: StubHandler, arrival: Arrival, seconds: str) -> None:
    """`deaf:S`: answer, then stop reading from the connection for S seconds, so that the next request fills up."""
    handler.reply(200)
    handler.pause(float(seconds or 5))
    handler.close_connection = True
