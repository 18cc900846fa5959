"""Finds out what a file is by its content, and opens it with the reader for that type."""

from __future__ import annotations

import codecs
import re
import stat
from functools import partial
from pathlib import Path

from importers.archive_guard import Package, refuse_password
from importers.encodings import wide_encoding
from importers.opendocument import open_opendocument
from importers.report import FileRefused, Limits, Options, shown
from importers.tables import Table
from importers.text_tables import TextTable, open_bytes, shown_delimiter, whole_archive
from importers.wording import phrase
from importers.workbooks import open_workbook

_HEAD = 64 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: First bytes of files that people select by mistake, and what to call them.
_SIGNATURES = (
    (b"\x89PNG", phrase("a PNG picture")),
    (b"\xff\xd8\xff", phrase("a JPEG picture")),
    (b"GIF8", phrase("a GIF picture")),
    (b"RIFF", phrase("a media file")),
    (b"II*\0", phrase("a TIFF picture")),
    (b"MM\0*", phrase("a TIFF picture")),
    (b"\x7fELF", phrase("a program")),
    (b"Rar!", phrase("a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", phrase("a 7z archive")),
    (b"BZh", phrase("a bzip2 archive")),
    (b"\xfd7zXZ", phrase("an xz archive")),
    (b"\x28\xb5\x2f\xfd", phrase("a Zstandard archive")),
    (b"SQLite format 3\0", phrase("a database")),
    (b"PAR1", phrase("a Parquet file")),
    (b"\0\1\0\0Standard Jet DB", phrase("a database")),
    (b"\0\1\0\0Standard ACE DB", phrase("a database")),
    (b"ID3", phrase("a sound file")),
    (b"OggS", phrase("a sound file")),
    (b"wOFF", phrase("a font")),
    (b"MZ\x90\0", phrase("a program")),
    (b"\xca\xfe\xba\xbe", phrase("a program")),
)
#: The same for what may come after blank lines or a byte order mark.
_TEXT_SIGNATURES = (
    (b"%PDF-", phrase("a PDF")),
    (b"MIME-Version:", phrase("a web archive")),
    (b"%!PS", phrase("a PostScript document")),
    (b"{\\rtf", phrase("a rich text document")),
    (b"BEGIN:VCARD", phrase("an address book (vCard)")),
    (b"BEGIN:VCALENDAR", phrase("a calendar")),
    (b"-----BEGIN ", phrase("a key or a certificate")),
    (b"[InternetShortcut]", phrase("a link to a web page")),
    (b"UNA:+", phrase("an EDI message")),
    (b"UNB+", phrase("an EDI message")),
    (b"ISA*", phrase("an EDI message")),
    (b"%YAML", phrase("a YAML file")),
    (b"version https://git-lfs", phrase("a note in place of a large file (Git LFS)")),
)
_SQL = phrase("a database dump (SQL)")
#: The same for texts that are told by more than their first letters.
_TEXT_SHAPES = (
    (re.compile(rb"-- (?:MySQL|MariaDB|PostgreSQL|phpMyAdmin|SQLite|Adminer|Host:)"), _SQL),
    (
        re.compile(
            rb"(?:--[^\r\n]*[\r\n]|/\*(?!!)[^*]*(?:\*(?!/)[^*]*)*\*/;?|\s)*"
            rb"(?:/\*!\d|(?:CREATE|DROP|ALTER)\s+(?:TABLE|DATABASE|SCHEMA)\s"
            rb"|INSERT\s+INTO\s|SET\s+[@A-Z_.]+\s*=|(?:BEGIN|START)\s+TRANSACTION|USE\s+`)",
            re.IGNORECASE | re.DOTALL,
        ),
        _SQL,
    ),
    (re.compile(rb"(?:[A-Z][A-Za-z-]*: [^\r\n]*\r?\n(?:[ \t]+[^\r\n]*\r?\n)*){3,}\r?\n"), phrase("an e-mail")),
    (re.compile(rb"---[ \t]*\r?\n(?:[ \t#-][^\r\n]*\r?\n)*[ \t-]*+[\w-]+:(?:[ \t]|\r?\n)"), phrase("a YAML file")),
    (
        re.compile(rb"(?:data:[\w.+/-]+;base64,|UEsDB|0M8R4KGx|JVBERi0|iVBORw0K|H4sIA|/9j/4)[A-Za-z0-9+/=\s]+\Z"),
        phrase("a file in base64, a form for e-mail"),
    ),
)
#: What Office writes beside a file that is open has some such size: 162 bytes from Word, 165 from Excel. It holds the
#: name of who opened it with one byte per letter and its length before it, then again with two, from here on.
_LOCK_SIZES = range(160, 170)
_LOCK_SECOND = (54, 55)
#: Folders of packages that are no workbooks, and what to call them.
_PACKAGES = (
    ("word/", phrase("a Word document")),
    ("ppt/", phrase("a PowerPoint presentation")),
    ("visio/", phrase("a drawing")),
)
#: BIFF2 to BIFF4: a bare stream of records, from the time before compound files.
_EARLY_EXCEL = (b"\x09\0\x04\0", b"\x09\x02\x06\0", b"\x09\x04\x06\0")
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:(?:!doctype\s+html|html|head|body|table|script|meta|style|div|center|form|title)\b"
    rb"|(?:p|a|b|i|br|hr|ul|ol|li|tr|td|img|pre|link|main|span|font|strong|section|h[1-6])(?=[\s/>]))",
    re.IGNORECASE | re.DOTALL,
)
#: SYLK and DIF, text formats of the first spreadsheet programs.
_EARLY_TEXT = re.compile(rb"ID;P[A-Z0-9]*(?:;[A-Z]+)*\r?\n[A-Z];|TABLE\r?\n0,1\r?\n")
_XML = re.compile(rb"\s*<(?:\?xml|!doctype|svg|rss|feed)\b", re.IGNORECASE)
_JSON = re.compile(rb'\s*(?:\{\s*(?:"|\})|\[\s*(?:\{|"|\[|\]))')
_WORKBOOK_NAMES = re.compile(r"\.(?:xlsx|xlsm|xltx|xltm|xls|xlsb|ods|ots)$", re.IGNORECASE)


def open_table(path: Path, file_name: str, options: Options, limits: Limits) -> Table:
    """The rows of a file of any known type.

    Raises:
        FileRefused: for a file that is no table, or one that cannot or must not be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        said = phrase("This is not a file. Select an Excel (.xlsx), CSV or TSV file.")
        raise FileRefused("not_a_spreadsheet", said)
    size = path.stat().st_size
    if size > limits.file_bytes:
        said = phrase(
            "The file is {size} MB. Select a file under {most} MB, or split it.",
            size=f"{size // 1024**2:,}", most=limits.file_bytes // 1024**2,
        )  # fmt: skip
        raise FileRefused("too_big", said)
    if size == 0:
        raise FileRefused("empty", phrase("The file is empty. Export it again, or select another one."))
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"PK"):
        return _open_package(path, options, limits)
    if head.startswith(_OLE):
        return _open_ole(path, options, limits)
    return _open_text(path, file_name, head, options, limits)


def _open_package(path: Path, options: Options, limits: Limits) -> Table:
    with Package(path, limits) as package:
        names = set(package.members)
        kind = package.read("mimetype").decode("ascii", "replace").strip() if "mimetype" in names else ""
    if "xl/workbook.bin" in names:
        return _open_legacy(path, "xlsb", options, limits)
    if kind.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        return open_opendocument(path, options, limits)
    if kind.startswith("application/vnd.oasis.opendocument"):
        raise _no_spreadsheet(phrase("an OpenDocument text or drawing"))
    for folder, what in _PACKAGES:
        if any(name.startswith(folder) for name in names):
            raise _no_spreadsheet(what)
    if any(name.startswith("xl/") for name in names):
        return open_workbook(path, options, limits)
    if any(name.endswith(".iwa") for name in names):
        raise _unsupported(
            phrase("The file is an Apple Numbers document. Export it as Excel or CSV, and select that file.")
        )
    if "meta-inf/manifest.mf" in names or "androidmanifest.xml" in names:
        raise _no_spreadsheet(phrase("a program"))
    if any(name.endswith((".csv", ".tsv", ".txt", ".xlsx", ".xls")) for name in names):
        raise _unsupported(phrase("The file is a ZIP archive. Unpack it, and select a file that was in it."))
    raise _no_spreadsheet(phrase("a ZIP archive"))


def _open_ole(path: Path, options: Options, limits: Limits) -> Table:
    content = path.read_bytes()

    def holds(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if holds("EncryptedPackage") or holds("EncryptionInfo"):
        refuse_password()
    if holds("WordDocument"):
        raise _no_spreadsheet(phrase("a Word document"))
    if holds("PowerPoint Document"):
        raise _no_spreadsheet(phrase("a PowerPoint presentation"))
    if holds("Workbook") or holds("Book"):
        return _open_legacy(path, "xls", options, limits)
    raise _no_spreadsheet(phrase("an Office file without a sheet"))


def _open_legacy(path: Path, type_name: str, options: Options, limits: Limits) -> Table:
    from importers.legacy_workbooks import open_legacy  # Loads a library that other types do without.

    return open_legacy(path, type_name, options, limits)


def _open_text(path: Path, file_name: str, head: bytes, options: Options, limits: Limits) -> Table:
    _refuse_binary(head)
    if head.startswith(b"\x1f\x8b"):
        with whole_archive(), open_bytes(path, limits) as stream:
            _refuse_binary(stream.read(_HEAD))
    text = TextTable(path, options, limits)
    doubts = text.doubts
    if options.sheet is not None:
        said = phrase("The file is text and has no sheets; “{sheet}” was not looked for.", sheet=shown(options.sheet))
        doubts.append(("no_sheets", said))
    if _WORKBOOK_NAMES.search(file_name):
        said = phrase("The name says workbook, but the file holds plain text; it is read as text.")
        doubts.append(("type_differs", said))
    return Table(
        partial(text.rows),
        "text",
        encoding=text.encoding,
        delimiter=shown_delimiter(text.delimiter),
        doubts=doubts,
    )


def _refuse_binary(head: bytes) -> None:
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise _no_spreadsheet(what)
    if _is_lock(head):
        said = phrase(
            "This small file is what Office keeps beside a workbook while that is open. Select the workbook itself."
        )
        raise FileRefused("not_a_spreadsheet", said)
    if head[257:262] == b"ustar":
        raise _no_spreadsheet(phrase("a TAR archive"))
    if head[4:8] == b"ftyp":
        raise _no_spreadsheet(phrase("a film or picture"))
    if head.startswith(_EARLY_EXCEL):
        raise _unsupported(
            phrase("The file is a workbook of Excel 4 or earlier. Save it as Excel (.xlsx), and select that file.")
        )
    plain = _as_utf8(head)
    for signature, what in _TEXT_SIGNATURES:
        if plain.lstrip().startswith(signature):
            raise _no_spreadsheet(what)
    for shape, what in _TEXT_SHAPES:
        if shape.match(plain.lstrip()):
            raise _no_spreadsheet(what)
    if _HTML.match(plain):
        raise _no_spreadsheet(phrase("a web page"))
    if b"urn:schemas-microsoft-com:office:spreadsheet" in plain:
        raise _unsupported(
            phrase("The file is an XML Spreadsheet 2003. Save it as Excel (.xlsx), and select that file.")
        )
    if _EARLY_TEXT.match(plain):
        raise _unsupported(phrase("The file is in an early text format. Save it as Excel (.xlsx) or CSV."))
    if _XML.match(plain):
        raise _no_spreadsheet(phrase("an XML file"))
    if _JSON.match(plain):
        raise _no_spreadsheet(phrase("a JSON file"))
    if _looks_binary(head.removeprefix(codecs.BOM_UTF8)):
        raise _no_spreadsheet(phrase("a binary file"))


def _is_lock(head: bytes) -> bool:
    if len(head) not in _LOCK_SIZES or not 0 < head[0] < _LOCK_SECOND[0]:
        return False
    padding = head[1 + head[0] : _LOCK_SECOND[0]]
    again = bytes([head[0], 0])
    return not padding.strip(b" \0") and any(head[place : place + 2] == again for place in _LOCK_SECOND)


def _as_utf8(head: bytes) -> bytes:
    """The beginning of a text without its byte order mark, in UTF-8 if it has two or four bytes for a letter."""
    encoding, mark = wide_encoding(head)
    if encoding:
        return head[mark:].decode(encoding, "replace").encode()
    return head.removeprefix(codecs.BOM_UTF8)


def _looks_binary(head: bytes) -> bool:
    """Zeros and control bytes by the dozen, unless they are the halves of UTF-16 or UTF-32 letters."""
    if head.startswith(b"\x1f\x8b") or wide_encoding(head)[0]:
        return False
    sample = head[:8192]
    controls = sum(sample.count(bytes([code])) for code in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return controls > max(8, len(sample) // 20) or sample.count(0) > max(8, len(sample) // 20)


def _no_spreadsheet(what: str) -> FileRefused:
    said = phrase("The file is {what}. Select an Excel (.xlsx), CSV or TSV file.", what=what)
    return FileRefused("not_a_spreadsheet", said)


def _unsupported(said: str) -> FileRefused:
    return FileRefused("unsupported_format", said)
