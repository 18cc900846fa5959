"""One side of a comparison, product or listing, with everything the fields ask for, read once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json import loads
from types import MappingProxyType
from typing import Any, Final

from matching.document import Document, alias_document, document
from matching.identifiers import Gtin, match_key
from matching.lexicon import COLOUR_NAMES, ROMAN
from matching.marks import Spelt
from matching.measures import NO_QUANTITIES, Quantities
from matching.normalize import fold, words
from matching.records import Record, price_of
from matching.segment import Segment

#: What a side gives for comparing, as bits of `Side.given`.
TITLE, SKU, GTIN, MODEL, BRAND, SIZE, COUNTS, COLOUR, OPTIONS, PRICE = (1 << bit for bit in range(10))
MOST_ALIASES: Final = 20  # other names of a product that its title is compared by
_GLUED: Final = re.compile(r"^([a-z]{2,})(\d{1,3})$")
_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})


class Side:
    """A record as comparisons see it. `text` is the title's words without marks; `quantities` are by dimension.

    What a record does not give stays as it is written here: most give little, and eleven are made for every listing.
    """

    sku = ""
    title = ""
    brand = ""
    gtin_text = ""
    gtin: Gtin | None = None
    price = 0.0
    price_text = ""
    currency = ""
    text = ""
    codes: Sequence[str] = ()
    size = ""
    colour_mask = 0
    quantities: Quantities = NO_QUANTITIES
    options: Mapping[str, str] = _NOTHING
    aliases: Sequence[str] = ()  # the words of the titles that linked listings have
    given = 0
    _compact: str | None = None
    _joined: set[str] | None = None
    _numbers: set[str] | None = None
    _words: list[str] | None = None
    _spelt: Spelt | None = None
    _tokens: list[str] | None = None

    @classmethod
    def of(cls, record: Record, doc: Document | None = None) -> Side:
        """From a record, with the document made of it when there is one already."""
        doc = doc or document(record)
        side = cls()
        side._text(record.sku, record.title, record.brand, record.currency)
        if (price := price_of(record)) is not None:
            side._price(f"{price:f}")
        if record.gtin:
            side._gtin(record.gtin, doc.gtin)
        side.text, side.codes, side.size, side.colour_mask = doc.text[: doc.title_end], doc.codes, doc.size, doc.colours
        if doc.quantities:
            side.quantities = _by_dimension(tuple(doc.quantities))
        if record.options:
            side.options = {fold(k, 60): v for k, v in record.options.items() if v}
        if record.aliases:
            side.aliases = [alias_document(title, doc).text for title in record.aliases[:MOST_ALIASES]]
        side._look()
        return side

    @classmethod
    def at(cls, segment: Segment, places: Sequence[int]) -> list[tuple[int | str, Side]]:
        """The products at places of an index, each with its id."""
        read = segment.read
        return [
            cls._kept(segment, read, place, parts) for place, parts in zip(places, segment.told(places), strict=True)
        ]

    @classmethod
    def _kept(
        cls, segment: Segment, read: Mapping[str, memoryview], place: int, parts: Sequence[str]
    ) -> tuple[int | str, Side]:
        key, sku, title, brand, gtin, _, _, currency, price, options, codes, size, text = parts
        side = cls()
        side.text = text
        # What `_text` and `_look` do, in one go and without a call for each: eleven are made for every listing.
        given = 0
        if title := title.strip():
            side.title = title
            given = TITLE
        if sku and (sku := match_key(sku)):
            side.sku = sku
            given |= SKU
        if brand and (brand := brand.strip()):
            side.brand = brand
            given |= BRAND
        if currency:
            side.currency = currency
        if price:
            side._price(price)
            given |= PRICE
        if gtin:
            side._gtin(gtin, read["gtins"][place])
            given |= GTIN
        if size:
            side.size = size
            given |= SIZE
        if colours := read["colours"][place]:
            side.colour_mask = colours
            given |= COLOUR
        if codes:
            side.codes = codes.split()
            given |= MODEL
        begin, end = read["quantity_at"][place], read["quantity_at"][place + 1]
        if end > begin:
            side.quantities = _kept_quantities(bytes(read["dims"][begin:end]), bytes(read["vals"][begin:end]))
            given |= SIZE | COUNTS
        if options and (named := {fold(k, 60): v for k, v in loads(options).items() if v}):
            side.options = named
            given |= OPTIONS
        if segment.has_aliases:
            side.aliases = segment.aliases(place, MOST_ALIASES)
        side.given = given
        return (int(key[1:]) if key[0] == "i" else key[1:]), side

    def _text(self, sku: str, title: str, brand: str, currency: str) -> None:
        self.title = title.strip()
        if brand:
            self.brand = brand.strip()
        if currency:
            self.currency = currency
        if sku:
            self.sku = match_key(sku)

    def _price(self, text: str) -> None:
        self.price = float(text)
        self.price_text = f"{text} {self.currency}".strip()

    def _gtin(self, text: str, number: int) -> None:
        self.gtin_text = text.strip()
        self.gtin = Gtin(f"{abs(number):014d}", number > 0) if number else None

    def _look(self) -> None:
        """Note what is given."""
        given = TITLE if self.title else 0
        if self.sku:
            given |= SKU
        if self.gtin_text:
            given |= GTIN
        if self.codes:
            given |= MODEL
        if self.brand:
            given |= BRAND
        if self.quantities:
            given |= SIZE | COUNTS
        if self.size:
            given |= SIZE
        if self.colour_mask:
            given |= COLOUR
        if self.options:
            given |= OPTIONS
        if self.price_text:
            given |= PRICE
        self.given = given

    @property
    def compact(self) -> str:
        """The title's words in one piece."""
        if self._compact is None:
            self._compact = self.text.replace(" ", "")
        return self._compact

    @property
    def tokens(self) -> list[str]:
        """The title's words without marks, in order."""
        if self._tokens is None:
            self._tokens = self.text.split()
        return self._tokens

    @property
    def joined(self) -> set[str]:
        """One, two and three neighbouring words as one: how a code may be written in pieces."""
        if self._joined is None:
            words = self.tokens[:60]
            self._joined = {"".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words))}
        return self._joined

    @property
    def numbers(self) -> set[str]:
        """The title's words that are not letters alone, Roman numerals in digits."""
        if self._numbers is None:
            self._numbers = numbers_in(self.tokens)
        return self._numbers

    @property
    def words(self) -> list[str]:
        """The title's words in order: quantities in their base unit, decimals, codes in parts, "SPF50" as two.

        A Roman numeral is the number that stands for it.
        """
        if self._words is None:
            said = (word.text for word in words(fold(self.title))[0] if word.text not in ROMAN)
            self._words = [
                part for word in said for part in (_GLUED.sub(r"\1 \2", word) if word[-1].isdigit() else word).split()
            ]
        return self._words

    @property
    def spelt(self) -> Spelt:
        """The title's words as they are written."""
        if self._spelt is None:
            self._spelt = Spelt(self.title)
        return self._spelt


def numbers_in(words: Iterable[str]) -> set[str]:
    """Those of some words that are not letters alone, Roman numerals in digits."""
    return {ROMAN.get(word, word) for word in words if not word.isalpha() or word in ROMAN}


@lru_cache(maxsize=20_000)
def colour_names(mask: int) -> str:
    """Names of the colours in a mask."""
    return ", ".join(name for i, name in enumerate(COLOUR_NAMES) if mask >> i & 1)


@lru_cache(maxsize=20_000)
def _kept_quantities(dims: bytes, vals: bytes) -> Quantities:
    """From the bytes of an index's `dims` and `vals`."""
    return _by_dimension(tuple(zip(dims, memoryview(vals).cast("f"), strict=True)))


@lru_cache(maxsize=20_000)
def _by_dimension(quantities: Iterable[tuple[int, float]]) -> Quantities:
    out = Quantities()
    for dimension, value in quantities:
        out.setdefault(dimension, []).append(value)
    return out
