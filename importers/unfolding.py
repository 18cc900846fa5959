"""Turns columns into rows: an older stock export has one column for each location, and one row for each product."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from importers.cells import Cell, Mark
from importers.tables import Row
from importers.vocabulary import normalise

#: What stands in the wide stock export of Shopify before its locations, and beside them in exports of today.
_NO_LOCATIONS = frozenset(
    ("handle", "title", "sku", "hs code", "coo", "bin name", "on hand", "available", "incoming", "committed")
) | {f"option{number} {part}" for number in (1, 2, 3) for part in ("name", "value")}


@dataclass(frozen=True)
class Unfolded:
    """How a header is unfolded: the columns that stay, those that become rows, and the names of all that come out."""

    kept: tuple[int, ...]
    turned: tuple[tuple[int, str], ...]
    names: tuple[str, ...]
    width: int

    def rows(self, rows: Iterable[Row], *, ragged_allowed: bool) -> Iterator[Row]:
        """One row for each column that becomes one, all with the number of their row in the file.

        ragged_allowed: short rows are rows whose last cells are blank; others become a single cell that says so.
        """
        for number, cells in rows:
            if len(cells) == 1 and isinstance(cells[0], Mark):
                yield number, cells
                continue
            if len(cells) != self.width:
                if not ragged_allowed:
                    yield number, [Mark("ragged_row", f"{len(cells)}/{self.width}")]
                    continue
                cells = cells[: self.width] + [""] * (self.width - len(cells))
            shared: list[Cell] = [cells[index] for index in self.kept]
            for index, name in self.turned:
                yield number, [*shared, name, cells[index]]


Unfold = Callable[[Sequence[str]], Unfolded]


def unfold_locations(names: Sequence[str]) -> Unfolded:
    """Shopify's wide stock export: each location becomes a row, with its name and its count in two columns."""
    fixed = {index for index, name in enumerate(names) if not name or normalise(name) in _NO_LOCATIONS}
    kept = tuple(sorted(fixed))
    turned = tuple((index, name) for index, name in enumerate(names) if index not in fixed)
    return Unfolded(kept, turned, (*(names[index] for index in kept), "Location", "On hand"), len(names))
