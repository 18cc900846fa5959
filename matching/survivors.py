"""Compiled exact comparison of a listing with the rows that retrieval found; the best of them, one for each product."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

from matching.kernels import (
    PREFIX,
    SLOTS,
    TEXT_POINTS,
    FloatArray,
    IntArray,
    Whole,
    order_row,
    point,
    retrieve,
    slot,
    triple,
    weigh_listing,
    word_in,
    word_table,
)  # fmt: skip

#: Rows that are compared together.
BLOCK: Final = 64
Number = float | np.floating[Any]


@njit(cache=True, nogil=True)
def letters_shared(
    text: IntArray, start: int, end: int, bits: int, slots: IntArray, slot_weight: FloatArray, stamp: IntArray,
    turn: int, buckets: IntArray,
) -> float:  # fmt: skip
    """What the distinct triples of a text weigh together that stand in the table; `stamp` holds other turns only.

    `buckets` is room for TEXT_POINTS triples: they are looked up when all are known, which keeps the processor busy.
    """
    a: Whole = np.uint32(32)
    b: Whole = np.uint32(32)
    i = start
    n = m = 0
    while i < end and n < TEXT_POINTS - 2:
        c, i = point(text, i)
        n += 1
        buckets[m] = triple(a, b, c, bits)
        m += b != 32
        a, b = b, c
    buckets[m] = triple(a, b, np.uint32(32), bits)
    m += b != 32
    # Loops without a branch that nobody can foresee: those in the table first, each by its slot, then their weights.
    seen = 0
    for k in range(m):
        place = slot(np.int64(buckets[k]), slots)
        buckets[seen] = place
        seen += slots[place] >= 0
    found = 0.0
    for k in range(seen):
        place = buckets[k]
        found += slot_weight[place] * (stamp[place] != turn)
        stamp[place] = turn
    return found


@njit(cache=True, nogil=True)
def words_shared(
    table: IntArray, title_gain: FloatArray, field_gain: FloatArray, words: IntArray, kinds: IntArray, start: int,
    end: int, described: IntArray, described_start: int, described_end: int, met: IntArray,
) -> tuple[float, float]:  # fmt: skip
    """What the words weigh together that a row shares with the listing: as title words, and as words of any field.

    `table` has the listing's words, and the gains are what each weighs in a row of length one; `met` is room for a
    number for each of them, and one more.
    """
    n = 0
    for j in range(start, end):
        met[n] = word_in(words[j], table)
        n += (met[n] >= 0) & (kinds[j] < PREFIX)
    title, field = 0.0, 0.0
    for k in range(n):
        title += title_gain[met[k]]
        field += field_gain[met[k]]
    if described_end > described_start:
        for j in range(described_start, described_end):
            i = word_in(described[j], table)
            if i >= 0:
                field += field_gain[i]
    return title, field


@njit(cache=True, nogil=True)
def survivors(
    asked: tuple[IntArray, ...], known: IntArray, dead: IntArray, number: int,
    lists: tuple[IntArray, ...], faces: tuple[IntArray, ...], inverse: FloatArray, levels: IntArray, owners: IntArray,
    bits: int, shift: int, idf: tuple[FloatArray, ...], field_weight: float,
    budget: int, exact: int, most: int, space: tuple[Any, ...], n: int, out: IntArray, cosine_out: FloatArray,
) -> tuple[int, int]:  # fmt: skip
    """Join the rows of one segment that survive retrieval to those of the segments before it, best first.

    `asked` are the listing's text, words, kinds and described words, which are put in order; `idf` belongs to triples,
    title words and words of every field. `out` gets a line for each living product, its row, segment number and place,
    and `cosine_out` its exact cosines; `n` lines are there already and `most` may be. Rows in `known` come first, as if
    their sum of cosines (the fourth column) were greater by 10; `dead` has a 1 for products that are gone, or is
    empty. Gives how many lines there are now, and how many came from this segment.
    """
    text, text_at, row_words, row_kinds, word_at, described, described_at = faces
    asked_text, asked_words, asked_kinds, asked_described = asked
    idf_triple, idf_title, idf_field = idf
    total, touched, slots, slot_weight = space
    order_row(asked_words, asked_kinds, 0, len(asked_words))
    triples, weights, words, in_title, in_field = weigh_listing(
        asked_text, asked_words, asked_kinds, asked_described, bits, shift, idf_triple, idf_title, idf_field,
        field_weight, slots, slot_weight,
    )  # fmt: skip
    rows = retrieve(
        triples, weights, words, in_title, in_field, lists, levels, shift, idf_triple, idf_title, idf_field,
        budget, exact, total, touched,
    )  # fmt: skip
    if len(known):
        rows = np.concatenate((known.astype(np.int64), rows))
    stamp, buckets = np.full(SLOTS, -1, np.int32), np.empty(TEXT_POINTS, np.uint32)
    title, field, reach = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float64)
    table, met = word_table(words), np.empty(len(words) + 1, np.int64)
    for i in range(len(words)):
        b = words[i] >> shift
        in_title[i] *= idf_title[b]
        in_field[i] *= idf_field[b]
    length = _length(triples, idf_triple)
    came = 0
    for begin in range(0, len(rows), BLOCK):
        block = rows[begin : begin + BLOCK]
        touched[0] = _touch(block, row_words, word_at) + _touch(block, row_kinds, word_at)
        touched[0] = _touch(block, described, described_at)
        for k in range(len(block)):
            touched[0] += (inverse[block[k], 1] > 2.0) + owners[block[k]] & 1
        for k in range(len(block)):
            row = block[k]
            words_title, words_field = words_shared(
                table, in_title, in_field, row_words, row_kinds, word_at[row], word_at[row + 1], described,
                described_at[row], described_at[row + 1], met,
            )  # fmt: skip
            title[k], field[k] = words_title * inverse[row, 1], words_field * inverse[row, 2]
            lead = 10.0 if begin + k < len(known) else 0.0
            # What two texts share is in both, so that their cosine is at most the shorter length by the longer one.
            ratio = length * inverse[row, 0]
            reach[k] = title[k] + field[k] + lead + (1.001 * min(ratio, 1 / ratio) if ratio > 0 else 0.0)
            if len(dead) and dead[owners[row]]:
                reach[k] = -1.0
        least = cosine_out[n - 1, 3] if n == most else 0.0
        within = block[reach[: len(block)] >= least]
        touched[0] = _touch(within, text, text_at)
        for k in range(len(block)):
            row = block[k]
            # Whatever its letters are, this row would stand behind the others (a hair was left for rounding).
            if reach[k] < (cosine_out[n - 1, 3] if n == most else 0.0):
                continue
            lead = 10.0 if begin + k < len(known) else 0.0
            shared = letters_shared(
                text, text_at[row], text_at[row + 1], bits, slots, slot_weight, stamp, begin + k, buckets
            )
            letters = np.float32(shared * inverse[row, 0])
            n, put = _insert(
                row, number, owners[row], letters, title[k], field[k], field_weight,
                np.float32(letters + title[k] + field[k] + lead), n, most, out, cosine_out,
            )  # fmt: skip
            came += put
    return n, came


@njit(cache=True, nogil=True)
def _length(triples: IntArray, idf_triple: FloatArray) -> float:
    """How long the listing is by its triples."""
    total = 0.0
    for b in triples:
        total += idf_triple[b] * idf_triple[b]
    return math.sqrt(total)


@njit(cache=True, nogil=True)
def _touch(rows: IntArray, values: IntArray, starts: IntArray) -> Whole:
    """Read one number from each row's list, so that it is at hand: waits that do not depend on each other overlap."""
    together = np.int64(0)
    for k in range(len(rows)):
        start = starts[rows[k]]
        if start < len(values):
            together += values[start]
    return together & 1


@njit(cache=True, nogil=True)
def _insert(
    row: int, number: int, owner: int, letters: Number, title: Number, field: Number, field_weight: float,
    total: Number, n: int, most: int, out: IntArray, cosine_out: FloatArray,
) -> tuple[int, bool]:  # fmt: skip
    """Put a row behind those as good, unless its product stands better; gives how many there are, and if it was put."""
    if n == most and cosine_out[n - 1, 3] >= total:
        return n, False
    at = n
    for j in range(n):
        if out[j, 2] == owner and out[j, 1] == number:
            if cosine_out[j, 3] >= total:
                return n, False
            at = j
            break
    if at == n and n == most:
        at = n - 1
    elif at == n:
        n += 1
    while at > 0 and cosine_out[at - 1, 3] < total:
        for c in range(3):
            out[at, c] = out[at - 1, c]
        for c in range(4):
            cosine_out[at, c] = cosine_out[at - 1, c]
        at -= 1
    out[at, 0], out[at, 1], out[at, 2] = row, number, owner
    cosine_out[at, 0], cosine_out[at, 1], cosine_out[at, 2] = letters, title, field / field_weight
    cosine_out[at, 3] = total
    return n, True
