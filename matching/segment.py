"""One immutable part of the index: arrays for a set of products, written as plain .npy files that processes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching import postings
from matching.kernels import LENGTHS, gather
from matching.layout import KEY_BYTES, SEPARATOR, Sheet, frozen, id_hash, still, unpack, unpack_record
from matching.records import Record

Array = NDArray[Any]
#: The longest list of rows of one feature; what is longer keeps the rows in which the feature weighs most. No listing
#: reads more rows than that (`blocking.BUDGET`).
LIST_CAP: Final = 16_000
_FACES: Final = ("text", "text_at", "words", "kinds", "word_at", "described", "described_at")
_PAIR_FACES: Final = ("words", "kinds", "word_at", "described", "described_at", "owners")
_PAIR_PRODUCTS: Final = (
    "dims", "vals", "quantity_at", "colours", "sizes", "currencies", "gtins", "brands", "brand_words", "mpns", "prices",
)  # fmt: skip
_READ: Final = (
    "blob", "blob_at", "text", "text_at", "first_rows", "title_ends", "colours", "gtins", "quantity_at", "dims", "vals",
)  # fmt: skip
_TEXTS: Final = ("blob", "blob_at", "text", "text_at", "first_rows")
_LISTS: Final = (
    "triple_keys", "triple_at", "triple_rows", "title_keys", "title_at", "title_rows", "field_keys", "field_at",
    "field_rows", "usual",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tables:
    """How rare each feature is, by bucket: triples, title words, words of any field, and words of every kind.

    A word's bucket is its hash shifted right by `shift`; `scale` is the weight of a word nobody has.
    """

    bits: int
    shift: int
    scale: float
    triple: Array
    title: Array
    field: Array
    word: Array

    @classmethod
    def count(cls, sheet: Sheet) -> Tables:
        """From the products of a catalogue."""
        sheet = still(sheet)
        rows = len(sheet["owners"])
        bits = min(18, max(14, (rows * 8).bit_length()))
        shift = 32 - min(21, max(16, (rows * 4).bit_length()))
        size = 1 << (32 - shift)
        title, field, word = (np.zeros(size, np.int64) for _ in range(3))
        postings.word_counts(sheet["words"], sheet["kinds"], sheet["described"], shift, title, field, word)
        triples = postings.triple_counts(sheet, bits)
        return cls(
            bits, shift, _idf(rows, np.zeros(1))[0].item(), *(_idf(rows, c) for c in (triples, title, field, word))
        )


def _idf(rows: int, counts: Array) -> Array:
    return frozen((np.log((1 + rows) / (1 + counts)) + 1).astype(np.float32))


def levels(inverse: Array) -> Array:
    """For each row the places in LENGTHS nearest to one over its three lengths, and a byte to make them four."""
    out = np.zeros((len(inverse), 4), np.uint8)
    out[:, :3] = np.clip(np.rint(np.log(inverse) * (255 / np.log(LENGTHS[-1]))), 0, 255)
    return out


class Segment:
    """The arrays of some products and their aliases. `arrays` may be memory-mapped; nothing in it ever changes."""

    def __init__(self, arrays: Sheet) -> None:
        self.arrays = {name: frozen(np.asarray(a)) for name, a in arrays.items()}
        self.lists, self.faces, self.pair_faces, self.pair_products = (
            tuple(self.arrays[name] for name in names) for names in (_LISTS, _FACES, _PAIR_FACES, _PAIR_PRODUCTS)
        )
        self.texts = tuple(self.arrays[name] for name in _TEXTS)
        self.lengths = self.arrays["inverse"], self.arrays["levels"], self.arrays["owners"]
        self.has_aliases = self.rows > len(self)
        # Single numbers are read from these: a memoryview gives a Python number in half the time of an array.
        self.read = {name: memoryview(self.arrays[name]) for name in _READ}  # type: ignore[arg-type]

    @classmethod
    def build(cls, sheet: Sheet, tables: Tables) -> Segment:
        """Make a sheet searchable."""
        inverse = np.ones((len(sheet["owners"]), 3), np.float32)
        arrays = sheet = still(sheet)
        postings.word_lengths(
            sheet["words"], sheet["kinds"], sheet["word_at"], sheet["described"], sheet["described_at"], tables.shift,
            tables.title, tables.field, inverse,
        )  # fmt: skip
        arrays = arrays | postings.triple_lists(arrays, tables.bits, tables.triple, inverse, LIST_CAP)
        arrays |= postings.word_lists(arrays, tables.shift, inverse, LIST_CAP)
        arrays["inverse"], arrays["levels"] = inverse, levels(inverse)
        arrays["usual"] = inverse.mean(axis=0) if len(inverse) else np.ones(3, np.float32)
        arrays["first_rows"] = np.searchsorted(sheet["owners"], np.arange(len(sheet["ids"]))).astype(np.int32)
        arrays["id_order"] = np.argsort(sheet["ids"], kind="stable").astype(np.int32)
        by_sku = np.argsort(sheet["skus"], kind="stable")
        arrays["sku_keys"], arrays["sku_places"] = sheet["skus"][by_sku], by_sku.astype(np.int32)
        del arrays["skus"]
        numbers = np.abs(sheet["gtins"])
        with_gtin = np.flatnonzero(numbers)
        by_gtin = with_gtin[np.argsort(numbers[with_gtin], kind="stable")]
        arrays["gtin_keys"], arrays["gtin_places"] = numbers[by_gtin], by_gtin.astype(np.int32)
        return cls(arrays)

    def sheet(self) -> Sheet:
        """The sheet it was built from, to be joined with others."""
        skus = np.empty(len(self), f"S{KEY_BYTES}")
        skus[self.arrays["sku_places"]] = self.arrays["sku_keys"]
        names = [*_FACES, *_PAIR_PRODUCTS, "owners", "ids", "title_ends", "blob", "blob_at"]
        return {**{name: self.arrays[name] for name in names}, "skus": skus}

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
        skus = self.arrays["sku_keys"]
        first = int(np.searchsorted(skus, np.bytes_(wanted), side="left"))
        out = []
        for at in range(first, min(first + limit, len(skus))):
            if not (bytes(skus[at]).startswith(wanted) if prefix else bytes(skus[at]) == wanted):
                break
            out.append(int(self.arrays["sku_places"][at]))
        return out

    def places_of_gtins(self, numbers: Sequence[int], limit: int = 20) -> list[int]:
        """Places of products with one of these GTINs."""
        gtins = self.arrays["gtin_keys"]
        wanted = np.array(numbers, np.int64)
        firsts, lasts = np.searchsorted(gtins, wanted, "left"), np.searchsorted(gtins, wanted, "right")
        places = self.arrays["gtin_places"]
        return [int(places[i]) for a, b in zip(firsts, lasts, strict=True) for i in range(a, b)][:limit]

    def parts(self, place: int) -> list[str]:
        """What was kept of the product at a place, as `layout.pack_record` names it."""
        at = self.read["blob_at"]
        return unpack(bytes(self.read["blob"][at[place] : at[place + 1]]))

    def record(self, place: int) -> Record:
        """The product at a place, as it was given, without description and aliases."""
        return unpack_record(self.parts(place))

    def told(self, places: Sequence[int]) -> list[list[str]]:
        """For each of these places what `parts` gives, then the title's words without marks, as string scorers have it.

        All in one go: that takes half the time.
        """
        letters = gather(np.array(places, np.int64), *self.texts)
        parts = str(letters.data, "utf-8", "surrogatepass").split(SEPARATOR)
        size = len(parts) // len(places)
        out = []
        for at, end in enumerate(map(self.read["title_ends"].__getitem__, places)):
            own = parts[at * size : (at + 1) * size]
            own[-1] = own[-1][:end]
            out.append(own)
        return out

    def aliases(self, place: int, most: int) -> list[str]:
        """The words of the product's other names, as `title` gives those of its own, up to `most`."""
        first, at = self.read["first_rows"], self.read["text_at"]
        end = first[place + 1] if place + 1 < len(first) else self.rows
        rows = range(first[place] + 1, min(end, first[place] + 1 + most))
        return [bytes(self.read["text"][at[r] : at[r + 1]]).decode("utf-8", "surrogatepass") for r in rows]

    def save(self, folder: Path) -> None:
        """Write every array as its own .npy file."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path, *, mmap: bool = True) -> Segment:
        """Open what `save` wrote; with `mmap` the system shares the pages between processes."""
        return cls({path.stem: load_array(path, mmap=mmap) for path in sorted(folder.glob("*.npy"))})


def load_array(path: Path, *, mmap: bool) -> Array:
    """One array; files too small to be worth a mapping are read."""
    found: Array = np.load(path, mmap_mode="r" if mmap and path.stat().st_size > 4096 else None)
    return frozen(np.asarray(found))
