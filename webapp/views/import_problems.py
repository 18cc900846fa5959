"""The words for what is wrong with a file, one line a repair, and for the repairs that a button makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babel.lists import format_list
from flask_babel import format_decimal, get_locale, ngettext
from flask_babel import gettext as _

import importers
from webapp.models import ImportJob
from webapp.translate import translated
from webapp.views.import_words import NEEDED, WHOLE_COLUMN, field_words


@dataclass(frozen=True)
class Group:
    """Problems with one repair; `drop` is the column without which they would not be there, if it may be left out."""

    title: str
    detail: str
    rows: int
    drop: str = ""


@dataclass(frozen=True)
class Zeros:
    """Zeros that were lost: one sentence, an example, and whether they are put back in this reading."""

    words: str
    example: str
    added: bool


def problems(job: ImportJob, report: importers.Report) -> list[Group]:
    """The problems of a checked file, one line a repair, in the order of their first row."""
    return [_group(found, report) for found in job.report.get("problems", [])]


def lost_zeros(job: ImportJob) -> Zeros | None:
    """What to say about lost zeros, or None when none are."""
    lost: dict[str, Any] = job.report.get("lost_zeros") or {}
    if not lost:
        return None
    added = bool(job.options.get("add_zeros"))
    first = lost["shown"][0] if lost["shown"] else None
    example = _("Row %(row)s: %(before)s is %(after)s.", **first) if first else ""
    return Zeros(" ".join(_zero_words(int(lost["sku"]), int(lost["gtin"]), added)), example, added)


def _zero_words(skus: int, gtins: int, added: bool) -> list[str]:
    words = []
    if skus and added:
        words.append(
            ngettext("%(n)s SKU has its zeros back.", "%(n)s SKUs have their zeros back.", skus, n=format_decimal(skus))
        )
    elif skus:
        words.append(ngettext(
            "%(n)s SKU is shorter than in your catalogue and would match with zeros in front.",
            "%(n)s SKUs are shorter than in your catalogue and would match with zeros in front.",
            skus, n=format_decimal(skus),
        ))  # fmt: skip
    if gtins and added:
        words.append(
            ngettext(
                "%(n)s GTIN has its zeros back.", "%(n)s GTINs have their zeros back.", gtins, n=format_decimal(gtins)
            )
        )
    elif gtins:
        words.append(ngettext(
            "%(n)s GTIN lost zeros in front: its check digit proves it.",
            "%(n)s GTINs lost zeros in front: their check digits prove it.",
            gtins, n=format_decimal(gtins),
        ))  # fmt: skip
    return words


def ways_to_read(job: ImportJob) -> tuple[str, str, str] | None:
    """A number of the file that can be read in two ways, and what it is with a decimal comma and a decimal point."""
    found = [p["value"] for p in job.report.get("problems", []) if p["code"] == "ambiguous_number" and p["value"]]
    if not found:
        return None
    text = found[0]
    return text, text.replace(".", "").replace(",", "."), text.replace(",", "")


def first_row_asked(job: ImportJob, report: importers.Report) -> str:
    """The first cells of the first row, when nobody said whether it is a header and no column was recognised in it."""
    refused = report.outcome == "reject" and any(p.code == "missing_column" for p in report.errors)
    if not refused or report.header_row != 1 or job.options.get("header_row") is not None or any(report.columns):
        return ""
    return ", ".join(report.headers[:4])


def _group(found: Mapping[str, Any], report: importers.Report) -> Group:
    words, n, drop = translated(found["message"]), int(found["n"]), _droppable(found, report)
    if n == 1:
        title, _dot, rest = words.partition(". ")
        return Group(title.rstrip("."), rest, 1, drop)
    column = found["column"]
    column = column if column in report.headers else field_words().get(column, column)
    named = [format_decimal(row) for row in found["rows"]]
    if n > len(named):
        left = n - len(named)
        named.append(ngettext("%(n)s more", "%(n)s more", left, n=format_decimal(left)))
    rows = _("Rows")
    where = f"{rows} {format_list(named, locale=get_locale())}."
    repair = words.rstrip(".").rpartition(". ")[2] + "." if found["alike"] else words
    return Group(_many_words(found["code"], n, column), f"{where} {repair}", n, drop)


def _droppable(found: Mapping[str, Any], report: importers.Report) -> str:
    """The column of a problem that spoils it as a whole, if its rows would be good without it."""
    if found["code"] not in WHOLE_COLUMN - {"ambiguous_number"}:
        return ""
    field = report.columns.get(found["column"], "")
    return found["column"] if field and field not in NEEDED else ""


def _many_words(code: str, n: int, column: str) -> str:
    count, where = format_decimal(n), column or _("the file")
    words = {
        "blank": _("%(n)s rows have nothing in %(column)s", n=count, column=where),
        "not_a_number": _("%(n)s values in %(column)s are not numbers", n=count, column=where),
        "ambiguous_number": _("%(n)s numbers in %(column)s can be read in two ways", n=count, column=where),
        "negative": _("%(n)s values in %(column)s are below zero", n=count, column=where),
        "fractional": _("%(n)s values in %(column)s are not whole numbers", n=count, column=where),
        "too_large": _("%(n)s values in %(column)s are too large", n=count, column=where),
        "too_many_decimals": _("%(n)s values in %(column)s have too many decimals", n=count, column=where),
        "sci_notation": _("%(n)s codes in %(column)s were shortened by a spreadsheet", n=count, column=where),
        "precision_lost": _("%(n)s codes in %(column)s lost their last digits", n=count, column=where),
        "date_in_text": _("%(n)s values in %(column)s became dates", n=count, column=where),
        "error_value": _("%(n)s cells in %(column)s hold a formula error", n=count, column=where),
        "duplicate_conflict": _("%(n)s rows repeat a key with other values", n=count),
        "ragged_row": _("%(n)s rows have another number of cells than the header", n=count),
        "unknown_sku": _("%(n)s rows name a SKU that no product has", n=count),
        "ambiguous_sku": _("%(n)s SKUs belong to several listings each", n=count),
        "unknown_value": _("%(n)s values in %(column)s are not known here", n=count, column=where),
        "too_long": _("%(n)s texts in %(column)s are too long", n=count, column=where),
    }
    return str(words.get(code) or _("%(n)s rows share one problem in %(column)s", n=count, column=where))
