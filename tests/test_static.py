"""What the browser is given: pinned files, small enough, nothing loaded from elsewhere, no inline style or script."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask, render_template
from flask_babel import Babel

from webapp import drawing, tiles

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "webapp" / "static"
TEMPLATES = ROOT / "templates"
SHEET = STATIC / "app.css"
NAMESPACE = "http://www.w3.org/2000/svg"  # a name, which nothing loads
SCRIPTS = [path for path in STATIC.glob("*.js") if not path.name.endswith(".min.js")]
OWN_TEXT = sorted([*TEMPLATES.rglob("*.html"), SHEET, *SCRIPTS, *STATIC.glob("*.svg")])


def zipped(*paths: Path) -> int:
    """Bytes on the wire: each file compressed by itself, as a server sends it."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def symbols() -> dict[str, ElementTree.Element]:
    tree = ElementTree.fromstring((STATIC / "icons.svg").read_text(encoding="utf-8"))
    return {symbol.attrib["id"]: symbol for symbol in tree.iter(f"{{{NAMESPACE}}}symbol")}


def relative_luminance(colour: str) -> float:
    """WCAG 2.2 relative luminance of #rrggbb or #rgb."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio, 1 to 21."""
    low, high = sorted((relative_luminance(one), relative_luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tokens() -> dict[str, tuple[str, str]]:
    """Each colour token with its light and dark value."""
    found = re.findall(r"(--[\w-]+): light-dark\((#\w+), (#\w+)\)", SHEET.read_text(encoding="utf-8"))
    return {name: (light, dark) for name, light, dark in found}


def test_vendored_files_are_the_ones_we_pinned() -> None:
    rows = [line.split("  ") for line in (STATIC / "vendor.sha256").read_text().splitlines()]
    listed = {name: digest for digest, name in rows}
    assert set(listed) >= {"htmx.min.js", "fonts/geist.woff2", "fonts/geist-mono.woff2"}
    for name, digest in listed.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest, name


def test_every_third_party_file_is_pinned_and_has_its_licence() -> None:
    listed = {line.split("  ")[1] for line in (STATIC / "vendor.sha256").read_text().splitlines()}
    foreign = {p.relative_to(STATIC).as_posix() for p in [*STATIC.glob("*.min.js"), *(STATIC / "fonts").iterdir()]}
    assert foreign <= listed
    assert {"HTMX-LICENSE.txt", "fonts/GEIST-LICENSE.txt", "fonts/LUCIDE-LICENSE.txt"} <= listed


def test_htmx_is_the_version_the_markup_was_written_for() -> None:
    assert 'version:"2.0.11"' in (STATIC / "htmx.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("what", "paths", "limit"),
    [
        ("style sheet", [SHEET], 12 * 1024),
        ("our script", [STATIC / "app.js"], 6_656),
        ("all scripts of the review", [STATIC / f"{name}.js" for name in ("htmx.min", "app", "review")], 24 * 1024),
        ("all scripts of other pages", [STATIC / f"{name}.js" for name in ("htmx.min", "app", "forms")], 24 * 1024),
        ("icons", [STATIC / "icons.svg"], 5 * 1024),
    ],
)
def test_a_first_visit_stays_small(what: str, paths: list[Path], limit: int) -> None:
    assert zipped(*paths) <= limit, what


def test_fonts_stay_small() -> None:
    assert sum(p.stat().st_size for p in (STATIC / "fonts").glob("*.woff2")) <= 56 * 1024


@pytest.mark.parametrize("path", OWN_TEXT, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    assert not re.search(r"""(?:https?:)?//[a-z0-9-]+\.[a-z]""", text, re.IGNORECASE)
    assert "@import" not in text


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_templates_carry_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "javascript:" not in text
    assert not re.search(r"\bhx-on\b|\bhx-vals\s*=\s*[\"']?js:", text), "the page's policy allows no evaluation"


def test_files_named_by_the_sheet_exist() -> None:
    for name in re.findall(r"url\((?!\"data:|#)\"?([^)\"]+)", SHEET.read_text(encoding="utf-8")):
        assert (STATIC / name).is_file(), name


def test_each_icon_that_a_template_names_is_in_the_sprite() -> None:
    known = symbols()
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"\b(?:ui\.)?icon\('([a-z0-9-]+)'", text))
        assert {f"i-{name}" for name in named} <= set(known), path.name


def test_each_pictogram_that_words_lead_to_is_in_the_sprite() -> None:
    assert len(tiles.KINDS) == 9
    assert {f"p-{kind}" for kind in [*tiles.KINDS, "box"]} <= set(symbols())


def test_symbols_scale() -> None:
    found = symbols()
    assert len(found) >= 56
    assert all("viewBox" in symbol.attrib for symbol in found.values())


def test_every_amount_has_its_class() -> None:
    css = SHEET.read_text(encoding="utf-8")
    assert [n for n in range(10, 101, 10) if f".v-{n} {{ --t: {n}% }}" not in css] == []
    assert [n for n in range(1, 10) if f".u-{n} {{ --u: {n}% }}" not in css] == []
    assert ".pc { --v: calc(var(--t, 0%) + var(--u, 0%)) }" in css


def test_a_browser_without_light_dark_gets_each_light_value() -> None:
    before, after = SHEET.read_text(encoding="utf-8").split("@supports (color: light-dark(#000, #fff))")
    plain = dict(re.findall(r"(--[\w-]+): ([^;]+);", before))
    both = re.findall(r"(--[\w-]+): light-dark\((rgb\([^)]*\)|#\w+), ", after)
    assert len(both) > 20
    assert {name: plain.get(name) for name, _ in both} == dict(both)
    assert "light-dark" not in before.split(":root {")[1]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        *((ink, paper) for ink in ("--ink", "--ink-2", "--ink-3") for paper in ("--surface", "--bg", "--sunken")),
        *(
            (f"--{kind}", paper)
            for kind in ("ok", "warn", "bad", "accent")
            for paper in ("--surface", f"--{kind}-soft")
        ),
    ],
)
def test_text_can_be_read(ink: str, paper: str, theme: int) -> None:
    assert contrast(tokens()[ink][theme], tokens()[paper][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", ["--accent-bg", "--ok-bg", "--bad-bg"])
def test_white_can_be_read_on_filled_buttons(paper: str, theme: int) -> None:
    assert contrast("#fff", tokens()[paper][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", ["--surface", "--bg"])
def test_the_edge_of_a_control_can_be_seen(paper: str, theme: int) -> None:
    assert contrast(tokens()["--edge"][theme], tokens()[paper][theme]) >= 3


def test_white_can_be_read_on_every_channel_badge() -> None:
    colours = dict(re.findall(r"\.(?:ch\.)?(am|ml|sh|eb|c-\d) \{ --c: (#\w+) \}", SHEET.read_text(encoding="utf-8")))
    assert len(colours) == 12
    assert {name: round(contrast("#fff", c), 1) for name, c in colours.items() if contrast("#fff", c) < 4.5} == {}


def test_braces_balance() -> None:
    css = re.sub(r'"[^"]*"|/\*.*?\*/', "", SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert css.count("{") == css.count("}")


@pytest.fixture(scope="module")
def ui() -> Iterator[Any]:
    """The macros as a page sees them, inside a request of a bare application with our templates."""
    app = Flask("bare", template_folder=str(TEMPLATES), static_folder=str(STATIC))
    app.secret_key = "only for signing nothing"
    Babel(app)
    app.jinja_env.globals.update(static_url=lambda name: f"/static/{name}", csrf_token=lambda: "token", printed=str)
    drawing.init_app(app)
    with app.test_request_context("/"):
        yield app.jinja_env.globals["ui"]


@pytest.mark.parametrize(
    ("title", "pictogram", "tone"),
    [
        ("Nomad Insulated Bottle 750 ml, Sage", "p-bottle", "t-0"),
        ("Botella térmica 750 ml (verde)", "p-bottle", "t-0"),
        ("Caneca esmaltada vermelha, vermelho", "p-mug", "t-1"),
        ("Sac à dos 22 L noir", "p-pack", "t-3"),
        ("Steel committee desk", "p-box", ""),
        ("", "p-box", ""),
    ],
)
def test_a_tile_follows_the_words(ui: Any, title: str, pictogram: str, tone: str) -> None:
    drawn = str(ui.thumb(title))
    assert f'#{pictogram}"' in drawn
    assert tone in drawn


def test_two_titles_of_one_kind_never_differ_in_colour_by_chance(ui: Any) -> None:
    assert str(ui.thumb("Field mug 350 ml")) == str(ui.thumb("Enamel camp mug, 0.35 litres"))


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("24.9", "USD", "$24.90"),
        ("24.9015", "USD", "24.9015 USD"),
        ("1299", "", "1,299.00"),
        ("0.125", "", "0.125"),
    ],
)
def test_money_never_hides_a_place_that_counts(ui: Any, amount: str, currency: str, shown: str) -> None:
    assert str(ui.money(Decimal(amount), currency)) == shown


@pytest.mark.parametrize(
    ("score", "band", "length"),
    [
        (91, "", "v-90 u-1"),
        (84, "mid", "v-80 u-4"),
        (59.4, "low", "v-50 u-9"),
        (-1, "low", "v-0 u-0"),
        (101, "", "v-100 u-0"),
    ],
)
def test_a_score_has_a_band_and_a_length(ui: Any, score: float, band: str, length: str) -> None:
    drawn = str(ui.meter(score))
    assert f'class="meter {band}"' in drawn
    assert f'class="pc {length}"' in drawn


@pytest.mark.parametrize("amounts", [[1046, 121, 95, 16, 6], [1], [1, 100_000], [0, 3, 0]])
def test_a_stacked_bar_is_full_and_hides_nothing(ui: Any, amounts: list[int]) -> None:
    drawn = str(ui.parts([("rows", n, "auto") for n in amounts]))
    widths = [float(w) for w in re.findall(r' width="([\d.]+)%"', drawn)]
    assert len(widths) == sum(1 for n in amounts if n)
    assert sum(widths) == pytest.approx(100, abs=0.1)
    assert min(widths) >= 1


def test_a_stacked_bar_of_nothing_is_drawn_empty(ui: Any) -> None:
    assert "<rect" not in str(ui.parts([("linked", 0, "auto"), ("to review", 0, "wait")]))


def test_markup_in_a_name_stays_text(ui: Any) -> None:
    for drawn in (ui.toast("<b>x</b>"), ui.status("ok", "check", "<b>x</b>"), ui.channel_badge("<b>x</b>")):
        assert "<b>x" not in str(drawn)


def test_a_key_is_shown_to_the_eye_and_told_to_the_screen_reader(ui: Any) -> None:
    drawn = str(ui.button("Link all 3", key="shift+a"))
    assert 'data-key="shift+a" aria-keyshortcuts="Shift+A"' in drawn
    assert '<kbd aria-hidden="true">Shift A</kbd>' in drawn


def test_the_error_page_stands_without_anything_else(ui: Any) -> None:
    page = render_template(
        "error.html", title="Not saved", meaning="Nothing changed.", repair="Try again.", code="7F3A"
    )
    assert page.count("<h1>Not saved</h1>") == 1
    assert "Nothing changed." in page
    assert "7F3A" in page
    assert "<nav" not in page, "a person who is not signed in has no menu"
