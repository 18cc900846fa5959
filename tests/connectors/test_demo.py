"""The demo marketplace: it compares versions, remembers across processes, and never lies about what it shows."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import Status
from connectors.demo import DemoConnector
from tests.connectors.conftest import NOW, update


def test_it_shows_what_it_was_told_and_keeps_the_rest(tmp_path: Path) -> None:
    demo = DemoConnector("Demo", tmp_path)
    demo.push([update("A", 5, "19.9")], now=NOW)
    demo.push([update("A", 4, product_version=8)], now=NOW)
    shown = DemoConnector("Demo", tmp_path).shown()["A"]
    assert (shown.quantity, shown.price, shown.currency, shown.product_version) == (4, Decimal("19.90"), "EUR", 8)


def test_an_older_version_is_refused_and_logged(tmp_path: Path) -> None:
    demo = DemoConnector("Demo", tmp_path)
    demo.push([update("A", 4, product_version=8)], now=NOW)
    (stale,) = demo.push([update("A", 5, product_version=7)], now=NOW)
    assert (stale.status, stale.code, stale.permanent) == (Status.REJECTED, "stale_version", True)
    assert demo.shown()["A"].quantity == 4
    assert [arrival.verdict for arrival in demo.arrivals()] == ["applied", "stale"]


def test_a_new_link_wins_over_a_higher_product_version(tmp_path: Path) -> None:
    demo = DemoConnector("Demo", tmp_path)
    demo.push([update("A", 5, product_version=90, link_version=1)], now=NOW)
    (relinked,) = demo.push([update("A", 1, product_version=2, link_version=2)], now=NOW)
    assert relinked.status is Status.APPLIED
    assert demo.shown()["A"].quantity == 1


def test_the_same_version_again_repairs_what_was_sold_meanwhile(tmp_path: Path) -> None:
    demo = DemoConnector("Demo", tmp_path)
    demo.push([update("A", 5)], now=NOW)
    assert demo.sell("A", 2) == 3
    assert demo.push([update("A", 5)], now=NOW)[0].code == "repeated"
    assert demo.shown()["A"].quantity == 5
    with pytest.raises(ValueError, match="does not show 6"):
        demo.sell("A", 6)


def test_arrivals_are_kept_in_order_with_their_time_and_key(tmp_path: Path) -> None:
    demo = DemoConnector("Demo", tmp_path)
    demo.push([update("A", 5, "1.5"), update("B", 2)], now=NOW)
    first, second = demo.arrivals()
    assert (first.listing_id, first.quantity, first.price, first.key) == ("A", 5, Decimal("1.50"), "A.2.7")
    assert (first.at, second.listing_id, second.price) == (NOW, "B", None)


def test_several_writers_queue_instead_of_failing(tmp_path: Path) -> None:
    statuses: list[Status] = []

    def write(number: int) -> None:
        demo = DemoConnector("Demo", tmp_path)
        for version in range(10):
            (outcome,) = demo.push([update(f"L{number}", version, product_version=version)], now=NOW)
            statuses.append(outcome.status)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [Status.APPLIED] * 40
    assert {shown.quantity for shown in DemoConnector("Demo", tmp_path).shown().values()} == {9}


def test_a_damaged_file_fails_the_push_without_an_exception(tmp_path: Path) -> None:
    (tmp_path / "demo.marketplace.sqlite3").write_bytes(b"not a database, but long enough to be read as one" * 50)
    (outcome,) = DemoConnector("Demo", tmp_path).push([update()], now=NOW)
    assert (outcome.status, outcome.code) == (Status.FAILED, "database")


@settings(max_examples=8)
@given(st.permutations([(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]))
def test_in_whatever_order_versions_arrive_the_newest_is_shown(
    tmp_path_factory: pytest.TempPathFactory, order: list[tuple[int, int]]
) -> None:
    demo = DemoConnector("Demo", tmp_path_factory.mktemp("demo"))
    for link, product in order:
        demo.push([update("A", link * 10 + product, link_version=link, product_version=product)], now=NOW)
    assert demo.shown()["A"].quantity == 22


def test_it_shows_in_stock_or_not_where_it_hears_no_quantity(tmp_path: Path) -> None:
    shop = DemoConnector("Alpha", tmp_path)
    shop.push([update("A", None, available=True)], now=NOW)
    shop.push([update("A", None, available=False, product_version=8)], now=NOW)
    shown = shop.shown()["A"]
    assert (shown.available, shown.quantity) == (False, None)
    assert [arrival.available for arrival in shop.arrivals()] == [True, False]
