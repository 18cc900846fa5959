"""Staged rows come back as they were, all of them or a field alone, whatever stands in the other fields."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import Block, read_blocks, values_of
from importers.staging import Stage


@pytest.mark.parametrize(
    ("rows", "values"),
    [
        ([{"channel": "A"}, {"channel": "A"}, {"channel": "B"}], {"A", "B"}),
        ([{"channel": 'A "x" \\ é'}], {'A "x" \\ é'}),
        ([{"title": "no channel"}], {None}),
        ([{"title": '"channel":"in a title"'}], {None}),
        ([{"title": 'a","channel":"Z', "channel": "A"}], {"A"}),
        ([{"options": {"channel": "N"}, "channel": "M"}], {"M"}),
        ([{"options": {"channel": "N"}}], {None}),
        ([{"channel": '"quoted"', "options": {"size": "M"}}], {'"quoted"'}),
        ([], set()),
    ],
)
def test_the_values_of_a_field_are_found(
    tmp_path: Path, rows: list[dict[str, object]], values: set[str | None]
) -> None:
    staged = tmp_path / "staged"
    stage = Stage(staged)
    stage.block(Block.of(enumerate(rows, 2)))
    stage.finish()
    assert values_of(staged, "channel") == values


TEXT = st.one_of(st.none(), st.sampled_from(["", "A-1", "@sku", "=", "[]", "a\nb", "a\x1fb", "é"]), st.text(max_size=4))
VALUES = st.one_of(TEXT, st.none(), st.integers(0, 10**9), st.dictionaries(st.text(max_size=2), st.text(max_size=2)))


@given(st.lists(st.tuples(TEXT, TEXT, VALUES, st.integers(0, 9)), min_size=1, max_size=8), st.booleans())
def test_staged_rows_come_back_as_they_were(rows, plain_keys):
    names = ("sku", "match_key", "any", "quantity")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    if plain_keys:
        columns["match_key"] = list(columns["sku"])
    block = Block(list(range(2, len(rows) + 2)), columns)
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder) / "staged")
        stage.block(block)
        stage.finish()
        (found,) = read_blocks(stage.staged)
        assert found == block
        for name in names:
            (alone,) = read_blocks(stage.staged, names=(name,))
            assert alone == Block(block.numbers, {name: columns[name]})
        # The form of before an upgrade: a head that does not say how long its block is.
        head, rest = stage.staged.read_bytes().split(b"\n", 1)
        stage.staged.write_bytes(json.dumps(json.loads(head)[:4]).encode() + b"\n" + rest)
        assert list(read_blocks(stage.staged)) == [found]
