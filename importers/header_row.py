"""Finds the row of headers: the first row as a rule, further down where a title or instructions stand above it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importers.cells import Cell, Mark, Number, as_shown, is_blank
from importers.mapping import count_recognised
from importers.preset import Preset
from importers.presets import find_preset
from importers.report import FileRefused, Kind, Limits, Options, shown
from importers.tables import Row
from importers.wording import phrase

SEARCHED_ROWS = 25
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*")


@dataclass(frozen=True)
class Header:
    """The row of headers: its number (0 when the file has none), its texts, its preset, and whether it looks like data.

    place: index among the rows that were looked at; data starts after it. width: cells of the row, blank ones included.
    """

    row: int
    names: tuple[str, ...]
    place: int
    width: int
    preset: Preset | None
    looks_like_data: bool


def find_header(rows: Sequence[Row], kind: Kind, options: Options, limits: Limits) -> Header:
    """The header among the first rows of a table.

    Raises:
        FileRefused: empty when there is nothing, too_big for too many columns, unknown_value for a row not there.
    """
    filled = [place for place, (_, cells) in enumerate(rows) if not all(is_blank(cell) for cell in cells)]
    if not filled:
        raise FileRefused("empty", phrase("The file has no rows. Export it again, or select another sheet."))
    if options.header_row == 0:
        _refuse_too_wide(*rows[filled[0]], limits)
        names = tuple(phrase("Column {n}", n=index + 1) for index in range(len(rows[filled[0]][1])))
        return Header(0, names, filled[0] - 1, len(names), None, looks_like_data=False)
    searched = filled[:SEARCHED_ROWS]
    place = _chosen(rows, options.header_row) if options.header_row else _best(rows, searched, kind, options, limits)
    number, cells = rows[place]
    names = _names(cells)
    _refuse_too_wide(number, names, limits)
    preset = find_preset(names, kind, options.preset)
    return Header(number, names, place, len(cells), preset, _looks_like_data(cells))


def _refuse_too_wide(number: int, cells: Sequence[Cell], limits: Limits) -> None:
    if len(cells) > limits.columns:
        said = phrase(
            "The file has {count} columns; at most {most} can be read. Delete those without use.",
            count=f"{len(cells):,}", most=f"{limits.columns:,}",
        )  # fmt: skip
        raise FileRefused("too_big", said, row=number)


def _names(cells: Sequence[Cell]) -> tuple[str, ...]:
    names = [_name(as_shown(cell)) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _name(text: str) -> str:
    return shown(" ".join(text.replace("\ufeff", "").split()))


def _chosen(rows: Sequence[Row], wanted: int) -> int:
    for place, (number, _) in enumerate(rows):
        if number == wanted:
            return place
    said = phrase("Row {row} cannot be the row of headers: it is blank or too far down.", row=wanted)
    raise FileRefused("unknown_value", said)


def _best(rows: Sequence[Row], places: Sequence[int], kind: Kind, options: Options, limits: Limits) -> int:
    best, most = places[0], (1, True)
    for place in places:
        names = _names(rows[place][1])
        if len(names) > limits.columns:
            continue  # it could not be read, and a hundred thousand names take long to be looked up
        preset = find_preset(names, kind, options.preset) if len(names) > 1 else None
        count = count_recognised(names, kind, preset.fields_for(kind) if preset else None)
        chosen = sum(name in (options.mapping or {}) for name in names)
        found = count + chosen, preset is not None  # of labels and technical names, those that are known for sure
        if found > most:
            best, most = place, found
    return best


def _looks_like_data(cells: Sequence[Cell]) -> bool:
    """True for a row with numbers in it: headers are words."""
    return any(
        isinstance(cell, Number | Mark) or _NUMBER.fullmatch(cell.strip()) is not None
        for cell in cells
        if not is_blank(cell)
    )


def without_last_delimiter(header: Header, head: Sequence[Row], rows: Iterator[Row]) -> tuple[list[Row], Iterator[Row]]:
    """The rows of a text whose rows all end with a delimiter that the header lacks, without it; others as they are.

    All that were looked at have to, and no cell begins with a space, as it does behind a comma inside of a text: such
    a comma shifts the cells, and the blank one at the end is that of the last column.
    """
    below, longer = head[header.place + 1 :], header.width + 1
    ends = all(len(cells) == longer and is_blank(cells[-1]) for _, cells in below)
    if len(below) < 2 or not ends or any(as_shown(cell).startswith(" ") for _, cells in below for cell in cells):
        return list(head), rows

    def cut(row: Row) -> Row:
        number, cells = row
        return (number, cells[:-1]) if len(cells) == longer and is_blank(cells[-1]) else row

    return [*head[: header.place + 1], *map(cut, below)], map(cut, rows)
