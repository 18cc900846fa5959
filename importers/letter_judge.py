"""In which encoding the letters of a text without a mark make words: a judgement by the pairs of letters of a language.

Each encoding is tried on the words beyond ASCII. A letter that the language does not have, or that never stands beside
its neighbours in it, costs; so does a sign inside of a word. Windows-1252 is kept unless another one reads clearly
better. The pairs come from `letter_pairs`; costs and bounds were set by trying words of 32 languages that were not
counted there, one to twenty at a time: with four words 9 of 10 are right, and the others doubted rather than wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from importers.letter_pairs import ALONE, PAIRS, SIGNS

WESTERN = "cp1252"
_LATIN = ("es", "pt", "fr", "de", "it", "ca", "nl", "da", "nb", "sv", "fi", "is")
_CENTRAL = ("pl", "cs", "sk", "hu", "sl", "hr", "ro", "de")
_CYRILLIC = ("ru", "uk", "bg", "sr", "mk", "be")
#: Which languages are written in an encoding; of two that give the same text the first is named.
_LANGUAGES: dict[str, tuple[str, ...]] = {
    WESTERN: _LATIN, "iso8859-15": ("fr", "de", "es", "pt", "it", "fi", "et", "nl", "sv", "da"),
    "cp1250": _CENTRAL, "iso8859-2": _CENTRAL, "cp1257": ("lt", "lv", "et"), "cp1254": ("tr",),
    "cp1251": _CYRILLIC, "koi8-r": ("ru",), "koi8-u": ("uk",), "cp866": ("ru",), "cp1253": ("el",),
    "cp1255": ("he",), "cp1256": ("ar",), "cp874": ("th",),
    "mac-roman": _LATIN, "cp850": _LATIN, "cp852": _CENTRAL,
}  # fmt: skip
_SIGN_LANGUAGES = {"cp932": "ja", "gb18030": "zh_CN", "big5": "zh_TW", "euc-kr": "ko", "euc-jp": "ja"}
#: All of them, the most likely first.
ENCODINGS = (*_LANGUAGES, *_SIGN_LANGUAGES)
_SIGNS_OF_TRADE = frozenset("°®™€£–—‘’“”„«»‚‹›×²³½¼¾•…±º§\xa0·©ª¡¿µ†′″≤≥№")
_AROUND_LETTERS = frozenset("’‘·\xad")
_AFTER_LETTERS = frozenset("°®™²³ºª©…”’»")
_BEYOND = r"\x80-\xff"
#: Both begin at the first byte of a word or cell only: begun at each, a long cell of ASCII would take minutes.
_WORD = re.compile(rf"(?<![A-Za-z{_BEYOND}])[A-Za-z]*[{_BEYOND}][A-Za-z{_BEYOND}]*".encode("latin-1"))
_LINE = re.compile(rf"(?<![^\r\n\t,;\"])[^\r\n\t,;\"{_BEYOND}]*[{_BEYOND}][^\r\n]*".encode("latin-1"))
_LAST_LATIN = "\u024f"
_MOST_WORDS = 400
_LONGEST_WORD = 100
_MOST_LINES = 200
_LONGEST_LINE = 400

_MISSED, _FOREIGN, _MISPLACED, _UNREADABLE = 1.0, 3.0, 2.5, 6.0
_CLEARLY = 0.25  # of a letter's cost, what one reading of few letters must be better than another
_CLEARLY_OF_MANY = 0.12  # the same where it adds up to the cost of a letter that was missed
_NO_SIGNS = ((_UNREADABLE, "", ""), (_UNREADABLE, "", ""))
_PLAUSIBLE, _PLAUSIBLE_SIGNS, _PLAUSIBLE_ABROAD = 1.0, 0.8, 0.6  # the last for scripts that are not Latin
_OTHER_SCRIPTS = (*_CYRILLIC, "el", "he", "ar", "th")
_BEARABLE = 2.0
_LIKELY = 0.5


class Judgement(NamedTuple):
    """The encoding, blank when it cannot be told; a word as it reads, and whether another reading is as likely."""

    encoding: str
    example: str = ""
    doubtful: bool = False


@dataclass
class Sample:
    """Words and lines beyond ASCII, as bytes, each once, as many as a judgement needs."""

    words: dict[bytes, None]
    lines: dict[bytes, None]

    @classmethod
    def empty(cls) -> Sample:
        """A sample of nothing yet."""
        return cls({}, {})

    @property
    def enough(self) -> bool:
        """Whether more would not change the judgement."""
        return len(self.words) >= _MOST_WORDS

    def add(self, piece: bytes) -> None:
        """Take the words of a piece of the file, until there are enough."""
        for found in _WORD.finditer(piece):
            if self.enough:
                break
            self.words[found[0][:_LONGEST_WORD]] = None
        for found in _LINE.finditer(piece):
            if len(self.lines) >= _MOST_LINES:
                break
            self.lines[found[0][:_LONGEST_LINE]] = None


class _Reading(NamedTuple):
    """How the words read in an encoding, what each costs, and how many bytes beyond ASCII each has."""

    encoding: str
    words: tuple[str, ...]
    costs: tuple[float, ...]
    mean: float


def judge(sample: Sample) -> Judgement:
    """The encoding of the words in the sample."""
    words = list(sample.words)
    marks = [sum(byte > 127 for byte in word) for word in words]
    readings = [_reading(name, words, marks) for name in _LANGUAGES]
    western = readings[0]
    of_signs, second = sorted([*_sign_readings(sample), *_NO_SIGNS])[:2]
    best = min(readings, key=lambda reading: (round(reading.mean, 3), reading is not western))
    if of_signs[0] < min(_PLAUSIBLE_SIGNS, best.mean - _CLEARLY):
        if second[0] - of_signs[0] < _CLEARLY_OF_MANY:
            return Judgement("")
        return Judgement(of_signs[1], of_signs[2], doubtful=True)
    gain = _gain(western, best, marks)
    if western.mean <= _BEARABLE and not _is_clear(gain, marks):
        doubtful = gain > 0 or western.mean > _PLAUSIBLE
        rival = next((one for one in readings if _rivals(one, western, marks)), None)
        return Judgement(WESTERN, _example(western, rival or best), doubtful or rival is not None)
    rivals = [reading for reading in readings if reading.words != best.words]
    bound = _PLAUSIBLE_ABROAD if _LANGUAGES[best.encoding][0] in _OTHER_SCRIPTS else _PLAUSIBLE
    if best.mean > bound or not all(_is_clear(-_gain(best, rival, marks), marks) for rival in rivals):
        return Judgement("")
    return Judgement(best.encoding, _example(best, western), doubtful=True)


def _rivals(one: _Reading, western: _Reading, marks: Sequence[int]) -> bool:
    """Whether words read as well in an encoding of Windows elsewhere: “Daş” in Turkish as “Daþ” in Icelandic."""
    likely = one.encoding.startswith("cp125") and one.mean <= _LIKELY
    return likely and one.words != western.words and _gain(western, one, marks) >= 0


def _example(reading: _Reading, other: _Reading) -> str:
    """The first word that reads otherwise in the other encoding."""
    pairs = zip(reading.words, other.words, strict=True)
    return next((word for word, rival in pairs if word != rival), next(iter(reading.words), ""))


def _gain(one: _Reading, other: _Reading, marks: Sequence[int]) -> float:
    """How much less each letter costs in the other reading, where both differ; below zero where it costs more."""
    saved, count = 0.0, 0
    for place, number in enumerate(marks):
        if one.words[place] != other.words[place]:
            saved += one.costs[place] - other.costs[place]
            count += number
    return saved / count if count else 0.0


def _is_clear(gain: float, marks: Sequence[int]) -> bool:
    return gain > (_CLEARLY if gain * sum(marks) < 2 * _MISSED else _CLEARLY_OF_MANY)


def _reading(encoding: str, words: Sequence[bytes], marks: Sequence[int]) -> _Reading:
    """The words in the language that fits all of them, or each in its own, which is less likely."""
    texts = tuple(word.decode(encoding, "replace") for word in words)
    by_language = [tuple(_cost(text, language) for text in texts) for language in _LANGUAGES[encoding]]
    one = min(by_language, key=sum)
    mixed = tuple(min(costs) + _CLEARLY * number for *costs, number in zip(*by_language, marks, strict=True))
    costs = min(one, mixed, key=sum)
    return _Reading(encoding, texts, costs, sum(costs) / max(1, sum(marks)))


def _cost(word: str, language: str) -> float:
    """What the letters of a word cost in a language."""
    whole = f"_{word}_"
    return sum(
        _letter_cost(whole[place - 1], mark, whole[place + 1], language)
        for place, mark in enumerate(whole)
        if mark > "\x7f"
    )


@cache
def _letter_cost(before: str, mark: str, after: str, language: str) -> float:
    if mark == "\N{REPLACEMENT CHARACTER}" or "\x80" <= mark <= "\x9f":
        return _UNREADABLE
    if mark in _SIGNS_OF_TRADE or mark in _AROUND_LETTERS:
        return _sign_cost(before, mark, after)
    if not mark.isalpha() and not _is_letter_mark(mark):
        return _FOREIGN
    pairs, letters = _known(language)
    low = mark.lower()
    if before == after == "_":
        return 0.0 if low in ALONE.get(language, "") else 0.5 if low in letters or mark == "Ø" else _FOREIGN
    if low not in letters or (mark > _LAST_LATIN and _is_ascii_letter(before + after)):
        return _FOREIGN
    cost = _MISSED * (before.lower() + low not in pairs)
    if after <= "\x7f":
        cost += _MISSED * (low + after.lower() not in pairs)
    return cost + 2 * (mark.isupper() and before.islower())


def _is_ascii_letter(neighbours: str) -> bool:
    return any(mark.isascii() and mark.isalpha() for mark in neighbours)


def _is_letter_mark(mark: str) -> bool:
    """Vowels and tones that stand above and below letters of Thai, Hebrew and Arabic."""
    return "\u0591" <= mark <= "\u0e4e"


def _sign_cost(before: str, mark: str, after: str) -> float:
    if mark in _AROUND_LETTERS:
        return 0.2
    if mark in "¡¿" and before == "_" != after:
        return 0.0
    if before.isalpha() and after.isalpha():
        return _MISPLACED
    return 1.0 if before.isalpha() and mark not in _AFTER_LETTERS else 0.3


@cache
def _known(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """The pairs of a language, and its letters beyond ASCII."""
    said = PAIRS[language]
    pairs = frozenset(said[place : place + 2] for place in range(0, len(said), 2))
    return pairs, frozenset(mark for mark in said if mark > "\x7f")


def _sign_readings(sample: Sample) -> Iterable[tuple[float, str, str]]:
    """(mean cost, encoding, first word) of the encodings with two bytes for a sign; Japanese has kana."""
    for encoding, language in _SIGN_LANGUAGES.items():
        beyond = [mark for line in sample.lines for mark in line.decode(encoding, "replace") if mark > "\x7f"]
        if beyond:
            costs = [_ideograph_cost(mark, language) for mark in beyond]
            without_kana = language == "ja" and not any("\u3040" <= mark <= "\u30ff" for mark in beyond)
            yield sum(costs) / len(costs) + _MISSED / 2 * without_kana, encoding, "".join(beyond[:12])


@cache
def _ideograph_cost(mark: str, language: str) -> float:
    if "\u3040" <= mark <= "\u30ff":
        return 0.0 if language == "ja" else 1.0
    if mark in SIGNS[language] or "\u3000" <= mark <= "\u3011" or "\uff01" <= mark <= "\uff5e":
        return 0.0
    if "\uac00" <= mark <= "\ud7af":
        return 0.6 if language == "ko" else 3.0
    if "\u4e00" <= mark <= "\u9fff":
        return 2.0 if language == "ko" else 0.9
    if mark > "\uffff":
        return 0.3
    return _UNREADABLE if mark == "\N{REPLACEMENT CHARACTER}" else 2.0
