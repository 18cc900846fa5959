"""Rows column by column: many values of one kind are read, stored and compared in the time that a few take alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from typing import Any


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a file, in its order.

    numbers: the number of each row in the file. columns: field to one value for each row, None for a blank cell.
    """

    numbers: list[int]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Block:
        """The block of rows that are given one by one as (number, typed fields)."""
        found = list(rows)
        names = dict.fromkeys(name for _, fields in found for name in fields)
        return cls([number for number, _ in found], {name: [f.get(name) for _, f in found] for name in names})

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows one by one as (number, typed fields); a blank cell has no entry."""
        names = tuple(self.columns)
        cells = zip(*self.columns.values(), strict=True) if names else repeat(())
        for number, values in zip(self.numbers, cells, strict=bool(names)):
            row = dict(zip(names, values, strict=True))
            yield number, {name: value for name, value in row.items() if value is not None} if None in values else row

    def column(self, name: str) -> list[Any]:
        """The values of a field; None for each row when the file has no such column."""
        return self.columns.get(name) or [None] * len(self.numbers)

    def where(self, keep: Sequence[object]) -> Block:
        """The rows whose flag is true."""
        columns = {name: list(compress(values, keep)) for name, values in self.columns.items()}
        return Block(list(compress(self.numbers, keep)), columns)

    def cut(self, start: int, end: int) -> Block:
        """The rows from the place `start` to before `end`."""
        if start == 0 and end >= len(self):
            return self
        return Block(self.numbers[start:end], {name: values[start:end] for name, values in self.columns.items()})

    def after(self, number: int) -> Block:
        """The rows behind that row of the file."""
        if not self.numbers or self.numbers[0] > number:
            return self
        return self.where([one > number for one in self.numbers])


def joined(blocks: Sequence[Block]) -> Block:
    """One block of several that follow each other."""
    if len(blocks) == 1:
        return blocks[0]
    names = dict.fromkeys(name for block in blocks for name in block.columns)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for block in blocks:
        for name, values in columns.items():
            values += block.column(name)
    return Block([number for block in blocks for number in block.numbers], columns)
