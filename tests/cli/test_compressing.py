"""What the built-in server promises when it compresses: the same bytes, fewer of them, only for those who take it."""

from __future__ import annotations

import gzip
import re
import time

import pytest
from flask import Flask, Response, send_file
from werkzeug.test import Client

from webapp.cli.compressing import Compressing

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
LONG = "<p>Field mug, terracotta</p>" * 400


@pytest.fixture
def client(tmp_path):
    """A small application behind it: a page, a short one, a stream, a picture, a file that browsers keep."""
    app = Flask("bare")
    sheet = tmp_path / "app.css"
    sheet.write_text("a { color: red }\n" * 300)
    app.add_url_rule("/page", "page", lambda: LONG)
    app.add_url_rule("/short", "short", lambda: "<p>short</p>")
    app.add_url_rule("/stream", "stream", lambda: Response((LONG for _ in range(3)), mimetype="text/html"))
    app.add_url_rule("/png", "png", lambda: Response(b"\x89PNG" * 900, mimetype="image/png"))

    def css():
        answer = send_file(sheet, conditional=True)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer

    app.add_url_rule("/app.css", "css", css)
    return Client(Compressing(app), Response)


def test_a_page_comes_compressed_and_is_the_same(client):
    answer = client.get("/page", headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(LONG) / 10
    assert gzip.decompress(answer.data).decode() == LONG


@pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "gzip; q=0.0, br"])
def test_who_does_not_take_it_gets_it_plain(client, accepted):
    answer = client.get("/page", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.text == LONG
    assert answer.headers["Vary"] == "Accept-Encoding"  # a cache between us must not mix the two


@pytest.mark.parametrize("path", ["/short", "/stream", "/png"])
def test_what_would_not_gain_goes_through_untouched(client, path):
    answer = client.get(path, headers=GZIP)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert answer.data == client.get(path).data


def test_a_head_request_has_no_body(client):
    answer = client.head("/page", headers=GZIP)
    assert answer.data == b""
    assert "Content-Encoding" not in answer.headers


def test_a_file_that_browsers_keep_is_asked_for_again_by_its_mark(client):
    first = client.get("/app.css", headers=GZIP, buffered=True)
    mark = first.headers["ETag"]
    assert mark.startswith('W/"')
    assert gzip.decompress(first.data) == client.get("/app.css", buffered=True).data
    assert client.get("/app.css", headers=GZIP, buffered=True).data == first.data
    assert client.get("/app.css", headers={**GZIP, "If-None-Match": mark}, buffered=True).status_code == 304


def test_no_token_on_a_page_is_whole_without_a_signature_that_changes(app, browse, monkeypatch):
    """What a page carries besides what its reader sees: two answers share the beginning of the token, never its end."""
    bob = browse("bob")
    tokens = []
    for at in (time.time() + 10, time.time() + 11):
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda at=at: at)
        tokens.append(re.search(r'name="csrf_token" value="([^"]+)"', bob.get("/settings").text)[1])
    (one, *_), (two, *_) = (token.split(".")[::-1] for token in tokens)
    assert len(one) == len(two) == 27
    assert one != two
