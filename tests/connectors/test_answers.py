"""Whatever a receiver says: one outcome for each update, in order, and success only where it was said."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import Status, Update
from connectors.answers import read_retry_after, settle
from connectors.outbound import Answer
from tests.connectors.conftest import NOW, update

UPDATES = [update("A"), update("B"), update("C")]
TAKEN = {Status.APPLIED, Status.ACCEPTED}
FINITE = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(["accepted", "applied", "rejected", "throttled", "APPLIED", "ok", ""])
ITEM = st.fixed_dictionaries(
    {"listing_id": st.sampled_from(["A", "B", "C", "D", 1]) | JSON, "status": WORDS | JSON},
    optional={"code": JSON, "message": JSON, "retry_after": JSON},
)


def settled(body: bytes, status: int = 200, updates: list[Update] = UPDATES) -> list[Status]:
    outcomes = settle(updates, Answer(status, {}, body), now=NOW)
    assert [outcome.listing_id for outcome in outcomes] == [one.listing_id for one in updates]
    return [outcome.status for outcome in outcomes]


@given(st.integers(200, 599), st.binary(min_size=1, max_size=60))
def test_no_bytes_break_the_reading(status: int, body: bytes) -> None:
    if body.strip():
        assert TAKEN.isdisjoint(settled(body, status))


@given(st.integers(200, 599), JSON)
def test_no_json_without_items_is_success(status: int, content: Any) -> None:
    assert TAKEN.isdisjoint(settled(json.dumps(content).encode(), status))


@given(st.lists(ITEM | JSON, max_size=6))
def test_a_listing_is_taken_only_when_every_word_about_it_says_so(items: list[Any]) -> None:
    statuses = settled(json.dumps({"items": items}).encode())
    for one, status in zip(UPDATES, statuses, strict=True):
        said = [item["status"] for item in items if isinstance(item, dict) and item.get("listing_id") == one.listing_id]
        assert (status in TAKEN) is (said in ([word] * len(said) for word in ("applied", "accepted")) and bool(said))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_no_json_can_say_makes_no_listing_taken(number: str) -> None:
    item = f'{{"listing_id": "A", "status": "accepted", "code": {number}}}'
    assert TAKEN.isdisjoint(settled(f'{{"items": [{item}]}}'.encode()))


@given(st.permutations([("A", "applied"), ("B", "rejected"), ("C", "throttled"), ("X", "applied")]))
def test_the_order_of_the_answer_does_not_matter(items: list[tuple[str, str]]) -> None:
    body = json.dumps({"items": [{"listing_id": one, "status": status} for one, status in items]}).encode()
    assert settled(body) == [Status.APPLIED, Status.REJECTED, Status.THROTTLED]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"too big"}', "The receiver refused (413): too big"),
        (b'{"error":"no\\u0000pe\\nreally"}', "The receiver refused (413): no pe really"),
        (b'{"error":{"code":1}}', "The receiver refused (413)."),
        (b"plain words", "The receiver refused (413): plain words"),
        (b"<html><script>alert(1)</script>", "The receiver refused (413)."),
        (b"", "The receiver refused (413)."),
        (b"\xff\xfe\x00", "The receiver refused (413)."),
        ("right\u202eleft".encode(), "The receiver refused (413): right left"),
    ],
)
def test_the_reason_of_a_refusal_is_one_plain_line(body: bytes, message: str) -> None:
    (outcome, *_) = settle(UPDATES, Answer(413, {}, body), now=NOW)
    assert outcome.message == message


@given(st.text(max_size=40))
def test_any_retry_after_is_nothing_or_within_the_hour(text: str) -> None:
    seconds = read_retry_after(text, NOW)
    assert seconds is None or 0 <= seconds <= 3600


@given(st.integers(0, 3600))
def test_seconds_and_dates_mean_the_same(seconds: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    assert read_retry_after(date, now) == read_retry_after(str(seconds), now) == seconds


def test_no_header_means_our_own_schedule() -> None:
    assert read_retry_after(None, NOW) is None
    assert read_retry_after("", NOW) is None
