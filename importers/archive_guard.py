"""Opens the ZIP package of a workbook without trusting it: sizes count while streaming, nothing goes to disk."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NoReturn
from xml.parsers import expat

from importers.report import FileRefused, Limits
from importers.wording import phrase

CHUNK = 1 << 16
#: Below this size a high ratio is harmless: a sheet of formatted blank rows packs very well.
FREE_BYTES = 1 << 20
DEEPEST = 64
_LOCAL_HEADER = 30
#: What `zipfile` raises for a damaged part; the last for a name before it that is said to be UTF-8 and is not.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),
    UnicodeError,
)
_NO_MEMORY = 1  # XML_ERROR_NO_MEMORY of expat, which has a text for it in Python but no number.

Handler = Callable[..., None]


def damaged(detail: str = "") -> FileRefused:
    """The refusal of a file that cannot be read to its end."""
    if not detail:
        return FileRefused(
            "corrupt",
            phrase(
                "The file is damaged. Open it in a spreadsheet program, save it under a new name, and select that file."
            ),
        )
    return FileRefused(
        "corrupt",
        phrase(
            "The file is damaged: {detail}. "
            "Open it in a spreadsheet program, save it under a new name, and select that file.", detail=detail,
        ),
    )  # fmt: skip


def _too_big(detail: str) -> FileRefused:
    said = phrase("The file is refused because {detail}. Save the sheet as CSV, or split it.", detail=detail)
    return FileRefused("too_big", said)


def refuse_password() -> NoReturn:
    """Raises FileRefused (encrypted)."""
    raise FileRefused("encrypted", phrase("The file has a password. Save it without one and select it again."))


class Package:
    """The members of a ZIP package, read as streams that stop at the limits."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        self._size = path.stat().st_size
        self._unpacked = 0
        try:
            self._zip = zipfile.ZipFile(path)
            self.members = self._checked(self._zip.infolist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
            raise damaged(phrase("the archive has no readable directory, so part of it may be missing")) from error

    def __enter__(self) -> Package:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def _checked(self, infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        limits = self._limits
        if len(infos) > limits.members:
            count, most = f"{len(infos):,}", f"{limits.members:,}"
            raise _too_big(phrase("it holds {count} parts, and {most} are allowed", count=count, most=most))
        if sum(info.file_size for info in infos) > limits.unpacked_bytes:
            size = f"{limits.unpacked_bytes // 1024**2:,}"
            raise _too_big(phrase("it unpacks to more than {size} MB", size=size))
        self._refuse_overlap(infos)
        members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            if info.file_size > max(FREE_BYTES, info.compress_size * limits.unpack_ratio):
                ratio = limits.unpack_ratio
                raise _too_big(phrase("one part unpacks to more than {ratio} times its size", ratio=ratio))
            key = info.filename.lower()
            if key in members and key.startswith(("xl/w", "xl/s", "[content", "content.xml")):
                raise damaged(phrase("the part {part} is there twice", part=repr(info.filename)))
            members[key] = info
        return members

    def _refuse_overlap(self, infos: list[zipfile.ZipInfo]) -> None:
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end or info.header_offset + info.compress_size > self._size:
                raise _too_big(phrase("its parts lie on top of each other, as in an archive made to overfill a disk"))
            end = info.header_offset + _LOCAL_HEADER + info.compress_size

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.members

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of one part, piece by piece.

        Raises:
            FileRefused: encrypted, corrupt, or too_big as soon as more comes out than allowed.
        """
        info = self.members.get(name.lower())
        if info is None:
            raise damaged(phrase("the part {part} is missing", part=repr(name)))
        if info.flag_bits & 1:
            refuse_password()
        most = max(FREE_BYTES, info.compress_size * self._limits.unpack_ratio)
        seen = 0
        try:
            with self._zip.open(info) as stream:
                while chunk := stream.read(CHUNK):
                    seen += len(chunk)
                    self._unpacked += len(chunk)
                    if seen > most or self._unpacked > self._limits.unpacked_bytes:
                        ratio = self._limits.unpack_ratio
                        raise _too_big(phrase("it unpacks to more than {ratio} times its size", ratio=ratio))
                    yield chunk
        except _UNREADABLE as error:
            raise damaged(phrase("the part {part} cannot be unpacked", part=repr(info.filename))) from error

    def read(self, name: str, most: int = FREE_BYTES) -> bytes:
        """A small part as a whole; raises FileRefused (too_big) when it is larger than `most` bytes."""
        found = io.BytesIO()
        for chunk in self.chunks(name):
            found.write(chunk)
            if found.tell() > most:
                raise _too_big(phrase("its part {part} is larger than any workbook needs", part=repr(name)))
        return found.getvalue()

    def resolve(self, base: str, target: str) -> str:
        """The part that a relationship of `base` points to; raises FileRefused (corrupt) when it leaves the package."""
        folder = "" if target.startswith("/") else posixpath.dirname(base)
        name = posixpath.normpath(posixpath.join(folder, target.lstrip("/").replace("\\", "/")))
        if name.startswith("..") or name not in self:
            raise damaged(phrase("it points to a part outside of itself"))
        return name

    def refuse_document_types(self) -> None:
        """Looks at the beginning of every XML part; raises FileRefused (forbidden_xml) for any document type."""
        for name in self.members:
            if name.endswith((".xml", ".rels")):
                parser = safe_parser(start=_stop_at_root)
                try:
                    feed(parser, self.chunks(name))
                except _RootSeen:
                    continue


class _RootSeen(Exception):
    pass


def _stop_at_root(name: str, attributes: dict[str, str]) -> None:
    raise _RootSeen


def _refuse_document_type(*_: object) -> NoReturn:
    raise FileRefused(
        "forbidden_xml",
        phrase(
            "The file holds a document type definition, which no spreadsheet program writes and which can be used to "
            "read other files. Open it in a spreadsheet program and save it under a new name."
        ),
    )


def safe_parser(
    *, start: Handler, end: Handler | None = None, text: Handler | None = None, namespaces: bool = True
) -> expat.XMLParserType:
    """An expat parser that refuses document types and entities, and never opens anything else."""
    parser = expat.ParserCreate(namespace_separator=" " if namespaces else None)
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.EntityDeclHandler = _refuse_document_type
    parser.ExternalEntityRefHandler = _refuse_document_type
    parser.buffer_text = True
    parser.StartElementHandler = start
    if end:
        parser.EndElementHandler = end
    if text:
        parser.CharacterDataHandler = text
    return parser


def feed(parser: expat.XMLParserType, chunks: Iterable[bytes], *, final: bool = True) -> None:
    """Parses pieces of a part, to its end when `final`; raises FileRefused (corrupt) when it is not well-formed."""
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        if final:
            parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, expat.ExpatError) and error.code == _NO_MEMORY:
            raise MemoryError from error
        raise damaged(phrase("its XML breaks off or is not well-formed")) from error
