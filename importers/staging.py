"""The staged form of a checked file: blocks of good rows, in the order of the file, and one line per problem.

A block is a line that says how many rows it has, the numbers of the first and the last, its fields, and how many bytes
follow; then a line with the numbers (none when they follow each other), and one for each field. A line of texts has
U+001F between them, which no stored text holds, and is read six times as fast as JSON; one that begins with “@” names
an earlier field that has the same values, as the key of plain SKUs has; all other lines are JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, BinaryIO

from importers.blocks import Block, joined
from importers.report import Problem

_APART = "\x1f"
_TEXTS = "="
_SAME = "@"
_OLDER = 4
_LOOK_AGAIN = 0.02  # seconds between two looks at a file that grows
encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def problems_path(staged: Path) -> Path:
    """Where the problems of a staged file lie, all of them, beside it."""
    return staged.with_name(staged.name + ".problems")


def marks_path(staged: Path) -> Path:
    """Where the marks of its rows lie, beside it (see row_marks)."""
    return staged.with_name(staged.name + ".marks")


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
        for head in heads(old):
            if not _touches(head, ordered):
                new.write(encode(head).encode() + b"\n" + old.read(head[4]))
                continue
            block = unpacked(head, old, None)
            left = [number in numbers for number in block.numbers]
            for number, fields in block.where(left).rows():
                seen(number, fields)
            new.write(_packed(block.where([not out for out in left])))


def copy_changed(source: Path, target: Path, change: Callable[[Block], Block]) -> None:
    """Copies staged rows as `change` makes them, block by block."""
    with source.open("rb") as old, target.open("wb") as new:
        for head in heads(old):
            new.write(_packed(change(unpacked(head, old, None))))


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
    for path in (staged, problems_path(staged), marks_path(staged)):
        path.unlink(missing_ok=True)


def read_blocks(
    staged: Path,
    *,
    start: int = 0,
    size: int = 1,
    names: Collection[str] | None = None,
    but: Sequence[tuple[int, int]] = (),
) -> Iterator[Block]:
    """The good rows of a checked file as blocks of at least `size` rows but for the last, in ascending order.

    start: the last row number that was dealt with; reading goes on after it. names: the fields to read, all without.
    but: spans of row numbers, in ascending order, that are passed over; see `follow`.
    Prices are text such as “12.50”, quantities whole numbers, all else text; `options` maps option names to values.
    """
    waiting: list[Block] = []
    with staged.open("rb") as stream:
        for head in heads(stream):
            if head[2] > start and not _lies_in(head, but):
                waiting.append(unpacked(head, stream, names).after(start))
            if sum(map(len, waiting)) >= size:
                yield joined(waiting)
                waiting = []
    if waiting:
        yield joined(waiting)


def follow(
    staged: Path, ended: Callable[[], bool], *, size: int = 1, names: Collection[str] | None = None
) -> Iterator[Block]:
    """The rows of a file that is still being checked, as `read_blocks` gives them, until it has ended.

    The rows that turn out to be duplicates at the end of the file are among them; `unchanged` tells which blocks had
    none. What has not been read when the check ends is not given.
    """
    part, waiting = _part(staged), list[Block]()
    while not (ended() or part.exists()):
        time.sleep(_LOOK_AGAIN)
    if ended():
        return
    with part.open("rb") as stream:
        while not ended():
            place, line = stream.tell(), stream.readline()
            head = json.loads(line) if line.endswith(b"\n") else None
            if head is None or os.fstat(stream.fileno()).st_size < stream.tell() + head[4]:
                stream.seek(place)
                time.sleep(_LOOK_AGAIN)
                continue
            waiting.append(unpacked(head, stream, names))
            if sum(map(len, waiting)) >= size:
                yield joined(waiting)
                waiting = []


def unchanged(staged: Path, spans: Sequence[tuple[int, int, int]]) -> list[bool]:
    """Of each (first row, last row, number of rows) that `follow` gave, in order, whether all of them were kept."""
    kept, lasts = [0] * len(spans), [last for _, last, _ in spans]
    with staged.open("rb") as stream:
        for count, first, _last, *_ in heads(stream):
            place = bisect_left(lasts, first)
            if place < len(spans) and spans[place][0] <= first:
                kept[place] += count
    return [now == then for now, (_, _, then) in zip(kept, spans, strict=True)]


def read_staged(staged: Path, *, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of `read_blocks` one by one, as (row number of the file, typed fields); a blank cell has no entry."""
    for block in read_blocks(staged, start=start):
        yield from block.rows()


def values_of(staged: Path, name: str, *, but: Sequence[tuple[int, int]] = ()) -> set[str | None]:
    """The different values that a text field has in the good rows of a checked file; None stands for rows without.

    but: see `read_blocks`.
    """
    return {value for block in read_blocks(staged, names=(name,), but=but) for value in set(block.column(name))}


def look_up(staged: Path, numbers: Collection[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The good rows with these numbers, as (row number of the file, typed fields); blocks without one are not read."""
    ordered, wanted = sorted(numbers), frozenset(numbers)
    with staged.open("rb") as stream:
        for head in heads(stream):
            if _touches(head, ordered):
                found = unpacked(head, stream, None)
                yield from found.where([number in wanted for number in found.numbers]).rows()


def read_problems(staged: Path) -> Iterator[Problem]:
    """All problems of a checked file, also those that the report only counts."""
    with problems_path(staged).open(encoding="ascii") as stream:
        for line in stream:
            yield Problem(*json.loads(line))


def heads(stream: BinaryIO) -> Iterator[list[Any]]:
    """The head of each block (count, first number, last number, fields, bytes), which may be read before the next."""
    while line := stream.readline():
        head, place = json.loads(line), stream.tell()
        if len(head) == _OLDER:  # staged before an upgrade: it did not say how long it is
            head.append(sum(len(stream.readline()) for _ in range(1 + len(head[3]))))
            stream.seek(place)
        behind = place + head[4]
        yield head
        stream.seek(behind)


def _lies_in(head: list[Any], spans: Sequence[tuple[int, int]]) -> bool:
    place = bisect_left(spans, head[1], key=itemgetter(1))
    return place < len(spans) and spans[place][0] <= head[1]


def _touches(head: list[Any], ordered: list[int]) -> bool:
    place = bisect_left(ordered, head[1])
    return place < len(ordered) and ordered[place] <= head[2]


def _packed(block: Block) -> bytes:
    if not block.numbers:
        return b""
    first, last = block.numbers[0], block.numbers[-1]
    in_order = last - first + 1 == len(block) and block.numbers == list(range(first, last + 1))
    numbers = "" if in_order else encode(block.numbers)
    lines = "\n".join((numbers, *_lines(block.columns), "")).encode()
    return f"{encode([len(block), first, last, list(block.columns), len(lines)])}\n".encode() + lines


def unpacked(head: list[Any], stream: BinaryIO, names: Collection[str] | None) -> Block:
    """The fields of the block whose head has been read."""
    count, first, last, fields, size = head
    written, *lines = stream.read(size).decode().split("\n")
    numbers = json.loads(written) if written else list(range(first, last + 1))
    told = dict(zip(fields, lines[:-1], strict=True))
    columns: dict[str, list[Any]] = {}
    for name, line in told.items():
        if names is None or name in names:
            other = line[1:] if line.startswith(_SAME) else name
            columns[name] = columns[other] if other in columns else _values(told[other], count)
    return Block(numbers, columns)


def _lines(columns: Mapping[str, list[Any]]) -> Iterator[str]:
    sku, key = columns.get("sku"), columns.get("match_key")
    for name, values in columns.items():
        yield _SAME + "sku" if values is key and key == sku and name != "sku" else _line(values)


def _line(values: list[Any]) -> str:
    """The line of a field: texts where all values are such, and none of them is empty or has a mark of ours in it."""
    blank = None in values
    try:
        text = _APART.join(["" if value is None else value for value in values] if blank else values)
    except TypeError:
        return encode(values) if blank else _json(values)
    if blank and values.count(None) == len(values):
        return ""
    empty = "" in values if blank else 2 * _APART in f"{_APART}{text}{_APART}"
    return encode(values) if empty or "\n" in text or text.count(_APART) != len(values) - 1 else _TEXTS + text


def _json(values: list[Any]) -> str:
    """Whole numbers look in JSON as they do in Python, which writes them in a third of the time."""
    return repr(values) if set(map(type, values)) == {int} else encode(values)


def _values(line: str, count: int) -> list[Any]:
    if not line:
        return [None] * count
    if line[0] != _TEXTS:
        values: list[Any] = json.loads(line)
        return values
    texts: list[Any] = line[1:].split(_APART)
    return [text or None for text in texts] if "" in texts else texts
