"""The one HTTP client for everything that leaves us: checked addresses, one deadline, small answers, no surprises."""

from __future__ import annotations

import os
import re
import ssl
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

import httpcore2
import httpx2

from connectors.addresses import Network
from connectors.sockets import Deadline, GuardedBackend, RefusedAddress
from connectors.wording import phrase


@dataclass(frozen=True)
class OutboundPolicy:
    """What the server may reach, and how long it may take.

    `allow`: networks that may be reached although they are not public. `connect_seconds` is for name and connection
    together, and once more for TLS; `total_seconds` for the whole exchange. `max_answer` is in bytes, packed or
    unpacked. `ca_file` adds a private certificate authority (PEM) to those of the system.
    """

    allow: tuple[Network, ...] = ()
    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    max_answer: int = 65_536
    ca_file: str = ""

    @classmethod
    def parse(cls, allow: str, **settings: Any) -> OutboundPolicy:
        """A policy from a comma-separated list of networks; raises ValueError naming the one it cannot read."""
        networks = []
        for part in filter(None, (piece.strip() for piece in allow.split(","))):
            try:
                networks.append(ip_network(part, strict=False))
            except ValueError:
                raise ValueError(f"{part!r} is not a network; write for instance 192.168.0.0/24 or ::1/128") from None
        return cls(allow=tuple(networks), **settings)


class Trouble(StrEnum):
    """Why there is no answer."""

    BAD_URL = "bad_url"  # Not an address we send to; permanent.
    REFUSED_ADDRESS = "refused_address"  # The name leads to an address that the policy closes; permanent.
    NO_NAME = "no_name"  # The name could not be resolved.
    NOT_CONNECTED = "not_connected"  # No connection, so nothing was sent.
    TLS = "tls"  # The certificate or the handshake is not in order; permanent.
    NOT_SENT = "not_sent"  # Time ran out before the first byte of the request.
    NO_ANSWER = "no_answer"  # The request left, the answer did not come (whole): it may have been carried out.


PERMANENT = frozenset({Trouble.BAD_URL, Trouble.REFUSED_ADDRESS, Trouble.TLS})


class OutboundError(Exception):
    """No usable answer. `trouble` says how far it came; the text is fit for people and holds no secret."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble

    @property
    def permanent(self) -> bool:
        """Whether only a change of settings can help."""
        return self.trouble in PERMANENT

    @property
    def may_have_landed(self) -> bool:
        """Whether the other side may have carried the request out."""
        return self.trouble is Trouble.NO_ANSWER


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case, the last of equal ones) and at most `max_answer` bytes of body.

    `cut` says that the body was longer, or packed in a way that we do not unpack.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@dataclass
class _Progress:
    """How far one request came, as the transport reports it."""

    begun: bool = False
    tls: bool = False

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.begun = True
        self.tls = event == "connection.start_tls.failed"


class OutboundClient:
    """Sends POST requests under one policy and keeps connections open between them; safe to share by threads."""

    def __init__(self, policy: OutboundPolicy) -> None:
        self.policy = policy
        self._tls, self._backend = _tls_context(policy.ca_file), GuardedBackend(policy.allow)
        # We stand on the connection pool, not on httpx2.Client: a client would keep one channel's cookies for the
        # next, and read proxies and passwords from the environment.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=self._tls,
            max_connections=None,
            max_keepalive_connections=32,
            keepalive_expiry=10.0,
            network_backend=self._backend,
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float | None = None) -> Answer:
        """POST `body`; the answer whatever its status. Redirects are answers too, never followed.

        `seconds` may shorten the policy's total. Raises OutboundError when no whole answer came.
        """
        target = check_url(url)
        total = min(seconds or self.policy.total_seconds, self.policy.total_seconds)
        progress = _Progress()
        request = httpcore2.Request(
            "POST",
            httpcore2.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path),
            headers=_headers(target, body, headers),
            content=body,
            extensions={"trace": progress.note, "timeout": {"connect": self.policy.connect_seconds}},
        )
        with Deadline(total), _named_troubles(target.host, progress, total):
            response = self._pool.handle_request(request)
            with closing(response):
                return _read(response, self.policy.max_answer)

    def reach(self, url: str, *, seconds: float | None = None) -> None:
        """Connect as `post` would, to a new connection with its certificate, and hang up: not a word is said.

        Raises OutboundError when `post` would not come as far.
        """
        target = check_url(url)
        total = min(seconds or self.policy.total_seconds, self.policy.total_seconds)
        host, port = target.raw_host.decode("ascii"), target.port or {"http": 80, "https": 443}[target.scheme]
        progress = _Progress()
        with Deadline(total), _named_troubles(target.host, progress, total):
            stream = self._backend.connect_tcp(host, port, self.policy.connect_seconds)
            try:
                progress.tls = target.scheme == "https"
                if progress.tls:
                    stream = stream.start_tls(self._tls, host, self.policy.connect_seconds)
            finally:
                stream.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.close()


_one_at_a_time = threading.Lock()


def _fresh_lock() -> None:
    """A child must not inherit a lock that another thread of its parent held."""
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


os.register_at_fork(after_in_child=_fresh_lock)


def client_for(policy: OutboundPolicy) -> OutboundClient:
    """The process's client for a policy; connectors opened one after the other share its connections."""
    with _one_at_a_time:  # the cache alone would make several for threads that come together, and leave theirs open
        return _client(policy, os.getpid())


@lru_cache(maxsize=16)
def _client(policy: OutboundPolicy, pid: int) -> OutboundClient:
    """Keyed by process too, since a connection must not be used on both sides of a fork."""
    return OutboundClient(policy)


#: A blank or a backslash in an address, or a fragment, is read differently by one program and another.
_NOT_IN_ADDRESS = re.compile(r"[\s\\#]")


def check_url(url: str) -> httpx2.URL:
    """The parsed address of a receiver; raises OutboundError(BAD_URL) with the repair in words."""
    try:
        target = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise OutboundError(Trouble.BAD_URL, phrase("This address cannot be read: {reason}.", reason=error)) from None
    if found := _NOT_IN_ADDRESS.search(url):
        what = phrase("The address holds the character “{sign}”; leave it out.", sign=found[0])
        raise OutboundError(Trouble.BAD_URL, what)
    if target.scheme not in {"http", "https"}:
        raise OutboundError(Trouble.BAD_URL, phrase("The address must begin with https:// or http://."))
    if not target.host:
        raise OutboundError(Trouble.BAD_URL, phrase("The address names no host, as in https://shop.example/hook."))
    if target.userinfo:
        raise OutboundError(Trouble.BAD_URL, phrase("The address holds a user name or password; leave it out."))
    if target.port is not None and target.port not in {80, 443} and not 1024 <= target.port <= 65_535:
        what = phrase("Port {port} is not used by web servers; use 80, 443 or 1024 up.", port=target.port)
        raise OutboundError(Trouble.BAD_URL, what)
    return target


def _headers(target: httpx2.URL, body: bytes, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Host first, the caller's next; no packing is asked for, since an answer of ours is small."""
    named = {
        "host": target.netloc.decode("ascii"),
        "content-length": str(len(body)),
        "accept-encoding": "identity",
        "user-agent": "Pairbook",
        **headers,
    }
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]


def _tls_context(ca_file: str) -> ssl.SSLContext:
    """Verified TLS from 1.2 up with the system's authorities; there is no switch to turn verification off."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


@contextmanager
def _named_troubles(host: str, progress: _Progress, total: float) -> Iterator[None]:
    """Turn what the transport throws into an OutboundError that knows whether the request may have landed."""
    try:
        yield
    except RefusedAddress as error:
        raise OutboundError(Trouble.REFUSED_ADDRESS, str(error)) from None
    except httpcore2.LocalProtocolError as error:
        raise OutboundError(Trouble.BAD_URL, phrase("The request cannot be written: {reason}.", reason=error)) from None
    except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError) as error:
        raise _trouble(host, progress, total, error) from error


def _trouble(host: str, progress: _Progress, total: float, error: Exception) -> OutboundError:
    late = isinstance(error, (httpcore2.TimeoutException, TimeoutError))
    if progress.begun:
        if late:
            what = phrase(
                "{host} did not answer within {seconds} seconds; the update may have arrived.",
                host=host, seconds=f"{total:g}",
            )  # fmt: skip
        else:
            what = phrase("{host} broke off before a whole answer; the update may have arrived.", host=host)
        return OutboundError(Trouble.NO_ANSWER, what)
    if progress.tls and not late and _is_tls(error):
        what = phrase("The secure connection to {host} was not made: {reason}.", host=host, reason=_tls_reason(error))
        return OutboundError(Trouble.TLS, what)
    if str(error).startswith("no such name"):
        return OutboundError(Trouble.NO_NAME, phrase("The name {host} was not found.", host=host))
    if late:
        what = phrase("No connection to {host}: it took too long.", host=host)
    else:
        what = phrase("No connection to {host}: {reason}.", host=host, reason=_short(error))
    return OutboundError(Trouble.NOT_CONNECTED, what)


def _is_tls(error: BaseException | None) -> bool:
    """Whether an SSL error is at the root; a connection cut during the handshake is a plain network fault."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
        error = error.__cause__ or error.__context__
    return False


def _tls_reason(error: Exception) -> str:
    """OpenSSL's words without its prefix and source line."""
    return re.sub(r"^\[SSL[^\]]*\]\s*|\s*\(_ssl\.c:\d+\)", "", _short(error)).rstrip(".")


def _short(error: Exception) -> str:
    return re.sub(r"^\[Errno -?\d+\]\s*", "", str(error) or type(error).__name__)[:200].rstrip(".").lower()


def _read(response: httpcore2.Response, limit: int) -> Answer:
    """Read no more than `limit` bytes, also after unpacking: a few packed bytes can stand for a gigabyte."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    coding = headers.get("content-encoding", "identity").strip().lower()
    chunks: Iterable[bytes] = response.iter_stream()
    if coding in {"gzip", "x-gzip", "deflate"}:
        chunks = _unpacked(chunks, limit)
    elif coding not in {"", "identity"}:
        return Answer(response.status, headers, b"", cut=True)
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            return Answer(response.status, headers, bytes(body[:limit]), cut=True)
    return Answer(response.status, headers, bytes(body))


def _unpacked(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Unpack gzip or zlib piece by piece, never more than one byte past `limit` in one go."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    for chunk in chunks:
        try:
            yield unpacker.decompress(chunk, limit + 1)
        except zlib.error:
            # Not packed as promised. The raw bytes are handed on; they will not read as an answer.
            yield b"\x00" + chunk
            return
