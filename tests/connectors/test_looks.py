"""What a look at a connector finds wrong, and that it says what to do."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import OutboundPolicy, open_connector
from tests.connectors.conftest import LOOPBACK, SECRET
from tests.connectors.test_outbound import certificate
from tests.stub_channel import StubChannel


def look(url: str, policy: OutboundPolicy = LOOPBACK) -> str:
    options = {"url": url, "secret": SECRET}
    return open_connector("webhook", channel="A", options=options, outbound=policy, folder=Path("unused")).look()


def test_nobody_at_the_port_is_named_and_updates_wait() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    found = look(f"http://127.0.0.1:{port}/hook")
    assert "No connection to 127.0.0.1: connection refused." in found
    assert "Updates wait and are sent when it answers again." in found


def test_a_name_that_leads_nowhere_is_named() -> None:
    assert "The name nowhere.invalid was not found." in look("https://nowhere.invalid/hook")


def test_an_address_that_this_server_does_not_send_to_says_what_opens_it(stub: StubChannel) -> None:
    found = look(stub.url, OutboundPolicy(connect_seconds=1, total_seconds=1))
    assert "PAIRBOOK_OUTBOUND_ALLOW" in found
    assert "Updates wait" not in found  # they would wait for ever


@pytest.mark.parametrize(("trusted", "words"), [(True, ""), (False, "self-signed certificate")])
def test_the_certificate_is_looked_at_without_a_request(tmp_path: Path, trusted: bool, words: str) -> None:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with StubChannel(tls=context) as channel:
        found = look(channel.url, replace(LOOPBACK, ca_file=str(pem)) if trusted else LOOPBACK)
        assert words in found
        assert bool(found) is not trusted
        assert channel.arrivals == []


def test_a_folder_that_cannot_be_written_is_named_with_the_repair(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file stands where the folder should")
    folder = tmp_path / "out" / "alpha"
    found = open_connector("file", channel="A", options={}, outbound=LOOPBACK, folder=folder).look()
    assert str(folder) in found
    assert "Make room there, or let Pairbook write to it." in found


def test_a_demo_marketplace_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file stands where the folder should")
    found = open_connector("demo", channel="A", options={}, outbound=LOOPBACK, folder=tmp_path / "out").look()
    assert "The demo marketplace is not available" in found
