"""Forms that cannot be read are told what is wrong with them, with the CSRF check on, as people meet it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from webapp.db import unit_of_work
from webapp.forms import AMOUNT, plain_amount
from webapp.models import ImportJob

EDGE = "edge-of-a-part"


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    app.config["WTF_CSRF_ENABLED"] = True
    return app


def upload(browser: FlaskClient, *, name: bytes = b"rows.csv", end: bytes = b"--\r\n", more: bytes = b""):
    """Post the import form byte by byte as given."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/import").text).group(1)
    edge = EDGE.encode()
    fields = {b"csrf_token": token.encode(), b"kind": b"products", b"note": more}
    body = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (edge, field, value)
        for field, value in fields.items()
    )
    body += b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n' % (edge, name)
    body += b"Content-Type: text/csv\r\n\r\nsku,title\r\nA-1,Cup\r\n\r\n--" + edge + end
    return browser.post("/import", data=body, content_type=f"multipart/form-data; boundary={EDGE}")


def jobs(app: Flask) -> int:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(ImportJob))


def test_a_plain_name_and_a_name_in_utf8_are_taken(app, browse):
    bob = browse("bob")
    assert upload(bob).status_code == 303
    assert upload(bob, name="価格表.csv".encode()).status_code == 303
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert list(session.scalars(select(ImportJob.file_name))) == ["rows.csv", "価格表.csv"]


@pytest.mark.parametrize(
    "name", ["lista de preços.csv".encode("latin-1"), "価格表.csv".encode("shift_jis"), b"\xff.csv"]
)
def test_a_name_in_another_encoding_is_refused_with_the_right_words(app, browse, name):
    answer = upload(browse("bob"), name=name)
    assert answer.status_code == 400
    assert "The name of the file cannot be read." in answer.text
    assert "Give the file a name of plain letters" in answer.text
    assert "open for too long" not in answer.text
    assert jobs(app) == 0


def test_a_form_that_was_cut_off_says_so(app, browse):
    answer = upload(browse("bob"), end=b"")
    assert answer.status_code == 400
    assert "The form did not arrive whole." in answer.text
    assert jobs(app) == 0


def test_fields_longer_than_a_form_may_be_are_no_file_that_is_too_large(app, browse):
    answer = upload(browse("bob"), more=b"x" * (app.config["MAX_FORM_MEMORY_SIZE"] + 1))
    assert answer.status_code == 413
    assert "The form is too long." in answer.text
    assert "MB" not in answer.text
    assert jobs(app) == 0


def test_the_same_holds_for_a_form_without_files(app, browse):
    bob = browse("bob")
    answer = bob.post("/settings", data={"theme": "x" * (app.config["MAX_FORM_MEMORY_SIZE"] + 1)})
    assert answer.status_code == 413
    assert "The form is too long." in answer.text


def test_bytes_that_are_no_text_are_a_damaged_form(app, browse):
    answer = browse("bob").post("/settings", data=b"theme=\xff\xfe", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert "The form did not arrive whole." in answer.text


def test_too_many_fields_are_too_long_a_form(app, browse):
    bob = browse("bob")
    body = "".join(
        f'--{EDGE}\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\nx\r\n'
        for n in range(app.config["MAX_FORM_PARTS"] + 1)
    )
    answer = bob.post("/import", data=f"{body}--{EDGE}--", content_type=f"multipart/form-data; boundary={EDGE}")
    assert answer.status_code == 413
    assert "The form is too long." in answer.text


def test_a_file_over_the_limit_still_hears_of_files(app, browse):
    app.config["MAX_CONTENT_LENGTH"] = 100
    answer = upload(browse("bob"))
    assert answer.status_code == 413
    assert "The file is too large." in answer.text


def test_a_page_that_was_open_for_too_long_is_still_told_so(app, browse):
    answer = browse("bob").post("/settings", data={"csrf_token": "old", "theme": "dark"})
    assert answer.status_code == 400
    assert "open for too long" in answer.text


HOST = "http://localhost"


@pytest.mark.parametrize(
    ("headers", "back"),
    [
        ({"Referer": f"{HOST}/settings"}, "/settings"),
        ({"Referer": f"{HOST}/pairs?q=mug&after=7"}, "/pairs?q%3Dmug%26after%3D7"),
        ({"HX-Request": "true", "HX-Current-URL": f"{HOST}/review/5?channel=Alpha"}, "/review/5?channel%3DAlpha"),
        ({"Referer": f"{HOST}/review/5/none"}, "/"),  # shown by a POST only
        ({"Referer": "http://elsewhere.example/settings"}, "/"),
        ({}, "/"),
    ],
)
def test_who_was_signed_out_meanwhile_signs_in_and_comes_back_to_the_page(app, browse, headers, back):
    answer = browse("").post("/settings", data={"csrf_token": "old", "theme": "dark"}, headers=headers)
    to = answer.headers.get("HX-Redirect") or answer.headers["Location"]
    assert answer.status_code == (204 if "HX-Request" in headers else 303)
    assert to == f"/login?next={back}"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("", ""), ("34", "34"), ("34.5", "34.5"), ("34,50", "34.50"), ("$34.00", "34.00"), (" 1299.00 ", "1299.00"),
        ("1,299.00", "1299.00"), ("1.299,00", "1299.00"), ("1,234,567", "1234567"), ("1.234.567,5", "1234567.5"),
        ("0,125", "0.125"), ("0.125", "0.125"), ("1.2990", "1.2990"), ("1,2990", "1.2990"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_people_type_it(typed, read):
    assert plain_amount(typed) == read
    assert AMOUNT.fullmatch(read)


@pytest.mark.parametrize("typed", ["1,299", "1.299", "12,34.5", "1,2,3", "1.299.00", "abc", "-1", "1e3", "１２"])
def test_an_amount_that_can_be_read_in_two_ways_is_refused(typed):
    assert not AMOUNT.fullmatch(plain_amount(typed))
