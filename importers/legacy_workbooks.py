"""Reads .xls and .xlsb sheets with calamine; only ever called inside the child process, which it may bring down."""

from __future__ import annotations

import contextlib
import datetime
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import python_calamine as calamine

from importers.archive_guard import Package, damaged, refuse_password
from importers.biff import without_records, workbook_stream
from importers.biff_sheets import BiffSheet, biff_sheets, has_password
from importers.cells import Cell, Mark, Number
from importers.far_cells import Trim, all_cells, far_cells
from importers.report import FileRefused, Limits, Options, Sheet, shown
from importers.sheet_choice import choose_sheet
from importers.tables import Hidden, Row, Table
from importers.wording import phrase

_CALAMINE_LOSES_ERRORS = (
    "errors_unseen",
    phrase(
        "In this file type, formulas that end in an error look like blank cells. Save it as .xlsx to have them named."
    ),
)


#: calamine lays the cells of a sheet out as a rectangle, with some 70 bytes for each place, also where nothing is.
_MOST_PLACES = 5_000_000

#: By the place of a sheet: whether what stays is its table, and what is left out.
Trims = dict[int, tuple[bool, Trim]]


def open_legacy(path: Path, type_name: str, options: Options, limits: Limits) -> Table:
    """The chosen sheet of an .xls or .xlsb workbook.

    Raises:
        FileRefused: encrypted, corrupt or too_big; a file that asks for more memory than allowed all the same ends the
            process instead.
    """
    walked: list[BiffSheet] | None = None
    trims: Trims = {}
    if type_name == "xlsb":
        _measure(path, limits)
    else:
        walked, trims = _walked(path.read_bytes())
    content = partial(_content, path, [place for _, trim in trims.values() for place in trim.records])
    book = _book(content())
    metadata = [item for item in book.sheets_metadata if item.typ == calamine.SheetTypeEnum.WorkSheet]
    sheets = tuple(Sheet(item.name, item.visible != calamine.SheetVisibleEnum.Visible) for item in metadata)
    chosen, doubts = choose_sheet(sheets, options.sheet)
    place = [item.name for item in book.sheets_metadata].index(chosen.name)
    unseen = walked is None or place >= len(walked)
    if unseen:
        doubts.append(_CALAMINE_LOSES_ERRORS)
    known = BiffSheet(chosen.name) if walked is None or unseen else walked[place]
    if place in trims:
        doubts += _left_aside(known, *trims[place])
    hidden = Hidden(columns=[(first + 1, last + 1) for first, last in known.hidden_columns])
    rows = partial(_rows, content, chosen.name, known, hidden, limits)
    return Table(rows, type_name, sheet=chosen.name, sheets=sheets, hidden=hidden, doubts=doubts)


def _walked(content: bytes) -> tuple[list[BiffSheet] | None, Trims]:
    """What the records of an .xls file say, before calamine makes room for all of its sheets.

    Of sheets that reach too far also what is to be left out, and whether what stays is their table.
    """
    if has_password(content):
        refuse_password()
    sheets = biff_sheets(content)
    trims: Trims = {}
    for place, sheet in enumerate(sheets or ()):
        if max(sheet.area, sheet.reserved) > _MOST_PLACES:
            stream = workbook_stream(content)
            found = far_cells(stream, sheet.start, _MOST_PLACES)
            trims[place] = (True, found) if found else (False, all_cells(stream, sheet.start))
    return sheets, trims


def _content(path: Path, records: list[int]) -> bytes:
    """The file without these records."""
    content = path.read_bytes()
    return without_records(content, records) if records else content


def _left_aside(sheet: BiffSheet, is_table: bool, trim: Trim) -> list[tuple[str, str]]:
    """What is said of the cells that lie apart from the table of a sheet."""
    if not is_table:
        raise _too_far(sheet)
    if not trim.cells:
        return []
    said = phrase(
        "Cells that lie far from the table are left out: {cells}.", cells=", ".join(map(_cell_name, trim.cells))
    )
    return [("far_cells", said)]


def _too_far(sheet: BiffSheet) -> FileRefused:
    cells = ", ".join(dict.fromkeys(map(_cell_name, (sheet.rightmost, sheet.lowest))))
    said = phrase(
        "The sheet {sheet} reaches too far for a file of this type, to {cells}. "
        "Delete what lies apart from the table, or save it as Excel (.xlsx).", sheet=shown(sheet.name), cells=cells,
    )  # fmt: skip
    return FileRefused("too_big", said, row=sheet.lowest[0] + 1)


def _cell_name(place: tuple[int, int]) -> str:
    """The name of a cell from its row and column, which count from 0."""
    row, column = place
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def _measure(path: Path, limits: Limits) -> None:
    with Package(path, limits) as package:
        for name in package.members:
            for _ in package.chunks(name):
                pass


def _book(content: bytes) -> calamine.CalamineWorkbook:
    with _told():
        # From its bytes, because from_path believes the extension, and uploads are stored without one.
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turns what calamine raises into a refusal; a panic of its own is no Exception, and has no class to import."""
    try:
        yield
    except FileRefused:
        raise
    except calamine.PasswordError as error:
        raise FileRefused(
            "encrypted", phrase("The file has a password. Save it without one and select it again.")
        ) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        if "password" in str(error).lower():
            raise FileRefused("encrypted", phrase("The file has a password. Save it without one.")) from error
        raise damaged() from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise damaged() from error


def _rows(content: Callable[[], bytes], name: str, known: BiffSheet, hidden: Hidden, limits: Limits) -> Iterator[Row]:
    hidden.rows.clear()
    hidden.row_count = 0
    with _told():
        sheet = _book(content()).get_sheet_by_name(name)
    if sheet.width > limits.columns:
        said = phrase("The sheet has more than {count} columns. Delete those without use.", count=f"{limits.columns:,}")
        raise FileRefused("too_big", said)
    first_row, first_column = sheet.start or (0, 0)
    margin: list[Cell] = [""] * first_column
    with _told():
        rows = sheet.to_python(skip_empty_area=True)
    for row, values in enumerate(rows, start=first_row):
        cells = [*margin, *map(_cell, values)]
        _put_known(cells, row, known, limits)
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            if known.hides(row):
                hidden.row(row + 1)
            yield row + 1, cells


def _put_known(cells: list[Cell], row: int, known: BiffSheet, limits: Limits) -> None:
    """Puts into a row what calamine leaves out: errors, and what a format adds to a number."""
    for column, text in known.errors.get(row, ()):
        if column < limits.columns:
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = Mark("error_value", text)
    for column, shape in known.shapes.get(row, ()):
        cell = cells[column] if column < len(cells) else ""
        if isinstance(cell, Number):
            cells[column] = Number(cell.raw, shape)


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return Mark("bool_in_text", "TRUE" if value else "FALSE")
    if isinstance(value, int | float):
        return Number(repr(value))
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return Mark("date_in_text", str(value))
    return ""
