"""The index: which products deserve a look for a listing, found within a budget, updated without a rebuild."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching import kernels, pairs
from matching.crew import chunks
from matching.document import Document
from matching.identifiers import loose_key
from matching.layout import HASHED, Sheet, frozen, join, lay_out, ordered, take
from matching.reading import hashed
from matching.records import Record
from matching.segment import LIST_CAP, Segment, Tables, load_array
from matching.spelling import spelling_features
from matching.survivors import survivors

Array = NDArray[Any]
FORMAT: Final = 9
#: How many rows keep their place for exact comparison, and how many go on to be scored.
EXACT, SURVIVORS = 300, 30
#: Rows read for one listing; the most telling lists come first, so that what is left out says little.
BUDGET: Final = LIST_CAP
#: From so many rows on a part of the index is read with all of that; a smaller one with less, down to the share LEAST,
#: which finds the same on all labelled sets (docs/matching.md).
FULL_FROM, LEAST = 256_000, 0.375
#: The weight of words of every field beside letter triples and title words, which have 1 (docs/matching.md).
FIELD_WEIGHT: Final = 0.5
#: Catalogues up to this many products are built anew in passing when much has changed.
SMALL: Final = 20_000
_TABLES: Final = ("triple", "title", "field", "word")
_NONE_DEAD: Final = frozen(np.zeros(0, np.uint8))
_SPELLING: Final = pairs.COLUMN["words_alike"]
_NOBODY: Final = frozen(np.zeros(0, np.int32))
_NO_QUANTITIES: Final = np.zeros(0, np.uint8), np.zeros(0, np.float32)
_FIRST: Final = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True)
class View:
    """An index at one moment: it never changes, so that threads may go on with it while the index is updated.

    `dead` has an array for each segment, with a 1 for each product that is gone; it is empty when none is.
    """

    segments: tuple[Segment, ...]
    dead: tuple[Array, ...]
    tables: Tables

    def alive(self, number: int, place: int) -> bool:
        """Whether the product at a place is still there."""
        dead = self.dead[number]
        return not len(dead) or not dead[place]

    def record(self, where: tuple[int, int]) -> Record:
        """The product at a (segment, place)."""
        return self.segments[where[0]].record(where[1])


@dataclass(frozen=True, slots=True)
class Found:
    """Survivors for one listing: where each product is (segment, place) and the features of the pair, line by line."""

    view: View
    numbers: Array
    owners: Array
    features: Array

    def __len__(self) -> int:
        return len(self.owners)

    @property
    def places(self) -> list[tuple[int, int]]:
        """(segment, place) of each product."""
        return list(zip(self.numbers.tolist(), self.owners.tolist(), strict=True))


class Index:
    """Products ready to be searched. Build it once, `save` it, `load` it memory-mapped in every process.

    `update` and `remove` change it at once, without a rebuild; `needs_rebuild` says when to `rebuild`, which reads no
    record again. Threads may search while one of them changes it.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self._work = threading.local()
        self._writing = threading.Lock()

    @classmethod
    def build(cls, products: Iterable[Record], *, workers: int | None = None) -> Index:
        """Index these products. Order does not matter; ids have to be unique (ValueError names the first repeat).

        A large catalogue is read by `workers` processes, as many as there are processors unless it is said.
        """
        sheets, ids = [], []
        for sheet, some in chunks(products, workers or os.cpu_count() or 1):
            sheets.append(sheet)
            ids += some
        return cls(_whole(_in_order(ordered(join(sheets or [lay_out([])])), ids)))

    def __copy__(self) -> Index:
        """Another index with the same products, for a price of nothing: changing one leaves the other as it is."""
        return Index(self.view)

    def __len__(self) -> int:
        return sum(len(s) - int(d.sum()) for s, d in zip(self.view.segments, self.view.dead, strict=True))

    @property
    def needs_rebuild(self) -> bool:
        """Whether so much changed since the build that word weights and speed suffer."""
        main, *others = self.view.segments
        changed = int(self.view.dead[0].sum()) + sum(map(len, others))
        return changed > max(1_000, len(main) // 10)

    def update(self, changed: Iterable[Record]) -> None:
        """Add or replace products; they are findable when this returns."""
        fresh = {r.id: r for r in changed}
        if not fresh:
            return
        sheet = ordered(lay_out(fresh.values()))
        with self._writing:
            view = _without(self.view, fresh)[0]
            segments, dead = list(view.segments), list(view.dead)
            sheets = [sheet]
            # Newer parts are joined with those not much larger: there are never more than a handful.
            while len(segments) > 1 and len(segments[-1]) <= 2 * sum(len(s["ids"]) for s in sheets):
                sheets.insert(0, _living(segments.pop(), dead.pop()))
            segments.append(Segment.build(join(sheets), view.tables))
            self.view = View(tuple(segments), (*dead, _NONE_DEAD), view.tables)
        if self.needs_rebuild and len(self) <= SMALL:
            self.rebuild()

    def rebuild(self) -> None:
        """Weigh all words anew and join what was changed since the build: some seconds for a million products."""
        with self._writing:
            view = self.view
            sheet = join([_living(s, d) for s, d in zip(view.segments, view.dead, strict=True)])
            self.view = _whole(sheet)

    def remove(self, ids: Iterable[int | str]) -> int:
        """Forget products; ids that are not there are passed over. Returns how many were there."""
        with self._writing:
            self.view, gone = _without(self.view, ids)
        return gone

    def get(self, record_id: int | str) -> Record | None:
        """The product with this id, or None."""
        view = self.view
        for number, segment in enumerate(view.segments):
            place = segment.find(record_id)
            if place is not None and view.alive(number, place):
                return segment.record(place)
        return None

    def record(self, where: tuple[int, int]) -> Record:
        """The product at a (segment, place) that `find` gave, while the index is not changed."""
        return self.view.record(where)

    def find(self, doc: Document, limit: int = SURVIVORS, *, sku: str = "", view: View | None = None) -> Found:
        """The products most alike to a document, best retrieval score first, with the features of each pair.

        Products with the document's GTIN, or with this SKU up to typing differences, are always among them.
        `view` asks the index as it was at another moment.
        """
        view = view or self.view
        text = np.frombuffer(doc.text.encode("utf-8", "surrogatepass"), np.uint8)
        words = np.fromiter(doc.words, np.uint32, len(doc.words))
        kinds = np.fromiter(doc.words.values(), np.uint8, len(doc.words))
        described = np.array(doc.described, np.uint32)
        if doc.described:
            described.sort()
        asked = text, words, kinds, described
        rows, cosine, named, mixed = self._survivors(view, doc.gtin, sku, asked, limit)
        features = np.zeros((len(rows), len(pairs.FEATURES)), np.float32)
        if len(rows):
            _pairs(view, rows, cosine, doc, asked, mixed, features)
        if named:
            # Named rows were given a lead to stay; from here on they stand where their cosines put them.
            best = np.argsort(-features[:, pairs.COLUMN["retrieval"]], kind="stable")
            rows, features = rows[best], features[best]
        return Found(view, rows[:, 1], rows[:, 2], features)

    def _survivors(
        self, view: View, gtin: int, sku: str, asked: tuple[Array, ...], limit: int
    ) -> tuple[Array, Array, bool, bool]:
        """Row, segment number and place of what survives, and its cosines; whether some were named, and came from afar.

        What comes from another segment than the first comes from afar.
        """
        t = view.tables
        space = self._space(max([s.rows for s in view.segments]))
        key = loose_key(sku) if sku else ""
        known = [_identified(s, gtin, key) for s in view.segments] if gtin or key else [_NOBODY] * len(view.segments)
        named = sum(map(len, known))
        most = max(limit, named)
        rows, cosine = np.empty((most, 3), np.int64), np.empty((most, 4), np.float32)
        n, mixed = 0, False
        for number, (segment, dead) in enumerate(zip(view.segments, view.dead, strict=True)):
            share = min(1.0, max(LEAST, segment.rows / FULL_FROM))
            n, came = survivors(
                asked, known[number], dead, number, segment.lists, segment.faces, *segment.lengths, t.bits, t.shift,
                (t.triple, t.title, t.field), FIELD_WEIGHT, int(share * BUDGET), int(share * EXACT), most, space, n,
                rows, cosine,
            )  # fmt: skip
            mixed = mixed or bool(number and came)
        return rows[:n], cosine[:n], named > 0, mixed

    def _space(self, rows: int) -> tuple[Array, Array, Array, Array]:
        """Work arrays of this thread, kept between calls: clearing a million numbers each time would cost more."""
        space: tuple[Array, Array, Array, Array] | None = getattr(self._work, "space", None)
        if space is None or len(space[0]) < rows:
            slots = np.full(kernels.SLOTS, -1, np.int32), np.zeros(kernels.SLOTS, np.float32)
            # One more than there are rows: a row is written down first and counted when it is new.
            space = self._work.space = (np.zeros(rows, np.uint16), np.zeros(rows + 1, np.int32), *slots)
        return space

    def save(self, folder: str | Path) -> None:
        """Write the index into a folder of .npy files, changes included.

        Every save is a new subfolder and becomes the current one in one step: processes that have the older one
        mapped go on with it, and none ever sees half of each.
        """
        view = self.view
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix="saved-", dir=path))
        for number, segment in enumerate(view.segments):
            segment.save(fresh / f"segment-{number}")
        t = view.tables
        for name in _TABLES:
            np.save(fresh / f"{name}.npy", getattr(t, name))
        state = {
            "format": FORMAT, "bits": t.bits, "shift": t.shift, "scale": t.scale, "current": fresh.name,
            "dead": [np.flatnonzero(d).tolist() for d in view.dead],
        }  # fmt: skip
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
        segments = tuple(Segment.load(path / f"segment-{n}", mmap=mmap) for n in range(len(state["dead"])))
        arrays = (load_array(path / f"{name}.npy", mmap=mmap) for name in _TABLES)
        tables = Tables(state["bits"], state["shift"], state["scale"], *arrays)
        dead = tuple(_dead(len(s), d) for s, d in zip(segments, state["dead"], strict=True))
        return cls(View(segments, dead, tables))


def _in_order(sheet: Sheet, ids: Sequence[int | str]) -> Sheet:
    """The sheet in the order of ids, so that it does not matter in which order the records came."""
    known = sheet["ids"]
    if (np.diff(known) > 0).all() and (known < HASHED).all():
        return sheet
    if len(np.unique(known)) < len(ids):
        twice = next(i for i, times in Counter(ids).items() if times > 1)
        raise ValueError(f"Product id {twice!r} occurs twice; give every product one id.")
    keys = [(isinstance(i, str), i) for i in ids]
    order = np.array(sorted(range(len(ids)), key=keys.__getitem__), np.int64)
    return sheet if (order == np.arange(len(ids))).all() else take(sheet, order)


def _whole(sheet: Sheet) -> View:
    tables = Tables.count(sheet)
    return View((Segment.build(sheet, tables),), (_NONE_DEAD,), tables)


def _dead(size: int, places: Iterable[int]) -> Array:
    dead = np.zeros(size, np.uint8)
    dead[list(places)] = 1
    return frozen(dead) if dead.any() else _NONE_DEAD


def _living(segment: Segment, dead: Array) -> Sheet:
    return take(segment.sheet(), np.flatnonzero(dead == 0)) if len(dead) else segment.sheet()


def _without(view: View, ids: Iterable[int | str]) -> tuple[View, int]:
    """The view without these products, and how many of them were there."""
    wanted = list(ids)
    gone = 0
    dead = []
    for number, (segment, old) in enumerate(zip(view.segments, view.dead, strict=True)):
        places = {p for p in map(segment.find, wanted) if p is not None and view.alive(number, p)}
        gone += len(places)
        dead.append(_dead(len(segment), [*np.flatnonzero(old).tolist(), *places]) if places else old)
    return View(view.segments, tuple(dead), view.tables), gone


def _identified(segment: Segment, gtin: int, key: str) -> Array:
    """Rows of products with the same GTIN, or with the same SKU up to typing."""
    places = segment.places_of_gtins([abs(gtin)]) if gtin else []
    if key:
        places += segment.places_of_sku(key, limit=20)
    return segment.arrays["first_rows"][sorted(set(places))] if places else _NOBODY


def _pairs(
    view: View, found: Array, cosine: Array, doc: Document, asked: tuple[Array, ...], mixed: bool, out: Array
) -> None:
    """Fill in the features of each found row with the listing."""
    t = view.tables
    text, words, kinds, described = asked
    dims, values = _NO_QUANTITIES
    if doc.quantities:
        dims = np.array([q.dimension for q in doc.quantities], np.uint8)
        values = np.array([q.value for q in doc.quantities], np.float32)
    listing = words, kinds, described, dims, values
    size = hashed(doc.size) if doc.size else 0
    facts = np.array((doc.colours, size, doc.currency, doc.gtin, doc.brand, doc.brand_word, doc.mpn), np.int64)
    rows, numbers = np.ascontiguousarray(found[:, 0]), found[:, 1]
    used = np.unique(numbers) if mixed else _FIRST
    if len(used) == 1:
        segment = view.segments[int(used[0])]
        spelling_features(text, words, rows, np.arange(len(rows)), segment.faces, out, _SPELLING)
        faces, products = segment.pair_faces, segment.pair_products
    else:
        for n in used.tolist():
            lines = np.flatnonzero(numbers == n)
            spelling_features(text, words, rows[lines], lines, view.segments[n].faces, out, _SPELLING)
        faces, products, rows = _copied(view, used, numbers, rows)
    pairs.pair_features(rows, cosine, listing, facts, doc.price, faces, products, t.word, t.shift, t.scale, out)


def _copied(view: View, used: Array, numbers: Array, rows: Array) -> tuple[tuple[Array, ...], tuple[Array, ...], Array]:
    """Rows of several segments as if they were of one: faces, products, and where each row is."""
    parts = [
        pairs.copy_rows(rows[numbers == n], view.segments[n].pair_faces, view.segments[n].pair_products) for n in used
    ]
    faces = _joined([f for f, _ in parts], ends=(2, 4))
    products = _joined([p for _, p in parts], ends=(2,))
    order = np.argsort(numbers, kind="stable")
    back = np.empty(len(rows), np.int64)
    back[order] = np.arange(len(rows))
    own = frozen(np.arange(len(rows), dtype=np.int32))
    return (*faces[:-1], own), products, back


def _joined(parts: Sequence[tuple[Array, ...]], ends: Sequence[int]) -> tuple[Array, ...]:
    """Arrays of several segments one after the other; those at `ends` hold where lists end."""
    out = []
    for i, arrays in enumerate(zip(*parts, strict=True)):
        if i in ends:
            starts = np.cumsum([0, *(a[-1] for a in arrays[:-1])])
            joined = np.concatenate([[0], *(a[1:] + s for a, s in zip(arrays, starts, strict=True))])
            out.append(joined.astype(np.int32))
        else:
            out.append(np.concatenate(arrays))
    return tuple(map(frozen, out))
