"""Letters that were broken before the file was made: UTF-8 that a program read as another encoding and wrote again.

“CafÃ©” is what becomes of “Café” when its UTF-8 is read as Windows-1252, “Caf√©” on a Mac. It is put right by going the
way back: the bytes of that encoding, read as UTF-8. UTF-8 has so much order in it that text which is no UTF-8 hardly
ever looks like it (a letter from À on has to stand before a sign); what comes out has to be likely text, too.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from importers.cells import Cell
from importers.report import shown
from importers.tables import Row

#: What programs take UTF-8 for: Western Windows, Mac, DOS, Central European, Cyrillic and Turkish Windows.
_TAKEN_FOR = ("cp1252", "mac_roman", "cp850", "cp1250", "cp1251", "cp1254")
#: How the first byte of a letter of UTF-8 (C2 to F4) looks in them.
_BEGINNINGS = {bytes([byte]).decode(name, "ignore") for name in _TAKEN_FOR for byte in range(0xC2, 0xF5)}
_BEGINS = re.compile(f"[{''.join(sorted(_BEGINNINGS))}]")
#: Signs and letters of Western and Central Europe: one of them is enough.
_LIKELY = re.compile(
    "[\u00a0-\u017f\u0192\u0218-\u021b\u2010-\u2044\u20ac\u2116\u2122\u2190-\u21ff\u2248\u2260\u2264\u2265]"
)
#: Greek, Cyrillic, Hebrew, Arabic, Thai, Chinese, Japanese, Korean: letters that come several at a time. And pictures.
_IN_COMPANY = re.compile(
    "[\u0370-\u052f\u0590-\u06ff\u0e00-\u0e7f\u1e00-\u1eff\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]"
)
_PICTURES = re.compile("[\u2600-\u27bf\ufe0f\u200d\U0001f000-\U0001faff]")
_ACCENTED = re.compile("[\u00df-\u00ff]")
_MOST_SHOWN = 60  # characters


def _as_byte(error: UnicodeError) -> tuple[bytes, int]:
    """The five bytes that Windows-1252 leaves empty are kept by programs as the characters of the same number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    if any(not "\x80" <= mark <= "\x9f" for mark in missing):
        raise error
    return missing.encode("latin-1"), error.end


codecs.register_error("pairbook.as_byte", _as_byte)


def mended(text: str) -> str | None:
    """The text with its letters put right; None when they are not broken, or one of them cannot be told."""
    if text.isascii() or not _BEGINS.search(text):
        return None
    for name in _TAKEN_FOR:
        try:
            found = text.encode(name, "pairbook.as_byte").decode("utf-8")
        except UnicodeError:
            continue
        if _is_likely(found):
            return found
    return None


def broken(rows: Iterable[Row]) -> tuple[str, str] | None:
    """A text of these rows whose letters are broken, and how it is put right; None when there is no such doubt.

    One letter of Western Europe in small is proof enough, since nothing but UTF-8 leaves “Ã©”; of others it takes two.
    """
    first: tuple[str, str] | None = None
    for text in (cell for _, cells in rows for cell in cells if isinstance(cell, str)):
        found = mended(text)
        if found is None:
            continue
        if first is not None or _ACCENTED.search(found) or len(text) - len(found) > 1:
            return first or _example(text, found)
        first = _example(text, found)
    return None


def _example(text: str, found: str) -> tuple[str, str]:
    """The first broken word and the whole one, or the beginnings of both texts where no word is broken by itself."""
    words = ((word, mended(word)) for word in text.split(" "))
    before, after = next(((word, whole) for word, whole in words if whole), (text, found))
    return shown(before[:_MOST_SHOWN]), shown(after[:_MOST_SHOWN])


def with_mended_letters(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with the letters of their texts put right; what is not broken stays as it is."""
    for number, cells in rows:
        yield number, [_mended_cell(cell) for cell in cells]


def _mended_cell(cell: Cell) -> Cell:
    return (mended(cell) or cell) if isinstance(cell, str) and not cell.isascii() else cell


def _is_likely(text: str) -> bool:
    beyond = [mark for mark in text if mark > "\x7f"]
    sure = sum(bool(_LIKELY.match(mark) or _PICTURES.match(mark)) for mark in beyond)
    company = sum(bool(_IN_COMPANY.match(mark)) for mark in beyond)
    return sure + company == len(beyond) and (company == 0 or company > 1)
