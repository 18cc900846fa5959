"""The different values of a field are found without reading the rows, whatever stands in the other fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from importers import Block, values_of
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
