"""What is written comes back: any text through CSV and workbooks, in every delimiter and encoding that can hold it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from importers.cells import ERROR_VALUES
from importers.checking import check_file
from importers.report import DEFAULT, Options
from importers.staging import read_staged

LETTERS = st.characters(
    blacklist_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), blacklist_characters="\ufffe\uffff\ufffd\ufeff_"
)
WORDS = st.text(st.one_of(LETTERS, st.sampled_from(" ,;\t|\"'\n=+-@<>&")), min_size=1, max_size=20)


def trimmed(text):
    """Titles without blanks around them, and without the starts that an apostrophe would be taken off."""
    return text.strip(" \t\n").lstrip("'")


TABLES = st.lists(WORDS.map(trimmed).filter(bool), min_size=2, max_size=6)


def read(content, **options):
    with TemporaryDirectory() as folder:
        path, staged = Path(folder, "upload"), Path(folder, "staged")
        path.write_bytes(content)
        report = check_file(path, "products", staged, Options(**options), DEFAULT, "file")
        return report, [fields["title"] for _, fields in read_staged(staged)] if staged.exists() else []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(titles=TABLES)
def test_titles_come_back_from_every_dialect(delimiter, quoting, titles):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    writer.writerow(["sku", "quantity", "title", "price"])
    writer.writerows([f"SKU-{n}", n, title, "1.50"] for n, title in enumerate(titles))
    report, found = read(text.getvalue().encode(), delimiter=delimiter)
    assert report.outcome == "accept", report.errors
    assert found == titles


@settings(max_examples=40, deadline=None)
@given(titles=TABLES)
def test_titles_come_back_from_a_workbook(titles):
    assume(ERROR_VALUES.isdisjoint(titles))  # openpyxl writes such a text as the error it names
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Products")
    sheet.append(["sku", "title", "quantity"])
    for n, title in enumerate(titles):
        # An apostrophe keeps openpyxl from writing a formula; our exports add the same one.
        sheet.append([f"SKU-{n}", f"'{title}" if title[0] in "=+-@" else title, n])
    buffer = io.BytesIO()
    book.save(buffer)
    report, found = read(buffer.getvalue())
    assert report.outcome == "accept", report.errors
    assert found == titles


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(titles=TABLES)
def test_titles_come_back_from_every_encoding_of_all_letters(encoding, titles):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["sku", "title"])
    writer.writerows([f"SKU-{n}", title] for n, title in enumerate(titles))
    report, found = read(text.getvalue().encode(encoding), encoding=encoding, delimiter=",")
    assert report.outcome == "accept", report.errors
    assert found == titles
