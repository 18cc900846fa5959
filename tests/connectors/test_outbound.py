"""The one HTTP client: where it goes, how long it takes, and what it says when it does not."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.outbound import OutboundClient, OutboundError, OutboundPolicy, Trouble, check_url, client_for
from connectors.sockets import Deadline, GuardedBackend, RefusedAddress, resolve, seconds_left
from tests.connectors.conftest import LOOPBACK
from tests.stub_channel import StubChannel


@pytest.fixture
def client() -> Iterator[OutboundClient]:
    one = OutboundClient(LOOPBACK)
    yield one
    one.close()


@pytest.fixture
def plain_stub() -> Iterator[StubChannel]:
    with StubChannel() as channel:
        yield channel


def trouble(client: OutboundClient, url: str, **options: float) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        client.post(url, b"{}", {}, **options)
    return caught.value


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "0.0.0.0", "127.0.0.1."],
)
def test_no_spelling_of_this_machine_is_reached_without_permission(plain_stub: StubChannel, host: str) -> None:
    client = OutboundClient(OutboundPolicy(connect_seconds=1, total_seconds=1))
    error = trouble(client, f"http://{host}:{plain_stub.port}/hook")
    client.close()
    assert error.trouble in {Trouble.REFUSED_ADDRESS, Trouble.NO_NAME, Trouble.BAD_URL}
    assert not error.may_have_landed
    assert plain_stub.arrivals == []


@pytest.mark.parametrize("host", ["[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "10.0.0.1", "169.254.169.254"])
def test_an_address_outside_the_allow_list_is_refused_before_any_packet(client: OutboundClient, host: str) -> None:
    begun = time.monotonic()
    error = trouble(client, f"http://{host}:9/hook")
    assert (error.trouble, error.permanent) in {(Trouble.BAD_URL, True), (Trouble.REFUSED_ADDRESS, True)}
    assert time.monotonic() - begun < 0.5


def test_the_refusal_says_what_to_do(client: OutboundClient) -> None:
    assert "PAIRBOOK_OUTBOUND_ALLOW" in str(trouble(client, "http://10.0.0.1/hook"))
    assert "private" in str(trouble(client, "http://10.0.0.1/hook"))


def test_a_name_is_asked_once_and_the_checked_address_is_the_one_connected(
    client: OutboundClient, plain_stub: StubChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebinding name: first a permitted address, from then on the metadata service."""
    asked = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *rest: object, **more: object) -> object:
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://shop.example:{plain_stub.port}/hook"
    assert client.post(url, b"{}", {}).status == 200
    assert asked == ["shop.example"]
    assert plain_stub.arrivals[0].headers["host"] == f"shop.example:{plain_stub.port}"
    client.close()
    assert trouble(client, url).trouble is Trouble.REFUSED_ADDRESS


def test_among_several_addresses_only_permitted_ones_are_tried(
    client: OutboundClient, plain_stub: StubChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def several(host: str, port: int, *rest: object, **more: object) -> object:
        names = ["10.0.0.1", "127.0.0.9", "127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, port)) for name in names]

    monkeypatch.setattr(socket, "getaddrinfo", several)
    begun = time.monotonic()
    assert client.post(f"http://shop.example:{plain_stub.port}/hook", b"{}", {}).status == 200
    assert time.monotonic() - begun < 2.0


def test_the_other_end_of_the_socket_is_checked_too(plain_stub: StubChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when the first check is fooled, the connected address decides."""
    import connectors.sockets as sockets

    answers = iter([None, "loopback"])
    monkeypatch.setattr(sockets, "why_refused", lambda address, allow: next(answers))
    client = OutboundClient(LOOPBACK)
    assert trouble(client, plain_stub.url).trouble is Trouble.REFUSED_ADDRESS
    client.close()
    assert plain_stub.arrivals == []


def test_a_public_address_of_this_very_machine_is_refused(
    plain_stub: StubChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback plays the public address here: nothing but the two equal ends of the connection speaks against it."""
    import connectors.sockets as sockets

    monkeypatch.setattr(sockets, "why_refused", lambda address, allow=(): None)
    client = OutboundClient(replace(LOOPBACK, allow=()))
    error = trouble(client, plain_stub.url)
    client.close()
    assert error.trouble is Trouble.REFUSED_ADDRESS
    assert "machine's own" in str(error)


def test_a_header_that_would_start_a_second_one_is_never_written(
    client: OutboundClient, plain_stub: StubChannel
) -> None:
    with pytest.raises(OutboundError) as caught:
        client.post(plain_stub.url, b"{}", {"x-note": "a\r\nx-evil: 1"})
    assert caught.value.trouble is Trouble.BAD_URL
    assert plain_stub.arrivals == []


def test_a_connection_without_deadline_has_a_limit_of_its_own(plain_stub: StubChannel) -> None:
    stream = GuardedBackend(LOOPBACK.allow).connect_tcp("127.0.0.1", plain_stub.port)
    assert stream.get_extra_info("is_readable") is False
    stream.close()
    assert stream.get_extra_info("is_readable") is True


def slam(server: socket.socket, at_once: bool) -> None:
    """Accept one connection and close it: in order, or with a reset after the first bytes."""
    connection, _ = server.accept()
    if not at_once:
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_server_that_hangs_up_during_the_handshake_is_no_certificate_fault(
    client: OutboundClient, at_once: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=slam, args=(server, at_once))
        thread.start()
        error = trouble(client, f"https://127.0.0.1:{server.getsockname()[1]}/hook")
        thread.join()
    assert (error.trouble, error.permanent) == (Trouble.NOT_CONNECTED, False)


def test_a_connection_cut_while_we_write_may_have_carried_something(client: OutboundClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=slam, args=(server, False))
        thread.start()
        with pytest.raises(OutboundError) as caught:
            client.post(f"http://127.0.0.1:{server.getsockname()[1]}/hook", b"x" * 30_000_000, {})
        thread.join()
    assert caught.value.may_have_landed


def test_time_that_is_over_is_over() -> None:
    with Deadline(0), pytest.raises(TimeoutError):
        seconds_left()
    assert seconds_left() is None
    assert seconds_left(3.0) == 3.0
    with Deadline(60), Deadline(1):
        assert (seconds_left(30.0) or 99) <= 1.0


def test_an_unknown_name_is_named(client: OutboundClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    error = trouble(client, "http://no-such-shop.example/hook")
    assert (error.trouble, str(error)) == (Trouble.NO_NAME, "The name no-such-shop.example was not found.")
    assert not error.permanent


def test_a_resolver_that_hangs_does_not_hold_us(client: OutboundClient, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(5) and [])
    begun = time.monotonic()
    error = trouble(client, "http://slow-name.example/hook", seconds=0.3)
    released.set()
    assert time.monotonic() - begun < 2.0
    assert error.trouble is Trouble.NOT_CONNECTED


def test_nothing_listening_means_nothing_was_sent(client: OutboundClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = trouble(client, f"http://127.0.0.1:{taken.getsockname()[1]}/hook")
    assert (error.trouble, error.permanent, error.may_have_landed) == (Trouble.NOT_CONNECTED, False, False)
    assert "connection refused" in str(error)


def test_a_black_hole_is_given_up_after_the_connect_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # The queue of a listener that never accepts is filled, so that the kernel drops further attempts.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        client = OutboundClient(replace(LOOPBACK, connect_seconds=0.4))
        begun = time.monotonic()
        error = trouble(client, f"http://127.0.0.1:{port}/hook")
        assert 0.3 < time.monotonic() - begun < 2.0
        assert error.trouble is Trouble.NOT_CONNECTED
        for one in waiting:
            one.close()
        client.close()


def test_a_server_that_closes_idle_connections_is_simply_called_again(
    client: OutboundClient, plain_stub: StubChannel
) -> None:
    plain_stub.script("200-close", "200")
    assert client.post(plain_stub.url, b"{}", {}).status == 200
    time.sleep(0.05)
    assert client.post(plain_stub.url, b"{}", {}).status == 200
    assert len({arrival.connection for arrival in plain_stub.arrivals}) == 2


def test_an_answer_is_read_up_to_the_limit_and_no_further(client: OutboundClient, plain_stub: StubChannel) -> None:
    plain_stub.script("big:5", "gzip-bomb:50")
    for _ in range(2):
        answer = client.post(plain_stub.url, b"{}", {})
        assert answer.cut
        assert len(answer.body) == LOOPBACK.max_answer


def test_a_deadline_cannot_be_longer_than_the_policy(plain_stub: StubChannel) -> None:
    plain_stub.script("hang")
    client = OutboundClient(replace(LOOPBACK, total_seconds=0.4))
    begun = time.monotonic()
    trouble(client, plain_stub.url, seconds=60)
    assert 0.35 < time.monotonic() - begun < 2.0
    client.close()


def test_threads_share_a_client_without_mixing_answers(client: OutboundClient, plain_stub: StubChannel) -> None:
    plain_stub.default = "echo"
    seen: list[bool] = []

    def call(number: int) -> None:
        for turn in range(10):
            body = f'{{"n": {number * 100 + turn}}}'.encode()
            seen.append(client.post(plain_stub.url, body, {}).body == body)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 80


def test_a_policy_is_read_from_a_list_of_networks() -> None:
    policy = OutboundPolicy.parse(" 127.0.0.0/8, ::1 ,,10.1.2.3/24", total_seconds=3.0)
    assert policy.allow == (ip_network("127.0.0.0/8"), ip_network("::1/128"), ip_network("10.1.2.0/24"))
    assert policy.total_seconds == 3.0
    assert OutboundPolicy.parse("").allow == ()
    with pytest.raises(ValueError, match="'lan' is not a network"):
        OutboundPolicy.parse("127.0.0.0/8,lan")


def test_one_policy_has_one_client() -> None:
    assert client_for(LOOPBACK) is client_for(replace(LOOPBACK))
    assert client_for(LOOPBACK) is not client_for(replace(LOOPBACK, total_seconds=9.0))


def test_an_international_name_is_written_in_ascii() -> None:
    assert check_url("https://bücher.example/hook").raw_host == b"xn--bcher-kva.example"


def test_resolving_reports_every_address_of_a_name() -> None:
    assert [address[0] for _, address in resolve("127.0.0.1", 80, 1.0)] == ["127.0.0.1"]
    assert issubclass(RefusedAddress, Exception)


# TLS, against certificates made here.


def _general_name(host: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)


def certificate(folder: Path, *, host: str = "127.0.0.1", days: int = 1) -> Path:
    """A self-signed certificate and its key in one PEM file; valid for `days` from yesterday on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub")])
    start = datetime.now(UTC) - timedelta(days=2)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=2 + days))
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.{days}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path


def post_over_tls(pem: Path, policy: OutboundPolicy) -> tuple[OutboundError | int, int]:
    """What a POST to a TLS stub gives, and how many requests the stub saw."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    client = OutboundClient(policy)
    with StubChannel(tls=context) as channel:
        try:
            return client.post(channel.url, b"{}", {}).status, len(channel.arrivals)
        except OutboundError as error:
            return error, len(channel.arrivals)
        finally:
            client.close()


def test_a_private_authority_is_trusted_when_configured(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    assert post_over_tls(pem, replace(LOOPBACK, ca_file=str(pem))) == (200, 1)


@pytest.mark.parametrize(
    ("host", "days", "trusted", "words"),
    [
        ("127.0.0.1", 1, False, "self-signed certificate"),
        ("127.0.0.1", -1, True, "certificate has expired"),
        ("127.0.0.2", 1, True, "IP address mismatch"),
    ],
)
def test_a_bad_certificate_is_permanent_and_named(
    tmp_path: Path, host: str, days: int, trusted: bool, words: str
) -> None:
    pem = certificate(tmp_path, host=host, days=days)
    policy = replace(LOOPBACK, ca_file=str(pem)) if trusted else LOOPBACK
    error, seen = post_over_tls(pem, policy)
    assert isinstance(error, OutboundError)
    assert (error.trouble, error.permanent, error.may_have_landed, seen) == (Trouble.TLS, True, False, 0)
    assert words.lower() in str(error).lower()


@pytest.mark.parametrize(("host", "reached"), [("shop.example", True), ("other.example", False)])
def test_the_certificate_must_name_the_host_and_not_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, reached: bool
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *rest, **more: real("127.0.0.1", *rest, **more))
    pem = certificate(tmp_path, host=host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    asked: list[str | None] = []
    context.sni_callback = lambda connection, name, own: asked.append(name)
    client = OutboundClient(replace(LOOPBACK, ca_file=str(pem)))
    with StubChannel(tls=context) as channel:
        url = f"https://shop.example:{channel.port}/hook"
        if reached:
            assert client.post(url, b"{}", {}).status == 200
        else:
            assert "hostname mismatch" in str(trouble(client, url))
    client.close()
    assert asked == ["shop.example"]


def test_a_server_without_tls_is_named_too(client: OutboundClient, plain_stub: StubChannel) -> None:
    error = trouble(client, plain_stub.url.replace("http:", "https:"))
    assert error.trouble is Trouble.TLS
    assert plain_stub.arrivals == []


@pytest.mark.parametrize(
    "url", ["https://exa mple.com/", "http://1.1.1.1#@10.0.0.1/", "https://shop.example\\@evil.example/"]
)
def test_an_address_that_two_programs_read_differently_is_refused(url):
    with pytest.raises(OutboundError) as refused:
        check_url(url)
    assert refused.value.trouble is Trouble.BAD_URL
