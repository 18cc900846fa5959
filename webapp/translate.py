"""Sentences of the domain, and shares of a whole, in the reader's language.

Services, importers, connectors and matching say what they have to say in English, with `phrase` or `phrases`:
so it stands in the database, in logs, in the API and on the command line, the same for everybody. Screens show
it through `translated`, which finds the template that the sentence was made of in the reader's catalogue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel.core import Locale
from babel.messages.mofile import read_mo
from babel.numbers import get_decimal_symbol, get_group_symbol
from flask import Flask
from flask_babel import format_percent, get_locale, get_translations

FOLDER = Path(__file__).parent / "translations"
_SLOT = re.compile(r"\{(\w+)\}")
#: Values that are said, not typed by somebody: texts of ours, to be told in the reader's language as well.
_SAID = frozenset(
    "label field kind role verb word what main problem reason cause said detail difference "
    "ours theirs first second third others rows".split()
)
#: Values that may look like numbers and are none of ours: they stay as they stand in the file.
_TYPED = frozenset("value sku listing name column sheet channel".split())
_SENTENCES = frozenset({"problem", "reason", "cause", "said", "detail"})  # of these, those that may be sentences
_NUMBER = re.compile(r"\d{1,3}(,\d{3})*(\.\d+)?|\d+(\.\d+)?")
_LIST = re.compile(r"(, | and )")
_SENTENCE_END = re.compile(r"(?<=[.!?:]) +(?=\S)")


@dataclass(frozen=True)
class _Template:
    """One text with places for values: its pattern, and its ids as the catalogue knows them (one, or two by number)."""

    pattern: re.Pattern[str]
    ids: tuple[str, ...]
    said: frozenset[str]  # values that are texts of ours; one between “ and ” never is


def init_app(app: Flask) -> None:
    """Give templates the filters `translated` and `percent`."""
    app.add_template_filter(translated, "translated")
    app.add_template_filter(percent, "percent")


def translated(sentence: str) -> str:
    """A sentence of the domain in the language of this request; as it is when no catalogue knows it."""
    locale = get_locale()
    if not sentence or locale is None or locale.language == "en":
        return sentence
    return _translated(str(locale), sentence)


def percent(share: float, places: int = 0) -> str:
    """A share as percent with so many decimals, the mark and its space as the language of this request has them."""
    locale = get_locale() or Locale("en")
    pattern = str(locale.percent_formats[None].pattern)
    return str(format_percent(share, pattern.replace("0", "0." + "0" * places) if places else pattern))


@lru_cache(maxsize=8192)
def _translated(locale: str, sentence: str) -> str:
    whole = _whole(locale, sentence)
    if whole is not None:
        return whole
    # Several sentences in a row: the longest beginning that is known, then what follows it.
    for end in reversed([m.span() for m in _SENTENCE_END.finditer(sentence)]):
        first = _whole(locale, sentence[: end[0]])
        if first is not None:
            return f"{first} {_translated(locale, sentence[end[1] :])}"
    head = _SENTENCE_END.search(sentence)
    if head is not None:
        return f"{sentence[: head.start()]} {_translated(locale, sentence[head.end() :])}"
    return sentence


def _whole(locale: str, sentence: str) -> str | None:
    """The translation of exactly this text, or None when nothing in the catalogue fits it."""
    known = get_translations()
    if (found := known.gettext(sentence)) != sentence:
        return str(found)
    for template in _templates(str(Locale.parse(locale).language)):
        fits = template.pattern.fullmatch(sentence)
        if fits is not None:
            return _filled(locale, template, fits.groupdict())
    return None


def _filled(locale: str, template: _Template, said: dict[str, str]) -> str:
    """The template in the reader's language, with the values that were said in English."""
    known = get_translations()
    text = known.gettext(template.ids[0]) if len(template.ids) == 1 else known.ngettext(*template.ids, _count(said))
    ours = {name for name, value in said.items() if name in template.said or _is_number(name, value)}
    told = {name: _value(locale, value) if name in ours else value for name, value in said.items()}
    return _SLOT.sub(lambda slot: told.get(slot[1], slot[0]), text)


def _is_number(name: str, value: str) -> bool:
    return name not in _TYPED and _NUMBER.fullmatch(value) is not None


def _value(locale: str, value: str) -> str:
    """A value inside a sentence: a text of ours, or several in a row, in the reader's words; numbers with its marks."""
    if _NUMBER.fullmatch(value):
        return value.translate({ord(","): get_group_symbol(locale), ord("."): get_decimal_symbol(locale)})
    if value and (told := _translated(locale, value)) != value:
        return told
    parts = _LIST.split(value)
    return "".join(_translated(locale, part) if part else "" for part in parts) if len(parts) > 1 else value


def _count(said: dict[str, str]) -> int:
    return int(said["n"].replace(",", "")) if "n" in said else 2


@lru_cache(maxsize=8)
def _templates(language: str) -> tuple[_Template, ...]:
    """The catalogue's texts with places for values, the most telling first."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.mo"
    if not path.is_file():
        return ()
    with path.open("rb") as file:
        catalogue = read_mo(file)
    found = []
    for message in catalogue:
        ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        found += [(len(_SLOT.sub("", one)), _template(one, ids)) for one in ids if _SLOT.search(one)]
    return tuple(template for _, template in sorted(found, key=lambda pair: -pair[0]))


def _template(text: str, ids: tuple[str, ...]) -> _Template:
    """Build what recognises a text; a value is the same wherever its name stands again.

    `n` is a number; what is typed ends where its quotation ends; only some values may be whole sentences.
    """
    parts, seen, end = [], set(), 0
    quoted = set(re.findall(r"“\{(\w+)\}”", text))
    for slot in _SLOT.finditer(text):
        name = slot[1]
        value = r"(?:(?![.!?] ).)*?"
        if name == "n":
            value = r"[\d,]+"
        elif name in quoted:
            value = "[^”]*?"
        elif name in _SENTENCES:
            value = ".*?"
        if text.startswith(" {", slot.end()):  # of two values side by side the second is one word
            value = value.replace("*?", "*")
        parts += [re.escape(text[end : slot.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>{value})"]
        seen.add(name)
        end = slot.end()
    parts.append(re.escape(text[end:]))
    return _Template(re.compile("".join(parts), re.DOTALL), ids, _SAID - quoted)
