"""Reads .xls and .xlsb sheets with calamine; only ever called inside the child process, which it may bring down."""

from __future__ import annotations

import contextlib
import datetime
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import python_calamine as calamine

from importers.archive_guard import Package, damaged
from importers.biff_errors import error_cells
from importers.cells import Cell, Mark, Number
from importers.report import FileRefused, Limits, Options, Sheet
from importers.sheet_choice import choose_sheet
from importers.tables import Row, Table
from importers.wording import phrase

_CALAMINE_LOSES_ERRORS = (
    "errors_unseen",
    phrase(
        "In this file type, formulas that end in an error look like blank cells. Save it as .xlsx to have them named."
    ),
)


def open_legacy(path: Path, type_name: str, options: Options, limits: Limits) -> Table:
    """The chosen sheet of an .xls or .xlsb workbook.

    Raises:
        FileRefused: encrypted or corrupt; a file that asks for more memory than allowed ends the process instead.
    """
    if type_name == "xlsb":
        _measure(path, limits)
    book = _book(path)
    metadata = [item for item in book.sheets_metadata if item.typ == calamine.SheetTypeEnum.WorkSheet]
    sheets = tuple(Sheet(item.name, item.visible != calamine.SheetVisibleEnum.Visible) for item in metadata)
    chosen, doubts = choose_sheet(sheets, options.sheet)
    place = [item.name for item in book.sheets_metadata].index(chosen.name)
    errors = error_cells(path.read_bytes(), place) if type_name == "xls" else None
    if errors is None:
        doubts.append(_CALAMINE_LOSES_ERRORS)
    rows = partial(_rows, path, chosen.name, errors or {}, limits)
    return Table(rows, type_name, sheet=chosen.name, sheets=sheets, doubts=doubts)


def _measure(path: Path, limits: Limits) -> None:
    with Package(path, limits) as package:
        for name in package.members:
            for _ in package.chunks(name):
                pass


def _book(path: Path) -> calamine.CalamineWorkbook:
    with _told():
        # From its bytes, because from_path believes the extension, and uploads are stored without one.
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))


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


def _rows(path: Path, name: str, errors: dict[tuple[int, int], str], limits: Limits) -> Iterator[Row]:
    with _told():
        sheet = _book(path).get_sheet_by_name(name)
    if sheet.width > limits.columns:
        said = phrase("The sheet has more than {count} columns. Delete those without use.", count=f"{limits.columns:,}")
        raise FileRefused("too_big", said)
    first_row, first_column = sheet.start or (0, 0)
    margin: list[Cell] = [""] * first_column
    found: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in errors.items():
        if column < limits.columns:
            found.setdefault(row + 1, []).append((column, text))
    with _told():
        rows = sheet.to_python(skip_empty_area=True)
    for number, values in enumerate(rows, start=first_row + 1):
        cells = [*margin, *(_cell(value) for value in values)]
        for column, text in found.get(number, ()):
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = Mark("error_value", text)
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            yield number, cells


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
