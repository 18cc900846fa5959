"""What calamine does not tell of an .xls file: a password, error cells, formats of zeros, what is hidden, far cells.

A walk over the records of every sheet, once; their kinds and error codes follow Microsoft's [MS-XLS].
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from importers.biff import (
    BOOLERR,
    CELLS,
    DIMENSIONS,
    FORMULAS,
    MULRK,
    NUMBERS,
    UNREADABLE,
    records,
    workbook_stream,
)
from importers.cells import PERCENT
from importers.opc import PERCENT_IDS, shape_of

ERROR_TEXTS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_FILEPASS, _COLINFO, _BOUNDSHEET, _XF, _FORMAT = 0x002F, 0x007D, 0x0085, 0x00E0, 0x041E
_ROW, _DEFAULTROWHEIGHT = 0x0208, 0x0225
_BIFF8 = 0x0600

Place = tuple[int, int]


@dataclass
class BiffSheet:
    """One sheet; rows and columns count from 0 here.

    errors: the text of each error cell, shapes: that of each number with a format such as 00000, both by row as
    (column, value). lowest, rightmost: cells in the last row and column with a value. top_left: the corner of all.
    told_rows: those of which the sheet says something; hides_untold: the others are hidden.
    reserved: how many cells the sheet says it may have. start: where it begins in the stream.
    """

    name: str
    start: int = 0
    errors: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    shapes: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    told_rows: set[int] = field(default_factory=set)
    hides_untold: bool = False
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    top_left: Place = (0xFFFF, 0xFFFF)
    lowest: Place = (-1, -1)
    rightmost: Place = (-1, -1)
    reserved: int = 0

    def hides(self, row: int) -> bool:
        """Whether a row is not seen; a sheet can hide all rows of which it says nothing."""
        return row in self.hidden_rows or (self.hides_untold and row not in self.told_rows)

    @property
    def area(self) -> int:
        """The cells of the smallest rectangle around all that hold something."""
        return max(0, self.lowest[0] - self.top_left[0] + 1) * max(0, self.rightmost[1] - self.top_left[1] + 1)


def has_password(content: bytes) -> bool:
    """True for an .xls file, given as a whole, whose records are encrypted."""
    try:
        return any(kind == _FILEPASS for kind, _ in records(workbook_stream(content), 0))
    except UNREADABLE:
        return False


def biff_sheets(content: bytes) -> list[BiffSheet] | None:
    """All sheets of an .xls file, given as a whole, in its order; None when the file cannot be followed."""
    try:
        stream = workbook_stream(content)
        wide = struct.unpack_from("<H", stream, 4)[0] >= _BIFF8
        formats = dict.fromkeys(PERCENT_IDS, PERCENT)
        looks: list[int] = []
        places: list[tuple[int, str]] = []
        for kind, body in records(stream, 0):
            if kind == _FORMAT:
                formats[struct.unpack_from("<H", body)[0]] = shape_of(_text(body, 2, 2 if wide else 1, wide=wide))
            elif kind == _XF:
                looks.append(struct.unpack_from("<H", body, 2)[0])
            elif kind == _BOUNDSHEET:
                places.append((struct.unpack_from("<I", body)[0], _text(body, 6, 1, wide=wide)))
        shapes = [formats.get(look, "") for look in looks]
        return [_sheet(stream, place, name, shapes) for place, name in places]
    except UNREADABLE:
        return None


def _text(body: bytes, place: int, counted_in: int, *, wide: bool) -> str:
    """A text after its length of that many bytes; in BIFF8 a flag says whether its characters have two bytes."""
    count = int.from_bytes(body[place : place + counted_in], "little")
    place += counted_in
    if not wide:
        return body[place : place + count].decode("cp1252", "replace")
    if body[place] & 1:
        return body[place + 1 : place + 1 + 2 * count].decode("utf-16-le", "replace")
    return body[place + 1 : place + 1 + count].decode("latin-1")


def _sheet(stream: bytes, start: int, name: str, shapes: list[str]) -> BiffSheet:
    sheet = BiffSheet(name, start)
    shaped = any(shapes)
    for kind, body in records(stream, start):
        if kind in CELLS:
            row, column, look = struct.unpack_from("<HHH", body)
            _reach(sheet, row, column)
            if kind == MULRK:
                _reach(sheet, row, struct.unpack_from("<H", body, len(body) - 2)[0])
            text = _error(kind, body)
            if text:
                sheet.errors.setdefault(row, []).append((column, text))
            elif shaped and kind == MULRK:
                for place in range(4, len(body) - 7, 6):
                    _shape(sheet, row, column + place // 6, struct.unpack_from("<H", body, place)[0], shapes)
            elif shaped and kind in NUMBERS:
                _shape(sheet, row, column, look, shapes)
        elif kind == _ROW:
            row, height = struct.unpack_from("<HxxxxH", body)
            sheet.told_rows.add(row)
            if body[12] & 0x20 or not height & 0x7FFF:
                sheet.hidden_rows.add(row)
        elif kind == _COLINFO and (body[8] & 1 or body[4:6] == b"\0\0"):
            sheet.hidden_columns.append(struct.unpack_from("<HH", body))
        elif kind == _DEFAULTROWHEIGHT and body[0] & 2:
            sheet.hides_untold = True
        elif kind == DIMENSIONS:
            first, end, left, right = struct.unpack_from("<IIHH" if len(body) >= 14 else "<HHHH", body)
            sheet.reserved = max(0, end - first) * max(0, right - left)
    return sheet


def _reach(sheet: BiffSheet, row: int, column: int) -> None:
    top, left = sheet.top_left
    if row < top or column < left:
        sheet.top_left = min(row, top), min(column, left)
    if row > sheet.lowest[0]:
        sheet.lowest = row, column
    if column > sheet.rightmost[1]:
        sheet.rightmost = row, column


def _shape(sheet: BiffSheet, row: int, column: int, look: int, shapes: list[str]) -> None:
    if look < len(shapes) and shapes[look]:
        sheet.shapes.setdefault(row, []).append((column, shapes[look]))


def _error(kind: int, body: bytes) -> str:
    if kind == BOOLERR and body[7]:
        return ERROR_TEXTS.get(body[6], "#N/A")
    if kind in FORMULAS and body[12:14] == b"\xff\xff" and body[6] == 2:
        return ERROR_TEXTS.get(body[8], "#N/A")
    return ""
