"""How long the check of a file takes, against reading the same file with nothing done to it.

    .venv/bin/python bench/reading.py                     # 200,000 × 12 workbook, 1,000,000 rows of text
    .venv/bin/python bench/reading.py --workbook 20000 --text 100000

A workbook is measured against calamine's bare `iter_rows`, text against `csv.reader`, each in a process of its own and
in turns, in processor seconds, because other work on the machine lengthens all others. The check is the one an upload
gets: the child process with its start, limits, types, duplicates and staged rows.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from make_data import BRANDS, COLOURS, THINGS, sku_of
from openpyxl import Workbook

import importers

HEADER = (
    *("SKU", "Title", "Brand", "EAN", "Price", "Quantity", "Category", "Description", "Image URL", "Colour"),
    *("Weight", "Note"),
)
TEXT_COLUMNS = 8  # of which 800,000 rows are the 100 MB that a file may have
TURNS = 3
_CALAMINE = """
import sys, python_calamine
for row in python_calamine.CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).iter_rows(): pass
"""
_READER = """
import csv, sys
for row in csv.reader(open(sys.argv[1], newline="")): pass
"""


def rows(count: int) -> Iterator[list[object]]:
    """The same rows for the same count: every SKU once, barcodes with their check digits, every third row a note."""
    for n in range(count):
        body = f"{400_000_000_000 + n}"
        digit = -sum(int(one) * (3, 1)[place % 2] for place, one in enumerate(reversed(body))) % 10
        thing, colour, brand = THINGS[n % 10], COLOURS[n % 8], BRANDS[n // 10 % 10]
        yield [
            *(sku_of(n), f"{brand} {colour} {thing} model {n}", brand, f"{body}{digit}"),
            *(f"{1 + n % 5000 / 8:.2f}", n % 50, thing, f"A {colour} {thing} for the house, number {n}"),
            *(f"https://shop.example/{n}.jpg", colour, n % 900, None if n % 3 else "new"),
        ]


def write_workbook(path: Path, count: int) -> None:
    """A workbook of 12 columns."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Catalogue")
    sheet.append(HEADER)
    for row in rows(count):
        sheet.append(row)
    book.save(path)


def write_text(path: Path, count: int) -> None:
    """A CSV file of 8 columns."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER[:TEXT_COLUMNS])
        writer.writerows(row[:TEXT_COLUMNS] for row in rows(count))


def processor_seconds() -> float:
    """What all ended child processes have used."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare(code: str, path: Path) -> float:
    """Processor seconds of the bare read, the start of its process included."""
    start = processor_seconds()
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    return processor_seconds() - start


def checked(path: Path, folder: Path, count: int) -> float:
    """Processor seconds of the check; every row has to be good."""
    start = processor_seconds()
    report = importers.check(path, kind="products", staged=folder / "rows")
    seconds = processor_seconds() - start
    if report.rows_ok != count:
        raise SystemExit(f"{path.name}: {report.rows_ok:,} of {count:,} rows: {report.errors[:1]}")
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workbook", type=int, default=200_000, help="rows of the workbook; 0 leaves it out")
    parser.add_argument("--text", type=int, default=750_000, help="rows of the text; 0 leaves it out")
    arguments = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory(prefix="reading-") as place:
        folder = Path(place)
        for name, count, write, code, allowed in (
            ("workbook.xlsx", arguments.workbook, write_workbook, _CALAMINE, 3.0),
            ("text.csv", arguments.text, write_text, _READER, 8.0),
        ):
            if not count:
                continue
            write(folder / name, count)
            turns = [(bare(code, folder / name), checked(folder / name, folder, count)) for _ in range(TURNS)]
            ratio = statistics.median(ours / base for base, ours in turns)
            missed |= ratio > allowed
            base, ours = (statistics.median(times) for times in zip(*turns, strict=True))
            print(f"{name}: {count:,} rows, bare {base:.1f} s, check {ours:.1f} s, {ratio:.1f} × (allowed {allowed:g})")
    print(f"largest process: {getrusage(RUSAGE_CHILDREN).ru_maxrss // 1024} MB (allowed 300)")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
