"""The staged form of a checked file: one JSON line per good row, in the order of the file, and one per problem."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Container, Iterator
from itertools import dropwhile, islice
from pathlib import Path
from typing import IO, Any

from importers.report import Problem

#: Lines given to the parser together: it is called less often, and keeps one copy of each field name.
_PARSED_AT_ONCE = 200
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
        self._rows: IO[str] = _part(staged).open("w", encoding="ascii", newline="\n")
        self._problems: IO[str] = _part(problems_path(staged)).open("w", encoding="ascii", newline="\n")
        self._write = self._rows.write

    def row(self, number: int, fields: dict[str, Any]) -> str:
        """Writes a good row and returns its fields as text, by which rows can be compared."""
        text = encode(fields)
        self._write(f"[{number},{text}]\n")
        return text

    def problem(self, problem: Problem) -> None:
        """Writes a problem."""
        values = [problem.row, problem.column, problem.code, problem.value, problem.message]
        self._problems.write(encode(values) + "\n")

    def look_up(self, numbers: Container[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The good rows with these numbers, among those written so far."""
        self._rows.flush()
        with _part(self.staged).open(encoding="ascii") as written:
            for line in written:
                if int(line[1 : line.index(",")]) in numbers:
                    number, fields = json.loads(line)
                    yield number, fields

    def drop(self, numbers: Container[int], seen: Callable[[int, dict[str, Any]], None]) -> None:
        """Takes rows out again that turned out to be duplicates; `seen` is called with each of them."""
        self._rows.close()
        source, target = _part(self.staged), self.staged.with_name(self.staged.name + ".kept.part")
        with source.open(encoding="ascii") as old, target.open("w", encoding="ascii", newline="\n") as new:
            for line in old:
                number = int(line[1 : line.index(",")])
                if number in numbers:
                    seen(number, json.loads(line)[1])
                else:
                    new.write(line)
        os.replace(target, source)

    def finish(self) -> None:
        """Puts both files in place."""
        for stream, path in ((self._rows, self.staged), (self._problems, problems_path(self.staged))):
            stream.close()
            os.replace(_part(path), path)

    def discard(self) -> None:
        """Removes what was written."""
        self._rows.close()
        self._problems.close()
        discard_parts(self.staged)


def discard_parts(staged: Path) -> None:
    """Removes what a stopped check may have left behind."""
    for path in (_part(staged), _part(problems_path(staged)), staged.with_name(staged.name + ".kept.part")):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def discard_staged(staged: Path) -> None:
    """Removes a staged file with its problems, when it has been applied or is not wanted; absent files are fine."""
    discard_parts(staged)
    for path in (staged, problems_path(staged)):
        path.unlink(missing_ok=True)


def read_staged(staged: Path, *, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The good rows of a checked file as (row number of the file, typed fields), in ascending order.

    start: the last row number that was dealt with; reading goes on after it. Prices are text such as “12.50”,
    quantities whole numbers, all else text; a blank cell has no entry. `options` maps option names to values.
    """
    with staged.open(encoding="ascii") as stream:
        lines: Iterator[str] = stream
        if start:
            lines = dropwhile(lambda line: int(line[1 : line.index(",")]) <= start, stream)
        while some := list(islice(lines, _PARSED_AT_ONCE)):
            yield from map(tuple, json.loads(f"[{','.join(some)}]"))


def values_of(staged: Path, name: str) -> set[str | None]:
    """The different values that a text field has in the good rows of a checked file; None stands for rows without it.

    Looks at the text of the lines, in a tenth of the time that reading them takes. Only a row with options is read:
    an option may have the field's name.
    """
    pattern = re.compile(rf'"{re.escape(name)}":("(?:[^"\\]|\\.)*")')
    found: set[str | None] = set()
    quoted: set[str] = set()
    with staged.open(encoding="ascii") as stream:
        for line in stream:
            if '"options":' in line:
                found.add(json.loads(line)[1].get(name))
            elif hit := pattern.search(line):
                quoted.add(hit[1])
            else:
                found.add(None)
    return found | set(map(json.loads, quoted))


def read_problems(staged: Path) -> Iterator[Problem]:
    """All problems of a checked file, also those that the report only counts."""
    with problems_path(staged).open(encoding="ascii") as stream:
        for line in stream:
            yield Problem(*json.loads(line))
