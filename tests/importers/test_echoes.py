"""Rows that are none of the goods: headers that stand there again, sums, notes, and a delimiter at every row's end."""

from __future__ import annotations

import pytest

HEAD = "sku,title,price\n"


def told(checked):
    return [(warning.row, warning.code) for warning in checked.report.warnings]


@pytest.mark.parametrize(
    "second",
    ["sku,title,price", "seller-sku,item-name,price", "Referencia,,Precio", "SKU, Title ,PRICE"],
)
def test_a_second_row_of_headers_is_left_out_with_a_word(run, second):
    checked = run(f"Código;Título;Precio\n{second.replace(',', ';')}\nA-1;Taza;9,50\n")
    assert (list(checked.rows), checked.errors, told(checked)) == ([3], [], [(2, "repeated_header")])


@pytest.mark.parametrize("first", ["sku-1,title,1", "SKU,Mug,1", "code,,1"])
def test_a_first_row_that_only_resembles_headers_is_read(run, first):
    checked = run(HEAD + first + "\nA-2,Cup,2\n")
    assert list(checked.rows) == [2, 3]
    assert "repeated_header" not in [code for _, code in told(checked)]


def test_headers_that_come_again_far_below_are_left_out(run):
    rows = "".join(f"A-{n},Mug,1\n" for n in range(1_200))
    checked = run(HEAD + rows + HEAD + "Z-1,Cup,2\nsku,A product called so,3\n")
    assert told(checked) == [(1_202, "repeated_header")]
    assert (len(checked.rows), checked.rows[1_203]["sku"], checked.rows[1_204]["sku"]) == (1_202, "Z-1", "sku")


@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Totales", "Summe", "Total général"])
def test_a_sum_at_the_end_is_no_product(run, word):
    checked = run(HEAD + f"A-1,Mug,9.50\nA-2,Cup,8.00\n{word},,17.50\n")
    assert (list(checked.rows), checked.errors) == ([2, 3], [(4, "blank")])
    assert "looks like a sum" in checked.report.errors[0].message
    assert checked.report.errors[0].column == "title"


def test_a_product_may_be_called_total(run):
    assert run(HEAD + "Total,Total yoghurt,1.00\n").rows[2]["sku"] == "Total"


def test_a_note_below_the_table_is_named_as_no_row(run):
    checked = run(HEAD + "A-1,Mug,9.50\n\nExported on Monday\n")
    assert checked.errors == [(4, "ragged_row")]
    assert checked.report.errors[0].message.startswith("Row 4 ends after cell 1 of 3.")


def test_a_delimiter_at_the_end_of_every_row_but_the_header_shifts_nothing(run):
    rows = "".join(f"A-{n};Mug;9,50;\n" for n in range(600))
    checked = run(f"sku;title;price\n{rows}B-1;Mug; large;9,50\nB-2;Mug; large;9,50;\nB-3;Mug;7,00\n")
    assert checked.errors == [(602, "ragged_row"), (603, "ragged_row")]
    assert (checked.rows[2]["price"], checked.rows[604]["price"]) == ("9.50", "7.00")


def test_a_delimiter_at_the_end_of_one_row_is_an_error(run):
    assert run("sku;title;price\nA-1;Mug;9,50;\n").errors == [(2, "ragged_row")]
    assert run("sku;title;price\nA-1;Mug; large;9,50\nA-2;Cup; small;8,00\n").errors == [
        (2, "ragged_row"),
        (3, "ragged_row"),
    ]


def test_an_unquoted_comma_in_every_title_is_no_delimiter_at_the_end(run):
    checked = run("sku,title,quantity,price,gtin\nA-1,Mug, 12,3,5.00,\nA-2,Cup, 24,4,6.00,\n")
    assert checked.errors == [(2, "ragged_row"), (3, "ragged_row")]
