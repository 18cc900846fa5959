"""What connector tests share: updates, a stub channel, and a policy that may reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from connectors import Connector, OutboundPolicy, Update, open_connector
from tests.stub_channel import StubChannel

NOW = datetime(2026, 3, 14, 15, 9, 26, 535_897, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = OutboundPolicy(allow=(ip_network("127.0.0.0/8"),), connect_seconds=3.0, total_seconds=10.0)

# A busy machine must not fail an example for being slow, and every run tries the same ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


def update(listing_id: str = "L1", quantity: int | None = 3, price: str | None = None, **more: Any) -> Update:
    """An update of a mug, with what the test is about."""
    fields: dict[str, Any] = {
        "sku": f"SKU-{listing_id}",
        "currency": "EUR",
        "product_version": 7,
        "link_version": 2,
        "key": f"{listing_id}.2.7",
    } | more
    return Update(listing_id, quantity=quantity, price=None if price is None else Decimal(price), **fields)


@pytest.fixture
def stub() -> Iterator[StubChannel]:
    with StubChannel(secret=SECRET) as channel:
        yield channel


@pytest.fixture
def webhook(stub: StubChannel, tmp_path: Path) -> Callable[..., Connector]:
    """Opens webhook connectors to the stub, with options and policy of the test's choice."""

    def open_it(options: Mapping[str, str] | None = None, policy: OutboundPolicy = LOOPBACK) -> Connector:
        given = {"url": stub.url, "secret": SECRET} | dict(options or {})
        return open_connector("webhook", channel="Alpha Market", options=given, outbound=policy, folder=tmp_path)

    return open_it
