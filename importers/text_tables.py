"""CSV, TSV and other text tables: delimiter, quoting, and rows streamed with the numbers a spreadsheet shows."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal

from importers.cells import Cell, Mark
from importers.encodings import find_encoding
from importers.report import FileRefused, Limits, Options, shown
from importers.wording import phrase

DELIMITERS = (",", ";", "\t", "|")
#: Looked at where none of these cuts, and taken only where they cut header and rows alike.
_RARE_DELIMITERS = ("~", "^", "\x1f", "\x01", "\xa6", "\xac", ":")
SAMPLE_LINES = 200
SAMPLE_CHARACTERS = 256 * 1024
#: One cell longer than this ends the reading: the quote that opened it was never closed, or the file is no table.
LONGEST_CELL = 1 << 20
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\n|\r")
#: Amazon's reports are written without any quoting, whatever their titles hold.
_NEVER_QUOTED = (
    *("item-name", "seller-sku", "asin1", "minimum-seller-allowed-price", "listing-id", "product-id-type"),
    *("商品名", "出品者sku", "出品id"),
)
_NAMES = {"\t": "\\t"}
_NUMBER = re.compile(r"\s*[0-9][0-9.,]*\s*")


@dataclass(frozen=True)
class Dialect:
    """How the text is cut into cells."""

    delimiter: str
    quoted: bool
    lines_before: int
    quotes: Quotes = ""
    spaced: bool = False


#: What is put right in each line before it is cut: whole rows in quotation marks, cells in ‘’, “” or '', or \" for a
#: quotation mark inside a cell, as databases write it, with \\ for a backslash and \N for nothing.
Quotes = Literal["", "around rows", "typographic", "single", "backslash"]
_ESCAPED = re.compile(r'\\(?:(["\\])|(?=[\r\n]*\Z))|(?<![^,;\t|])\\N(?![^,;\t|\r\n])')
_OF_ESCAPED = {'"': '""', "\\": "\\"}
_AROUND_ROW = re.compile(r'\A"(.*)"(?=[\r\n]*\Z)', re.DOTALL)
_TYPOGRAPHIC = str.maketrans("“”„‟", '""""')
_OF_QUOTES: dict[Quotes, Callable[[str], str]] = {
    "around rows": lambda line: _AROUND_ROW.sub(lambda found: found[1].replace('""', '"'), line),
    "typographic": lambda line: line.translate(_TYPOGRAPHIC),
    "backslash": lambda line: _ESCAPED.sub(lambda found: _OF_ESCAPED.get(found[1], ""), line) if "\\" in line else line,
}
_SAID_OF_QUOTES = {
    "around rows": phrase("Each row stood in quotation marks as a whole; they are left out."),
    "typographic": phrase("The cells stand in typographic quotation marks, which are read as plain ones."),
    "single": phrase("The cells stand in single quotation marks, which are left out."),
    "backslash": phrase("Quotation marks inside cells stand behind a backslash, which is left out."),
}


Row = tuple[int, list[Cell]]


#: A quotation mark that opens a cell behind the spaces after a delimiter, as in “A-1, "a, b", 1”.
_SPACED_QUOTE = re.compile(r'[,;|] +"')


class TextTable:
    """A text file as rows of cells; `rows()` may be called again and starts from the first row."""

    def __init__(self, path: Path, options: Options, limits: Limits) -> None:
        self._open: Callable[[], BinaryIO] = lambda: open_bytes(path, limits)
        with whole_archive(), self._open() as stream:
            found = find_encoding(stream, options.encoding)
            self.encoding, self._bom, self.doubts = found.name, found.mark, list(found.doubts)
            self.dialect = self._find_dialect(options.delimiter)
        self.delimiter = self.dialect.delimiter
        if self.dialect.quotes:
            self.doubts.append(("other_quotes", _SAID_OF_QUOTES[self.dialect.quotes]))

    def _text(self) -> io.TextIOWrapper:
        stream = self._open()
        stream.read(self._bom)
        return io.TextIOWrapper(stream, self.encoding, errors="pairbook.unreadable", newline="")

    def _find_dialect(self, chosen: str | None) -> Dialect:
        with self._text() as text, self._readable():
            sample = text.read(SAMPLE_CHARACTERS)
        lines = _LINE_END.split(sample)
        if len(sample) == SAMPLE_CHARACTERS and len(lines) > 1:
            lines.pop()
        stated = _SEPARATOR_LINE.fullmatch(lines[0].lstrip("\ufeff")) if lines else None
        before = 1 if stated else 0
        body = [line for line in lines[before : before + SAMPLE_LINES] if line.strip()]
        # A program that saved the file with another delimiter may have left the line as it was.
        told = stated[1] if stated and (not body or stated[1] in body[0]) else None
        quotes = _quotes_of(body)
        body = list(map(_OF_QUOTES[quotes], body)) if quotes in _OF_QUOTES else body
        delimiter = one_character(chosen) or told or vote(body)
        quoted = is_quoted(body, delimiter)
        if quoted and not quotes and _has_backslashes(lines[before:], delimiter):
            quotes = "backslash"
        spaced = quoted and any(map(_SPACED_QUOTE.search, body)) and _is_even(body, delimiter, spaced=True)
        return Dialect(delimiter, quoted, before, quotes, spaced)

    def rows(self) -> Iterator[Row]:
        """(row number, cells) of every record, blank lines included as no cells.

        Raises:
            FileRefused: unterminated_quote, too_big or corrupt, at the record where it shows.
        """
        feed = _Lines(self._text(), self.dialect.lines_before, _OF_QUOTES.get(self.dialect.quotes))
        try:
            with whole_archive(), self._readable():
                yield from self._records(feed)
        finally:
            feed.text.close()

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        """Turns the errors of a codec that marks nothing unreadable into a refusal."""
        try:
            yield
        except UnicodeError as error:
            said = phrase("The file is not {encoding}. Choose its encoding.", encoding=self.encoding)
            raise FileRefused("bad_encoding", said) from error

    def _records(self, feed: _Lines) -> Iterator[Row]:
        csv.field_size_limit(LONGEST_CELL)
        reader = self._reader(feed)
        number, line = self.dialect.lines_before, 0
        while True:
            try:
                for cells in reader:
                    number += 1
                    if feed.ended:
                        raise _never_closed(number)
                    if reader.line_num > line + 1 and (drawn := _drawn_together(cells, self.delimiter)):
                        cells = [Mark("unterminated_quote", drawn)]
                    # Programs of the DOS days end a file with this mark.
                    yield number, [] if cells == ["\x1a"] else cells
                    line = reader.line_num
                return
            except csv.Error as error:
                number += 1
                if feed.ended or reader.line_num > line + 1 or "field limit" in str(error):
                    raise _unreadable_record(number, str(error), feed) from error
            yield number, [Mark("unterminated_quote", "")]
            line = reader.line_num

    def _reader(self, feed: _Lines) -> Any:
        if self.dialect.quoted:
            mark = "'" if self.dialect.quotes == "single" else '"'
            spaced = self.dialect.spaced
            return csv.reader(feed, delimiter=self.delimiter, quotechar=mark, strict=True, skipinitialspace=spaced)
        return csv.reader(feed, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, quotechar=None)


@contextlib.contextmanager
def whole_archive() -> Iterator[None]:
    """Turns the errors of a damaged gzip file into a refusal."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        said = phrase("The compressed file is damaged. Select it again, or unpack it.")
        raise FileRefused("corrupt", said) from error


class _Lines:
    """The lines of a text for csv.reader; `ended` turns true when more was asked for after the last one."""

    def __init__(self, text: io.TextIOWrapper, skip: int, mended: Callable[[str], str] | None = None) -> None:
        self.text = text
        self.ended = False
        self._mended = mended
        for _ in range(skip):
            text.readline()

    def __iter__(self) -> Iterator[str]:
        lines = map(self._mended, self.text) if self._mended else self.text
        return chain(lines, self._end())

    def _end(self) -> Iterator[str]:
        self.ended = True
        yield from ()


def _never_closed(number: int) -> FileRefused:
    return FileRefused(
        "unterminated_quote",
        phrase(
            'Row {row}: a quotation mark (") opens a cell and is never closed, so the rows after it cannot be told '
            "apart. Close it, or double it inside the text.",
            row=number,
        ),
        row=number,
    )


def _unreadable_record(number: int, cause: str, feed: _Lines) -> FileRefused:
    if "field limit" in cause:
        return FileRefused(
            "too_big",
            phrase(
                "Row {row}: one cell has more than {most} characters. Shorten it, or close its quotation.",
                row=number,
                most=f"{LONGEST_CELL:,}",
            ),
            row=number,
        )
    if feed.ended:
        return _never_closed(number)
    return FileRefused(
        "unterminated_quote",
        phrase(
            "Row {row}: text follows a closing quotation mark, so the cells of this row cannot be told apart. "
            'Double each quotation mark inside a text ("").',
            row=number,
        ),
        row=number,
    )


def one_character(chosen: str | None) -> str | None:
    """A delimiter as typed by a person: one character, or the words tab, comma, semicolon and pipe.

    Raises:
        FileRefused: unknown_value, when it is none of these.
    """
    if chosen is None:
        return None
    named = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(chosen.lower(), chosen)
    if len(named) != 1 or named in '"\r\n' or not named.isascii():
        said = phrase("The delimiter “{delimiter}” is not one character. Type , or ; or tab.", delimiter=shown(chosen))
        raise FileRefused("unknown_value", said)
    return named


def _quotes_of(lines: list[str]) -> Quotes:
    """Which quotation marks other than plain ones around cells a text has, by its first lines."""
    if len(lines) < 2:
        return ""
    bare = [line.lstrip("\ufeff") for line in lines]
    whole = [_AROUND_ROW.match(line) for line in bare]
    if all(whole) and all(len(cells) == 1 for delimiter in DELIMITERS for cells in _cut(bare, delimiter)):
        inner = [_OF_QUOTES["around rows"](line) for line in bare]
        if len(next(iter(_cut(inner[:1], vote(inner))))) > 1:
            return "around rows"
    head = re.split(r"[,;\t|]", bare[0])
    ends = {(cell[:1], cell[-1:]) for cell in head}
    if len(head) < 2 or any(len(cell) < 3 for cell in head):
        return ""
    if ends <= {("“", "”"), ("„", "“"), ("„", "”")}:
        return "typographic"
    return "single" if ends == {("'", "'")} else ""


def _has_backslashes(lines: list[str], delimiter: str) -> bool:
    """Whether lines can only be cut where a quotation mark behind a backslash is one inside of a cell."""
    if not any('\\"' in line for line in lines) or _is_even(lines, delimiter):
        return False
    return _is_even([_OF_QUOTES["backslash"](line) for line in lines], delimiter)


def _is_even(lines: list[str], delimiter: str, *, spaced: bool = False) -> bool:
    """Whether lines can be cut into records of one width, but for a last one that goes on behind them."""
    csv.field_size_limit(LONGEST_CELL)
    whole, widths = [f"{line}\n" for line in lines], set[int]()
    reader = csv.reader(whole, delimiter=delimiter, strict=True, skipinitialspace=spaced)
    try:
        widths.update(len(cells) for cells in reader if cells)
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return False
    return len(widths) == 1


def _drawn_together(cells: list[str], delimiter: str) -> str:
    """The first line of a cell in which a quotation mark without its pair has drawn several rows together, if one has.

    Without quotation marks each line of such a record has as many cells as the record, with numbers below numbers. A
    text of several lines is hardly ever like that: it would need the delimiter, and the right numbers, in each of them.
    """
    lines = [line.split(delimiter) for line in _LINE_END.split(delimiter.join(cells))]
    if len(lines) < 2 or any(len(line) != len(cells) for line in lines):
        return ""
    columns = [{_NUMBER.fullmatch(cell) is not None for cell in cells if cell} for cells in zip(*lines, strict=True)]
    if {True} not in columns or {True, False} in columns:
        return ""
    return next(found[0] for cell in cells if len(found := _LINE_END.split(cell)) > 1)


def vote(lines: list[str]) -> str:
    """The delimiter that cuts most lines into the same number of cells; a comma when none cuts at all."""
    found = _vote(lines, DELIMITERS)
    if found is None:
        rare = [mark for mark in _RARE_DELIMITERS if all(line.count(mark) == lines[0].count(mark) for line in lines)]
        found = _vote(lines, rare) if len(lines) > 1 else None
    return found or ","


def _vote(lines: list[str], delimiters: Sequence[str]) -> str | None:
    best, best_score = None, 0.0
    for delimiter in delimiters:
        widths = Counter(len(cells) for cells in _cut(lines, delimiter) if cells)
        if not widths:
            continue
        header_width = len(next(iter(_cut(lines[:1], delimiter)), []))
        width, votes = widths.most_common(1)[0]
        if max(width, header_width) < 2:
            continue
        share = votes / sum(widths.values()) if width > 1 else 0.0
        fits = 0.5 if header_width == width else 0.4 if 1 < header_width == width - 1 else 0.0  # one more ends each row
        score = share + fits + min(header_width, 50) / 200
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _cut(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue


def is_quoted(lines: list[str], delimiter: str) -> bool:
    """False for tab files whose quotation marks are plain text, as in Amazon's reports."""
    if delimiter != "\t" or not lines:
        return True
    header = {name.strip().lower() for name in lines[0].split("\t")}
    if len(header.intersection(_NEVER_QUOTED)) > 1:
        return False
    cells = [cell for line in lines for cell in line.split("\t")]
    wrapped = any(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells)
    same_width = len({line.count("\t") for line in lines}) == 1
    return wrapped or not same_width


def shown_delimiter(delimiter: str) -> str:
    """The delimiter as the report names it."""
    return _NAMES.get(delimiter, delimiter)


def open_bytes(path: Path, limits: Limits) -> BinaryIO:
    """The bytes of a plain or gzip-compressed text file, within the limits of unpacking."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    if not packed:
        return path.open("rb")
    return io.BufferedReader(_Unpacked(path, limits), 1 << 16)


class _Unpacked(io.RawIOBase):
    """The content of a gzip file; refuses to grow past the limits."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._stream = gzip.GzipFile(path, "rb")
        self._most = min(limits.unpacked_bytes, max(path.stat().st_size * limits.unpack_ratio, 1 << 20))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        if self._stream.tell() > self._most:
            said = phrase("The compressed file unpacks to too much. Unpack it and select the parts.")
            raise FileRefused("too_big", said)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
