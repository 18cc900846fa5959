"""The first values of each column, as a screen shows them beside the field."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from importers.cells import Cell, as_shown, is_blank
from importers.header_row import Header
from importers.report import Column, shown
from importers.tables import Row

SAMPLES = 3
#: Spaces within a number that not every font shows, and the line breaks of a text.
_SPACES = re.compile(r"(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9])|[\r\n\t]+")


def plain_columns(header: Header, head: Sequence[Row]) -> tuple[Column, ...]:
    """The columns before anything is known about them, for a screen that asks."""
    samples = samples_of(header, head)
    return tuple(Column(name, "", "ignored", "", tuple(samples[index])) for index, name in enumerate(header.names))


def telling(header: Header, below: Sequence[Row]) -> list[list[Cell]]:
    """The cells of the first rows that are not left out: a hint below a header says nothing about its column."""
    left_out = set[int]()
    if header.preset and (keep := header.preset.row_filter(header.names, lambda: below)):
        left_out = {number for number, cells in keep((number, list(cells)) for number, cells in below) if cells is None}
    return [cells for number, cells in below if number not in left_out]


def samples_of(header: Header, head: Sequence[Row]) -> list[list[str]]:
    """The first values of each column, as text."""
    rows = telling(header, head[header.place + 1 :])
    found: list[list[str]] = []
    for index in range(len(header.names)):
        values = (
            shown(_SPACES.sub(" ", as_shown(cells[index])))
            for cells in rows
            if index < len(cells) and not is_blank(cells[index])
        )
        found.append(list(itertools.islice(values, SAMPLES)))
    return found
