"""Words that differ between one text and several others, marked in a compiled loop: `marks.py` for plain ASCII."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matching.records import NO_MARKS, Marks

Array = NDArray[Any]


#: Marks of their two values, without the call in between.
_marks = partial(tuple.__new__, Marks)


def differing_plain(ours: Sequence[str], theirs: str) -> list[Marks]:
    """What `marks.differing_words` gives for each of these ASCII texts; for ten of them in a fifth of the time."""
    texts = [theirs, *ours]
    letters = np.frombuffer("".join(texts).lower().encode(), np.uint8)
    ends, begins, stops = differing_spans(letters, np.array(list(accumulate(map(len, texts)))))
    spans = tuple(zip(begins.tolist(), stops.tolist(), strict=True))
    out = []
    at = 0
    limits = iter(ends.tolist())
    for middle, end in zip(limits, limits, strict=True):
        out.append(_marks((spans[at:middle], spans[middle:end])) if end > at else NO_MARKS)
        at = end
    return out


@njit(cache=True, nogil=True)
def differing_spans(letters: Array, ends: Array) -> tuple[Array, Array, Array]:
    """The words that the first of some lower-case ASCII texts lacks or has beyond each other one.

    Texts stand one after the other up to `ends`. Gives where all the spans begin and stop in their text, and before
    that how many of them there are up to the end of each text's: of each pair the other text, then the first.
    """
    size = len(letters) // 2 + len(ends)
    begins, stops, hashes = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.uint64)
    digits = np.empty(size, np.bool_)
    word_at = np.zeros(len(ends) + 1, np.int64)
    n = 0
    start = 0
    for text in range(len(ends)):
        i = start
        while i < ends[text]:
            if not _is_letter(letters[i]):
                i += 1
                continue
            begins[n] = i
            h = np.uint64(0xCBF29CE484222325)
            has = False
            while i < ends[text] and _is_letter(letters[i]):
                h = (h ^ np.uint64(letters[i])) * np.uint64(0x100000001B3)
                has = has or letters[i] < 58
                i += 1
            stops[n], hashes[n] = i, h
            digits[n] = has
            n += 1
        start = ends[text]
        word_at[text + 1] = n
    up_to = np.zeros(2 * len(ends) - 2, np.int32)
    most = n + (len(ends) - 1) * word_at[1]
    from_, to = np.empty(most, np.int32), np.empty(most, np.int32)
    m = 0
    for text in range(1, len(ends)):
        for side in range(2):
            one, other = (text, 0) if side == 0 else (0, text)
            offset = ends[one - 1] if one else 0
            last = -2
            for k in range(word_at[one], word_at[one + 1]):
                known = False
                for j in range(word_at[other], word_at[other + 1]):
                    if hashes[j] == hashes[k]:
                        known = True
                        break
                if known or (
                    digits[k] and stops[k] - begins[k] > 3
                    and _in_pieces(letters, begins[k], stops[k], begins, stops, word_at[other], word_at[other + 1])
                ):  # fmt: skip
                    continue
                if last == k - 1:
                    to[m - 1] = stops[k] - offset
                else:
                    from_[m], to[m] = begins[k] - offset, stops[k] - offset
                    m += 1
                last = k
            up_to[2 * text - 2 + side] = m
    return up_to, from_[:m], to[:m]


@njit(cache=True, nogil=True, inline="always")
def _is_letter(c: int) -> bool:
    return (c >= 97 and c <= 122) or (c >= 48 and c <= 57)


@njit(cache=True, nogil=True)
def _in_pieces(letters: Array, begin: int, stop: int, begins: Array, stops: Array, first: int, end: int) -> bool:
    """Whether a word stands in these words written as one."""
    size = 0
    for j in range(first, end):
        size += stops[j] - begins[j]
    joined = np.empty(size, np.uint8)
    n = 0
    for j in range(first, end):
        for i in range(begins[j], stops[j]):
            joined[n] = letters[i]
            n += 1
    for at in range(size - (stop - begin) + 1):
        i = begin
        while i < stop and joined[at + i - begin] == letters[i]:
            i += 1
        if i == stop:
            return True
    return False
