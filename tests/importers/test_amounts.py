"""Numbers from cells: exact, in ASCII digits, and never guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.amounts import Grammar, PriceReader, QuantityReader
from importers.barcodes import has_right_check_digit
from importers.cells import CellError, Mark, Number


def quantity(cell, decimal=None):
    return QuantityReader("quantity", Grammar(decimal))(cell)


def price(cell, decimal=None, **grammar):
    return PriceReader("price", Grammar(decimal, **grammar))(cell)


def code(read, *arguments, **options):
    with pytest.raises(CellError) as caught:
        read(*arguments, **options)
    assert caught.value.message.startswith("the ")
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("5.0", 5),
        (" 7 ", 7),
        ("0", 0),
        ("007", 7),
        ("999999999", 999999999),
        ("\xa012\u3000", 12),
        ("", None),
        ("   ", None),
        ("\ufeff3", 3),
        ("-0", 0),
    ],
)
def test_a_whole_number_in_ascii_digits_is_a_quantity_and_a_blank_cell_is_no_zero(text, expected):
    assert quantity(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            (text, "not_a_number")
            for text in ("NaN", "inf", "-inf", "1e3", "1_000", "0x10", "١٢٣", "１２３", "²", "5%")
        ),
        *(
            (text, "not_a_number")
            for text in ("5 pcs", "--5", "5-", "TRUE", "#N/A", "=1+1", "abc", "½", "+5", "5.", "(5)")
        ),
        *((text, "ambiguous_number") for text in ("1,000", "1 000", "1.000", "1,000,000", "1'000", "1,234.00")),
        *((text, "negative") for text in ("-1", "-1.5", "-1000000")),
        *((text, "fractional") for text in ("1.5", "1,5", "0.001")),
        *((text, "too_large") for text in ("1000000000", "9" * 24, "9" * 5000)),
    ],
)
def test_what_python_would_take_for_a_number_is_no_quantity(text, expected):
    assert code(quantity, text) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        *(("12.50", None, "12.50"), ("0", None, "0"), (".99", None, "0.99"), ("1234.5678", "point", "1234.5678")),
        *(("1.234,56", None, "1234.56"), ("1,234.56", None, "1234.56"), ("12,50", None, "12.50")),
        *(("1 234,56", None, "1234.56"), ("1’234.50", None, "1234.50"), ("0,125", None, "0.125")),
        *(("1.234", "comma", "1234"), ("1,234", "point", "1234"), ("1,234", "comma", "1.234")),
        *(
            ("1234,5", "comma", "1234.5"),
            ("1.234.567,8", None, "1234567.8"),
            ("999999999999.9999", None, "999999999999.9999"),
        ),
        *(("12,34,567.50", None, "1234567.50"), ("1,23,456", "point", "123456")),
        *(("1.00000", None, "1.0000"), ("007.5", None, "7.5"), ("1.234", None, "1.234")),
    ],
)
def test_a_price_that_has_one_reading_is_read_exactly(text, decimal, expected):
    assert price(text, decimal) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        *(
            ("1,234", None, "ambiguous_number"),
            ("1,234,567", None, "ambiguous_number"),
            ("1 234", None, "ambiguous_number"),
        ),
        ("12,34,567", None, "ambiguous_number"),
        *(("1.50", "comma", "ambiguous_number"), ("12,34,56", None, "not_a_number"), ("1.2.3", None, "not_a_number")),
        *(("-1", None, "negative"), ("-0.01", None, "negative"), ("1000000000000", None, "too_large")),
        *(("0.00001", None, "too_many_decimals"), ("¥5", None, "not_a_number"), ("5 EUR", None, "not_a_number")),
        *(("1e3", None, "not_a_number"), ("25,5O", None, "not_a_number"), ("１.５", None, "not_a_number")),
        *(("0.123", "comma", "ambiguous_number"), ("0,123", "point", "ambiguous_number")),
        *(("1,234.567,89", None, "not_a_number"), ("NaN", None, "not_a_number"), ("'", None, "not_a_number")),
    ],
)
def test_a_price_with_two_readings_or_none_is_refused(text, decimal, expected):
    assert code(price, text, decimal) == expected


def test_a_point_before_three_digits_is_doubted_where_the_column_uses_a_decimal_comma():
    assert code(price, "1.234", comma_seen=True) == "ambiguous_number"
    assert price("12,50", comma_seen=True) == "12.50"


def test_a_letter_in_place_of_a_digit_is_named_with_the_repair():
    with pytest.raises(CellError, match=r"holds the letter O in place of a digit. Type 25,50"):
        price("25,5O")


@pytest.mark.parametrize(
    ("raw", "expected"), [("19.989999999999998", "19.99"), ("0.30000000000000004", "0.3"), ("1E2", "100"), ("5", "5")]
)
def test_the_noise_of_binary_fractions_is_rounded_away(raw, expected):
    assert price(Number(raw)) == expected


def test_number_cells_become_quantities():
    assert quantity(Number("4.9999999999999991")) == 5
    assert code(quantity, Number("4.5")) == "fractional"
    assert code(quantity, Number("-3")) == "negative"
    assert code(quantity, Number("1E12")) == "too_large"


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("error_value", "error_value"),
        ("formula_no_value", "formula_no_value"),
        ("bool_in_text", "not_a_number"),
        ("date_in_text", "not_a_number"),
    ],
)
def test_a_cell_without_a_number_is_an_error_and_never_blank(mark, expected):
    assert code(quantity, Mark(mark, "x")) == expected
    assert code(price, Mark(mark, "x")) == expected


@settings(max_examples=2000, deadline=None)
@given(st.integers(0, 10**16 - 1))
def test_every_price_of_four_places_comes_back_equal(scaled):
    exact = Decimal(scaled).scaleb(-4)
    assert Decimal(price(f"{exact:f}", "point")) == exact
    assert Decimal(price(f"{exact:f}".replace(".", ","), "comma")) == exact
    assert Decimal(price(f"{exact:,.4f}", "point")) == exact


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 999_999_999))
def test_every_quantity_comes_back_equal(number):
    assert quantity(str(number)) == quantity(f"{number}.0") == quantity(Number(repr(float(number)))) == number


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_a_quantity_in_range_or_a_named_error(text):
    said = None
    try:
        number = quantity(text)
    except CellError as error:
        number, said = None, error.code
    assert number is None or 0 <= number <= 999_999_999
    assert said in {None, "not_a_number", "ambiguous_number", "negative", "fractional", "too_large"}


@given(st.integers(0, 10**12 - 1), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_caught_by_the_check_digit(body, place, shift):
    digits = f"{body:012d}"
    right = next(digits + last for last in "0123456789" if has_right_check_digit(digits + last))
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert not has_right_check_digit(wrong)


def test_known_barcodes_have_right_check_digits():
    assert has_right_check_digit("4006381333931")
    assert has_right_check_digit("96385074")
    assert not has_right_check_digit("4006381333932")


@pytest.mark.parametrize(
    ("cell", "decimal", "plain"),
    [
        *(("$549.00", None, "549.00"), ("$ 549", None, "549"), ("549.5 $", None, "549.5"), ("12 €", None, "12")),
        *(("€12,50", "comma", "12.50"), ("R$ 1.299,90", None, "1299.90"), ("MX$1,299.90", None, "1299.90")),
        *(("US$5", None, "5"), ("£0.99", None, "0.99"), (" $\u00a05.00 ", None, "5.00")),
    ],
)
def test_one_sign_of_a_currency_is_taken_off_a_price_with_a_warning(cell, decimal, plain):
    notes = []
    assert PriceReader("price", Grammar(decimal), notes=notes)(cell) == plain
    assert [code for code, _, _ in notes] == ["currency_sign"]


@pytest.mark.parametrize("cell", ["$", "$$5", "$5$", "$ five", "A$5", "$5 MXN", "MXN 5", "5 pesos", "$-5", "-$5", "%5"])
def test_everything_else_beside_a_price_is_refused_still(cell):
    notes = []
    with pytest.raises(CellError) as caught:
        PriceReader("price", Grammar(), notes=notes)(cell)
    assert caught.value.code == "not_a_number"
    assert notes == []


def test_a_price_with_a_sign_and_two_readings_is_refused_as_without_it(run):
    checked = run("sku,title,price\nA-1,Mug,€1.234\nA-2,Mug,€12,50\n".replace("€12,50", '"€12,50"'))
    assert checked.errors == [(2, "ambiguous_number")]
    checked = run('sku,title,price,quantity\nA-1,Mug,$549.00,1\nA-2,Mug,"$1,299",1\nA-3,Mug,9.5,$1\nA-4,Mug,7,1\n')
    assert checked.errors == [(3, "ambiguous_number"), (4, "not_a_number")]
    assert {row: fields["price"] for row, fields in checked.rows.items()} == {2: "549.00", 5: "7"}
    assert [(w.row, w.column, w.code) for w in checked.report.warnings] == [(2, "price", "currency_sign")]


def _with_marks_far_down(*marks, filler="9.50", far=800):
    rows = [f"P-{n},p,{filler}" for n in range(far)]
    return "sku,title,price\n" + "\n".join(rows + [f'M-{n},m,"{mark}"' for n, mark in enumerate(marks)]) + "\n"


@pytest.mark.parametrize("marks", [("12,50", "1.234"), ("1.234", "12,50")])
@pytest.mark.parametrize("far", [0, 250, 800])
def test_a_price_has_two_readings_wherever_the_decimal_comma_stands(run, marks, far):
    checked = run(_with_marks_far_down(*marks, far=far))
    row = 2 + far + marks.index("1.234")
    assert checked.errors == [(row, "ambiguous_number")]
    assert checked.report.errors[0].value == "1.234"
    assert (checked.report.rows_ok, checked.report.rows_bad) == (far + 1, 1)


def test_a_price_far_above_the_first_decimal_comma_is_doubted_too_and_told_once(run):
    content = 'sku,title,price\nE-1,early,1.234\nE-1,early,1.234\nE-2,early,"$2.345"\nE-3,early,0.125\n'
    content += _with_marks_far_down("7,25").partition("\n")[2]
    checked = run(content)
    assert checked.errors == [(2, "ambiguous_number"), (3, "ambiguous_number"), (4, "ambiguous_number")]
    assert len({problem.message.partition(":")[2] for problem in checked.report.errors[:2]}) == 1
    assert checked.rows[5]["price"] == "0.125"


def test_without_a_decimal_comma_or_with_a_declared_mark_nothing_is_doubted(run):
    assert run(_with_marks_far_down("1.234")).rows[802]["price"] == "1.234"
    checked = run(_with_marks_far_down("1.234", "7,25", filler="9"), decimal="comma")
    assert checked.errors == []


def test_amounts_of_two_currencies_are_told_apart_unless_a_column_says_which(run):
    checked = run("sku,title,price\nA,a,$5\nB,b,£5\nC,c,6 $\nD,d,7\n")
    assert checked.errors == [(3, "unknown_value")]
    assert [row["price"] for row in checked.rows.values()] == ["5", "6", "7"]
    listings = "listing_id,sku,price,currency\n1,A,$5,USD\n2,B,£5,GBP\n"
    assert [row["price"] for row in run(listings, kind="listings").rows.values()] == ["5", "5"]
    assert run("sku,title,price\nA,a,6 kr\nB,b,6 kr.\n").report.outcome == "accept"
