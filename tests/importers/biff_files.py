"""Writes small .xls files (BIFF8) record by record, so that any record can be put in."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_FREE, _END, _TABLE, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, -1
_SECTOR = 512
_LEAST = 4096  # a shorter stream would have to lie among the small ones


def record(kind: int, body: bytes = b"") -> bytes:
    """One record."""
    return struct.pack("<HH", kind, len(body)) + body


def label(row: int, column: int, text: str) -> bytes:
    """A text cell; row and column count from 0."""
    return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le"))


def number(row: int, column: int, value: float, look: int = 0) -> bytes:
    """A number cell with the format of that place among `formats`."""
    return record(0x0203, struct.pack("<HHHd", row, column, look, value))


def several_numbers(row: int, column: int, *values: tuple[int, int]) -> bytes:
    """Cells beside each other with whole numbers, each as (format, value)."""
    cells = b"".join(struct.pack("<HI", look, value << 2 | 2) for look, value in values)
    return record(0x00BD, struct.pack("<HH", row, column) + cells + struct.pack("<H", column + len(values) - 1))


def header(*names: str) -> bytes:
    """The first row."""
    return b"".join(label(0, place, name) for place, name in enumerate(names))


def xls(*sheets: bytes, formats: Sequence[str] = (), before: bytes = b"") -> bytes:
    """An .xls file with a sheet of each run of records; `before` comes first of all, `formats` follow a plain one."""
    custom = b"".join(
        record(0x041E, struct.pack("<HHB", 164 + place, len(code), 0) + code.encode())
        for place, code in enumerate(formats)
    )
    looks = b"".join(record(0x00E0, struct.pack("<HH", 0, look) + b"\0" * 16) for look in (0, *_numbered(formats)))

    def common(places: Sequence[int]) -> bytes:
        listed = b"".join(
            record(0x0085, struct.pack("<IBBBB", place, 0, 0, 2, 0) + f"S{count}".encode())
            for count, place in enumerate(places, start=1)
        )
        return _beginning(5) + before + record(0x0042, struct.pack("<H", 1200)) + custom + looks + listed + record(0x0A)

    streams = [_beginning(0x10) + cells + record(0x0A) for cells in sheets]
    place = len(common([0] * len(streams)))
    places = []
    for stream in streams:
        places.append(place)
        place += len(stream)
    return _compound(common(places) + b"".join(streams))


def _numbered(formats: Sequence[str]) -> range:
    return range(164, 164 + len(formats))


def _beginning(kind: int) -> bytes:
    return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _compound(stream: bytes, name: str = "Workbook") -> bytes:
    """A compound file ([MS-CFB]) with that stream; the tables come first, then the directory, then the stream."""
    sectors = max(_LEAST // _SECTOR, -(-len(stream) // _SECTOR))
    stream = stream.ljust(sectors * _SECTOR, b"\0")
    tables = 1
    while tables + 1 + sectors > tables * (_SECTOR // 4):
        tables += 1
    chain = [_TABLE] * tables + [_END] + [tables + 2 + place for place in range(sectors - 1)] + [_END]
    chain += [_FREE] * (tables * (_SECTOR // 4) - len(chain))
    listed = [*range(tables)] + [_FREE] * (109 - tables)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, tables, tables, 0, _LEAST, _END, 0, _END, 0) + struct.pack("<109I", *listed)
    directory = _entry("Root Entry", 5, _END, 0, 1) + _entry(name, 2, tables + 1, len(stream), _NONE)
    directory = directory.ljust(_SECTOR, b"\0")
    return b"".join((head.ljust(_SECTOR, b"\0"), struct.pack(f"<{len(chain)}I", *chain), directory, stream))


def _entry(name: str, kind: int, start: int, size: int, child: int) -> bytes:
    letters = name.encode("utf-16-le") + b"\0\0"
    tail = struct.pack("<HBBiii36xIQ", len(letters), kind, 1, _NONE, _NONE, child, start, size)
    return letters.ljust(64, b"\0") + tail


def excel95(cells: bytes, *, codepage: int = 1252) -> bytes:
    """An .xls file of Excel 95 (BIFF5, in the stream “Book”) with one sheet of these records."""

    def common(place: int) -> bytes:
        look = record(0x00E0, b"\0" * 16)
        listed = record(0x0085, struct.pack("<IHB", place, 0, 2) + b"S1")
        return _beginning_95(5) + record(0x0042, struct.pack("<H", codepage)) + look + listed + record(0x0A)

    return _compound(common(len(common(0))) + _beginning_95(0x10) + cells + record(0x0A), name="Book")


def label95(row: int, column: int, text: bytes) -> bytes:
    """A text cell of Excel 95, in the letters of its code page."""
    return record(0x0204, struct.pack("<HHHH", row, column, 0, len(text)) + text)


def _beginning_95(kind: int) -> bytes:
    return record(0x0809, struct.pack("<HHHH", 0x0500, kind, 0x0DBB, 0x07CC))
