"""Barcode numbers from cells: kept as text, the damaged ones refused and the doubtful ones told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from importers.cells import Cell, CellError, Number, TextReader, number_as_text, together
from importers.report import shown
from importers.wording import phrase

_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
#: What programs make of a code that they take for a decimal number.
_WITH_DECIMALS = re.compile(r"([0-9]{8,14})[.,]0+")
_GUARDED = re.compile(r'="([^"]*)"')


class GtinReader(TextReader):
    """Reads a column of barcode numbers as text: damaged ones are errors, doubtful ones only warn."""

    def __call__(self, cell: Cell) -> str | None:
        """The barcode as typed, or None for a blank cell. Raises CellError for codes that lost digits."""
        if isinstance(cell, str) and len(cell) == 13 and cell.isdecimal() and cell.isascii():
            if not has_right_check_digit(cell):
                self.notes.append(("gtin_check_digit", self.label, cell))
            return cell
        if isinstance(cell, Number):
            text: str | None = number_as_text(cell, self.label)
        else:
            text = super().__call__(cell)
        if text is None:
            return None
        # Spreadsheet programs show their text marker to the programs that export, which write ="…" to keep the zeros.
        guarded = _GUARDED.fullmatch(text)
        text = _without_decimals(guarded[1] if guarded else text.removeprefix("'"))
        if text.casefold() in _NO_BARCODE:
            return None
        if _SCIENTIFIC.fullmatch(text):
            said = phrase(
                "a spreadsheet shortened this code to {value}; its last digits are lost. "
                "Format the column as Text in Excel and export again, or import without this column.",
                value=shown(text),
            )
            raise CellError("sci_notation", said)
        self._doubt(text)
        return text or None

    def many(self, cells: Sequence[Any]) -> list[str | None] | None:
        """The barcodes of a column's cells at once, or None when one of them has to be looked at by itself."""
        digits = together(cells)
        if digits is None or not (digits.isdecimal() and digits.isascii()):
            return None
        codes = list(filter(None, cells))
        lengths = set(map(len, codes))
        if not lengths <= {8, 12, 13, 14}:
            return None
        width = max(lengths)
        if len(lengths) > 1:
            digits = "".join(code.zfill(width) for code in codes)
        return [cell or None for cell in cells] if have_right_check_digits(digits, width) else None

    def _doubt(self, text: str) -> None:
        digits = text.replace(" ", "").replace("-", "")
        if not (digits.isascii() and digits.isdecimal()):
            self.notes.append(("gtin_format", self.label, text))
        elif len(digits) not in (8, 12, 13, 14):
            self.notes.append(("gtin_length", self.label, text))
        elif not has_right_check_digit(digits):
            self.notes.append(("gtin_check_digit", self.label, text))


def _without_decimals(text: str) -> str:
    found = _WITH_DECIMALS.fullmatch(text)
    return found[1] if found else text


#: What marketplaces write when a product has no barcode.
_NO_BARCODE = frozenset((
    *("does not apply", "not applicable", "n/a", "na", "no aplica", "não se aplica", "nicht zutreffend"),
    *("non applicable", "none", "null", "false", "-"),
))  # fmt: skip


def has_right_check_digit(digits: str) -> bool:
    """True when the last of 8 to 14 digits is the GS1 check digit (weights 3 and 1 from the right, modulo 10)."""
    codes = digits.encode("ascii")
    ones, threes = codes[::-2], codes[-2::-2]
    return (sum(ones) + 3 * sum(threes) - 48 * (len(ones) + 3 * len(threes))) % 10 == 0


def have_right_check_digits(digits: str, width: int) -> bool:
    """True when each code of `width` digits (14 at most), one after the other in `digits`, has its check digit.

    The digits of one place in all codes are the bytes of one large number, so that a few additions of such numbers
    add up every code: no sum outgrows its byte, 7 × 9 + 7 × 3 × 9 = 252.
    """
    values = digits.encode("ascii").translate(_DIGIT_VALUES)
    total = sum(
        int.from_bytes(values[width - 1 - place :: width], "big") * (3 if place % 2 else 1) for place in range(width)
    )
    count = len(digits) // width
    return total.to_bytes(count, "big").translate(_LAST_DIGIT).count(0) == count


_DIGIT_VALUES = bytes((code - 48) % 256 for code in range(256))
_LAST_DIGIT = bytes(code % 10 for code in range(256))
