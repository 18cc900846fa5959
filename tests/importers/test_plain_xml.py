"""Rows that are taken apart at once are the rows that a parser finds, in whatever way a program has written them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import plain_xml
from importers.report import FileRefused, Limits
from importers.tables import Hidden
from importers.workbooks import _Rows, _SheetParser

STRINGS = ["shared", "", " second "]
STYLES = [None, "date", 5]
SPECIAL = ["a&amp;b", "&lt;", "&#233;", "&#x41;", "_x000D_", "_x005F_x", "é", "]] >", "x" * 60, " ", "", "\t", "1"]

texts = st.sampled_from(SPECIAL) | st.text("ab1 ", max_size=4)
numbers = st.sampled_from(["1", "12.5", "1E5", "007", "-3", "x", "45000"])
styles = st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="9"', " s='1'", ' s="1" cm="1"'])
values = st.one_of(
    numbers.map(lambda v: ("", f"<v>{v}</v>")),
    numbers.map(lambda v: ("", f"<f>A1+1</f><v>{v}</v>")),
    st.just(("", "<f>A1+1</f>")),
    st.just(("", '<f t="shared" si="0"/><v>7</v>')),
    st.just(("", "")),
    st.sampled_from(["0", "1", "2", "3", "-1"]).map(lambda v: (' t="s"', f"<v>{v}</v>")),
    texts.map(lambda v: (' t="inlineStr"', f"<is><t>{v}</t></is>")),
    texts.map(lambda v: (' t="inlineStr"', f'<is><t xml:space="preserve">{v}</t></is>')),
    texts.map(lambda v: (' t="inlineStr"', f"<is><r><t>{v}</t></r><rPh><t>no</t></rPh></is>")),
    texts.map(lambda v: (' t="str"', f"<v>{v}</v>")),
    texts.map(lambda v: (' t="inlineStr"', f"<is><t><![CDATA[{v}</t></c></row>]]></t></is>")),
    st.sampled_from([(' t="b"', "<v>1</v>"), (' t="e"', "<v>#N/A</v>"), (' t="d"', "<v>2024-01-01</v>")]),
)
between = st.sampled_from(
    [""] * 12 + ["\n", "\r\n", "<!-- </row> -->", "<?pi </row>?>", '<row r="1"/>', "<x/>", "&amp;", "\x01", "<c/>"]
)


@st.composite
def cells(draw, row):
    column = draw(st.sampled_from("ABCDEFZ"))
    kind, content = draw(values)
    style = draw(styles)
    place = draw(st.sampled_from([f' r="{column}{row}"'] * 9 + ["", f' r="{row}"', f' r="1{column}"']))
    return f"<c{place}{style}{kind}>{content}</c>" if content else f"<c{place}{style}{kind}/>"


@st.composite
def sheets(draw):
    rows = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        kept = sorted(draw(st.lists(cells(number), max_size=5)), key=lambda cell: cell[6:7])
        more = draw(
            st.sampled_from(["", ' spans="1:5"', ' hidden="1"', ' x:dyDescent="0.25"', ' ht="20" hidden="true"'])
        )
        stated = draw(st.sampled_from([f' r="{number}"'] * 9 + ["", ' r="1"']))
        rows.append(f"<row{stated}{more}>{''.join(kept)}</row>{draw(between)}")
    head = draw(st.sampled_from(["", '<?xml version="1.0" encoding="UTF-8"?>', '<?xml version="1.0"?>\r\n']))
    data = f"<sheetData>{''.join(rows)}</sheetData>"
    return f'{head}<worksheet xmlns="m" xmlns:x="x"><cols><col min="2" max="2" hidden="1"/></cols>{data}</worksheet>'


def read(sheet: bytes, size: int):
    """The rows of a sheet that comes in pieces of this size, and what is hidden; or the code of its refusal."""
    hidden = Hidden()
    rows = _Rows(STRINGS, STYLES, hidden, Limits(cell_characters=50, columns=20))
    parser = _SheetParser(rows, 51)
    try:
        for start in range(0, len(sheet), size):
            parser.push(sheet[start : start + size])
        parser.close()
    except FileRefused as refusal:
        return refusal.problem.code
    found = [
        (number, [cell[:51] if isinstance(cell, str) else cell for cell in cells]) for number, cells in rows.take()
    ]
    return found, hidden


def listened(sheet: bytes):
    """The same by the parser alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_xml, "_LONGEST", 0)
        return read(sheet, max(1, len(sheet)))


@given(sheets(), st.integers(1, 400))
def test_no_way_of_writing_makes_a_difference(sheet, size):
    assert read(sheet.encode(), size) == listened(sheet.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_for_the_parser(encoding):
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>é</t></is></c></row>' for n in range(1, 4))
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    sheet = f"{head}<worksheet><sheetData>{rows}</sheetData></worksheet>".encode(encoding)
    assert read(sheet, 90)[0] == [(1, ["é"]), (2, ["é"]), (3, ["é"])]


@pytest.mark.parametrize("damage", [b"\xff", b"\x00", b"\x0b", b"]]>", b"\xef\xbf\xbe", b"&nbsp;", b"&amp"])
def test_what_xml_forbids_is_refused_in_the_middle_too(damage):
    def written(text):
        rows = b"".join(b'<row r="%d"><c r="A%d" t="str"><v>%s</v></c></row>' % (n, n, text) for n in range(1, 9))
        return b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"

    assert read(written(b"a"), 100)[0][7] == (8, ["a"])
    whole = written(b"a")
    middle = whole.index(b"a</v>", len(whole) // 2)
    assert read(whole[:middle] + damage + whole[middle:], 100) == "corrupt"


def test_plain_rows_are_really_taken_at_once(monkeypatch):
    seen = []
    monkeypatch.setattr(_SheetParser, "_start", lambda self, tag, attributes, old=_SheetParser._start: (
        seen.append(tag), old(self, tag, attributes))[1])  # fmt: skip
    rows = "".join(f'<row r="{n}" spans="1:2"><c r="A{n}" s="2"><v>1</v></c><c r="B{n}" t="s"><v>0</v></c></row>'
                   for n in range(1, 2001))  # fmt: skip
    found, _ = read(f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode(), 1 << 12)
    assert len(found) == 2000
    assert seen.count("row") < 100
