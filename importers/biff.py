"""Opens an .xls file far enough to walk over the records of its workbook, which calamine does not show.

Records follow Microsoft's [MS-XLS], the container [MS-CFB].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

DIMENSIONS, BOOLERR, MULRK, STRING = 0x0200, 0x0205, 0x00BD, 0x0207
#: Cells with a number and a format: NUMBER, RK, formulas; MULRK holds several of them.
FORMULAS = (0x0006, 0x0206, 0x0406)
NUMBERS = frozenset((0x0203, 0x027E, *FORMULAS))
#: All cells that hold something: those, and LABEL, RSTRING, LABELSST.
CELLS = NUMBERS | {BOOLERR, MULRK, 0x0204, 0x00D6, 0x00FD}
_EOF = 0x000A
_BEGINNINGS = (0x0809, 0x0409, 0x0209, 0x0009)
_LAST_SECTOR = 0xFFFFFFFA
_ENTRY = 128
_SMALL = 64  # bytes of a sector among the small streams
_UNKNOWN = b"\xff\x0f"
#: What reading of damaged bytes raises here.
UNREADABLE = (struct.error, IndexError, KeyError, ValueError)


def records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """The records of the substream that begins there, as (kind, body), without those of charts inside of it."""
    return ((kind, body) for _, kind, body in placed_records(stream, place))


def placed_records(stream: bytes, place: int) -> Iterator[tuple[int, int, bytes]]:
    """The same, each with the place where it begins in the stream."""
    depth = 0
    while place + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, place)
        if kind in _BEGINNINGS:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield place, kind, stream[place + 4 : place + 4 + size]
        place += 4 + size


def workbook_stream(content: bytes) -> bytes:
    """The stream of records in an .xls file, given as a whole; raises one of UNREADABLE when it cannot be followed."""
    pieces, length = _workbook_pieces(content)
    return b"".join(content[start : start + size] for start, size in pieces)[:length]


def without_records(content: bytes, places: Iterable[int]) -> bytes:
    """An .xls file, given as a whole, in which the records that begin there in its stream are of no known kind."""
    pieces, _ = _workbook_pieces(content)
    size = pieces[0][1]
    left = bytearray(content)
    for place in places:
        for offset, byte in enumerate(_UNKNOWN, start=place):  # a record may begin at the end of a piece
            left[pieces[offset // size][0] + offset % size] = byte
    return bytes(left)


def _workbook_pieces(content: bytes) -> tuple[list[tuple[int, int]], int]:
    """Where the stream of records lies in the file, as (start, size) of equal size, and its length."""
    size = 1 << struct.unpack_from("<H", content, 30)[0]
    if size not in (512, 4096):
        raise ValueError("sector size")
    table = _allocation_table(content, size)

    def sectors(first: int) -> list[int]:
        return [size + sector * size for sector in _chain(table, first)]

    directory = b"".join(content[start : start + size] for start in sectors(struct.unpack_from("<I", content, 48)[0]))
    entries = {name: (start, length) for name, start, length in _entries(directory)}
    start, length = entries.get("Workbook") or entries["Book"]
    if length >= struct.unpack_from("<I", content, 56)[0]:
        return [(place, size) for place in sectors(start)], length
    root = sectors(entries["Root Entry"][0])
    packed = b"".join(content[place : place + size] for place in sectors(struct.unpack_from("<I", content, 60)[0]))
    small = struct.unpack(f"<{len(packed) // 4}I", packed)
    each = [sector * _SMALL for sector in _chain(small, start)]
    return [(root[place // size] + place % size, _SMALL) for place in each], length


def _allocation_table(content: bytes, size: int) -> tuple[int, ...]:
    listed = [*struct.unpack_from("<109I", content, 76)]
    following, count = struct.unpack_from("<II", content, 68)
    for _ in range(min(count, len(content) // size)):
        block = struct.unpack_from(f"<{size // 4}I", content, size + following * size)
        listed.extend(block[:-1])
        following = block[-1]
    blocks = [content[size + sector * size : size + (sector + 1) * size] for sector in listed if sector < _LAST_SECTOR]
    joined = b"".join(blocks)
    return struct.unpack(f"<{len(joined) // 4}I", joined)


def _chain(table: tuple[int, ...], sector: int) -> Iterator[int]:
    """The sectors of a stream; a chain that runs in a circle ends after as many steps as there are sectors."""
    for _ in range(len(table)):
        if sector >= _LAST_SECTOR:
            return
        yield sector
        sector = table[sector]


def _entries(directory: bytes) -> Iterator[tuple[str, int, int]]:
    for place in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        entry = directory[place : place + _ENTRY]
        length = struct.unpack_from("<H", entry, 64)[0]
        if 2 < length <= 64:
            start, size = struct.unpack_from("<II", entry, 116)
            yield entry[: length - 2].decode("utf-16-le", "replace"), start, size
