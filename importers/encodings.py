"""Which encoding a text file has: BOM, then UTF-8, then what its letters say, and a refusal where they say nothing."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from importers.fields import KIND_FIELDS
from importers.letter_judge import ENCODINGS, WESTERN, Judgement, Sample, judge
from importers.report import FileRefused, shown
from importers.vocabulary import recognise
from importers.wording import phrase

#: What stands for one byte that cannot be read, until the row that holds it is refused.
UNREADABLE = "\udcff"
CHUNK = 1 << 20
_GLIMPSED = 1 << 16
_MOST_GLIMPSED = 30
_LONGEST_HEADER = 60
_FEWEST_ZEROS = 4
#: A word with letters beyond ASCII, and what stands around it in its cell.
_BEYOND_ASCII = re.compile(r"[^\t\r\n,;|\"]{0,12}[^\x00-\x7f][^\t\r\n,;|\"]{0,30}")
_LINE_END = re.compile("[\r\n]")
_CELL_END = re.compile("[,;\t|]")
_UNWRITTEN = re.compile("[\x80-\x9f\ufffd\ue000-\uf8ff]")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Codecs that Python calls encodings, but that are no character sets of files, or that hide ASCII from a scan.
_NOT_CHARACTER_SETS = frozenset(("idna", "punycode", "undefined", "utf-7", "raw-unicode-escape", "unicode-escape"))
_IN_HEADERS = " -_.'/()[]#*"
_SHIFTS = (b"\x1b$B", b"\x1b$@")
_HIGH = re.compile(rb"[\x80-\xff]+")
_WHOLLY_UTF8 = re.compile(
    rb"(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+"
)
#: Surrogates and overlong forms: what programs write that produce UTF-8 by hand, and hardly ever Western text.
_BROKEN_UTF8 = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]|\xc0[\x80-\xbf]|[\xf5-\xf7][\x80-\xbf]{3}")


def _mark_unreadable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNREADABLE * (error.end - error.start), error.end


class Found(NamedTuple):
    """An encoding, the number of bytes of its BOM, and what is doubtful about it as (code, message)."""

    name: str
    mark: int = 0
    doubts: tuple[tuple[str, str], ...] = ()


codecs.register_error("pairbook.unreadable", _mark_unreadable)


def find_encoding(stream: BinaryIO, chosen: str | None) -> Found:
    """The encoding of a file.

    stream: the whole file, read from its start and left anywhere. chosen: what a person said, which wins.

    Raises:
        FileRefused: bad_encoding, when the encoding is unknown or would have to be guessed.
    """
    head = stream.read(4)
    for bom, name in _BOMS:
        if head.startswith(bom) and (chosen is None or _same(chosen, name)):
            return Found(name, len(bom))
        if head.startswith(bom):
            said = phrase(
                "The file begins with the mark of {encoding}, and {chosen} was chosen. Choose {encoding}.",
                encoding=name, chosen=shown(chosen),
            )  # fmt: skip
            raise FileRefused("bad_encoding", said)
    if chosen is not None:
        return Found(_known(chosen))
    stream.seek(0)
    silent = _wide_without_bom(beginning := stream.read(_GLIMPSED)) or _shifted(beginning)
    if silent:
        return Found(silent)
    stream.seek(0)
    return Found("utf-8") if _is_utf8(stream) else _single_bytes(stream)


def wide_encoding(head: bytes) -> tuple[str, int]:
    """The encoding of a text that has two or four bytes for a letter, and the bytes of its BOM; blank for any other.

    head: the first bytes of the text.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return ("", 0) if bom == codecs.BOM_UTF8 else (name, len(bom))
    return _wide_without_bom(head), 0


def glimpses(stream: BinaryIO, names: Sequence[str]) -> dict[str, str]:
    """How the first text beyond ASCII of a file reads in each of these encodings, but those that cannot be its own.

    stream: the file, read from where it is. Only its first 64 KB are looked at; blank where nothing differs in them.
    """
    head = stream.read(_GLIMPSED)
    found: dict[str, str] = {}
    for name in names:
        try:
            text = codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeError:
            continue
        piece = _BEYOND_ASCII.search(text)
        if "\0" not in text and not _UNWRITTEN.search(text):
            found[name] = shown(piece[0].strip()[:_MOST_GLIMPSED]) if piece else ""
    return found


def _same(chosen: str, name: str) -> bool:
    found = _known(chosen)
    return found == name or (found in ("utf-16", "utf-32", "utf-8-sig") and name.startswith(found[:5]))


def _known(chosen: str) -> str:
    try:
        info = codecs.lookup(chosen.strip())
        usable = info.name not in _NOT_CHARACTER_SETS and isinstance(b"a\0\0\0".decode(info.name, "replace"), str)
    except (LookupError, ValueError):
        usable = False
    if not usable:
        raise FileRefused(
            "bad_encoding",
            phrase(
                "The encoding “{encoding}” is not known. Choose one such as utf-8, cp1252, shift_jis or gb18030.",
                encoding=shown(chosen),
            ),
        )
    return info.name


def _wide_without_bom(head: bytes) -> str:
    """UTF-16 or UTF-32 without BOM, by the zeros of its delimiters, digits and line ends; blank for any other text."""
    zeros = [head[place::4].count(0) for place in range(4)]
    quarter = len(head) // 4
    if sum(zeros) < _FEWEST_ZEROS:
        return ""
    if min(zeros[2:]) > quarter * 0.9 and zeros[0] == 0:
        return _if_text(head, "utf-32-le")
    if min(zeros[:2]) > quarter * 0.9 and zeros[3] == 0:
        return _if_text(head, "utf-32-be")
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    # Few letters beyond ASCII have a zero as their other byte: Ā, Ѐ and 一 do.
    if odd > quarter / 5 and even <= odd / 10:
        return _if_text(head, "utf-16-le")
    return _if_text(head, "utf-16-be") if even > quarter / 5 and odd <= even / 10 else ""


def _shifted(head: bytes) -> str:
    """The Japanese encoding of mail, which is ASCII but for what stands between its marks; blank for any other text."""
    return "iso2022_jp" if head.isascii() and any(mark in head for mark in _SHIFTS) else ""


def _if_text(head: bytes, name: str) -> str:
    """The name, when these bytes are text in that encoding: a table or mark-up, and nothing that nobody writes."""
    text = codecs.getincrementaldecoder(name)("replace").decode(head)
    strange = sum(len(found) for found in _UNWRITTEN.findall(text)) + text.count("\0")
    is_text = (_LINE_END.search(text) and _CELL_END.search(text)) or text.lstrip()[:1] in ("<", "{", "[")
    return name if is_text and strange * 50 <= len(text) else ""


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _is_utf8(stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(stream):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _by_header(head: bytes) -> Judgement | None:
    """The encoding in which more headers of the first line are known words than in Windows-1252, if there is one.

    “Preţ” says more about its file than the few letters of a short file can.
    """
    line = re.split(rb"[\r\n]", head, maxsplit=1)[0]
    cells = [cell.strip(b'" ') for cell in re.split(rb"[,;\t|]", line) if not cell.isascii()]
    known = {name: _known_words(cells, name) for name in ENCODINGS}
    best = max(ENCODINGS, key=lambda name: len(known[name]))
    if len(known[best]) <= len(known[WESTERN]):
        return None
    return Judgement(best, next(word for word in known[best] if word not in known[WESTERN]), doubtful=True)


def _known_words(cells: Sequence[bytes], encoding: str) -> list[str]:
    read = (cell.decode(encoding, "replace") for cell in cells if len(cell) <= _LONGEST_HEADER)
    words = (word for word in read if all(mark.isalnum() or mark in _IN_HEADERS for mark in word))
    return [word for word in words if any(recognise(word, names, kind) for kind, names in KIND_FIELDS.items())]


def _single_bytes(stream: BinaryIO) -> Found:
    """Damaged UTF-8, or what the letters say, from the bytes above 127 of the whole file."""
    stream.seek(0)
    sample, utf8, other = Sample.empty(), 0, 0
    for chunk in _chunks(stream):
        if chunk.isascii():
            continue
        for run, times in Counter(_HIGH.findall(chunk)).items():
            if _WHOLLY_UTF8.fullmatch(run) or _BROKEN_UTF8.search(run):
                utf8 += times
            else:
                other += times
        if not sample.enough:
            sample.add(chunk)
    if utf8 >= other:
        return Found("utf-8")
    stream.seek(0)
    found = _by_header(stream.read(_GLIMPSED)) or judge(sample)
    if not found.encoding:
        said = phrase(
            "The encoding of this file cannot be told, and a guess would break its letters. "
            "Choose its encoding, or save it as UTF-8."
        )
        raise FileRefused("bad_encoding", said)
    if not found.doubtful:
        return Found(found.encoding)
    said = phrase(
        "The file does not tell its encoding. By its letters it is read as {encoding}: “{example}”. "
        "If they look wrong, choose another one.",
        encoding=found.encoding.upper(), example=shown(found.example[:_MOST_GLIMPSED]),
    )  # fmt: skip
    return Found(found.encoding, 0, (("encoding_guessed", said),))
