"""The webhook channel against a real server on loopback: what is sent, and what is made of every kind of answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import Connector, Status, Update
from connectors.signing import secret_bytes, verify
from tests.connectors.conftest import LOOPBACK, NOW, SECRET, update
from tests.stub_channel import StubChannel

Open = Callable[..., Connector]
PAIR = [update("A", 1), update("B", 2)]
QUICK = replace(LOOPBACK, total_seconds=0.4)


def test_the_message_is_what_the_contract_says_to_the_letter(webhook: Open, stub: StubChannel) -> None:
    webhook().push([update("A", 3, "19.9", sku="Ä 1"), update("B", 0)], now=NOW)
    (arrival,) = stub.arrivals
    assert json.loads(arrival.body) == {
        "type": "listings.update",
        "channel": "Alpha Market",
        "items": [
            {
                "listing_id": "A",
                "sku": "Ä 1",
                "quantity": 3,
                "price": "19.90",
                "currency": "EUR",
                "version": {"product": 7, "link": 2},
                "key": "A.2.7",
            },
            {"listing_id": "B", "sku": "SKU-B", "quantity": 0, "version": {"product": 7, "link": 2}, "key": "B.2.7"},
        ],
    }
    assert arrival.headers["content-type"] == "application/json; charset=utf-8"
    assert arrival.headers["host"] == f"127.0.0.1:{stub.port}"
    assert arrival.headers["webhook-timestamp"] == str(int(NOW.timestamp()))


def test_a_price_alone_says_nothing_of_the_quantity(webhook: Open, stub: StubChannel) -> None:
    webhook().push([update("A", None, "5")], now=NOW)
    assert set(stub.arrivals[0].items[0]) == {"listing_id", "sku", "price", "currency", "version", "key"}


def test_the_signature_holds_and_a_changed_byte_breaks_it(webhook: Open, stub: StubChannel) -> None:
    webhook().push(PAIR, now=NOW)
    arrival = stub.arrivals[0]
    assert arrival.signature_ok
    key, body = secret_bytes(SECRET), arrival.body.encode()
    assert verify(key, arrival.headers, body, now=NOW + timedelta(minutes=4))
    assert not verify(key, arrival.headers, body + b" ", now=NOW)
    assert not verify(key, arrival.headers, body, now=NOW + timedelta(minutes=6))
    assert not verify(b"other", arrival.headers, body, now=NOW)


def test_during_rotation_both_secrets_sign(webhook: Open, stub: StubChannel) -> None:
    connector = webhook({"secret": "new-secret-in-plain-text " + SECRET})
    for held in (SECRET, "new-secret-in-plain-text"):
        stub.secret = held
        assert connector.push([update()], now=NOW)[0].status is Status.APPLIED
    stub.secret = "somebody else's"
    assert connector.push([update()], now=NOW)[0].code == "http_401"


def test_the_message_id_survives_a_retry_and_changes_with_the_state(webhook: Open, stub: StubChannel) -> None:
    def ids(*pushes: list[Update]) -> list[str]:
        stub.reset()
        for number, updates in enumerate(pushes):
            webhook().push(updates, now=NOW + timedelta(seconds=number))
        return [arrival.headers["webhook-id"] for arrival in stub.arrivals]

    first, again, newer, fewer, price = ids(
        PAIR, PAIR, [update("A", 1, key="A.2.8"), PAIR[1]], PAIR[:1], [update("A", None, "1"), PAIR[1]]
    )
    assert first == again
    assert len({first, newer, fewer, price}) == 4


def test_the_key_and_not_the_value_makes_the_message_id(webhook: Open, stub: StubChannel) -> None:
    for version, quantity in enumerate((5, 4, 5, 4, 5)):
        webhook().push([update("A", quantity, key=f"A.2.{version}", product_version=version)], now=NOW)
    assert len({arrival.headers["webhook-id"] for arrival in stub.arrivals}) == 5
    assert stub.shown["A"].quantity == 5


def test_a_long_push_is_parted_into_batches_over_one_connection(webhook: Open, stub: StubChannel) -> None:
    outcomes = webhook({"batch": "4"}).push([update(f"L{number}", number) for number in range(10)], now=NOW)
    assert [len(arrival.items) for arrival in stub.arrivals] == [4, 4, 2]
    assert len({arrival.connection for arrival in stub.arrivals}) == 1
    assert {outcome.status for outcome in outcomes} == {Status.APPLIED}


def test_connectors_opened_one_after_the_other_share_the_connection(webhook: Open, stub: StubChannel) -> None:
    for number in range(5):
        webhook().push([update("A", number)], now=NOW)
    assert len({arrival.connection for arrival in stub.arrivals}) == 1


# What became of (A, B), by what the channel did.
ANSWERS = [
    ("200", (Status.APPLIED, Status.APPLIED), "http_200", False, None),
    ("201", (Status.APPLIED, Status.APPLIED), "http_201", False, None),
    ("204", (Status.APPLIED, Status.APPLIED), "http_204", False, None),
    ("202", (Status.ACCEPTED, Status.ACCEPTED), "http_202", False, None),
    ("items", (Status.APPLIED, Status.APPLIED), "", False, None),
    ("items:accepted", (Status.ACCEPTED, Status.ACCEPTED), "", False, None),
    ("items:throttled", (Status.THROTTLED, Status.THROTTLED), "", False, None),
    ("items:rejected", (Status.REJECTED, Status.REJECTED), "", True, None),
    ("items:skipped", (Status.FAILED, Status.FAILED), "unknown_status", False, None),
    ("gzip", (Status.APPLIED, Status.APPLIED), "", False, None),
    ("reject:A", (Status.REJECTED, Status.APPLIED), "price_frozen", True, None),
    ("throttle:A", (Status.THROTTLED, Status.APPLIED), "", False, 9.0),
    ("missing", (Status.FAILED, Status.APPLIED), "missing_item", False, None),
    ("other-items", (Status.FAILED, Status.FAILED), "missing_item", False, None),
    ("html", (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ("body:{}", (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ("body:OK", (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ('body:{"items":{"A":"applied"}}', (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ('body:{"items":[1,null,"A"]}', (Status.FAILED, Status.FAILED), "missing_item", False, None),
    ('body:{"items":[{"listing_id":"A"}]}', (Status.FAILED, Status.FAILED), "unknown_status", False, None),
    ('body:{"items":[{"listing_id":"A","status":["applied"]}]}', (Status.FAILED,) * 2, "unknown_status", False, None),
    ('body:{"items":NaN}', (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ("body:" + "[" * 5_000, (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    (
        'body:{"items":[{"listing_id":"A","status":"applied"},{"listing_id":"A","status":"rejected"}]}',
        (Status.FAILED, Status.FAILED),
        "contradiction",
        False,
        None,
    ),
    (
        'body:{"items":[{"listing_id":"A","status":"applied"},{"listing_id":"A","status":"applied"}]}',
        (Status.APPLIED, Status.FAILED),
        "",
        False,
        None,
    ),
    (
        'body:{"items":[{"listing_id":"A","status":"throttled","retry_after":12.5}]}',
        (Status.THROTTLED, Status.FAILED),
        "",
        False,
        12.5,
    ),
    (
        'body:{"items":[{"listing_id":"A","status":"throttled","retry_after":-1}]}',
        (Status.THROTTLED, Status.FAILED),
        "",
        False,
        0.0,
    ),
    (
        'body:{"items":[{"listing_id":"A","status":"throttled","retry_after":"x"}]}',
        (Status.THROTTLED, Status.FAILED),
        "",
        False,
        None,
    ),
    ("coding:gzip", (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ("coding:br", (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ("big:1", (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ("gzip-bomb:100", (Status.FAILED, Status.FAILED), "unknown_answer", False, None),
    ("400", (Status.REJECTED, Status.REJECTED), "http_400", True, None),
    ("401", (Status.REJECTED, Status.REJECTED), "http_401", True, None),
    ("404", (Status.REJECTED, Status.REJECTED), "http_404", True, None),
    ("422", (Status.REJECTED, Status.REJECTED), "http_422", True, None),
    ("408", (Status.FAILED, Status.FAILED), "http_408", False, None),
    ("409", (Status.FAILED, Status.FAILED), "http_409", False, None),
    ("425", (Status.FAILED, Status.FAILED), "http_425", False, None),
    ("410", (Status.REJECTED, Status.REJECTED), "gone", True, None),
    ("redirect", (Status.FAILED, Status.FAILED), "redirect", True, None),
    ("500", (Status.FAILED, Status.FAILED), "http_500", False, None),
    ("502", (Status.FAILED, Status.FAILED), "http_502", False, None),
    ("503", (Status.FAILED, Status.FAILED), "http_503", False, None),
    ("503:120", (Status.FAILED, Status.FAILED), "http_503", False, 120.0),
    ("504", (Status.UNKNOWN, Status.UNKNOWN), "http_504", False, None),
    ("429", (Status.THROTTLED, Status.THROTTLED), "http_429", False, None),
    ("429:0", (Status.THROTTLED, Status.THROTTLED), "http_429", False, 0.0),
    ("429:7", (Status.THROTTLED, Status.THROTTLED), "http_429", False, 7.0),
    ("429:1000000000", (Status.THROTTLED, Status.THROTTLED), "http_429", False, 3600.0),
    ("429:" + "9" * 5_000, (Status.THROTTLED, Status.THROTTLED), "http_429", False, 3600.0),
    ("429:Sat, 14 Mar 2026 15:10:26 GMT", (Status.THROTTLED, Status.THROTTLED), "http_429", False, 59.464103),
    ("429:Fri, 13 Mar 2026 15:10:26 GMT", (Status.THROTTLED, Status.THROTTLED), "http_429", False, 0.0),
    ("429:Sun, 14 Mar 2027 15:10:26 GMT", (Status.THROTTLED, Status.THROTTLED), "http_429", False, 3600.0),
    ("429:-5", (Status.THROTTLED, Status.THROTTLED), "http_429", False, None),
    ("429:soon", (Status.THROTTLED, Status.THROTTLED), "http_429", False, None),
    ("reset", (Status.UNKNOWN, Status.UNKNOWN), "no_answer", False, None),
    ("half", (Status.UNKNOWN, Status.UNKNOWN), "no_answer", False, None),
    ("many-headers:20000", (Status.UNKNOWN, Status.UNKNOWN), "no_answer", False, None),
]


@pytest.mark.parametrize(
    ("behaviour", "statuses", "code", "permanent", "wait"), ANSWERS, ids=lambda value: str(value)[:40]
)
def test_each_answer_is_settled_per_listing(
    webhook: Open,
    stub: StubChannel,
    behaviour: str,
    statuses: tuple[Status, ...],
    code: str,
    permanent: bool,
    wait: float | None,
) -> None:
    stub.script(behaviour)
    outcomes = webhook().push(PAIR, now=NOW)
    assert tuple(outcome.status for outcome in outcomes) == statuses
    assert (outcomes[0].code, outcomes[0].permanent) == (code, permanent)
    assert outcomes[0].retry_after == (None if wait is None else pytest.approx(wait))
    assert [outcome.listing_id for outcome in outcomes] == ["A", "B"]
    assert outcomes[0].closes_channel is (behaviour == "410")
    assert len(stub.arrivals) == 1


def test_an_item_cannot_close_the_channel_by_its_code(webhook: Open, stub: StubChannel) -> None:
    stub.script('body:{"items":[{"listing_id":"A","status":"rejected","code":"gone"}]}')
    (outcome,) = webhook().push([update("A")], now=NOW)
    assert (outcome.code, outcome.closes_channel) == ("gone", False)


def test_what_the_receiver_says_is_kept_as_one_plain_line(webhook: Open, stub: StubChannel) -> None:
    stub.script("reject:A", 'body:{"items":[{"listing_id":"A","status":"rejected","message":"' + "x" * 900 + '"}]}')
    assert webhook().push([update("A")], now=NOW)[0].message == "<b>Frozen</b> by campaign"
    assert len(webhook().push([update("A")], now=NOW)[0].message) == 300


def test_numbers_as_ids_are_understood(webhook: Open, stub: StubChannel) -> None:
    stub.script('body:{"items":[{"listing_id":123,"status":"accepted"},{"listing_id":true,"status":"applied"}]}')
    assert webhook().push([update("123")], now=NOW)[0].status is Status.ACCEPTED


@pytest.mark.parametrize("behaviour", ["hang", "drip", "drip-headers", "slow:3", "timeout-then-applied:3"])
def test_the_whole_exchange_ends_in_time_and_counts_as_unknown(
    webhook: Open, stub: StubChannel, behaviour: str
) -> None:
    stub.script(behaviour)
    begun = time.monotonic()
    outcomes = webhook(policy=QUICK).push(PAIR, now=NOW)
    assert 0.35 < time.monotonic() - begun < 2.0
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [(Status.UNKNOWN, "no_answer")] * 2
    assert "may have arrived" in outcomes[0].message


def test_a_late_write_really_lands_after_we_gave_up(webhook: Open, stub: StubChannel) -> None:
    stub.script("timeout-then-applied:0.6", "200")
    assert webhook(policy=QUICK).push([update("A", 1)], now=NOW)[0].status is Status.UNKNOWN
    assert webhook().push([update("A", 2, product_version=8, key="A.2.8")], now=NOW)[0].status is Status.APPLIED
    assert stub.wait_for(lambda channel: len(channel.series.get("A", [])) == 2)
    assert stub.series["A"] == [(2, 8), (2, 7)]
    assert stub.shown["A"].quantity == 1


def test_a_fenced_channel_shrugs_off_the_late_write(webhook: Open, stub: StubChannel) -> None:
    stub.fenced = True
    stub.script("timeout-then-applied:0.6", "200")
    webhook(policy=QUICK).push([update("A", 1)], now=NOW)
    webhook().push([update("A", 2, product_version=8, key="A.2.8")], now=NOW)
    assert stub.wait_for(lambda channel: all(arrival.end_ns for arrival in channel.arrivals))
    assert stub.shown["A"].quantity == 2


def test_no_redirect_is_followed(webhook: Open, stub: StubChannel) -> None:
    stub.script("redirect")
    (outcome,) = webhook().push([update()], now=NOW)
    assert [arrival.path for arrival in stub.arrivals] == ["/hook"]
    assert "/elsewhere" in outcome.message
    assert stub.shown == {}


@pytest.mark.parametrize(
    ("behaviour", "rest"),
    [
        ("500", Status.FAILED),
        ("429:3", Status.THROTTLED),
        ("reset", Status.FAILED),
        ("410", Status.REJECTED),
        ("403", Status.REJECTED),
    ],
)
def test_after_a_wall_the_rest_of_a_push_is_not_sent(
    webhook: Open, stub: StubChannel, behaviour: str, rest: Status
) -> None:
    stub.script("200", behaviour)
    outcomes = webhook({"batch": "1"}).push([update(name) for name in "ABCD"], now=NOW)
    assert len(stub.arrivals) == 2
    assert [outcome.status for outcome in outcomes[2:]] == [rest, rest]
    assert {outcome.code for outcome in outcomes[2:]} == {outcomes[1].code}
    assert all(outcome.message.startswith("Not sent") for outcome in outcomes[2:])


def test_a_rejected_item_does_not_stop_the_rest(webhook: Open, stub: StubChannel) -> None:
    stub.script("reject:A", "200")
    outcomes = webhook({"batch": "1"}).push(PAIR, now=NOW)
    assert [outcome.status for outcome in outcomes] == [Status.REJECTED, Status.APPLIED]


def test_cookies_of_one_answer_are_not_given_to_the_next_request(webhook: Open, stub: StubChannel) -> None:
    stub.script("set-cookie")
    webhook().push([update()], now=NOW)
    webhook().push([update()], now=NOW)
    assert all("cookie" not in arrival.headers for arrival in stub.arrivals)


def test_proxies_in_the_environment_are_not_asked(
    webhook: Open, stub: StubChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert webhook(policy=LOOPBACK).push([update()], now=NOW)[0].status is Status.APPLIED
    assert len(stub.arrivals) == 1


def test_a_hanging_channel_takes_nothing_from_another(webhook: Open, stub: StubChannel) -> None:
    with StubChannel(secret=SECRET, default="hang") as dead:
        waiting = webhook({"url": dead.url}, replace(LOOPBACK, total_seconds=1.5))
        threads = [threading.Thread(target=waiting.push, args=([update()],), kwargs={"now": NOW}) for _ in range(40)]
        for thread in threads:
            thread.start()
        assert dead.wait_for(lambda channel: len(channel.arrivals) == 40)
        begun = time.monotonic()
        assert webhook().push([update()], now=NOW)[0].status is Status.APPLIED
        assert time.monotonic() - begun < 1.0
        for thread in threads:
            thread.join()


def test_a_receiver_that_stops_reading_is_given_up_in_time(webhook: Open, stub: StubChannel) -> None:
    stub.script("deaf:3")
    connector = webhook({"batch": "1000"}, QUICK)
    connector.push([update()], now=NOW)
    long_ids = [update(f"{number}" + "x" * 9_000) for number in range(1_000)]
    begun = time.monotonic()
    outcomes = connector.push(long_ids, now=NOW)
    assert time.monotonic() - begun < 3.0
    assert {outcome.status for outcome in outcomes} == {Status.UNKNOWN}
