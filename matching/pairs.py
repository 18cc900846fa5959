"""The features of listing and product pairs, computed for all candidates of one listing in a compiled loop.

FEATURES names every column; weights are learned on them, and evidence for people is worked out apart, in fields.py.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from matching.kernels import (
    CODE,
    DIGITS,
    GLUE,
    NUMBER,
    PREFIX,
    QUANTITY,
    FloatArray,
    IntArray,
    Whole,
    word_in,
    word_table,
)
from matching.quantities import compared

FEATURES: Final = (
    "cosine_letters", "cosine_words", "cosine_all", "retrieval",
    "overlap", "covered_listing", "covered_product", "rarest_missing_in_product", "rarest_missing_in_listing",
    "rarest_shared", "code_shared", "code_begins", "code_conflict", "code_only_listing", "code_only_product",
    "numbers_shared", "numbers_only_product", "numbers_only_listing", "quantities_agree", "quantities_conflict",
    "pack", "pack_one_sided", "colour", "colour_one_sided", "size", "price_close", "brand", "mpn", "gtin",
    "listing_in_product_text", "product_in_listing_text", "code_in_description", "covered_locally", "length_ratio",
    "code_stem", "code_digits", "content_conflict", "extra_locally",
    "rank", "margin", "ratio_to_best", "rivals_close", "reverse_margin", "reverse_rank", "spread",
    "local_missing", "words_alike", "words_joined",
)  # fmt: skip
PAIR_FEATURES: Final = 38
COLUMN: Final = {name: i for i, name in enumerate(FEATURES)}


@njit(cache=True, nogil=True)
def pair_features(
    rows: IntArray, cosine: FloatArray, listing: tuple[IntArray, ...], q_facts: IntArray, q_price: float,
    faces: tuple[IntArray, ...], products: tuple[IntArray, ...], idf: FloatArray, shift: int, scale: float,
    out: FloatArray,
) -> None:  # fmt: skip
    """Fill the first PAIR_FEATURES columns of `out`, one line per candidate row.

    Words are sorted CRC-32 hashes with kinds beside them; `q_facts` are colours, size, currency, GTIN, brand, the
    brand's first word and MPN.
    """
    q_words, q_kinds, q_text, q_dim, q_val = listing
    words, kinds, word_at, text, text_at, owners = faces
    dims, vals, quantity_at, colours, sizes, currencies, gtins, brands, brand_words, mpns, prices = products
    n_q = len(q_words)
    hits = np.zeros((len(rows), n_q), np.bool_)
    q_idf = np.empty(n_q, np.float64)
    q_total = 0.0
    for i in range(n_q):
        q_idf[i] = float(idf[q_words[i] >> shift])
        if q_kinds[i] < PREFIX:
            q_total += q_idf[i]
    table = word_table(q_words)
    size, longest = 0, 0
    for row in rows:
        size += word_at[row + 1] - word_at[row]
        longest = max(longest, word_at[row + 1] - word_at[row])
    met, weights = np.empty(longest, np.int64), np.empty(longest, np.float64)
    # Words that neither the listing's title nor its other text has, one candidate's after the other's.
    lone, lone_at = np.empty(size, np.uint32), np.zeros(len(rows) + 1, np.int64)
    n_lone = 0
    for k in range(len(rows)):
        row = rows[k]
        a, b = word_at[row], word_at[row + 1]
        shared, d_total, rare_shared, miss_q, miss_d = 0.0, 0.0, 0.0, 0.0, 0.0
        code, begins, code_q, code_d = 0.0, 0.0, 0.0, 0.0
        digits, stems = 0.0, 0.0
        q_codes, d_codes = 0, 0
        num_shared, num_q, num_d = 0.0, 0.0, 0.0
        q_left, d_left = 0.0, 0.0
        in_desc = 0.0
        ta, tb = text_at[row], text_at[row + 1]
        for j in range(b - a):  # what has to be fetched from afar, at once: these waits overlap
            met[j] = word_in(words[a + j], table)
            weights[j] = idf[words[a + j] >> shift]
        for j in range(b - a):
            i, kd, w = met[j], kinds[a + j], weights[j]
            if i < 0:
                if kd >= PREFIX:
                    continue
                found = len(q_text) > 0 and _contains(q_text, words[a + j])
                d_total += w
                miss_d = max(miss_d, w)
                if not found:
                    d_left += w
                    lone[n_lone] = words[a + j]
                    n_lone += 1
                if kd == CODE:
                    d_codes += 1
                    if found:
                        in_desc = max(in_desc, w)
                    else:
                        code_d = max(code_d, w)
                elif kd in (NUMBER, QUANTITY):
                    num_d += w
                continue
            kq = q_kinds[i]
            hits[k, i] = True
            if kd < PREFIX:
                d_total += w
            if kq < PREFIX and kd < PREFIX:
                shared += w
                rare_shared = max(rare_shared, w)
                if kq == CODE or kd == CODE:
                    code = max(code, w)
                elif kq >= NUMBER:
                    num_shared += w
            elif (kq == GLUE and kd == CODE) or (kq == CODE and kd == GLUE):
                code = max(code, w)
            elif kq == DIGITS or kd == DIGITS:
                digits = max(digits, w)
            elif kq == CODE or kd == CODE:
                begins = max(begins, w)
            elif kq == PREFIX or kd == PREFIX:
                stems = max(stems, w)
            elif kq == GLUE and kd == GLUE:
                rare_shared = max(rare_shared, w)
            if kq == CODE:
                q_codes += 1
            if kd == CODE:
                d_codes += 1
        lone_at[k + 1] = n_lone
        for i in range(n_q):
            kind, w = q_kinds[i], q_idf[i]
            if hits[k, i] or kind >= PREFIX:
                continue
            found = tb > ta and _contains(text[ta:tb], q_words[i])
            miss_q = max(miss_q, w)
            if not found:
                q_left += w
            if kind == CODE:
                q_codes += 1
                if found:
                    in_desc = max(in_desc, w)
                else:
                    code_q = max(code_q, w)
            elif kind in (NUMBER, QUANTITY):
                num_q += w
        o = out[k]
        o[0], o[1], o[2] = cosine[k, 0], cosine[k, 1], cosine[k, 2]
        o[3] = cosine[k, 0] + cosine[k, 1] + 0.5 * cosine[k, 2]
        union = q_total + d_total - shared
        o[4] = shared / union if union > 0 else 0.0
        o[5] = shared / q_total if q_total > 0 else 0.0
        o[6] = shared / d_total if d_total > 0 else 0.0
        o[7], o[8], o[9] = miss_q / scale, miss_d / scale, rare_shared / scale
        o[10], o[11] = code / scale, begins / scale
        o[12] = 1.0 if q_codes > 0 and d_codes > 0 and code == 0 and begins == 0 and in_desc == 0 else 0.0
        o[13], o[14] = code_q / scale, code_d / scale
        o[15], o[16], o[17] = num_shared / scale, num_d / scale, num_q / scale
        owner = owners[row]
        qa, qb = quantity_at[owner], quantity_at[owner + 1]
        agree, conflict, content, pack, one_sided = 0, 0, 0, 0, 0
        if len(q_dim) or qb > qa:
            agree, conflict, content, pack, one_sided = compared(q_dim, q_val, dims[qa:qb], vals[qa:qb])
        o[18], o[19], o[20], o[21] = agree, conflict, pack, one_sided
        qc, dc = q_facts[0], np.int64(colours[owner])
        o[22] = 0.0 if qc == 0 or dc == 0 else (1.0 if qc & dc else -1.0)
        o[23] = 1.0 if (qc == 0) != (dc == 0) else 0.0
        qs, ds = q_facts[1], np.int64(sizes[owner])
        o[24] = 0.0 if qs == 0 or ds == 0 else (1.0 if qs == ds else -1.0)
        # Silence is the middle: a price 1.5 times the other says as little as none.
        o[25] = 0.0
        q_money, d_money = q_facts[2], np.int64(currencies[owner])
        if q_price > 0 and prices[owner] > 0 and (q_money == 0 or d_money == 0 or q_money == d_money):
            o[25] = 0.4 - min(1.2, abs(math.log(q_price / prices[owner])))
            if (q_money == 0) != (d_money == 0):
                o[25] = max(0.0, o[25])  # perhaps another currency: only prices that are near say something
        o[26] = _brand(
            q_facts[4], q_facts[5], q_words, np.int64(brands[owner]), np.int64(brand_words[owner]), words[a:b]
        )
        o[27] = _mpn(q_facts[6], q_words, np.int64(mpns[owner]), words[a:b])
        qg, dg = q_facts[3], gtins[owner]
        o[28] = 0.0
        if qg != 0 and dg != 0:
            # A number with a wrong check digit can agree, but it proves no difference.
            o[28] = 1.0 if abs(qg) == abs(dg) else (-1.0 if qg > 0 and dg > 0 else 0.0)
        o[29] = (q_total - q_left) / q_total if q_total > 0 else 0.0
        o[30] = (d_total - d_left) / d_total if d_total > 0 else 0.0
        o[31] = in_desc / scale
        o[34], o[35], o[36] = stems / scale, digits / scale, content
        o[33] = math.log((d_total + 1.0) / (q_total + 1.0))
    _local(hits, q_kinds, out)
    _extra(lone, lone_at, out)


@njit(cache=True, nogil=True)
def _contains(sorted_words: IntArray, h: Whole) -> bool:
    at = np.searchsorted(sorted_words, h)
    return bool(at < len(sorted_words) and sorted_words[at] == h)


@njit(cache=True, nogil=True)
def _brand(q: Whole, q_word: Whole, q_words: IntArray, d: Whole, d_word: Whole, d_words: IntArray) -> float:
    """1 when the listing's brand is the product's or in its title, -1 when two brands differ, -0.5 when it is absent.

    A product's brand that the listing's title names earns nothing: products without a brand field could not.
    """
    if q == 0:
        named = d == 0 or d_word == 0 or _contains(q_words, d_word)
        return 0.0 if named else -0.5
    if q == d or (q_word != 0 and _contains(d_words, q_word)):
        return 1.0
    if d != 0 and d_word != 0 and _contains(q_words, d_word):
        return 1.0
    return -1.0 if d != 0 else -0.5


@njit(cache=True, nogil=True)
def _mpn(q: Whole, q_words: IntArray, d: Whole, d_words: IntArray) -> float:
    """1 when the part numbers are equal or one stands in the other title, -1 when both are given and differ, else 0."""
    if q == 0 and d == 0:
        return 0.0
    if q == d or (q != 0 and _contains(d_words, q)) or (d != 0 and _contains(q_words, d)):
        return 1.0
    return -1.0 if q != 0 and d != 0 else 0.0


@njit(cache=True, nogil=True)
def _local(hits: IntArray, q_kinds: IntArray, out: FloatArray) -> None:
    """How much of what tells these candidates apart each one has: words weighted by how few candidates share them."""
    n, m = hits.shape
    weights = np.zeros(m, np.float64)
    total = 0.0
    for i in range(m):
        if q_kinds[i] == PREFIX:
            continue
        count = 0
        for k in range(n):
            count += hits[k, i]
        if count > 0:
            weights[i] = math.log((n + 1.0) / count)
            total += weights[i]
    for k in range(n):
        have = 0.0
        for i in range(m):
            if hits[k, i]:
                have += weights[i]
        out[k, 32] = have / total if total > 0 else 0.0


@njit(cache=True, nogil=True)
def _extra(lone: IntArray, lone_at: IntArray, out: FloatArray) -> None:
    """What each candidate says that neither the listing nor most other candidates say: signs of another variant.

    `lone` are the words that the listing lacks, those of candidate k up to lone_at[k + 1].
    """
    n = len(lone_at) - 1
    size = lone_at[n]
    slots = 64
    while slots < 2 * size:
        slots *= 2
    held, times = np.empty(slots, np.uint32), np.zeros(slots, np.int32)
    places = np.empty(size, np.int64)
    for j in range(size):
        at = _place(lone[j], held, times)
        held[at] = lone[j]
        times[at] += 1
        places[j] = at
    rarity = np.empty(n + 1, np.float64)
    for count in range(1, n + 1):
        rarity[count] = math.log((n + 1.0) / count)
    for k in range(n):
        extra = 0.0
        for j in range(lone_at[k], lone_at[k + 1]):
            extra += rarity[times[places[j]]]
        out[k, 37] = math.log1p(extra)


@njit(cache=True, nogil=True)
def _place(word: Whole, held: IntArray, times: IntArray) -> Whole:
    """Where a word stands in a table of counted words, or the empty place where it belongs."""
    # Hashes are as good as random in their low bits, but for those that one bucket of the index has in common.
    at = (word ^ word >> 16) & (len(times) - 1)
    while times[at] and held[at] != word:
        at = (at + 1) & (len(times) - 1)
    return at


@njit(cache=True, nogil=True)
def copy_rows(
    rows: IntArray, faces: tuple[IntArray, ...], products: tuple[IntArray, ...]
) -> tuple[tuple[IntArray, ...], tuple[IntArray, ...]]:
    """The faces and products of some rows in arrays of their own, so that rows of several segments can be joined."""
    words, kinds, word_at, text, text_at, owners = faces
    dims, vals, quantity_at, colours, sizes, currencies, gtins, brands, brand_words, mpns, prices = products
    n = len(rows)
    at, t_at, q_at = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    own = np.empty(n, np.int64)
    for k in range(n):
        own[k] = owners[rows[k]]
        at[k + 1] = at[k] + word_at[rows[k] + 1] - word_at[rows[k]]
        t_at[k + 1] = t_at[k] + text_at[rows[k] + 1] - text_at[rows[k]]
        q_at[k + 1] = q_at[k] + quantity_at[own[k] + 1] - quantity_at[own[k]]
    c_words, c_kinds = np.empty(at[n], np.uint32), np.empty(at[n], np.uint8)
    c_text = np.empty(t_at[n], np.uint32)
    c_dims, c_vals = np.empty(q_at[n], np.uint8), np.empty(q_at[n], np.float32)
    for k in range(n):
        a = word_at[rows[k]]
        c_words[at[k] : at[k + 1]] = words[a : a + at[k + 1] - at[k]]
        c_kinds[at[k] : at[k + 1]] = kinds[a : a + at[k + 1] - at[k]]
        a = text_at[rows[k]]
        c_text[t_at[k] : t_at[k + 1]] = text[a : a + t_at[k + 1] - t_at[k]]
        a = quantity_at[own[k]]
        c_dims[q_at[k] : q_at[k + 1]] = dims[a : a + q_at[k + 1] - q_at[k]]
        c_vals[q_at[k] : q_at[k + 1]] = vals[a : a + q_at[k + 1] - q_at[k]]
    plain = (
        colours[own], sizes[own], currencies[own], gtins[own], brands[own], brand_words[own], mpns[own], prices[own],
    )  # fmt: skip
    return (c_words, c_kinds, at, c_text, t_at, own), (
        c_dims, c_vals, q_at, plain[0], plain[1], plain[2], plain[3], plain[4], plain[5], plain[6], plain[7],
    )  # fmt: skip
