"""CSV and its relatives: encodings, delimiters, quotes, line ends, and rows that do not fit."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from importers.report import DEFAULT

HEAD = "sku,title,quantity,price,barcode\r\n"
WORDS = "sku,title\nA-1,{}\n"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(
            ("utf-8", "Größe „M“ Écharpe 緑茶"),
            ("utf-8-sig", "Größe"),
            ("utf-16", "Zażółć"),
            ("utf-16-le", "Item Item"),
        ),
        *(("utf-16-be", "Item Item"), ("utf-32", "Größe"), ("cp1252", "Größe – 12 € d’été"), ("latin-1", "Ação ñandú")),
    ],
)
def test_letters_survive_without_a_word_about_their_encoding(run, encoding, text):
    checked = run(WORDS.format(text).encode(encoding))
    assert checked.report.outcome == "accept"
    assert checked.rows[2]["title"] == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(
            ("shift_jis", "緑茶 ５０ｇ ソ表能"),
            ("gb18030", "绿茶 五十克 🍵"),
            ("cp1251", "Кружка синяя"),
            ("euc-kr", "머그컵"),
        ),
        *(("cp850", "Größe été año"), ("mac-roman", "Größe été"), ("big5", "綠茶"), ("cp1253", "Κούπα μπλε")),
    ],
)
def test_other_encodings_are_read_when_named_and_never_silently_guessed(run, encoding, text):
    content = WORDS.format(text).encode(encoding)
    assert run(content, encoding=encoding).rows[2]["title"] == text
    guessed = run(content)
    if guessed.report.outcome == "accept":
        assert (guessed.rows[2]["title"], guessed.warnings) == (text, {"encoding_guessed"})
    else:
        assert guessed.errors[0][1] == "bad_encoding"


def test_damaged_utf8_loses_its_row_and_nothing_else(run):
    checked = run(HEAD.encode() + b"A-1,ok,1,1.00,\r\nA-2,\xed\xa0\x80\xc0\xaf\xff,1,1.00,\r\n")
    assert checked.errors == [(3, "bad_encoding")]
    assert list(checked.rows) == [2]
    mixed = run("sku,title\nA-1,Café\n".encode() + b"A-2,Caf\xe9\n")
    assert mixed.errors == [(3, "bad_encoding")]


def test_an_unknown_encoding_is_named(run):
    assert run(HEAD + "A,b,1,1,", encoding="klingon").errors == [(1, "bad_encoding")]
    assert run(HEAD + "A,b,1,1,", encoding="rot13").errors == [(1, "bad_encoding")]
    assert run(HEAD + "A,b,1,1,", encoding="utf-7").errors == [(1, "bad_encoding")]


@pytest.mark.parametrize(
    ("content", "delimiter", "rows"),
    [
        ('sku;title;price\nA;"Schraube; M3";1.50\nB;Mutter;2.00\n', ";", [2, 3]),
        ("sku\ttitle\tprice\nA\t1, 2, 3, 4\t1.50\nB\ta, b, c, d\t2\n", "\\t", [2, 3]),
        ("sku|title|price\nA|x|1.50\n", "|", [2]),
        ('sep=;\r\nsku;title;price\r\nA;"x; y";1.50\r\n', ";", [3]),
        ('"sku","title"\n"A","b"\n', ",", [2]),
        ("sku,title,price\rA,x,1.50\rB,y,2\r", ",", [2, 3]),
        ("sku,title,price\r\nA,x,1\nB,y,2\rC,z,3", ",", [2, 3, 4]),
        ("sku,title\n\nA,x\n\n\nB,y\n", ",", [3, 6]),
        ('sku,title\nA,"one\ntwo"\nB,z\n', ",", [2, 3]),
        ("\ufeffsku,title\nA,x\n\ufeffB,y\n", ",", [2, 3]),
    ],
)
def test_row_numbers_and_delimiters_are_those_a_spreadsheet_shows(run, content, delimiter, rows):
    checked = run(content)
    assert checked.report.outcome == "accept", checked.report.errors
    assert checked.report.delimiter == delimiter
    assert list(checked.rows) == rows


def test_quotes_commas_and_line_breaks_inside_quotes_are_text(run):
    checked = run('sku,title\nA,"He said ""hi"", then left"\nB,"line one\nline two"\n')
    assert checked.rows[2]["title"] == 'He said "hi", then left'
    assert checked.rows[3]["title"] == "line one\nline two"


def test_a_chosen_delimiter_wins_and_a_wrong_one_is_named(run):
    assert run("sku;title\nA,1;b\n", delimiter=";").rows[2]["sku"] == "A,1"
    assert run("sku|title\nA|b\n", delimiter="pipe").rows[2]["title"] == "b"
    assert run("sku|title\nA|b\n", delimiter="||").errors == [(1, "unknown_value")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("A-1,short,1", "ragged_row"),
        ("A-2,long,2,2.00,,extra,more", "ragged_row"),
        ("A-1,Screw, 3,12,3.50,", "ragged_row"),
        ('A-1,"12" monitor",1,1.00,', "unterminated_quote"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_before_its_price_is_read_from_the_wrong_column(run, row, expected):
    checked = run(HEAD + row + "\r\nA-3,ok,3,3.00,\r\n")
    assert checked.errors == [(2, expected)]
    assert list(checked.rows) == [3]


def test_a_quote_that_is_never_closed_refuses_the_file_at_its_row(run):
    checked = run(HEAD + 'A-1,ok,1,1.00,\r\nA-2,"open,2,2.00,\r\nA-3,ok,3,3.00,\r\n')
    assert checked.report.outcome == "reject"
    assert checked.errors == [(3, "unterminated_quote")]
    assert not checked.rows


@pytest.mark.parametrize(
    "rows",
    [
        'A-2,"b,2,2.00,\r\nA-3,c",3,3.00,\r\n',
        'A-2,"b,,2.00,\nA-3,c,3,,x\nA-4,d",4,4.00,\n',
        'A-2,"b,2,2.00,\rA-3,c",3,3.00,\r',
    ],
)
def test_quotes_that_draw_rows_together_are_named_and_no_row_is_lost_in_a_title(run, rows):
    checked = run(HEAD + "A-1,a,1,1.00,\r\n" + rows + "A-9,z,9,9.00,\r\n")
    assert checked.errors == [(3, "unterminated_quote")]
    assert "“b" in checked.report.errors[0].message
    assert [row["sku"] for row in checked.rows.values()] == ["A-1", "A-9"]


def test_a_text_of_several_lines_that_have_as_many_delimiters_as_the_header_is_text(run):
    checked = run('sku,title,quantity\n1,"Soft, warm\nnice, cosy",5\nB,"1, 2\n3, 4",5\nC,"soft, warm\nnice, cosy",\n')
    assert [row["title"] for row in checked.rows.values()] == [
        "Soft, warm\nnice, cosy",
        "1, 2\n3, 4",
        "soft, warm\nnice, cosy",
    ]


def test_quotes_behind_spaces_open_a_cell_when_all_rows_fit_then(run):
    checked = run('sku, "title", price\nA, "one, two", 1.00\nB, "say ""hi""", 2.00\n')
    assert [row["title"] for row in checked.rows.values()] == ["one, two", 'say "hi"']
    assert run('sku,title,price\nA, "Big" cup,1.00\nB,b,2.00\n').rows[2]["title"] == '"Big" cup'


def test_a_row_with_a_stray_quote_in_a_file_of_one_column_is_named_too(run):
    assert run('quantity\n"1"x\n', kind="stock", mapping={"quantity": "sku"}).errors[0][1] == "missing_column"
    checked = run('id\n"1"x\n2\n', kind="listings")
    assert checked.errors == [(2, "unterminated_quote")]
    assert list(checked.rows) == [3]


def test_amazon_reports_have_no_quotes(run):
    head = "item-name\tlisting-id\tseller-sku\tprice\tquantity\tproduct-id-type\tproduct-id\tfulfillment-channel\n"
    rows = (
        '"Best" mug 12"\tL1\tS-1\t9.99\t3\t4\t4006381333931\tDEFAULT\n'
        'Open "quote\tL2\tS-2\t1\t\t1\tB000000001\tAMAZON_EU\n'
    )
    checked = run(head + rows, kind="listings", name="report.txt")
    assert checked.report.preset == "amazon_all_listings"
    assert checked.rows[2]["title"] == '"Best" mug 12"'
    assert checked.rows[2]["gtin"] == "4006381333931"
    assert "quantity" not in checked.rows[3]
    assert "gtin" not in checked.rows[3]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n\n", b" , , \n", HEAD.encode()])
def test_a_file_without_rows_is_empty(run, content):
    assert run(content).errors[0][1] == "empty"


def test_marks_that_cannot_be_stored_are_named(run):
    checked = run(b"sku,title\nA\x00B,x\nC,bell\x07\nD\tE,x\nF,\xc2\x85ok\n")
    assert checked.errors == [(2, "control_char"), (3, "control_char"), (4, "control_char")]


def test_cells_have_a_longest_length_in_characters(run):
    checked = run(f"sku,title\n{'é' * 255},a\n{'L' * 256},a\nC,{'t' * 32_767}\nD,{'t' * 32_768}\n")
    assert checked.errors == [(3, "too_long"), (5, "too_long")]
    assert set(checked.rows) == {2, 4}
    huge = run(f"sku,title\nA,{'x' * 300_000}\nB,ok\n")
    assert huge.errors == [(2, "too_long")]
    assert run(f"sku,title\nA,{'x' * 2_000_000}\nB,ok\n").errors == [(2, "too_big")]


def test_too_many_columns_and_rows_are_refused(run):
    wide = ",".join(["sku", *(f"c{n}" for n in range(1000))])
    assert run(f"{wide}\n").errors == [(1, "too_big")]
    few = replace(DEFAULT, rows=2)
    assert run("sku,title\nA,a\nB,b\nC,c\n", limits=few).errors == [(4, "too_big")]
    assert run("sku,title\nA,a\nB,b\n", limits=few).report.rows_ok == 2


def test_a_compressed_text_is_read_and_a_compressed_bomb_is_not(run):
    assert run(gzip.compress(b"sku,title\nA,b\n"), name="report.txt.gz").rows[2]["title"] == "b"
    assert run(gzip.compress(b"sku,title\n" + b" " * 30_000_000)).errors == [(1, "too_big")]
    assert run(gzip.compress(b"sku,title\nA,b\n" * 9999)[:-30]).errors[0][1] == "corrupt"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        *((b"\x89PNG\r\n\x1a\n\0\0", "PNG"), (b"%PDF-1.7\n1 0 obj", "PDF"), (b"<!DOCTYPE html><table>", "web page")),
        *((b"<html><body>sku", "web page"), (b'{"sku": "A"}', "JSON"), (b'[{"sku": "A"}]', "JSON")),
        *(
            (b'<?xml version="1.0"?><rss/>', "XML"),
            (b"{\\rtf1 sku,title}", "rich text"),
            (b"\x7fELF\x02\x01", "program"),
        ),
        *((b"SQLite format 3\0", "database"), (bytes(range(256)) * 40, "binary"), (b"GIF89a,", "GIF")),
    ],
)
@pytest.mark.parametrize("name", ["file.csv", "file.xlsx", "file.xls", "file.ods"])
def test_what_is_no_table_is_called_by_its_name(run, content, named, name):
    checked = run(content, name=name)
    assert checked.errors == [(1, "not_a_spreadsheet")]
    assert named in checked.report.errors[0].message


def test_text_in_a_file_called_workbook_is_read_with_a_word_about_it(run):
    checked = run("sku\ttitle\nA\tb\n", name="export.xls")
    assert checked.rows[2]["title"] == "b"
    assert "type_differs" in checked.warnings


def test_a_delimiter_at_the_end_of_every_line_is_no_column(run):
    checked = run("sku,title,price,\nA,x,1.50,\nB,y,2,\nC,z,3\n")
    assert checked.report.outcome == "accept"
    assert list(checked.rows) == [2, 3, 4]


def test_blank_lines_are_passed_over_up_to_a_point(run):
    assert list(run("\n" * 500 + "sku,title\n" + "\n" * 500 + "A,x\n").rows) == [1002]
    few = replace(DEFAULT, rows=10)
    assert run("sku,title\nA,x\n" + "\n" * 40, limits=few).errors == [(31, "too_big")]
    assert run("sku,title\nA,x\n" + " , \n" * 40, limits=few).errors == [(31, "too_big")]


def test_what_is_left_of_broken_letters_keeps_no_product_out(run):
    """A title or a description may hold U+0080 to U+009F, as real catalogues do; an identifier may not."""
    rows = ["sku,title,description", "A,x,caf\u00c3\u0080 \u009dend", "B,x\u009d,y", "C\u0081D,x,y", "E,x,bell\x07"]
    checked = run("\n".join(rows).encode())
    assert checked.errors == [(4, "control_char"), (5, "control_char")]
    assert set(checked.rows) == {2, 3}


@pytest.mark.parametrize(("encoding", "chosen"), [("utf-8-sig", "cp1252"), ("utf-16", "utf-8"), ("utf-8", "utf-16")])
def test_a_choice_that_the_first_bytes_contradict_is_named_and_breaks_no_letter(run, encoding, chosen):
    checked = run("sku,title\nA,Café\n".encode(encoding), encoding=chosen)
    assert checked.errors == [(1, "bad_encoding")]


def test_a_letter_that_was_lost_before_is_kept_with_a_warning_but_never_in_a_sku(run):
    checked = run("sku,title\nA,Caf\ufffd\nB\ufffd,Mug\n")
    assert (checked.errors, checked.warnings) == ([(3, "bad_encoding")], {"letters_lost"})
    assert checked.rows[2]["title"] == "Caf\ufffd"


def test_a_separator_line_that_is_not_true_any_more_is_passed_over(run):
    assert run("sep=|\nsku;title\nA;b\n").rows == {3: {"sku": "A", "match_key": "A", "title": "b"}}


def test_the_end_mark_of_old_programs_is_no_row(run):
    assert run("sku,title\r\nA,b\r\n\x1a").report.outcome == "accept"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("MIME-Version: 1.0\nContent-Type: multipart/related\n\n<html></html>\n", "not_a_spreadsheet"),
        ("\n<div><table><tr><td>sku</td></tr></table></div>", "not_a_spreadsheet"),
        ('ID;PWXL;N;E\nC;Y1;X1;K"sku"\nE\n', "unsupported_format"),
        ("TABLE\r\n0,1\r\n", "unsupported_format"),
    ],
)
def test_text_that_only_looks_like_a_table_is_called_by_its_name(run, content, code):
    assert run(content, name="export.xls").errors == [(1, code)]


def test_a_table_whose_first_headers_are_id_and_a_word_with_p_is_a_table(run):
    assert run("ID;Producto;SKU\n1;Taza;A\n").rows[2]["sku"] == "A"


def test_a_sheet_that_is_named_for_a_text_is_said_not_to_exist(run):
    checked = run("sku,title\nA,Mug\n", sheet="Sheet1")
    assert (list(checked.rows), checked.warnings) == ([2], {"no_sheets"})
    assert "“Sheet1”" in checked.report.warnings[0].message


@pytest.mark.parametrize("mark", ["~", "^", "\x1f", "\x01", "¦", ":"])
def test_a_rare_delimiter_is_found_where_no_usual_one_cuts(run, mark):
    checked = run(
        "\n".join(mark.join(cells) for cells in (("sku", "title", "quantity"), ("A-1", "a", "5"), ("B", "b", "2")))
    )
    assert (checked.report.delimiter, checked.rows[2]["quantity"], list(checked.rows)) == (mark, 5, [2, 3])


def test_a_file_of_one_column_is_asked_for_its_delimiter(run):
    refused = run("sku title quantity\nA-1 a 5\nB b 2\n")
    assert refused.errors == [(1, "missing_column")]
    assert "one column only, “sku title quantity”" in refused.report.errors[0].message
    assert run("url\nhttps://x/1\nhttps://x/2\n").report.delimiter == ","


@pytest.mark.parametrize(
    "content",
    [
        '"sku,title,quantity"\n"A-1,""a, b"",5"\n"B,c,2"\n',
        '"sku;""title"";quantity"\r\n"A-1;a, b;5"\r\n"B;c;2"\r\n',
        "'sku','title','quantity'\n'A-1','a, b','5'\n'B','c','2'\n",
        "“sku”,“title”,“quantity”\n“A-1”,“a, b”,“5”\n“B”,“c”,“2”\n",
    ],
)
def test_other_quotation_marks_are_left_out_and_told_of(run, content):
    checked = run(content)
    assert [(row["sku"], row["title"], row["quantity"]) for row in checked.rows.values()] == [
        ("A-1", "a, b", 5),
        ("B", "c", 2),
    ]
    assert checked.warnings == {"other_quotes"}


def test_plain_quotation_marks_around_all_cells_are_no_others(run):
    checked = run('"sku","title"\n"A-1","say “hi”"\n"B","\'x\'"\n')
    assert [row["title"] for row in checked.rows.values()] == ["say “hi”", "'x'"]
    assert checked.warnings == set()


ESCAPED = r"""sku,title,quantity
"A-1","A \"blue\", round mug",5
"A-2","C:\\",6
"A-3","two \
lines",\N
"A-4","\\N and \d",7
"""


def test_a_backslash_before_a_quotation_mark_is_understood_where_nothing_else_cuts(run):
    checked = run(ESCAPED.encode(), name="a.csv")
    assert checked.report.outcome == "accept"
    assert [row["title"] for row in checked.rows.values()] == [
        'A "blue", round mug',
        "C:\\",
        "two \nlines",
        "\\N and \\d",
    ]
    assert [row.get("quantity") for row in checked.rows.values()] == [5, 6, None, 7]
    assert checked.warnings == {"other_quotes"}


@pytest.mark.parametrize(
    ("title", "read"),
    [('"C:\\"', "C:\\"), ('"24"" \\d"', '24" \\d'), ('"a\\b \\""x\\"""', 'a\\b \\"x\\"'), ("\\N", "\\N")],
)
def test_a_backslash_is_itself_where_quotation_marks_are_doubled(run, title, read):
    checked = run(f'sku,title,quantity\n"A-1",{title},5\n"A-2","C:\\",6\n'.encode(), name="a.csv")
    assert [row["title"] for row in checked.rows.values()] == [read, "C:\\"]
    assert checked.warnings == set()


def test_a_backslash_mends_nothing_that_stays_broken(run):
    broken = run(b'sku,title,quantity\n"A-1","A \\"b\\" c",5\n"A-2","24" wide",6\n"A-3",x,7\n', name="a.csv")
    assert broken.errors == [(2, "unterminated_quote"), (3, "unterminated_quote")]
