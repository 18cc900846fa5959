"""What spelling says beyond whole words: words that begin alike, and words written in pieces or as one."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matching.kernels import FloatArray, IntArray, word_in, word_table
from matching.scripts import LATIN_BEHIND

#: Words of a text that are looked at, and bytes of it without its spaces.
WORDS: Final = 48
WHOLE: Final = 512
#: Words from this many letters on may stand in the other text in pieces, or as a part of another word.
JOINED_FROM: Final = 6
#: More joined words than these say no more.
JOINED_MOST: Final = 3
#: Pairs of neighbouring bytes are remembered in so many places, to see at once that a word cannot be there.
_PAIRS: Final = 4_096
#: What is kept of a word: where it begins and ends, its CRC-32, its first three bytes, how many letters it has.
_START, _END, _HASH, _FIRST, _LENGTH = 0, 1, 2, 3, 4


def _crc_table() -> NDArray[np.uint32]:
    """What CRC-32 adds for each byte (the reflected polynomial 0xEDB88320, as zlib has it)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0xEDB88320), table >> 1).astype(np.uint32)
    return table


_CRC: Final = _crc_table()


@njit(cache=True, nogil=True)
def words_of(text: IntArray, start: int, end: int, out: IntArray) -> int:
    """Write the words of folded UTF-8 text that have three letters and more and no digits; gives how many."""
    n = 0
    i = start
    while i < end and n < WORDS and text[i] != LATIN_BEHIND:
        h = np.uint32(0xFFFFFFFF)
        begin, letters, plain = i, 0, True
        while i < end and text[i] != 32:
            byte = text[i]
            h = _CRC[(h ^ byte) & np.uint32(0xFF)] ^ (h >> np.uint32(8))
            letters += (byte & 0xC0) != 0x80
            plain &= byte > 57
            i += 1
        if plain and letters > 2:
            out[_START, n], out[_END, n], out[_HASH, n] = begin, i, h ^ np.uint32(0xFFFFFFFF)
            out[_FIRST, n] = np.int64(text[begin]) << 16 | np.int64(text[begin + 1]) << 8 | np.int64(text[begin + 2])
            out[_LENGTH, n] = letters
            n += 1
        i += 1
    return n


@njit(cache=True, nogil=True)
def squeeze(text: IntArray, start: int, end: int, out: IntArray, pairs: IntArray, stamp: int) -> int:
    """Write text without its spaces, and stamp its pairs of neighbours; gives how long it is."""
    n = 0
    for i in range(start, end):
        if text[i] == LATIN_BEHIND:
            break
        if text[i] != 32 and n < WHOLE:
            out[n] = text[i]
            if n:
                pairs[(np.int64(out[n - 1]) << 6 ^ np.int64(out[n])) & (_PAIRS - 1)] = stamp
            n += 1
    return n


@njit(cache=True, nogil=True)
def stands_in(
    text: IntArray, start: int, end: int, whole: IntArray, n: int, pairs: IntArray, stamp: int
) -> bool:  # fmt: skip
    """Whether the letters of a word stand in a squeezed text."""
    for i in range(start + 1, end):
        if pairs[(np.int64(text[i - 1]) << 6 ^ np.int64(text[i])) & (_PAIRS - 1)] != stamp:
            return False
    length = end - start
    for at in range(n - length + 1):
        i = 0
        while i < length and whole[at + i] == text[start + i]:
            i += 1
        if i == length:
            return True
    return False


@njit(cache=True, nogil=True)
def begin_alike(one: IntArray, a: int, a_end: int, two: IntArray, b: int, b_end: int, longer: int) -> bool:
    """Whether two words have three letters and half of the longer one's in common at their beginning."""
    letters = 0
    while a < a_end and b < b_end and one[a] == two[b]:
        letters += (one[a] & 0xC0) != 0x80
        a += 1
        b += 1
    if (a < a_end and (one[a] & 0xC0) == 0x80) or (b < b_end and (two[b] & 0xC0) == 0x80):
        letters -= 1  # the last letter was only begun
    return letters >= 3 and 2 * letters >= longer


@njit(cache=True, nogil=True)
def _known(words: IntArray, start: int, end: int, h: int) -> bool:
    """Whether a hash is among sorted ones."""
    while start < end:
        middle = (start + end) >> 1
        if words[middle] < h:
            start = middle + 1
        elif words[middle] > h:
            end = middle
        else:
            return True
    return False


@njit(cache=True, nogil=True)
def spelling_features(
    asked: IntArray, asked_words: IntArray, rows: IntArray, lines: IntArray, faces: tuple[IntArray, ...],
    out: FloatArray, column: int,
) -> None:  # fmt: skip
    """Fill two columns of `out` from `column` on, for each of `rows` in the line that `lines` names.

    Of the words that only one side has: the share of the listing's words that begin like one of the product's, and
    how many words, up to JOINED_MOST, stand in the other text in pieces or as a part of another word. `asked` is the
    listing's text and `asked_words` its word hashes, ascending; `faces` are text, text_at, words, kinds, word_at, ….
    """
    text, text_at, words, word_at = faces[0], faces[1], faces[2], faces[4]
    ours, theirs = np.empty((5, WORDS), np.int64), np.empty((5, WORDS), np.int64)
    lone = np.empty(WORDS, np.bool_)
    our_whole, their_whole = np.empty(WHOLE, np.uint8), np.empty(WHOLE, np.uint8)
    our_pairs, their_pairs = np.full(_PAIRS, -1, np.int32), np.full(_PAIRS, -1, np.int32)
    asked_table = word_table(asked_words)
    n = words_of(asked, 0, len(asked), ours)
    n_whole = squeeze(asked, 0, len(asked), our_whole, our_pairs, 0)
    for k in range(len(rows)):
        row = rows[k]
        start, end = text_at[row], text_at[row + 1]
        m = words_of(text, start, end, theirs)
        m_whole = -1
        alike, joined = 0, 0
        for j in range(m):
            lone[j] = word_in(np.uint32(theirs[_HASH, j]), asked_table) < 0
            if lone[j] and theirs[_LENGTH, j] >= JOINED_FROM:
                joined += stands_in(text, theirs[_START, j], theirs[_END, j], our_whole, n_whole, our_pairs, 0)
        for i in range(n):
            if _known(words, word_at[row], word_at[row + 1], ours[_HASH, i]):
                continue
            for j in range(m):
                if theirs[_FIRST, j] == ours[_FIRST, i] and lone[j] and begin_alike(
                    asked, ours[_START, i], ours[_END, i], text, theirs[_START, j], theirs[_END, j],
                    max(ours[_LENGTH, i], theirs[_LENGTH, j]),
                ):  # fmt: skip
                    alike += 1
                    break
            if ours[_LENGTH, i] >= JOINED_FROM:
                if m_whole < 0:
                    m_whole = squeeze(text, start, end, their_whole, their_pairs, k)
                joined += stands_in(asked, ours[_START, i], ours[_END, i], their_whole, m_whole, their_pairs, k)
        out[lines[k], column] = alike / n if n else 0.0
        out[lines[k], column + 1] = min(joined, JOINED_MOST)
