"""Fixtures that write small files, hostile ones included, and check them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from importers.checking import check_file
from importers.report import DEFAULT, Limits, Options, Report
from importers.staging import read_staged

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


@dataclass
class Checked:
    """A report with the rows that were staged: row number to fields."""

    report: Report
    rows: dict[int, dict[str, Any]]

    @property
    def errors(self) -> list[tuple[int, str]]:
        return [(problem.row, problem.code) for problem in self.report.errors]

    @property
    def warnings(self) -> set[str]:
        return {problem.code for problem in self.report.warnings}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Checked]:
    """Checks content in this process; the child process has tests of its own."""

    def _run(
        content: str | bytes,
        kind: Any = "products",
        name: str = "file.csv",
        limits: Limits = DEFAULT,
        **options: Any,
    ) -> Checked:
        path, staged = tmp_path / "upload", tmp_path / "staged"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        staged.unlink(missing_ok=True)
        report = check_file(path, kind, staged, Options(**options), limits, name)
        rows = dict(read_staged(staged)) if staged.exists() else {}
        assert report.rows == report.rows_ok + report.rows_bad + report.rows_skipped
        assert len(rows) == report.rows_ok
        assert not list(tmp_path.glob("*.part"))
        return Checked(report, rows)

    return _run


def inline(place: str, text: str) -> str:
    """A text cell."""
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


HEADER = (
    '<row r="1">'
    + "".join(
        inline(f"{c}1", t) for c, t in zip("ABCDE", ("sku", "title", "quantity", "price", "barcode"), strict=True)
    )
    + "</row>"
)
GOOD_ROW = f'<row r="2">{inline("A2", "A-1")}{inline("B2", "a")}<c r="C2"><v>1</v></c><c r="D2"><v>1</v></c></row>'


def workbook(
    rows: str = GOOD_ROW,
    *,
    header: str = HEADER,
    sheets: tuple[tuple[str, str], ...] = (("Sheet1", "visible"),),
    bodies: tuple[str, ...] | None = None,
    before: str = "",
    namespace: str = MAIN,
    styles: str = "",
    strings: str | None = None,
    prolog: str = "",
    target: str = "worksheets/sheet{n}.xml",
    extra: Mapping[str, bytes] | None = None,
    encoding: str = "utf-8",
) -> bytes:
    """The bytes of a small .xlsx file, written part by part so that any part can be wrong."""
    bodies = bodies or tuple(header + rows for _ in sheets)
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="{target.format(n=n)}"/>'
        for n in range(1, len(sheets) + 1)
    )
    relations += f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/>'
    if strings is not None:
        relations += f'<Relationship Id="t" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" state="{state}" r:id="r{n}"/>'
        for n, (name, state) in enumerate(sheets, start=1)
    )
    parts: dict[str, bytes] = {
        "[Content_Types].xml": b"<Types/>",
        "_rels/.rels": (
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="d" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>'
        ).encode(),
        "xl/workbook.xml": (
            f'<workbook xmlns="{namespace}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>'.encode(),
        "xl/styles.xml": (f'<styleSheet xmlns="{namespace}">{styles}</styleSheet>').encode(),
    }
    if strings is not None:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{namespace}">{strings}</sst>'.encode()
    for n, body in enumerate(bodies, start=1):
        text = f'{prolog}<worksheet xmlns="{namespace}">{before}<sheetData>{body}</sheetData></worksheet>'
        declared = f'<?xml version="1.0" encoding="{encoding}"?>' + text
        parts[f"xl/worksheets/sheet{n}.xml"] = declared.encode(encoding)
    parts.update(extra or {})
    return packed(parts)


def packed(parts: Mapping[str, bytes]) -> bytes:
    """A ZIP archive of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def make_book() -> Callable[..., bytes]:
    return workbook


@pytest.fixture
def cell() -> Callable[[str, str], str]:
    return inline


@pytest.fixture
def pack() -> Callable[[Mapping[str, bytes]], bytes]:
    return packed
