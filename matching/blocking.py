"""The index: which products deserve a look for a listing, found within a budget, updated without a rebuild."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching import kernels, pairs
from matching.document import Document
from matching.identifiers import loose_key
from matching.records import Record
from matching.segment import Segment, block_edges, fact_row, feature_rows, id_hash, word_arrays

Array = NDArray[Any]
FORMAT: Final = 1
#: How many rows keep their place for exact comparison, and how many go on to be scored.
EXACT, SURVIVORS = 200, 30
#: Postings read for one listing; the rarest features come first, so that what is left out is common.
BUDGET: Final = 60_000
#: Weights of the three blocks: letter triples, title words, words of every field (docs/matching.md).
BLOCK_WEIGHTS: Final = (1.0, 1.0, 0.5)


@dataclass(frozen=True, slots=True)
class Found:
    """Survivors for one listing: where each product is (segment, place) and the features of the pair, line by line."""

    places: list[tuple[int, int]]
    features: Array

    def __len__(self) -> int:
        return len(self.places)


class Index:
    """Products ready to be searched. Build it once, `save` it, `load` it memory-mapped in every process.

    `update` and `remove` change a small second segment at once; `needs_rebuild` says when to build anew.
    """

    def __init__(self, segments: list[Segment], idf: Array, word_idf: Array, bits: int) -> None:
        self.segments = segments
        self.idf = idf
        self.word_idf = word_idf
        self.bits = bits
        self.edges = block_edges(bits)
        self.scale = math.log(max(1, len(segments[0])) + 1) + 1
        self.dead: list[set[int]] = [set() for _ in segments]
        self._work = threading.local()

    @classmethod
    def build(cls, products: Iterable[Record]) -> Index:
        """Index these products. Order does not matter; ids have to be unique (ValueError names the first repeat)."""
        records = sorted(products, key=lambda r: (str(type(r.id)), r.id))
        for one, two in pairwise(records):
            if one.id == two.id:
                raise ValueError(f"Product id {one.id!r} occurs twice; give every product one id.")
        bits = min(19, max(14, int(len(records) * 8).bit_length()))
        main = Segment.build(records, bits)
        df = np.diff(main.arrays["postings_at"])
        idf = (np.log((1 + main.rows) / (1 + df)) + 1).astype(np.float32)
        main.weigh(idf, bits)
        word_idf = (np.log((1 + main.rows) / (1 + main.word_counts(bits))) + 1).astype(np.float32)
        return cls([main], idf, word_idf, bits)

    def __len__(self) -> int:
        return sum(len(s) - len(d) for s, d in zip(self.segments, self.dead, strict=True))

    @property
    def needs_rebuild(self) -> bool:
        """Whether so much changed since the build that word weights and speed suffer."""
        changed = len(self.dead[0]) + sum(map(len, self.segments[1:]))
        return changed > max(1_000, len(self.segments[0]) // 10)

    def update(self, changed: Iterable[Record]) -> None:
        """Add or replace products; they are findable when this returns."""
        fresh = {r.id: r for r in changed}
        if not fresh:
            return
        kept = list(self._delta_records(without=set(map(id_hash, fresh))))
        self.remove(fresh)
        delta = Segment.build([*kept, *fresh.values()], self.bits, whole=True)
        delta.weigh(self.idf, self.bits)
        self.segments[1:], self.dead[1:] = [delta], [set()]
        self._work = threading.local()

    def _delta_records(self, without: set[int]) -> Iterator[Record]:
        for segment, dead in zip(self.segments[1:], self.dead[1:], strict=True):
            for place in range(len(segment)):
                if place not in dead and int(segment.arrays["ids"][place]) not in without:
                    yield segment.record(place)

    def remove(self, ids: Iterable[int | str]) -> int:
        """Forget products; ids that are not there are passed over. Returns how many were there."""
        gone = 0
        for record_id in ids:
            for segment, dead in zip(self.segments, self.dead, strict=True):
                place = segment.find(record_id)
                if place is not None and place not in dead:
                    dead.add(place)
                    gone += 1
        return gone

    def get(self, record_id: int | str) -> Record | None:
        """The product with this id, or None."""
        for number in range(len(self.segments) - 1, -1, -1):
            place = self.segments[number].find(record_id)
            if place is not None and place not in self.dead[number]:
                return self.segments[number].record(place)
        return None

    def record(self, where: tuple[int, int]) -> Record:
        """The product at a (segment, place) that `find` gave."""
        return self.segments[where[0]].record(where[1])

    def find(self, doc: Document, limit: int = SURVIVORS, *, sku: str = "") -> Found:
        """The products most alike to a document, best retrieval score first, with the features of each pair.

        Products with the document's GTIN, or with this SKU up to typing differences, are always among them.
        """
        words = word_arrays([doc])
        buckets, _ = feature_rows([doc], words, self.bits)
        values = self._values(buckets)
        places: list[tuple[int, int]] = []
        parts: list[Array] = []
        named: set[tuple[int, int]] = set()
        for number, segment in enumerate(self.segments):
            known = self._identified(segment, doc, sku)
            rows, cosine = self._survivors(number, segment, buckets, values, limit, known)
            named.update((number, int(p)) for p in segment.arrays["owners"][known])
            if len(rows):
                parts.append(self._pairs(segment, rows, cosine, doc, words))
                places += [(number, int(p)) for p in segment.arrays["owners"][rows]]
        if not parts:
            return Found([], np.zeros((0, len(pairs.FEATURES)), np.float32))
        features = np.concatenate(parts)
        best = np.argsort(-features[:, pairs.COLUMN["retrieval"]], kind="stable")
        if len(best) > limit:
            best = np.array([i for n, i in enumerate(best) if n < limit or places[i] in named])
        return Found([places[i] for i in best], features[best])

    def _values(self, buckets: Array) -> Array:
        """The listing's weight for each bucket: block weight by idf, each block at length 1."""
        values = self.idf[buckets].copy()
        block = np.searchsorted(self.edges, buckets, side="right") - 1
        for number, weight in enumerate(BLOCK_WEIGHTS):
            mine = block == number
            length = float(np.sqrt((values[mine] ** 2).sum()))
            values[mine] *= weight / length if length else 0.0
        return values

    def _identified(self, segment: Segment, doc: Document, sku: str) -> Array:
        """Rows of products with the same GTIN, or with the same SKU up to typing."""
        places = segment.places_of_gtins([abs(doc.gtin)]) if doc.gtin else []
        if sku:
            places += segment.places_of_sku(loose_key(sku), limit=20)
        return segment.arrays["first_rows"][np.array(sorted(set(places)), np.int64)]

    def _survivors(
        self, number: int, segment: Segment, buckets: Array, values: Array, limit: int, known: Array
    ) -> tuple[Array, Array]:
        """Rows of one segment that survive retrieval, one for each product, with their exact cosines by block."""
        a = segment.arrays
        total, touched, dense = self._space(number, segment.rows)
        rows = kernels.retrieve(
            buckets, values, a["postings_at"], a["postings"], a["norms"], self.idf, self.edges, BUDGET,
            EXACT, total, touched,
        )  # fmt: skip
        if len(known):
            rows = np.union1d(rows, known).astype(rows.dtype)
        dense[buckets] = values
        cosine = kernels.cosines(rows, a["forward"], a["forward_at"], a["norms"], self.idf, self.edges, dense)
        dense[buckets] = 0.0
        best = np.argsort(-cosine.sum(axis=1), kind="stable")
        owners = a["owners"][rows[best]]
        _, first = np.unique(owners, return_index=True)
        keep = best[np.sort(first)]
        if self.dead[number]:
            alive = [i for i in keep if int(a["owners"][rows[i]]) not in self.dead[number]]
            keep = np.array(alive, np.int64)
        if len(known):
            first_known = np.isin(a["owners"][rows[keep]], a["owners"][known])
            keep = np.concatenate((keep[first_known], keep[~first_known]))
        keep = keep[: max(limit, len(known))]
        cosine = cosine[keep]
        cosine[:, 2] *= 1 / BLOCK_WEIGHTS[2]
        return rows[keep], cosine

    def _space(self, number: int, rows: int) -> tuple[Array, Array, Array]:
        """Work arrays of this thread, kept between calls: clearing a million numbers each time would cost more."""
        spaces: dict[int, tuple[Array, Array, Array]] = self._work.__dict__.setdefault("spaces", {})
        if number not in spaces or len(spaces[number][0]) != rows:
            dense = np.zeros(int(self.edges[3]), np.float32)
            spaces[number] = np.zeros(rows, np.float32), np.zeros(rows, np.int32), dense
        return spaces[number]

    def _pairs(self, segment: Segment, rows: Array, cosine: Array, doc: Document, words: dict[str, Array]) -> Array:
        a = segment.arrays
        out = np.zeros((len(rows), len(pairs.FEATURES)), np.float32)
        brand = np.zeros(4, np.uint32)
        brand[: len(doc.brand_words)] = doc.brand_words
        pairs.pair_features(
            rows, cosine, words["words"], words["kinds"], words["described"],
            np.array([q.dimension for q in doc.quantities], np.uint8),
            np.array([q.value for q in doc.quantities], np.float32),
            np.array(fact_row(doc), np.int64), doc.price, brand,
            a["words"], a["kinds"], a["word_at"], a["described"], a["described_at"], a["dims"], a["vals"],
            a["quantity_at"], a["facts"], a["prices"], a["brands"], self.word_idf, 0, 32 - (self.bits + 1),
            self.scale, out,
        )  # fmt: skip
        return out

    def save(self, folder: str | Path) -> None:
        """Write the index into a folder of .npy files, changes included.

        Every save is a new subfolder and becomes the current one in one step: processes that have the older one
        mapped go on with it, and none ever sees half of each.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix="saved-", dir=path))
        for number, segment in enumerate(self.segments):
            segment.save(fresh / f"segment-{number}")
        np.save(fresh / "idf.npy", self.idf)
        np.save(fresh / "word_idf.npy", self.word_idf)
        state = {"format": FORMAT, "bits": self.bits, "dead": [sorted(d) for d in self.dead], "current": fresh.name}
        (fresh / "index.json").write_text(json.dumps(state), encoding="utf-8")
        (fresh / "index.json").replace(path / "index.json")
        for old in path.glob("saved-*"):
            if old != fresh:
                rmtree(old, ignore_errors=True)

    @classmethod
    def load(cls, folder: str | Path, *, mmap: bool = True) -> Index:
        """Open a saved index. Raises ValueError when the folder holds another format: build it anew then."""
        path = Path(folder)
        state = json.loads((path / "index.json").read_text(encoding="utf-8"))
        if state.get("format") != FORMAT:
            raise ValueError(f"The index in {path} has format {state.get('format')}, not {FORMAT}. Build it again.")
        path = path / state["current"]
        segments = [Segment.load(path / f"segment-{n}", mmap=mmap) for n in range(len(state["dead"]))]
        idf, word_idf = (np.load(path / f"{name}.npy", mmap_mode="r" if mmap else None) for name in ("idf", "word_idf"))
        index = cls(segments, idf, word_idf, state["bits"])
        index.dead = [set(d) for d in state["dead"]]
        return index
