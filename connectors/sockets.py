"""Sockets under guard: the address is checked where it is connected, and one deadline rules every wait."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from contextvars import ContextVar, Token
from ipaddress import ip_address
from types import TracebackType
from typing import Any

import httpcore2

from connectors.addresses import Network, why_refused
from connectors.wording import phrase

SocketAddress = tuple[Any, ...]
Resolved = tuple[socket.AddressFamily, SocketAddress]

_until: ContextVar[float | None] = ContextVar("outbound_deadline", default=None)


class RefusedAddress(Exception):
    """The host leads to an address that the policy does not let us reach."""


class Deadline:
    """Everything in the block, on this thread, is over after `seconds`, however many reads and writes it takes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._tokens: list[Token[float | None]] = []

    def __enter__(self) -> None:
        self._tokens.append(_until.set(time.monotonic() + self._seconds))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _until.reset(self._tokens.pop())


def seconds_left(at_most: float | None = None) -> float | None:
    """Seconds until the deadline, no more than `at_most`; None without either. Raises TimeoutError when it is over."""
    until = _until.get()
    if until is None:
        return at_most
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for this exchange is over")
    return left if at_most is None else min(left, at_most)


def resolve(host: str, port: int, timeout: float | None) -> list[Resolved]:
    """All addresses of a name, in the system's order; raises OSError or TimeoutError.

    The system's resolver knows no time limit, so it works on a thread that we stop waiting for.
    """
    results: list[Resolved] = []
    errors: list[Exception] = []

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            results.extend((family, address) for family, _, _, _, address in found)
        except (OSError, UnicodeError) as error:
            errors.append(error)

    thread = threading.Thread(target=look_up, daemon=True, name="resolve")
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise TimeoutError(f"looking up {host} took too long")
    if errors:
        raise OSError(f"no such name: {errors[0]}")
    return results


class GuardedBackend(httpcore2.NetworkBackend):
    """Resolves once, connects to an address that was checked, and checks again who is at the other end.

    A name that changes its mind between check and connection (DNS rebinding) gains nothing: the name is not asked
    twice. The request keeps its Host header and its TLS server name.
    """

    def __init__(self, allow: Sequence[Network] = ()) -> None:
        self._allow = tuple(allow)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first reachable address of `host`; raises RefusedAddress, ConnectTimeout or ConnectError."""
        with _as_connect_errors(), Deadline(seconds_left(timeout) or 5.0):
            found = self._permitted(host, resolve(host, port, seconds_left()))
            return _Stream(self._first_that_answers(found))

    def _permitted(self, host: str, found: Sequence[Resolved]) -> list[Resolved]:
        reasons = [why_refused(ip_address(address[0]), self._allow) for _, address in found]
        permitted = [one for one, reason in zip(found, reasons, strict=True) if reason is None]
        if not permitted:
            raise RefusedAddress(refusal(host, reasons[0] if reasons else None))
        return permitted

    def _first_that_answers(self, found: Sequence[Resolved]) -> socket.socket:
        """Try one after the other, each with its share of the time, since a dead IPv6 route must not eat it all."""
        failure: OSError = OSError(phrase("no address answered"))
        for position, (family, address) in enumerate(found):
            share = (seconds_left() or 5.0) / (len(found) - position)
            try:
                return self._connected(family, address, share)
            except OSError as error:
                failure = error
        raise failure

    def _connected(self, family: socket.AddressFamily, address: SocketAddress, timeout: float) -> socket.socket:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reason = self._who_answered(connection)
            if reason is not None:
                raise RefusedAddress(refusal(str(address[0]), reason))
        except BaseException:
            connection.close()
            raise
        return connection

    def _who_answered(self, connection: socket.socket) -> str | None:
        """Why the address at the other end is refused; None when it is permitted.

        A connection whose two ends are the same address leads to this very machine, by whatever public name.
        """
        peer = ip_address(connection.getpeername()[0])
        if ip_address(connection.getsockname()[0]) == peer and not any(peer in network for network in self._allow):
            return why_refused(peer) or phrase("machine's own")
        return why_refused(peer, self._allow)


def refusal(host: str, reason: str | None) -> str:
    """Why nothing is sent to a host, and what opens it."""
    return phrase(
        "{host} leads to a {reason} address, which this server does not send to. "
        "If the channel really lives there, add its network to PAIRBOOK_OUTBOUND_ALLOW.",
        host=host, reason=reason or phrase("missing"),
    )  # fmt: skip


class _as_connect_errors:
    """Rename what sockets raise while connecting to what the connection pool expects."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, TimeoutError):
            raise httpcore2.ConnectTimeout(str(error)) from error
        if isinstance(error, OSError):
            raise httpcore2.ConnectError(str(error)) from error


class _Stream(httpcore2.NetworkStream):
    """A connected socket, plain or TLS, whose every wait ends with the deadline of the calling thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to `max_bytes`; b"" at the end. Raises ReadTimeout or ReadError."""
        try:
            self._socket.settimeout(seconds_left(timeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write it all. Raises WriteTimeout or WriteError."""
        rest = memoryview(buffer)
        try:
            while rest:
                self._socket.settimeout(seconds_left(timeout))
                rest = rest[self._socket.send(rest) :]
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The same connection, encrypted and verified for `server_hostname`. Raises ConnectTimeout or ConnectError."""
        try:
            with _as_connect_errors():
                self._socket.settimeout(seconds_left(timeout))
                return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname))
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        """What the pool asks for: the TLS object, and whether an idle connection has something to say."""
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        return _readable(self._socket) if info == "is_readable" else None


def _readable(connection: socket.socket) -> bool:
    """Whether bytes, or the end, wait on an idle connection: then the other side has closed it."""
    if connection.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
