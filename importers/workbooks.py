"""Reads .xlsx and .xlsm sheets as a stream: stored digits, formats, errors, formulas without value, hidden parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from importers.archive_guard import Package, damaged, safe_parser
from importers.cells import Cell, Mark, Number
from importers.opc import (
    DATE,
    StringCollector,
    Style,
    local,
    read_shared_strings,
    read_styles,
    refuse_depth,
    refuse_external,
    relations,
    unescape,
    workbook_part,
    worksheets,
)
from importers.plain_xml import ROW_END, Lots, PlainRows, attributes_of, plain_rows
from importers.report import FileRefused, Limits, Options, Sheet
from importers.sheet_choice import choose_sheet
from importers.tables import Hidden, Row, Table
from importers.wording import phrase

_LAST_COLUMN = 16_384
_LAST_ROW = 1_048_576
_TEXT_TYPES = ("inlineStr", "str")


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
        found = _Rows(strings, styles, hidden, limits)
        parser = _SheetParser(found, limits.cell_characters + 1)
        for chunk in package.chunks(source):
            parser.push(chunk)
            yield from found.take()
        parser.close()
        yield from found.take()


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


class _Rows:
    """Makes rows of cells that come one after the other, and checks their places."""

    def __init__(self, strings: list[str], styles: list[Style], hidden: Hidden, limits: Limits) -> None:
        self._strings, self._styles, self._hidden, self._limits = strings, styles, hidden, limits
        self._ready: list[Row] = []
        self._cells: list[Cell] = []
        self._number = 0
        self._row_hidden = False
        self._column = 0
        self._columns: dict[str, int] = {}
        self._in_order: list[str] = []  # the letters of the first columns, as many as a row has had so far
        self._texts: set[str] = set()
        self._readers: dict[str, Callable[[str | None], Cell]] = {}

    def take(self) -> list[Row]:
        ready, self._ready = self._ready, []
        return ready

    def hide_columns(self, first: int, last: int) -> None:
        self._hidden.columns.append((first, last))

    def begin(self, stated: int | None, *, hidden: bool) -> None:
        number = self._number + 1 if stated is None else stated
        if not self._number < number <= _LAST_ROW:
            raise damaged(phrase("row {row} comes after row {other}", row=number, other=self._number))
        self._number = number
        self._row_hidden = hidden
        self._cells = []
        self._column = 0

    def end(self) -> None:
        if self._cells:
            if self._row_hidden:
                self._hidden.row(self._number)
            self._ready.append((self._number, self._cells))

    def at(self, letters: str | None) -> None:
        """Go on to the cell in that column, or to the next one."""
        column = self._column + 1
        if letters is not None:
            column = self._columns.get(letters) or self._columns.setdefault(letters, column_number(letters))
        if column <= self._column:
            raise damaged(phrase("row {row} has two cells in one place", row=self._number))
        self._column = column

    def put(self, value: Cell) -> None:
        """Put a value where the row has come to; blank ones are not kept."""
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

    def add(self, lot: PlainRows) -> None:
        """Put whole rows in; one whose columns follow each other, as nearly all do, at once and not cell by cell."""
        for each in {*lot.written} - self._readers.keys():
            attributes = attributes_of(each) or {}
            kind = attributes.get("t", "n")
            self._readers[each] = partial(self.value, kind, attributes.get("s", ""))
            if kind in _TEXT_TYPES:
                self._texts.add(each)
        texts = self._texts if self._are_plain(lot.texts) else ()
        pairs = zip(lot.written, lot.texts, strict=True)
        values: list[Cell] = [text if text and how in texts else self._readers[how](text) for how, text in pairs]
        for number, written, first, end in lot.spans():
            self.begin(number, hidden=bool(written) and _is_hidden(attributes_of(written) or {}))
            letters = lot.letters[first:end]
            if letters == self._in_order[: len(letters)]:
                while end > first and values[end - 1] == "":
                    end -= 1
                self._cells = values[first:end]
            else:
                for each, value in zip(letters, values[first:end], strict=True):
                    self.at(each)
                    self.put(value)
                if self._column == len(letters) <= self._limits.columns:
                    self._in_order = max(letters, self._in_order, key=len)
            self.end()

    def _are_plain(self, texts: list[str | None]) -> bool:
        """Whether no text has to be cut or holds an escape."""
        together = "".join(filter(None, texts))
        longest = self._limits.cell_characters
        return "_x" not in together and (len(together) <= longest or max(map(len, filter(None, texts))) <= longest)

    def value(self, kind: str, style: str, text: str | None, *, formula: bool = False) -> Cell:
        """What a cell of this type and style holds; `text` is None without a value."""
        if text is None:
            return Mark("formula_no_value", "=") if formula else ""
        if kind == "s":
            return self._shared_string(text)
        if kind in _TEXT_TYPES:
            return unescape(text[: self._limits.cell_characters + 1])
        return self._typed(kind, style, text, formula=formula)

    def _shared_string(self, text: str) -> str:
        try:
            place = int(text)
            return self._strings[place] if place >= 0 else self._strings[len(self._strings)]
        except (ValueError, IndexError) as error:
            raise damaged(phrase("a cell points to a text that is not there")) from error

    def _typed(self, kind: str, style: str, text: str, *, formula: bool) -> Cell:
        if kind == "e":
            return Mark("error_value", text)
        if kind == "b":
            return Mark("bool_in_text", "TRUE" if text == "1" else "FALSE")
        if kind == "d":
            return Mark("date_in_text", text)
        if not text:
            return Mark("formula_no_value", "=") if formula else ""
        meaning = self._styles[int(style)] if style and int(style) < len(self._styles) else ""
        if meaning == DATE:
            return Mark("date_in_text", text)
        number = Number.stored(text, meaning)
        if number is None:
            raise damaged(phrase("row {row} has a number that is none", row=self._number))
        return number


class _SheetParser:
    """Reads one worksheet part: each row by the events of a parser, or many at once where they are written plainly."""

    def __init__(self, rows: _Rows, longest: int) -> None:
        self._rows = rows
        self._type = self._style = ""
        self._formula = self._has_value = False
        self._text = StringCollector(longest)
        self._depth = 0
        self._names: dict[str, str] = {}
        self._parser = safe_parser(start=self._start, end=self._end, text=self._text.add)
        self._lots = Lots(self._parser, ROW_END, self._take)
        self.push, self.close = self._lots.push, self._lots.close

    def _take(self, lot: bytes) -> bool:
        plain = plain_rows(lot)
        if plain is not None:
            self._rows.add(plain)
        return plain is not None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._lots.started()
        refuse_depth(self._depth)
        name = self._names.get(tag) or self._names.setdefault(tag, local(tag))
        if name == "c":
            place = attributes.get("r")
            self._rows.at(place.rstrip("0123456789") if place else None)
            self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._formula = self._has_value = False
        elif name == "v" or name == "t":
            self._text.open = self._has_value = True
        elif name == "row":
            stated = attributes.get("r")
            self._rows.begin(int(stated) if stated else None, hidden=_is_hidden(attributes))
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._text.phonetic = True
        elif name == "col" and _is_hidden(attributes):
            self._rows.hide_columns(int(attributes.get("min", 0)), int(attributes.get("max", 0)))
        elif self._depth == 1 and name != "worksheet":
            raise damaged(phrase("the part of the sheet is no worksheet"))

    def _end(self, tag: str) -> None:
        self._depth -= 1
        name = self._names[tag]
        if name == "v" or name == "t":
            self._text.open = False
        elif name == "c":
            text = self._text.take()
            value = self._rows.value(self._type, self._style, text if self._has_value else None, formula=self._formula)
            self._rows.put(value)
        elif name == "row":
            self._rows.end()
            self._lots.ended()
        elif name == "rPh":
            self._text.phonetic = False


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    """Whether a row or column says that it is hidden, or has no height or width."""
    size = attributes.get("ht") or attributes.get("width") or ""
    return attributes.get("hidden") in ("1", "true") or (size.startswith("0") and not size.strip("0."))


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
