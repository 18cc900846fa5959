"""One side of a comparison, product or listing, with everything the fields ask for, read once."""

from __future__ import annotations

from collections.abc import Iterable
from json import loads
from typing import Final

from matching.document import Document, alias_document, document
from matching.identifiers import Gtin, match_key
from matching.lexicon import COLOUR_NAMES
from matching.marks import Spelt
from matching.normalize import Quantity, fold
from matching.records import Record
from matching.segment import Segment

MOST_ALIASES: Final = 20  # other names of a product that its title is compared by
_COLOURS: dict[int, list[str]] = {0: []}


class Side:
    """A record as comparisons see it. `text` is the title's words without marks; `quantities` are by dimension."""

    __slots__ = (
        "_compact", "_joined", "_spelt", "aliases", "brand", "codes", "colour_mask", "currency", "gtin", "gtin_text",
        "options", "price", "price_text", "quantities", "size", "sku", "text", "title",
    )  # fmt: skip

    sku: str
    title: str
    brand: str
    gtin_text: str
    gtin: Gtin | None
    price: float
    price_text: str
    currency: str
    text: str
    codes: list[str]
    size: str
    colour_mask: int
    quantities: dict[int, list[float]]
    options: dict[str, str]
    aliases: list[str]  # the words of the titles that linked listings have

    @classmethod
    def of(cls, record: Record, doc: Document | None = None) -> Side:
        """From a record, with the document made of it when there is one already."""
        doc = doc or document(record)
        side = cls()
        side._text(record.sku, record.title, record.brand, record.gtin, record.currency)
        side._price("" if record.price is None else f"{record.price:f}")
        side._facts(doc.text[: doc.title_end], doc.codes, doc.size, doc.colours, doc.gtin)
        side.quantities = _by_dimension(doc.quantities)
        side.options = {fold(k, 60): v for k, v in record.options.items() if v}
        side.aliases = [alias_document(title, doc).text for title in record.aliases[:MOST_ALIASES]]
        return side

    @classmethod
    def at(cls, segment: Segment, place: int) -> tuple[int | str, Side]:
        """The product at a place of an index, with its id."""
        key, sku, title, brand, gtin, _, _, currency, price, options, codes, size = segment.parts(place)
        a = segment.read
        side = cls()
        side._text(sku, title, brand, gtin, currency)
        side._price(price)
        side._facts(
            segment.title(place), codes.split() if codes else [], size, a["colours"][place],
            a["gtins"][place] if gtin else 0,
        )  # fmt: skip
        begin, end = a["quantity_at"][place], a["quantity_at"][place + 1]
        side.quantities = {}
        if end > begin:
            pairs = zip(a["dims"][begin:end], a["vals"][begin:end], strict=True)
            side.quantities = _by_dimension(Quantity(d, v) for d, v in pairs)
        side.options = {fold(k, 60): v for k, v in loads(options).items() if v} if options else {}
        side.aliases = segment.aliases(place, MOST_ALIASES)
        return (int(key[1:]) if key[0] == "i" else key[1:]), side

    def _text(self, sku: str, title: str, brand: str, gtin: str, currency: str) -> None:
        self.sku = match_key(sku) if sku else ""
        self.title, self.brand, self.gtin_text = title.strip(), brand.strip(), gtin.strip()
        self.currency = currency
        self._compact: str | None = None
        self._joined: set[str] | None = None
        self._spelt: Spelt | None = None

    def _price(self, text: str) -> None:
        self.price = float(text) if text else 0.0
        self.price_text = f"{text} {self.currency}".strip() if text else ""

    def _facts(self, text: str, codes: list[str], size: str, colours: int, gtin: int) -> None:
        self.text, self.codes, self.size, self.colour_mask = text, codes, size, colours
        self.gtin = Gtin(f"{abs(gtin):014d}", gtin > 0) if gtin else None

    @property
    def compact(self) -> str:
        """The title's words in one piece."""
        if self._compact is None:
            self._compact = self.text.replace(" ", "")
        return self._compact

    @property
    def joined(self) -> set[str]:
        """One, two and three neighbouring words as one: how a code may be written in pieces."""
        if self._joined is None:
            words = self.text.split()[:60]
            self._joined = {"".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words))}
        return self._joined

    @property
    def spelt(self) -> Spelt:
        """The title's words as they are written."""
        if self._spelt is None:
            self._spelt = Spelt(self.title)
        return self._spelt

    @property
    def colours(self) -> list[str]:
        """Names of the colours named."""
        if self.colour_mask not in _COLOURS:
            _COLOURS[self.colour_mask] = [name for i, name in enumerate(COLOUR_NAMES) if self.colour_mask >> i & 1]
        return _COLOURS[self.colour_mask]


def _by_dimension(quantities: Iterable[Quantity]) -> dict[int, list[float]]:
    out: dict[int, list[float]] = {}
    for q in quantities:
        out.setdefault(q.dimension, []).append(q.value)
    return out
