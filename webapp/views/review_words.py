"""The words and marks of the review screen: evidence as rows of a table, results, times and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import format_decimal, ngettext, pgettext
from flask_babel import gettext as _

from matching.marks import differing_letters
from webapp.models.catalog import Product
from webapp.models.listings import Listing, ListingState
from webapp.services.candidates import Choice
from webapp.services.families import Standing, Variant
from webapp.translate import translated

Pieces = list[tuple[str, bool]]
BANDS = ("95-", "85-94", "60-84", "40-59", "none")
MONO = {"sku", "gtin", "model"}
SAFE_LINKS = ("https://", "http://")


@dataclass(frozen=True)
class FactRow:
    """One field of both sides; pieces are (text, differs) in reading order, the verdict is (kind, icon, word)."""

    label: str
    ours: Pieces
    theirs: Pieces
    verdict: tuple[str, str, str]
    mono: bool = False
    note: str = ""
    price: bool = False


# Texts are asked for as they are needed: a page names a hundred fields, each of them once.
_NAMES: dict[str, Callable[[], str]] = {
    "title": lambda: _("Title"),
    "sku": lambda: _("SKU"),
    "gtin": lambda: _("GTIN"),
    "model": lambda: _("Model"),
    "brand": lambda: _("Brand"),
    "size": lambda: _("Size"),
    "pack": lambda: _("Pack"),
    "colour": lambda: _("Colour"),
    "options": lambda: _("Options"),
    "price": lambda: _("Price"),
    "rivals": lambda: _("Stands out"),
}
_VERDICTS: dict[str, tuple[str, str, Callable[[], str]]] = {
    "same": ("ok", "equal", lambda: _("Same")),
    "close": ("warn", "equal-approximately", lambda: pgettext("verdict", "Close")),
    "differs": ("bad", "equal-not", lambda: _("Differs")),
    "missing": ("", "circle-dashed", lambda: _("Missing")),
}
_NOT_USED: tuple[str, str, Callable[[], str]] = ("", "minus", lambda: _("Not used"))


def field_name(field: str) -> str:
    """What a field of the evidence is called on the screen."""
    name = _NAMES.get(field)
    return str(name()) if name else field.replace("_", " ").capitalize()


def verdict_words(verdict: str) -> tuple[str, str, str]:
    """A verdict as the colour, the icon and the word of its chip."""
    colour, icon, word = _VERDICTS.get(verdict, _NOT_USED)
    return colour, icon, word()


def fact_rows(choice: Choice, listing: Listing) -> list[FactRow]:
    """The compared fields below the titles; a field that neither side has is left out."""
    found = []
    for e in choice.evidence:
        if e["field"] in ("title", "rivals") or not (e["ours"] or e["theirs"]):
            continue
        ours, theirs = marked(e)
        note = e["note"] if e["verdict"] not in ("missing", "same") else ""
        note = translated(note)
        if note.startswith("differ "):  # said of both; here it stands behind one of them
            note = f"differs{note.removeprefix('differ')}"
        if e["field"] == "price":
            note = _price_note(choice.product, listing) or note
        mono = e["field"] in MONO
        found.append(
            FactRow(
                field_name(e["field"]), ours, theirs, verdict_words(e["verdict"]), mono, note, e["field"] == "price"
            )
        )
    return found


def _price_note(product: Product, listing: Listing) -> str:
    """How much higher or lower the listing's price is, when both are in one currency."""
    ours, theirs = product.price, listing.price
    if not ours or theirs is None or ours == theirs or product.currency != listing.currency:
        return ""
    percent = format_decimal(abs(theirs / ours - 1) * 100, "#,##0.#")
    return str(_("%(n)s%% higher", n=percent) if theirs > ours else _("%(n)s%% lower", n=percent))


def plain_rows(listing: Listing, product: Product | None = None) -> list[FactRow]:
    """The facts of a listing that is not being compared, beside those of the product it is linked to, if any."""
    theirs, ours = _facts(listing), _facts(product) if product else {}
    return [
        FactRow(field_name(f), pieces(ours.get(f, ""), ()), pieces(theirs.get(f, ""), ()), ("", "", ""), f in MONO)
        for f in theirs | ours
    ]


def _facts(one: Listing | Product) -> dict[str, str]:
    """What is known of a listing or a product, by field."""
    facts = {"sku": one.sku, "gtin": one.gtin, "model": one.mpn, "brand": one.brand}
    facts |= {name.lower(): str(value) for name, value in (one.options or {}).items()}
    return {field: text for field, text in facts.items() if text}


def titles(choice: Choice, listing: Listing) -> tuple[Pieces, Pieces]:
    """Both titles with their differing words marked."""
    ours = choice.product.title or choice.product.sku
    theirs = listing.title or listing.external_id
    for e in choice.evidence:
        if e["field"] == "title" and e["ours"] == ours.strip() and e["theirs"] == theirs.strip():
            return marked(e)
    return [(ours, False)], [(theirs, False)]


def one_difference(choice: Choice) -> str:
    """The one fact that tells this choice from the listing: what the matching named, else the first not the same.

    Empty when nothing is known to differ.
    """
    if choice.difference:
        return translated(choice.difference)
    facts = [e for e in choice.evidence if e["field"] not in ("title", "rivals") and (e["ours"] or e["theirs"])]
    for e in facts:
        if e["verdict"] == "differs":
            name, ours, theirs = field_name(e["field"]), e["ours"], e["theirs"]
            return str(_("%(field)s differs: %(ours)s, not %(theirs)s", field=name, ours=ours, theirs=theirs))
    for e in facts:
        if e["verdict"] in ("close", "missing"):
            name, value = field_name(e["field"]), e["ours"] or e["theirs"]
            words = {"close": _("%(field)s is close: %(value)s", field=name, value=value)}
            return str(words.get(e["verdict"]) or _("%(field)s only on one side: %(value)s", field=name, value=value))
    return ""


def why(choice: Choice) -> list[tuple[str, int, int]]:
    """What each field gave of what it could give; the points add up to the score."""
    return [(field_name(e["field"]), e["points"], e["of"]) for e in choice.evidence if e["of"]]


def marked(evidence: Mapping[str, Any]) -> tuple[Pieces, Pieces]:
    """Both values of a field cut at the places where they differ."""
    ours, theirs = evidence["marks"]
    if evidence["field"] in {"size", "pack", "colour"}:  # read from the texts, and told in the reader's words
        return _told(evidence["ours"], ours), _told(evidence["theirs"], theirs)
    return pieces(evidence["ours"], ours), pieces(evidence["theirs"], theirs)


def _told(text: str, spans: Sequence[Sequence[int]]) -> Pieces:
    """A value of ours: where a word of it is told in another language, what differs in it is all of it."""
    words = ", ".join(map(translated, text.split(", ")))
    return pieces(text, spans) if words == text else [(words, bool(spans))]


def pieces(text: str, spans: Iterable[Sequence[int]]) -> Pieces:
    """A text cut into (part, differs)."""
    found: Pieces = []
    at = 0
    for start, end in spans:
        found += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [(part, differs) for part, differs in [*found, (text[at:], False)] if part]


def band_words(band: str) -> str:
    """A band of scores as the filter says it."""
    if band == "none":
        return str(_("no suggestion"))
    low, _dash, high = band.partition("-")
    return str(_("%(low)s to %(high)s", low=low, high=high) if high else _("%(low)s or more", low=low))


def duration(seconds: float) -> str:
    """A span of time in at most two units."""
    whole = round(seconds)
    if whole < 60:
        return str(_("%(n)s s", n=whole))
    if whole < 3600:
        return str(_("%(m)s min %(s)s s", m=whole // 60, s=whole % 60))
    return str(_("%(h)s h %(m)s min", h=whole // 3600, m=whole % 3600 // 60))


def ago(at: datetime, now: datetime) -> str:
    """How long ago something was, roughly."""
    seconds = max(0, round((now - at).total_seconds()))
    if seconds < 2:
        return str(_("just now"))
    if seconds < 60:
        return str(_("%(n)s s ago", n=seconds))
    if seconds < 3600:
        return str(_("%(n)s min ago", n=seconds // 60))
    if seconds < 86_400:
        return str(_("%(n)s h ago", n=seconds // 3600))
    return str(ngettext("%(num)s day ago", "%(num)s days ago", seconds // 86_400))


def pace(each: float | None, left: int) -> tuple[str, str]:
    """Seconds for each listing, and the minutes that are left, in words; empty before anybody could know."""
    if not each or each <= 0:
        return "", ""
    text = format_decimal(each, "0.0") if each < 10 else format_decimal(round(each))
    minutes = max(1, round(each * left / 60))
    return _("%(n)s s each", n=text), ngettext("%(num)s min", "%(num)s min", minutes)


def open_link(url: str) -> str:
    """The listing's page on the channel, if it is an address of the web."""
    return url if url.lower().startswith(SAFE_LINKS) else ""


def search_words(listing: Listing) -> str:
    """Up to four telling words of a title: codes and numbers first, then the longest, in their order."""
    words = [w.strip("()[],.;:!?\"'“”") for w in listing.title.split()]
    telling = [w for w in dict.fromkeys(words) if len(w) > 2 or any(c.isdigit() for c in w)]
    best = sorted(telling, key=lambda w: (not any(c.isdigit() for c in w), -len(w)))[:4]
    return " ".join(w for w in telling if w in best) or listing.sku


def near_marked(ours: str, theirs: str) -> tuple[Pieces, Pieces]:
    """Two nearly equal SKUs cut at the letters in which they differ: many look the same in print."""
    marks = differing_letters(ours, theirs)
    return pieces(ours, marks.ours), pieces(theirs, marks.theirs)


def near_words(reason: str) -> str:
    """What kind of difference keeps two SKUs from being equal."""
    words = {
        "invisible": _("An invisible character"),
        "width": _("The width of the characters"),
        "case": _("Upper and lower case"),
        "spaces": _("Spaces"),
        "apostrophe": _("An apostrophe"),
        "excel_zero": _("“.0” at the end"),
        "dash": _("Dashes or other marks"),
        "leading_zero": _("Zeros in front"),
        "several": _("Several small differences"),
    }
    return str(words.get(reason, reason.replace("_", " ").capitalize()))


def alike_words(reason: str) -> str:
    """Why a product of the catalogue may be the listing already."""
    words = {
        "same_gtin": _("Same GTIN"),
        "same_sku": _("Same SKU"),
        "near_sku": _("Nearly the same SKU"),
        "near_gtin": _("GTIN with one wrong digit"),
        "alike_name": _("Nearly the same name"),
    }
    return str(words.get(reason, reason.replace("_", " ").capitalize()))


def plain_price(price: Decimal | None) -> str:
    """A price as somebody would type it: at least two decimals, no currency."""
    return "" if price is None else format(price.quantize(Decimal("0.01")) if price * 100 % 1 == 0 else price, "f")


def plain_number(number: int | None) -> str:
    """A whole number as somebody would type it."""
    return "" if number is None else str(number)


def standing_words(variant: Variant) -> tuple[str, str, str]:
    """What the grid says of a variant, as the colour, the icon and the words of its chip."""
    if variant.standing is Standing.DIFFERS and variant.against:
        first = variant.against[0]
        ours, theirs = translated(first.ours), translated(first.theirs)
        words = _(
            "%(field)s differs: %(ours)s, not %(theirs)s", field=field_name(first.field), ours=ours, theirs=theirs
        )
        return "bad", "equal-not", words
    if variant.standing is Standing.ASIDE:
        none = variant.listing.state is ListingState.NO_MATCH
        return "", "x" if none else "circle-slash", _("No match") if none else _("Ignored")
    return {
        Standing.FITS: ("ok", "equal", _("Same options")),
        Standing.CLOSE: ("warn", "equal-approximately", pgettext("verdict", "Close")),
        Standing.LINKED: ("", "link", _("Linked")),
        Standing.TAKEN: ("warn", "link", _("Has the listing %(id)s", id=variant.held)),
        Standing.SHARED: ("warn", "copy", _("Two listings fit this product")),
        Standing.REFUSED: ("", "x", _("Said not to be this product")),
        Standing.SEVERAL: ("warn", "copy", _("Several products have these options")),
    }.get(variant.standing, ("", "circle-dashed", _("No product has these options")))
