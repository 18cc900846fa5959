"""What every connector promises, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors import Connector, ConnectorError, OutboundPolicy, Status, check_options, kinds, open_connector
from tests.connectors.conftest import NOW, SECRET, update
from tests.stub_channel import StubChannel

TAKEN = {Status.APPLIED, Status.ACCEPTED}


@pytest.fixture(params=["csv", "xlsx", "amazon_tsv", "demo", "webhook"])
def connector(request: pytest.FixtureRequest, tmp_path: Path) -> Connector:
    if request.param == "webhook":
        opened: Connector = request.getfixturevalue("webhook")({"batch": "3"})
        return opened
    kind, options = ("demo", {}) if request.param == "demo" else ("file", {"format": request.param})
    return open_connector(kind, channel="Alpha", options=options, outbound=OutboundPolicy(), folder=tmp_path / "out")


def test_there_is_one_outcome_per_update_in_the_same_order(connector: Connector) -> None:
    updates = [update(f"L{number}", number) for number in (5, 3, 9, 1, 7, 2, 8)]
    outcomes = connector.push(updates, now=NOW)
    assert [outcome.listing_id for outcome in outcomes] == [one.listing_id for one in updates]
    assert {outcome.status for outcome in outcomes} <= TAKEN


def test_a_look_tells_the_channel_nothing_and_leaves_nothing(
    connector: Connector, stub: StubChannel, tmp_path: Path
) -> None:
    assert connector.look() == ""
    assert stub.arrivals == []
    assert [path.name for path in (tmp_path / "out").glob("*") if "marketplace" not in path.name] == []


def test_an_empty_push_touches_nothing(connector: Connector, stub: StubChannel, tmp_path: Path) -> None:
    assert connector.push([], now=NOW) == []
    assert stub.arrivals == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (update("BAD", -1), "bad_quantity"),
        (update("BAD", None, "-0.01"), "bad_price"),
        (update("BAD", None, "NaN"), "bad_price"),
        (update("BAD", None, "Infinity"), "bad_price"),
        (update("BAD", None, "1E+999999"), "bad_price"),
        (update("BAD", None, "1E-999999"), "bad_price"),
        (update("BAD", 10**5000), "bad_quantity"),
        (update("BAD", None, None), "nothing_to_send"),
        (update("", 1), "no_listing_id"),
        (update("BAD\ud800", 1), "bad_text"),
    ],
)
def test_an_impossible_update_is_refused_and_the_others_pass(connector: Connector, bad: object, code: str) -> None:
    first, refused, last = connector.push([update("A"), bad, update("B")], now=NOW)
    assert (refused.status, refused.code, refused.permanent) == (Status.REJECTED, code, True)
    assert {first.status, last.status} <= TAKEN


def test_a_listing_named_twice_is_sent_once_and_the_later_one_waits(connector: Connector) -> None:
    outcomes = connector.push([update("A", 5), update("A", 4), update("B", 1)], now=NOW)
    assert outcomes[0].status in TAKEN
    assert (outcomes[1].status, outcomes[1].code, outcomes[1].permanent) == (Status.FAILED, "listing_twice", False)
    assert outcomes[2].status in TAKEN


def test_pushing_the_same_update_again_is_taken_again(connector: Connector) -> None:
    first = connector.push([update()], now=NOW)
    assert [one.status for one in connector.push([update()], now=NOW)] == [one.status for one in first]


def test_a_time_without_zone_is_an_error_of_the_caller(connector: Connector) -> None:
    with pytest.raises(ValueError, match="time zone"):
        connector.push([update()], now=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


def test_a_connector_says_what_it_is_and_can_carry(connector: Connector) -> None:
    assert connector.kind in kinds()
    assert connector.limits.max_batch >= 1
    assert connector.limits.seconds > 0
    assert connector.sends_stock
    assert connector.sends_price


def test_strange_text_in_ids_and_skus_never_breaks_a_push(connector: Connector) -> None:
    strange = ["=1+1", "a\tb", "a\nb", "\x00", "\ud800", "日本", "a" * 40_000, "'", '"', ",;", "-5", "＝cmd"]
    updates = [update(text, 1, "2.50", sku=text) for text in strange]
    outcomes = connector.push(updates, now=NOW)
    assert [outcome.listing_id for outcome in outcomes] == strange
    assert {outcome.status for outcome in outcomes} <= TAKEN | {Status.REJECTED}
    assert all(outcome.message for outcome in outcomes if outcome.status is Status.REJECTED)


def test_every_kind_explains_itself_and_its_options() -> None:
    assert {"file", "webhook", "demo"} <= set(kinds())
    for kind in kinds().values():
        assert kind.title
        assert kind.summary.endswith(".")
        for option in kind.options:
            assert option.title
            assert option.help.endswith(".")
            assert not option.choices or option.default in option.choices
    assert kinds()["webhook"].secrets == {"secret"}


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("telex", {}, "no kind of channel called 'telex'"),
        ("webhook", {"secret": "s"}, "url: give the address"),
        ("webhook", {"url": "https://shop.example"}, "secret: give the secret"),
        ("webhook", {"url": "ftp://shop.example", "secret": "s"}, "url: The address must begin with https://"),
        ("webhook", {"url": "https://", "secret": "s"}, "url: The address names no host"),
        ("webhook", {"url": "https://me:pw@shop.example", "secret": "s"}, "user name or password"),
        ("webhook", {"url": "https://shop.example:25/", "secret": "s"}, "Port 25"),
        ("webhook", {"url": "https://[::1", "secret": "s"}, "cannot be read"),
        ("webhook", {"url": "https://shop.example", "secret": "whsec_?"}, "continues in base64"),
        ("webhook", {"url": "https://shop.example", "secret": "s", "timeout": "0"}, "timeout: '0' is not a whole"),
        ("webhook", {"url": "https://shop.example", "secret": "s", "batch": "many"}, "batch: 'many' is not a whole"),
        (
            "webhook",
            {"url": "https://shop.example", "secret": "s", "colour": "red"},
            "colour: a webhook channel has no",
        ),
        ("file", {"format": "pdf"}, "format: 'pdf' is none of csv, xlsx, amazon_tsv"),
        ("file", {"fulfilment": "amazon"}, "fulfilment: amazon goes with format amazon_tsv"),
        ("demo", {"url": "x"}, "url: a demo channel has no such option; it has none"),
    ],
)
def test_bad_options_are_named_with_their_repair(
    kind: str, options: dict[str, str], words: str, tmp_path: Path
) -> None:
    assert any(words in problem for problem in check_options(kind, options))
    with pytest.raises(ConnectorError):
        open_connector(kind, channel="c", options=options, outbound=OutboundPolicy(), folder=tmp_path)


def test_good_options_raise_no_problem() -> None:
    assert check_options("webhook", {"url": "https://shop.example/hook?x=1", "secret": SECRET, "batch": "50"}) == []
    assert check_options("file", {}) == []
    assert check_options("file", {"format": "amazon_tsv", "fulfilment": "amazon"}) == []


def test_a_suggested_secret_is_accepted_and_never_the_same() -> None:
    (secret,) = [option for option in kinds()["webhook"].options if option.secret]
    assert secret.suggest is not None
    one, other = secret.suggest(), secret.suggest()
    assert one != other
    assert check_options("webhook", {"url": "https://shop.example", "secret": f"{one} {other}"}) == []


def test_a_price_keeps_every_digit_on_its_way(webhook: Callable[..., Connector], stub: StubChannel) -> None:
    webhook().push([update("A", None, "0.1"), update("B", None, "1E+2"), update("C", None, "12.3450")], now=NOW)
    sent = [item["price"] for item in stub.arrivals[0].items]
    assert sent == ["0.10", "100.00", "12.345"]
    assert [Decimal(price) for price in sent] == [Decimal("0.1"), Decimal(100), Decimal("12.345")]
