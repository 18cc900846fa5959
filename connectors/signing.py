"""Standard Webhooks signatures: the receiver can tell that a message is ours, whole and fresh."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from connectors.wording import phrase

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)


def new_secret() -> str:
    """A fresh secret of 32 random bytes in the written form `whsec_<base64>`."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def split_secrets(text: str) -> list[str]:
    """The secrets of an option, newest first, parted by white space; two are given while one replaces the other."""
    return text.split()


def secret_bytes(secret: str) -> bytes:
    """The key of one written secret: base64 after `whsec_`, otherwise the text itself in UTF-8.

    Raises ValueError when what follows `whsec_` is not base64 or is empty.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError(phrase("A secret that begins with whsec_ continues in base64. Paste it again, whole."))
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature `v1,<base64>` over `id.timestamp.body`; the timestamp is in whole seconds since 1970 UTC."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(keys: Sequence[bytes], message_id: str, body: bytes, *, now: datetime) -> dict[str, str]:
    """The three headers of a message: its id, the time `now`, and one signature for each key."""
    timestamp = int(now.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, message_id, timestamp, body) for key in keys),
    }


def message_id(parts: Iterable[str]) -> str:
    """An id that is the same whenever the parts are: retries of one batch keep it, another batch never meets it."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        # Each part carries its length, so that "ab","c" and "a","bc" differ.
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return "msg_" + base64.urlsafe_b64encode(digest.digest()[:24]).decode()


def verify(key: bytes, headers: dict[str, str], body: bytes, *, now: datetime) -> bool:
    """Whether a received message carries a good signature of `key` that is at most five minutes old.

    `headers` has lower-case names. The comparison takes the same time whether right or wrong.
    """
    stamp = headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        return False
    expected = signature(key, headers.get("webhook-id", ""), int(stamp), body).encode()
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split()
    return any(hmac.compare_digest(expected, one) for one in given)
