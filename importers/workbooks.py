"""Reads .xlsx and .xlsm sheets as a stream: stored digits, formats, errors, formulas without value, hidden parts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from importers.archive_guard import Package, damaged, feed, safe_parser
from importers.cells import Cell, Mark, Number
from importers.opc import (
    StringCollector,
    Style,
    local,
    read_shared_strings,
    read_styles,
    refuse_depth,
    refuse_external,
    relations,
    workbook_part,
    worksheets,
)
from importers.report import FileRefused, Limits, Options, Sheet
from importers.sheet_choice import choose_sheet
from importers.tables import Hidden, Row, Table
from importers.wording import phrase

_LAST_COLUMN = 16_384
_LAST_ROW = 1_048_576


def open_workbook(path: Path, options: Options, limits: Limits) -> Table:
    """The chosen sheet of a workbook, or its first visible one.

    Raises:
        FileRefused: for any part that is damaged, hostile or beyond the limits, and for a sheet that is not there.
    """
    with Package(path, limits) as package:
        package.refuse_document_types()
        workbook = workbook_part(package)
        wiring = relations(package, workbook)
        parts = worksheets(package, workbook, wiring)
        sheets = tuple(Sheet(part.name, part.hidden) for part in parts)
        chosen, doubts = choose_sheet(sheets, options.sheet)
        part = parts[sheets.index(chosen)]
        refuse_external(wiring[part.relation])
        source = package.resolve(workbook, wiring[part.relation].target)
    hidden = Hidden()
    rows = partial(_rows, path, limits, source, hidden)
    return Table(rows, "xlsx", sheet=part.name, sheets=sheets, hidden=hidden, doubts=doubts)


def _rows(path: Path, limits: Limits, source: str, hidden: Hidden) -> Iterator[Row]:
    hidden.columns.clear()
    hidden.rows.clear()
    hidden.row_count = 0
    with Package(path, limits) as package:
        strings, styles = _shared(package, limits)
        parser = _SheetParser(strings, styles, hidden, limits)
        for chunk in package.chunks(source):
            parser.push(chunk)
            yield from parser.take()
        parser.close()
        yield from parser.take()


def _shared(package: Package, limits: Limits) -> tuple[list[str], list[Style]]:
    workbook = workbook_part(package)
    strings: list[str] = []
    styles: list[Style] = []
    for relation in relations(package, workbook).values():
        if relation.external or relation.kind not in ("sharedStrings", "styles"):
            continue
        part = package.resolve(workbook, relation.target)
        if relation.kind == "styles":
            styles = read_styles(package, part)
        else:
            strings = read_shared_strings(package, part, limits.cell_characters + 1)
    return strings, styles


class _SheetParser:
    """Turns the events of one worksheet part into rows."""

    def __init__(self, strings: list[str], styles: list[Style], hidden: Hidden, limits: Limits) -> None:
        self._strings, self._styles, self._hidden, self._limits = strings, styles, hidden, limits
        self._ready: list[Row] = []
        self._cells: list[Cell] = []
        self._number = 0
        self._row_hidden = False
        self._column = 0
        self._type = self._style = ""
        self._formula = self._has_value = False
        self._text = StringCollector(limits.cell_characters + 1)
        self._depth = 0
        self._columns: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._parser = safe_parser(start=self._start, end=self._end, text=self._text.add)

    def push(self, chunk: bytes) -> None:
        feed(self._parser, (chunk,), final=False)

    def close(self) -> None:
        feed(self._parser, ())

    def take(self) -> list[Row]:
        ready, self._ready = self._ready, []
        return ready

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        refuse_depth(self._depth)
        name = self._names.get(tag) or self._names.setdefault(tag, local(tag))
        if name == "c":
            self._open_cell(attributes)
        elif name == "v" or name == "t":
            self._text.open = self._has_value = True
        elif name == "row":
            self._open_row(attributes)
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._text.phonetic = True
        elif name == "col" and attributes.get("hidden") in ("1", "true"):
            self._hidden.columns.append((int(attributes.get("min", 0)), int(attributes.get("max", 0))))
        elif self._depth == 1 and name != "worksheet":
            raise damaged(phrase("the part of the sheet is no worksheet"))

    def _end(self, tag: str) -> None:
        self._depth -= 1
        name = self._names[tag]
        if name == "v" or name == "t":
            self._text.open = False
        elif name == "c":
            self._close_cell()
        elif name == "row":
            self._close_row()
        elif name == "rPh":
            self._text.phonetic = False

    def _open_row(self, attributes: dict[str, str]) -> None:
        stated = attributes.get("r")
        number = int(stated) if stated else self._number + 1
        if not self._number < number <= _LAST_ROW:
            raise damaged(phrase("row {row} comes after row {other}", row=number, other=self._number))
        self._number = number
        self._row_hidden = attributes.get("hidden") in ("1", "true")
        self._cells = []
        self._column = 0

    def _close_row(self) -> None:
        if self._cells:
            if self._row_hidden:
                self._hidden.row(self._number)
            self._ready.append((self._number, self._cells))

    def _open_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        if place:
            letters = place.rstrip("0123456789")
            column = self._columns.get(letters) or self._columns.setdefault(letters, column_number(letters))
        else:
            column = self._column + 1
        if column <= self._column:
            raise damaged(phrase("row {row} has two cells in one place", row=self._number))
        self._column = column
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._formula = self._has_value = False

    def _close_cell(self) -> None:
        text = self._text.take()
        if not self._has_value:
            value: Cell = Mark("formula_no_value", "=") if self._formula else ""
        elif self._type == "s":
            value = self._shared_string(text)
        elif self._type in ("inlineStr", "str"):
            value = text
        else:
            value = self._typed(text)
        if value == "":
            return
        missing = self._column - len(self._cells) - 1
        if self._column > self._limits.columns:
            said = phrase(
                "Row {row} has a value in column {column}; at most {most} columns can be read. "
                "Delete the columns that are not needed.",
                row=self._number, column=f"{self._column:,}", most=f"{self._limits.columns:,}",
            )  # fmt: skip
            raise FileRefused("too_big", said, row=self._number)
        if missing:
            self._cells.extend([""] * missing)
        self._cells.append(value)

    def _shared_string(self, text: str) -> str:
        try:
            place = int(text)
            return self._strings[place] if place >= 0 else self._strings[len(self._strings)]
        except (ValueError, IndexError) as error:
            raise damaged(phrase("a cell points to a text that is not there")) from error

    def _typed(self, text: str) -> Cell:
        if self._type == "e":
            return Mark("error_value", text)
        if self._type == "b":
            return Mark("bool_in_text", "TRUE" if text == "1" else "FALSE")
        if self._type == "d":
            return Mark("date_in_text", text)
        if not text:
            return Mark("formula_no_value", "=") if self._formula else ""
        style = self._styles[int(self._style)] if self._style and int(self._style) < len(self._styles) else None
        if style == "date":
            return Mark("date_in_text", text)
        number = Number.stored(text, style or 0)
        if number is None:
            raise damaged(phrase("row {row} has a number that is none", row=self._number))
        return number


def column_number(letters: str) -> int:
    """The number of a column from its letters: A is 1, XFD is 16,384. Raises FileRefused for anything else."""
    number = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise damaged(phrase("a cell has no place"))
        number = number * 26 + ord(letter) - 64
        if number > _LAST_COLUMN:
            raise damaged(phrase("a cell lies beyond the last column"))
    if not number:
        raise damaged(phrase("a cell has no place"))
    return number
