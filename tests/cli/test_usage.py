"""Wrong usage and impossible numbers are told to scripts as to people."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("undo", "abc"),
        ("link", "1", "2"),
        ("import", "products", "/nowhere/at-all.csv"),
        ("import",),
        ("user", "add", "x@example.com", "--role", "king"),
        ("user", "nonsense"),
    ],
)
def test_wrong_usage_with_json_is_one_object(shell, words):
    answer = shell(*words, "--json", code=2)
    assert answer.json["error"] == "usage"
    assert answer.json["message"]
    assert "Error:" in answer.err or "Usage:" in answer.err


def test_wrong_usage_without_json_leaves_standard_output_empty(shell):
    assert shell("undo", "abc", code=2).out == ""


@pytest.mark.parametrize("command", ["undo", "undo-import"])
def test_a_number_that_no_row_can_have_is_not_found(shell, command):
    assert shell.json(command, str(10**20), code=1)["error"] == "not_found"
