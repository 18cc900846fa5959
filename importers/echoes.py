"""Rows of a table that are none of its goods: a second row of headers, headers repeated further down, and sums."""

from __future__ import annotations

from collections.abc import Sequence

from importers.cells import Cell, Note, as_shown, is_blank
from importers.fields import KIND_FIELDS
from importers.report import Column, Kind
from importers.vocabulary import normalise, recognise

#: Longer texts are no headers, and would take their time to be taken apart like one.
_LONGEST_HEADER = 255
LEFT_OUT: Note = ("repeated_header", "", "")
#: What stands where a SKU would, in a row that adds up the others.
_SUMS = frozenset({
    "total", "totals", "grand total", "subtotal", "sum", "totales", "total general", "suma", "totais", "total geral",
    "soma", "totaux", "total général", "somme", "gesamt", "gesamtsumme", "summe", "zwischensumme", "totale", "totali",
    "somma",
})  # fmt: skip


def is_sum(sku: str) -> bool:
    """True for a SKU that is the word for a sum, in any of the languages that headers are known in."""
    return sku.strip(" :.").casefold() in _SUMS


def repeats_header(cells: Sequence[Cell], columns: Sequence[Column], kind: Kind) -> bool:
    """True for a row whose cells are headers again: two at least, each naming the field of its column in some way.

    Templates have their technical names below the ones that people read, and joined files have the headers of each.
    """
    said = [
        (as_shown(cell), column)
        for cell, column in zip(cells, columns, strict=False)
        if column.field and not is_blank(cell)
    ]
    if len(said) < 2 or any(len(text) > _LONGEST_HEADER for text, _ in said):
        return False
    return all(_names(text, column, kind) for text, column in said)


def _names(text: str, column: Column, kind: Kind) -> bool:
    if normalise(text) == normalise(column.header):
        return True
    found = recognise(text, KIND_FIELDS[kind], kind)
    return found is not None and found[0] == column.field
