"""Files of other types that look like text at first: blank lines, marks and encodings before what they are."""

from __future__ import annotations

import codecs

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
