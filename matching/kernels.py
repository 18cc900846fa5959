"""Compiled inner loops of retrieval: letter triples, a listing's weights, reading lists of rows within a budget.

numba compiles them at the first call and keeps the machine code beside this file (or in NUMBA_CACHE_DIR).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[Any]
Whole = int | np.integer[Any]

PLAIN, CODE, NUMBER, QUANTITY, PREFIX, GLUE, DIGITS = 0, 1, 2, 3, 4, 5, 6
#: Letters of a text that are looked at, a space at either end included.
TEXT_POINTS: Final = 2_002
#: Slots of the small hash table that holds a listing's triples, and how many go in.
SLOTS: Final = 2_048
MOST_TRIPLES: Final = 1_200
#: Totals of retrieval are whole numbers below 65,536, of which ONE is a cosine of 1; the three cosines are 2.5 at most.
#: They fall into bins of 1 << BIN, by which the best of many are told from the rest.
ONE, BIN = 16_000, 6
BINS: Final = (1 << 16) >> BIN
#: One over the length of a row, 1 to 1/512, by its level, one byte: half of a step is 1.2 %. Retrieval reads levels,
#: since four bytes for each row stay in the processor's cache where the exact lengths would not.
LENGTHS: Final = (512.0 ** -(np.arange(256) / 255)).astype(np.float32)
#: The byte between the parts of a kept record (`layout.SEPARATOR`).
SEPARATOR: Final = 0x1E


@njit(cache=True, nogil=True, inline="always")
def triple(a: Whole, b: Whole, c: Whole, bits: int) -> Whole:
    """The bucket, below 2**bits, of three letters."""
    h = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ np.uint64(b)) * np.uint64(0xC2B2AE3D27D4EB4F)
    h = (h ^ np.uint64(c)) * np.uint64(0x165667B19E3779F9)
    return np.int64(h >> np.uint64(64 - bits))


@njit(cache=True, nogil=True, inline="always")
def point(text: IntArray, i: int) -> tuple[Whole, int]:
    """The code point of UTF-8 text that begins at `i`, and where the next one begins."""
    byte = np.uint32(text[i])
    if byte < 0x80:
        return byte, i + 1
    if byte < 0xE0:
        return np.uint32(((byte & 0x1F) << 6) | (text[i + 1] & 0x3F)), i + 2
    if byte < 0xF0:
        return np.uint32(((byte & 0x0F) << 12) | (np.uint32(text[i + 1] & 0x3F) << 6) | (text[i + 2] & 0x3F)), i + 3
    tail = (np.uint32(text[i + 2] & 0x3F) << 6) | (text[i + 3] & 0x3F)
    return np.uint32((np.uint32(byte & 0x07) << 18) | (np.uint32(text[i + 1] & 0x3F) << 12) | tail), i + 4


@njit(cache=True, nogil=True)
def spread(text: IntArray, start: int, end: int, points: IntArray) -> int:
    """Write the code points of UTF-8 text into `points`, a space before and after; gives how many there are."""
    n = 1
    points[0] = 32
    i = start
    while i < end and n < len(points) - 1:
        points[n], i = point(text, i)
        n += 1
    points[n] = 32
    return n + 1


@njit(cache=True, nogil=True)
def order_words(words: IntArray, kinds: IntArray, word_at: IntArray) -> None:
    """Sort the words of each row by their hash, kinds beside them."""
    for row in range(len(word_at) - 1):
        order_row(words, kinds, word_at[row], word_at[row + 1])


@njit(cache=True, nogil=True)
def order_row(words: IntArray, kinds: IntArray, a: int, b: int) -> None:
    """Sort the words from `a` up to `b` by their hash, kinds beside them."""
    if b - a > 64:
        order = np.argsort(words[a:b])
        words[a:b] = words[a:b][order]
        kinds[a:b] = kinds[a:b][order]
        return
    for i in range(a + 1, b):
        word, kind = words[i], kinds[i]
        j = i - 1
        while j >= a and words[j] > word:
            words[j + 1], kinds[j + 1] = words[j], kinds[j]
            j -= 1
        words[j + 1], kinds[j + 1] = word, kind


@njit(cache=True, nogil=True)
def slot(b: Whole, slots: IntArray) -> Whole:
    """The slot of a triple in the hash table, or the empty slot where it belongs."""
    # A bucket's low bits are as good as random; an unsigned number is never taken to count from the end.
    at = np.uint32(b & (SLOTS - 1))
    while (slots[at] != b) & (slots[at] >= 0):  # one branch, hardly ever taken
        at = np.uint32((at + 1) & (SLOTS - 1))
    return at


@njit(cache=True, nogil=True)
def find_key(keys: IntArray, wanted: Whole, size: int) -> int:
    """Where `wanted` stands in ascending keys, or -1. Keys are spread evenly below `size`, as hashes are.

    So the search begins where the key would stand if they were spread exactly, and widens from there: it reads one or
    two places of memory where halving all keys would read a dozen.
    """
    n = len(keys)
    step = 32
    low = max(0, wanted * n // size - step)
    while low > 0 and keys[low] > wanted:
        step *= 4
        low = max(0, low - step)
    step = 64
    high = min(n, low + step)
    while high < n and keys[high - 1] < wanted:
        step *= 4
        low, high = high, min(n, high + step)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < len(keys) and keys[low] == wanted else -1


@njit(cache=True, nogil=True)
def word_table(words: IntArray) -> IntArray:
    """A hash table of some words, all of them different, for `word_in`."""
    size = 64
    while size < 4 * len(words):
        size *= 2
    table = np.zeros(size, np.int64)
    for i in range(len(words)):
        at = (words[i] ^ words[i] >> 16) & (size - 1)
        while table[at]:
            at = (at + 1) & (size - 1)
        table[at] = (i + 1) << 32 | np.int64(words[i])
    return table


@njit(cache=True, nogil=True)
def word_in(word: Whole, table: IntArray) -> int:
    """The place of a word among those of the table, or -1."""
    mask = len(table) - 1
    at = (word ^ word >> 16) & mask
    held = table[at]
    while (held != 0) & (held & 0xFFFFFFFF != word):  # one branch, hardly ever taken
        at = (at + 1) & mask
        held = table[at]
    return int((held >> 32) - 1)


@njit(cache=True, nogil=True)
def weigh_listing(
    text: IntArray, words: IntArray, kinds: IntArray, described: IntArray,
    bits: int, shift: int, idf_triple: FloatArray, idf_title: FloatArray, idf_field: FloatArray, field_weight: float,
    slots: IntArray, slot_weight: FloatArray,
) -> tuple[IntArray, FloatArray, IntArray, FloatArray, FloatArray]:  # fmt: skip
    """The weights of a listing's features, each of the three blocks at length 1 (the third at `field_weight`).

    Fills the hash table of triples, and gives triples with their weights, then words: title words first, then those of
    the description alone, with their weights in the second block (0 for the latter) and in the third.
    """
    points = np.empty(TEXT_POINTS, np.uint32)
    n = spread(text, 0, len(text), points)
    slots[:] = -1
    triples = np.empty(max(1, min(n, MOST_TRIPLES)), np.int64)
    m = 0
    total = 0.0
    for i in range(n - 2):
        if points[i + 1] == 32 or m >= MOST_TRIPLES:
            continue
        b = triple(points[i], points[i + 1], points[i + 2], bits)
        at = slot(b, slots)
        if slots[at] < 0:
            slots[at] = b
            triples[m] = b
            m += 1
            slot_weight[at] = idf_triple[b]
            total += idf_triple[b] * idf_triple[b]
    weights = np.empty(m, np.float32)
    scale = 1 / math.sqrt(total) if total > 0 else 0.0
    for i in range(m):
        at = slot(triples[i], slots)
        weights[i] = idf_triple[triples[i]] * scale
        # What a row gains by this triple, but for its own length.
        slot_weight[at] = weights[i] * idf_triple[triples[i]]
    every = np.empty(len(words) + len(described), np.uint32)
    in_title = np.zeros(len(every), np.float32)
    in_field = np.zeros(len(every), np.float32)
    k = 0
    title, field = 0.0, 0.0
    for i in range(len(words)):
        if kinds[i] < PREFIX:
            b = words[i] >> shift
            every[k] = words[i]
            in_title[k], in_field[k] = idf_title[b], idf_field[b]
            title += in_title[k] * in_title[k]
            field += in_field[k] * in_field[k]
            k += 1
    for i in range(len(described)):
        every[k] = described[i]
        in_field[k] = idf_field[described[i] >> shift]
        field += in_field[k] * in_field[k]
        k += 1
    title = 1 / math.sqrt(title) if title > 0 else 0.0
    field = field_weight / math.sqrt(field) if field > 0 else 0.0
    for i in range(k):
        in_title[i] *= title
        in_field[i] *= field
    return triples[:m], weights, every[:k], in_title[:k], in_field[:k]


@njit(cache=True, nogil=True)
def retrieve(
    triples: IntArray, weights: FloatArray, words: IntArray, in_title: FloatArray, in_field: FloatArray,
    lists: tuple[IntArray, ...], levels: IntArray, shift: int,
    idf_triple: FloatArray, idf_title: FloatArray, idf_field: FloatArray, budget: int, wanted: int,
    total: IntArray, touched: IntArray,
) -> IntArray:  # fmt: skip
    """The `wanted` rows with the largest partial cosine, reading the most telling lists first within the budget.

    `levels` says by columns of LENGTHS how long each row is. `total` (zeros, one per row) and `touched` (one per row)
    are work space; `total` is left at zero again.
    """
    (
        triple_keys, triple_at, triple_row, title_keys, title_at, title_row, field_keys, field_at, field_row, usual,
    ) = lists  # fmt: skip
    n_triples, n_words = len(triples), len(words)
    # Each list of rows by what one posting of it is worth, were all rows of the usual length; a feature that weighs
    # much is worth more than its share, since it alone can lift a row above others.
    size = n_triples + 2 * n_words
    worth = np.zeros(size, np.float32)
    begins, ends = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for i in range(size):
        if i < n_triples:
            keys, starts = triple_keys, triple_at
            bucket = triples[i]
            gain = weights[i] * idf_triple[bucket] * usual[0]
        else:
            w = (i - n_triples) >> 1
            bucket = np.int64(words[w] >> shift)
            gain = in_field[w] * idf_field[bucket] * usual[2]
            if (i - n_triples) & 1:
                keys, starts = field_keys, field_at
            else:
                keys, starts = title_keys, title_at
                gain += in_title[w] * idf_title[bucket] * usual[1]
        at = find_key(keys, np.int64(bucket), len(idf_triple) if i < n_triples else len(idf_title))
        if at >= 0:
            begins[i], ends[i] = starts[at], starts[at + 1]
            worth[i] = gain * math.sqrt(gain) / (ends[i] - begins[i])
    left = budget
    n = 0
    for i in np.argsort(-worth, kind="mergesort"):
        if left <= 0 or worth[i] == 0:
            break
        begin, end = begins[i], min(ends[i], begins[i] + left)
        left -= end - begin
        if i < n_triples:
            one = np.float32(weights[i] * idf_triple[triples[i]] * ONE)
            for j in range(begin, end):
                row = np.uint32(triple_row[j])
                touched[n] = row
                n += total[row] == 0
                total[row] += np.uint16(one * LENGTHS[levels[row, 0]] + 1)
            continue
        w = (i - n_triples) >> 1
        bucket = np.int64(words[w] >> shift)
        two = np.float32(in_field[w] * idf_field[bucket] * ONE)
        if (i - n_triples) & 1:
            for j in range(begin, end):
                row = np.uint32(field_row[j])
                touched[n] = row
                n += total[row] == 0
                total[row] += np.uint16(two * LENGTHS[levels[row, 2]] + 1)
            continue
        one = np.float32(in_title[w] * idf_title[bucket] * ONE)
        for j in range(begin, end):
            row = np.uint32(title_row[j])
            touched[n] = row
            n += total[row] == 0
            total[row] += np.uint16(one * LENGTHS[levels[row, 1]] + two * LENGTHS[levels[row, 2]] + 1)
    return best_rows(touched[:n], total, wanted)


@njit(cache=True, nogil=True)
def best_rows(rows: IntArray, total: IntArray, wanted: int) -> IntArray:
    """The `wanted` rows with the largest total, best first; of equal ones those with the lower number.

    Their totals are set to zero.
    """
    n = len(rows)
    # Totals lie far apart, and are read once. Only rows from the bin on in which the last wanted one lies are sorted;
    # neighbours count apart, since many have the same bin and would wait for each other.
    scores, bins = np.empty(n, np.uint16), np.zeros((2, BINS), np.int32)
    for i in range(n):
        row = np.uint32(rows[i])
        scores[i] = total[row]
        total[row] = 0
        bins[i & 1, scores[i] >> BIN] += 1
    least, above = BINS, 0
    while least > 0 and above < wanted:
        least -= 1
        above += bins[0, least] + bins[1, least]
    kept = np.empty(above, np.int64)
    k = 0
    floor = least << BIN
    for i in range(n):
        if scores[i] >= floor:
            kept[k] = (np.int64(scores[i]) << 32) | (0x7FFFFFFF - rows[i])
            k += 1
    best = np.sort(kept)[::-1]
    out = np.empty(min(k, wanted), np.int64)
    for i in range(len(out)):
        out[i] = 0x7FFFFFFF - (best[i] & 0x7FFFFFFF)
    return out


@njit(cache=True, nogil=True)
def gather(
    places: IntArray, blob: IntArray, blob_at: IntArray, text: IntArray, text_at: IntArray, rows: IntArray
) -> IntArray:  # fmt: skip
    """The kept bytes of the products at these places, each followed by the text of its first row (`rows`).

    All stand one after the other with SEPARATOR between two.
    """
    size = 0
    for place in places:
        row = rows[place]
        size += blob_at[place + 1] - blob_at[place] + text_at[row + 1] - text_at[row] + 2
    out = np.empty(size, np.uint8)
    n = 0
    for place in places:
        row = rows[place]
        for i in range(blob_at[place], blob_at[place + 1]):
            out[n] = blob[i]
            n += 1
        out[n] = SEPARATOR
        n += 1
        for i in range(text_at[row], text_at[row + 1]):
            out[n] = text[i]
            n += 1
        out[n] = SEPARATOR
        n += 1
    return out[: n - 1]
