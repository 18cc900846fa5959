"""Reading what a webhook receiver answered: every update is settled by its own listing id, never by its place."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.base import Outcome, Status, Update, plain
from connectors.outbound import Answer, OutboundError
from connectors.retry import LONGEST_RETRY_AFTER
from connectors.wording import phrase

ITEM_STATUSES = frozenset({Status.ACCEPTED, Status.APPLIED, Status.REJECTED, Status.THROTTLED})
# Client errors that pass by themselves: request timeout, conflict, too early, too many requests.
PASSING = frozenset({408, 409, 425, 429})
# A gateway gave up waiting; what stands behind it may still be working on the request.
GATEWAY_TIMEOUTS = frozenset({504, 522, 524})


def settle(updates: Sequence[Update], answer: Answer, *, now: datetime) -> list[Outcome]:
    """One outcome for each update, in order, from the receiver's answer to the batch that carried them."""
    if not 200 <= answer.status < 300:
        return _all(updates, _of_status(answer, now))
    if not answer.body.strip() and not answer.cut:
        status = Status.ACCEPTED if answer.status == 202 else Status.APPLIED
        return _all(updates, Outcome("", status, code=f"http_{answer.status}"))
    items = _items(answer)
    if items is None:
        return _all(updates, _unreadable(answer))
    retry_after = read_retry_after(answer.headers.get("retry-after"), now)
    return [_of_items(update, items, retry_after) for update in updates]


def settle_error(updates: Sequence[Update], error: OutboundError) -> list[Outcome]:
    """One outcome for each update when no whole answer came."""
    status = Status.UNKNOWN if error.may_have_landed else Status.FAILED
    return _all(updates, Outcome("", status, str(error.trouble), plain(error), permanent=error.permanent))


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 §10.2.3: whole seconds or a date), from 0 to one hour.

    None when the header is missing or is neither; then our own schedule decides.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        # More digits than a year of seconds has; int() would refuse thousands of them.
        return LONGEST_RETRY_AFTER if len(text) > 9 else min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def _all(updates: Sequence[Update], outcome: Outcome) -> list[Outcome]:
    return [replace(outcome, listing_id=update.listing_id) for update in updates]


def _of_status(answer: Answer, now: datetime) -> Outcome:
    """The outcome of a whole batch that was not answered with success."""
    status, said = answer.status, _said(answer)
    wait = read_retry_after(answer.headers.get("retry-after"), now)
    if status == 410:
        what = phrase("The receiver is gone (410) and asks to hear no more.")
        return Outcome("", Status.REJECTED, "gone", what, permanent=True, closes_channel=True)
    if 300 <= status < 400:
        to = plain(answer.headers.get("location", "nowhere"), 120)
        what = phrase(
            "The receiver redirects ({status}) to {address}; redirects are not followed. Put the final address in url.",
            status=status, address=to,
        )  # fmt: skip
        return Outcome("", Status.FAILED, "redirect", what, permanent=True)
    if status == 429:
        what = phrase("Too many requests.") if said is None else phrase("Too many requests: {said}", said=said)
        return Outcome("", Status.THROTTLED, "http_429", what, wait)
    if status in GATEWAY_TIMEOUTS:
        return Outcome("", Status.UNKNOWN, f"http_{status}", _gave_up(status, said), wait)
    if 400 <= status < 500 and status not in PASSING:
        return Outcome("", Status.REJECTED, f"http_{status}", _refused(status, said), permanent=True)
    return Outcome("", Status.FAILED, f"http_{status}", _not_taken(status, said), wait)


def _gave_up(status: int, said: str | None) -> str:
    if said is None:
        return phrase("A gateway gave up waiting ({status}); the update may have arrived.", status=status)
    return phrase("A gateway gave up waiting ({status}); the update may have arrived: {said}", status=status, said=said)


def _refused(status: int, said: str | None) -> str:
    if said is None:
        return phrase("The receiver refused ({status}).", status=status)
    return phrase("The receiver refused ({status}): {said}", status=status, said=said)


def _not_taken(status: int, said: str | None) -> str:
    if said is None:
        return phrase("The receiver could not take it ({status}).", status=status)
    return phrase("The receiver could not take it ({status}): {said}", status=status, said=said)


def _said(answer: Answer) -> str | None:
    """What the receiver said about it; pages of HTML say nothing."""
    content = _json(answer)
    if isinstance(content, dict):
        texts = [content[name] for name in ("message", "error", "detail") if isinstance(content.get(name), str)]
        return plain(texts[0]) if texts else None
    text = answer.body.decode("utf-8", "replace").strip()
    return plain(text) if text and "<" not in text and "\x00" not in text else None


def _json(answer: Answer) -> Any:
    """The body as strict JSON, or None. Deep nesting, NaN and absurd numbers are no JSON to us."""
    if answer.cut:
        return None
    try:
        return json.loads(answer.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _items(answer: Answer) -> dict[str, list[dict[str, Any]]] | None:
    """The answer's items by listing id, or None when its shape is not the agreed one."""
    content = _json(answer)
    items = content.get("items") if isinstance(content, dict) else None
    if not isinstance(items, list):
        return None
    by_listing: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        if isinstance(item, dict):
            by_listing.setdefault(_listing_id(item), []).append(item)
    return by_listing


def _listing_id(item: dict[str, Any]) -> str:
    """The id as text; some receivers answer 123 to "123"."""
    value = item.get("listing_id")
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _of_items(update: Update, items: dict[str, list[dict[str, Any]]], retry_after: float | None) -> Outcome:
    """The outcome of one update; what the answer does not say plainly is no success."""
    own = items.get(update.listing_id, [])
    if not own:
        return _unclear(update, "missing_item", phrase("The answer does not mention this listing."))
    statuses = {str(item.get("status")) for item in own}
    if len(statuses) > 1:
        first, *others = sorted(map(plain, statuses))
        what = phrase("The answer says {first} and {others}.", first=first, others=" and ".join(others))
        return _unclear(update, "contradiction", what)
    word = statuses.pop()
    if word not in ITEM_STATUSES:
        what = phrase("The answer says {word}, which means nothing to us.", word=repr(plain(word, 60)))
        return _unclear(update, "unknown_status", what)
    status = Status(word)
    wait = (_seconds(own[0].get("retry_after"), retry_after)) if status is Status.THROTTLED else None
    code, message = (plain(own[0].get(name) or "") for name in ("code", "message"))
    return Outcome(update.listing_id, status, code, message, wait, permanent=status is Status.REJECTED)


def _seconds(value: object, otherwise: float | None) -> float | None:
    """An item's own number of seconds, from 0 to one hour."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return min(max(float(value), 0.0), LONGEST_RETRY_AFTER)
    return otherwise


def _unclear(update: Update, code: str, message: str) -> Outcome:
    return Outcome(update.listing_id, Status.FAILED, code, message)


def _unreadable(answer: Answer) -> Outcome:
    """Success in the status line and something else below it: a login page, an empty object, too many bytes."""
    status = answer.status
    if answer.cut:
        what = phrase(
            "The receiver said {status}, but its answer is longer than we read, or packed in a way we do not unpack.",
            status=status,
        )
    elif answer.body.lstrip()[:1] == b"<":
        what = phrase("The receiver said {status}, but its answer is a web page, perhaps a login form.", status=status)
    else:
        what = phrase("The receiver said {status}, but its answer is not the agreed JSON.", status=status)
    return Outcome("", Status.FAILED, "unknown_answer", what)
