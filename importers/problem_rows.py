"""Writes the rows that were left out, as they stand in the file, with one more column that says why."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from importers.cells import as_shown
from importers.header_row import find_header
from importers.letters import with_mended_letters
from importers.opc import escape
from importers.readers import open_table
from importers.report import DEFAULT, FileRefused, Kind, Limits, Options
from importers.sandbox import run_child
from importers.staging import problems_path, read_problems
from importers.wording import phrase

_HEAD_ROWS = 200
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def write_problem_rows(
    path: Path,
    *,
    kind: Kind,
    staged: Path,
    out: Path,
    options: Options | None = None,
    limits: Limits = DEFAULT,
    say: Callable[[str], str] = str,
) -> int:
    """Writes the bad rows of a checked file to `out` (.csv or .xlsx) and returns how many there are.

    path, kind and options as they were checked; staged as it was written, because the problems lie beside it;
    say gives a sentence in the language of who asks.

    Raises:
        FileRefused: when the file cannot be read any more, or there is nothing to write.
    """
    if not problems_path(staged).exists():
        raise FileRefused("empty", phrase("No rows were left out of this file."))
    said = out.with_name(f"{out.name}.said")
    words = {"header": phrase("Problem"), "sheet": phrase("Rows left out"), "beyond": phrase("Beyond the last header:")}
    request = {
        "task": "problem_rows",
        "out": str(out.resolve()),
        "said": str(said.resolve()),
        "words": {name: say(text) for name, text in words.items()},
    }
    try:
        with said.open("w", encoding="ascii") as stream:
            for problem in read_problems(staged):
                stream.write(json.dumps([problem.row, say(problem.message)]) + "\n")
        answer = run_child(path, kind, options or Options(), path.name, limits, request)
    finally:
        said.unlink(missing_ok=True)
    if "refused" in answer:
        raise FileRefused(answer["refused"]["code"], answer["refused"]["message"])
    return int(answer["rows"])


def copy_problem_rows(
    path: Path, kind: Kind, request: Mapping[str, Any], options: Options, limits: Limits, name: str
) -> int:
    """The work of `write_problem_rows` inside the child process."""
    said: dict[int, list[str]] = defaultdict(list)
    with Path(request["said"]).open(encoding="ascii") as stream:
        for row, message in map(json.loads, stream):
            said[row].append(message)
    out, words = Path(request["out"]), request["words"]
    rows = _bad_rows(path, kind, said, options, limits, name, words)
    if out.suffix.lower() == ".xlsx":
        _write_workbook(out, rows, words["sheet"])
    else:
        _write_text(out, rows)
    return len(said)


def _bad_rows(
    path: Path,
    kind: Kind,
    said: dict[int, list[str]],
    options: Options,
    limits: Limits,
    name: str,
    words: Mapping[str, str],
) -> Iterator[list[str]]:
    table = open_table(path, name, options, limits)
    source = with_mended_letters(table.rows()) if options.mend_letters else table.rows()
    head = list(itertools.islice(source, _HEAD_ROWS))
    header = find_header(head, kind, options, limits)
    width = len(header.names)
    yield [*header.names, words["header"]]
    for number, cells in itertools.chain(head, source):
        if number in said:
            texts = [as_shown(cell) for cell in cells]
            texts += [""] * (width - len(texts))
            yield [*texts[:width], " ".join([*said[number], *_beyond(texts[width:], words["beyond"])])]


def _beyond(texts: Sequence[str], words: str) -> list[str]:
    found = [text for text in texts if text.strip()]
    return [f"{words} {' | '.join(found)}"] if found else []


def _harmless(text: str) -> str:
    """The text so that a spreadsheet program shows it and never runs it."""
    bare = _NOT_IN_XML.sub(_REPLACED, text)
    return f"'{bare}" if bare.startswith(_FORMULA_STARTS) else bare


def _write_text(out: Path, rows: Iterator[list[str]]) -> None:
    with out.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows([_harmless(text) for text in row] for row in rows)


def _write_workbook(out: Path, rows: Iterator[list[str]], title: str) -> None:
    from openpyxl import Workbook  # Slow to load, and needed here alone.
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=escape(_NOT_IN_XML.sub(_REPLACED, text)[:32_767]))
            # Text is stored as text, whatever it begins with, so nothing in it can run.
            cell.data_type = "s"
            cell.number_format = "@"
            cells.append(cell)
        sheet.append(cells)
    book.save(out)
