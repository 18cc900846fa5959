"""Standard Webhooks signatures against a vector computed by hand, and what makes a message id."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.signing import message_id, new_secret, secret_bytes, signature, signed_headers, verify
from tests.connectors.conftest import NOW, SECRET

KEY = secret_bytes(SECRET)


def test_the_example_of_the_specification_verifies() -> None:
    """The example that the Standard Webhooks reference libraries test with."""
    signed = signature(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_base64_after_its_prefix_and_plain_otherwise() -> None:
    assert secret_bytes("whsec_AAEC") == b"\x00\x01\x02"
    assert secret_bytes("grün") == "grün".encode()
    for broken in ("whsec_", "whsec_A", "whsec_!!!!", "whsec_AA EC"):
        with pytest.raises(ValueError, match="base64"):
            secret_bytes(broken)


def test_a_new_secret_has_32_bytes() -> None:
    assert len(secret_bytes(new_secret())) == 32
    assert new_secret() != new_secret()


def test_each_key_signs_and_any_of_them_verifies() -> None:
    headers = signed_headers([KEY, b"old"], "msg_1", b"{}", now=NOW)
    assert len(headers["webhook-signature"].split()) == 2
    for key in (KEY, b"old"):
        assert verify(key, headers, b"{}", now=NOW)
    assert not verify(b"third", headers, b"{}", now=NOW)


@pytest.mark.parametrize("stamp", ["", "soon", "-1", "1e9", "9" * 400, "٣"])
def test_a_timestamp_that_is_none_never_verifies(stamp: str) -> None:
    headers = signed_headers([KEY], "msg_1", b"{}", now=NOW) | {"webhook-timestamp": stamp}
    assert not verify(KEY, headers, b"{}", now=NOW)
    assert not verify(KEY, {}, b"{}", now=NOW)


def test_the_signed_text_is_id_dot_timestamp_dot_body() -> None:
    headers = signed_headers([b"k"], "msg_1", b"body", now=datetime(2026, 1, 1, tzinfo=UTC))
    expected = hmac.new(b"k", b"msg_1.1767225600.body", hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"]), max_size=4), max_size=5))
def test_parts_never_flow_into_each_other(parts: list[str]) -> None:
    joined = message_id(["".join(parts)])
    assert (message_id(parts) == joined) is (parts == ["".join(parts)])
    assert message_id(parts) == message_id(list(parts))
    assert message_id(parts).startswith("msg_")
    assert "." not in message_id(parts)
