"""A web process warms up once, beside its first answers."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from webapp import warmup


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The garbage collector as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def ended() -> None:
    for thread in threading.enumerate():
        if thread.name == "warmup":
            thread.join(60)


def test_the_first_answer_of_a_server_begins_it_and_no_other_does_again(app: Flask, monkeypatch):
    begun = []
    monkeypatch.setattr(warmup, "warm", begun.append)
    app.testing = False
    browser = app.test_client()
    for _ in range(3):
        assert browser.get("/login").status_code == 200
    warmup.start(app)
    ended()
    assert begun == [app]


def test_what_is_loaded_is_left_out_of_later_rounds_of_the_collector(app: Flask, make):
    make.product("A-1", title="Desk lamp")
    make.session.commit()
    frozen = gc.get_freeze_count()
    warmup.warm(app)
    assert gc.get_freeze_count() > frozen
    assert gc.get_threshold() == warmup.THRESHOLDS
    with app.app_context():
        assert len(app.extensions["pairbook_index"].ready(make.session)) == 1


def test_a_warm_up_that_fails_is_written_down_and_ends_nothing(app: Flask, monkeypatch, caplog):
    def fail(_app: Flask) -> None:
        raise OSError("no room")

    monkeypatch.setattr(warmup, "warm", fail)
    with caplog.at_level(logging.ERROR, logger="warmup"):
        warmup.start(app)
        ended()
    assert "warmup.failed" in caplog.text
