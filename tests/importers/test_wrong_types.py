"""Files of other types that look like text at first: blank lines, marks and encodings before what they are."""

from __future__ import annotations

import base64
import codecs
import time

import pytest

_WORKBOOK_2003 = (
    '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>'
)


def _lock(name: str, first: int, padding: bytes) -> bytes:
    """The file of an open document: one name in a field of that many bytes, then the same in UTF-16."""
    letters = name.encode("ascii")
    one = (bytes([len(letters)]) + letters).ljust(first, padding)
    wide = name.encode("utf-16-le").ljust(2 * (first - 1), padding + b"\0"[: len(padding) - 1])
    return one + bytes([len(letters), 0]) + wide


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (codecs.BOM_UTF8 + b"%PDF-1.4\n1 0 obj", "not_a_spreadsheet", "PDF"),
        (b"\n \r\n%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj", "not_a_spreadsheet", "PDF"),
        (b"\r\n{\\rtf1\\ansi sku,title}", "not_a_spreadsheet", "rich text"),
        ("<html><table><tr><td>sku</td></tr></table></html>".encode("utf-16"), "not_a_spreadsheet", "web page"),
        ("<table><tr><td>sku</td></tr></table>".encode("utf-16-be"), "not_a_spreadsheet", "web page"),
        (_WORKBOOK_2003.encode("utf-16"), "unsupported_format", "XML Spreadsheet 2003"),
        (_WORKBOOK_2003.encode("utf-32"), "unsupported_format", "XML Spreadsheet 2003"),
        ('{"sku": "A-1"}'.encode("utf-16"), "not_a_spreadsheet", "JSON"),
        (b'<p>Session expired, <a href="/login">log in</a></p>', "not_a_spreadsheet", "web page"),
        (b"<br />\n<b>Warning</b>: sku, title", "not_a_spreadsheet", "web page"),
        (b"<h1>502 Bad Gateway</h1>", "not_a_spreadsheet", "web page"),
        (_lock("user", 55, b" "), "not_a_spreadsheet", "open"),
        (_lock("Somebody Else", 54, b"\0"), "not_a_spreadsheet", "open"),
    ],
)
def test_what_is_no_sheet_is_named(run, content, code, said):
    refused = run(content, name="products.csv")
    assert refused.errors == [(1, code)]
    assert said in refused.report.errors[0].message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_text_with_marks_of_web_pages_inside_is_read(run, encoding):
    text = "sku,title\nA-1,<p>Mug</p>\n<b,%PDF-1.4\n"
    checked = run(text.encode(encoding))
    assert [row["title"] for row in checked.rows.values()] == ["<p>Mug</p>", "%PDF-1.4"]


@pytest.mark.parametrize("header", ["ID3", "<pre-order>", "<pack", "<item"])
def test_an_odd_first_header_is_no_other_type(run, header):
    checked = run(codecs.BOM_UTF8 + f"{header},sku,title\nx,A-1,a\n".encode())
    assert checked.rows[2]["sku"] == "A-1"


MAIL = "Return-Path: <a@example.com>\nReceived: from x\n\tby y; Mon\nSubject: Stock, prices\nDate: Mon\n\nsku,title\n"
PACKED = base64.b64encode(b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(range(90))).decode()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        *(
            ("-- MySQL dump 10.13\n--\n\nDROP TABLE IF EXISTS `p`;\n", "SQL"),
            ("CREATE TABLE p (sku text, q int);\n", "SQL"),
        ),
        *(
            ("-- exported\n\nINSERT INTO p VALUES ('A', 1), ('B', 2);\n", "SQL"),
            ("/*!40101 SET NAMES utf8 */;\n", "SQL"),
        ),
        *(("BEGIN:VCARD\nVERSION:3.0\nN:Doe;Jo;;;\nEND:VCARD\n", "vCard"), ("BEGIN:VCALENDAR\nX:1\n", "calendar")),
        *((MAIL, "e-mail"), (PACKED, "base64"), ("data:text/csv;base64,c2t1LHRpdGxl\n", "base64")),
        *(("---\nproducts:\n  - sku: A\n    title: x\n", "YAML"), ("%YAML 1.2\n---\n- sku: A\n", "YAML")),
        *(('{"sku":"A","title":"x"}\n{"sku":"B"}\n', "JSON"), ("{\\rtf1\\ansi sku, title}", "rich text")),
        *(("UNA:+.? 'UNB+UNOA:1+A+B'\n", "EDI"), ("<html><table><tr><td>sku</td></tr></table>", "web page")),
    ],
)
@pytest.mark.parametrize("name", ["stock.csv", "stock.xls"])
def test_texts_that_are_no_tables_are_called_by_their_names(run, content, word, name):
    refused = run(content, name=name)
    assert refused.errors == [(1, "not_a_spreadsheet")]
    assert word in refused.report.errors[0].message


@pytest.mark.parametrize(
    "content",
    [
        *("---,x\nsku,title\nA,b\n", "-- stock list of May\nsku,title\nA,b\n", "Set,sku,title\n1,A,b\n"),
        *("Use,sku,title\n1,A,b\n", "From: X, To: Y\nsku,title\nA,b\n", "UEsDB,sku,title\n1,A,b\n"),
    ],
)
def test_tables_that_begin_like_them_are_tables(run, content):
    assert [row["sku"] for row in run(content).rows.values()] == ["A"]


@pytest.mark.parametrize(
    "content", ["\n" * 60_000, "-" * 60_000, "---\n" + "-" * 60_000, "--\n" * 20_000, "/*" * 30_000, "A: b\n" * 12_000]
)
def test_what_a_file_is_is_told_in_time(run, content):
    begun = time.process_time()
    run(content + "x")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a.csv".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 300, "TAR"),
        (b"\0\1\0\0Standard Jet DB\0" + b"\0" * 300, "database"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "Git LFS"),
    ],
)
def test_files_that_hold_others_are_called_by_their_names(run, content, word):
    refused = run(content)
    assert refused.errors == [(1, "not_a_spreadsheet")]
    assert word in refused.report.errors[0].message
