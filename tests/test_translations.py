"""The catalogues: complete, faithful to their placeholders, compiled, one for each language that Settings offers."""

from __future__ import annotations

import gettext
import re
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from webapp.config import Settings
from webapp.views.accounts import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "webapp" / "translations"
SOURCE = "en"  # the language of the code needs no catalogue
CATALOGUES = sorted(FOLDER.glob("*/LC_MESSAGES/*.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|#|\{\w+\}")  # the scripts of the page put a number in place of the last
RULES = {"es": "(n != 1)", "fr": "(n > 1)", "pt": "(n != 1)"}
LONGEST = 60  # of a text in a message of this test


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language(path))


def language(path: Path) -> str:
    return path.parent.parent.name


def pairs(message: Message) -> list[tuple[str, str]]:
    """Each text of a message beside its translation; the forms after the first translate the plural."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return [(message.id[min(n, 1)], text) for n, text in enumerate(message.string)]


def short(found: list[str]) -> list[str]:
    return [text if len(text) <= LONGEST else text[:LONGEST] + "…" for text in found]


def test_every_language_on_offer_has_a_catalogue():
    offered = set(Settings.languages) - {SOURCE}
    assert offered == {language(path) for path in CATALOGUES}
    assert set(LANGUAGES) == offered | {SOURCE}  # Settings calls each by its own name


@pytest.mark.parametrize("path", CATALOGUES, ids=language)
class TestCatalogue:
    def test_nothing_is_empty_or_only_guessed(self, path: Path):
        catalogue = read(path)
        assert short([a for m in catalogue if m.id for a, b in pairs(m) if not b.strip()]) == []
        assert short([str(m.id) for m in catalogue if m.id and m.fuzzy]) == []

    def test_placeholders_are_kept(self, path: Path):
        """A missing one hides a number from the reader; one too many ends in an error page."""
        changed = [
            a for m in read(path) if m.id for a, b in pairs(m)
            if Counter(PLACEHOLDER.findall(a)) != Counter(PLACEHOLDER.findall(b))
        ]  # fmt: skip
        assert short(changed) == []

    def test_every_plural_form_is_given(self, path: Path):
        catalogue = read(path)
        assert (catalogue.num_plurals, catalogue.plural_expr) == (2, RULES[language(path)])
        numbered = [m for m in catalogue if m.id and not isinstance(m.id, str)]
        assert numbered
        assert short([m.id[0] for m in numbered if len(m.string) != catalogue.num_plurals]) == []

    def test_spaces_at_the_edges_are_kept(self, path: Path):
        """Texts such as “ and ” join others."""
        edges = re.compile(r"^\s*|\s*$")
        changed = [a for m in read(path) if m.id for a, b in pairs(m) if edges.findall(a) != edges.findall(b)]
        assert short(changed) == []

    def test_what_the_program_reads_is_what_the_translator_wrote(self, path: Path):
        """The compiled file is kept beside its source: `make messages` writes it."""
        compiled = BytesIO()
        write_mo(compiled, read(path))
        compiled.seek(0)
        kept = path.with_suffix(".mo")
        with kept.open("rb") as file:
            assert words(gettext.GNUTranslations(file)) == words(gettext.GNUTranslations(compiled))


def words(catalogue: gettext.GNUTranslations) -> dict[object, str]:
    """The texts of a compiled catalogue, without its header, which names the version of the compiler."""
    return {key: text for key, text in catalogue._catalog.items() if key}  # type: ignore[attr-defined]
