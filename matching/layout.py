"""Records laid out as flat arrays: what the index keeps of them, joined, reordered and cut without reading them again.

A *face* is a text of a product: its title, or a confirmed listing title (alias). A sheet of arrays has one entry per
face or per product; lists of different lengths are stored one after the other with the ends of each beside them.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.document import Document, alias_document, document
from matching.identifiers import loose_key
from matching.reading import hashed
from matching.records import Record, price_of

Array = NDArray[Any]
Sheet = dict[str, Array]
#: SKU keys are kept up to here; what is longer is told apart by reading the record.
KEY_BYTES: Final = 24
#: Ids below this number stand for themselves, all others for hashes from here on.
HASHED: Final = 1 << 62
#: Parts of a kept record are joined by this character, which no text may have.
SEPARATOR: Final = "\x1e"
#: Lists by the name of their ends: the arrays they cut, for each face or for each product.
FACE_LISTS: Final = {"word_at": ("words", "kinds"), "text_at": ("text",), "described_at": ("described",)}
PRODUCT_LISTS: Final = {"quantity_at": ("dims", "vals"), "blob_at": ("blob",)}
#: Facts that are one number for each product.
FACTS: Final = {
    "gtins": np.int64, "colours": np.uint32, "sizes": np.uint32, "currencies": np.uint32, "brands": np.uint32,
    "brand_words": np.uint32, "mpns": np.uint32, "prices": np.float32, "title_ends": np.uint16,
}  # fmt: skip


def id_hash(record_id: int | str) -> int:
    """A 63-bit number for a product id; 7 and "7" are different products. Small whole numbers stand for themselves."""
    if isinstance(record_id, int) and 0 <= record_id < HASHED:
        return record_id
    digest = blake2b(f"{type(record_id).__name__}:{record_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 2 | HASHED


def pack_record(record: Record, doc: Document) -> bytes:
    """A record as bytes, with the codes and the size read from it; without its description and aliases."""
    options = json.dumps(dict(record.options)) if record.options else ""
    record_id = f"i{record.id}" if isinstance(record.id, int) else f"s{record.id}"
    price = price_of(record)
    parts = (
        record_id, record.sku, record.title, record.brand, record.gtin, record.mpn, record.category, record.currency,
        "" if price is None else f"{price:f}", options, " ".join(doc.codes), doc.size,
    )  # fmt: skip
    text = SEPARATOR.join(parts)
    if text.count(SEPARATOR) != len(parts) - 1:
        text = SEPARATOR.join(p.replace(SEPARATOR, " ") for p in parts)
    return text.encode("utf-8", "surrogatepass")


def unpack(blob: bytes) -> list[str]:
    """The parts that `pack_record` joined."""
    return blob.decode("utf-8", "surrogatepass").split(SEPARATOR)


def unpack_record(parts: Sequence[str]) -> Record:
    """The record that `pack_record` wrote, without description and aliases."""
    key, sku, title, brand, gtin, mpn, category, currency, price, options = parts[:10]
    return Record(
        int(key[1:]) if key[0] == "i" else key[1:], sku, title, brand, gtin, mpn, "", category,
        Decimal(price) if price else None, currency, json.loads(options) if options else {},
    )  # fmt: skip


class Writer:
    """Collects records as arrays; good for some thousands, which are joined with others afterwards."""

    def __init__(self) -> None:
        self.words, self.described = array("I"), array("I")
        self.kinds, self.text, self.blob = bytearray(), bytearray(), bytearray()
        self.dims, self.vals = array("B"), array("f")
        self.ends = {name: array("q", [0]) for name in (*FACE_LISTS, *PRODUCT_LISTS)}
        self.facts, self.ids = array("d"), array("q")
        self.owners = array("i")
        self.skus: list[bytes] = []

    def add(self, record: Record) -> None:
        """Read one record and lay it out, its aliases as further faces."""
        doc = document(record)
        number = len(self.skus)
        self._face(doc, number)
        for title in record.aliases:
            self._face(alias_document(title, doc), number)
        if doc.quantities:
            self.dims.extend([q.dimension for q in doc.quantities])
            self.vals.extend([q.value for q in doc.quantities])
        self.ends["quantity_at"].append(len(self.dims))
        self.blob += pack_record(record, doc)
        self.ends["blob_at"].append(len(self.blob))
        self.skus.append(loose_key(record.sku).encode("utf-8", "surrogatepass")[:KEY_BYTES] if record.sku else b"")
        self.facts.extend(facts_of(doc))
        self.ids.append(id_hash(record.id))

    def _face(self, doc: Document, number: int) -> None:
        self.words.extend(doc.words)
        self.kinds += bytes(doc.words.values())
        self.ends["word_at"].append(len(self.words))
        self.text += doc.text.encode("utf-8", "surrogatepass")
        self.ends["text_at"].append(len(self.text))
        if doc.described:
            self.described.extend(doc.described)
        self.ends["described_at"].append(len(self.described))
        self.owners.append(number)

    def sheet(self) -> Sheet:
        """The arrays of what was added."""
        facts = np.array(self.facts).reshape(-1, len(FACTS))
        out: Sheet = {name: facts[:, i].astype(kind) for i, (name, kind) in enumerate(FACTS.items())}
        for name, kind in (
            ("words", np.uint32), ("kinds", np.uint8), ("described", np.uint32), ("text", np.uint8),
            ("blob", np.uint8), ("dims", np.uint8), ("vals", np.float32), ("owners", np.int32), ("ids", np.int64),
        ):  # fmt: skip
            out[name] = np.array(np.frombuffer(getattr(self, name), kind))
        out |= {name: np.array(ends, np.int64) for name, ends in self.ends.items()}
        out["skus"] = np.array(self.skus or [b""], f"S{KEY_BYTES}")[: len(self.skus)]
        return out


def facts_of(doc: Document) -> tuple[float, ...]:
    """The facts of a product that are single numbers, in the order of FACTS; all are whole in a float but the price."""
    size = hashed(doc.size) if doc.size else 0
    return (
        doc.gtin, doc.colours, size, doc.currency, doc.brand, doc.brand_word, doc.mpn, doc.price, doc.title_end,
    )  # fmt: skip


def lay_out(records: Iterable[Record]) -> Sheet:
    """Read records into one sheet."""
    writer = Writer()
    for record in records:
        writer.add(record)
    return writer.sheet()


def ordered(sheet: Sheet) -> Sheet:
    """The sheet with the words of every face in the order of their hashes, never to be changed again."""
    from matching.kernels import order_words

    order_words(sheet["words"], sheet["kinds"], sheet["word_at"])
    order_words(sheet["described"], np.zeros(len(sheet["described"]), np.uint8), sheet["described_at"])
    return still(sheet)


def join(sheets: Sequence[Sheet]) -> Sheet:
    """Several sheets one after the other."""
    if len(sheets) == 1:
        return sheets[0]
    out: Sheet = {}
    ends = {**FACE_LISTS, **PRODUCT_LISTS}
    products = [len(s["ids"]) for s in sheets]
    for name in sheets[0]:
        parts = [s[name] for s in sheets]
        if name in ends:
            starts = np.cumsum([0, *(p[-1] for p in parts[:-1])])
            out[name] = np.concatenate([[0], *(p[1:] + start for p, start in zip(parts, starts, strict=True))])
        elif name == "owners":
            starts = np.cumsum([0, *products[:-1]])
            out[name] = np.concatenate([p + start for p, start in zip(parts, starts, strict=True)]).astype(np.int32)
        else:
            out[name] = np.concatenate(parts)
    return out


def take(sheet: Sheet, places: Array) -> Sheet:
    """The products at these places, in this order, with all their faces."""
    first = np.searchsorted(sheet["owners"], np.arange(len(sheet["ids"]) + 1))
    counts = np.diff(first)[places]
    out = {name: sheet[name][places] for name in (*FACTS, "ids", "skus")}
    out["owners"] = np.repeat(np.arange(len(places), dtype=np.int32), counts)
    faces = _runs(first[:-1][places], counts)
    for lists, chosen in ((FACE_LISTS, faces), (PRODUCT_LISTS, places)):
        for ends, names in lists.items():
            starts, lengths = sheet[ends][:-1][chosen], np.diff(sheet[ends])[chosen]
            items = _runs(starts, lengths)
            out[ends] = np.concatenate(([0], np.cumsum(lengths)))
            out.update({name: sheet[name][items] for name in names})
    return out


def frozen(values: Array) -> Array:
    """The array, never to be changed; compiled loops are made for such arrays, mapped or not."""
    values.setflags(write=False)
    return values


def still(sheet: Sheet) -> Sheet:
    """The sheet with all its arrays frozen, the ends of lists in half the room where they fit."""
    return {name: frozen(_narrow(values) if name.endswith("_at") else values) for name, values in sheet.items()}


def _narrow(ends: Array) -> Array:
    return ends.astype(np.int32) if ends.dtype != np.int32 and ends[-1] < 2**31 else ends


def _runs(starts: Array, lengths: Array) -> Array:
    """The numbers start, start + 1 … of each run, one run after the other."""
    total = int(lengths.sum())
    shift: Array = np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
    return np.arange(total, dtype=np.int64) + shift
