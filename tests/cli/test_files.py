"""Import, export and links by file keep the promises of the command line."""

from __future__ import annotations

import csv
import os
import signal
import threading
import time

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from tests.cli.conftest import read
from webapp.models import ImportJob, Listing, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.services import import_choices, import_undo, steps

PRODUCTS = "sku,title,price,quantity\nA-1,Mug,9.90,5\nA-2,Cup,12.50,0\n"
REPORT = {
    "outcome", "kind", "file", "sheet", "encoding", "delimiter", "preset", "columns", "rows", "rows_ok", "rows_bad",
    "rows_skipped", "created", "updated", "unchanged", "batch", "errors", "errors_total", "warnings",
}  # fmt: skip


def count(shell, model):
    with shell.inside() as (session, _):
        return session.scalar(select(func.count()).select_from(model))


def test_good_rows_are_applied_and_the_report_has_every_promised_field(shell):
    report = shell.json("import", "products", shell.file("p.csv", PRODUCTS))
    assert report.keys() >= REPORT
    numbers = [report[k] for k in ("outcome", "rows", "rows_ok", "rows_bad", "created", "updated", "unchanged")]
    assert numbers == ["accept", 2, 2, 0, 2, 0, 0]
    again = shell.json("import", "products", shell.file("p.csv", PRODUCTS))
    assert [again[k] for k in ("created", "updated", "unchanged")] == [0, 0, 2]
    changed = shell.json("import", "products", shell.file("p.csv", PRODUCTS.replace("12.50", "13.00")))
    assert [changed[k] for k in ("created", "updated", "unchanged")] == [0, 1, 1]


def test_bad_rows_are_named_and_the_rest_goes_in(shell):
    file = shell.file("p.csv", PRODUCTS + "A-3,Jug,25?5O,1\n,No SKU,1,1\n")
    report = shell.json("import", "products", file, code=3)
    assert (report["outcome"], report["rows"], report["rows_ok"], report["rows_bad"]) == ("partial", 4, 2, 2)
    assert [(e["row"], e["code"]) for e in report["errors"]] == [(4, "not_a_number"), (5, "blank")]
    assert count(shell, Product) == 2


def test_a_column_that_nothing_is_read_from_is_named_to_scripts_and_people(shell):
    file = shell.file("p.csv", "sku,title,Qty sold,Season\nA-1,Mug,5,summer\n")
    report = shell.json("import", "products", file)
    assert (report["unused"], report["warnings"]) == (["Qty sold", "Season"], [])
    assert "Columns that nothing is read from: Qty sold, Season." in shell("import", "products", file).out
    whole = shell.file("w.csv", PRODUCTS)
    assert shell.json("import", "products", whole)["unused"] == []
    assert "nothing is read" not in shell("import", "products", whole).out


def test_all_or_nothing_refuses_for_one_bad_row(shell):
    file = shell.file("p.csv", PRODUCTS + "A-3,Jug,25?5O,1\n")
    assert shell.json("import", "products", file, "--all-or-nothing", code=1)["outcome"] == "reject"
    assert count(shell, Product) == 0


def test_check_writes_nothing_and_leaves_no_file(shell):
    report = shell.json("import", "products", shell.file("p.csv", PRODUCTS), "--check")
    assert (report["outcome"], report["rows_ok"], report["created"]) == ("accept", 2, 0)
    assert report["forecast"]["new"] == 2
    assert count(shell, Product) == count(shell, ImportJob) == 0
    assert os.listdir(shell.settings.uploads) == []


def test_a_check_that_is_stopped_leaves_no_file_either(shell):
    def stop():
        while not list(shell.settings.uploads.glob("*.part")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    file = shell.file("p.csv", "sku,title\n" + "".join(f"A-{n},Mug\n" for n in range(300_000)))
    stopper = threading.Thread(target=stop, daemon=True)
    stopper.start()
    shell("import", "products", file, "--check", code=128 + signal.SIGTERM)
    stopper.join(30)
    assert os.listdir(shell.settings.uploads) == []


def test_an_import_removes_what_a_killed_check_left_long_ago(shell):
    shell.settings.uploads.mkdir(parents=True, exist_ok=True)
    left = shell.settings.uploads / "0.rows.part"
    left.touch()
    os.utime(left, (time.time() - 90_000,) * 2)
    shell.json("import", "products", shell.file("p.csv", PRODUCTS), "--check")
    assert os.listdir(shell.settings.uploads) == []


def test_a_check_counts_apart_what_no_product_resembles_when_asked(shell):
    shell("import", "products", shell.file("p.csv", PRODUCTS))
    shell("channel", "add", "Alpha", "--kind", "file")
    rows = "listing id,sku,title\nL1,A-1,Mug\nL2,x,Cup of tea\nL3,y,Wireless keyboard\n"
    check = ["import", "listings", shell.file("l.csv", rows), "--channel", "Alpha", "--check"]
    assert shell.json(*check)["forecast"] == {"linkable": 1, "review": 2, "update": 0}
    told = shell.json(*check, "--suggestions")["forecast"]
    assert (told["linkable"], told["review"] + told["none"]) == (1, 2)
    assert told["none"] >= 1


def test_a_report_says_what_changed_since_the_last_file(shell):
    file = shell.file("p.csv", PRODUCTS)
    assert shell.json("import", "products", file)["changes"] == {}
    later = shell.file("q.csv", PRODUCTS.replace("9.90", "10.90").replace("A-2", "A-3"))
    for more in (["--check"], []):
        changes = shell.json("import", "products", later, *more)["changes"]
        assert {name: n for name, n in changes.items() if name != "shown"} == {"known": 1, "gone": 1, "price": 1}
        assert [(r["key"], r["before"], r["after"]) for r in changes["shown"]["price"]] == [("A-1", "9.90", "10.90")]


def test_the_stored_copy_has_a_name_of_our_own(shell):
    shell("import", "products", shell.file("..%2fp.csv", PRODUCTS))
    with shell.inside() as (session, _):
        job = session.scalars(select(ImportJob)).one()
    assert job.file_name == "..%2fp.csv"
    assert len(job.stored_as) == 32
    assert all(name.startswith(job.stored_as) for name in os.listdir(shell.settings.uploads))


BAD_FILES = [
    ("empty.csv", b""),
    ("header.csv", b"sku,title,price\n"),
    ("columns.csv", b"colour,weight\nred,3\n"),
    ("zip.xlsx", b"PK\x03\x04 this is no workbook"),
    ("word.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600),
    ("binary.csv", bytes(range(256)) * 20),
    ("picture.csv", b"\x89PNG\r\n\x1a\n" + b"\x00" * 200),
    ("page.csv", b"<!doctype html><html><body>Please sign in</body></html>"),
]


@pytest.mark.parametrize(("name", "content"), BAD_FILES, ids=[name for name, _ in BAD_FILES])
def test_a_file_that_is_none_is_refused_in_one_sentence(shell, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    answer = shell("import", "products", str(tmp_path / name), "--json", code=1)
    assert answer.json["outcome"] == "reject"
    assert answer.json["errors"][0]["message"].endswith((".", "?"))
    assert count(shell, Product) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["import", "products", "nowhere.csv"],
        ["import", "sales", "p.csv"],
        ["import", "products", "{file}", "--decimal", "dot"],
        ["import", "products", "{file}", "--delimiter", "::"],
        ["import", "products", "{file}", "--map", "title"],
        ["export", "products"],
        ["export", "products", "--out", "p.ods"],
        ["export", "everything", "--out", "p.csv"],
    ],
)
def test_wrong_usage_is_exit_2(shell, words):
    file = shell.file("p.csv", PRODUCTS)
    assert shell(*[w.format(file=file) for w in words], code=2).out == ""


def test_columns_can_be_named_by_hand_and_by_a_saved_choice(shell):
    file = shell.file("p.csv", "Artikelcode;Wat;Kost\nA-1;Mok;9,90\n")
    words = [
        "--map",
        "Artikelcode=sku",
        "--map",
        "Wat=title",
        "--map",
        "Kost=price",
        "--delimiter",
        ";",
        "--decimal",
        "comma",
    ]
    report = shell.json("import", "products", file, *words)
    assert report["columns"] == {"Artikelcode": "sku", "Wat": "title", "Kost": "price"}
    with shell.inside() as (session, _):
        job = session.scalars(select(ImportJob)).one()
        import_choices.save_preset(session, job, "Groothandel", by=COMMAND_LINE)
    assert shell.json("import", "products", file, "--preset", "Groothandel", "--delimiter", ";")["unchanged"] == 1
    assert shell.json("import", "products", file)["unchanged"] == 1  # recognised by its headers
    assert shell.json("import", "products", file, "--preset", "nonesuch", code=1)["outcome"] == "reject"


def test_listings_go_to_the_channel_of_the_row_or_of_the_command(shell):
    shell("channel", "add", "Alpha", "--kind", "file")
    shell("channel", "add", "Beta", "--kind", "file")
    file = shell.file("l.csv", "channel,listing_id,sku,title\nBeta,L1,A-1,Mug\n,L2,A-2,Cup\nGamma,L3,A-3,Jug\n")
    report = shell.json("import", "listings", file, "--channel", "Alpha", code=3)
    assert [(e["row"], e["column"]) for e in report["errors"]] == [(4, "channel")]
    with shell.inside() as (session, _):
        found = dict(session.execute(select(Listing.external_id, Listing.channel_id)).all())
    assert found.keys() == {"L1", "L2"}
    assert found["L1"] != found["L2"]
    assert shell.json("import", "listings", file, "--channel", "Delta", code=1)["error"] == "not_found"
    assert shell.json("reconcile")["already_linked"] == 0  # an import never links by itself


def test_a_stock_file_sets_what_it_names_and_names_what_it_cannot(shell):
    shell("import", "products", shell.file("p.csv", PRODUCTS))
    report = shell.json("import", "stock", shell.file("s.csv", "sku,quantity\nA-1,50\nB-9,1\n"), code=3)
    assert [(e["row"], e["code"]) for e in report["errors"]] == [(3, "unknown_sku")]
    with shell.inside() as (session, _):
        stock = dict(session.execute(select(Product.sku, Product.available)).all())
    assert stock == {"A-1": 50, "A-2": 0}


def test_an_import_can_be_taken_back(shell):
    shell("import", "products", shell.file("p.csv", PRODUCTS))
    text = PRODUCTS.replace("Mug", "Large mug") + "A-3,Jug,1.00,1\n"
    number = shell.json("import", "products", shell.file("p.csv", text))["import"]
    done = shell.json("undo-import", str(number))
    assert (done["removed"], done["restored"], done["kept"]) == (1, 1, 0)
    assert shell.json("import", "products", shell.file("p.csv", PRODUCTS))["unchanged"] == 2
    assert shell.json("undo-import", str(number), code=1)["error"] == "conflict"
    assert shell.json("undo-import", "99", code=1)["error"] == "not_found"


def test_the_batch_of_a_report_takes_the_import_back(shell):
    report = shell.json("import", "products", shell.file("p.csv", PRODUCTS))
    assert report["batch"] == f"import-{report['import']}"
    assert shell.json("import", "products", shell.file("p.csv", PRODUCTS))["batch"] is None  # nothing was changed
    done = shell.json("undo", report["batch"], code=3)  # the second file has seen them again
    assert (done["batch"], done["changed"], done["newer_rows"]) == (report["batch"], 0, 2)
    more = shell.json("import", "products", shell.file("q.csv", PRODUCTS + "A-3,Jug,1.00,1\n"))
    done = shell.json("undo", more["batch"])
    assert {name: done[name] for name in ("batch", "changed", "unchanged", "refused", "removed")} == {
        "batch": more["batch"], "changed": 1, "unchanged": 0, "refused": [], "removed": 1,
    }  # fmt: skip
    assert shell.json("undo", more["batch"], code=1)["error"] == "conflict"
    assert shell.json("undo", "import-99", code=1)["error"] == "not_found"
    assert shell.json("undo", "import-x", code=2)["error"] == "usage"


def test_a_large_import_is_taken_back_in_steps_with_the_same_answer(shell, monkeypatch):
    monkeypatch.setattr(steps, "FROM", 2)
    number = shell.json("import", "products", shell.file("p.csv", PRODUCTS))["import"]
    done = shell.json("undo-import", str(number))
    assert (done["removed"], done["restored"], done["unlinked"], done["kept"]) == (2, 0, 0, 0)
    assert shell.json("undo-import", str(number), code=1)["error"] == "conflict"


def test_an_undo_that_was_begun_is_brought_to_its_end(shell):
    """Whoever began with it may be dead, and no worker may run: the same command again goes on."""
    number = shell.json("import", "products", shell.file("p.csv", PRODUCTS))["import"]
    with shell.inside() as (session, _):
        import_undo.begin(session, number, uploads=shell.settings.uploads, by=COMMAND_LINE)
    assert shell.json("undo-import", str(number))["removed"] == 2


def test_an_import_brings_the_undo_to_its_end_that_holds_it_up(shell):
    number = shell.json("import", "products", shell.file("p.csv", PRODUCTS))["import"]
    with shell.inside() as (session, _):
        import_undo.begin(session, number, uploads=shell.settings.uploads, by=COMMAND_LINE)
    assert shell.json("import", "products", shell.file("q.csv", PRODUCTS))["created"] == 2


def test_what_a_newer_import_has_seen_stays_and_is_told(shell):
    older = shell.json("import", "products", shell.file("p.csv", PRODUCTS))["import"]
    shell("import", "products", shell.file("q.csv", "sku,title\nA-1,Mug\n"))
    done = shell.json("undo-import", str(older), code=3)
    assert (done["removed"], done["newer_rows"]) == (1, 1)
    with shell.inside() as (session, _):
        assert session.scalars(select(Product.sku).where(Product.retired_at.is_(None))).all() == ["A-1"]


NASTY = [
    ["sku", "title", "brand", "gtin", "price", "quantity", "base_sku", "option1_name", "option1_value"],
    ["=1+1", "=cmd|' /C calc'!A0", "@brand", "00012345678905", "1234.5678", "0", "B", "Größe", "-5"],
    ["007", "'quoted title", "+49 brand", "", "0", "999999999", "", "", ""],
    ["-MINUS", '\'=two "quotes", comma', "'", "7509990001019", "19.90", "", "B", "Colour", "=red"],
    ["’t", "＝full width", "－brand", "", "", "3", "", "", ""],
    ["1e5", "two\nlines; and more", "ブランド", "", "5", "1", "", "", ""],
    ["S_x0041_", "t _x000D_ _x005F_x0041_ z", "_xFFFF_", "", "5", "1", "", "", ""],
]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_is_exported_imports_again_without_change(shell, tmp_path, suffix):
    path = tmp_path / "nasty.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(NASTY)
    report = shell.json("import", "products", str(path))
    assert report["rows_ok"] == len(NASTY) - 1
    first, second = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
    assert shell.json("export", "products", "--out", str(first))["rows"] == len(NASTY) - 1
    again = shell.json("import", "products", str(first))
    assert (again["unchanged"], again["rows"], again["outcome"]) == (len(NASTY) - 1, len(NASTY) - 1, "accept")
    shell("export", "products", "--out", str(second))
    if suffix == "csv":
        assert first.read_bytes() == second.read_bytes()


def test_no_exported_cell_is_a_formula_and_numbers_stay_numbers(shell, tmp_path):
    with shell.inside() as (_, make):
        make.product("=2+3", title="@SUM(A1)", price="1234.5", quantity=3)
    shell("export", "products", "--out", str(tmp_path / "p.csv"))
    row = read(tmp_path / "p.csv")[0]
    assert (row["sku"], row["title"], row["price"], row["quantity"]) == ("'=2+3", "'@SUM(A1)", "1234.50", "3")
    shell("export", "products", "--out", str(tmp_path / "p.xlsx"))
    cells = {c.value: c.data_type for line in load_workbook(tmp_path / "p.xlsx").active.iter_rows() for c in line}
    assert cells["=2+3"] == cells["@SUM(A1)"] == "s"
    assert cells[1234.5] == cells[3] == "n"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_listings_and_links_come_back_as_they_were(shop, tmp_path, suffix):
    shop("reconcile")
    listings, links = str(tmp_path / f"l.{suffix}"), str(tmp_path / f"k.{suffix}")
    assert shop.json("export", "listings", "--channel", "Alpha", "--out", listings)["rows"] == 4
    assert shop.json("export", "links", "--out", links)["rows"] == 2
    again = shop.json("import", "listings", listings)
    assert (again["outcome"], again["unchanged"]) == ("accept", 4)
    same = shop.json("links", "import", links)
    assert same == {"batch": None, "linked": 0, "unchanged": 2, "refused": []}


def test_links_by_file_link_and_name_what_they_cannot(shop):
    text = "channel,listing_id,sku\nAlpha,L4,A-3\nAlpha,L9,A-1\nAlpha,L3,B-1\n"
    done = shop.json("links", "import", shop.file("k.csv", text), code=3)
    assert done["linked"] == 1
    assert done["batch"]
    assert [r["row"] for r in done["refused"]] == [3, 4]
    assert shop.json("undo", done["batch"])["changed"] == 1


def test_the_trail_is_exported_oldest_first(shop, tmp_path):
    shop("reconcile")
    rows = shop.json("export", "audit", "--out", str(tmp_path / "a.csv"))["rows"]
    trail = read(tmp_path / "a.csv")
    assert len(trail) == rows
    assert trail[-1]["event"] == "link.reconciled"
    assert [line["at"] for line in trail] == sorted(line["at"] for line in trail)


def test_an_export_that_fails_leaves_the_file_of_before(shop, tmp_path):
    out = tmp_path / "l.csv"
    out.write_text("before")
    assert shop.json("export", "listings", "--channel", "Nowhere", "--out", str(out), code=1)["error"] == "not_found"
    assert out.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.endswith(".part")) == []
