"""What a cell can hold, and how it becomes text: trimming, marks that are never stored, numbers in text columns."""

from __future__ import annotations

import math
import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from importers.report import shown
from importers.wording import phrase

#: Unicode White_Space (PropList), and U+FEFF, which files that were glued together leave before a value.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
#: What is trimmed off titles and other text, which is kept as written otherwise: an export puts an apostrophe before a
#: tab or carriage return at the start, so that it must come back.
_TEXT_MARGIN = " \n\xa0\u3000\ufeff"
_TEXT_END = _TEXT_MARGIN + "\t\r"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: U+0080 to U+009F in a title or a description is what is left of letters that somebody read in the wrong encoding long
#: before. It breaks nothing and is kept as written: a product shall not stay out for it.
_CONTROL_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LOST = "\N{REPLACEMENT CHARACTER}"
_LINE_MARKS = re.compile(r"[\t\n\r]")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Excel keeps 15 significant digits of a number; a whole number from here on has lost its end.
FIRST_INEXACT = 10**15
ERROR_VALUES = frozenset(
    "#N/A #REF! #DIV/0! #VALUE! #NAME? #NULL! #NUM! #SPILL! #CALC! #GETTING_DATA #FIELD! #BLOCKED!".split()
)
#: What an export puts an apostrophe before: the way back of `connectors.sheets.neutral`.
_ESCAPED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")
#: Stands between the cells of a column that are looked through as one text; where a cell has it, it only costs time.
_EDGE = "|"
_PRINTABLE_ASCII = bytes(range(0x20, 0x7F))
_STARTS_MARKED = operator.methodcaller("startswith", ("'", "#"))


#: Stands for a digit in the shape that a number format gives a number; all else of a shape is shown as it is.
DIGIT = "\0"
#: The shape of a format that shows a number a hundredfold, with this sign behind it.
PERCENT = "%"


class Number(NamedTuple):
    """A number cell of a workbook: its stored digits, and the shape of a format such as 00000 or "SKU-"0000."""

    raw: str
    shape: str = ""

    @classmethod
    def stored(cls, text: str, shape: str = "") -> Number | None:
        """The number that a file stores as text; None when it is none, also where Python would take it for one."""
        try:
            float(text)
        except ValueError:
            return None
        return cls(text, shape) if text.isascii() and "_" not in text else None

    def exact(self) -> str:
        """The value rounded at 15 significant digits, which removes the noise of binary fractions."""
        return f"{float(self.raw):.15g}"

    def shaped(self) -> str:
        """A number as its format shows it: a whole one with zeros in front and marks around its digits, or a share."""
        if self.shape == PERCENT:
            return f"{(100 * Decimal(self.exact())).normalize():f}{PERCENT}"
        digits = str(int(float(self.raw)))
        if not self.shape or digits.startswith("-"):
            return digits
        pieces = self.shape.split(DIGIT)
        digits = digits.zfill(len(pieces) - 1)
        first = len(digits) - len(pieces) + 2  # more digits than the format has places stand in its first one
        marks = (digits[:first], *digits[first:])
        return pieces[0] + "".join(map("".join, zip(marks, pieces[1:], strict=True)))


class Mark(NamedTuple):
    """A cell without a usable value; `code` is its error code: error_value, formula_no_value, bool_in_text,
    date_in_text, or unterminated_quote and ragged_row for a whole row of text that cannot be cut into cells."""

    code: str
    raw: str


Cell = str | Number | Mark
#: A warning: its code, the word people use for the field, and the value; `note_message` says it.
Note = tuple[str, str, str]


class CellError(Exception):
    """One cell cannot be used; `code` names the class, the text the cause and the repair."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _other_width(count: str, width: str) -> str:
    if count == "1":
        return phrase("it has 1 cell, and the header has {width}. Complete it, or delete it.", width=width)
    return phrase(
        "it has {count} cells, and the header has {width}. "
        "A delimiter inside a text needs quotation marks around that text.",
        count=count, width=width,
    )  # fmt: skip


#: What each code of a `Mark` means, made of the field's label and the value.
_MARK_MESSAGES: dict[str, Callable[[str, str], str]] = {
    "unterminated_quote": lambda label, value: phrase(
        "a quotation mark opens at “{value}” and closes some rows below, so they cannot be told apart. "
        "Close it, or delete it.",
        value=value,
    ) if value else phrase("text follows a closing quotation mark. Double each quotation mark inside a text."),
    "ragged_row": lambda label, value: _other_width(*value.split("/")),
    "error_value": lambda label, value: phrase(
        "the {label} is the error {value}. Correct the formula, or type the value.", label=label, value=value
    ),
    "formula_no_value": lambda label, value: phrase(
        "the {label} is a formula that was never calculated. Open the file in a spreadsheet program, "
        "save it, and select it again.", label=label,
    ),
    "bool_in_text": lambda label, value: phrase(
        "the {label} is the truth value {value}. Format the column as Text and type the value again.",
        label=label, value=value,
    ),
    "date_in_text": lambda label, value: phrase(
        "the {label} is a date. Format the column as Text and type the value again.", label=label
    ),
}  # fmt: skip
#: What each code of a `Note` means, made of the same.
_NOTE_MESSAGES: dict[str, Callable[[str, str], str]] = {
    "escaped_text": lambda label, value: phrase(
        "the apostrophe before the {label} {value} was added by an export, and is left out.", label=label, value=value
    ),
    "number_as_text": lambda label, value: phrase(
        "the {label} {value} is stored as a number, which keeps no zeros in front. Format the column as Text.",
        label=label, value=value,
    ),
    "gtin_format": lambda label, value: phrase("the GTIN “{value}” is not made of digits.", value=value),
    "gtin_length": lambda label, value: phrase(
        "the GTIN {value} has not 8, 12, 13 or 14 digits. Zeros in front may be lost.", value=value
    ),
    "gtin_check_digit": lambda label, value: phrase(
        "the check digit of the GTIN {value} is wrong. Compare it with the package.", value=value
    ),
    "currency_sign": lambda label, value: phrase(
        "the currency sign of the {label} {value} is left out; the currency is that of the file or of the channel.",
        label=label, value=value,
    ),
    "letters_lost": lambda label, value: phrase(
        "the {label} “{value}” holds the mark � where a program could not read a letter. Compare it with the original.",
        label=label, value=value,
    ),
    "no_title": lambda label, value: phrase(
        "the {label} is blank. A new product is shown by its SKU alone.", label=label
    ),
    "repeated_header": lambda label, value: phrase("the headers stand here again. The row is left out."),
}  # fmt: skip


def mark_error(mark: Mark, label: str) -> CellError:
    """The error that a cell without a usable value stands for."""
    return CellError(mark.code, _MARK_MESSAGES[mark.code](label, shown(mark.raw)))


def note_message(note: Note) -> str:
    """What a warning about a cell says."""
    code, label, value = note
    return _NOTE_MESSAGES[code](label, shown(value))


def is_blank(cell: Cell) -> bool:
    """True for a cell that holds nothing, or white space only."""
    return isinstance(cell, str) and (not cell or not cell.strip(WHITE_SPACE))


def as_shown(cell: Cell) -> str:
    """The text a person sees in the cell, near enough to recognise it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Mark):
        return cell.raw
    whole = float(cell.raw).is_integer()
    return cell.shaped() if cell.shape == PERCENT or (cell.shape and whole) else cell.exact()


def together(cells: Sequence[Any], between: str = "") -> str | None:
    """The cells of a column as one text, which is quickly looked through; None when one of them is no text."""
    try:
        return between.join(cells)
    except TypeError:
        return None


def _is_plain(text: str) -> bool:
    """Whether all of a text can be printed and none of its letters was lost; of ASCII in half the time."""
    if text.isascii():
        return not text.encode().translate(None, _PRINTABLE_ASCII)
    return text.isprintable() and _LOST not in text


def match_key(sku: str) -> str:
    """The form in which SKUs are compared: NFC of the trimmed text."""
    return sku if sku.isascii() else unicodedata.normalize("NFC", sku)


class TextReader:
    """Reads the cells of a text column.

    label: the word people use. longest: characters allowed. is_id: the value identifies
    something, so line breaks and lost digits are errors. is_prose: text that is only read.
    Warnings land in `notes`; their message is written only when it is listed, because a million of them may come.
    """

    def __init__(self, label: str, longest: int, *, is_id: bool, notes: list[Note], is_prose: bool = False) -> None:
        self.label = label
        self.longest = longest
        self.is_id = is_id
        self.is_prose = is_prose
        self.notes = notes

    def __call__(self, cell: Cell) -> str | None:
        """The trimmed text, or None for a blank cell.

        Raises:
            CellError: the text is too long, damaged, or holds marks that must never be stored.
        """
        if isinstance(cell, str):
            # Printable text holds no control character, no surrogate and no white space but the plain space.
            if cell.isprintable() and _LOST not in cell:
                text = cell.strip(" ")
                if not text:
                    return None
            else:
                text = self._cleaned(cell)
                if not text:
                    return None
            if text[0] in "'#":
                text = self._first_mark(text)
        else:
            text = self._from_workbook(cell)
        if len(text) > self.longest:
            said = phrase(
                "the {label} has {count} characters; at most {most} fit. Shorten it.",
                label=self.label, count=f"{len(text):,}", most=f"{self.longest:,}",
            )  # fmt: skip
            raise CellError("too_long", said)
        return text

    def many(self, cells: Sequence[Any]) -> list[str | None] | None:
        """The texts of a column's cells at once, or None when one of them has to be looked at by itself."""
        joined = together(cells, _EDGE)
        if joined is None or not _is_plain(joined):
            return None
        edges = f"{_EDGE}{joined}{_EDGE}"
        bare = f" {_EDGE}" not in edges and f"{_EDGE} " not in edges
        texts = cells if bare else list(map(str.strip, cells))
        if any(mark in joined for mark in "'#") and any(map(_STARTS_MARKED, texts)):
            return None
        if len(joined) > self.longest and max(map(len, texts)) > self.longest:
            return None
        return list(texts) if bare and 2 * _EDGE not in edges else [text or None for text in texts]

    def _cleaned(self, cell: str) -> str:
        text = cell.strip(WHITE_SPACE) if self.is_id else cell.lstrip(_TEXT_MARGIN).rstrip(_TEXT_END)
        if is_unreadable(text) or (self.is_id and _LOST in text):
            raise unreadable(text, self.label)
        hidden = _CONTROL_IN_PROSE if self.is_prose else _CONTROL
        if hidden.search(text) or (self.is_id and _LINE_MARKS.search(text)):
            said = phrase(
                "the {label} “{value}” holds a character that cannot be seen (a control character). "
                "Delete it and type the value again.", label=self.label, value=shown(text),
            )  # fmt: skip
            raise CellError("control_char", said)
        if _LOST in text:
            self.notes.append(("letters_lost", self.label, text))
        return text

    def _first_mark(self, text: str) -> str:
        if _ESCAPED.match(text):
            self.notes.append(("escaped_text", self.label, text[1:]))
            return text[1:]
        if self.is_id and text in ERROR_VALUES:
            raise mark_error(Mark("error_value", text), self.label)
        return text

    def _from_workbook(self, cell: Number | Mark) -> str:
        if isinstance(cell, Mark):
            raise mark_error(cell, self.label)
        text = number_as_text(cell, self.label)
        if self.is_id:
            self.notes.append(("number_as_text", self.label, text))
        return text


def is_unreadable(text: str) -> bool:
    """Whether some bytes of a text were none in the encoding of its file."""
    return _SURROGATE.search(text) is not None


def unreadable(text: str, label: str) -> CellError:
    """The error for text of which some bytes are none in the encoding of its file."""
    said = phrase(
        "some letters of the {label} “{value}” cannot be read. Save the file as UTF-8, or choose its encoding.",
        label=label, value=shown(text),
    )  # fmt: skip
    return CellError("bad_encoding", said)


def number_as_text(cell: Number, label: str) -> str:
    """The digits of a number cell, without exponent or trailing “.0”, as its format shows them.

    Raises:
        CellError: the number has more digits than a spreadsheet keeps.
    """
    value = float(cell.raw)
    if value != value or value in (float("inf"), float("-inf")):
        said = phrase("the {label} is not a number that can be read. Type it again as text.", label=label)
        raise CellError("not_a_number", said)
    if abs(value) >= FIRST_INEXACT or not (value.is_integer() or _has_15_digits(cell)):
        said = phrase(
            "the {label} {value} has more than 15 digits, and a spreadsheet keeps 15 of a number. "
            "Format the column as Text and type the value again.", label=label, value=shown(cell.raw),
        )  # fmt: skip
        raise CellError("precision_lost", said)
    return cell.shaped() if value.is_integer() and cell.shape != PERCENT else cell.exact()


def _has_15_digits(cell: Number) -> bool:
    """Whether a fraction has 15 digits: what lies farther off than the noise of binary fractions has more."""
    value = float(cell.raw)
    return abs(float(cell.exact()) - value) <= math.ulp(value)
