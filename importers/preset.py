"""What is known of an export: its headers, what its columns mean, and which of its rows are no rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Literal

from importers.preset_rows import Again, RowFilter
from importers.report import Column, Kind
from importers.unfolding import Unfold
from importers.vocabulary import forms
from importers.wording import phrase

Fields = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Preset:
    """One known export.

    signatures: sets of normalised headers; a file that has all of one set is this export. fields: field to normalised
    headers, best first. by_kind: the same, where a kind of file reads the export differently. rows: leaves out or
    completes rows; rows_twice: the same with a second look at the file. helpers: headers that `rows` goes by, although
    no field comes from them. currency_in_price: prices carry a currency code, as in “9.80 EUR”. words: headers in other
    languages to those used here. unfold: turns columns into rows. then: the preset that reads what was unfolded.
    """

    name: str
    kinds: tuple[Kind, ...]
    signatures: tuple[frozenset[str], ...]
    fields: Fields
    by_kind: Mapping[Kind, Fields] = field(default_factory=dict)
    rows: Callable[[Mapping[str, int]], RowFilter] | None = None
    rows_twice: Callable[[Mapping[str, int], Again], RowFilter] | None = None
    helpers: tuple[str, ...] = ()
    currency_in_price: bool = False
    decimal: Literal["comma", "point"] | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    unfold: Unfold | None = None
    then: str = ""

    def fields_for(self, kind: Kind) -> dict[str, tuple[str, ...]]:
        """Field to normalised headers in all languages, for this kind of file."""
        fields = {**self.fields, **self.by_kind.get(kind, {})}
        return {name: tuple(form for one in headers for form in self._said(one)) for name, headers in fields.items()}

    def helps(self, header: str) -> bool:
        """Whether a column without a field is read all the same, to tell what its rows are."""
        return not self.english(set(forms(header))).isdisjoint(self.helpers)

    def _said(self, header: str) -> list[str]:
        return [header, *(form for form, english in self.words.items() if english == header)]

    def english(self, have: Set[str]) -> Set[str]:
        """Forms of headers, and the English ones of those that are words of another language."""
        return have | {self.words[form] for form in self.words.keys() & have}

    def row_filter(self, headers: Sequence[str], again: Again) -> RowFilter | None:
        """What leaves out and completes the rows of a file with these headers; None where they stay as they are."""
        if self.rows_twice:
            return self.rows_twice(self.places(headers), again)
        return self.rows(self.places(headers)) if self.rows else None

    def places(self, headers: Sequence[str]) -> dict[str, int]:
        """Normalised header, an English one too, to the first column that has it."""
        found: dict[str, int] = {}
        for index, header in enumerate(headers):
            for form in forms(header):
                found.setdefault(form, index)
        for form, index in tuple(found.items()):
            found.setdefault(self.words.get(form, form), index)
        return found


def with_help(preset: Preset, column: Column) -> Column:
    """The column, as one that is read where no field comes from it but the preset goes by it."""
    if column.why not in ("ignored", "duplicate") or not preset.helps(column.header):
        return column
    said = phrase("Read to tell what a row is; no field comes from it.")
    return replace(column, why="preset", explanation=said)


def signature(*headers: str) -> frozenset[str]:
    """Normalised headers that give an export away when all of them are there."""
    return frozenset(headers)
