"""What every reader hands over: rows of cells with their numbers, and what is known about the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from importers.cells import Cell
from importers.report import Sheet

Row = tuple[int, list[Cell]]


@dataclass
class Hidden:
    """What a person does not see when looking at the sheet; filled while its rows are read."""

    columns: list[tuple[int, int]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    row_count: int = 0

    def row(self, number: int) -> None:
        """Notes a hidden row; the first few numbers are kept, all are counted."""
        self.row_count += 1
        if len(self.rows) < 5:
            self.rows.append(number)

    def has_column(self, index: int) -> bool:
        """True when the column is hidden; index counts from 0."""
        return any(first <= index + 1 <= last for first, last in self.columns)


@dataclass
class Table:
    """A sheet or text file that is ready to be read.

    rows: starts a new pass over the file. type_name: xlsx, xls, xlsb, ods or text. delimiter and encoding: text only.
    doubts: warnings about the whole file, as (code, message).
    """

    rows: Callable[[], Iterator[Row]]
    type_name: str
    sheet: str | None = None
    sheets: tuple[Sheet, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    hidden: Hidden = field(default_factory=Hidden)
    doubts: list[tuple[str, str]] = field(default_factory=list)

    def rows_aside(self) -> Iterator[Row]:
        """A pass of its own in the middle of another one, which leaves what that one has found hidden as it is."""
        columns, rows, count = list(self.hidden.columns), list(self.hidden.rows), self.hidden.row_count
        try:
            yield from self.rows()
        finally:
            self.hidden.columns[:], self.hidden.rows[:], self.hidden.row_count = columns, rows, count
