"""What a check counts while it reads: rows by their end, the first problems, and the first warnings of each kind."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from importers.cells import Note, note_message
from importers.report import Limits, Problem, shown
from importers.wording import phrase

LISTED_PER_CODE = 100


@dataclass
class Tally:
    """Counts and the first problems of a check that goes on; bad_keys: row to key of the first bad rows that have one.

    Bad rows are kept nowhere else, and a row that contradicts one of them has to be told by its key. two_readings: rows
    that another one may still prove doubtful.
    """

    limits: Limits
    rows: int = 0
    good: int = 0
    bad: int = 0
    skipped: int = 0
    errors: list[Problem] = field(default_factory=list)
    errors_total: int = 0
    warnings: list[Problem] = field(default_factory=list)
    warnings_by_code: Counter[str] = field(default_factory=Counter)
    bad_keys: dict[int, str] = field(default_factory=dict)
    two_readings: array[int] = field(default_factory=lambda: array("I"))

    def error(self, problem: Problem) -> None:
        self.errors_total += 1
        if len(self.errors) < self.limits.listed_errors:
            self.errors.append(problem)

    def bad_key(self, row: int, key: object) -> None:
        """Notes the key of a bad row."""
        if key and len(self.bad_keys) < self.limits.listed_errors:
            self.bad_keys[row] = shown(key)

    def warn(self, row: int, column: str, code: str, message: str) -> None:
        """Counts a warning and lists the first hundred of its code."""
        self.warnings_by_code[code] += 1
        if self.warnings_by_code[code] <= LISTED_PER_CODE and len(self.warnings) < self.limits.listed_warnings:
            self.warnings.append(Problem(row, column, code, "", message))

    def note(self, row: int, column: str, note: Note) -> None:
        """Counts a warning about a cell; its message is only written when it will be listed."""
        code = note[0]
        if self.warnings_by_code[code] < LISTED_PER_CODE:
            self.warn(row, column, code, phrase("Row {row}: {problem}", row=row, problem=note_message(note)))
        else:
            self.warnings_by_code[code] += 1
