"""The words for what a checked file changes of what is known since the last one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from webapp.models import ImportJob, ImportKind

MOST_SHOWN = 8  # rows of a kind on the screen
ORDER = ("sku", "listing_id", "gone", "price", "title", "quantity")


@dataclass(frozen=True)
class Row:
    """One row that changed: what it is called, and the value before and after (None where it is gone)."""

    key: str
    before: str
    after: str | None
    linked: str = ""


@dataclass(frozen=True)
class Change:
    """One kind of change: how many, its first rows, and how many more there are."""

    icon: str
    title: str
    detail: str
    rows: list[Row]
    more: int
    doubtful: bool = False


def told(job: ImportJob) -> list[Change]:
    """A line for each kind of change in the file, what is most surprising first."""
    changes: dict[str, Any] = job.report.get("changes") or {}
    return [_change(job.kind, kind, changes) for kind in ORDER if kind in changes]


def _change(kind: ImportKind, name: str, changes: dict[str, Any]) -> Change:
    n = int(changes[name])
    shown = changes.get("shown", {}).get(name, [])[:MOST_SHOWN]
    rows = [
        Row(
            r.get("key", ""),
            _value(name, r["before"]),
            _value(name, r["after"]) if "after" in r else None,
            r.get("linked") or "",
        )
        for r in shown
    ]
    title, detail = _words(kind, name, n)
    icon = {"sku": "link", "listing_id": "link", "gone": "circle-dashed"}.get(name, "pencil")
    return Change(icon, title, detail, rows, n - len(rows) if rows else 0, name == "sku")


def _words(kind: ImportKind, name: str, n: int) -> tuple[str, str]:
    count = format_decimal(n)
    if name == "gone" and kind == ImportKind.LISTINGS:
        title = ngettext(
            "%(n)s known listing is not in this file", "%(n)s known listings are not in this file", n, n=count
        )
        return title, _stays()
    if name == "gone":
        title = ngettext(
            "%(n)s known product is not in this file", "%(n)s known products are not in this file", n, n=count
        )
        return title, _stays()
    if name == "sku":
        words = ngettext(
            "%(n)s listing has another SKU than before, under the same listing ID",
            "%(n)s listings have another SKU than before, under the same listing ID", n, n=count,
        )  # fmt: skip
        return words, _("Links stay with the listing. Look at those that are linked to another SKU.")
    if name == "listing_id":
        words = ngettext(
            "%(n)s listing that was known by its SKU alone gets its listing ID",
            "%(n)s listings that were known by their SKU alone get their listing IDs", n, n=count,
        )  # fmt: skip
        return words, _("They stay the same listings, and their links stay.")
    if name == "price":
        return ngettext("%(n)s price is another", "%(n)s prices are others", n, n=count), ""
    if name == "title":
        return ngettext("%(n)s title is another", "%(n)s titles are others", n, n=count), ""
    return ngettext("%(n)s quantity is another", "%(n)s quantities are others", n, n=count), ""


def _value(name: str, value: Any) -> str:
    """Amounts and numbers as the reader writes them; text as it is."""
    if value is None:
        return ""
    if name == "price":
        return str(format_decimal(Decimal(value), "#,##0.00##"))
    return str(format_decimal(value)) if isinstance(value, int) else str(value)


def _stays() -> str:
    return str(_("They stay, and so do their links, unless you say below that this file is the full list."))
