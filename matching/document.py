"""A record made ready for comparing: its words with their hashes, its text for string scorers, and its facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from zlib import crc32

from matching.facts import colour_mask, counts, size_of
from matching.identifiers import code_key, is_code, parse_gtin
from matching.normalize import CODE, DESCRIPTION_LIMIT, PLAIN, TITLE_LIMIT, Quantity, Word, fold, words
from matching.records import Record

#: Three more kinds of word, for comparing only: the beginning of a model code, two neighbours read as one code
#: ("XH A1S"), and the longest run of digits in a code.
PREFIX, GLUE, DIGITS = 4, 5, 6
_MARKS: Final = re.compile(r"[-/._+']")
_DESCRIPTION_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class Document:
    """What matching keeps of a record. Hashes are CRC-32 of the word's UTF-8; prices are plain floats for ratios.

    `gtin` is the number, below zero when its check digit is wrong, 0 when there is none.
    """

    text: str
    words: dict[int, int]
    described: frozenset[int]
    quantities: tuple[Quantity, ...]
    colours: int
    size: int
    price: float
    currency: int
    gtin: int
    brand: int
    brand_words: tuple[int, ...]
    mpn: int


def hashed(text: str) -> int:
    """The 32-bit number that stands for a word."""
    return crc32(text.encode("utf-8", "surrogatepass"))


def _prefixes(code: str) -> Iterator[str]:
    """Beginnings of a model code, for sellers who drop the colour or region letters at its end."""
    if code.isdigit():
        return
    for length in range(max(4, len(code) - 3), len(code)):
        if is_code(code[:length]):
            yield code[:length]


def _digit_run(code: str) -> str:
    """The longest run of at least three digits: the part of a model code that sellers keep."""
    return max(re.findall(r"\d{3,}", code), key=len, default="")


def _glued(plain: list[str]) -> Iterator[str]:
    for left, right in pairwise(plain):
        joined = left + right
        if 4 <= len(joined) <= 16 and joined.isalnum() and is_code(joined) and not (left + right).isdigit():
            yield joined


def _hashed_words(found: Iterable[Word], plain: list[str]) -> dict[int, int]:
    """Word hashes with their kinds; the strongest kind wins when a word is several things."""
    out: dict[int, int] = {}
    for text, kind in found:
        out.setdefault(hashed(text), kind)
    for text, kind in list(found):
        if kind == CODE:
            for prefix in _prefixes(text):
                out.setdefault(hashed(prefix), PREFIX)
            if run := _digit_run(text):
                out.setdefault(hashed("#" + run), DIGITS)
    for glued in _glued([_MARKS.sub("", p) for p in plain]):
        out.setdefault(hashed(glued), GLUE)
    return out


def document(record: Record) -> Document:
    """Read a record once; every later step works on the result."""
    brand = fold(record.brand, 120)
    title = fold(record.title)
    lead = f"{brand} {title}" if brand and brand not in title else title
    extra = " ".join(fold(v, 80) for v in record.options.values() if v and fold(v, 80) not in title)
    found, quantities, plain = words(f"{lead} {extra}" if extra else lead)
    mpn = code_key(record.mpn)
    if mpn:
        found = [*found, Word(mpn, CODE)]
    tokens = _hashed_words(found, plain)
    described = _description(record.description, tokens)
    gtin = parse_gtin(record.gtin) if record.gtin else None
    return Document(
        text=" ".join(t for t in (_MARKS.sub("", p) for p in plain) if t),
        words=tokens,
        described=described,
        quantities=tuple(dict.fromkeys([*quantities, *counts(plain)])),
        colours=colour_mask(plain),
        size=hashed(size) if (size := size_of(plain, record.options)) else 0,
        price=float(record.price) if record.price is not None and record.price > 0 else 0.0,
        currency=hashed(record.currency.casefold()) if record.currency else 0,
        gtin=(int(gtin.digits) if gtin.valid else -int(gtin.digits)) if gtin else 0,
        brand=hashed(code_key(brand) or brand) if brand else 0,
        brand_words=tuple(hashed(w.text) for w in words(brand)[0] if w.kind == PLAIN)[:4],
        mpn=hashed(mpn) if len(mpn) >= 3 else 0,
    )


def _description(text: str, tokens: dict[int, int]) -> frozenset[int]:
    if not text:
        return frozenset()
    found, _, _ = words(fold(text, DESCRIPTION_LIMIT))
    return frozenset(h for h in (hashed(w.text) for w in found[:_DESCRIPTION_WORDS]) if h not in tokens)


def alias_document(title: str, owner: Document) -> Document:
    """A confirmed listing title as another face of its product: the title's words with the product's own facts."""
    found, _, plain = words(fold(title, TITLE_LIMIT))
    return Document(
        text=" ".join(t for t in (_MARKS.sub("", p) for p in plain) if t),
        words=_hashed_words(found, plain),
        described=frozenset(),
        quantities=owner.quantities, colours=owner.colours, size=owner.size, price=owner.price,
        currency=owner.currency, gtin=owner.gtin, brand=owner.brand, brand_words=owner.brand_words, mpn=owner.mpn,
    )  # fmt: skip
