"""Turns rows of cells into typed fields, or into problems that name row, column, value and repair."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from importers.amounts import (
    Grammar,
    PriceCurrencyReader,
    PriceReader,
    QuantityReader,
    without_sign,
)
from importers.barcodes import GtinReader
from importers.cells import Cell, CellError, Mark, Note, TextReader, as_shown, is_blank, mark_error, match_key
from importers.echoes import LEFT_OUT, is_sum, repeats_header
from importers.fields import OPTION_COLUMNS, OPTION_DETAILS, OPTION_PREFIX, Field, field_of
from importers.report import Column, Kind, Limits, Problem, shown
from importers.wording import phrase

Fields = dict[str, Any]


class Reader(Protocol):
    """Reads a column: one cell, or many at once when all of them are plain."""

    def __call__(self, cell: Cell) -> Any: ...

    def many(self, cells: Sequence[Any]) -> Sequence[Any] | None: ...


_SHORTENED = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+")
_DECIMAL_COMMA = re.compile(r"[0-9][0-9.]*,[0-9]{1,2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
NO_TITLE: Note = ("no_title", field_of("title").label, "")
#: Fields without which a row of this kind means nothing.
KEY_FIELDS: dict[Kind, tuple[str, ...]] = {
    "products": ("sku",),
    "stock": ("sku",),
    "listings": ("listing_id",),
    "links": ("sku", "listing_id"),
}


class CurrencyReader(TextReader):
    """Reads a column of ISO 4217 currency codes such as EUR."""

    def many(self, cells: Sequence[Any]) -> None:
        """Nothing: a column has few currencies, and each is read once anyway."""

    def __call__(self, cell: Cell) -> str | None:
        """The code in capitals, or None for a blank cell. Raises CellError (unknown_value) for anything else."""
        text = super().__call__(cell)
        if text is not None and not _CURRENCY.fullmatch(text.upper()):
            said = phrase("the currency “{value}” is not a code such as EUR.", value=shown(text))
            raise CellError("unknown_value", said)
        return text.upper() if text else None


class ListingIdReader(TextReader):
    """Reads a column of listing IDs; one in scientific notation has lost its last digits."""

    def __call__(self, cell: Cell) -> str | None:
        """The ID, or None for a blank cell. Raises CellError (sci_notation) for a damaged one."""
        text = super().__call__(cell)
        if text is not None and _SHORTENED.fullmatch(text):
            said = phrase(
                "a spreadsheet shortened this {label} to {value}; its last digits are lost. "
                "Format the column as Text and export again.", label=self.label, value=shown(text),
            )  # fmt: skip
            raise CellError("sci_notation", said)
        return text

    def many(self, cells: Sequence[Any]) -> list[str | None] | None:
        """The IDs of a column's cells at once, or None when one of them has to be looked at by itself."""
        texts = super().many(cells)
        written = "".join(filter(None, texts or ()))
        if ("." in written or "," in written) and any(_SHORTENED.fullmatch(text) for text in texts or () if text):
            return None
        return texts


class ChoiceReader(TextReader):
    """Reads a column whose values are known beforehand, such as the channels that exist; case does not count."""

    def __init__(self, label: str, known: Sequence[str], *, notes: list[Note]) -> None:
        super().__init__(label, max(map(len, known), default=0) + 255, is_id=True, notes=notes)
        self._known = {name.casefold(): name for name in known} | {name: name for name in known}

    def many(self, cells: Sequence[Any]) -> None:
        """Nothing: a column has few values, and each is read once anyway."""

    def __call__(self, cell: Cell) -> str | None:
        """The value as it is known, or None for a blank cell. Raises CellError (unknown_value) for any other."""
        text = super().__call__(cell)
        if text is None:
            return None
        found = self._known.get(text) or self._known.get(text.casefold())
        if found is None:
            said = phrase(
                "there is no {label} “{value}”. Create it first, or correct the name.",
                label=self.label, value=shown(text),
            )  # fmt: skip
            raise CellError("unknown_value", said)
        return found


class RowReader:
    """Reads the rows of one table.

    columns: the mapping. width: cells of a whole row. known: field to the only values it may have. ragged_allowed: rows
    of a workbook, whose blank cells at the end are not stored. first_row: the number of the first row below the
    headers, which may be a second row of headers. `notes` holds the warnings of the last row as
    (header, note), `said` those of the last cell.
    """

    def __init__(
        self,
        kind: Kind,
        columns: Sequence[Column],
        limits: Limits,
        grammar_of: Callable[[int], Grammar],
        *,
        width: int,
        ragged_allowed: bool,
        currency_in_price: bool = False,
        known: Mapping[str, Sequence[str]] | None = None,
        first_row: int = 0,
    ) -> None:
        self.kind = kind
        self._known = known or {}
        self.notes: list[tuple[str, Note]] = []
        self.said: list[Note] = []
        self._limits = limits
        self.width = max(width, len(columns))
        self.ragged_allowed = ragged_allowed
        self.last_named = max((index for index, column in enumerate(columns) if column.header), default=0) + 1
        self.headers = {column.field: column.header for column in columns if column.field}
        self.readers: list[tuple[int, str, Reader]] = []
        for index, column in enumerate(columns):
            if column.field:
                reader = self._reader(field_of(column.field), grammar_of(index), currency_in_price)
                self.readers.append((index, column.field, reader))
                if column.field == "price" and currency_in_price and "currency" not in self.headers:
                    self.headers["currency"] = column.header
                    self.readers.append((index, "currency", PriceCurrencyReader()))
        self.has_options = any(name.startswith("option") for name in self.headers)
        self.id_from_sku = kind == "listings" and "listing_id" not in self.headers
        self.wants_title = kind == "products" and "title" in self.headers
        self.first_row = first_row
        self._columns = columns

    def _reader(self, field: Field, grammar: Grammar, currency_in_price: bool) -> Reader:
        if field.name in self._known:
            return ChoiceReader(field.label, self._known[field.name], notes=self.said)
        if field.reads == "quantity":
            return QuantityReader(field.label, grammar)
        if field.reads == "price":
            alone = "currency" not in self.headers
            return PriceReader(
                field.label, grammar, currency_allowed=currency_in_price, one_currency=alone, notes=self.said
            )
        made_of: type[TextReader] = {"gtin": GtinReader, "currency": CurrencyReader}.get(field.reads, TextReader)
        if field.name == "listing_id":
            made_of = ListingIdReader
        is_text = field.reads == "text"
        longest = self._limits.cell_characters if is_text else self._limits.id_characters
        prose = field.name in {"title", "description"}
        return made_of(field.label, longest, is_id=not is_text, notes=self.said, is_prose=prose)

    def read(self, number: int, cells: list[Cell]) -> tuple[Fields | None, list[Problem]]:
        """The typed fields of a row, without its blank ones, and its problems; no fields for a row of nothing.

        A row with problems keeps the fields that could be read, so that its key can still be compared.
        """
        if self.may_repeat(number, cells) and repeats_header(cells, self._columns, self.kind):
            self.notes.append(("", LEFT_OUT))
            return None, []
        problems: list[Problem] = []
        if len(cells) != self.width and (ragged := self._ragged(number, cells)):
            return (None, []) if all(is_blank(cell) for cell in cells) else ({}, [ragged])
        fields: Fields = {}
        for index, name, reader in self.readers:
            try:
                value = reader(cells[index])
            except CellError as error:
                problems.append(self._problem(number, name, cells[index], error))
                continue
            except IndexError:
                break  # Blank cells at the end of a workbook's row are not stored.
            if value is not None:
                fields[name] = value
            if self.said:
                self._note(name)
        if not fields and not problems and all(is_blank(cell) for cell in cells):
            return None, []
        self._complete(number, fields, problems)
        return fields, problems

    def may_repeat(self, number: int, cells: Sequence[Cell]) -> bool:
        """Whether a row is to be looked at for headers: the first one, and those with a header in their first field."""
        index, name, _ = self.readers[0]
        return number == self.first_row or (index < len(cells) and cells[index] == self.headers[name])

    def _note(self, name: str) -> None:
        header = self.headers[name]
        self.notes.extend((header, note) for note in self.said)
        self.said.clear()

    def _problem(self, number: int, name: str, cell: Cell, error: CellError) -> Problem:
        self.said.clear()
        message = phrase("Row {row}: {problem}", row=number, problem=error.message)
        return Problem(number, self.headers[name], error.code, shown(as_shown(cell)), message)

    def _ragged(self, number: int, cells: list[Cell]) -> Problem | None:
        if len(cells) == 1 and isinstance(cells[0], Mark) and cells[0].code in ("unterminated_quote", "ragged_row"):
            message = phrase("Row {row}: {problem}", row=number, problem=mark_error(cells[0], "").message)
            return Problem(number, "", cells[0].code, "", message)
        if self.ragged_allowed or self.last_named <= len(cells) <= self.width:
            return None
        message = _too_few(number, len(cells), self.width)
        if len(cells) > self.width:
            # One blank cell too many is no comfort: an unquoted comma before it has shifted the price.
            message = phrase(
                "Row {row} has {count} cells, and the header has {width}. "
                "A delimiter inside a text needs quotation marks around that text.",
                row=number, count=len(cells), width=self.width,
            )  # fmt: skip
        return Problem(number, "", "ragged_row", shown(" | ".join(as_shown(cell) for cell in cells)), message)

    def _complete(self, number: int, fields: Fields, problems: list[Problem]) -> None:
        sku = fields.get("sku")
        if sku is not None:
            fields["match_key"] = match_key(sku)
        if self.id_from_sku and sku is not None:
            fields["listing_id"] = sku
        if self.has_options:
            gather_options(fields)
        bad = {problem.column for problem in problems}
        for name in KEY_FIELDS[self.kind]:
            if name not in fields and not (name == "listing_id" and "listing_sku" in fields):
                self._refuse_blank(number, name, bad, problems)
        if self.wants_title and "title" not in fields and is_sum(sku or ""):
            problems.append(Problem(number, self.headers["title"], "blank", "", _no_product(number, sku or "")))
        if self.wants_title and not problems and "title" not in fields:
            self.notes.append((self.headers["title"], NO_TITLE))

    def _refuse_blank(self, number: int, name: str, bad: set[str], problems: list[Problem]) -> None:
        alias = "sku" if name == "listing_id" and self.id_from_sku else name
        if name == "listing_id" and name not in self.headers and "listing_sku" in self.headers:
            alias = "listing_sku"
        header = self.headers.get(alias, alias)
        if header not in bad:
            label = field_of(alias).label
            message = phrase("Row {row}: the {label} is blank. Type it, or delete the row.", row=number, label=label)
            problems.append(Problem(number, header, "blank", "", message))


def _too_few(number: int, count: int, width: int) -> str:
    return phrase(
        "Row {row} ends after cell {count} of {width}. Complete it, or delete it if it is no row of the table.",
        row=number, count=count, width=width,
    )  # fmt: skip


def _no_product(number: int, sku: str) -> str:
    return phrase(
        "Row {row}: “{sku}” without a title looks like a sum, not like a product. Delete the row, or type the title.",
        row=number, sku=shown(sku),
    )  # fmt: skip


def gather_options(fields: Fields) -> None:
    """Moves the options of a row, which come in several layouts, into one field.

    Where they stand in one cell and the id is made of item and variation (see preset_rows), the item is the parent.
    """
    options: dict[str, str] = {}
    if details := fields.pop(OPTION_DETAILS, None):
        options.update((name.strip(), value) for name, value in _DETAIL.findall(details[:LONGEST_DETAILS]))
        item, colon, _ = str(fields.get("listing_id") or "").partition(":")
        if colon and options:
            fields.setdefault("parent_id", item)
    for place in range(0, len(OPTION_COLUMNS), 2):
        name, value = fields.pop(OPTION_COLUMNS[place], None), fields.pop(OPTION_COLUMNS[place + 1], None)
        if name is not None and value is not None:
            options[name] = value
    for name in [name for name in fields if name.startswith(OPTION_PREFIX)]:
        options[name.removeprefix(OPTION_PREFIX)] = fields.pop(name)
    if options:
        fields["options"] = options


LONGEST_DETAILS = 1_000
#: A name and a value in a cell such as “[Color=Red;Size=M]”, “Color: Red | Size: M” or “Talla:M,Color:Rojo”.
_DETAIL = re.compile(r"([^][=:;|,{}]+?)\s*[=:]\s*([^][=;|{}]+?)\s*(?:[];|}]|$|,(?=[^=:;|,]+[=:]))")


def column_grammar(options_decimal: str | None, values: Sequence[Cell]) -> Grammar:
    """The number grammar of a column, from what was declared and from the first values of the column."""
    if options_decimal in ("comma", "point"):
        return Grammar("comma" if options_decimal == "comma" else "point")
    return Grammar(None, comma_seen=shows_comma(values))


def shows_comma(values: Iterable[Cell]) -> bool:
    """Whether one of these cells is a number with a decimal comma."""
    texts = (without_sign(value.strip()) for value in values if isinstance(value, str) and "," in value)
    return any(_DECIMAL_COMMA.fullmatch(text) for text in texts)
