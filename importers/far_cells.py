"""Far cells of an .xls sheet: what lies apart from its table is taken out of the file before it is laid out.

A note in the last row makes a rectangle of millions of places, although the sheet has a hundred cells. Where a few
cells lie behind a wide gap the rest is the table; where many do, nobody can say which of them is.
"""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from importers.biff import CELLS, DIMENSIONS, FORMULAS, MULRK, STRING, placed_records

#: A gap that no table has in it, in rows and in columns, and how many cells behind it are no table of their own.
_GAP_ROWS, _GAP_COLUMNS = 1_000, 50
_MOST_ASIDE = 10

Place = tuple[int, int]


@dataclass
class Trim:
    """What to take out of a sheet: records by their place in the stream, and the cells that they are."""

    records: list[int] = field(default_factory=list)
    cells: list[Place] = field(default_factory=list)


def far_cells(stream: bytes, start: int, most: int) -> Trim | None:
    """The cells of the sheet that begins there which lie apart from its table, and its statement of size.

    most: the places that the table may have at most. None where more than a few cells lie apart.
    """
    places = list(_cells(stream, start))
    rows = _end_of_table([row for _, row, _ in places], _GAP_ROWS)
    columns = _end_of_table([column for _, row, column in places if row < rows], _GAP_COLUMNS)
    aside = [(row, column) for _, row, column in places if row >= rows or column >= columns]
    kept = [(row, column) for _, row, column in places if row < rows and column < columns]
    if len(aside) > _MOST_ASIDE or not kept or _area(kept) > most:
        return None
    apart = set(aside)
    return Trim(list(_records(stream, start, apart)), aside)


def all_cells(stream: bytes, start: int) -> Trim:
    """Everything in a sheet, to leave it out as a whole."""
    places = {(row, column) for _, row, column in _cells(stream, start)}
    return Trim(list(_records(stream, start, places)))


def _cells(stream: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """The place in the stream, row and column of each cell with a value."""
    for place, kind, body in placed_records(stream, start):
        if kind in CELLS:
            row, column = struct.unpack_from("<HH", body)
            last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == MULRK else column
            yield from ((place, row, each) for each in range(column, last + 1))


def _records(stream: bytes, start: int, cells: set[Place]) -> Iterator[int]:
    """The places of the records of these cells, with the texts that formulas are followed by, and of the size."""
    follows = False
    for place, kind, body in placed_records(stream, start):
        if kind == DIMENSIONS or (kind == STRING and follows):
            yield place
        elif kind in CELLS:
            found = struct.unpack_from("<HH", body) in cells
            follows = found and kind in FORMULAS
            if found:
                yield place


def _end_of_table(numbers: list[int], gap: int) -> int:
    """The first row or column of which only a few cells are left behind a gap; beyond the last one if there is none."""
    counted = Counter(numbers)
    ahead = sorted(counted)
    left = len(numbers)
    for one, other in itertools.pairwise(ahead):
        left -= counted[one]
        if other - one > gap and left <= _MOST_ASIDE:
            return one + 1
    return ahead[-1] + 1 if ahead else 0


def _area(cells: list[Place]) -> int:
    rows, columns = [row for row, _ in cells], [column for _, column in cells]
    return (max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1)
