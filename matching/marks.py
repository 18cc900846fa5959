"""Which characters of two texts differ, as spans for a screen to mark."""

from __future__ import annotations

import re
from typing import Final

from rapidfuzz.distance import Levenshtein

from matching.normalize import fold
from matching.records import Marks

_WORD: Final = re.compile(r"[^\W_]+")
_LETTERS_LIMIT: Final = 400

Span = tuple[int, int]


def differing_letters(ours: str, theirs: str) -> Marks:
    """The letters to change to get from one short text to the other (Levenshtein); nothing for very long texts."""
    if len(ours) > _LETTERS_LIMIT or len(theirs) > _LETTERS_LIMIT:
        return Marks()
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


def differing_words(ours: str, theirs: str) -> Marks:
    """The words of each text that the other lacks, case and accents aside; neighbours become one span."""
    return Marks(_missing(ours, theirs), _missing(theirs, ours))


def _missing(text: str, other: str) -> tuple[Span, ...]:
    folded = fold(other)
    known = set(_WORD.findall(folded))
    joined = "".join(known)
    spans: list[Span] = []
    for match in _WORD.finditer(text[:1_000]):
        word = fold(match[0])
        if word in known or (len(word) > 3 and word in joined and any(c.isdigit() for c in word)):
            continue
        if spans and not _WORD.search(text, spans[-1][1], match.start()):
            spans[-1] = (spans[-1][0], match.end())
        else:
            spans.append(match.span())
    return tuple(spans)
