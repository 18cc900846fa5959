"""Reads OpenDocument sheets (.ods) as a stream, without following their huge counts of repeated blank rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from importers.archive_guard import Package, damaged, feed, refuse_password, safe_parser
from importers.cells import DIGIT, ERROR_VALUES, PERCENT, Cell, Mark, Number
from importers.opc import local, refuse_depth
from importers.report import FileRefused, Limits, Options, Sheet
from importers.sheet_choice import choose_sheet
from importers.tables import Hidden, Row, Table
from importers.wording import phrase

CONTENT = "content.xml"
_STYLES = "styles.xml"
#: A row with values that is repeated more often is no row of a catalogue.
_MOST_REPEATS = 10_000
#: A sheet whose values are this many, and this many times those that are written in it, is no catalogue either.
_MOST_UNFOLDED = 1_000_000
_MOST_PER_WRITTEN = 20
#: What a number looks like under a format of zeros with marks or letters; dates and amounts look otherwise.
_SHAPED = re.compile(r"0[0-9]+|(?:[A-Za-z#][A-Za-z0-9]{0,9}[-_/#: ]?)?[0-9]+(?:[-_/][0-9]+)*", re.ASCII)
_NUMBERS = ("float", "currency", "percentage")
#: Elements inside of a cell whose text is not its value: notes, and drawings that are anchored there.
_ASIDE = frozenset(("annotation", "frame", "custom-shape", "control"))


def open_opendocument(path: Path, options: Options, limits: Limits) -> Table:
    """The chosen sheet of an OpenDocument spreadsheet; raises FileRefused as `open_workbook` does."""
    with Package(path, limits) as package:
        package.refuse_document_types()
        _refuse_password(package)
        sheets = _sheets(package)
    chosen, doubts = choose_sheet(sheets, options.sheet)
    hidden = Hidden()
    rows = partial(_rows, path, limits, sheets.index(chosen), hidden)
    return Table(rows, "ods", sheet=chosen.name, sheets=sheets, hidden=hidden, doubts=doubts)


def _refuse_password(package: Package) -> None:
    manifest = "META-INF/manifest.xml"
    if manifest in package and b"encryption-data" in package.read(manifest):
        refuse_password()


def _sheets(package: Package) -> tuple[Sheet, ...]:
    """The names of the sheets; a hidden sheet has a table style that says it is not displayed, or inherits from one."""
    found = _SheetFinder()
    if _STYLES in package:
        # What this part keeps outside of `styles` is for its own use, under names that may be there twice.
        feed(safe_parser(start=found.start_shared, end=found.end_shared), package.chunks(_STYLES))
    feed(safe_parser(start=found.start, end=found.end), package.chunks(CONTENT))
    return tuple(Sheet(name, found.conceals(look)) for name, look in found.sheets)


class _SheetFinder:
    """Collects the sheets, each with its style, and what the styles of tables say."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self._parents: dict[str, str] = {}
        self._displayed: dict[str, bool] = {}
        self._style = ""
        self._depth = 0
        self._shared = False

    def conceals(self, look: str) -> bool:
        """Whether a style says that its table is not displayed; one that says nothing asks the style it comes from."""
        for _ in range(len(self._parents) + 1):
            if look in self._displayed:
                return not self._displayed[look]
            look = self._parents.get(look, "")
        return False

    def start_shared(self, tag: str, attributes: dict[str, str]) -> None:
        self._shared = self._shared or local(tag) == "styles"
        if self._shared:
            self._read_style(local(tag), attributes)

    def end_shared(self, tag: str) -> None:
        self._shared = self._shared and local(tag) != "styles"

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "table":
            self._depth += 1
            if self._depth == 1:  # a table inside of a cell is no sheet
                plain = {local(key): value for key, value in attributes.items()}
                self.sheets.append((plain.get("name", ""), plain.get("style-name", "")))
        else:
            self._read_style(name, attributes)

    def end(self, tag: str) -> None:
        if local(tag) == "table":
            self._depth -= 1

    def _read_style(self, name: str, attributes: dict[str, str]) -> None:
        if name not in ("style", "table-properties"):
            return
        plain = {local(key): value for key, value in attributes.items()}
        if name == "style":
            # Styles of cells and columns may have the name of a table's; only those of tables hide a sheet.
            self._style = plain.get("name", "") if plain.get("family", "table") == "table" else ""
            if self._style:
                self._parents[self._style] = plain.get("parent-style-name", "")
        elif self._style and "display" in plain:
            self._displayed[self._style] = plain["display"] != "false"


def _rows(path: Path, limits: Limits, index: int, hidden: Hidden) -> Iterator[Row]:
    hidden.columns.clear()
    hidden.rows.clear()
    hidden.row_count = 0
    parser = _ContentParser(index, hidden, limits)
    with Package(path, limits) as package:
        for chunk in package.chunks(CONTENT):
            feed(parser.expat, (chunk,), final=False)
            yield from parser.take()
        feed(parser.expat, ())
        yield from parser.take()


class _ContentParser:
    """Turns the events of content.xml into the rows of one table."""

    def __init__(self, index: int, hidden: Hidden, limits: Limits) -> None:
        self._index, self._hidden, self._limits = index, hidden, limits
        self._table = -1
        self._tables = 0
        self._depth = 0
        self._number = 0
        self._row_repeat = self._cell_repeat = 1
        self._row_hidden = False
        self._row_start = 0
        self._column = 0
        self._columns_told = 0
        self._written = self._unfolded = 0
        self._cells: list[Cell] = []
        self._attributes: dict[str, str] = {}
        self._text: list[str] = []
        self._size = 0
        self._paragraphs = 0
        self._in_paragraph = 0
        self._in_note = 0
        self._ready: list[tuple[int, int, list[Cell]]] = []
        self.expat = safe_parser(start=self._start, end=self._end, text=self._characters)

    def take(self) -> Iterator[Row]:
        """The rows that are complete; a repeated row is unfolded one by one."""
        ready, self._ready = self._ready, []
        for start, repeat, cells in ready:
            for number in range(start, start + repeat):
                yield number, list(cells)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        refuse_depth(self._depth)
        name = local(tag)
        if name == "table":
            self._tables += 1
            self._table += self._tables == 1
        if self._table != self._index or self._tables != 1:
            return
        if name in ("table-row", "table-cell", "covered-table-cell", "table-column", "s"):
            plain = {local(key): value for key, value in attributes.items()}
            self._open(name, plain)
        elif name in _ASIDE:
            self._in_note += 1
        elif name == "p" and not self._in_note:
            self._paragraphs += 1
            self._in_paragraph += 1
            if self._paragraphs > 1:
                self._characters("\n")
        elif name in ("line-break", "tab"):
            self._characters("\n" if name == "line-break" else "\t")

    def _open(self, name: str, plain: dict[str, str]) -> None:
        if name == "table-row":
            self._row_start = self._number + 1
            self._row_repeat = _repeats(plain, "rows")
            self._row_hidden = plain.get("visibility", "visible") != "visible"
            self._cells, self._column = [], 0
        elif name == "table-column":
            first, self._columns_told = self._columns_told + 1, self._columns_told + _repeats(plain, "columns")
            if plain.get("visibility", "visible") != "visible":
                self._hidden.columns.append((first, self._columns_told))
        elif name == "s":
            self._characters(" " * min(int(plain.get("c", 1)), 100))
        else:
            self._attributes = plain
            self._cell_repeat = _repeats(plain, "columns")
            self._text, self._size, self._paragraphs = [], 0, 0

    def _characters(self, text: str) -> None:
        if self._in_paragraph and not self._in_note and self._size <= self._limits.cell_characters + 1:
            self._text.append(text)
            self._size += len(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        name = local(tag)
        inside, self._tables = self._tables == 1, self._tables - (name == "table")
        if self._table != self._index or not inside:
            return
        if name in ("table-cell", "covered-table-cell"):
            self._close_cell()
        elif name == "table-row":
            self._close_row()
        elif name in _ASIDE:
            self._in_note -= 1
        elif name == "p" and not self._in_note:
            self._in_paragraph -= 1

    def _close_cell(self) -> None:
        value = self._value("".join(self._text))
        start, self._column = self._column, self._column + self._cell_repeat
        if value == "":
            return
        if self._column > self._limits.columns:
            said = phrase(
                "Row {row} has more than {count} columns. Delete some.",
                row=self._row_start, count=f"{self._limits.columns:,}",
            )  # fmt: skip
            raise FileRefused("too_big", said, row=self._row_start)
        self._cells.extend([""] * (start - len(self._cells)))
        self._cells.extend([value] * self._cell_repeat)
        self._written += 1
        self._unfolded += self._cell_repeat - 1

    def _close_row(self) -> None:
        repeat = self._row_repeat
        self._number += repeat
        if not self._cells:
            return
        if repeat > _MOST_REPEATS:
            said = phrase(
                "Row {row} is repeated {count} times. Delete the repeats.", row=self._row_start, count=f"{repeat:,}"
            )
            raise FileRefused("too_big", said, row=self._row_start)
        self._unfolded += (repeat - 1) * len(self._cells)
        if self._unfolded > max(_MOST_UNFOLDED, _MOST_PER_WRITTEN * self._written):
            said = phrase(
                "Up to row {row} the sheet repeats its values {count} times. Delete the repeats.",
                row=self._row_start, count=f"{self._unfolded:,}",
            )  # fmt: skip
            raise FileRefused("too_big", said, row=self._row_start)
        if self._row_hidden:
            for number in range(self._row_start, self._row_start + repeat):
                self._hidden.row(number)
        self._ready.append((self._row_start, repeat, self._cells))

    def _value(self, text: str) -> Cell:
        kind, stored = self._attributes.get("value-type", ""), self._attributes.get("value", "")
        if text in ERROR_VALUES or text.startswith("Err:") or kind == "error":
            return Mark("error_value", text)
        if kind in _NUMBERS:
            return _number(stored, text, percent=kind == "percentage")
        if kind == "boolean":
            return Mark("bool_in_text", text)
        if kind in ("date", "time"):
            return Mark("date_in_text", text)
        if not kind and not text and self._attributes.get("formula"):
            return Mark("formula_no_value", self._attributes["formula"])
        return self._stored_text(text) if kind == "string" else text

    def _stored_text(self, text: str) -> str:
        """The value of a text cell, which goes before what is shown, unless only line breaks were lost from it."""
        stored = self._attributes.get("string-value", "")[: self._limits.cell_characters + 1]
        return text if stored.split() == text.split() or not stored else stored


def _repeats(plain: dict[str, str], what: str) -> int:
    return int(plain.get(f"number-{what}-repeated", 1))


def _number(stored: str, text: str, *, percent: bool) -> Cell:
    number = Number.stored(stored)
    if number is None:
        raise damaged(phrase("a number cell has no number"))
    if percent:
        return Number(stored, PERCENT)
    return Number(stored, _shape(text) if _SHAPED.fullmatch(text) and _digits(text) == float(stored) else "")


def _digits(text: str) -> float:
    return float("".join(filter(str.isdecimal, text)))


def _shape(text: str) -> str:
    """What is shown with a place for each digit; the format itself lies far away in the styles."""
    return "".join(DIGIT if mark.isdecimal() else mark for mark in text)
