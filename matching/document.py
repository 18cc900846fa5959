"""A record made ready for comparing: its words with their hashes, its text for string scorers, and its facts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from matching.facts import CONTENTS, size_of
from matching.identifiers import code_key, parse_gtin
from matching.lexicon import UNITS
from matching.money import currency_code
from matching.normalize import CODE, DESCRIPTION_LIMIT, PLAIN, TITLE_LIMIT, Quantity, fold, raw_tokens, words
from matching.reading import FOOD_BITS, Reading, code_parts, hashed, piece_hashes, read, read_short
from matching.records import Record, price_of
from matching.scripts import latin, with_latin

_DESCRIPTION_TOKENS: Final = 300
_TEXT_LIMIT: Final = 2_000
# The sign of the metre is a small letter: this is a maker's name, or may be one, and what may be one is no length.
_MAKER: Final = re.compile(r"\s*[1-9]\d?M(?![\w.'/+]|-\d)")
# Width, height, rim, then how much a tyre carries and how fast it may turn (ECE Regulation 30).
_LOAD: Final = re.compile(r"(?<!\d)\d{3}[/ ]\d{2} ?z?r ?f?\d{2}c? \(?(\d{2,3})(?:/\d{2,3})? ?([a-z])(?!\w)")
_SET_APART: Final = re.compile(r"\s*\S+\s*[-–—:|,]\s")  # "3M - …" is a maker in capitals, too


@dataclass(slots=True)
class Document:
    """What matching keeps of a record. Hashes are CRC-32 of a word's UTF-8; prices are plain floats for ratios.

    `text` is the title without marks (up to `title_end`), then brand and options, and their Cyrillic words once more in
    Latin letters. `gtin` is the number, below zero when its check digit is wrong, 0 when there is none.
    """

    text: str
    title_end: int
    words: dict[int, int]
    described: list[int]
    quantities: list[Quantity]
    codes: list[str]
    colours: int
    size: str
    price: float
    currency: int
    gtin: int
    brand: int
    brand_word: int
    mpn: int


@lru_cache(maxsize=20_000)
def _brand(text: str) -> tuple[str, int, int]:
    """A brand folded, its hash, for which the script is nothing, and that of its first plain word; 0 for none."""
    folded = fold(text, 120)
    if not folded:
        return "", 0, 0
    read_words = words(folded)[0]
    named = next((w for w in read_words if w.kind == PLAIN), read_words[0] if read_words else None)
    return folded, hashed(latin(code_key(folded) or folded)), hashed(named.text) if named else 0


def _without_maker(title: str, brand: str, quantities: list[Quantity]) -> list[Quantity]:
    """Quantities of a title but for its maker: what is written as the brand is, or, without one, "3M" at the front."""
    if brand[:1].isdigit():
        makers = read_short(brand, 120)[1].quantities
        return [q for q in quantities if q not in makers]
    maker = not brand and _MAKER.match(title) and (_SET_APART.match(title) or not title.isupper())
    return quantities[1:] if maker else quantities


def _without_load(title: str, quantities: list[Quantity]) -> list[Quantity]:
    """Quantities of a title but for the load index of a tyre, whose speed symbol may be a unit: "205/55 R16 91V"."""
    found = _LOAD.search(title) if "r1" in title or "r2" in title or "r 1" in title or "r 2" in title else None
    unit = UNITS.get(found[2]) if found else None
    if found is None or unit is None:
        return quantities
    return [q for q in quantities if q != (unit[0], float(found[1]) * unit[1])]


def _colours(named: int, quantities: list[Quantity]) -> int:
    """The colours named; what may be food counts only where nobody says how much of it there is."""
    doubtful = 0 if any(q.dimension in CONTENTS for q in quantities) else named >> FOOD_BITS
    return named & (1 << FOOD_BITS) - 1 | doubtful


def document(record: Record) -> Document:
    """Read a record once; every later step works on the result."""
    title = fold(record.title)
    reading = read(title)
    plain = reading.plain
    title_text = text = " ".join(reading.bare)
    found, parts, quantities = reading.words, reading.parts, reading.quantities
    brand, brand_hash, brand_word = _brand(record.brand) if record.brand else ("", 0, 0)
    if brand and brand not in title:
        text = _add(text, read_short(record.brand, 120)[1], found, parts)
    if quantities:
        quantities = _without_load(title, _without_maker(record.title, record.brand, quantities))
    names_size = reading.names_size
    for value in record.options.values() if record.options else ():
        folded, option = read_short(value, 80)
        if folded and folded not in title:
            text = _add(text, option, found, parts)
            quantities = [*quantities, *option.quantities]
            plain = plain + option.plain
            reading.colours |= option.colours
            names_size = names_size or option.names_size
            reading.codes.update(option.codes)
    mpn = code_key(record.mpn) if record.mpn else ""
    if mpn:
        found.setdefault(hashed(mpn), CODE)
        reading.codes[mpn] = None
        for h, kind in code_parts(mpn):
            parts.setdefault(h, kind)
    for h, kind in parts.items():
        found.setdefault(h, kind)
    gtin = parse_gtin(record.gtin) if record.gtin else None
    price = price_of(record)
    currency = currency_code(record.currency) if record.currency else ""
    return Document(
        text=with_latin(text)[:_TEXT_LIMIT],
        title_end=min(len(title_text), _TEXT_LIMIT),
        words=found,
        described=_description(record.description, found) if record.description else [],
        quantities=list(dict.fromkeys(quantities)) if len(quantities) > 1 else quantities,
        codes=list(reading.codes),
        colours=_colours(reading.colours, quantities) if reading.colours else 0,
        size=size_of(plain, record.options) if names_size or reading.colours or record.options else "",
        price=float(price) if price is not None and price > 0 else 0.0,
        currency=hashed(currency) if currency else 0,
        gtin=(int(gtin.digits) if gtin.valid else -int(gtin.digits)) if gtin else 0,
        brand=brand_hash,
        brand_word=brand_word,
        mpn=hashed(mpn) if len(mpn) >= 3 else 0,
    )


def _add(text: str, more: Reading, found: dict[int, int], parts: dict[int, int]) -> str:
    """Add the words of a brand or an option to those of the title; gives the text with theirs."""
    for h, kind in more.words.items():
        found.setdefault(h, kind)
    for h, kind in more.parts.items():
        parts.setdefault(h, kind)
    joined = " ".join(more.bare)
    return f"{text} {joined}" if text else joined


def _description(text: str, known: Iterable[int]) -> list[int]:
    """Hashes of the description's words that the title does not have."""
    tokens = raw_tokens(fold(text, DESCRIPTION_LIMIT))
    return list(piece_hashes(tokens, _DESCRIPTION_TOKENS).difference(known))


def alias_document(title: str, owner: Document) -> Document:
    """A confirmed listing title as another face of its product: the title's words with the product's own facts."""
    reading = read(fold(title, TITLE_LIMIT))
    found = reading.words
    for h, kind in reading.parts.items():
        found.setdefault(h, kind)
    text = " ".join(reading.bare)[:_TEXT_LIMIT]
    return Document(
        text=text, title_end=len(text), words=found, described=[], quantities=owner.quantities, codes=owner.codes,
        colours=owner.colours, size=owner.size, price=owner.price, currency=owner.currency, gtin=owner.gtin,
        brand=owner.brand, brand_word=owner.brand_word, mpn=owner.mpn,
    )  # fmt: skip
