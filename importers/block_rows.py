"""Reads many rows at once, column by column; a row with anything unusual in it is read again by itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter
from typing import Any, cast

from importers.amounts import PriceReader
from importers.blocks import Block
from importers.cells import Cell, CellError, Note, match_key
from importers.echoes import is_sum
from importers.fields import OPTION_DETAILS
from importers.late_marks import places_of_two_readings
from importers.preset_rows import KeptRow
from importers.report import Problem
from importers.rows import KEY_FIELDS, NO_TITLE, Fields, Reader, RowReader, gather_options, shows_comma
from importers.tables import Row

#: Rows that are read at once, unless they are long ones; they are pulled in small lots, so that few large rows do not
#: fill the memory before they are looked at.
BLOCK = 500
BLOCK_CHARACTERS = 1 << 20
PULLED = 25


@dataclass
class ReadRows:
    """What some rows came to: `block` holds those that are rows at all, the bad ones with what could be read of them.

    bad: place in the block to the problems of that row. notes: warnings as (row number, header, note).
    two_readings: rows whose price is another one if the file turns out to write a decimal comma.
    """

    block: Block
    bad: dict[int, list[Problem]] = field(default_factory=dict)
    notes: list[tuple[int, str, Note]] = field(default_factory=list)
    two_readings: list[int] = field(default_factory=list)

    def good(self) -> Block:
        """The rows without a problem."""
        return self.block.where([place not in self.bad for place in range(len(self.block))]) if self.bad else self.block


def batches(rows: Iterator[KeptRow]) -> Iterator[tuple[list[int], list[Row]]]:
    """The rows in lists that are read at once, each with the numbers of those that are left out on purpose.

    Rows with one number, which one row of the file was unfolded into, stay in one list: an import that stops goes on
    after the last number that it has dealt with.
    """
    held: list[KeptRow] = []
    while some := held + list(islice(rows, PULLED - len(held))):
        while len(some) < BLOCK and _characters(some[-PULLED:]) < BLOCK_CHARACTERS:
            more = list(islice(rows, PULLED))
            if not more:
                break
            some += more
        held = []
        for row in rows:
            if row[0] != some[-1][0]:
                held = [row]
                break
            some.append(row)
        left_out = [number for number, cells in some if cells is None]
        yield left_out, [(n, cells) for n, cells in some if cells is not None] if left_out else cast(list[Row], some)


def _characters(rows: list[KeptRow]) -> int:
    filled = [cells for _, cells in rows if cells]
    try:
        return sum(map(len, map("".join, cast(list[list[str]], filled))))
    except TypeError:
        return sum(map(len, chain.from_iterable(filled)))  # 2 for a number, which is never long


class BlockReader:
    """Reads blocks of rows as a RowReader reads them one by one, in a fraction of the time where cells are plain."""

    def __init__(self, rows: RowReader) -> None:
        self._rows = rows
        names = [name for _, name, _ in rows.readers]
        by_sku = "listing_id" not in names and "listing_sku" in names
        self._keys = ["listing_sku" if name == "listing_id" and by_sku else name for name in KEY_FIELDS[rows.kind]]

    def read(self, rows: Sequence[Row]) -> ReadRows:
        """The typed fields, problems and warnings of these rows; those of nothing are left out."""
        if not rows:
            return ReadRows(Block([], {}))
        self._two_readings: list[int] = []
        columns, unusual = self._columns(rows)
        found: list[tuple[int, Fields | None, list[Problem]]] = []
        notes = self._untitled(rows, columns, unusual)
        for place in sorted(unusual):
            number, cells = rows[place]
            found.append((place, *self._rows.read(number, cells)))
            notes += [(number, header, note) for header, note in self._rows.notes]
            self._rows.notes.clear()
        notes.sort(key=itemgetter(0))  # a row's own stay in their order
        for place, fields, _ in found:
            for name, values in columns.items():
                values[place] = fields.get(name) if fields else None
        block = Block([number for number, _ in rows], columns)
        gone = [place for place, fields, _ in found if fields is None]
        if gone:
            kept = [True] * len(rows)
            for place in gone:
                kept[place] = False
            block = block.where(kept)
        bad = {place - bisect_left(gone, place): problems for place, _, problems in found if problems}
        return ReadRows(block, bad, notes, self._two_readings)

    def _untitled(
        self, rows: Sequence[Row], columns: dict[str, list[Any]], unusual: set[int]
    ) -> list[tuple[int, str, Note]]:
        """The warnings of plain rows whose title is blank; see RowReader."""
        titles = columns["title"] if self._rows.wants_title else []
        if None not in titles:
            return []
        header = self._rows.headers["title"]
        untitled = [place for place, title in enumerate(titles) if title is None and place not in unusual]
        unusual.update(place for place in untitled if is_sum(columns["sku"][place] or ""))
        places = (place for place in untitled if place not in unusual)
        return [(rows[place][0], header, NO_TITLE) for place in places]

    def _columns(self, rows: Sequence[Row]) -> tuple[dict[str, list[Any]], set[int]]:
        """The values by field, and the places of the rows that must be read by themselves."""
        reader = self._rows
        table, unusual = self._whole([cells for _, cells in rows])
        turned = list(zip(*table, strict=True))
        columns: dict[str, list[Any]] = {}
        unusual.update(self._repeats(rows, turned))
        for index, name, read in reader.readers:
            cells = turned[index]
            values = read.many(cells)
            if values is None and isinstance(read, PriceReader) and not read.grammar.comma_seen:
                read.grammar.comma_seen = read.grammar.decimal is None and shows_comma(cells)
            columns[name] = self._one_by_one(read, cells, unusual) if values is None else list(values)
            if isinstance(read, PriceReader) and not (read.grammar.decimal or read.grammar.comma_seen):
                places = places_of_two_readings(cells, columns[name])
                self._two_readings = [rows[place][0] for place in places]
        self._complete(columns, len(rows))
        for name in self._keys:
            values = columns[name]
            if None in values:
                unusual.update(place for place, value in enumerate(values) if value is None)
        return columns, unusual

    def _repeats(self, rows: Sequence[Row], turned: Sequence[Sequence[Cell]]) -> list[int]:
        """The places of rows that may be headers; a look at one column tells where there are none."""
        index, name, _ = self._rows.readers[0]
        if rows[0][0] > self._rows.first_row and self._rows.headers[name] not in turned[index]:
            return []
        return [place for place, (number, cells) in enumerate(rows) if self._rows.may_repeat(number, cells)]

    def _whole(self, rows: Sequence[list[Cell]]) -> tuple[Sequence[list[Cell]], set[int]]:
        """The rows, all as wide as the table; those that are not, and must not be made so, are unusual."""
        reader, width = self._rows, self._rows.width
        odd = [place for place, cells in enumerate(rows) if len(cells) != width]
        if not odd:
            return rows, set()
        whole, unusual = list(rows), set()
        for place in odd:
            cells = rows[place]
            if reader.ragged_allowed or reader.last_named <= len(cells) <= width:
                whole[place] = cells[:width] + [""] * (width - len(cells))
            else:
                whole[place] = [""] * width
                unusual.add(place)
        return whole, unusual

    def _one_by_one(self, read: Reader, cells: Sequence[Cell], unusual: set[int]) -> list[Any]:
        """The values of a column with doubtful cells, each different cell read once; what warns or fails is unusual."""
        known: dict[Cell, Any] = {}
        doubtful: set[Cell] = set()
        for cell in set(cells):
            try:
                known[cell] = read(cell)
            except CellError:
                doubtful.add(cell)
            if self._rows.said:
                self._rows.said.clear()
                doubtful.add(cell)
        if doubtful:
            unusual.update(place for place, cell in enumerate(cells) if cell in doubtful)
        return list(map(known.get, cells))

    def _complete(self, columns: dict[str, list[Any]], count: int) -> None:
        """What rows are given beyond their cells; see RowReader."""
        skus = columns.get("sku")
        if skus is not None:
            columns["match_key"] = _match_keys(skus)
            if self._rows.id_from_sku:
                columns["listing_id"] = list(skus)
        if self._rows.has_options:
            self._gather_options(columns, count)

    @staticmethod
    def _gather_options(columns: dict[str, list[Any]], count: int) -> None:
        names = [name for name in columns if name.startswith("option")]
        cells = {name: columns.pop(name) for name in names}
        if OPTION_DETAILS in names:
            return _gather_details(columns, cells, count)
        options: list[Any] = [None] * count
        for place, values in enumerate(zip(*cells.values(), strict=True)):
            if any(values):
                fields = {name: value for name, value in zip(names, values, strict=True) if value is not None}
                gather_options(fields)
                options[place] = fields.get("options")
        columns["options"] = options


def _gather_details(columns: dict[str, list[Any]], cells: dict[str, list[Any]], count: int) -> None:
    """The options of rows that have them in one cell, and the parents that the ids of such rows name."""
    blank = [None] * count
    more = {"listing_id": columns.get("listing_id", blank), "parent_id": columns.get("parent_id", blank)}
    found: list[Fields] = []
    for values in zip(*cells.values(), *more.values(), strict=True):
        named = zip((*cells, *more), values, strict=True)
        found.append({name: value for name, value in named if value is not None})
        gather_options(found[-1])
    columns["options"] = [fields.get("options") for fields in found]
    columns["parent_id"] = [fields.get("parent_id") for fields in found]


def _match_keys(skus: list[Any]) -> list[Any]:
    if "".join(filter(None, skus)).isascii():
        return list(skus)
    return [None if sku is None else match_key(sku) for sku in skus]
