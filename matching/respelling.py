"""One spelling for what titles write in several ways: letters behind a number, cups, and how strong a scent is."""

from __future__ import annotations

import re
from typing import Final

from matching.lexicon import CUP_WORDS, SCENTS

_EXTRA_LARGE: Final = re.compile(r"(?<![\w.,/-])((?:[a-z]{1,6}-?)?\d{2,5}) ?(x{1,3}l)(?![\w-])")
_CUPPED: Final = re.compile(r"(?<![\w.,/-])(\d{2,3}) ?([a-k]|aa|dd|ddd|ee|ff|gg|hh)(?![\w-])")
_WITH_CUPS: Final = re.compile(r"(?<!\w)(?:" + "|".join(sorted(CUP_WORDS)) + r")(?!\w)")
_SCENT: Final = re.compile(
    r"(?<!\w)(?:(edp|(?:eau de|agua de|acqua di) (?:parfum|perfume|profumo))"
    r"|(edt|(?:eau de|agua de|acqua di) (?:toilette|tocador))"
    r"|edc|(?:eau de|agua de|acqua di) (?:cologne|colonia)|kolnisch ?wasser)(?!\w)"
)
# One of these is in every word for what has cups, and in every way to say how strong a scent is: looking for them takes
# a tenth of the time.
_CUP_PARTS: Final = ("bh", "bra", "bust", "suje", "sost", "corpin", "soutien", "sutia", "reggisen", "podprs", "бюст")
_SCENT_PARTS: Final = ("edp", "edt", "edc", "eau de", "agua de", "acqua di", "kolnisch")


def respelt(text: str) -> str:
    """Folded text with one spelling of these, whole and in parts, so that titles share what they share.

    "304 XL" and "304XL" become "304xl 304 xl", the size of a bra "90c 90 c", an eau de parfum "edp parfum".
    """
    if "xl" in text:
        text = _EXTRA_LARGE.sub(r"\1\2 \1 \2", text)
    if any(map(text.__contains__, _CUP_PARTS)) and _WITH_CUPS.search(text):
        text = _CUPPED.sub(r"\1\2 \1 \2", text)
    if any(map(text.__contains__, _SCENT_PARTS)):
        text = _SCENT.sub(_scent, text)
    return text


def _scent(found: re.Match[str]) -> str:
    short = "edp" if found[1] else "edt" if found[2] else "edc"
    return f"{short} {SCENTS[short]}"
