"""Workbooks as people and programs write them: numbers as text, errors, hidden parts, rich text, odd encodings."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from tests.importers.conftest import GOOD_ROW, HEADER, STRICT, inline, packed, workbook


def row(number, *cells):
    return f'<row r="{number}">{"".join(cells)}</row>'


def num(place, value, style=""):
    return f'<c r="{place}"{style}><v>{value}</v></c>'


STYLES = (
    '<numFmts count="3"><numFmt numFmtId="170" formatCode="00000"/><numFmt numFmtId="171" formatCode="dd/mm/yyyy"/>'
    '<numFmt numFmtId="172" formatCode="[Red]0.00&quot; days&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/>'
    '</cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="14"/>'
    '<xf numFmtId="172"/></cellXfs>'
)


def test_a_plain_workbook_is_read(run):
    checked = run(workbook(), name="stock.xlsx")
    assert checked.report.outcome == "accept"
    assert checked.report.sheet == "Sheet1"
    assert checked.rows == {2: {"sku": "A-1", "title": "a", "quantity": 1, "price": "1", "match_key": "A-1"}}


def test_what_openpyxl_writes_is_read(run):
    book = Workbook()
    book.active.append(["SKU", "Título", "Existencias", "Precio"])
    book.active.append(["00123", "Taza", 5, 12.5])
    buffer = io.BytesIO()
    book.save(buffer)
    checked = run(buffer.getvalue(), name="a.xlsx")
    assert checked.rows[2] == {"sku": "00123", "title": "Taza", "quantity": 5, "price": "12.5", "match_key": "00123"}


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        (0.12, "0%", "12%"), (0.125, "0.00%", "12.5%"), (1, "0%", "100%"), (0, "0%", "0%"), (0.5, "[Red]0 %", "50%"),
        (9.5, '0.00" %"', None), (9.5, "0.00\\%", None), (9.5, "0.00", None),
    ],
)  # fmt: skip
def test_a_share_is_no_amount_and_is_told_as_it_is_shown(run, value, code, said):
    book = Workbook()
    book.active.append(["SKU", "Title", "Quantity", "Price"])
    book.active.append(["A-1", "a", 5, value])
    book.active["D2"].number_format = code
    buffer = io.BytesIO()
    book.save(buffer)
    checked = run(buffer.getvalue(), name="a.xlsx")
    assert checked.errors == ([(2, "not_a_number")] if said else [])
    assert not said or f"price {said} is a percentage" in checked.report.errors[0].message
    assert not said or checked.report.errors[0].value == said


@pytest.mark.parametrize(
    ("stored", "style", "expected"),
    [
        *(
            ("12345", "", "12345"),
            ("12345.0", "", "12345"),
            ("1E5", "", "100000"),
            ("4006381333931", "", "4006381333931"),
        ),
        *(("123", ' s="1"', "00123"), ("123456", ' s="1"', "123456"), ("123", ' s="4"', "123"), ("90.75", "", "90.75")),
    ],
)
def test_a_number_in_a_sku_column_becomes_its_digits_and_is_mentioned(run, stored, style, expected):
    checked = run(workbook(row(2, num("A2", stored, style), inline("B2", "x")), styles=STYLES))
    assert checked.rows[2]["sku"] == expected
    assert "number_as_text" in checked.warnings


@pytest.mark.parametrize(
    ("cell_xml", "expected"),
    [
        (num("A2", "1234567890123456"), "precision_lost"),
        (num("A2", "12345678901234567890"), "precision_lost"),
        (num("A2", "45000", ' s="2"'), "date_in_text"),
        (num("A2", "45000", ' s="3"'), "date_in_text"),
        ('<c r="A2" t="d"><v>2024-01-01</v></c>', "date_in_text"),
        ('<c r="A2" t="b"><v>1</v></c>', "bool_in_text"),
        ('<c r="A2" t="e"><v>#N/A</v></c>', "error_value"),
        ('<c r="A2"><f>B2+1</f></c>', "formula_no_value"),
        ('<c r="A2"><f>B2+1</f><v></v></c>', "formula_no_value"),
        ('<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "error_value"),
    ],
)
def test_a_sku_cell_without_text_is_an_error_and_never_blank(run, cell_xml, expected):
    checked = run(
        workbook(row(2, cell_xml, inline("B2", "x")) + row(3, inline("A3", "ok"), inline("B3", "y")), styles=STYLES)
    )
    assert checked.errors == [(2, expected)]
    assert list(checked.rows) == [3]


def test_the_stored_value_of_a_formula_is_used(run):
    cells = (
        '<c r="A2" t="str"><f>UPPER("a")</f><v>A</v></c><c r="B2" t="str"><f>""</f><v></v></c>'
        '<c r="C2"><f>2+3</f><v>5</v></c>'
    )
    checked = run(workbook(row(2, cells)))
    assert checked.rows[2] == {"sku": "A", "quantity": 5, "match_key": "A"}


def test_rich_text_is_joined_and_phonetic_guides_are_left_out(run):
    strings = (
        "<si><t>A-1</t></si><si><r><t>Red </t></r><r><rPr><b/></rPr><t>bold</t></r></si>"
        '<si><t>課</t><rPh sb="0" eb="1"><t>カ</t></rPh></si><si><t>a_x000D_b_x005F_x0041_</t></si>'
    )
    cells = '<c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c><c r="E2" t="s"><v>2</v></c>'
    checked = run(workbook(row(2, cells) + row(3, inline("A3", "B"), '<c r="B3" t="s"><v>3</v></c>'), strings=strings))
    assert checked.rows[2]["title"] == "Red bold"
    assert checked.rows[2]["gtin"] == "課"
    assert checked.rows[3]["title"] == "a\rb_x0041_"


def test_hidden_sheets_are_skipped_and_read_only_when_named(run):
    secret = HEADER + row(2, inline("A2", "HIDDEN-1"), inline("B2", "x"))
    book = workbook(
        sheets=(("Secret", "veryHidden"), ("Old", "hidden"), ("Products", "visible")),
        bodies=(secret, secret, HEADER + GOOD_ROW),
    )
    assert run(book).report.sheet == "Products"
    assert [sheet.hidden for sheet in run(book).report.sheets] == [True, True, False]
    asked = run(book, sheet="Secret")
    assert asked.rows[2]["sku"] == "HIDDEN-1"
    assert "hidden_sheet" in asked.warnings
    assert run(book, sheet="products").report.sheet == "Products"
    assert run(book, sheet="Nope").errors == [(1, "unknown_value")]


def test_hidden_columns_and_rows_are_read_and_mentioned(run):
    rows = GOOD_ROW + f'<row r="3" hidden="1">{inline("A3", "B")}{inline("B3", "b")}</row>'
    checked = run(workbook(rows, before='<cols><col min="3" max="3" hidden="1" width="0"/></cols>'))
    assert {"hidden_column", "hidden_rows"} <= checked.warnings
    assert list(checked.rows) == [2, 3]


def test_rows_without_height_and_columns_without_width_are_hidden_too(run):
    rows = GOOD_ROW + f'<row r="3" ht="0" customHeight="1">{inline("A3", "B")}{inline("B3", "b")}</row>'
    checked = run(workbook(rows, before='<cols><col min="1" max="1" width="0" customWidth="1"/></cols>'))
    assert {"hidden_column", "hidden_rows"} <= checked.warnings
    seen = GOOD_ROW + f'<row r="3" ht="0.75">{inline("A3", "B")}{inline("B3", "b")}</row>'
    assert run(workbook(seen, before='<cols><col min="1" max="1" width="0.7"/></cols>')).warnings == set()


def test_of_many_hidden_rows_five_are_named(run):
    hidden = "".join(
        f'<row r="{n}" hidden="1">{inline(f"A{n}", f"B{n}")}{inline(f"B{n}", "b")}</row>' for n in range(3, 9)
    )
    said = [problem.message for problem in run(workbook(GOOD_ROW + hidden)).report.warnings]
    assert said == ["6 rows are hidden in the file, and are read: 3, 4, 5, 6, 7 and more."]


@pytest.mark.parametrize(
    "options", [{"namespace": STRICT}, {"encoding": "utf-16"}, {"before": '<dimension ref="A1"/>'}]
)
def test_strict_files_utf16_parts_and_wrong_dimensions_lose_no_row(run, options):
    rows = GOOD_ROW + row(3, inline("A3", "B"), inline("B3", "b"))
    assert list(run(workbook(rows, **options)).rows) == [2, 3]


def test_blank_rows_keep_their_numbers(run):
    blanks = "".join(row(n, f'<c r="A{n}" s="1"/>') for n in range(3, 2000))
    checked = run(workbook(GOOD_ROW + blanks + row(5000, inline("A5000", "Z"), inline("B5000", "z"))))
    assert list(checked.rows) == [2, 5000]
    assert checked.report.rows == 2


def test_rows_and_cells_without_places_are_counted(run):
    body = "<row><c t='inlineStr'><is><t>sku</t></is></c><c t='inlineStr'><is><t>title</t></is></c></row>"
    body += "<row><c t='inlineStr'><is><t>A</t></is></c><c t='inlineStr'><is><t>b</t></is></c></row>"
    assert run(workbook(bodies=(body,))).rows[2]["title"] == "b"


@pytest.mark.parametrize(
    "rows",
    [
        GOOD_ROW + GOOD_ROW,
        row(3, inline("A3", "x")) + row(2, inline("A2", "y")),
        row(2, inline("A2", "x"), inline("A2", "y")),
        row(2, inline("XFE2", "x")),
        row(2, inline("A2", "x"), '<c r="B2" t="s"><v>99</v></c>'),
        row(2, inline("A2", "x"), '<c r="B2" t="s"><v>-1</v></c>'),
        row(2, inline("A2", "x"), num("C2", "abc")),
        row(2, inline("A2", "x"), num("C2", "1_0")),
        row(2, inline("A2", "x"), num("C2", "１２")),
        row(2_000_000, inline("A2000000", "x")),
        '<row r="x"></row>',
    ],
)
def test_a_sheet_that_contradicts_itself_is_damaged(run, rows):
    checked = run(workbook(rows, strings="<si><t>only</t></si>"))
    assert checked.errors == [(1, "corrupt")]
    assert not checked.rows


def test_a_value_far_to_the_right_is_too_big(run):
    assert run(workbook(GOOD_ROW + row(1048576, inline("XFD1048576", "x")))).errors == [(1048576, "too_big")]


def test_a_workbook_without_cells_or_visible_sheets_is_empty(run):
    assert run(workbook(bodies=("",))).errors == [(1, "empty")]
    assert run(workbook(sheets=(("A", "hidden"),))).errors == [(1, "empty")]


ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:automatic-styles><style:style style:name="h">'
    '<style:table-properties table:display="false"/></style:style></office:automatic-styles><office:body>'
    '<office:spreadsheet><table:table table:name="Hidden" table:style-name="h"/><table:table table:name="Data">{}'
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/>'
    "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
)


def ods(*rows, manifest="<m/>"):
    texts = []
    for cells in rows:
        inner = "".join(
            cell
            if cell.startswith("<")
            else f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in cells
        )
        texts.append(f"<table:table-row>{inner}</table:table-row>")
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return packed(
        {
            "mimetype": kind,
            "META-INF/manifest.xml": manifest.encode(),
            "content.xml": ODS.format("".join(texts)).encode(),
        }
    )


def ods_cell(kind, value, shown):
    attributes = f'office:value-type="{kind}" office:value="{value}"'
    return f"<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell>"


def test_an_opendocument_sheet_is_read_with_formats_and_without_its_endless_tail(run):
    checked = run(
        ods(
            ["sku", "title", "quantity", "price"],
            [
                ods_cell("float", "123", "00123"),
                "a",
                ods_cell("float", "3", "3"),
                ods_cell("currency", "12.5", "12,50 €"),
            ],
            [ods_cell("date", "45000", "1.1.2024"), "b", "1", "1"],
            ["C", "c", ods_cell("float", "0", "#DIV/0!"), "1"],
            ["D", "d", "1", ods_cell("percentage", "0.12", "12 %")],
        ),
        name="a.ods",
    )
    assert checked.rows == {2: {"sku": "00123", "title": "a", "quantity": 3, "price": "12.5", "match_key": "00123"}}
    assert checked.errors == [(3, "date_in_text"), (4, "error_value"), (5, "not_a_number")]
    assert checked.report.sheet == "Data"


def test_what_is_drawn_or_nested_in_a_cell_ends_no_sheet(run):
    nested = (
        '<table:table-cell><table:table table:name="inner"><table:table-row><table:table-cell><text:p>no</text:p>'
        "</table:table-cell></table:table-row></table:table></table:table-cell>"
    )
    drawn = (
        '<table:table-cell><draw:frame xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0">'
        "<text:p>no</text:p></draw:frame><text:p>Mug</text:p></table:table-cell>"
    )
    checked = run(ods(["sku", "title"], ["A-1", nested], ["A-2", drawn]))
    assert [sheet.name for sheet in checked.report.sheets] == ["Hidden", "Data"]
    assert {number: (row["sku"], row.get("title")) for number, row in checked.rows.items()} == {
        2: ("A-1", None),
        3: ("A-2", "Mug"),
    }


def test_an_encrypted_opendocument_sheet_says_so(run):
    assert run(ods(["sku"], manifest="<m><encryption-data/></m>")).errors == [(1, "encrypted")]


def test_a_row_repeated_without_end_is_too_big_and_one_repeated_twice_is_two_rows(run):
    def repeated(count):
        cells = '<table:table-cell office:value-type="string"><text:p>A</text:p></table:table-cell>' * 2
        tail = f'<table:table-row table:number-rows-repeated="{count}">{cells}</table:table-row>'
        header = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>'
            for name in ("sku", "title")
        )
        body = ODS.format(f"<table:table-row>{header}</table:table-row>{tail}").encode()
        return packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": body})

    twice = run(repeated(2))
    assert (twice.report.rows, twice.report.rows_skipped) == (2, 1)
    assert run(repeated(1_000_000)).errors == [(2, "too_big")]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("00000", "00007"),
        ("00000;-00000", "00007"),
        ("[Red]000", "007"),
        ("&quot;S-&quot;000", "S-007"),
        ("000-000", "000-007"),
        ("0\\-0", "0-7"),
        ("[$-409]00&quot;/A&quot;", "07/A"),
        ("000_);(000)", "007"),
        ("&quot;€&quot; #,##0", "7"),
        ("0.00", "7"),
        ("0%", "7"),
        ("[$€-407] 00", "7"),
        ("[&gt;5]00;000", "7"),
        ("#,##0", "7"),
        ("0", "7"),
    ],
)
def test_a_code_is_what_its_format_of_zeros_shows(run, code, expected):
    styles = (
        f'<numFmts count="1"><numFmt numFmtId="170" formatCode="{code}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>'
    )
    checked = run(workbook(row(2, num("A2", "7", ' s="1"'), inline("B2", "x")), styles=styles))
    assert checked.rows[2]["sku"] == expected


def test_a_wrong_sheet_is_refused_with_the_names_of_the_others(run):
    notes = row(1, inline("A1", "Read me")) + row(2, inline("A2", "Dear all"))
    book = workbook(sheets=(("Notes", "visible"), ("Products", "visible")), bodies=(notes, HEADER + GOOD_ROW))
    refused = run(book)
    assert refused.errors == [(1, "missing_column")]
    assert "Notes, Products" in refused.report.errors[0].message
    assert list(run(book, sheet="Products").rows) == [2]


@pytest.mark.parametrize("kind", ["inlineStr", "str"])
@pytest.mark.parametrize("beside", ["", ' xml:space="preserve"', "<!-- read by events -->"])
def test_an_escape_is_read_once_in_every_kind_of_text_cell(run, make_book, kind, beside):
    attributes, comment = (beside, "") if beside.startswith(" ") else ("", beside)
    text = "S_x005F_x0041_"
    value = f"<is><t{attributes}>{text}</t></is>" if kind == "inlineStr" else f"<v{attributes}>{text}</v>"
    sku = f'<c r="A2" t="{kind}">{value}</c>'
    rows = f'<row r="2">{sku}{comment}{inline("B2", "a_x000A_b")}</row>'
    assert run(make_book(rows), name="book.xlsx").rows[2] == {
        "sku": "S_x0041_",
        "title": "a\nb",
        "match_key": "S_x0041_",
    }


@pytest.mark.parametrize("stored", ["1234567.123456789", "0.3333333333333333", "90071992547409.93"])
def test_a_fraction_with_more_digits_than_a_spreadsheet_keeps_is_no_sku(run, make_book, stored):
    rows = f'<row r="2"><c r="A2"><v>{stored}</v></c>{inline("B2", "a")}</row>'
    assert run(make_book(rows), name="book.xlsx").errors == [(2, "precision_lost")]


@pytest.mark.parametrize(("stored", "sku"), [("90.75", "90.75"), ("12.300000000000001", "12.3"), ("0.1", "0.1")])
def test_the_noise_of_a_binary_fraction_is_no_digit(run, make_book, stored, sku):
    rows = f'<row r="2"><c r="A2"><v>{stored}</v></c>{inline("B2", "a")}</row>'
    assert run(make_book(rows), name="book.xlsx").rows[2]["sku"] == sku
