"""What a person chooses about a file: columns, reading, presets."""

from __future__ import annotations

import pytest

import importers
from tests.services.imports.conftest import read
from webapp.db import unit_of_work
from webapp.errors import Conflict, Refused
from webapp.jobs import tasks
from webapp.models import ImportJob, ImportKind, ImportState
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import import_choices, imports

REPORT = {
    "mapping": [
        {"header": "sku", "field": "sku", "why": "recognised"},
        {"header": "price", "field": "price", "why": "chosen"},
        {"header": "note", "field": "", "why": "ignored"},
    ]
}


@pytest.mark.parametrize(
    ("posted", "chosen"),
    [
        ({"sku": "sku", "price": "price", "note": ""}, {"price": "price"}),
        ({"sku": "", "price": "price", "note": ""}, {"sku": "", "price": "price"}),
        ({"sku": "sku", "price": "price", "note": "title"}, {"price": "price", "note": "title"}),
        ({}, None),
        ({"unknown": "title"}, None),
    ],
)
def test_only_what_was_changed_counts_as_chosen(posted, chosen):
    assert import_choices.changed_mapping(REPORT, posted) == chosen


def test_headers_are_the_same_whatever_their_case_and_spaces_but_not_in_another_order():
    digest = import_choices.digest
    assert digest(["Seller  SKU", " Title"]) == digest(["seller sku", "title"])
    assert digest(["a", "b"]) != digest(["b", "a"])
    assert digest(["a b"]) != digest(["a", "b"])


def test_choosing_reads_the_file_again_as_told(bring, settings):
    job_id = bring("products", "Kode;Name;price\nA-1;Cup;1,50\n")
    assert read(job_id).state is ImportState.REFUSED
    with unit_of_work() as session:
        chosen = importers.Options(mapping={"Kode": "sku", "Name": "title"})
        import_choices.choose(session, job_id, chosen, kind=ImportKind.PRODUCTS, channel=None)
    job = tasks.check_import(settings, job_id)
    assert (job.state, job.rows_ok) == (ImportState.CHECKED, 1)


def test_choosing_is_over_when_the_import_began(bring, settings):
    job_id = bring("products", "sku,title\nA-1,Cup\n")
    with unit_of_work() as session:
        imports.confirm(session, job_id, by=COMMAND_LINE)
    with pytest.raises(Conflict, match="begun"), unit_of_work() as session:
        import_choices.choose(session, job_id, importers.Options(), kind=ImportKind.PRODUCTS, channel=None)


def test_a_preset_comes_back_for_the_same_headers_and_kind_only(bring, settings):
    job_id = bring("products", "Kode,Name\nA-1,Cup\n", mapping={"Kode": "sku", "Name": "title"})
    with unit_of_work() as session:
        job = imports.get(session, job_id)
        import_choices.save_preset(session, job, "  Wholesaler  ", by=COMMAND_LINE)
        import_choices.save_preset(session, job, "Wholesaler", by=COMMAND_LINE)
    (settings.uploads / "again").write_text("KODE,Name\nA-2,Cup\n", encoding="utf-8")
    (settings.uploads / "other").write_text("Kode,Name,Price\nA-2,Cup,1\n", encoding="utf-8")
    found = []
    for kind, name in (("products", "again"), ("products", "other"), ("stock", "again")):
        with unit_of_work() as session:
            job = imports.receive(session, ImportKind(kind), name, name, by=COMMAND_LINE)
            preset = import_choices.recall(session, job, settings.uploads)
            found.append((preset.name, job.options["mapping"]) if preset else None)
    assert found == [("Wholesaler", {"Kode": "sku", "Name": "title"}), None, None]


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_preset_without_a_usable_name_is_refused(bring, name):
    job_id = bring("products", "sku,title\nA-1,Cup\n")
    with pytest.raises(Refused, match="Type a name"), unit_of_work() as session:
        import_choices.save_preset(session, imports.get(session, job_id), name, by=COMMAND_LINE)


def test_columns_that_are_not_known_cannot_be_saved(context):
    with unit_of_work() as session:
        job = imports.receive(session, ImportKind.PRODUCTS, "x.csv", "x", by=COMMAND_LINE)
        with pytest.raises(Conflict, match="not known yet"):
            import_choices.save_preset(session, job, "Mine", by=COMMAND_LINE)


def test_an_unchecked_file_has_one_reader_until_its_lease_ends(context):
    with unit_of_work() as session:
        held = imports.receive(session, ImportKind.PRODUCTS, "a.csv", "a", by=COMMAND_LINE).id
        free = imports.receive(session, ImportKind.PRODUCTS, "b.csv", "b", by=COMMAND_LINE)
        free.lease_until = None
        free_id = free.id
    taken = []
    for now in (utc_now(), utc_now(), utc_now() + imports.CHECK_LEASE * 2):
        with unit_of_work() as session:
            taken.append(imports.claim_check(session, now=now))
    assert taken == [free_id, None, held]


def test_the_newest_imports_come_first(context):
    with unit_of_work() as session:
        for n in range(4):
            session.add(ImportJob(kind=ImportKind.STOCK, file_name=f"{n}.csv", stored_as=str(n)))
    with unit_of_work(read_only=True) as session:
        assert [job.file_name for job in import_choices.recent(session, limit=3)] == ["3.csv", "2.csv", "1.csv"]
