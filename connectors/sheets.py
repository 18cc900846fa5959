"""Upload files for marketplaces: which columns they have, and how a cell is written so that no program runs it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from connectors.base import Update, price_text
from connectors.wording import phrase

if TYPE_CHECKING:
    from openpyxl.cell import Cell

# What a spreadsheet program takes for the beginning of a formula (OWASP, "CSV Injection"), with the full-width forms
# that some of them fold to it. Tab, carriage return and line feed let a formula hide behind white space.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
GENERIC_COLUMNS = ("listing_id", "sku", "quantity", "price", "currency")
AVAILABILITY_COLUMNS = ("listing_id", "sku", "in_stock", "price", "currency")
# The header of Amazon's price and quantity template (POST_FLAT_FILE_PRICEANDQUANTITYONLY_UPDATE_DATA).
AMAZON_COLUMNS = (
    "sku",
    "price",
    "minimum-seller-allowed-price",
    "maximum-seller-allowed-price",
    "quantity",
    "handling-time",
    "fulfillment-channel",
)
# An underscore that a spreadsheet program would take for the beginning of an escape such as _x000D_.
_LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# Characters that XML 1.0 cannot hold in any spelling.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# A text that starts with a sign but holds nothing else than letters, digits and plain separators runs nothing.
HARMLESS_CODE = re.compile(r"[+-][A-Za-z0-9 ._/-]*")


@dataclass(frozen=True)
class Format:
    """How one kind of file is written, which rows it cannot hold, and how it is named."""

    name: str
    title: str
    suffix: str
    write: Callable[[BinaryIO, Sequence[Update]], None]
    why_not: Callable[[Update], str | None]
    tells_availability: bool = True


def neutral(text: str) -> str:
    """Text that no spreadsheet program takes for a formula: a `'` before a dangerous beginning.

    A text that begins with `'` before such a beginning gets one more, so that removing one `'` gives back every text.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def cell_text(text: str) -> str:
    """Text as a workbook writes it, so that a SKU such as S_x0041_ is not read back as SA.

    See ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
    """
    return _LIKE_ESCAPE.sub("_x005F_", text) if "_x" in text else text


def write_csv(out: BinaryIO, updates: Sequence[Update]) -> None:
    """Comma-separated UTF-8 with the byte order mark that spreadsheet programs look for; blank is *leave alone*."""
    text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(_columns(updates))
    writer.writerows(_generic_row(update) for update in updates)
    text.flush()
    text.detach()


def _generic_row(update: Update) -> list[str]:
    return [
        neutral(update.listing_id),
        neutral(update.sku),
        _stock(update),
        _price(update),
        neutral(update.currency) if update.price is not None else "",
    ]


def write_xlsx(out: BinaryIO, updates: Sequence[Update]) -> None:
    """One sheet, codes as text cells that keep leading zeros, numbers as numbers, no formula anywhere.

    Text is written exactly: the cell's type already says that it is not a formula.
    """
    from openpyxl import Workbook  # slow to load: every start of the application would pay for it
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Listings")

    def text(value: str) -> Cell:
        cell = WriteOnlyCell(sheet, cell_text(value))
        cell.data_type = "s"
        cell.number_format = "@"
        return cell

    def number(digits: str, form: str) -> Cell | None:
        if not digits:
            return None
        # Given as digits and typed as a number afterwards: openpyxl itself would round through a float.
        cell = WriteOnlyCell(sheet, digits)
        cell.data_type = "n"
        cell.number_format = form
        return cell

    sheet.append([text(name) for name in _columns(updates)])
    for update in updates:
        in_units = update.available is None
        stock = number(_quantity(update), "0") if in_units else text(_stock(update))
        price = number(_price(update), "0.00##")
        currency = text(update.currency) if update.price is not None else None
        sheet.append([text(update.listing_id), text(update.sku), stock, price, currency])
    book.save(out)


def write_amazon(out: BinaryIO, updates: Sequence[Update]) -> None:
    """Amazon's price and quantity template: tab-separated, UTF-8, no quotes; a blank cell leaves the value alone."""
    rows: Iterable[Sequence[str]] = (
        [update.sku, _price(update), "", "", _quantity(update), "", ""] for update in updates
    )
    for row in (AMAZON_COLUMNS, *rows):
        out.write(("\t".join(row) + "\r\n").encode())


def _columns(updates: Sequence[Update]) -> tuple[str, ...]:
    """The header: a file for a channel that hears no quantities has no column for them either.

    Raises ValueError for a file that would need both: one channel says one or the other.
    """
    if all(update.available is None for update in updates):
        return GENERIC_COLUMNS
    if any(update.quantity is not None for update in updates):
        raise ValueError("quantities and availability do not go into one file")
    return AVAILABILITY_COLUMNS


def _stock(update: Update) -> str:
    """The cell of the stock column: a number, or yes and no where only availability is told."""
    return _quantity(update) if update.available is None else ("yes" if update.available else "no")


def _quantity(update: Update) -> str:
    return "" if update.quantity is None else str(update.quantity)


def _price(update: Update) -> str:
    return "" if update.price is None else price_text(update.price)


def _always(update: Update) -> None:
    """A CSV cell holds any text."""


_TEXTS = (phrase("listing id"), phrase("SKU"), phrase("currency"))


def _not_in_xlsx(update: Update) -> str | None:
    for name, text in zip(_TEXTS, (update.listing_id, update.sku, update.currency), strict=True):
        if NOT_IN_XML.search(text) or len(text) > 32_767:
            return phrase("The {field} holds a control character or is too long for a spreadsheet cell.", field=name)
    return None


def _not_in_amazon(update: Update) -> str | None:
    """Amazon's file has no quoting and its SKU must match to the letter, so a doubtful SKU is left out, not changed."""
    if update.available is not None:
        return phrase("Amazon's price and quantity file has no column for “in stock or not”.")
    if not update.sku.strip():
        return phrase("The listing has no SKU, and Amazon's file names listings by SKU.")
    if re.search(r"[\x00-\x1f\x7f]", update.sku):
        return phrase("The SKU holds a tab, a line end or another control character, which Amazon's file cannot carry.")
    if update.sku.startswith(FORMULA_STARTS) and not HARMLESS_CODE.fullmatch(update.sku):
        return phrase(
            "The SKU begins like a formula, which a spreadsheet program would run; change this listing by hand."
        )
    return None


FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("csv", phrase("CSV"), "csv", write_csv, _always),
        Format("xlsx", phrase("Excel workbook"), "xlsx", write_xlsx, _not_in_xlsx),
        Format("amazon_tsv", phrase("Amazon price and quantity"), "txt", write_amazon, _not_in_amazon, False),
    )
}
