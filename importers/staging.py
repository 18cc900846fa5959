"""The staged form of a checked file: blocks of good rows, in the order of the file, and one line per problem.

A block is a line that says how many rows it has, the numbers of the first and the last, and its fields; then a line
with the numbers (none when they follow each other), and one for each field. A line of texts has U+001F between them,
which no stored text holds, and is read six times as fast as JSON; all other lines are JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from importers.blocks import Block, joined
from importers.report import Problem

_APART = "\x1f"
_TEXTS = "="
encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def problems_path(staged: Path) -> Path:
    """Where the problems of a staged file lie, all of them, beside it."""
    return staged.with_name(staged.name + ".problems")


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


class Stage:
    """Writes good rows and problems; nothing appears under the final names before `finish`."""

    def __init__(self, staged: Path) -> None:
        self.staged = staged
        self._rows: BinaryIO = _part(staged).open("wb")
        self._problems: IO[str] = _part(problems_path(staged)).open("w", encoding="ascii", newline="\n")

    def block(self, block: Block) -> None:
        """Writes good rows."""
        self._rows.write(_packed(block))

    def problem(self, problem: Problem) -> None:
        """Writes a problem."""
        values = [problem.row, problem.column, problem.code, problem.value, problem.message]
        self._problems.write(encode(values) + "\n")

    def look_up(self, numbers: Collection[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The good rows with these numbers, among those written so far."""
        self._rows.flush()
        yield from look_up(_part(self.staged), numbers)

    def drop(self, numbers: Collection[int], seen: Callable[[int, dict[str, Any]], None]) -> None:
        """Takes rows out again that turned out to be duplicates; `seen` is called with each of them."""
        self._rows.close()
        source, target = _part(self.staged), self.staged.with_name(self.staged.name + ".kept.part")
        copy_without(source, target, numbers, seen)
        os.replace(target, source)

    def finish(self) -> None:
        """Puts both files in place."""
        self._rows.close()
        self._problems.close()
        for path in (self.staged, problems_path(self.staged)):
            os.replace(_part(path), path)

    def discard(self) -> None:
        """Removes what was written."""
        self._rows.close()
        self._problems.close()
        discard_parts(self.staged)


def copy_without(
    source: Path, target: Path, numbers: Collection[int], seen: Callable[[int, dict[str, Any]], None]
) -> None:
    """Copies staged rows but those with these numbers; `seen` is called with each that is left out."""
    ordered = sorted(numbers)
    with source.open("rb") as old, target.open("wb") as new:
        for head, lines in _heads(old):
            if not _touches(head, ordered):
                new.write(encode(head).encode() + b"\n" + b"".join(lines))
                continue
            block = _unpacked(head, lines, None)
            left = [number in numbers for number in block.numbers]
            for number, fields in block.where(left).rows():
                seen(number, fields)
            new.write(_packed(block.where([not out for out in left])))


def copy_changed(source: Path, target: Path, change: Callable[[Block], Block]) -> None:
    """Copies staged rows as `change` makes them, block by block."""
    with source.open("rb") as old, target.open("wb") as new:
        for head, lines in _heads(old):
            new.write(_packed(change(_unpacked(head, lines, None))))


def discard_parts(staged: Path) -> None:
    """Removes what a stopped check may have left behind."""
    for path in (_part(staged), _part(problems_path(staged)), staged.with_name(staged.name + ".kept.part")):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def discard_old_parts(folder: Path, before: float) -> None:
    """Removes what checks left in a folder that were killed together with their parent.

    before: a moment in seconds of the epoch; what was written to since then may still be in use.
    """
    for path in folder.glob("*.part"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


def discard_staged(staged: Path) -> None:
    """Removes a staged file with its problems, when it has been applied or is not wanted; absent files are fine."""
    discard_parts(staged)
    for path in (staged, problems_path(staged)):
        path.unlink(missing_ok=True)


def read_blocks(
    staged: Path, *, start: int = 0, size: int = 1, names: Collection[str] | None = None
) -> Iterator[Block]:
    """The good rows of a checked file as blocks of at least `size` rows but for the last, in ascending order.

    start: the last row number that was dealt with; reading goes on after it. names: the fields to read, all without.
    Prices are text such as “12.50”, quantities whole numbers, all else text; `options` maps option names to values.
    """
    waiting: list[Block] = []
    with staged.open("rb") as stream:
        for head, lines in _heads(stream):
            if head[2] > start:
                waiting.append(_unpacked(head, lines, names).after(start))
            if sum(map(len, waiting)) >= size:
                yield joined(waiting)
                waiting = []
    if waiting:
        yield joined(waiting)


def read_staged(staged: Path, *, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of `read_blocks` one by one, as (row number of the file, typed fields); a blank cell has no entry."""
    for block in read_blocks(staged, start=start):
        yield from block.rows()


def values_of(staged: Path, name: str) -> set[str | None]:
    """The different values that a text field has in the good rows of a checked file; None stands for rows without."""
    return {value for block in read_blocks(staged, names=(name,)) for value in set(block.column(name))}


def look_up(staged: Path, numbers: Collection[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The good rows with these numbers, as (row number of the file, typed fields); blocks without one are not read."""
    ordered, wanted = sorted(numbers), frozenset(numbers)
    with staged.open("rb") as stream:
        for head, lines in _heads(stream):
            if _touches(head, ordered):
                found = _unpacked(head, lines, None)
                yield from found.where([number in wanted for number in found.numbers]).rows()


def read_problems(staged: Path) -> Iterator[Problem]:
    """All problems of a checked file, also those that the report only counts."""
    with problems_path(staged).open(encoding="ascii") as stream:
        for line in stream:
            yield Problem(*json.loads(line))


def _heads(stream: BinaryIO) -> Iterator[tuple[list[Any], list[bytes]]]:
    """Each block as its head (count, first number, last number, fields) and its unread lines."""
    while line := stream.readline():
        head = json.loads(line)
        yield head, [stream.readline() for _ in range(1 + len(head[3]))]


def _touches(head: list[Any], ordered: list[int]) -> bool:
    place = bisect_left(ordered, head[1])
    return place < len(ordered) and ordered[place] <= head[2]


def _packed(block: Block) -> bytes:
    if not block.numbers:
        return b""
    first, last = block.numbers[0], block.numbers[-1]
    in_order = last - first + 1 == len(block) and block.numbers == list(range(first, last + 1))
    numbers = "" if in_order else encode(block.numbers)
    lines = [encode([len(block), first, last, list(block.columns)]), numbers, *map(_line, block.columns.values())]
    return "".join(f"{line}\n" for line in lines).encode()


def _unpacked(head: list[Any], lines: list[bytes], names: Collection[str] | None) -> Block:
    count, first, last, fields = head
    numbers = json.loads(lines[0]) if len(lines[0]) > 1 else list(range(first, last + 1))
    wanted = {n: line for n, line in zip(fields, lines[1:], strict=True) if names is None or n in names}
    return Block(numbers, {name: _values(line, count) for name, line in wanted.items()})


def _line(values: list[Any]) -> str:
    kinds = set(map(type, values))
    if kinds == {type(None)}:
        return ""
    if kinds <= {str, type(None)}:
        text = _APART.join(values if len(kinds) == 1 else [value or "" for value in values])
        if "\n" not in text and text.count(_APART) == len(values) - 1 and "" not in values:
            return _TEXTS + text
    return encode(values)


def _values(line: bytes, count: int) -> list[Any]:
    if len(line) == 1:
        return [None] * count
    if line[:1] != _TEXTS.encode():
        values: list[Any] = json.loads(line)
        return values
    texts: list[Any] = line[1:-1].decode().split(_APART)
    return [text or None for text in texts] if "" in texts else texts
