"""Quantities and prices from cells: exact, in ASCII digits, never guessed where two readings exist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from importers.cells import (
    PERCENT,
    WHITE_SPACE,
    Cell,
    CellError,
    Mark,
    Note,
    Number,
    is_unreadable,
    mark_error,
    together,
    unreadable,
)
from importers.report import shown
from importers.wording import phrase

MOST_QUANTITY = 999_999_999
MOST_PRICE = Decimal(10) ** 12
PRICE_PLACES = 4

DecimalMark = Literal["comma", "point"]

_DIGITS = re.compile(r"[0-9]+")
_PLAIN_PRICE = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,4})?")
#: Plain prices and blank cells, a line each. There is no “*+” around what can be tried in two ways: Python before
#: 3.11.5, such as Debian's, takes that wrongly (python/cpython issue 106052).
_PLAIN_PRICES = re.compile(rf"(?:(?:{_PLAIN_PRICE.pattern})?\n)*")
_SPACES = " \u00a0\u202f\u2009'’"
_NUMBER_LIKE = re.compile(rf"[0-9](?:[0-9.,{_SPACES}]*[0-9])?|[.,][0-9]+")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_MONEY = re.compile(
    rf"(?:(?P<before>[A-Z]{{3}})\s?)?(?P<amount>[0-9.,](?:[0-9.,{_SPACES}]*[0-9.,])?)(?:\s?(?P<after>[A-Z]{{3}}))?"
)
#: One sign of a currency before or after an amount, as in “$549.00”, “R$ 9,90”, “12 €” or “6 zł”. Codes such as EUR are
#: for a column of their own: a price that names another one than its channel's must not lose it.
_SIGN = r"(?:(?:US|MX|R)?\$|[€£₺₽₴₹]|S/|zł|Kč|kr\.?|Ft|lei|TL|руб\.?|грн\.?)"
_SIGNED = re.compile(rf"{_SIGN}\s?(?P<after>[0-9.,].*)|(?P<before>.*[0-9])\s?{_SIGN}")
_GROUPED = {mark: re.compile(rf"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+") for mark in (*_SPACES, ",", ".")}
#: In India the groups above the thousand have two digits: 12,34,567.
_GROUPED[","] = re.compile(rf"{_GROUPED[','].pattern}|[1-9][0-9]?(?:,[0-9]{{2}})+,[0-9]{{3}}")
_LOOK_ALIKES = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8"})


class Grammar:
    """Reads numbers written as text.

    decimal: the declared decimal mark, or None when nobody said. comma_seen: other values of the column use a decimal
    comma, so a point before three digits is no longer clear.
    """

    def __init__(self, decimal: DecimalMark | None = None, *, comma_seen: bool = False) -> None:
        self.decimal = decimal
        self.comma_seen = comma_seen

    def plain(self, text: str, label: str, *, whole: bool = False) -> str:
        """The number in plain form: ASCII digits, “.” as decimal mark, no groups; “-” in front when negative.

        whole: the column holds whole numbers, where “1.000” has two readings.

        Raises:
            CellError: not a number (not_a_number), or one with two readings (ambiguous_number).
        """
        negative = text.startswith("-")
        body = text[1:] if negative else text
        if not _NUMBER_LIKE.fullmatch(body):
            raise not_a_number(text, label)
        read = self._declared(body) if self.decimal else self._undeclared(body, whole)
        if read is None:
            raise self._ambiguous(text, label)
        if not read:
            raise not_a_number(text, label)
        return f"-{read}" if negative else read

    def _declared(self, body: str) -> str | None:
        mark, group = (",", ".") if self.decimal == "comma" else (".", ",")
        whole, seen, rest = body.partition(mark)
        if seen and not _DIGITS.fullmatch(rest):
            return ""
        digits = _ungrouped(whole, group + _SPACES) if whole else "0"
        if digits is None:
            return None
        return f"{digits}.{rest}" if seen else digits

    def _undeclared(self, body: str, whole: bool) -> str | None:
        marks = [mark for mark in body if not mark.isdigit()]
        if not marks:
            return body
        if len(set(marks)) > 1:
            return None if whole else self._two_marks(body, marks)
        mark = marks[0]
        if mark in _SPACES:
            return None if _GROUPED[mark].fullmatch(body) else ""
        front, _, rest = body.partition(mark)
        if len(marks) > 1:
            return None if _GROUPED[mark].fullmatch(body) else ""
        looks_grouped = len(rest) == 3 and 1 <= len(front) <= 3 and front[0] != "0"
        if looks_grouped and (mark == "," or whole or self.comma_seen):
            return None
        return f"{front or '0'}.{rest}"

    @staticmethod
    def _two_marks(body: str, marks: list[str]) -> str:
        last = marks[-1]
        if last not in ".," or marks.count(last) > 1 or len(set(marks)) > 2:
            return ""
        front, _, rest = body.partition(last)
        digits = _ungrouped(front, marks[0])
        return f"{digits}.{rest}" if digits else ""

    def _ambiguous(self, text: str, label: str) -> CellError:
        value = shown(text)
        if self.decimal == "comma":
            said = phrase(
                "the {label} “{value}” does not fit the decimal comma chosen for this file. "
                "Correct it, or choose the other decimal mark.", label=label, value=value,
            )  # fmt: skip
        elif self.decimal:
            said = phrase(
                "the {label} “{value}” does not fit the decimal point chosen for this file. "
                "Correct it, or choose the other decimal mark.", label=label, value=value,
            )  # fmt: skip
        else:
            said = phrase(
                "the {label} “{value}” can be read in two ways. Choose the decimal mark of this file: comma or point.",
                label=label, value=value,
            )  # fmt: skip
        return CellError("ambiguous_number", said)


def _ungrouped(text: str, marks: str) -> str | None:
    """The digits of a grouped whole number; None when its groups are not of three digits."""
    if _DIGITS.fullmatch(text):
        return text
    for mark in marks:
        if mark in text:
            return text.replace(mark, "") if _GROUPED[mark].fullmatch(text) else None
    return None


def not_a_number(text: str, label: str) -> CellError:
    """The error for text that is no number, with the likely repair."""
    value = shown(text)
    if is_unreadable(text):
        return unreadable(text, label)
    guess = text.translate(_LOOK_ALIKES)
    if _SCIENTIFIC.fullmatch(text):
        said = phrase(
            "the {label} “{value}” is not a number. It is in scientific notation. Write all its digits.",
            label=label, value=value,
        )  # fmt: skip
    elif guess != text and _NUMBER_LIKE.fullmatch(guess):
        letters = ", ".join(sorted({mark for mark in text if mark != mark.translate(_LOOK_ALIKES)}))
        said = phrase(
            "the {label} “{value}” is not a number. It holds the letter {letters} in place of a digit. Type {guess}.",
            label=label, value=value, letters=letters, guess=guess,
        )  # fmt: skip
    else:
        said = phrase(
            "the {label} “{value}” is not a number. Type digits only, without units, signs or currency.",
            label=label, value=value,
        )  # fmt: skip
    return CellError("not_a_number", said)


def without_sign(text: str) -> str:
    """An amount without one currency sign at its beginning or end; any other text as it is."""
    found = _SIGNED.fullmatch(text)
    return (found["after"] or found["before"]) if found else text


def _below_zero(label: str, value: str) -> CellError:
    said = phrase("the {label} {value} is below zero. Type 0 or more.", label=label, value=value)
    return CellError("negative", said)


class QuantityReader:
    """Reads a column of whole quantities from 0 to 999,999,999; a blank cell is None, never 0."""

    def __init__(self, label: str, grammar: Grammar) -> None:
        self.label = label
        self.grammar = grammar

    def __call__(self, cell: Cell) -> int | None:
        """The quantity, or None for a blank cell. Raises CellError for anything but a whole number in range."""
        if isinstance(cell, str):
            if len(cell) <= 9 and cell.isdecimal() and cell.isascii():
                return int(cell)
            text = _number_text(cell)
            if not text:
                return None
            plain = self.grammar.plain(text, self.label, whole=True)
        else:
            text = plain = _from_workbook(cell, self.label)
        return self._in_range(plain, text)

    def many(self, cells: Sequence[Any]) -> list[int | None] | None:
        """The quantities of a column's cells at once, or None when one of them has to be looked at by itself."""
        digits = together(cells)
        if digits is None or not (digits.isdecimal() and digits.isascii()) or max(map(len, cells)) > 9:
            return None
        return [int(cell) if cell else None for cell in cells]

    def _in_range(self, plain: str, text: str) -> int:
        value = shown(text)
        whole, _, rest = plain.partition(".")
        if plain.startswith("-") and plain.strip("-0."):
            raise _below_zero(self.label, value)
        if rest.strip("0"):
            said = phrase(
                "the {label} {value} is not a whole number. Type a whole number.", label=self.label, value=value
            )
            raise CellError("fractional", said)
        digits = whole.lstrip("-0") or "0"
        if len(digits) > 9:
            said = phrase(
                "the {label} {value} is more than {most}. Type a smaller number.",
                label=self.label, value=value, most=f"{MOST_QUANTITY:,}",
            )  # fmt: skip
            raise CellError("too_large", said)
        return int(digits)


class PriceReader:
    """Reads a column of prices: exact decimals of at most 4 places below 10^12, given back as plain text.

    one_currency: no other column says the currency, so the signs beside the amounts have to be the same.
    """

    def __init__(
        self,
        label: str,
        grammar: Grammar,
        *,
        currency_allowed: bool = False,
        one_currency: bool = False,
        notes: list[Note] | None = None,
    ) -> None:
        self.notes = [] if notes is None else notes
        self._one_currency = one_currency
        self._sign = ""
        self.label = label
        self.grammar = grammar
        self.currency_allowed = currency_allowed

    def __call__(self, cell: Cell) -> str | None:
        """The price as text such as “12.50”, or None for a blank cell. Raises CellError for anything else."""
        if isinstance(cell, str):
            if self.grammar.decimal != "comma" and not self.grammar.comma_seen and _PLAIN_PRICE.fullmatch(cell):
                return cell
            text = _number_text(cell)
            if not text:
                return None
            written = self._amount(text)
            amount = without_sign(written)
            plain = self.grammar.plain(amount, self.label)
            if amount != written:
                self._refuse_other_sign(written.replace(amount, "", 1).strip(WHITE_SPACE + "."), text)
                self.notes.append(("currency_sign", self.label, text))
        else:
            text = plain = _from_workbook(cell, self.label)
        return self._in_range(plain, text)

    def many(self, cells: Sequence[Any]) -> list[str | None] | None:
        """The prices of a column's cells at once, or None when one of them has to be looked at by itself."""
        lines = together(cells, "\n")
        if lines is None or self.grammar.decimal == "comma" or self.grammar.comma_seen:
            return None
        if lines.count("\n") != len(cells) - 1 or not _PLAIN_PRICES.fullmatch(lines + "\n"):
            return None
        return [cell or None for cell in cells]

    def _refuse_other_sign(self, sign: str, text: str) -> None:
        self._sign = self._sign or sign
        if self._one_currency and sign != self._sign:
            said = phrase(
                "the {label} “{value}” has another currency sign than those above it: {sign}. "
                "Import each currency by itself, or add a column with the currencies.",
                label=self.label, value=shown(text), sign=self._sign,
            )  # fmt: skip
            raise CellError("unknown_value", said)

    def _amount(self, text: str) -> str:
        found = _MONEY.fullmatch(text) if self.currency_allowed else None
        return found["amount"] if found else text

    def _in_range(self, plain: str, text: str) -> str:
        value = shown(text)
        whole, _, rest = plain.partition(".")
        if plain.startswith("-") and plain.strip("-0."):
            raise _below_zero(self.label, value)
        digits = whole.lstrip("-0") or "0"
        if len(digits) > 12:
            said = phrase("the {label} {value} is 10^12 or more. Type a smaller number.", label=self.label, value=value)
            raise CellError("too_large", said)
        if len(rest.rstrip("0")) > PRICE_PLACES:
            said = phrase(
                "the {label} {value} has more than {places} decimals. Round it.",
                label=self.label, value=value, places=PRICE_PLACES,
            )  # fmt: skip
            raise CellError("too_many_decimals", said)
        return f"{digits}.{rest[:PRICE_PLACES]}" if rest else digits


class PriceCurrencyReader:
    """Reads the currency codes beside the amounts of a column of prices, as in “9.80 EUR”."""

    def __call__(self, cell: Cell) -> str | None:
        """The code, or None where the price has none."""
        found = _MONEY.fullmatch(cell.strip(WHITE_SPACE)) if isinstance(cell, str) else None
        return (found["before"] or found["after"]) if found else None

    def many(self, cells: Sequence[Any]) -> list[str | None]:
        """The codes of a column's cells."""
        return list(map(self, cells))


def _number_text(cell: str) -> str:
    text = cell.strip(WHITE_SPACE)
    return text[1:] if text.startswith(("'-", "'+", "'=", "'@")) else text


def _from_workbook(cell: Number | Mark, label: str) -> str:
    if isinstance(cell, Mark):
        value = shown(cell.raw)
        if cell.code == "date_in_text":
            said = phrase("the {label} {value} is a date, not a number. Type the number.", label=label, value=value)
            raise CellError("not_a_number", said)
        if cell.code == "bool_in_text":
            said = phrase(
                "the {label} {value} is a truth value, not a number. Type the number.", label=label, value=value
            )
            raise CellError("not_a_number", said)
        raise mark_error(cell, label)
    number = Decimal(cell.exact())
    if not number.is_finite():
        raise not_a_number(cell.raw, label)
    if cell.shape == PERCENT:
        said = phrase(
            "the {label} {value} is a percentage. Format the column as a number and type the amount.",
            label=label, value=shown(cell.shaped()),
        )  # fmt: skip
        raise CellError("not_a_number", said)
    return format(number, "f")
