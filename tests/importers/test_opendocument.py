"""OpenDocument sheets: what is hidden, values beside the text that is shown, and repeats that multiply."""

from __future__ import annotations

import time

import pytest

from tests.importers.conftest import packed

_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("style", "style"), ("table", "table"), ("text", "text"))
)


def ods(*tables: str, styles: str = "", shared: str = "") -> bytes:
    """An .ods file of these tables; `styles` are those of its content, `shared` what is in styles.xml."""
    content = (
        f"<office:document-content {_SPACES}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f"<office:spreadsheet>{''.join(tables)}</office:spreadsheet></office:body></office:document-content>"
    )
    parts = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": content.encode()}
    if shared:
        parts["styles.xml"] = f"<office:document-styles {_SPACES}>{shared}</office:document-styles>".encode()
    return packed(parts)


def table(*rows: str, name: str = "S", style: str = "", columns: str = "") -> str:
    return f'<table:table table:name="{name}" table:style-name="{style}">{columns}{"".join(rows)}</table:table>'


def row(*cells: str, repeat: int = 1, more: str = "") -> str:
    return (
        f'<table:table-row table:number-rows-repeated="{repeat}"{more}>{"".join(map(_cell, cells))}</table:table-row>'
    )


def _cell(text: str) -> str:
    return text if text.startswith("<") else cell(text)


def cell(text: str, *, repeat: int = 1, more: str = "") -> str:
    return (
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{repeat}"{more}>'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


def hiding(name: str, display: str = "false", parent: str = "") -> str:
    properties = f'<style:table-properties table:display="{display}"/>' if display else ""
    return (
        f'<style:style style:name="{name}" style:family="table" style:parent-style-name="{parent}">{properties}'
        "</style:style>"
    )


HEADER = row("sku", "title", "quantity")
GOOD = row("A-1", "a", "1")
SHEETS = (table(HEADER, row("H-1", "h"), name="First", style="look"), table(HEADER, GOOD, name="Second"))


def test_hidden_columns_are_read_with_a_warning(run):
    columns = '<table:table-column table:number-columns-repeated="2"/><table:table-column table:visibility="collapse"/>'
    checked = run(ods(table(HEADER, GOOD, columns=columns)))
    assert checked.rows[2]["quantity"] == 1
    assert [(p.column, p.code) for p in checked.report.warnings] == [("quantity", "hidden_column")]


def test_every_repeat_of_a_hidden_row_counts(run):
    hidden = row("A-2", "b", "2", repeat=3, more=' table:visibility="collapse"')
    said = [p.message for p in run(ods(table(HEADER, GOOD, hidden))).report.warnings if p.code == "hidden_rows"]
    assert said == ["3 rows are hidden in the file, and are read: 3, 4, 5."]
    hidden = row("A-2", "b", "2", more=' table:visibility="collapse"')
    said = [p.message for p in run(ods(table(HEADER, GOOD, hidden))).report.warnings if p.code == "hidden_rows"]
    assert said == ["1 row is hidden in the file, and is read: 3."]


@pytest.mark.parametrize(
    ("styles", "shared", "read"),
    [
        ("", f"<office:styles>{hiding('look')}</office:styles>", "Second"),
        (hiding("look", display="", parent="base"), f"<office:styles>{hiding('base')}</office:styles>", "Second"),
        (hiding("look", "true", parent="base"), f"<office:styles>{hiding('base')}</office:styles>", "First"),
        ("", f"<office:automatic-styles>{hiding('look')}</office:automatic-styles>", "First"),
        (hiding("look", display="", parent="look"), "", "First"),
    ],
    ids=["shared", "inherited", "shown again", "of another part", "its own parent"],
)
def test_a_sheet_is_hidden_by_any_style_that_counts(run, styles, shared, read):
    assert run(ods(*SHEETS, styles=styles, shared=shared)).report.sheet == read


def test_the_stored_text_goes_before_the_shown_one(run):
    told = cell("shown", more=' office:string-value="A-1"')
    alone = '<table:table-cell office:value-type="string" office:string-value="only there"/>'
    lines = cell("one</text:p><text:p>two", more=' office:string-value="one two"')
    checked = run(ods(table(HEADER, row(told, alone, "1"), row("A-2", lines, "2"))))
    assert [(r["sku"], r["title"]) for r in checked.rows.values()] == [("A-1", "only there"), ("A-2", "one\ntwo")]


def test_an_error_in_another_language_is_an_error(run):
    error = (
        '<table:table-cell office:value-type="string" xmlns:calcext="urn:calcext" calcext:value-type="error">'
        "<text:p>#WERT!</text:p></table:table-cell>"
    )
    assert run(ods(table(HEADER, row("A-1", "a", error)))).errors == [(2, "error_value")]


def test_repeats_that_multiply_are_refused_before_they_are_unfolded(run):
    wide = row("A-1", cell("x", repeat=900), repeat=10_000)
    begun = time.process_time()
    refused = run(ods(table(HEADER, *[wide] * 60)))
    assert refused.errors == [(2, "too_big")]
    assert "9,0" in refused.report.errors[0].message
    assert time.process_time() - begun < 2


def test_wide_rows_of_one_value_each_are_refused_too(run):
    refused = run(ods(table(HEADER, *[row(cell("x", repeat=900))] * 2000)))
    assert [code for _, code in refused.errors] == ["too_big"]


def test_equal_values_beside_each_other_are_no_bomb(run):
    rows = [row(f"A-{n}", "a", cell("0", repeat=18)) for n in range(300)]
    assert len(run(ods(table(row("sku", "title", "quantity", cell("note", repeat=1)), *rows))).rows) == 300


@pytest.mark.parametrize(
    ("stored", "seen", "sku"),
    [
        *(("42", "00042", "00042"), ("42", "000-042", "000-042"), ("123456", "123-456", "123-456")),
        *(("42", "SKU-0042", "SKU-0042"), ("42", "42.00", "42"), ("1234", "1,234", "1234"), ("42", "42 €", "42")),
        *(("1234", "1 234", "1234"), ("42", "43", "42"), ("-42", "-42", "-42")),
    ],
)
def test_a_code_is_what_is_shown_of_its_number(run, stored, seen, sku):
    shown = f'<table:table-cell office:value-type="float" office:value="{stored}"><text:p>{seen}</text:p>'
    checked = run(
        ods(table(row(cell("sku"), cell("title")), row(shown + "</table:table-cell>", cell("a")))), name="a.ods"
    )
    assert checked.rows[2]["sku"] == sku
