"""Rows that are read at once are read exactly as one by one, whatever stands in them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import Block, leave_out, read_blocks, read_problems, read_staged
from importers.amounts import Grammar
from importers.barcodes import have_right_check_digits
from importers.block_rows import BLOCK, BlockReader, batches
from importers.cells import Mark, Number
from importers.report import DEFAULT, Column, Problem
from importers.rows import RowReader
from importers.staging import Stage

FIELDS = {
    "products": (
        "sku",
        "title",
        "gtin",
        "price",
        "quantity",
        "currency",
        "option1_name",
        "option1_value",
        "option:Size",
    ),
    "stock": ("sku", "quantity", "warehouse", "price"),
    "listings": ("listing_id", "sku", "title", "price", "quantity", "channel"),
    "links": ("sku", "listing_sku", "source"),
}
CELLS = st.one_of(
    st.sampled_from(
        (
            *(
                "",
                " ",
                "\u00a0",
                "A-1",
                " A-1 ",
                "Ñandú",
                "n\u0303",
                "'=1",
                "#N/A",
                "a\nb",
                "a\x1fb",
                "\x00",
                "EUR",
                "€",
                "$5.50",
            ),
            *("4006381333931", "4006381333932", "036000291452", "96385074", "12345678901234", "1.5E+12", "7,3E8", "٣"),
            *("5", "007", "5.0", "-1", "1,5", "1.000", "12.50", "0.99991", "1234567890", "999999999999.9999", "1\n2"),
        )
    ),
    st.text(max_size=4),
    st.sampled_from([Number("12"), Number("1.5"), Number("1e20"), Number("7", "\0" * 4), Mark("error_value", "#REF!")]),
)
TABLES = st.lists(st.lists(CELLS, min_size=0, max_size=10), max_size=12)


def reader(kind, width, *, ragged, grammar=None):
    columns = [Column(name, name, "recognised", "") for name in FIELDS[kind]]
    return RowReader(
        kind, columns, DEFAULT, lambda _index: grammar or Grammar(), width=width, ragged_allowed=ragged,
        known={"source": ["A-1"]},
    )  # fmt: skip


@pytest.mark.parametrize("kind", FIELDS)
@given(table=TABLES, ragged=st.booleans(), decimal=st.sampled_from([None, "comma", "point"]))
def test_many_rows_are_read_as_one_by_one(kind, table, ragged, decimal):
    rows = list(enumerate(([*cells] for cells in table), 2))
    width = len(FIELDS[kind])
    alone = reader(kind, width, ragged=ragged, grammar=Grammar(decimal))
    good, bad, notes = [], [], []
    for number, cells in rows:
        fields, problems = alone.read(number, cells)
        notes += [(number, *note) for note in alone.notes]
        alone.notes.clear()
        bad += problems
        if fields is not None and not problems:
            good.append((number, fields))
    read = BlockReader(reader(kind, width, ragged=ragged, grammar=Grammar(decimal))).read(rows)
    assert list(read.good().rows()) == good
    assert [problem for problems in read.bad.values() for problem in problems] == bad
    assert read.notes == notes
    assert all(read.block.numbers[place] == problems[0].row for place, problems in read.bad.items())


@given(codes=st.lists(st.text("0123456789", min_size=1, max_size=13), max_size=600), wrong=st.integers(0, 9))
def test_check_digits_are_added_up_for_all_codes_at_once(codes, wrong):
    def digit(body):
        return -sum(int(one) * (3, 1)[place % 2] for place, one in enumerate(reversed(body))) % 10

    right = [f"{code}{digit(code)}".zfill(14) for code in codes]
    assert have_right_check_digits("".join(right), 14)
    for place, code in enumerate(codes):
        changed = [*right]
        changed[place] = f"{code}{wrong}".zfill(14)
        assert have_right_check_digits("".join(changed), 14) is (wrong == digit(code))
        break


def test_long_rows_are_read_in_smaller_lots():
    short, long = [(n, ["x"]) for n in range(2_000)], [(n, ["x" * 100_000]) for n in range(100)]
    assert [len(rows) for _, rows in batches(iter(short))] == [BLOCK] * 4
    assert max(len(rows) for _, rows in batches(iter(long))) < 100
    mixed = [(1, ["a"]), (2, None), (3, ["b"])]
    assert list(batches(iter(mixed))) == [([2], [(1, ["a"]), (3, ["b"])])]


def test_rows_that_one_row_of_the_file_was_unfolded_into_stay_in_one_lot():
    rows = [(n // 3, ["x"]) for n in range(4_000)]
    lots = [[number for number, _ in lot] for _, lot in batches(iter(rows))]
    assert [*itertools.chain(*lots)] == [number for number, _ in rows]
    assert all(not {*one} & {*other} for one, other in itertools.pairwise(lots))


def test_rows_with_one_number_are_staged_and_read_again(tmp_path):
    stage = Stage(tmp_path / "staged")
    rows = [(2, {"a": "x"}), (2, {"a": "y"}), (4, {"a": "z"})]
    stage.block(Block.of(rows))
    stage.finish()
    assert list(read_staged(tmp_path / "staged")) == rows
    assert list(read_staged(tmp_path / "staged", start=2)) == rows[2:]


TEXTS = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=5) | st.sampled_from(["\x1f", "\n", "["])
ROWS = st.lists(st.fixed_dictionaries({"a": TEXTS, "n": st.none() | st.integers(0, 9), "options": st.just({"a": "b"})}))


@given(blocks=st.lists(ROWS, max_size=4), gaps=st.booleans(), start=st.integers(0, 12), size=st.integers(1, 9))
def test_what_is_staged_is_read_again(tmp_path_factory, blocks, gaps, start, size):
    staged = tmp_path_factory.getbasetemp() / "staged"
    stage, count = Stage(staged), itertools.count(2, 2 if gaps else 1)
    every = []
    for rows in blocks:
        numbered = [(next(count), {name: value for name, value in row.items() if value is not None}) for row in rows]
        stage.block(Block.of(numbered))
        every += numbered
    stage.finish()
    rest = [(number, row) for number, row in every if number > start]
    assert list(read_staged(staged, start=start)) == rest
    sizes = [len(block) for block in read_blocks(staged, start=start, size=size, names=("a",))]
    assert sum(sizes) == len(rest)
    assert all(one >= size for one in sizes[:-1])
    out = [number for number, _ in every[::3]]
    problems = [Problem(number, "a", "unknown_sku", "", "No.") for number in out]
    assert leave_out(staged, problems) == len(out)
    assert list(read_staged(staged)) == [row for row in every if row[0] not in out]
    assert list(read_problems(staged)) == problems
