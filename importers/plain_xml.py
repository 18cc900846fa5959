"""Takes the parts of a workbook apart many rows or texts at once, where they are written as nearly all programs do.

A parser that calls back for each element takes four times as long. It reads the beginning and the end of a part, and
whatever is written in another way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from importers.archive_guard import feed

ROW_END = b"</row>"
TEXT_END = b"</si>"
#: A cell with its place and nothing else in it than a value, a text, or nothing; a formula needs its result.
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})[0-9]{1,7}"([^<>/]*)(?:/>|>(?:'
    r'(?:<f(?: [^<>]*)?(?:/>|>[^<]*</f>))?<v(?: xml:space="preserve")?>([^<]+)</v>'
    r'|<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>)'
)
_ROW = re.compile(r'(?:</row>)?\s*<row r="([0-9]{1,7})"([^<>/]*)>')
_ATTRIBUTE = re.compile(r'\s*([A-Za-z_][\w.:-]*)="([^"&]*)"')
#: What XML does not allow in text, in UTF-8, and a carriage return, which is read as a line feed: for the parser.
_CONTROLS = bytes({*range(0x20)} - {0x09, 0x0A})
_FORBIDDEN = (b"]]>", "\ufffe".encode(), "\uffff".encode())
_TEXT = re.compile(r'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>')
_LONGEST = 1 << 22  # bytes; what has not ended for longer is left to the parser
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile("&[^;]*;?")


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows that follow each other, and their cells one after the other.

    rows: number, attributes as written, and place of the first cell of each. letters, written, texts: of each cell the
    letters of its column, its attributes as written, and its text, None without a value.
    """

    rows: list[tuple[int, str, int]]
    letters: list[str]
    written: list[str]
    texts: list[str | None]

    def spans(self) -> Iterator[tuple[int, str, int, int]]:
        """Number, attributes as written, and the places of the first and behind the last cell of each row."""
        ends = [*(first for _, _, first in self.rows[1:]), len(self.letters)]
        return ((number, written, first, end) for (number, written, first), end in zip(self.rows, ends, strict=True))


class Lots:
    """Feeds a part to its parser, but for pieces from the end of one element to that of another that `take` takes.

    end: how the element ends, such as “</row>”. take: gives False for a piece that it leaves to the parser. The
    handlers of the parser say what they see with `started` and `ended`, the latter for that element.
    """

    def __init__(self, parser: expat.XMLParserType, end: bytes, take: Callable[[bytes], bool]) -> None:
        self._parser, self._end, self._take = parser, end, take
        self._parser.XmlDeclHandler = self._declared
        self._waiting = b""
        self._plain = True  # whether what comes may be taken at all
        self._at_end = False
        self._ends = 0

    def push(self, chunk: bytes) -> None:
        """Read on; what comes behind the last end waits for more."""
        self._waiting += chunk
        cut = self._waiting.rfind(self._end) + len(self._end)
        if cut < len(self._end):
            self._plain = self._plain and len(self._waiting) < _LONGEST
            cut = 0 if self._plain else len(self._waiting)
        lot, self._waiting = self._waiting[:cut], self._waiting[cut:]
        if not (self._plain and self._at_end and cut and self._take(lot)):
            self._listen_to(lot)

    def close(self) -> None:
        """Read to the end; raises FileRefused (corrupt) for a part that breaks off."""
        self._listen_to(self._waiting)
        feed(self._parser, ())

    def started(self) -> None:
        """An element has begun."""
        self._at_end = False

    def ended(self) -> None:
        """One of the elements in question has ended."""
        self._at_end = True
        self._ends += 1

    def _listen_to(self, lot: bytes) -> None:
        self._ends, self._at_end = 0, self._at_end and not lot
        feed(self._parser, (lot,), final=False)
        self._at_end = self._at_end and self._ends == lot.count(self._end)
        # What begins like this may go on in the next piece, and make text of what looks like elements there.
        self._plain = self._plain and b"<!" not in lot and lot.find(b"<?", 1) < 0

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self._plain = encoding is None or encoding.upper() == "UTF-8"


def plain_rows(lot: bytes) -> PlainRows | None:
    """The rows that a piece of a worksheet part consists of; None when a parser has to take them out.

    lot: UTF-8, from behind the end of one row to the end of another. Only what is well-formed is taken apart, but for
    prefixes of attributes, of which nobody asks here where they are declared.
    """
    parts = _split(lot, _CELL)
    if not parts:
        return None
    gaps, letters, written = parts[::5], parts[1::5], parts[2::5]  # what lies between the cells comes first
    texts = _without_entities([value or text for value, text in zip(parts[3::5], parts[4::5], strict=True)])
    rows = []
    if texts is None or gaps.pop() != ROW_END.decode():
        return None
    for place, gap in enumerate(gaps):
        if gap:
            found = _ROW.fullmatch(gap)
            if found is None:
                return None
            rows.append((int(found[1]), found[2], place))
    different = {*written, *(attributes for _, attributes, _ in rows)}
    if not rows or rows[0][2] or any(attributes_of(each) is None for each in different):
        return None
    return PlainRows(rows, letters, written, texts)


def plain_texts(lot: bytes) -> list[str] | None:
    """The shared strings that a piece of their part consists of; None when a parser has to take them out."""
    parts = _split(lot, _TEXT)
    if not parts or any(gap.strip(" \t\n") for gap in parts[::2]):
        return None
    return _without_entities(parts[1::2])


def _split(lot: bytes, pattern: re.Pattern[str]) -> list[Any]:
    """The text cut by a pattern; nothing when it is for the parser."""
    if len(lot.translate(None, _CONTROLS)) < len(lot) or any(mark in lot for mark in _FORBIDDEN):
        return []
    try:
        return pattern.split(lot.decode())
    except UnicodeDecodeError:
        return []


def _without_entities(texts: list[Any]) -> list[Any] | None:
    """The texts with the five entities that XML knows put back; None when there is another one."""
    try:
        return [_ENTITY.sub(_entity, text) if text and "&" in text else text for text in texts]
    except KeyError:
        return None


def attributes_of(written: str) -> dict[str, str] | None:
    """The attributes of an element; None when they are written in an unusual way."""
    found = _ATTRIBUTE.findall(written)
    attributes = dict(found)
    whole = sum(len(name) + len(value) + 3 for name, value in found) == len("".join(written.split()))
    return attributes if whole and len(attributes) == len(found) else None


def _entity(found: re.Match[str]) -> str:
    return _ENTITIES[found[0]]
