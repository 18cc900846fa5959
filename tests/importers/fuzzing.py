"""What a person might choose about a broken file, and what must hold of the report about it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from importers import FIELDS, PRESETS, Report, read_staged
from importers.report import ERROR_CODES

SAMPLES = Path(__file__).parent / "samples"
KINDS = ("products", "stock", "listings", "links")


def some_options(draw: random.Random) -> dict[str, Any]:
    """What a person might choose about a file; most say nothing."""
    options: dict[str, Any] = {}
    choices: dict[str, tuple[Any, ...]] = {
        "encoding": ("utf-8", "utf-16", "utf-16-le", "cp932", "cp1252", "gb18030", "utf-32", "utf-7", "cp037", "none"),
        "delimiter": (";", ",", "tab", "|", " ", "\\t", "ab", '"'),
        "decimal": ("comma", "point"),
        "sheet": ("Outlet", "Old", "nothing", ""),
        "header_row": (0, 1, 2, 4, 9, 400),
        "preset": ("none", *PRESETS),
        "known": ({"channel": ["c1"]}, {"channel": []}),
    }
    for name, values in choices.items():
        if draw.random() < 0.06:
            options[name] = draw.choice(values)
    if draw.random() < 0.03:
        headers = ("SKU", "sku", "Title", "Price", "Titel", "nothing", "Column 1", "Column 2")
        options["mapping"] = {draw.choice(headers): draw.choice(("", "option:Size", *FIELDS)) for _ in range(3)}
    return options


def complaint(report: Report, folder: Path) -> str:
    """What is wrong with a report and with what was stored beside it, or nothing."""
    json.dumps(report.as_json(), ensure_ascii=False).encode()
    if report.rows != report.rows_ok + report.rows_bad + report.rows_skipped:
        return "the counts do not add up"
    if report.outcome == "reject" and not report.errors:
        return "refused without a word"
    for problem in (*report.errors, *report.warnings):
        if not problem.message.strip().endswith((".", "”")):
            return f"no sentence: {problem.message!r}"
    if unknown := {problem.code for problem in report.errors} - ERROR_CODES:
        return f"unknown codes: {unknown}"
    if left := [path.name for path in folder.iterdir() if path.name not in ("upload", "rows", "rows.problems")]:
        return f"left behind: {left}"
    staged = folder / "rows"
    rows = list(read_staged(staged)) if staged.exists() else []
    if len(rows) != report.rows_ok:
        return f"{len(rows)} rows stored, {report.rows_ok} told"
    return next((f"row {number}: {wrong}" for number, row in rows if (wrong := _wrong(row))), "")


def _wrong(row: dict[str, Any]) -> str:
    for name, value in row.items():
        if name == "quantity":
            if type(value) is not int or not 0 <= value <= 999_999_999:
                return f"quantity {value!r}"
        elif name == "price":
            whole, _, rest = value.partition(".")
            if not (whole.isdecimal() and whole.isascii() and len(whole) <= 12 and len(rest) <= 4):
                return f"price {value!r}"
        elif isinstance(value, str):
            value.encode()
            if not value or "\0" in value or len(value) > 32_767:
                return f"{name} {value[:50]!r}"
    return ""
