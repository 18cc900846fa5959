"""Marks beside a staged file: rows of which its reader has found, while it was checked, that nothing is to be done."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from importers.blocks import Block, joined
from importers.staging import heads, marks_path, unpacked

MOST_PASSED = 100_000  # rows that are passed over at once: their numbers are kept till then


@dataclass(frozen=True, slots=True)
class Marks:
    """The numbers of marked rows, a byte for each row of the file, and a word of the caller on when they hold."""

    holds: str
    flags: bytes

    def all_in(self, first: int, last: int) -> bool:
        """Whether each number from the first to the last has a mark."""
        return self.flags.count(1, first, last + 1) == last + 1 - first

    def of(self, numbers: Iterable[int]) -> list[bool]:
        """Of each number whether it has a mark."""
        most = len(self.flags)
        return [number < most and self.flags[number] == 1 for number in numbers]


def mark_rows(staged: Path, numbers: Iterable[int], holds: str) -> None:
    """Marks rows of a checked file; `holds` comes back with the marks, and has one line."""
    flags = bytearray()
    for number in numbers:
        if number >= len(flags):
            flags.extend(bytes(max(number + 1 - len(flags), len(flags))))
        flags[number] = 1
    part = marks_path(staged).with_name(marks_path(staged).name + ".part")
    part.write_bytes(f"{holds}\n".encode() + zlib.compress(flags, 1))
    os.replace(part, marks_path(staged))


def marks_of(staged: Path) -> Marks | None:
    """The marks of a checked file, None where it has none."""
    try:
        holds, _, packed = marks_path(staged).read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return Marks(holds.decode(), zlib.decompress(packed))


def read_unmarked(
    staged: Path, marks: Marks | None, *, start: int = 0, size: int = 1
) -> Iterator[tuple[Block, list[int]]]:
    """The rows without a mark, as `read_blocks` gives them, each time with the numbers of the marked ones among them.

    Blocks that are marked as a whole are not read. Either part may be empty; a row is given with or after all rows
    that stand before it.
    """
    waiting: list[Block] = []
    passed: list[int] = []
    with staged.open("rb") as stream:
        for count, first, last, *more in heads(stream):
            if last <= start:
                continue
            if marks and first > start and last + 1 - first == count and marks.all_in(first, last):
                passed.extend(range(first, last + 1))
            else:
                block = unpacked([count, first, last, *more], stream, None).after(start)
                marked = marks.of(block.numbers) if marks else []
                if any(marked):
                    passed += [number for number, one in zip(block.numbers, marked, strict=True) if one]
                    block = block.where([not one for one in marked])
                waiting.append(block)
            if sum(map(len, waiting)) >= size or len(passed) >= MOST_PASSED:
                yield joined(waiting), passed
                waiting, passed = [], []
    if waiting or passed:
        yield joined(waiting), passed
