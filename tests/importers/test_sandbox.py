"""The child process: it may be killed, starved or timed out, and the parent only ever gets a report."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

import importers
from importers import DEFAULT, FileRefused, Options, Report, sandbox
from tests.importers.conftest import workbook


@pytest.fixture
def upload(tmp_path):
    def write(content):
        path = tmp_path / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def check(tmp_path, upload):
    def run(content, kind="products", limits=DEFAULT, name="file.csv", **options):
        staged = tmp_path / "staged"
        return importers.check(
            upload(content), kind=kind, staged=staged, options=Options(**options), limits=limits, file_name=name
        )

    return run


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_checked_and_its_good_rows_are_staged(check, tmp_path):
    report = check("sku,title,price\nA,x,1.50\nB,y,abc\n")
    assert (report.outcome, report.rows, report.rows_ok, report.rows_bad) == ("partial", 2, 1, 1)
    assert list(importers.read_staged(tmp_path / "staged")) == [
        (2, {"sku": "A", "title": "x", "price": "1.50", "match_key": "A"})
    ]
    assert list(importers.read_problems(tmp_path / "staged")) == list(report.errors)
    assert left_in(tmp_path) == ["staged", "staged.problems", "upload"]
    importers.discard_staged(tmp_path / "staged")
    assert left_in(tmp_path) == ["upload"]


def test_the_report_is_plain_json_and_comes_back(check):
    report = check("sku;title;price\nA;x;abc\nB;y;1\n", name="stock.csv")
    data = json.loads(json.dumps(report.as_json()))
    assert Report.from_json(data) == report
    assert data["columns"] == {"sku": "sku", "title": "title", "price": "price"}
    assert (data["file"], data["delimiter"], data["encoding"], data["preset"]) == ("stock.csv", ";", "utf-8", None)
    assert data["errors"][0] | {"message": ""} == {
        "row": 2, "column": "price", "code": "not_a_number", "value": "abc", "message": ""
    }  # fmt: skip


def test_a_refused_file_leaves_nothing_behind_not_even_what_was_staged_before(check, tmp_path):
    check("sku,title\nA,x\n")
    assert check(b"\x89PNG\r\n").outcome == "reject"
    assert left_in(tmp_path) == ["upload"]


def test_reading_starts_again_after_a_recorded_row(check, tmp_path):
    check("sku,title\n" + "".join(f"S-{n},x\n" for n in range(10)))
    staged = tmp_path / "staged"
    assert [number for number, _ in importers.read_staged(staged, start=9)] == [10, 11]
    assert [number for number, _ in importers.read_staged(staged, start=99)] == []


def test_a_child_that_needs_too_much_time_is_stopped(check, tmp_path):
    big = "sku,title\n" + "".join(f"S-{n},x\n" for n in range(200_000))
    report = check(big, limits=replace(DEFAULT, wall_seconds=0.3))
    assert [problem.code for problem in report.errors] == ["too_big"]
    assert "time" in report.errors[0].message
    assert left_in(tmp_path) == ["upload"]


def test_a_child_that_needs_too_much_memory_is_stopped(check, tmp_path):
    strings = "".join(f"<si><t>{n:09d}{'x' * 40}</t></si>" for n in range(300_000))
    report = check(workbook(strings=strings), limits=replace(DEFAULT, memory_bytes=100 * 1024**2))
    assert [problem.code for problem in report.errors] == ["too_big"]
    assert left_in(tmp_path) == ["upload"]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("os.kill(os.getpid(), 6)", "corrupt"),
        ("os.kill(os.getpid(), 11)", "corrupt"),
        ("os.kill(os.getpid(), 9)", "too_big"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "too_big"),
        ("raise SystemExit(77)", "too_big"),
        ("raise SystemExit(3)", "corrupt"),
        ("raise RuntimeError('broken')", "corrupt"),
        ("pass", "corrupt"),
    ],
)
def test_whatever_ends_the_child_becomes_one_sentence(check, monkeypatch, tmp_path, end, code):
    child = tmp_path / "child.py"
    child.write_text(f"import os, signal, sys\nsys.stdin.read()\n{end}\n")
    monkeypatch.setattr(sandbox, "_CHILD", child)
    report = check("sku,title\nA,x\n")
    assert (report.outcome, [problem.code for problem in report.errors]) == ("reject", [code])


def test_the_child_is_confined(tmp_path):
    root = Path(importers.__file__).parent.parent
    script = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "import resource, json\nfrom importers.child import confine\nconfine(600 * 2**20, 60, 2**30)\n"
        "names = ('AS', 'CPU', 'FSIZE', 'CORE')\n"
        "print(json.dumps([resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in names]))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[600 * 2**20] * 2, [60, 60], [2**30] * 2, [0, 0]]


def test_code_in_the_working_folder_or_the_environment_never_reaches_the_child(check, monkeypatch, tmp_path):
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "json.py").write_text("raise SystemExit(9)")
    (trap / "sitecustomize.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(trap)
    monkeypatch.setenv("PYTHONPATH", str(trap))
    assert check("sku,title\nA,x\n").outcome == "accept"


def test_names_of_files_are_only_shown(check):
    for name in (
        "/etc/cron.d/evil.csv",
        "..\\..\\evil.csv",
        "a\0b.csv",
        "<img src=x>.csv",
        "n" * 300 + ".csv",
        "",
        "evil\u202evsc.exe",
    ):
        report = check("sku,title\nA,x\n", name=name)
        assert report.outcome == "accept"
        assert report.file.isprintable()
        assert len(report.file) <= 121


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing"):
        report = importers.check(path, kind="products", staged=tmp_path / "staged")
        assert report.outcome == "reject"


def test_a_preview_shows_columns_without_reading_all_rows(upload, tmp_path):
    path = upload("Código;Nombre;Notas\nA;Taza;x\nB;Gorra;y\n")
    report = importers.preview(path, kind="products", file_name="stock.csv")
    assert report.outcome == "accept"
    assert (report.delimiter, report.encoding, report.rows) == (";", "utf-8", 0)
    assert [(c.header, c.field, c.why, c.samples) for c in report.mapping] == [
        ("Código", "sku", "recognised", ("A", "B")),
        ("Nombre", "title", "recognised", ("Taza", "Gorra")),
        ("Notas", "", "ignored", ("x", "y")),
    ]
    assert left_in(tmp_path) == ["upload"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_rows_left_out_come_back_with_their_problems(check, tmp_path, suffix):
    content = "Note;SKU;Stock\nkeep;A;1\n=cmd();B;x\nalso;;3\nthird;C;2\nfourth;C;4\n"
    report = check(content)
    assert report.rows_bad == 4
    out = tmp_path / f"left-out{suffix}"
    count = importers.write_problem_rows(
        tmp_path / "upload", kind="products", staged=tmp_path / "staged", out=out, options=Options()
    )
    assert count == 4
    if suffix == ".csv":
        with out.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
        assert rows[1][0] == "'=cmd()"
    else:
        sheet = load_workbook(out).active
        rows = [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        assert sheet["A2"].data_type == "s"
    assert rows[0] == ["Note", "SKU", "Stock", "Problem"]
    assert [row[1] for row in rows[1:]] == ["B", "", "C", "C"]
    assert "is not a number" in rows[1][3]
    assert "repeats the SKU of row 6" in rows[3][3]


def test_left_out_rows_in_a_workbook_are_read_as_they_were_written(check, tmp_path):
    check("sku,title,quantity\nS_x0041_,a _x000D_ b,x\n")
    out = tmp_path / "left-out.xlsx"
    importers.write_problem_rows(tmp_path / "upload", kind="products", staged=tmp_path / "staged", out=out)
    mapping = {"sku": "sku", "title": "title", "quantity": "", "Problem": ""}
    importers.check(out, kind="products", staged=tmp_path / "again", options=Options(mapping=mapping))
    rows = dict(importers.read_staged(tmp_path / "again"))
    assert rows[2] == {"sku": "S_x0041_", "title": "a _x000D_ b", "match_key": "S_x0041_"}


def test_without_left_out_rows_there_is_nothing_to_write(tmp_path, upload):
    with pytest.raises(FileRefused):
        importers.write_problem_rows(
            upload("sku\n"), kind="products", staged=tmp_path / "staged", out=tmp_path / "out.csv"
        )


def test_a_check_that_is_interrupted_leaves_nothing_half_written(tmp_path, upload):
    class Stopped(BaseException):
        pass

    def stop(number, frame):
        raise Stopped

    def interrupt():
        while not list(tmp_path.glob("*.part")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    path = upload("sku,title\n" + "".join(f"A-{n},t\n" for n in range(300_000)))
    before = signal.signal(signal.SIGUSR1, stop)
    watcher = threading.Thread(target=interrupt, daemon=True)
    watcher.start()
    try:
        with pytest.raises(Stopped):
            importers.check(path, kind="products", staged=tmp_path / "staged")
    finally:
        watcher.join(30)
        signal.signal(signal.SIGUSR1, before)
    assert left_in(tmp_path) == ["upload"]


def test_old_parts_are_removed_and_new_ones_are_not(tmp_path):
    for name, age in (("a.rows.part", 90_000), ("b.rows.problems.part", 90_000), ("c.rows.part", 10), ("d", 90_000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    importers.discard_old_parts(tmp_path, time.time() - 86_400)
    assert left_in(tmp_path) == ["c.rows.part", "d"]


def test_rows_are_followed_while_a_file_is_read(tmp_path):
    path, staged = tmp_path / "many.csv", tmp_path / "staged"
    path.write_text("sku,title\n" + "".join(f"A-{n},Mug {n}\n" for n in [*range(200_000), 7]), encoding="utf-8")
    found = []

    def follow(ended):
        for block in importers.follow(staged, ended, size=2_000):
            found.append((block.numbers[0], block.numbers[-1], len(block)))

    report = importers.check(path, kind="products", staged=staged, meanwhile=follow)
    assert (report.rows_ok, report.rows_skipped) == (200_000, 1)
    assert len(found) > 1, "nothing was seen before the end"
    assert [first for first, _, _ in found[1:]] == [last + 1 for _, last, _ in found[:-1]]
    kept = importers.unchanged(staged, found)
    assert all(kept[:-1])
    spans = [(first, last) for first, last, _ in found]
    rest = [number for block in importers.read_blocks(staged, but=spans) for number in block.numbers]
    assert rest == list(range(spans[-1][1] + 1, 200_002))


def test_what_fails_beside_the_reading_ends_the_child(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("sku,title\n" + "".join(f"A-{n},Mug {n}\n" for n in range(100_000)), encoding="utf-8")

    def fail(_ended):
        raise LookupError("no table")

    with pytest.raises(LookupError, match="no table"):
        importers.check(path, kind="products", staged=tmp_path / "staged", meanwhile=fail)
    assert [one.name for one in tmp_path.iterdir()] == ["many.csv"]
