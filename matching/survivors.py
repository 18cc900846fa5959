"""Compiled exact comparison of a listing with the rows that retrieval found; the best of them, one for each product."""

from __future__ import annotations

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
    found = 0.0
    for k in range(m):
        place = slot(np.int64(buckets[k]), slots)
        if slots[place] >= 0 and stamp[place] != turn:
            stamp[place] = turn
            found += slot_weight[place]
    return found


@njit(cache=True, nogil=True)
def words_shared(
    asked: IntArray, in_title: FloatArray, in_field: FloatArray, words: IntArray, kinds: IntArray, start: int, end: int,
    described: IntArray, described_start: int, described_end: int, shift: int, idf_title: FloatArray,
    idf_field: FloatArray,
) -> tuple[float, float]:  # fmt: skip
    """What the words weigh together that a row shares with the listing: as title words, and as words of any field."""
    title, field = 0.0, 0.0
    i, j = 0, start
    while i < len(asked) and j < end:
        if asked[i] < words[j]:
            i += 1
        elif words[j] < asked[i]:
            j += 1
        else:
            if kinds[j] < PREFIX:
                b = asked[i] >> shift
                title += in_title[i] * idf_title[b]
                field += in_field[i] * idf_field[b]
            i += 1
            j += 1
    i, j = 0, described_start
    while i < len(asked) and j < described_end:
        if asked[i] < described[j]:
            i += 1
        elif described[j] < asked[i]:
            j += 1
        else:
            field += in_field[i] * idf_field[asked[i] >> shift]
            i += 1
            j += 1
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
    if len(asked_described):
        by_word = np.argsort(words)
        words, in_title, in_field = words[by_word], in_title[by_word], in_field[by_word]
    if len(known):
        rows = np.concatenate((known.astype(np.int64), rows))
    stamp, buckets = np.full(SLOTS, -1, np.int32), np.empty(TEXT_POINTS, np.uint32)
    title, field = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    came = 0
    for begin in range(0, len(rows), BLOCK):
        block = rows[begin : begin + BLOCK]
        touched[0] = _touch(block, row_words, word_at) + _touch(block, row_kinds, word_at)
        touched[0] = _touch(block, described, described_at) + _touch(block, text, text_at)
        for k in range(len(block)):
            touched[0] += (inverse[block[k], 1] > 2.0) + owners[block[k]] & 1
        for k in range(len(block)):
            row = block[k]
            words_title, words_field = words_shared(
                words, in_title, in_field, row_words, row_kinds, word_at[row], word_at[row + 1], described,
                described_at[row], described_at[row + 1], shift, idf_title, idf_field,
            )  # fmt: skip
            title[k], field[k] = words_title * inverse[row, 1], words_field * inverse[row, 2]
        for k in range(len(block)):
            row = block[k]
            if len(dead) and dead[owners[row]]:
                continue
            lead = 10.0 if begin + k < len(known) else 0.0
            # No cosine is above 1, but for rounding: whatever its letters, this row would stand behind the others.
            if n == most and 1.001 + title[k] + field[k] + lead < cosine_out[n - 1, 3]:
                continue
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
