"""Text read into hashed words and facts, token by token; what a token says is worked out once and remembered.

The words of a catalogue repeat: of a million titles nearly all tokens have been seen before, so that reading one is
mostly a look-up. What is remembered is cleared when it grows past REMEMBERED tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple
from zlib import crc32

from matching.facts import counts, names_cups
from matching.identifiers import is_code
from matching.lexicon import COLOURS, CUP_WORDS, FOODS, NUMBER_WORDS, ROMAN, SIZE_REGIONS, SIZE_WORDS, SIZES, SPELLED
from matching.normalize import CODE, MAX_WORDS, NUMBER, PLAIN, UNITS_AFTER, Quantity, fold, piece, raw_tokens

#: Three more kinds of word, for comparing only: the beginning of a model code, two neighbours read as one code
#: ("XH A1S"), and the longest run of digits in a code.
PREFIX, GLUE, DIGITS = 4, 5, 6
REMEMBERED: Final = 150_000
#: How far up the colours stand in `Reading.colours` that may be food.
FOOD_BITS: Final = 16
_MARKS: Final = re.compile(r"[-/._+']")
_DIGIT_RUNS: Final = re.compile(r"\d{3,}")
_HAS_DIGIT: Final = re.compile(r"\d")
_SIZED: Final = SIZE_WORDS | SIZE_REGIONS.keys() | CUP_WORDS
_COUNTING: Final = NUMBER_WORDS.keys() | SPELLED.keys()


def hashed(text: str) -> int:
    """The 32-bit number that stands for a word: CRC-32 of its UTF-8."""
    return crc32(text.encode("utf-8", "surrogatepass"))


class _Known(NamedTuple):
    """What one token adds to a text. `word` is set when that is a single plain word and nothing else."""

    word: int
    text: str
    words: tuple[tuple[int, int], ...]
    parts: tuple[tuple[int, int], ...]
    codes: tuple[str, ...]
    quantity: Quantity | None
    plain: tuple[str, ...]
    bare: tuple[str, ...]
    digits: tuple[bool, ...]
    colour: int
    sizes: bool
    counts: bool
    number: bool
    took_next: bool


@dataclass(slots=True)
class Reading:
    """A text read: word hashes with kinds, parts of codes, and its tokens raw (`plain`) and without marks (`bare`)."""

    words: dict[int, int] = field(default_factory=dict)
    parts: dict[int, int] = field(default_factory=dict)
    codes: dict[str, None] = field(default_factory=dict)
    quantities: list[Quantity] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    colours: int = 0
    names_size: bool = False


def _prefixes(code: str) -> Iterator[str]:
    """Beginnings of a model code, for sellers who drop the colour or region letters at its end."""
    if code.isdigit():
        return
    for length in range(max(4, len(code) - 3), len(code)):
        if is_code(code[:length]):
            yield code[:length]


def code_parts(code: str) -> Iterator[tuple[int, int]]:
    """Hashes of a code's beginnings and of its longest run of at least three digits, which sellers keep."""
    for prefix in _prefixes(code):
        yield hashed(prefix), PREFIX
    if run := max(_DIGIT_RUNS.findall(code), key=len, default=""):
        yield hashed("#" + run), DIGITS


def _colour(token: str) -> int:
    """The colour a word names as a bit; FOOD_BITS further up when it may name food instead."""
    place = COLOURS.get(token)
    return 0 if place is None else 1 << place + (FOOD_BITS if token in FOODS else 0)


def _learn(token: str, following: str) -> _Known:
    if token.isascii() and token.isalpha():
        return _learn_letters(token)
    found, quantity, plain, took_next = piece(token, following)
    codes = tuple(w.text for w in found if w.kind == CODE)
    bare = tuple(b for b in (_MARKS.sub("", p) for p in plain) if b)
    digits = tuple(bool(_HAS_DIGIT.search(b)) for b in bare)
    colour = sum({_colour(p) for p in plain})
    sizes = any(p in _SIZED or names_cups(p) for p in plain) or (token in SIZES and "x" in token)
    counted = any(digits) or token.split("-")[0] in _COUNTING
    simple = (
        len(found) == len(plain) == len(bare) == 1
        and found[0].kind == PLAIN
        and not colour
        and not sizes
        and not counted
    )
    return _Known(
        word=hashed(found[0].text) if simple else -1, text=bare[0] if simple else "",
        words=tuple((hashed(w.text), w.kind) for w in found),
        parts=tuple(p for code in codes for p in code_parts(code)),
        codes=codes, quantity=quantity, plain=plain, bare=bare, digits=digits, colour=colour, sizes=sizes,
        counts=counted, number=token[0].isdigit(), took_next=took_next,
    )  # fmt: skip


def _learn_letters(token: str) -> _Known:
    """What `_learn` gives for a token of letters alone: itself, and what the lexicon says of it."""
    h = hashed(token)
    colour = _colour(token)
    sizes = token in _SIZED or (token in SIZES and "x" in token)
    counted = token in _COUNTING
    roman = ROMAN.get(token)
    simple = not (colour or sizes or counted or roman)
    own = (token,)
    words = ((h, PLAIN), (hashed(roman), NUMBER)) if roman else ((h, PLAIN),)
    return _Known(
        h if simple else -1, token if simple else "", words, (), (), None, own, own, (False,), colour, sizes,
        counted, False, False,
    )  # fmt: skip


_known: dict[str | tuple[str, str], _Known] = {}


def _remember(key: str | tuple[str, str], token: str, following: str) -> _Known:
    if len(_known) >= REMEMBERED:
        _known.clear()
    known = _known[key] = _learn(token, following)
    return known


def _look_up(token: str, following: str) -> _Known:
    known = _known.get(token) or _remember(token, token, "")
    if known.number and following in UNITS_AFTER:
        key = (token, following)
        return _known.get(key) or _remember(key, token, following)
    return known


def _glue(bare: list[str], digits: list[int]) -> Iterator[int]:
    """Neighbours that make a model code when read as one; `digits` are the places of tokens that have some.

    Three do where a few letters stand before the middle one and no number behind it: "DF 333 D" is DF333D.
    """
    last = -1
    for at in digits:
        for left in (at - 1, at):
            if left > last and 0 <= left < len(bare) - 1:
                last = left
                joined = bare[left] + bare[left + 1]
                if _may_be_code(joined):
                    yield crc32(joined.encode())
        if 0 < at < len(bare) - 1 and len(bare[at - 1]) <= 4 and bare[at - 1].isalpha() and not bare[at + 1].isdigit():
            joined = bare[at - 1] + bare[at] + bare[at + 1]
            if _may_be_code(joined):
                yield crc32(joined.encode())


def _may_be_code(joined: str) -> bool:
    """What has four letters and a digit is a code when it has no marks and is no number."""
    return 4 <= len(joined) <= 16 and not joined.isdigit() and joined.isascii() and joined.isalnum()


def read(folded: str, limit: int = MAX_WORDS) -> Reading:
    """Read folded text, at most `limit` tokens of it."""
    out = Reading()
    found, plain, bare = out.words, out.plain, out.bare
    tokens = raw_tokens(folded)[:limit]
    digits: list[int] = []
    counted: list[int] = []
    last = len(tokens) - 1
    position = -1
    while position < last:
        position += 1
        token = tokens[position]
        known = _known.get(token)
        if known is None or known.number:
            known = _look_up(token, tokens[position + 1] if position < last else "")
        elif known.word >= 0:
            if known.word not in found:
                found[known.word] = PLAIN
            plain.append(token)
            bare.append(known.text)
            continue
        if known.counts:
            counted += range(len(plain), len(plain) + len(known.plain))
            digits += [len(bare) + i for i, has in enumerate(known.digits) if has]
        position += known.took_next
        _take(out, known)
    for h in _glue(bare, digits):
        out.parts.setdefault(h, GLUE)
    if counted:
        out.quantities += counts(plain, counted)
    return out


def _take(out: Reading, known: _Known) -> None:
    found = out.words
    for h, kind in known.words:
        if h not in found:
            found[h] = kind
    out.plain += known.plain
    out.bare += known.bare
    if known.codes:
        out.parts.update(known.parts)
        for code in known.codes:
            out.codes[code] = None
    if known.quantity:
        out.quantities.append(known.quantity)
    if known.colour:
        out.colours |= known.colour
    if known.sizes:
        out.names_size = True


@lru_cache(maxsize=20_000)
def read_short(text: str, limit: int) -> tuple[str, Reading]:
    """A brand or an option value, folded and read; the same ones come again and again. Not to be changed."""
    folded = fold(text, limit)
    return folded, read(folded)


def piece_hashes(tokens: list[str], limit: int) -> set[int]:
    """Hashes of the first `limit` words of tokens, without their kinds: all that a description gives."""
    out: set[int] = set()
    count = 0
    skip = False
    for position, token in enumerate(tokens[:MAX_WORDS]):
        if skip:
            skip = False
            continue
        known = _look_up(token, tokens[position + 1] if position + 1 < len(tokens) else "")
        skip = known.took_next
        for h, _ in known.words:
            out.add(h)
            count += 1
        if count >= limit:
            break
    return out
