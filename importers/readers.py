"""Finds out what a file is by its content, and opens it with the reader for that type."""

from __future__ import annotations

import re
import stat
from functools import partial
from pathlib import Path

from importers.archive_guard import Package
from importers.opendocument import open_opendocument
from importers.report import FileRefused, Limits, Options
from importers.tables import Table
from importers.text_tables import TextTable, open_bytes, shown_delimiter
from importers.workbooks import open_workbook

_HEAD = 64 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: First bytes of files that people select by mistake, and what to call them.
_SIGNATURES = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a media file"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"%PDF-", "a PDF"),
    (b"%!PS", "a PostScript document"),
    (b"{\\rtf", "a rich text document"),
    (b"\x7fELF", "a program"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"SQLite format 3\0", "a database"),
    (b"PAR1", "a Parquet file"),
    (b"ID3", "a sound file"),
    (b"OggS", "a sound file"),
    (b"wOFF", "a font"),
    (b"MZ\x90\0", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
)
#: BIFF2 to BIFF4: a bare stream of records, from the time before compound files.
_EARLY_EXCEL = (b"\x09\0\x04\0", b"\x09\x02\x06\0", b"\x09\x04\x06\0")
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|script|meta)\b", re.I | re.S)
_XML = re.compile(rb"\s*<(?:\?xml|!doctype|svg|rss|feed)\b", re.IGNORECASE)
_JSON = re.compile(rb'\s*(?:\{\s*(?:"|\})|\[\s*(?:\{|"|\[|\]))')
_WORKBOOK_NAMES = re.compile(r"\.(?:xlsx|xlsm|xltx|xltm|xls|xlsb|ods|ots)$", re.IGNORECASE)


def open_table(path: Path, file_name: str, options: Options, limits: Limits) -> Table:
    """The rows of a file of any known type.

    Raises:
        FileRefused: for a file that is no table, or one that cannot or must not be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise FileRefused("not_a_spreadsheet", "This is not a file. Select an Excel (.xlsx), CSV or TSV file.")
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise FileRefused(
            "too_big", f"The file is {size // 1024**2:,} MB. Select a file under {limits.file_bytes // 1024**2} MB, "
            "or split it.",
        )  # fmt: skip
    if size == 0:
        raise FileRefused("empty", "The file is empty. Export it again, or select another one.")
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
        raise _no_spreadsheet("an OpenDocument text or drawing")
    for folder, what in (("word/", "a Word document"), ("ppt/", "a PowerPoint presentation"), ("visio/", "a drawing")):
        if any(name.startswith(folder) for name in names):
            raise _no_spreadsheet(what)
    if any(name.startswith("xl/") for name in names):
        return open_workbook(path, options, limits)
    if any(name.endswith(".iwa") for name in names):
        raise _unsupported("an Apple Numbers document", "Export it as Excel or CSV")
    if "meta-inf/manifest.mf" in names or "androidmanifest.xml" in names:
        raise _no_spreadsheet("a program")
    if any(name.endswith((".csv", ".tsv", ".txt", ".xlsx", ".xls")) for name in names):
        raise _unsupported("a ZIP archive", "Unpack it, and select a file that was in it")
    raise _no_spreadsheet("a ZIP archive")


def _open_ole(path: Path, options: Options, limits: Limits) -> Table:
    content = path.read_bytes()

    def holds(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if holds("EncryptedPackage") or holds("EncryptionInfo"):
        raise FileRefused("encrypted", "The file has a password. Save it without one and select it again.")
    if holds("WordDocument"):
        raise _no_spreadsheet("a Word document")
    if holds("PowerPoint Document"):
        raise _no_spreadsheet("a PowerPoint presentation")
    if holds("Workbook") or holds("Book"):
        return _open_legacy(path, "xls", options, limits)
    raise _no_spreadsheet("an Office file without a sheet")


def _open_legacy(path: Path, type_name: str, options: Options, limits: Limits) -> Table:
    from importers.legacy_workbooks import open_legacy  # Loads a library that other types do without.

    return open_legacy(path, type_name, options, limits)


def _open_text(path: Path, file_name: str, head: bytes, options: Options, limits: Limits) -> Table:
    _refuse_binary(head)
    if head.startswith(b"\x1f\x8b"):
        with open_bytes(path, limits) as stream:
            _refuse_binary(stream.read(_HEAD))
    text = TextTable(path, options, limits)
    doubts = []
    if _WORKBOOK_NAMES.search(file_name):
        doubts.append(("type_differs", "The name says workbook, but the file holds plain text; it is read as text."))
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
    if head[4:8] == b"ftyp":
        raise _no_spreadsheet("a film or picture")
    if head.startswith(_EARLY_EXCEL):
        raise _unsupported("a workbook of Excel 4 or earlier", "Save it as Excel (.xlsx)")
    plain = head.removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(plain):
        raise _no_spreadsheet("a web page")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in plain:
        raise _unsupported("an XML Spreadsheet 2003", "Save it as Excel (.xlsx)")
    if _XML.match(plain):
        raise _no_spreadsheet("an XML file")
    if _JSON.match(plain):
        raise _no_spreadsheet("a JSON file")
    if _looks_binary(plain):
        raise _no_spreadsheet("a binary file")


def _looks_binary(head: bytes) -> bool:
    """Zeros and control bytes by the dozen, unless they are the halves of UTF-16 or UTF-32 letters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff", b"\x1f\x8b")):
        return False
    sample = head[:8192]
    controls = sum(sample.count(bytes([code])) for code in (*range(1, 9), *range(14, 27), *range(28, 32)))
    zeros = sample.count(0)
    in_pairs = min(sample[::2].count(0), sample[1::2].count(0)) == 0 and zeros > len(sample) * 0.3
    return controls > max(8, len(sample) // 20) or (zeros > max(8, len(sample) // 20) and not in_pairs)


def _no_spreadsheet(what: str) -> FileRefused:
    return FileRefused("not_a_spreadsheet", f"The file is {what}. Select an Excel (.xlsx), CSV or TSV file.")


def _unsupported(what: str, repair: str) -> FileRefused:
    return FileRefused("unsupported_format", f"The file is {what}. {repair}, and select that file.")
