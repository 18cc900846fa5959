"""Opens an .xls file far enough to walk over the records of its workbook, which calamine does not show.

Records follow Microsoft's [MS-XLS], the container [MS-CFB].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_EOF = 0x000A
_BEGINNINGS = (0x0809, 0x0409, 0x0209, 0x0009)
_LAST_SECTOR = 0xFFFFFFFA
_ENTRY = 128
#: What reading of damaged bytes raises here.
UNREADABLE = (struct.error, IndexError, KeyError, ValueError)


def records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """The records of the substream that begins there, as (kind, body), without those of charts inside of it."""
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
            yield kind, stream[place + 4 : place + 4 + size]
        place += 4 + size


def workbook_stream(content: bytes) -> bytes:
    """The stream of records in an .xls file, given as a whole; raises one of UNREADABLE when it cannot be followed."""
    size = 1 << struct.unpack_from("<H", content, 30)[0]
    if size not in (512, 4096):
        raise ValueError("sector size")
    table = _allocation_table(content, size)
    directory = b"".join(_chain(content, table, struct.unpack_from("<I", content, 48)[0], size, size))
    entries = {name: (start, length) for name, start, length in _entries(directory)}
    start, length = entries.get("Workbook") or entries["Book"]
    if length >= struct.unpack_from("<I", content, 56)[0]:
        return b"".join(_chain(content, table, start, size, size))[:length]
    root = b"".join(_chain(content, table, entries["Root Entry"][0], size, size))
    packed = b"".join(_chain(content, table, struct.unpack_from("<I", content, 60)[0], size, size))
    small = struct.unpack(f"<{len(packed) // 4}I", packed)
    return b"".join(_chain(root, small, start, 64, 0))[:length]


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


def _chain(content: bytes, table: tuple[int, ...], sector: int, size: int, offset: int) -> Iterator[bytes]:
    """The sectors of a stream; a chain that runs in a circle ends after as many steps as there are sectors."""
    for _ in range(len(table)):
        if sector >= _LAST_SECTOR:
            return
        yield content[offset + sector * size : offset + (sector + 1) * size]
        sector = table[sector]


def _entries(directory: bytes) -> Iterator[tuple[str, int, int]]:
    for place in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        entry = directory[place : place + _ENTRY]
        length = struct.unpack_from("<H", entry, 64)[0]
        if 2 < length <= 64:
            start, size = struct.unpack_from("<II", entry, 116)
            yield entry[: length - 2].decode("utf-16-le", "replace"), start, size
