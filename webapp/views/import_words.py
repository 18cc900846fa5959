"""The words of the import screens: kinds, states, columns and their fields, what will happen, problems by repair."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flask_babel import format_decimal, ngettext, pgettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

import importers
from webapp.models import Channel, ImportJob, ImportKind, ImportState
from webapp.models.base import utc_now
from webapp.services import import_progress
from webapp.services.import_progress import Hands
from webapp.translate import translated
from webapp.views import worker_words

MOST_LEFT_OUT = 8  # columns that are shown in their place
NEEDED = {"sku", "listing_id", "listing_sku", "title"}  # what no button leaves out
#: Amounts whose reading somebody may wonder about: a comma, a group mark, or three decimals that may be thousands.
DOUBTFUL = re.compile(r",[0-9]|[0-9]['’ \u00a0\u202f][0-9]|(?<![0-9.])[1-9][0-9]{0,2}\.[0-9]{3}(?![0-9])")
WHOLE_COLUMN = {"sci_notation", "precision_lost", "ambiguous_number", "date_in_text"}  # repaired at the source


@dataclass(frozen=True)
class Choice:
    """One column of the file on the screen: what it holds, which field it is, and how sure that is."""

    header: str
    sample: str
    field: str
    kind: str  # of the chip: ok, acc, warn or nothing
    icon: str
    result: str
    note: str = ""
    droppable: bool = False  # its doubts go away when the column is left out
    reads: str = ""  # what its first values are as amounts, where that is not how they are written, or not sure


@dataclass(frozen=True)
class Line:
    """One line of "What will happen": how many rows, and what becomes of them."""

    kind: str  # of the bar: auto, hand, wait, none or bad
    title: str
    detail: str
    rows: int


def kinds() -> dict[ImportKind, tuple[str, str, str]]:
    """Kind: its name, the heading of its import, one sentence."""
    return {
        ImportKind.LISTINGS: (_("Listings"), _("Import listings"), _("What a marketplace shows: its own report.")),
        ImportKind.PRODUCTS: (_("Products"), _("Import products"), _("Your catalogue: SKU, title, price, stock.")),
        ImportKind.STOCK: (_("Stock and prices"), _("Import stock and prices"), _("New quantities or prices by SKU.")),
        ImportKind.LINKS: (_("Links"), _("Import links"), _("Which listing is which product, from another tool.")),
    }


def states() -> dict[ImportState, tuple[str, str, str]]:
    """State: kind of chip, icon, word."""
    return {
        ImportState.CHECKING: ("", "loader", _("Checking")),
        ImportState.CHECKED: ("warn", "circle-dashed", _("Waits for you")),
        ImportState.REFUSED: ("bad", "circle-x", _("Refused")),
        ImportState.QUEUED: ("", "circle-dashed", _("Waiting")),
        ImportState.RUNNING: ("acc", "loader", _("Running")),
        ImportState.DONE: ("ok", "check", _("Done")),
        ImportState.FAILED: ("bad", "circle-x", _("Failed")),
        ImportState.UNDOING: ("acc", "loader", _("Taking back")),
        ImportState.UNDONE: ("", "minus", _("Taken back")),
    }


def fields(kind: ImportKind) -> list[tuple[str, str]]:
    """The choices of a column: leave it out, or one of the kind's fields."""
    words = field_words()
    return [("", _("Do not import")), *((name, words.get(name, name)) for name in importers.KIND_FIELDS[kind.value])]


def field_words() -> dict[str, str]:
    words = {
        "sku": _("SKU"), "listing_id": _("Listing ID"), "listing_sku": _("Channel SKU"), "base_sku": _("Base SKU"),
        "channel": _("Channel"), "source": _("Source"), "warehouse": _("Warehouse"), "mpn": _("MPN"),
        "brand": _("Brand"), "title": _("Title"), "description": _("Description"), "category": _("Category"),
        "status": _("Status"), "url": pgettext("address", "Link"), "image_url": _("Picture"), "gtin": _("GTIN"),
        "quantity": _("Stock"), "price": _("Price"), "currency": _("Currency"), "parent_id": _("Parent ID"),
        "option_details": _("Variation details"),
    }  # fmt: skip
    for n in (1, 2, 3):
        words |= {f"option{n}_name": _("Option %(n)s, name", n=n), f"option{n}_value": _("Option %(n)s, value", n=n)}
    return words


def columns(report: importers.Report, kind: ImportKind) -> list[Choice]:
    """Every column of the file in its order, with its doubts beside it."""
    doubts: dict[str, list[importers.Problem]] = defaultdict(list)
    for problem in (*(p for p in report.errors if p.code in WHOLE_COLUMN), *report.warnings):
        if problem.column and problem.row != (report.header_row or 1):
            doubts[problem.column].append(problem)
    guessed = _guesses(report, kind)
    twice = {f for f in guessed.values() if f and list(guessed.values()).count(f) > 1}
    return [_choice(c, doubts.get(c.header, []), guessed.get(c.header, ""), twice) for c in report.mapping if c.header]


def _guesses(report: importers.Report, kind: ImportKind) -> dict[str, str]:
    """Fields of a file that was refused before its columns were settled: each column taken by itself."""
    if report.columns or report.outcome != "reject":
        return {}
    found: dict[str, str] = {}
    for column in report.mapping:
        found[column.header] = importers.guess_mapping([column.header], kind.value)[0].field
    return found


def _choice(column: importers.Column, doubts: Sequence[importers.Problem], guess: str, twice: Iterable[str]) -> Choice:
    reads = _reads(column)
    sample = column.samples[0] if column.samples else ""
    field = column.field or guess
    if field and field in twice:
        note = _("Two columns hold this. Keep one.")
        return Choice(column.header, sample, field, "warn", "triangle-alert", _("Used twice"), note, reads=reads)
    if doubts and column.field:
        free = field not in NEEDED
        return Choice(column.header, sample, field, "warn", "triangle-alert", _("Check"), _doubt(doubts), free, reads)
    if column.why == "chosen":
        kind, icon, word = ("acc", "hand", _("Chosen")) if field else ("", "minus", _("Ignored"))
    elif field:
        kind, icon, word = "ok", "check", _("Recognised")
    elif column.why == "preset":
        kind, icon, word = "ok", "check", _("Read along")
    else:
        kind, icon, word = "", "minus", _("Ignored")
    return Choice(column.header, sample, field, kind, icon, word, reads=reads)


def _reads(column: importers.Column) -> str:
    """The first amounts of a column as they are written and as they are read; nothing where nobody would wonder."""
    pairs = list(zip(column.samples, column.reads, strict=False))
    if not any(DOUBTFUL.search(text) for text, _ in pairs):
        return ""
    return " · ".join(f"{text} → {read or '?'}" for text, read in pairs)


def _doubt(doubts: Sequence[importers.Problem]) -> str:
    """A sentence for each kind of doubt that cells of a column share; the list beside it names the rows."""
    by_code: dict[str, list[importers.Problem]] = defaultdict(list)
    for problem in doubts:
        by_code[problem.code].append(problem)
    return " ".join(map(_one_doubt, by_code.values()))


def _one_doubt(same: Sequence[importers.Problem]) -> str:
    first, n = same[0], len(same)
    if n == 1:
        return translated(first.message)
    if first.code == "sci_notation":
        words = _(
            "A spreadsheet shortened %(n)s of these codes to values such as %(value)s. "
            "Format the column as Text and export again, or import without this column.",
            n=format_decimal(n), value=first.value or "7.50106E+12",
        )  # fmt: skip
        return str(words)
    return str(_("%(n)s rows have the same doubt. %(first)s", n=format_decimal(n), first=translated(first.message)))


def outcome(job: ImportJob) -> list[Line]:
    """What the import will do; the rows of all lines add up to the rows of the file."""
    forecast: Mapping[str, int] = job.report.get("forecast") or {}
    bad, skipped = int(job.report.get("rows_bad", 0)), int(job.report.get("rows_skipped", 0))
    words = _forecast_words(job.kind, split="none" in forecast)
    lines = [Line(kind, title, detail, forecast.get(name, 0)) for name, kind, title, detail in words]
    left_out = _("Repeated rows, or rows that only head a group"), _("See the problems below")
    lines.append(Line("none", _("Skipped"), left_out[0], skipped))
    lines.append(Line("bad", _("Left out"), left_out[1], bad))
    return [line for line in lines if line.rows]


def _forecast_words(kind: ImportKind, *, split: bool) -> list[tuple[str, str, str, str]]:
    if kind == ImportKind.LISTINGS:
        together = _("No single product has exactly this SKU; some may resemble no product at all")
        return [
            ("link", "auto", _("Link by themselves"), _("The SKU is the same as in your catalogue")),
            ("review", "wait", _("Wait for your review"), _("A product looks similar") if split else together),
            ("update", "hand", _("Already imported"), _("What differs is changed; links stay as they are")),
            ("none", "none", _("No suggestion"), _("You can search for the product, or add it to the catalogue")),
        ]
    if kind == ImportKind.LINKS:
        return [
            ("link", "auto", _("Link"), _("The listing and the product are free")),
            ("same", "hand", _("Linked already"), _("Nothing changes for these")),
            ("refused", "none", _("Stay as they are"), _("The listing or the product is linked to another one")),
        ]
    if kind == ImportKind.STOCK:
        return [("update", "auto", _("Stock or price set"), _("What equals the present value changes nothing"))]
    return [
        ("new", "auto", _("Added to your catalogue"), _("No product has this SKU yet")),
        ("update", "hand", _("Known SKUs"), _("What differs is changed, what the file does not name stays")),
    ]


def folded(report: importers.Report, columns: Sequence[Choice]) -> set[int]:
    """The places of the columns that are left out, where they are many and nothing is missing."""
    out = {place for place, column in enumerate(columns) if not column.field and not column.note}
    return out if len(out) > MOST_LEFT_OUT and report.outcome != "reject" else set()


def decimal_at(columns: Sequence[Choice]) -> str:
    """The header of the column beside which the decimal mark is chosen: the first whose amounts are read otherwise."""
    return next((column.header for column in columns if column.reads), "")


def likely_channel(report: importers.Report, channels: Sequence[Channel]) -> str:
    """The id of the only channel named after the marketplace whose report this is; empty when that is not clear."""
    market = (report.preset or "").partition("_")[0]
    named = [c for c in channels if market and market in c.name.lower().replace(" ", "")]
    return str(named[0].id) if len(named) == 1 else ""


def unknown_channels(report: importers.Report, most: int = 5) -> list[str]:
    """The first names of channels in the file that are not there."""
    named = (p.value for p in report.errors if (p.column, p.code) == ("channel", "unknown_value"))
    return [*dict.fromkeys(named)][:most]


def remarks(report: importers.Report) -> list[str]:
    """Doubts about the file as a whole, each once."""
    asked = {"several_sheets", "broken_letters"}  # which have their own buttons
    found = (p.message for p in report.warnings if not p.column and p.code not in asked)
    return [translated(message) for message in dict.fromkeys(found)]


@dataclass(frozen=True)
class Readings:
    """Which questions about reading the file are worth asking, and their choices as (value, text)."""

    sheets: list[tuple[str, str]]
    decimal: bool  # numbers of this file can be read in two ways
    encodings: list[tuple[str, str]]
    delimiters: list[tuple[str, str]]


ENCODINGS = (
    "utf-8 cp1252 iso-8859-1 iso-8859-15 cp1250 cp1251 cp1253 cp1254 cp1257 koi8-r mac-roman cp850 utf-16 "
    "cp932 shift_jis euc-jp gb18030 big5 euc-kr"
).split()


def encodings(report: importers.Report, file: Path) -> list[tuple[str, str]]:
    """The encodings that a text file may have, each with how it would read; none for a workbook."""
    asked = any(p.code == "bad_encoding" for p in report.errors)
    if report.encoding is None and report.delimiter is None and not asked:
        return []
    with suppress(OSError), file.open("rb") as stream:
        read = importers.glimpses(stream, ENCODINGS)
        names = [*ENCODINGS, *([report.encoding] if report.encoding and report.encoding not in ENCODINGS else [])]
        return [
            (name, f"{name.upper()}: {read[name]}" if read.get(name) else name.upper())
            for name in names if name in read or name == report.encoding
        ]  # fmt: skip
    return []


def readings(report: importers.Report, file: Path) -> Readings:
    """What can be chosen about how the file is read."""
    hidden = _("hidden")
    visible = [(s.name, f"{s.name} ({hidden})" if s.hidden else s.name) for s in report.sheets]
    is_text = report.delimiter is not None or report.encoding is not None
    marks = [(",", _("Comma")), (";", _("Semicolon")), ("tab", _("Tab")), ("|", _("Vertical bar"))]
    doubtful = any(p.code == "ambiguous_number" for p in report.errors)
    return Readings(
        visible if len(visible) > 1 else [], doubtful, encodings(report, file), marks if is_text else [],
    )  # fmt: skip


def waits(session: Session, job: ImportJob) -> str:
    """What an import waits for while nobody is at it; nothing while somebody is."""
    hands = import_progress.hands(session, job, now=utc_now())
    if hands is Hands.AT_WORK:
        return ""
    if hands is Hands.NONE:
        return worker_words.nobody()
    begun = job.state == ImportState.RUNNING or (job.state == ImportState.UNDOING and job.lease_until is not None)
    return worker_words.stopped() if begun else worker_words.queued()


def undone(kind: ImportKind, numbers: Mapping[str, int]) -> str:
    """What taking an import back did; nothing when it was not taken back."""
    if not numbers:
        return ""
    removed, unlinked, restored, kept = (numbers.get(name, 0) for name in ("removed", "unlinked", "restored", "kept"))
    told = []
    if removed and kind == ImportKind.LISTINGS:
        told.append(ngettext("%(n)s listing removed", "%(n)s listings removed", removed, n=format_decimal(removed)))
    elif removed and kind == ImportKind.PRODUCTS:
        told.append(ngettext("%(n)s product removed", "%(n)s products removed", removed, n=format_decimal(removed)))
    if unlinked:
        told.append(ngettext("%(n)s link taken back", "%(n)s links taken back", unlinked, n=format_decimal(unlinked)))
    if restored:
        told.append(
            ngettext(
                "%(n)s set to its values of before",
                "%(n)s set to their values of before",
                restored,
                n=format_decimal(restored),
            )
        )
    text = _("Import undone.") + " " + (", ".join(told) + "." if told else _("There was nothing left to take back."))
    if kept:
        text += " " + ngettext(
            "%(n)s is used by now and was kept.", "%(n)s are used by now and were kept.", kept, n=format_decimal(kept)
        )
    return " ".join([str(text), *_left_to_newer(kind, numbers)])


def _left_to_newer(kind: ImportKind, numbers: Mapping[str, int]) -> list[str]:
    """What stays because the file of a newer import has it too, in a sentence for each that there is."""
    rows, values, links = (int(numbers.get(f"newer_{what}", 0)) for what in ("rows", "values", "links"))
    n = format_decimal
    told = []
    if rows and kind is ImportKind.LISTINGS:
        words = ngettext(
            "%(n)s listing stays: a newer import has it.",
            "%(n)s listings stay: a newer import has them.",
            rows,
            n=n(rows),
        )
        told.append(words)
    elif rows:
        words = ngettext(
            "%(n)s product stays: a newer import has it.",
            "%(n)s products stay: a newer import has them.",
            rows,
            n=n(rows),
        )
        told.append(words)
    if links:
        words = ngettext(
            "%(n)s link stays: a newer import has it.", "%(n)s links stay: a newer import has them.", links, n=n(links)
        )
        told.append(words)
    if values:
        words = ngettext(
            "%(n)s row keeps values that a newer import states too.",
            "%(n)s rows keep values that a newer import states too.",
            values,
            n=n(values),
        )
        told.append(words)
    return list(map(str, told))
