"""Which characters of two texts differ, as spans for a screen to mark."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import Levenshtein

from matching.normalize import fold
from matching.records import NO_MARKS, Marks

_WORD: Final = re.compile(r"[^\W_]+")
_HAS_DIGIT: Final = re.compile(r"\d")
_LETTERS_LIMIT: Final = 400
#: Letters of a title in which differing words are marked.
READ: Final = 1_000

Span = tuple[int, int]


def differing_letters(ours: str, theirs: str) -> Marks:
    """The letters to change to get from one short text to the other (Levenshtein); nothing for very long texts."""
    if len(ours) > _LETTERS_LIMIT or len(theirs) > _LETTERS_LIMIT:
        return NO_MARKS
    left: list[Span] = []
    right: list[Span] = []
    for step in Levenshtein.opcodes(ours, theirs):
        if step.tag == "equal":
            continue
        if step.src_end > step.src_start:
            left.append((step.src_start, step.src_end))
        if step.dest_end > step.dest_start:
            right.append((step.dest_start, step.dest_end))
    return Marks(tuple(left), tuple(right))


@lru_cache(maxsize=50_000)
def _folded(word: str) -> str:
    return fold(word)


class Spelt:
    """The words of a text as it is written, folded; read once and compared with many."""

    __slots__ = ("known", "raw", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text[:READ]
        if self.text.isascii():
            self.text = self.text.lower()
            self.words: list[str] = _WORD.findall(self.text)
            self.raw = self.words
            self.known = set(self.words)
        else:
            self.raw = _WORD.findall(self.text)
            self.words = [_folded(w) for w in self.raw]
            self.known = {*self.words, *(part for w in self.words if " " in w for part in w.split())}


def differing_words(ours: Spelt, theirs: Spelt) -> Marks:
    """The words of each text that the other lacks, case and accents aside; neighbours become one span."""
    if ours.known == theirs.known:
        return NO_MARKS
    return Marks(_missing(ours, theirs), _missing(theirs, ours))


def _missing(text: Spelt, other: Spelt) -> tuple[Span, ...]:
    lacking = text.known - other.known
    if not lacking:
        return ()
    joined = ""
    spans: list[Span] = []
    last = -2
    end = 0
    for at, (word, raw) in enumerate(zip(text.words, text.raw, strict=True)):
        # Between two words there are only marks, so that the next occurrence is the word itself.
        begin = text.text.find(raw, end)
        end = begin + len(raw)
        if word not in lacking:
            continue
        if len(word) > 3 and _HAS_DIGIT.search(word):
            # A code that the other text writes in pieces is not missing there.
            joined = joined or "".join(other.words)
            if word in joined:
                continue
        if last == at - 1:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
        last = at
    return tuple(spans)
