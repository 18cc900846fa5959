"""Whole rows: trimming, keys, duplicates, look-alikes, warnings, and the counts that always add up."""

from __future__ import annotations

import random
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import duplicates
from importers.cells import match_key
from importers.duplicates import KeyIndex, look
from importers.report import ERROR_CODES


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        *(("  AB-1  ", "AB-1"), ("AB-2\u00a0", "AB-2"), ("\u3000\u3000AB-3", "AB-3"), ("AB-4\t", "AB-4")),
        *(("AB 5", "AB 5"), ("AB  6", "AB  6"), ("\ufeffAB-7\u2003", "AB-7"), ("AB-8\u200b", "AB-8\u200b")),
        *(("00123", "00123"), ("1E5", "1E5"), ("NULL", "NULL"), ("nan", "nan"), ("TRUE", "TRUE"), ("1/2", "1/2")),
        *(
            ("=1+1", "=1+1"),
            ("-RED", "-RED"),
            ("@x", "@x"),
            ("'=1+1", "=1+1"),
            ("'x", "'x"),
            ("../../etc", "../../etc"),
        ),
        *(("А-1", "А-1"), ("AB‑1", "AB‑1"), ("A\u00adB", "A\u00adB"), ("{0}%s", "{0}%s"), ("a;b", "a;b")),
    ],
)
def test_a_sku_is_stored_as_typed_without_white_space_at_its_ends(run, typed, stored):
    checked = run(f"sku,title\n{typed},x\n")
    assert [row["sku"] for row in checked.rows.values()] == [stored]


def test_the_match_key_is_composed_and_the_sku_stays_as_typed(run):
    checked = run("sku,title\nCafe\u0301,x\n")
    assert checked.rows[2]["sku"] == "Cafe\u0301"
    assert checked.rows[2]["match_key"] == "Café"


@given(st.text())
def test_a_match_key_of_a_match_key_is_itself(text):
    assert match_key(match_key(text)) == match_key(text)


@given(st.text())
def test_a_look_ignores_case(text):
    assert look(text.upper().lower()) == look(text.upper().lower().lower())


def test_a_blank_field_is_absent_and_never_zero(run):
    assert run("sku,title,quantity,price\nA,x,,\nB,y, ,\u00a0\n").rows == {
        2: {"sku": "A", "title": "x", "match_key": "A"},
        3: {"sku": "B", "title": "y", "match_key": "B"},
    }


@pytest.mark.parametrize(("kind", "header"), [("products", "sku,title,notes"), ("stock", "sku,quantity,notes")])
def test_a_row_without_sku_is_an_error_and_a_row_without_anything_is_no_row(run, kind, header):
    checked = run(f"{header}\n,1,\n , , \nA,1,\n,,a note\n", kind=kind)
    assert checked.errors == [(2, "blank"), (5, "blank")]
    assert checked.report.rows == 3


@pytest.mark.parametrize(
    ("value", "warning"),
    [
        ("4006381333932", "gtin_check_digit"),
        ("123", "gtin_length"),
        ("ABC", "gtin_format"),
        ("400638133393", "gtin_check_digit"),
    ],
)
def test_a_doubtful_barcode_is_kept_with_a_warning(run, value, warning):
    checked = run(f"sku,barcode\nA,{value}\n")
    assert checked.rows[2]["gtin"] == value
    assert checked.warnings == {warning}


@pytest.mark.parametrize("value", ["4.00638E+12", '"4,00638E+12"', "4E12", "7.50106e+12"])
def test_a_barcode_that_lost_its_digits_is_an_error(run, value):
    assert run(f"sku,barcode\nA,{value}\nB,4006381333931\n").errors == [(2, "sci_notation")]


@pytest.mark.parametrize("value", ["'4006381333931", " 4006381333931 "])
def test_the_text_marker_of_a_spreadsheet_is_no_part_of_a_barcode(run, value):
    assert run(f"sku,barcode\nA,{value}\n").rows[2]["gtin"] == "4006381333931"


def test_equal_rows_collapse_with_a_warning(run):
    checked = run("sku,title,notes\nA,x,1\nB,y,2\nA,x,3\nA , x,\n")
    assert checked.report.outcome == "accept"
    assert list(checked.rows) == [2, 3]
    assert checked.report.rows_skipped == 2
    assert checked.warnings == {"duplicate_row"}


def test_rows_that_contradict_each_other_are_all_errors_and_name_each_other(run):
    checked = run("sku,title\nA,x\nB,y\nA,z\nA,x\n")
    assert checked.errors == [(2, "duplicate_conflict"), (4, "duplicate_conflict"), (5, "duplicate_conflict")]
    assert "rows 4, 5" in checked.report.errors[0].message
    assert list(checked.rows) == [3]


def test_a_row_that_contradicts_many_others_names_ten_of_them(run):
    checked = run("sku,title\n" + "".join(f"A,{n}\n" for n in range(12)))
    assert checked.report.errors[-1].message == (
        "Row 13 repeats the SKU of rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more with other values: A. "
        "Keep one of the rows."
    )


def test_a_bad_row_takes_its_good_twin_along(run):
    checked = run("sku,quantity\nA,5\nA,five\nB,1\n")
    assert set(checked.errors) == {(2, "duplicate_conflict"), (3, "not_a_number"), (3, "duplicate_conflict")}
    assert checked.report.rows_bad == 2
    assert list(checked.rows) == [4]


def test_composed_and_decomposed_skus_are_the_same(run):
    assert len(run("sku,title\nCafé,x\nCafe\u0301,y\n").errors) == 2


def test_stock_is_unique_per_warehouse_and_listings_per_channel(run):
    assert len(run("sku,warehouse,quantity\nA,W1,1\nA,W2,2\n", kind="stock").rows) == 2
    assert len(run("sku,warehouse,quantity\nA,W1,1\nA,W1,2\n", kind="stock").errors) == 2
    assert len(run("channel,listing_id,sku\nc1,L1,A\nc2,L1,A\n", kind="listings").rows) == 2
    assert len(run("channel,listing_id,sku\nc1,L1,A\nc1,L1,B\n", kind="listings").errors) == 2
    assert len(run("channel,listing_id,sku\nc1,0012,A\nc1,12,A\n", kind="listings").rows) == 2


@pytest.mark.parametrize(
    ("skus", "code"),
    [
        (("abc-1", "ABC-1", "Abc-1"), "sku_case"),
        (("AB-1", "АB-1"), "sku_look_alike"),
        (("AB-1", "AB-1\u200b"), "sku_look_alike"),
        (("AB-1", "ＡＢ-1"), "sku_look_alike"),
        (("AB-1", "AB–1"), "sku_look_alike"),
        (("ß", "SS"), "sku_case"),
    ],
)
def test_skus_that_look_the_same_stay_different_with_a_warning(run, skus, code):
    checked = run("sku,title\n" + "".join(f"{sku},x\n" for sku in skus))
    assert checked.report.outcome == "accept"
    assert [row["sku"] for row in checked.rows.values()] == list(skus)
    assert checked.warnings == {code}
    assert all(str(row) in checked.report.warnings[0].message for row in range(2, 2 + len(skus)))


def test_of_many_skus_that_look_the_same_ten_are_named(run):
    spellings = ("".join(letters) for letters in product("aA", "bB", "cC", "dD"))
    checked = run("sku,title\n" + "".join(f"{sku},x\n" for sku in islice(spellings, 12)))
    assert checked.report.warnings[0].message == (
        "These SKUs differ by case only: abcd (row 2), abcD (row 3), abCd (row 4), abCD (row 5), aBcd (row 6), "
        "aBcD (row 7), aBCd (row 8), aBCD (row 9), Abcd (row 10), AbcD (row 11) and 2 more. "
        "They are kept as different products."
    )


def test_an_option_may_have_a_brace_in_its_name(run):
    checked = run("sku,title,option: {Size\nA,x,'=1\n")
    assert checked.report.warnings[0].message == (
        "Row 2: the apostrophe before the {Size =1 was added by an export, and is left out."
    )


def test_listings_without_ids_use_the_sku_and_say_so(run):
    checked = run("sku,title,price\nA,x,1\n,y,2\n", kind="listings")
    assert checked.rows[2]["listing_id"] == "A"
    assert checked.warnings == {"id_from_sku"}
    assert checked.errors == [(3, "blank")]


def test_listings_without_sku_are_listings(run):
    checked = run("channel,listing_id,sku,title\nc1,L1,,Red mug\nc1,L2,   ,Blue mug\n", kind="listings")
    assert [row.get("sku") for row in checked.rows.values()] == [None, None]


def test_a_listing_id_that_lost_its_digits_is_an_error(run):
    checked = run("listing_id,title\n0012,a\n1.2E+11,b\n12E5,c\n", kind="listings")
    assert checked.errors == [(3, "sci_notation")]


def test_a_channel_that_does_not_exist_is_an_error_and_case_does_not_count(run):
    content = "channel,listing_id\nnope,L1\nshop one,L2\n"
    checked = run(content, kind="listings", known={"channel": ["Shop One"]})
    assert checked.errors == [(2, "unknown_value")]
    assert checked.rows[3]["channel"] == "Shop One"


def test_currencies_are_codes(run):
    checked = run("listing_id,currency\nA,eur\nB,€\n", kind="listings")
    assert checked.rows[2]["currency"] == "EUR"
    assert checked.errors == [(3, "unknown_value")]


def test_an_error_value_is_no_sku(run):
    checked = run("sku,title\n#N/A,x\n#REF!,y\n#1 mug,#1 title\n")
    assert checked.errors == [(2, "error_value"), (3, "error_value")]
    assert checked.rows[4]["sku"] == "#1 mug"


def test_titles_keep_their_inner_text(run):
    checked = run('sku,title\nA,"<script>alert(1)</script>"\nB,=1+1\nC,"{{7*7}} \u2028x"\n')
    assert [row["title"] for row in checked.rows.values()] == ["<script>alert(1)</script>", "=1+1", "{{7*7}} \u2028x"]


def test_ten_thousand_errors_are_counted_and_the_first_thousand_listed(run):
    checked = run("sku,quantity,price\n" + "".join(f"C-{n},abc,xyz\n" for n in range(5000)))
    assert checked.report.outcome == "reject"
    assert checked.report.rows_bad == 5000
    assert checked.report.errors_total == 10_000
    assert len(checked.report.errors) == 1000
    assert {problem.code for problem in checked.report.errors} <= ERROR_CODES


def test_every_problem_names_row_and_repair(run):
    checked = run("sku,quantity,price,barcode\nA,x,y,1E9\n,1,1,\nB,-1,-1,\nC,1,1\n")
    assert len(checked.errors) == 7
    for problem in checked.report.errors:
        assert problem.message.startswith(f"Row {problem.row}")
        assert problem.message.endswith(".")


@pytest.mark.parametrize("most_sorted", [0, 50_000])
def test_the_index_finds_what_a_dictionary_finds(monkeypatch, most_sorted):
    monkeypatch.setattr(duplicates, "MOST_SORTED", most_sorted)
    draw = random.Random(7)
    index, expected = KeyIndex(), {}
    for row in range(2, 20_002):
        key = f"K{draw.randrange(15_000)}"
        index.extend([row], [key], [hash("same")])
        expected.setdefault(key, []).append(row)
    first_of = {row: rows[0] for rows in expected.values() for row in rows[1:]}
    assert index.find().repeats == first_of


def test_a_product_without_a_title_is_kept_with_a_warning_in_plain_rows_and_in_doubtful_ones(run):
    checked = run("sku,title,quantity\nA-1,Mug,1\nA-2, ,1\nA-3,,5.0\nA-4,,x\n,,\n")
    told = [(w.row, w.column, w.code) for w in checked.report.warnings]
    assert told == [(3, "title", "no_title"), (4, "title", "no_title")]
    assert checked.errors == [(5, "not_a_number")]
    assert run("listing id,title\nL-1,\n", "listings").warnings == set()


def test_rows_that_write_one_price_in_two_ways_are_equal(run):
    checked = run("sku,title,price\nA,a,1.0\nA,a,1.00\nA,a,1\nB,b,10\nB,b,1.0\n")
    assert checked.errors == [(5, "duplicate_conflict"), (6, "duplicate_conflict")]
    assert (list(checked.rows), checked.report.rows_skipped) == ([2], 2)


def test_a_bad_row_that_contradicts_another_is_told_by_its_key_too(run):
    checked = run("sku,title,quantity\nA,a,1\nA,a,x\n")
    told = [(problem.row, problem.code, problem.value) for problem in checked.report.errors]
    assert told == [(2, "duplicate_conflict", "A"), (3, "not_a_number", "x"), (3, "duplicate_conflict", "A")]


def test_the_columns_that_nothing_is_read_from_are_named(run):
    report = run("sku,title,Colour,,Reference\nA,a,red,,R\n").report
    assert report.as_json()["unused"] == ["Colour", "Reference"]
    assert type(report).from_json(report.as_json()) == report
    assert run("sku,title\nA,a\n").report.unused == ()
