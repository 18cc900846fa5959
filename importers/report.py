"""What goes into a check and what comes out: options, limits, problems and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["products", "stock", "listings", "links"]
Outcome = Literal["accept", "partial", "reject"]

#: Longest piece of a cell that is repeated in a problem; the whole value stays in the file.
SHOWN_CHARACTERS = 120

ERROR_CODES = frozenset(
    "blank negative fractional not_a_number ambiguous_number too_large too_many_decimals sci_notation precision_lost "
    "date_in_text bool_in_text error_value formula_no_value duplicate_conflict too_long control_char bad_encoding "
    "ragged_row unterminated_quote missing_column duplicate_header empty encrypted not_a_spreadsheet corrupt too_big "
    "forbidden_xml unsupported_format unknown_sku unknown_value".split()
)


@dataclass(frozen=True)
class Options:
    """What a person said about the file; None means: find out.

    mapping: header of the file to field name ("" leaves the column out). decimal: the decimal mark of text numbers.
    header_row: number of the row that holds the headers, the first row being 1; 0 when the file has none.
    known: field to the only values it may have, such as the names of the channels that exist.
    add_zeros: put back the zeros that SKUs and GTINs lost; who asked for the check knows which, so it is done there.
    mend_letters: put letters right that were broken before the file was made (see letters); False does not ask.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal["comma", "point"] | None = None
    sheet: str | None = None
    preset: str | None = None
    mapping: Mapping[str, str] | None = None
    header_row: int | None = None
    known: Mapping[str, Sequence[str]] | None = None
    add_zeros: bool | None = None
    mend_letters: bool | None = None


@dataclass(frozen=True)
class Limits:
    """Bounds of one file: bytes, characters, counts and seconds; beyond them a file is refused as `too_big`."""

    file_bytes: int = 100 * 1024**2
    unpacked_bytes: int = 1024**3
    unpack_ratio: int = 200
    members: int = 2000
    rows: int = 1_000_000
    columns: int = 1000
    cell_characters: int = 32_767
    id_characters: int = 255
    memory_bytes: int = 600 * 1024**2
    cpu_seconds: int = 120
    wall_seconds: int = 180
    listed_errors: int = 1000
    listed_warnings: int = 1000


DEFAULT = Limits()


@dataclass(frozen=True)
class Problem:
    """One cause and its repair: row of the file (1 is the first), column header, code, value shown, one sentence."""

    row: int
    column: str
    code: str
    value: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Column:
    """How one column is read: its header, its field ("" when none is read) and why in a few words.

    samples: its first values as they are shown. reads: what these are in a column of amounts; "" for one that cannot
    be read.
    """

    header: str
    field: str
    why: Literal["chosen", "preset", "recognised", "ignored", "duplicate"]
    explanation: str
    samples: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook; hidden ones are read only when a person asks for them by name."""

    name: str
    hidden: bool = False


@dataclass(frozen=True)
class Report:
    """The result of one check; `rows_ok + rows_bad + rows_skipped == rows` and `errors` holds the first 1,000.

    broken: a word whose letters look broken, and how it would be put right.
    """

    outcome: Outcome
    kind: Kind
    file: str
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    preset: str | None = None
    header_row: int | None = None
    columns: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    rows_ok: int = 0
    rows_bad: int = 0
    rows_skipped: int = 0
    errors: tuple[Problem, ...] = ()
    errors_total: int = 0
    warnings: tuple[Problem, ...] = ()
    warnings_total: int = 0
    mapping: tuple[Column, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    broken: tuple[str, str] | None = None

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers in the order of the file."""
        return tuple(column.header for column in self.mapping)

    @property
    def unused(self) -> tuple[str, ...]:
        """The headers of the columns that nothing is read from, in the order of the file."""
        left = (column for column in self.mapping if column.header and not column.field)
        return tuple(column.header for column in left if column.why != "preset")

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values, in the shape the command line promises."""
        return {**asdict(self), "unused": list(self.unused)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The report again, from what `as_json` gave."""
        known = {name.name for name in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        for name, made_of in (("errors", Problem), ("warnings", Problem), ("sheets", Sheet)):
            values[name] = tuple(made_of(**item) for item in values.get(name, ()))
        values["mapping"] = tuple(
            Column(**{**item, "samples": tuple(item["samples"]), "reads": tuple(item.get("reads", ()))})
            for item in values.get("mapping", ())
        )
        values["broken"] = tuple(values["broken"]) if values.get("broken") else None
        return cls(**values)


class FileRefused(Exception):
    """The whole file is refused: `problem` names the cause and the repair."""

    def __init__(self, code: str, message: str, *, row: int = 1, column: str = "", value: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(row, column, code, shown(value), message)


def shown(value: object) -> str:
    """A value fit for a message: no control characters, no lone surrogates, at most 120 characters."""
    text = value if isinstance(value, str) else str(value)
    cut = text[:SHOWN_CHARACTERS] + ("…" if len(text) > SHOWN_CHARACTERS else "")
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in cut)


def refused(kind: Kind, file: str, problem: Problem) -> Report:
    """The report of a file that is refused as a whole."""
    return Report("reject", kind, file, errors=(problem,), errors_total=1)
