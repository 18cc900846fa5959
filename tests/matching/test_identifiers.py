"""Keys, near misses, GTINs and model codes: tables of cases, and properties where algebra holds."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matching.identifiers import (
    WHITE_SPACE,
    check_digit,
    code_key,
    gtin_distance_one,
    is_code,
    is_valid_gtin,
    loose_key,
    loose_keys,
    match_key,
    near_miss,
    parse_gtin,
    repair_gtin,
)

BODY = st.text("0123456789", min_size=12, max_size=12).filter(lambda t: t.strip("0"))


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("  AB-1\t", "AB-1"),
        ("\u00a0AB 1\u3000", "AB 1"),
        ("\ufeffAB", "AB"),
        ("ab", "ab"),
        ("", ""),
        (" \u2003 ", ""),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\x1fAB", "\x1fAB"),
        ("0012", "0012"),
        ("A\u200bB", "A\u200bB"),
    ],
)
def test_a_match_key_is_trimmed_at_both_ends_and_composed(raw, key):
    assert match_key(raw) == key


@given(st.text())
def test_a_match_key_of_a_match_key_is_itself(text):
    once = match_key(text)
    assert match_key(once) == once
    assert not once or (once[0] not in WHITE_SPACE and once[-1] not in WHITE_SPACE)


@given(st.text())
def test_a_loose_key_is_composed(text):
    assert unicodedata.is_normalized("NFKC", loose_key(text))


@given(st.lists(st.text(max_size=6) | st.text("0Aa1 .'`-/\n\r\t", max_size=8), max_size=6))
@example(["1.0", "AB-1"])
def test_loose_keys_are_found_for_many_as_for_one(texts):
    assert loose_keys(texts) == [loose_key(text) for text in texts]


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        ("AB-1", "ab-1", "case"),
        ("AB 1", "AB1", "spaces"),
        ("00123", "123", "leading_zero"),
        ("AB-1", "AB_1", "dash"),
        ("AB-1", "AB1", "dash"),
        ("123.0", "123", "excel_zero"),
        ("'123", "123", "apostrophe"),
        ("ＡＢ1", "AB1", "width"),
        ("A\u200bB1", "AB1", "invisible"),
        ("ab 1", "AB-1", "several"),
        ("007.0", "7", "several"),
    ],
)
def test_a_near_miss_names_its_reason(ours, theirs, reason):
    assert near_miss(ours, theirs).reason == reason
    assert near_miss(theirs, ours).reason == reason


@pytest.mark.parametrize(
    ("ours", "theirs"), [("", ""), ("A", ""), ("A1", "A1"), (" A1", "A1 "), ("A1", "A2"), ("--", "__")]
)
def test_equal_empty_or_different_keys_are_no_near_miss(ours, theirs):
    assert near_miss(ours, theirs) is None


def test_several_differences_are_all_named():
    assert near_miss("ab 1", "AB-1").words == "differ only by case and spaces and dashes or marks"
    assert near_miss("ab 1", "AB1").words == "differ only by case and spaces"
    words = "differ only by case and spaces and dashes or marks and leading zeros"
    assert near_miss("0ab 1", "AB-1").words == words


@pytest.mark.parametrize(
    ("text", "digits", "valid"),
    [
        ("4006381333931", "04006381333931", True),
        ("036000291452", "00036000291452", True),
        ("96385074", "00000096385074", True),
        ("4006381333932", "04006381333932", False),
        ("36000291452", "00036000291452", True),
        ("'4006381333931", "04006381333931", True),
        ("4006381333931.0", "04006381333931", True),
        ("400 6381-333931", "04006381333931", True),
        ("0-306-40615-2", "09780306406157", True),
        ("EAN: 4006381333931", "04006381333931", True),
        ("10614141543219", "10614141543219", True),
    ],
)
def test_a_gtin_is_read_as_fourteen_digits(text, digits, valid):
    read = parse_gtin(text)
    assert (read.digits, read.valid) == (digits, valid)


@pytest.mark.parametrize(
    "text", ["", "abc", "4.00638E+12", "000000000000", "123456", "1234567890123456", "12345678901", "é" * 13, "1" * 50]
)
def test_what_is_no_gtin_is_none(text):
    assert parse_gtin(text) is None


@given(BODY, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_caught(body, place, step):
    right = body + str(check_digit(body))
    wrong = right[:place] + str((int(right[place]) + step) % 10) + right[place + 1 :]
    assert is_valid_gtin(right)
    assert not is_valid_gtin(wrong)
    assert gtin_distance_one(right, wrong)
    if wrong.strip("0"):
        assert repair_gtin(wrong, right) == right.zfill(14)


@pytest.mark.parametrize(
    ("a", "b", "near"),
    [
        ("123", "132", True),
        ("123", "321", False),
        ("123", "1234", False),
        ("123", "123", False),
        ("1234", "5634", False),
    ],
)
def test_neighbours_that_changed_places_are_one_mistake(a, b, near):
    assert gtin_distance_one(a, b) is near


def test_a_gtin_is_repaired_only_by_a_valid_neighbour():
    assert repair_gtin("x", "4006381333931") is None
    assert repair_gtin("4006381333931", "4006381333931") is None
    assert repair_gtin("4006381333932", "4006381333932") is None
    assert repair_gtin("4006381333942", "4006381333931") is None


@pytest.mark.parametrize(
    ("token", "code"),
    [("dscw120", True), ("x1", False), ("12345", True), ("1234", False), ("sony", False), ("ключ1", False)],
)
def test_a_model_code_has_letters_and_digits_or_five_digits(token, code):
    assert is_code(token) is code


def test_a_code_key_ignores_marks_case_and_width():
    assert code_key("DSC-W120/B") == code_key("dscw120 b") == code_key("ＤＳＣ－Ｗ１２０　Ｂ") == "dscw120b"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("04252614", "00042100005264"),
        ("01234565", "00012345000065"),
        ("01234133", "00012300000413"),
        ("01234543", "00012340000053"),
        ("UPC-E 04252614", "00042100005264"),
        ("04252615", "00000004252615"),  # its check digit proves nothing
        ("96385074", "00000096385074"),  # an EAN-8
        ("\u200e4006381333931\u200b", "04006381333931"),
    ],
)
def test_a_short_upc_is_the_long_one_and_invisible_marks_are_nothing(text, digits):
    found = parse_gtin(text)
    assert found is not None
    assert found.digits == digits


def test_a_megabyte_is_no_gtin():
    assert parse_gtin("ﷺ" * 500_000) is None


def test_endless_skus_are_told_apart_at_once_and_not_explained():
    for text in ("ÄB-12é" * 80_000, "a\u200b" * 200_000, "'" * 300_000 + "x"):
        start = time.perf_counter()
        assert near_miss(text, text.lower() + " -") == ("several", "differ only by typing")
        assert near_miss(text, "x" + text) is None
        assert time.perf_counter() - start < 4
