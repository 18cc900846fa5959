"""Rows with a mark are told apart from those without, wherever reading begins; all rows come, each once, in order."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from importers import Block, mark_rows, marks_of, read_blocks, read_unmarked
from importers.staging import Stage, discard_staged

NUMBERS = st.lists(st.integers(0, 60), unique=True, max_size=40).map(sorted)


def stage_of(folder: str, numbers: list[int], together: int) -> Path:
    stage = Stage(Path(folder) / "staged")
    for start in range(0, len(numbers), together):
        some = numbers[start : start + together]
        stage.block(Block(some, {"sku": [f"A-{n}" for n in some]}))
    stage.finish()
    return stage.staged


@given(NUMBERS, st.sets(st.integers(0, 70)), st.integers(1, 7), st.integers(0, 62), st.integers(1, 20), st.booleans())
def test_each_row_comes_once_marked_or_not(numbers, marked, together, start, size, in_order):
    numbers = list(range(2, len(numbers) + 2)) if in_order else numbers
    with tempfile.TemporaryDirectory() as folder:
        staged = stage_of(folder, numbers, together)
        mark_rows(staged, sorted(marked), "now")
        marks = marks_of(staged)
        assert marks is not None
        assert marks.holds == "now"
        rows, passed = [], []
        for block, over in read_unmarked(staged, marks, start=start, size=size):
            assert block.column("sku") == [f"A-{n}" for n in block.numbers]
            assert min([*block.numbers, *over]) > max([*rows, *passed], default=0)
            rows += block.numbers
            passed += over
        assert rows == [n for n in numbers if n > start and n not in marked]
        assert passed == [n for n in numbers if n > start and n in marked]
        whole = [n for block in read_blocks(staged, start=start, size=size) for n in block.numbers]
        assert sorted(rows + passed) == whole


def test_a_file_without_marks_has_none_and_a_discarded_one_loses_them(tmp_path):
    staged = stage_of(str(tmp_path), [2, 3, 4], 2)
    assert marks_of(staged) is None
    assert [block.numbers for block, _ in read_unmarked(staged, None, size=9)] == [[2, 3, 4]]
    mark_rows(staged, [3], "")
    discard_staged(staged)
    assert list(tmp_path.iterdir()) == []
