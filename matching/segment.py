"""One immutable part of the index: arrays for a set of products, written as plain .npy files that processes share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching import kernels
from matching.document import Document, alias_document, document
from matching.identifiers import loose_key
from matching.records import Record

Array = NDArray[Any]
#: SKU keys are kept up to here; what is longer is told apart by reading the record.
KEY_BYTES: Final = 24
_STORED: Final = ("sku", "title", "brand", "gtin", "mpn", "category", "currency")


def id_hash(record_id: int | str) -> int:
    """A 63-bit number for a product id; 7 and "7" are different products."""
    digest = blake2b(f"{type(record_id).__name__}:{record_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def pack_record(record: Record, *, whole: bool = False) -> bytes:
    """A record as bytes: what explanations show later, and its description and aliases too when `whole`."""
    values: list[Any] = [record.id, *(getattr(record, name) for name in _STORED)]
    values += [None if record.price is None else str(record.price), dict(record.options)]
    if whole:
        values.append([record.description, list(record.aliases)])
    return json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()


def unpack_record(data: bytes) -> Record:
    """The record that `pack_record` wrote."""
    record_id, *texts = json.loads(data)
    price, options, *rest = texts[len(_STORED) :]
    fields = dict(zip(_STORED, texts, strict=False))
    description, aliases = rest[0] if rest else ("", [])
    return Record(
        record_id, **fields, description=description, price=None if price is None else Decimal(price), options=options,
        aliases=tuple(aliases),
    )  # fmt: skip


def _pointers(lengths: Iterable[int], count: int) -> Array:
    out = np.zeros(count + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, count), out=out[1:])
    return out


def block_edges(bits: int) -> Array:
    """Where the three blocks of features begin: letter triples, title words, words of every field; and the end."""
    return np.array([0, 1 << bits, (1 << bits) + (1 << (bits + 1)), (1 << bits) + (1 << (bits + 2))], np.int64)


def triples_of(texts: Sequence[str], bits: int) -> tuple[Array, Array]:
    """Letter triples of texts as buckets, with row pointers."""
    spaced = [f" {t} " for t in texts]
    points = np.frombuffer("".join(spaced).encode("utf-32-le", "surrogatepass"), np.uint32)
    starts = _pointers((len(t) for t in spaced), len(spaced))
    return kernels.letter_triples(points, starts, bits)


def word_arrays(docs: Sequence[Document]) -> dict[str, Array]:
    """Sorted word hashes with kinds, and sorted hashes of title and description together, for each document."""
    words: list[Array] = []
    kinds: list[Array] = []
    texts: list[Array] = []
    for doc in docs:
        keys = np.fromiter(doc.words, np.uint32, len(doc.words))
        order = np.argsort(keys)
        words.append(keys[order])
        kinds.append(np.fromiter(doc.words.values(), np.uint8, len(doc.words))[order])
        every = np.fromiter(doc.described, np.uint32, len(doc.described))
        texts.append(np.sort(every))
    none = [np.empty(0, np.uint32)]
    return {
        "words": np.concatenate(words or none), "kinds": np.concatenate(kinds or [np.empty(0, np.uint8)]),
        "word_at": _pointers(map(len, words), len(docs)),
        "described": np.concatenate(texts or none), "described_at": _pointers(map(len, texts), len(docs)),
    }  # fmt: skip


def fact_row(doc: Document) -> tuple[int, int, int, int, int, int]:
    """The facts compared as whole numbers, in the order that pairs.py reads."""
    return doc.colours, doc.size, doc.currency, doc.gtin, doc.brand, doc.mpn


def fact_arrays(docs: Sequence[Document]) -> dict[str, Array]:
    """Quantities, prices, brands and the other facts, one line for each document."""
    n = len(docs)
    flat = [q for d in docs for q in d.quantities]
    brands = np.zeros((n, 4), np.uint32)
    for i, d in enumerate(docs):
        brands[i, : len(d.brand_words)] = d.brand_words
    return {
        "dims": np.fromiter((q.dimension for q in flat), np.uint8, len(flat)),
        "vals": np.fromiter((q.value for q in flat), np.float32, len(flat)),
        "quantity_at": _pointers((len(d.quantities) for d in docs), n),
        "facts": np.array([fact_row(d) for d in docs], np.int64).reshape(n, 6),
        "prices": np.fromiter((d.price for d in docs), np.float32, n),
        "brands": brands,
    }  # fmt: skip


def feature_rows(docs: Sequence[Document], arrays: dict[str, Array], bits: int) -> tuple[Array, Array]:
    """Every document's retrieval features as buckets: letter triples, title words, words of title and description."""
    triples, triple_at = triples_of([d.text for d in docs], bits)
    edges = block_edges(bits)
    shift = 32 - (bits + 1)
    title = arrays["words"][arrays["kinds"] < kernels.PREFIX].astype(np.int64) >> shift
    title_at = np.concatenate(([0], np.cumsum(arrays["kinds"] < kernels.PREFIX)))[arrays["word_at"]]
    every = arrays["described"].astype(np.int64) >> shift
    every_at = arrays["described_at"]
    parts = [
        (triples.astype(np.int64), triple_at), (title + edges[1], title_at), (title + edges[2], title_at),
        (every + edges[2], every_at),
    ]  # fmt: skip
    return _interleave(parts, len(docs))


def _interleave(parts: Sequence[tuple[Array, Array]], rows: int) -> tuple[Array, Array]:
    """Join several row-wise lists into one list for each row, each bucket once."""
    row_of = np.concatenate([np.repeat(np.arange(rows), np.diff(at)) for _, at in parts])
    buckets = np.concatenate([b for b, _ in parts])
    keys = np.unique((row_of.astype(np.int64) << 32) | buckets)
    at = np.searchsorted(keys, np.arange(rows + 1, dtype=np.int64) << 32)
    return (keys & 0xFFFFFFFF).astype(np.uint32), at


def identifier_arrays(keys: Sequence[bytes], gtins: Sequence[int]) -> dict[str, Array]:
    """Loose SKU keys and GTINs in order, with the place of the product each belongs to."""
    skus = np.array(keys or [b""], f"S{KEY_BYTES}")[: len(keys)]
    numbers = np.array(gtins, np.int64)
    sku_places, gtin_places = np.argsort(skus, kind="stable"), np.argsort(numbers, kind="stable")
    return {
        "skus": skus[sku_places], "sku_places": sku_places.astype(np.int32),
        "gtins": numbers[gtin_places], "gtin_places": gtin_places.astype(np.int32),
    }  # fmt: skip


class Segment:
    """The arrays of some products and their aliases. `arrays` may be memory-mapped; nothing in it ever changes."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self.arrays = arrays

    @classmethod
    def build(cls, records: Iterable[Record], bits: int, *, whole: bool = False) -> Segment:
        """Read the records once and lay them out; aliases become rows of their own that point at their product.

        A `whole` segment keeps descriptions and aliases, so that it can be built again from itself.
        """
        docs: list[Document] = []
        owners: list[int] = []
        ids: list[int] = []
        packed: list[bytes] = []
        keys: list[bytes] = []
        firsts: list[Document] = []
        for number, record in enumerate(records):
            own = document(record)
            rows = [own, *(alias_document(title, own) for title in record.aliases)]
            docs += rows
            owners += [number] * len(rows)
            ids.append(id_hash(record.id))
            packed.append(pack_record(record, whole=whole))
            keys.append(loose_key(record.sku).encode("utf-8", "surrogatepass")[:KEY_BYTES] if record.sku else b"")
            firsts.append(own)
        arrays = word_arrays(docs) | fact_arrays(docs)
        arrays["forward"], arrays["forward_at"] = feature_rows(docs, arrays, bits)
        arrays["owners"] = np.array(owners, np.int32)
        arrays["first_rows"] = np.searchsorted(arrays["owners"], np.arange(len(ids))).astype(np.int32)
        arrays["ids"] = np.array(ids, np.int64)
        arrays["id_order"] = np.argsort(arrays["ids"], kind="stable").astype(np.int32)
        arrays |= identifier_arrays(keys, [abs(d.gtin) for d in firsts])
        arrays["records"] = np.frombuffer(b"".join(packed), np.uint8)
        arrays["records_at"] = _pointers(map(len, packed), len(packed))
        arrays["postings_at"], arrays["postings"] = kernels.invert(
            arrays["forward"], arrays["forward_at"], int(block_edges(bits)[3])
        )
        return cls(arrays)

    def word_counts(self, bits: int) -> Array:
        """In how many rows each word bucket occurs, the hidden kinds of word included."""
        shift = 32 - (bits + 1)
        return np.bincount(self.arrays["words"].astype(np.int64) >> shift, minlength=1 << (bits + 1))

    def weigh(self, idf: Array, bits: int) -> None:
        """Set the length of each row under these word weights."""
        edges = block_edges(bits)
        self.arrays["norms"] = kernels.norms(self.arrays["forward"], self.arrays["forward_at"], idf, edges)

    def __len__(self) -> int:
        return len(self.arrays["ids"])

    @property
    def rows(self) -> int:
        """How many texts it holds: products and aliases."""
        return len(self.arrays["owners"])

    def find(self, record_id: int | str) -> int | None:
        """The place of a product, by id."""
        wanted, ids, order = id_hash(record_id), self.arrays["ids"], self.arrays["id_order"]
        at = int(np.searchsorted(ids, wanted, sorter=order))
        return int(order[at]) if at < len(ids) and ids[order[at]] == wanted else None

    def places_of_sku(self, key: str, *, prefix: bool = False, limit: int = 50) -> list[int]:
        """Places of products whose loose SKU key is `key`, or begins with it."""
        wanted = key.encode("utf-8", "surrogatepass")[:KEY_BYTES]
        if not wanted:
            return []
        skus = self.arrays["skus"]
        first = int(np.searchsorted(skus, np.bytes_(wanted), side="left"))
        out = []
        for at in range(first, min(first + limit, len(skus))):
            if not (bytes(skus[at]).startswith(wanted) if prefix else bytes(skus[at]) == wanted):
                break
            out.append(int(self.arrays["sku_places"][at]))
        return out

    def places_of_gtins(self, numbers: Sequence[int], limit: int = 20) -> list[int]:
        """Places of products with one of these GTINs."""
        gtins = self.arrays["gtins"]
        wanted = np.array(numbers, np.int64)
        firsts, lasts = np.searchsorted(gtins, wanted, "left"), np.searchsorted(gtins, wanted, "right")
        places = self.arrays["gtin_places"]
        return [int(places[i]) for a, b in zip(firsts, lasts, strict=True) for i in range(a, b)][:limit]

    def record(self, place: int) -> Record:
        """The product at a place, as it was given (without description and aliases, unless built whole)."""
        at = self.arrays["records_at"]
        return unpack_record(self.arrays["records"][at[place] : at[place + 1]].tobytes())

    def save(self, folder: Path) -> None:
        """Write every array as its own .npy file."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path, *, mmap: bool = True) -> Segment:
        """Open what `save` wrote; with `mmap` the system shares the pages between processes."""
        arrays = {
            path.stem: np.load(path, mmap_mode="r" if mmap and path.stat().st_size > 4096 else None)
            for path in sorted(folder.glob("*.npy"))
        }
        return cls(arrays)
