"""Compiled loops that build the index: letter triples of texts, lengths of rows, and lists of rows for each feature.

A list of rows begins with the rows in which its feature weighs most, so that reading only its beginning loses least
(impact order: Anh & Moffat 2001); a list longer than the cap keeps its beginning only ("champions").
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matching.kernels import PREFIX, TEXT_POINTS, IntArray, spread, triple

FloatArray = NDArray[np.float32]
Array = NDArray[Any]


@njit(cache=True, nogil=True)
def triple_rows(
    text: IntArray, text_at: IntArray, bits: int, counts: IntArray,
    idf: FloatArray, inverse: FloatArray, order: IntArray, at: IntArray, cursor: IntArray, rows: IntArray, step: int,
) -> None:  # fmt: skip
    """One pass over the distinct triples of every text.

    Step 0 counts rows for each triple; step 1 sets inverse[row, 0], one over the row's length; step 2 fills `rows`
    from `cursor` up to the next `at`, reading texts in this `order`.
    """
    stamp = np.full(1 << bits, -1, np.int32)
    points = np.empty(TEXT_POINTS, np.uint32)
    for turn in range(len(text_at) - 1):
        row = order[turn] if step == 2 else turn
        n = spread(text, text_at[row], text_at[row + 1], points)
        length = 0.0
        for i in range(n - 2):
            if points[i + 1] == 32:
                continue
            b = triple(points[i], points[i + 1], points[i + 2], bits)
            if stamp[b] == turn:
                continue
            stamp[b] = turn
            if step == 0:
                counts[b] += 1
            elif step == 1:
                length += idf[b] * idf[b]
            elif cursor[b] < at[b + 1]:
                rows[cursor[b]] = row
                cursor[b] += 1
        if step == 1:
            inverse[row, 0] = 1 / math.sqrt(length) if length > 0 else 1.0


@njit(cache=True, nogil=True)
def word_counts(
    words: IntArray, kinds: IntArray, described: IntArray, shift: int, titles: IntArray, every: IntArray,
    all_kinds: IntArray,
) -> None:  # fmt: skip
    """In how many rows each word bucket occurs: in titles, in any field, and with the kinds for comparing only."""
    for i in range(len(words)):
        b = words[i] >> shift
        all_kinds[b] += 1
        if kinds[i] < PREFIX:
            titles[b] += 1
            every[b] += 1
    for i in range(len(described)):
        every[described[i] >> shift] += 1


@njit(cache=True, nogil=True)
def word_lengths(
    words: IntArray, kinds: IntArray, word_at: IntArray, described: IntArray, described_at: IntArray, shift: int,
    idf: FloatArray, idf_all: FloatArray, inverse: FloatArray,
) -> None:  # fmt: skip
    """Set inverse[row, 1] and inverse[row, 2]: one over the length of the title's words, and of all words."""
    for row in range(len(word_at) - 1):
        title, every = 0.0, 0.0
        for i in range(word_at[row], word_at[row + 1]):
            if kinds[i] < PREFIX:
                b = words[i] >> shift
                title += idf[b] * idf[b]
                every += idf_all[b] * idf_all[b]
        for i in range(described_at[row], described_at[row + 1]):
            b = described[i] >> shift
            every += idf_all[b] * idf_all[b]
        inverse[row, 1] = 1 / math.sqrt(title) if title > 0 else 1.0
        inverse[row, 2] = 1 / math.sqrt(every) if every > 0 else 1.0


@njit(cache=True, nogil=True)
def word_rows(
    words: IntArray, kinds: IntArray, word_at: IntArray, shift: int, order: IntArray, at: IntArray, cursor: IntArray,
    rows: IntArray,
) -> None:  # fmt: skip
    """Fill `rows` from `cursor` up to the next `at` with the rows of each word bucket, reading rows in this `order`."""
    for turn in range(len(order)):
        row = order[turn]
        for i in range(word_at[row], word_at[row + 1]):
            if kinds[i] < PREFIX:
                b = words[i] >> shift
                if cursor[b] < at[b + 1]:
                    rows[cursor[b]] = row
                    cursor[b] += 1


@njit(cache=True, nogil=True)
def bucket_counts(words: IntArray, kinds: IntArray, shift: int, counts: IntArray) -> None:
    """How many words fall into each bucket, of the kinds that retrieval uses."""
    for i in range(len(words)):
        if kinds[i] < PREFIX:
            counts[words[i] >> shift] += 1


def _lists(counts: Array, cap: int) -> tuple[Array, Array, Array]:
    """Where lists of these lengths begin, none above the cap: (at, a cursor that may move, room for all)."""
    at = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(np.minimum(counts, cap), out=at[1:])
    return at, at[:-1].copy(), np.zeros(int(at[-1]), np.int32)


def _directory(at: Array) -> tuple[Array, Array]:
    """Buckets with rows, ascending, and where the rows of each begin."""
    keys = np.flatnonzero(np.diff(at))
    kind = np.int32 if at[-1] < 2**31 else np.int64
    return keys.astype(np.int32), np.append(at[keys], at[-1]).astype(kind)


def triple_lists(sheet: dict[str, Array], bits: int, idf: Array, inverse: Array, cap: int) -> dict[str, Array]:
    """Lists of rows for triples; sets inverse[:, 0]."""
    counts, none = np.zeros(1 << bits, np.int64), np.zeros(0, np.int64)
    nothing = np.zeros(0, np.int32)
    text, text_at = sheet["text"], sheet["text_at"]
    triple_rows(text, text_at, bits, counts, idf, inverse, none, none, none, nothing, 0)
    triple_rows(text, text_at, bits, counts, idf, inverse, none, none, none, nothing, 1)
    at, cursor, rows = _lists(counts, cap)
    order = np.argsort(-inverse[:, 0], kind="stable")
    triple_rows(text, text_at, bits, counts, idf, inverse, order, at, cursor, rows, 2)
    keys, begin = _directory(at)
    return {"triple_keys": keys, "triple_at": begin, "triple_rows": rows}


def triple_counts(sheet: dict[str, Array], bits: int) -> Array:
    """In how many rows each triple occurs."""
    counts, none = np.zeros(1 << bits, np.int64), np.zeros(0, np.int64)
    no_floats = np.zeros(0, np.float32)
    triple_rows(
        sheet["text"], sheet["text_at"], bits, counts, no_floats, no_floats.reshape(0, 3), none, none, none,
        np.zeros(0, np.int32), 0,
    )  # fmt: skip
    return counts


def word_lists(sheet: dict[str, Array], shift: int, inverse: Array, cap: int) -> dict[str, Array]:
    """Lists of rows for title words and for words that only the description has, by bucket (hash >> shift)."""
    out: dict[str, Array] = {}
    size = 1 << (32 - shift)
    plain = np.zeros(len(sheet["described"]), np.uint8)
    for name, words, kinds, ends, column in (
        ("title", sheet["words"], sheet["kinds"], sheet["word_at"], 1),
        ("field", sheet["described"], plain, sheet["described_at"], 2),
    ):
        counts = np.zeros(size, np.int64)
        bucket_counts(words, kinds, shift, counts)
        at, cursor, rows = _lists(counts, cap)
        order = np.argsort(-inverse[:, column], kind="stable")
        word_rows(words, kinds, ends, shift, order, at, cursor, rows)
        out[f"{name}_keys"], out[f"{name}_at"] = _directory(at)
        out[f"{name}_rows"] = rows
    return out
