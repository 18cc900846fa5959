"""The wiring of an Office Open XML package: relationships, sheets, number formats and shared strings."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from importers.archive_guard import DEEPEST, Package, damaged, feed, safe_parser
from importers.cells import DIGIT, PERCENT
from importers.plain_xml import TEXT_END, Lots, plain_texts
from importers.report import FileRefused
from importers.wording import phrase

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_DATE_IDS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h|m|s)[^\]]*\]', re.IGNORECASE)
#: The parts of a number format that shows a whole number and what stands around it, as they are written.
_SHAPE_PART = re.compile(
    r"""(0)|"([^"]*)"|\\(.)|([-+/():!^&'~{}<>= ])|_."""
    r"""|\[(?:Black|Blue|Cyan|Green|Magenta|Red|White|Yellow|Color ?\d+|\$-[^\]]*)\]""",
    re.IGNORECASE,
)
_MOST_ZEROS = 15  # Excel keeps no more digits of a number

#: What a cell style means for a number: blank is plain, "date", or the shape of a format of zeros (see Number).
Style = str
DATE = "date"
PERCENT_IDS = (9, 10)  # of formats that files need not spell out, 0% and 0.00% (ECMA-376 part 1, 18.8.30)


def local(name: str) -> str:
    """The name of an element without its namespace; Strict and Transitional files differ in that alone."""
    return name.rpartition(" ")[2]


@dataclass(frozen=True)
class Relation:
    """One relationship of a part: its kind (last word of the type), its target, and whether it leads outside."""

    kind: str
    target: str
    external: bool


def relations(package: Package, part: str) -> dict[str, Relation]:
    """The relationships of a part by their id; empty when it has none."""
    folder, name = posixpath.split(part)
    source = posixpath.join(folder, "_rels", f"{name}.rels")
    found: dict[str, Relation] = {}
    if source not in package:
        return found

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "Relationship":
            kind = attributes.get("Type", "").rpartition("/")[2]
            external = attributes.get("TargetMode", "") == "External"
            found[attributes.get("Id", "")] = Relation(kind, attributes.get("Target", ""), external)

    feed(safe_parser(start=start), package.chunks(source))
    return found


@dataclass(frozen=True)
class SheetPart:
    """A worksheet as the workbook lists it."""

    name: str
    hidden: bool
    relation: str


def workbook_part(package: Package) -> str:
    """The name of the workbook's main part."""
    for relation in relations(package, "").values():
        if relation.kind == "officeDocument" and not relation.external:
            return package.resolve("", relation.target)
    return package.resolve("", "xl/workbook.xml")


def worksheets(package: Package, workbook: str, wiring: dict[str, Relation]) -> list[SheetPart]:
    """The worksheets in the order of their tabs; chart sheets and macro sheets are left out."""
    found: list[SheetPart] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) != "sheet":
            return
        identity = next((value for name, value in attributes.items() if name.endswith(" id")), "")
        if identity in wiring and wiring[identity].kind == "worksheet":
            state = attributes.get("state", "visible")
            found.append(SheetPart(attributes.get("name", ""), state != "visible", identity))

    feed(safe_parser(start=start), package.chunks(workbook))
    return found


def read_styles(package: Package, part: str) -> list[Style]:
    """For every cell style of the workbook, what it means for a number."""
    formats: dict[int, str] = {}
    styles: list[Style] = []
    inside = [False]

    def start(tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "numFmt":
            formats[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            inside[0] = True
        elif name == "xf" and inside[0]:
            styles.append(_meaning(_whole(attributes.get("numFmtId")), formats))

    def end(tag: str) -> None:
        if local(tag) == "cellXfs":
            inside[0] = False

    feed(safe_parser(start=start, end=end), package.chunks(part))
    return styles


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


def shape_of(code: str) -> str:
    """The shape that a number format gives, as in Number: of 00000, 000-000, "SKU-"0000 or 0.00%; else blank."""
    if PERCENT in _NOT_FORMAT.sub("", code).partition(";")[0]:
        return PERCENT
    shape, place = "", 0
    while place < len(code) and code[place] != ";":
        part = _SHAPE_PART.match(code, place)
        if part is None:
            return ""
        zero, *marks = part.groups()
        shape += DIGIT if zero else "".join(filter(None, marks)).replace(DIGIT, "")
        place = part.end()
    return shape if 0 < shape.count(DIGIT) <= _MOST_ZEROS and shape.strip() != DIGIT else ""


def _meaning(identity: int, formats: dict[int, str]) -> Style:
    code = formats.get(identity)
    if code is None:
        return DATE if identity in _DATE_IDS else PERCENT if identity in PERCENT_IDS else ""
    if shape := shape_of(code):
        return shape
    bare = _NOT_FORMAT.sub("", code).partition(";")[0]
    return DATE if re.search(r"[dmyhs]", bare.replace("General", ""), re.IGNORECASE) else ""


def unescape(text: str) -> str:
    """Text with the escapes of the format replaced: _x000D_ stands for a carriage return, _x005F_ for an underscore."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def escape(text: str) -> str:
    """The text so that `unescape`, and spreadsheet programs, read it as it is, where a part of it looks like an escape.

    See ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
    """
    return _LIKE_ESCAPE.sub("_x005F_", text) if "_x" in text else text


class StringCollector:
    """Collects rich text: the runs of a string are joined, phonetic guides are left out, over-long text is cut."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._pieces: list[str] = []
        self._size = 0
        self.open = False
        self.phonetic = False

    def add(self, text: str) -> None:
        if self.open and not self.phonetic and self._size <= self._longest:
            self._pieces.append(text)
            self._size += len(text)

    def take(self) -> str:
        """The collected text, its escapes as they are; the next string starts empty."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return text


def read_shared_strings(package: Package, part: str, longest: int) -> list[str]:
    """The shared strings of a workbook in order, each cut a little above `longest` characters."""
    strings: list[str] = []
    collector = StringCollector(longest)
    depth = [0]

    def start(tag: str, attributes: dict[str, str]) -> None:
        depth[0] += 1
        lots.started()
        refuse_depth(depth[0])
        name = local(tag)
        if name == "t":
            collector.open = True
        elif name == "rPh":
            collector.phonetic = True

    def end(tag: str) -> None:
        depth[0] -= 1
        name = local(tag)
        if name == "t":
            collector.open = False
        elif name == "rPh":
            collector.phonetic = False
        elif name == "si":
            strings.append(unescape(collector.take()))
            lots.ended()

    def take(lot: bytes) -> bool:
        plain = plain_texts(lot)
        strings.extend(unescape(text[:longest]) for text in plain or ())
        return plain is not None

    lots = Lots(safe_parser(start=start, end=end, text=collector.add), TEXT_END, take)
    for chunk in package.chunks(part):
        lots.push(chunk)
    lots.close()
    return strings


def refuse_depth(depth: int) -> None:
    """Raises FileRefused (corrupt) when elements nest deeper than any workbook does."""
    if depth > DEEPEST:
        raise damaged(phrase("its XML nests deeper than any workbook does"))


def refuse_external(relation: Relation) -> None:
    """Raises FileRefused (corrupt) when a part of the workbook is said to be somewhere else."""
    if relation.external:
        said = phrase("The workbook keeps its sheets outside of the file. Save it under a new name.")
        raise FileRefused("corrupt", said)
