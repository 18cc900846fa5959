"""Wrong usage and impossible numbers are told to scripts as to people."""

from __future__ import annotations

import os
import subprocess
import sys

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


def as_process(shell, words, **streams):
    """The command as a shell starts it, with streams of our choice."""
    told = {**os.environ, "PAIRBOOK_INSTANCE": str(shell.settings.instance)}
    told |= {"PAIRBOOK_DATABASE_URL": shell.settings.database_url, **streams.pop("env", {})}
    line = [sys.executable, "-m", "webapp.cli", *words]
    return subprocess.run(line, env=told, check=False, timeout=60, **streams)


def test_an_answer_that_cannot_be_written_takes_nothing_from_what_was_done(shell):
    shell("import", "products", shell.file("p.csv", [["sku", "title", "quantity"], ["A", "Mug", 5]]))
    with open("/dev/full", "w") as full:
        done = as_process(shell, ["stock", "move", "A", "-2", "--reason", "sold", "--json"], stdout=full, stderr=-1)
    assert done.returncode == 0  # 1 would say that nothing was changed
    assert b"could not be written" in done.stderr
    assert b"Traceback" not in done.stderr
    assert shell.json("stock", "move", "A", "0", "--reason", "look")["on_hand"] == 3


def test_a_reader_that_went_away_is_no_failure(shell):
    reading, writing = os.pipe()
    os.close(reading)
    done = as_process(shell, ["reconcile", "--json"], stdout=writing, stderr=-1)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_command_runs_without_standard_error(shell):
    line = f'exec "{sys.executable}" -m webapp.cli reconcile --json 2>&-'
    told = {**os.environ, "PAIRBOOK_INSTANCE": str(shell.settings.instance)}
    told["PAIRBOOK_DATABASE_URL"] = shell.settings.database_url
    done = subprocess.run(["/bin/sh", "-c", line], env=told, stdout=-1, check=False, timeout=60)
    assert done.returncode == 0
    assert b'"linked": 0' in done.stdout


def test_a_terminal_without_the_letters_gets_escapes(shell):
    done = as_process(
        shell, ["export", "products", "--out", "/nowhere-→/x.csv", "--json"],
        stdout=-1, stderr=-1, env={"PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert done.returncode == 1
    assert b"There is no folder /nowhere-\\u2192." in done.stdout
    assert b"internal" not in done.stdout


@pytest.mark.parametrize(
    "words", [("link", "--channel", "Alpha", "L\udce9", "A"), ("stock", "set", "A\udce9", "1"),
              ("unlink", "--channel", "Alpha", "L1", "L\udce9"), ("channel", "add", "\udce9", "--kind", "file")],
)  # fmt: skip
def test_bytes_that_are_no_text_are_wrong_usage(shell, words):
    assert "UTF-8" in shell.json(*words, code=2)["message"]


def test_a_file_may_have_any_name(shell):
    path = os.path.join(str(shell.folder), "caf\udce9.csv")
    os.rename(shell.file("p.csv", "sku,title\nA,Mug\n"), path)
    assert shell.json("import", "products", path, "--check")["file"] == "caf\N{REPLACEMENT CHARACTER}.csv"
    assert shell.json("import", "products", path)["created"] == 1


@pytest.mark.parametrize("seconds", ["nan", "inf"])
def test_no_end_and_no_number_are_no_time_to_wait(shell, seconds):
    assert shell.json("drain", "--seconds", seconds, code=2)["error"] == "usage"


def test_a_queue_that_does_not_answer_is_told_in_a_line(shell):
    shell("import", "products", shell.file("p.csv", [["sku", "title", "quantity"], ["A", "Mug", 5]]))
    shell("channel", "add", "Alpha", "--kind", "file")
    words = ["import", "products", shell.file("q.csv", "sku,title\nB,Cup\n")]
    done = as_process(shell, words, stdout=-1, stderr=-1, env={"PAIRBOOK_QUEUE_URL": "redis://127.0.0.1:1/0"})
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
