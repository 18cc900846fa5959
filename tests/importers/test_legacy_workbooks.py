"""Workbooks read with calamine: what it gives becomes the same cells that the other readers give."""

from __future__ import annotations

import base64
import datetime
import zlib

import pytest

from importers.biff_errors import error_cells
from importers.cells import Mark, Number
from importers.legacy_workbooks import _cell, open_legacy
from importers.report import DEFAULT, FileRefused, Options
from tests.importers.conftest import GOOD_ROW, HEADER, inline, workbook


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        *(
            ("text", "text"),
            ("", ""),
            (None, ""),
            (5.0, Number("5.0")),
            (7, Number("7")),
            (True, Mark("bool_in_text", "TRUE")),
        ),
        (datetime.date(2024, 1, 2), Mark("date_in_text", "2024-01-02")),
        (datetime.timedelta(hours=1), Mark("date_in_text", "1:00:00")),
    ],
)
def test_every_value_of_calamine_becomes_a_cell(value, cell):
    assert _cell(value) == cell


def test_rows_keep_their_numbers_and_places(tmp_path):
    path = tmp_path / "upload"
    far = f'<row r="4">{inline("B4", "sku")}{inline("C4", "title")}</row><row r="9">{inline("B9", "A")}</row>'
    path.write_bytes(workbook(bodies=(far,)))
    table = open_legacy(path, "xls", Options(), DEFAULT)
    assert list(table.rows()) == [(4, ["", "sku", "title"]), (9, ["", "A"])]
    assert [code for code, _ in table.doubts] == ["errors_unseen"]


def test_hidden_sheets_are_skipped_here_too(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(workbook(sheets=(("Old", "hidden"), ("New", "visible")), bodies=(HEADER, HEADER + GOOD_ROW)))
    assert open_legacy(path, "xlsb", Options(), DEFAULT).sheet == "New"


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, b"nothing"])
def test_what_calamine_cannot_open_is_damaged(tmp_path, content):
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        open_legacy(path, "xls", Options(), DEFAULT)
    assert caught.value.problem.code == "corrupt"


#: A sheet “Old” that is hidden, and “Stock” with numbers, a date, a truth value and two error cells; our own sample.
XLS = zlib.decompress(
    base64.b85decode(
        b"c-rk)O=wd=5dQY%y(X#sN%{w^P(s0~wNkVQUTSPXd$QI)EFx%{<Pef3HKu3_YPIGh1;LZzrBDxEs$Qz1g5t%4P|<@R2(2Ckp`hTQ"
        b"ZJe3+Qk&R916r)SdF<@$?9A-!?CkD)@6D8Vdh9{n4Dw(P99YP>QM81osJOEY52!zrVKQ60sAOzdSKxNhLKYc#Qu^A-Ysl+80}c1}"
        b"7leUNR8FEFU5R+uw}#LmJ_Ho|(57_CJq@?1l%ZDqst_C$Tq*dT$UYUkS2&}B+emg=oxqg8t7*5D$30qu^pz1-cqlp_gtG(Hc*S{q"
        b">AEsy4YVgCf!I3hsMkv{4qDRAa6Fvkb~)~#7zl-0`ubW138qm+%RP?o86WU1yRV=7Z2sEv6^Q>Mm+xGG@1jM_=iktDU>KRxijz5w"
        b"4d~K26C5}g3#Cztaf1a797!dD(K#F=32-Wq1kOeWs5cc!#lm!apBV_mi5?_Ye=-sbQ~vY@lEFkMOy~a5z)-*!n2p3pt$q7W!L5{a"
        b"=Y`tE2F=sNlXIGs${s5r974I!UfF3Ln#|nY*|!IJyZxtxGb}fVdCzR(Ng;#FtU=0Ui#;Z85{+$wuZY!+Le~kdqS;d2*j;TA`$t6P"
        b"s`NI}IIRNj{F|51TZm47IrOML{n@{j=!wpmp{j}Z{xLMry%!>Ven!x&n$@kF43GWUT3IL3N5QqfolY*zWBH!3F4J<%%OZf{Avdm8"
        b"fk_sn)9V+kMO4i@-dM*`HCBwO+2ZJ^#g=BpYTnueUfu{+OQ)7@Syp+LFKWfY^Wv*A<&{|G$UP%Zl~}G3iEEW?*+CIjViP@m7tS?~"
        b"cCcM-8ILv5;*~Ho7q!@uQ<*gDH!0S1i1)dg4$<VqVE-K8m`%RaWCnVkJloSnUWu+Q{=2OC8WN3M>xM|XE$hZ&>?B*UT(;U^gAF#="
        b"V1o_+Iw*NVkWT@5Gcc_8L8tX!XP(M}{hQ>!g~LeDlcG<`eTY+?#9%@BQv*X~ZK+l2Wd9d39H-Hfh@w~gh!&i`^nIX~&S%w%o<FyR"
        b"3LSr;5I_I&_&)(YTpjW"
    )
)


def test_errors_of_an_xls_sheet_are_found_although_calamine_shows_them_as_blank(run):
    checked = run(XLS, name="stock.xls")
    assert checked.report.sheet == "Stock"
    assert checked.errors == [(3, "error_value"), (3, "error_value"), (4, "date_in_text"), (5, "bool_in_text")]
    assert checked.rows[2] == {
        "sku": "123",
        "title": "Taza añil",
        "quantity": 5,
        "price": "12.5",
        "gtin": "4006381333931",
        "match_key": "123",
    }
    assert checked.rows[6]["quantity"] == 0
    assert "errors_unseen" not in checked.warnings


@pytest.mark.parametrize("place", range(0, 5632, 97))
def test_a_walk_over_damaged_records_ends_without_an_error(place):
    damaged = XLS[:place] + b"\xff\xfe\x01" + XLS[place + 3 :]
    found = error_cells(damaged, 1)
    assert found is None or all(text.startswith("#") for text in found.values())
    assert error_cells(XLS[:place], 1) in (None, {}) or place > 4000
