"""One spelling for what titles write in several ways: letters behind a number, cups, and how strong a scent is."""

from __future__ import annotations

import re
from typing import Final

from matching.lexicon import CUP_WORDS, SCENTS

_EXTRA_LARGE: Final = re.compile(r"(?<![\w.,/-])((?:[a-z]{1,6}-?)?\d{2,5}) ?(x{1,3}l)(?![\w-])")
# "85 a 100" and "42 e 44" name two sizes in Romance languages.
_CUPPED: Final = re.compile(r"(?<![\w.,/-])(\d{2,3}) ?([b-df-k]|aa|dd|ddd|ee|ff|gg|hh|[ae](?! ?\d))(?![\w-])")
_WITH_CUPS: Final = re.compile(r"(?<!\w)(?:" + "|".join(sorted(CUP_WORDS)) + r")(?!\w)")
_SCENT: Final = re.compile(
    r"(?<!\w)(?:(edp|(?:eau de|agua de|acqua di) (?:parfum|perfume|profumo))"
    r"|(edt|(?:eau de|agua de|acqua di) (?:toilette|tocador))"
    r"|edc|(?:eau de|agua de|acqua di) (?:cologne|colonia)|kolnisch ?wasser)(?!\w)"
)
_MARKS: Final = {"2": "ii", "3": "iii", "4": "iv", "5": "v", "6": "vi", "7": "vii", "8": "viii", "9": "ix"}
_MARK: Final = re.compile(r"(?<!\w)(?:mark|mk) ?([2-9]|" + "|".join(reversed(_MARKS.values())) + r")(?![\w.,])")
# Tokens one of which is in all that is respelt, but for what ends in "xl", "-bh" or "-bra".
_SIGNS: Final = frozenset((
    *CUP_WORDS, *SCENTS, "soutien-gorge", "eau", "agua", "acqua", "kolnisch", "kolnischwasser", "mark", "mk",
    *(f"mk{number}" for pair in _MARKS.items() for number in pair),
))  # fmt: skip


def to_respell(text: str, tokens: list[str]) -> bool:
    """Whether `respelt` may change this text; most it does not, and looking at its tokens takes no time."""
    return "xl" in text or "bh" in text or "bra" in text or not _SIGNS.isdisjoint(tokens)


def respelt(text: str) -> str:
    """Folded text with one spelling of these, whole and in parts, so that titles share what they share.

    "304 XL" and "304XL" become "304xl 304 xl", the size of a bra "90c 90 c", an eau de parfum "edp parfum", and a
    second mark "markii mark ii", but "markii mark 2" where the digit stands alone, since it may count what follows.
    """
    if "xl" in text:
        text = _EXTRA_LARGE.sub(r"\1\2 \1 \2", text)
    if _WITH_CUPS.search(text):
        text = _CUPPED.sub(r"\1\2 \1 \2", text)
    return _MARK.sub(_mark, _SCENT.sub(_scent, text))


def _mark(found: re.Match[str]) -> str:
    roman = _MARKS.get(found[1], found[1])
    return f"mark{roman} mark {found[1] if ' ' in found[0] else roman}"


def _scent(found: re.Match[str]) -> str:
    short = "edp" if found[1] else "edt" if found[2] else "edc"
    return f"{short} {SCENTS[short]}"
