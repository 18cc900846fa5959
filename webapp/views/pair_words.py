"""The words of the synced pairs: what contradicts in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _

from webapp.translate import translated
from webapp.views.review_words import field_name


def reason_words(reasons: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Why a pair may be wrong: of each contradiction what it is, and both values."""
    found = []
    for e in reasons:
        words = _("Options differ") if e["field"] == "options" else _("%(field)s differs", field=field_name(e["field"]))
        if e["field"] == "price":
            ours, theirs = (Decimal(e[side].split(" ")[0]) for side in ("ours", "theirs"))
            words = _("%(n)s times the price", n=format_decimal(max(ours, theirs) / min(ours, theirs), "#,##0.#"))
        found.append((str(words), translated(e["ours"]), translated(e["theirs"])))
    return found
