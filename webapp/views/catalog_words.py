"""The words of the product screens: availability, who linked, what came of a delivery."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import format_decimal, pgettext
from flask_babel import gettext as _

from webapp.models import LinkSource, Outcome, Product
from webapp.services.catalog_search import LOW, Group

Chip = tuple[str, str, str]  # kind, icon, words


def availability(product: Product) -> Chip:
    """Out of stock, low, or available."""
    if product.withheld is not None:
        return "bad", "circle-slash", _("Marked out")
    if product.available <= 0:
        return "bad", "circle-slash", _("Out of stock")
    if product.available <= LOW:
        return "warn", "triangle-alert", _("Low, %(n)s left", n=format_decimal(product.available))
    return "ok", "circle-check", _("Available")


def tabs(counted: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """The tabs by stock: value, words and how many; of many products some languages say it with another ending."""
    words = {"out": pgettext("tab", "Out of stock"), "in": pgettext("tab", "Available"), "all": _("All")}
    return [(name, text, counted[name]) for name, text in words.items()]


def untold(product: Product) -> str:
    """The values of a variant's options that its title does not name already: most titles name them all."""
    title = (product.title or "").casefold()
    values = (str(value) for value in (product.options or {}).values())
    return ", ".join(value for value in values if value and not _names(title, value.casefold()))


def _names(title: str, value: str) -> bool:
    """Whether a text holds another as words of its own: “M” stands in “Tee M, moss”, not in “Tee, moss”."""
    at = title.find(value)
    while at >= 0 and (title[max(at - 1, 0) : at].isalnum() or title[at + len(value) :][:1].isalnum()):
        at = title.find(value, at + 1)
    return at >= 0


def several(group: Group) -> Chip:
    """The same of all variants of a base product."""
    if group.out == group.variants:
        return "bad", "circle-slash", _("Out of stock")
    if group.out:
        n, of = format_decimal(group.out), format_decimal(group.variants)
        return "warn", "triangle-alert", _("%(n)s of %(all)s out", n=n, all=of)
    return "ok", "circle-check", _("Available")


def sources() -> dict[LinkSource, Chip]:
    """Who decided on a link."""
    return {
        LinkSource.SKU: ("ok", "equal", _("Same SKU")),
        LinkSource.HAND: ("acc", "hand", _("By hand")),
        LinkSource.FILE: ("", "file-spreadsheet", _("Imported")),
        LinkSource.RULE: ("ok", "sliders-horizontal", _("Rule")),
        LinkSource.ADDED: ("acc", "plus", _("Added")),
        LinkSource.RESTORED: ("", "history", _("Restored")),
    }


def outcomes() -> dict[Outcome | None, Chip]:
    """What came of a delivery; None while it is on its way."""
    return {
        None: ("", "circle-dashed", _("On its way")),
        Outcome.APPLIED: ("ok", "check", _("Sent")),
        Outcome.ACCEPTED: ("ok", "check", _("Accepted")),
        Outcome.REJECTED: ("bad", "circle-x", _("Refused")),
        Outcome.THROTTLED: ("warn", "triangle-alert", _("Asked to wait")),
        Outcome.FAILED: ("bad", "circle-x", _("Failed")),
        Outcome.UNKNOWN: ("warn", "triangle-alert", _("No answer")),
        Outcome.FENCED: ("", "minus", _("Not sent")),
        Outcome.LATE: ("", "minus", _("Too late")),
    }
