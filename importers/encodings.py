"""Which encoding a text file has: BOM, then UTF-8, then Windows-1252, and a refusal where that would be a guess."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from importers.report import FileRefused, shown
from importers.wording import phrase

#: What stands for one byte that cannot be read, until the row that holds it is refused.
UNREADABLE = "\udcff"
CHUNK = 1 << 20
_GLIMPSED = 1 << 16
_MOST_GLIMPSED = 30
#: A word with letters beyond ASCII, and what stands around it in its cell.
_BEYOND_ASCII = re.compile(r"[^\t\r\n,;|\"]{0,12}[^\x00-\x7f][^\t\r\n,;|\"]{0,30}")
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
_HIGH = re.compile(rb"[\x80-\xff]+")
_WHOLLY_UTF8 = re.compile(
    rb"(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+"
)
#: Surrogates and overlong forms: what programs write that produce UTF-8 by hand, and hardly ever Western text.
_BROKEN_UTF8 = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]|\xc0[\x80-\xbf]|[\xf5-\xf7][\x80-\xbf]{3}")
_NOT_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
#: Characters of Windows-1252 that Western text hardly holds, and that begin letters in Shift-JIS.
_RARE = re.compile(rb"[\x82\x83\x86-\x8b\x98\x9b]")
#: Where Windows-1252 has no business: opening quotes after a letter, signs and capitals inside words. A text in an old
#: DOS or Mac encoding shows them for its accented letters.
_ODD_PLACE = re.compile(
    rb"[A-Za-z\x9a\x9c\x9e\xc0-\xff][\x86-\x89\x8b\x98\x9b\xa2-\xa9\xac\xb1\xb4-\xb6\xb8\xbc-\xbf]"
    rb"(?=[A-Za-z\x80-\xff])|[a-z][\x82\x84\x8a\x8c\x8e\x91\x93]|\x94[A-Za-z\x80-\xff]"
    rb"|[A-Za-z\xc0-\xff][\xb2\xb3\xb9](?=[a-z\xc0-\xff])|[a-z]\x9f(?=[a-z\xc0-\xff])"
)


def _mark_unreadable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNREADABLE * (error.end - error.start), error.end


codecs.register_error("pairbook.unreadable", _mark_unreadable)


def find_encoding(stream: BinaryIO, chosen: str | None) -> tuple[str, int]:
    """The encoding of a file, and the number of bytes of its BOM.

    stream: the whole file, read from its start and left anywhere. chosen: what a person said, which wins.

    Raises:
        FileRefused: bad_encoding, when the encoding is unknown or would have to be guessed.
    """
    head = stream.read(4)
    for bom, name in _BOMS:
        if head.startswith(bom) and (chosen is None or _same(chosen, name)):
            return name, len(bom)
        if head.startswith(bom):
            said = phrase(
                "The file begins with the mark of {encoding}, and {chosen} was chosen. Choose {encoding}.",
                encoding=name, chosen=shown(chosen),
            )  # fmt: skip
            raise FileRefused("bad_encoding", said)
    if chosen is not None:
        return _known(chosen), 0
    stream.seek(0)
    silent = _utf16_without_bom(stream.read(4096))
    if silent:
        return silent, 0
    stream.seek(0)
    return ("utf-8" if _is_utf8(stream) else _single_bytes(stream)), 0


def wide_encoding(head: bytes) -> tuple[str, int]:
    """The encoding of a text that has two or four bytes for a letter, and the bytes of its BOM; blank for any other.

    head: the first bytes of the text.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return ("", 0) if bom == codecs.BOM_UTF8 else (name, len(bom))
    return _utf16_without_bom(head[:4096]) or "", 0


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


def _utf16_without_bom(head: bytes) -> str | None:
    """Text in Latin letters has a zero in every second byte of UTF-16."""
    pairs = len(head) // 2
    if pairs < 4:
        return None
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if odd > pairs * 0.7 and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > pairs * 0.7 and odd == 0 else None


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


def _single_bytes(stream: BinaryIO) -> str:
    """Damaged UTF-8, Windows-1252, or a refusal, from the bytes above 127 of the whole file."""
    stream.seek(0)
    utf8 = other = high = in_runs = outside = odd = rare = 0
    for chunk in _chunks(stream):
        odd += len(_ODD_PLACE.findall(chunk))
        for run in _HIGH.findall(chunk):
            if _WHOLLY_UTF8.fullmatch(run) or _BROKEN_UTF8.search(run):
                utf8 += 1
                continue
            other += 1
            high += len(run)
            outside += len(_NOT_IN_CP1252.findall(run))
            in_runs += len(run) if len(run) > 2 else 0
            rare += len(_RARE.findall(run))
    if utf8 >= other:
        return "utf-8"
    if outside or in_runs * 2 > high or odd * 4 > high or rare * 3 > high:
        raise FileRefused(
            "bad_encoding",
            phrase(
                "The encoding of this file cannot be told, and a guess would break its letters. "
                "Choose its encoding, or save it as UTF-8."
            ),
        )
    return "cp1252"
