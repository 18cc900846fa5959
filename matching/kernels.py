"""Compiled inner loops: letter triples, retrieval within a budget of postings, and the features of pairs.

numba compiles them at the first call and keeps the machine code beside this file (or in NUMBA_CACHE_DIR).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[Any]

PLAIN, CODE, NUMBER, QUANTITY, PREFIX, GLUE, DIGITS = 0, 1, 2, 3, 4, 5, 6
SPACE = 32


@njit(cache=True, nogil=True)
def letter_triples(points: IntArray, starts: IntArray, bits: int) -> tuple[IntArray, IntArray]:
    """Distinct hashed 3-letter windows of each text, inside words with a space on either side (char_wb).

    In: code points of all texts joined, each starting and ending with a space, and where each starts.
    Out: triples as bucket numbers below 2**bits, and the row pointers into them.
    """
    rows = len(starts) - 1
    out = np.empty(max(1, len(points)), np.uint32)
    pointers = np.zeros(rows + 1, np.int64)
    stamp = np.full(1 << bits, -1, np.int32)
    n = 0
    for row in range(rows):
        for i in range(starts[row], starts[row + 1] - 2):
            if points[i + 1] == SPACE:
                continue
            h = np.uint64(points[i]) * np.uint64(0x9E3779B97F4A7C15)
            h = (h ^ np.uint64(points[i + 1])) * np.uint64(0xC2B2AE3D27D4EB4F)
            h = (h ^ np.uint64(points[i + 2])) * np.uint64(0x165667B19E3779F9)
            bucket = np.int64(h >> np.uint64(64 - bits))
            if stamp[bucket] != row:
                stamp[bucket] = row
                out[n] = bucket
                n += 1
        pointers[row + 1] = n
    return out[:n].copy(), pointers


@njit(cache=True, nogil=True)
def invert(forward: IntArray, pointers: IntArray, buckets: int) -> tuple[IntArray, IntArray]:
    """Turn rows of buckets into postings: for each bucket its rows, ascending."""
    starts = np.zeros(buckets + 1, np.int64)
    for b in forward:
        starts[b + 1] += 1
    for b in range(buckets):
        starts[b + 1] += starts[b]
    at = starts[:-1].copy()
    rows = np.empty(max(1, len(forward)), np.int32)
    for row in range(len(pointers) - 1):
        for i in range(pointers[row], pointers[row + 1]):
            rows[at[forward[i]]] = row
            at[forward[i]] += 1
    return starts, rows


@njit(cache=True, nogil=True)
def norms(forward: IntArray, pointers: IntArray, idf: FloatArray, edges: IntArray) -> FloatArray:
    """The length of each row's weight vector in each of the three blocks; 1 where a block is empty."""
    out = np.zeros((len(pointers) - 1, 3), np.float32)
    for row in range(len(pointers) - 1):
        for i in range(pointers[row], pointers[row + 1]):
            b = forward[i]
            block = 0 if b < edges[1] else (1 if b < edges[2] else 2)
            out[row, block] += idf[b] * idf[b]
        for block in range(3):
            out[row, block] = math.sqrt(out[row, block]) if out[row, block] > 0 else 1.0
    return out


@njit(cache=True, nogil=True)
def retrieve(
    buckets: IntArray, values: FloatArray, postings_at: IntArray, postings: IntArray, row_norms: FloatArray,
    idf: FloatArray, edges: IntArray, budget: int, wanted: int, total: FloatArray, touched: IntArray,
) -> IntArray:  # fmt: skip
    """The `wanted` rows with the largest partial cosine, reading the rarest features first within the budget.

    `total` (zeros, one per row) and `touched` (one per row) are work space; `total` is left at zero again.
    """
    df = np.empty(len(buckets), np.int64)
    for i in range(len(buckets)):
        df[i] = postings_at[buckets[i] + 1] - postings_at[buckets[i]]
    order = np.argsort(df, kind="mergesort")
    spent = 0
    n = 0
    for i in order:
        if df[i] == 0:
            continue
        if spent > 0 and spent + df[i] > budget:
            break
        spent += df[i]
        b = buckets[i]
        block = 0 if b < edges[1] else (1 if b < edges[2] else 2)
        weight = values[i] * idf[b]
        for j in range(postings_at[b], postings_at[b + 1]):
            row = postings[j]
            if total[row] == 0.0:
                touched[n] = row
                n += 1
            total[row] += weight / row_norms[row, block]
    found = touched[:n].copy()
    scores = np.empty(n, np.float32)
    for i in range(n):
        scores[i] = total[found[i]]
        total[found[i]] = 0.0
    if n > wanted:
        floor = np.partition(scores, n - wanted)[n - wanted]
        keep = np.empty(n, np.bool_)
        for i in range(n):
            keep[i] = scores[i] >= floor
        found, scores = found[keep], scores[keep]
    # Rows in ascending order make ties fall the same way whatever was read first.
    found = np.sort(found)
    return found[: wanted * 4]


@njit(cache=True, nogil=True)
def cosines(
    rows: IntArray, forward: IntArray, pointers: IntArray, row_norms: FloatArray, idf: FloatArray, edges: IntArray,
    query: FloatArray,
) -> FloatArray:  # fmt: skip
    """Exact cosine of each row with the query in the three blocks; `query` holds its weights by bucket."""
    out = np.zeros((len(rows), 3), np.float32)
    for k in range(len(rows)):
        row = rows[k]
        for i in range(pointers[row], pointers[row + 1]):
            b = forward[i]
            if query[b] > 0:
                block = 0 if b < edges[1] else (1 if b < edges[2] else 2)
                out[k, block] += query[b] * idf[b]
        for block in range(3):
            out[k, block] /= row_norms[row, block]
    return out
