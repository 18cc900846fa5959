"""Archives made to hurt: bombs, tricks with names and offsets, XML that reaches out, and wrong types in disguise."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace

import pytest

from importers.report import DEFAULT
from tests.importers.conftest import GOOD_ROW, HEADER, MAIN, inline, packed, workbook

DOCTYPE = '<!DOCTYPE x [<!ENTITY e "boom">]>'


def sheet(body):
    return f'<worksheet xmlns="{MAIN}"><sheetData>{HEADER}{body}</sheetData></worksheet>'.encode()


def replaced(**parts):
    return workbook(extra={name.replace("__", "/") + ".xml": content for name, content in parts.items()})


@pytest.mark.parametrize(
    "content",
    [
        workbook(extra={"xl/worksheets/sheet1.xml": sheet(GOOD_ROW + " " * 20_000_000)}),
        workbook(strings="<si><t>" + "x" * 20_000_000 + "</t></si>"),
        workbook(extra={"xl/media/image.png": b"\0" * 20_000_000}),
        workbook(extra={f"xl/media/{n}": b"" for n in range(2001)}),
    ],
    ids=["blanks in the sheet", "shared strings", "a part that is never read", "members"],
)
def test_a_bomb_is_refused_before_it_unfolds(run, content):
    assert run(content).errors == [(1, "too_big")]


def test_what_unpacks_to_more_than_the_limit_is_refused(run):
    small = replace(DEFAULT, unpacked_bytes=1500)
    assert run(workbook(GOOD_ROW), limits=small).errors == [(1, "too_big")]
    assert run("sku,title\nA,b\n", limits=replace(DEFAULT, file_bytes=10)).errors == [(1, "too_big")]


def test_a_declared_size_that_lies_is_found_out_while_streaming(run):
    content = bytearray(workbook(extra={"xl/worksheets/sheet1.xml": sheet(GOOD_ROW + " " * 20_000_000)}))
    size = struct.pack("<I", len(sheet(GOOD_ROW + " " * 20_000_000)))
    assert content.count(size)
    lying = bytes(content).replace(size, struct.pack("<I", 900))
    assert run(lying).errors[0][1] in {"too_big", "corrupt"}


def test_members_on_top_of_each_other_are_refused(run):
    buffer = io.BytesIO(workbook(extra={"xl/media/a.bin": b"x" * 100}))
    with zipfile.ZipFile(buffer, "a") as archive:
        info = archive.getinfo("xl/media/a.bin")
        for n in range(20):
            copy = zipfile.ZipInfo(f"xl/media/{n}.bin")
            copy.header_offset, copy.compress_size, copy.file_size = (
                info.header_offset,
                info.compress_size,
                info.file_size,
            )
            copy.CRC, copy.compress_type = info.CRC, info.compress_type
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
        archive._didModify = True
    assert run(buffer.getvalue()).errors == [(1, "too_big")]


@pytest.mark.parametrize(
    "name",
    ["xl/worksheets/sheet1", "xl/workbook", "xl/styles", "docProps/core", "xl/drawings/drawing1", "[Content_Types]"],
)
@pytest.mark.parametrize(
    "document_type",
    [
        DOCTYPE,
        "<!DOCTYPE x>",
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_wherever_it_stands(run, name, document_type, encoding):
    part = f'<?xml version="1.0" encoding="{encoding}"?>{document_type}<x/>'.encode(encoding)
    assert run(workbook(extra={f"{name}.xml": part})).errors == [(1, "forbidden_xml")]


@pytest.mark.parametrize(
    "content",
    [
        workbook(extra={"xl/worksheets/sheet1.xml": sheet(GOOD_ROW)[:-40]}),
        workbook(extra={"xl/worksheets/sheet1.xml": sheet("<x>" * 100_000 + "</x>" * 100_000)}),
        workbook(extra={"xl/worksheets/sheet1.xml": b"<html/>"}),
        workbook(target="../../../../etc/passwd"),
        workbook(target="worksheets/missing.xml"),
        workbook()[:-200],
        workbook()[:500],
        b"PK\x03\x04" + b"\0" * 100,
    ],
    ids=["cut off", "nested", "no worksheet", "traversal", "missing part", "no directory", "head only", "nothing"],
)
def test_a_damaged_or_twisted_workbook_is_refused_whole(run, content):
    checked = run(content)
    assert checked.errors == [(1, "corrupt")]
    assert not checked.rows


def test_a_name_that_is_no_text_before_its_part_is_damage(run):
    content = bytearray(workbook())
    start = content.index(b"PK\x03\x04")
    content[start + 7] |= 8  # the name is said to be UTF-8
    content[start + 30] = 0xFF
    checked = run(bytes(content))
    assert checked.errors == [(1, "corrupt")]
    assert "cannot be unpacked" in checked.report.errors[0].message


def test_a_wrong_checksum_is_damage(run):
    content = bytearray(workbook(extra={"xl/worksheets/sheet1.xml": sheet(GOOD_ROW)}))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        crc = struct.pack("<I", archive.getinfo("xl/worksheets/sheet1.xml").CRC)
    assert run(bytes(content).replace(crc, b"\1\2\3\4")).errors == [(1, "corrupt")]


@pytest.mark.parametrize(
    "name", ["../../../var/canary", "/etc/canary", "C:\\canary", "xl/media/inner.zip", "xl/vbaProject.bin"]
)
def test_names_that_lead_out_and_archives_inside_are_never_opened(run, name):
    checked = run(workbook(extra={name: packed({"a": b"b"})}))
    assert checked.report.outcome == "accept"
    assert list(checked.rows) == [2]


@pytest.mark.parametrize(
    ("parts", "code", "named"),
    [
        ({"[Content_Types].xml": b"", "word/document.xml": b""}, "not_a_spreadsheet", "Word"),
        ({"[Content_Types].xml": b"", "ppt/presentation.xml": b""}, "not_a_spreadsheet", "PowerPoint"),
        ({"mimetype": b"application/vnd.oasis.opendocument.text"}, "not_a_spreadsheet", "OpenDocument"),
        ({"META-INF/MANIFEST.MF": b""}, "not_a_spreadsheet", "program"),
        ({"Index/Document.iwa": b""}, "unsupported_format", "Numbers"),
        ({"products.csv": b"sku"}, "unsupported_format", "ZIP"),
        ({"readme.bin": b"x"}, "not_a_spreadsheet", "ZIP"),
    ],
)
def test_other_archives_are_called_by_their_name(run, parts, code, named):
    checked = run(packed(parts), name="file.xlsx")
    assert checked.errors == [(1, code)]
    assert named in checked.report.errors[0].message


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        ("EncryptedPackage", "encrypted"),
        ("WordDocument", "not_a_spreadsheet"),
        ("PowerPoint Document", "not_a_spreadsheet"),
        ("Other", "not_a_spreadsheet"),
        ("Workbook", "corrupt"),
    ],
)
def test_compound_files_are_told_apart(run, stream, code):
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + stream.encode("utf-16-le") + b"\0" * 600
    assert run(content, name="file.xls").errors == [(1, code)]


def test_an_encrypted_member_asks_for_a_file_without_password(run):
    buffer = io.BytesIO(workbook())
    content = bytearray(buffer.getvalue())
    with zipfile.ZipFile(buffer) as archive:
        for info in archive.infolist():
            content[info.header_offset + 6] |= 1
    start = content.index(b"PK\1\2")
    while start != -1:
        content[start + 8] |= 1
        start = content.find(b"PK\1\2", start + 4)
    assert run(bytes(content)).errors == [(1, "encrypted")]


def test_a_formula_text_and_html_stay_text(run):
    rows = f'<row r="2">{inline("A2", "=1+1")}{inline("B2", "&lt;script&gt;alert(1)&lt;/script&gt;")}</row>'
    assert run(workbook(rows)).rows[2]["title"] == "<script>alert(1)</script>"
    assert run(workbook(rows)).rows[2]["sku"] == "=1+1"
