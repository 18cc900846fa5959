"""Currencies in any spelling, and prices that are no numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from matching import Index, Record, compare, suggest
from matching.contradictions import price_factor
from matching.document import document
from matching.layout import pack_record, unpack, unpack_record
from matching.money import currency_code, one_currency


@pytest.mark.parametrize(
    ("ours", "theirs", "one"),
    [
        ("EUR", "€", True), ("eur", "Euro", True), ("USD", "US$", True), ("BRL", "R$", True), ("GBP", "£", True),
        ("SEK", "SEK", True), ("", "", True), ("$", "$", True), ("＄", "$", True),
        ("EUR", "USD", False), ("€", "$", False), ("R$", "US$", False), ("¥", "kr", False), ("kr.", "EUR", False),
        ("$", "MXN", None), ("USD", "$", None), ("¥", "JPY", None), ("kr.", "DKK", None), ("", "EUR", None),
        ("EUR", "", None),
    ],
)  # fmt: skip
def test_currencies_are_one_two_or_nobody_knows(ours: str, theirs: str, one: bool | None) -> None:
    assert one_currency(ours, theirs) is one
    assert one_currency(theirs, ours) is one


def test_only_a_certain_currency_is_indexed() -> None:
    assert [currency_code(text) for text in ("€", "EUR", "$", "kr", "")] == ["eur", "eur", "", "", ""]
    euros = [document(Record(1, price=Decimal(5), currency=c)).currency for c in ("€", "EUR", "$", "")]
    assert euros[0] == euros[1] > 0 == euros[2] == euros[3]


@pytest.mark.parametrize(
    ("ours", "theirs", "factor"),
    [("EUR", "€", 4), ("", "", 4), ("$", "$", 4), ("EUR", "", 1), ("EUR", "USD", 1), ("$", "MXN", 1)],
)
def test_prices_are_compared_where_they_are_surely_in_one_currency(ours: str, theirs: str, factor: int) -> None:
    a, b = Record(1, price=Decimal(5), currency=ours), Record(2, price=Decimal(20), currency=theirs)
    assert price_factor(a, b) == factor


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_price_that_is_no_number_is_none(price: str) -> None:
    odd = Record(1, title="oak mug", price=Decimal(price), currency="EUR")
    plain = Record(2, title="oak mug", price=Decimal(5), currency="EUR")
    assert price_factor(odd, plain) == 1
    assert document(odd).price == 0
    assert unpack_record(unpack(pack_record(odd, document(odd)))).price is None
    said = next(e for e in compare(odd, plain).evidence if e.field == "price")
    assert (said.verdict, said.ours, said.theirs) == ("missing", "", "5 EUR")
    assert suggest(odd, Index.build([plain]))[0].product_id == 2
