"""Facts read out of titles and options: pack and piece counts, sizes and colours, in the words of many languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from matching.lexicon import (
    COLOURS,
    COUNT_WORDS,
    DIMENSION_ID,
    NUMBER_WORDS,
    OPTION_KINDS,
    PACK_WORDS,
    SIZE_WORDS,
    SIZES,
    UNITS,
)
from matching.normalize import Quantity, fold, number_text

PACK: Final = DIMENSION_ID["pack"]
COUNT: Final = DIMENSION_ID["count"]
_CONTENTS: Final = frozenset(DIMENSION_ID[name] for name in ("volume", "mass", "oz"))
_LINKS: Final = frozenset("of de con com da di à a von mit avec with za po с из по je w z".split())
_SMALL_NUMBER: Final = re.compile(r"\d{1,4}")
_MEASURE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([^\W\d_]+)")
_TIMES: Final = re.compile(r"x(\d{1,3})|(\d{1,3})x|(\d{1,3})er|c/(\d{1,3})")


def counts(plain: Sequence[str], places: Iterable[int] | None = None) -> list[Quantity]:
    """Pack counts and piece counts in raw tokens: "pack of 6", "6-pack", "6er pack", "2 x 160 ct", "caja de 12".

    Only the tokens at `places` are looked at when they are given: those with digits, and words for numbers.
    """
    found: list[Quantity] = []
    last = len(plain) - 1
    for i in range(last + 1) if places is None else places:
        token, after = plain[i], (plain[i + 1] if i < last else "")
        if len(token) <= 4 and token.isdecimal() and token.isascii():
            before = plain[i - 1] if i else ""
            found.extend(_counted(int(token), before, after, plain[i - 2] if i > 1 else "", plain[i + 2 : i + 4]))
        elif token in NUMBER_WORDS:
            if after in PACK_WORDS or token.endswith("pack"):
                found.append(Quantity(PACK, float(NUMBER_WORDS[token])))
        else:
            found.extend(_compact(token, after in PACK_WORDS))
    return [q for q in found if q.value > 0]


def _counted(number: int, before: str, after: str, before_link: str, beyond: Sequence[str]) -> list[Quantity]:
    """What a small number counts, by the words around it."""
    value = float(number)
    if after in COUNT_WORDS:
        return [Quantity(COUNT, value)]
    if after == "er" and beyond and beyond[0] in PACK_WORDS:
        return [Quantity(PACK, value)]
    if after in PACK_WORDS or before in PACK_WORDS or (before in _LINKS and before_link in PACK_WORDS):
        return [Quantity(PACK, value)]
    if after == "x" and len(beyond) == 2 and beyond[0][0].isdigit() and _is_content(beyond[1]):
        return [Quantity(PACK, value)]
    if before == "x" and not after and number <= 144 and not before_link.replace(".", "", 1).isdigit():
        return [Quantity(PACK, value)]
    return []


def _is_content(unit: str) -> bool:
    """Whether a unit measures what one pack holds, so that "6 x 500 ml" is a pack while "4 x 6 cm" is not."""
    return unit in COUNT_WORDS or (unit in UNITS and UNITS[unit][0] in _CONTENTS)


@lru_cache(maxsize=50_000)
def _compact(token: str, pack_follows: bool) -> tuple[Quantity, ...]:
    """Counts written as one token: "6pk", "12ct", "x6", "6er", "6-pack", "c/6"."""
    head, _, tail = token.partition("-")
    head = head.removesuffix("er")
    if _SMALL_NUMBER.fullmatch(head) and tail:
        word = tail.split("-")[0]
        dimension = PACK if word in PACK_WORDS else COUNT if word in COUNT_WORDS else -1
        return (Quantity(dimension, float(head)),) if dimension >= 0 else ()
    times = _TIMES.fullmatch(token)
    if times and (times[3] is None or pack_follows):
        return (Quantity(PACK, float(next(g for g in times.groups() if g))),)
    return ()


def colour_mask(tokens: Sequence[str]) -> int:
    """The colours named, as bits by their place in `lexicon.COLOUR_NAMES`."""
    mask = 0
    for token in tokens:
        place = COLOURS.get(token)
        if place is not None:
            mask |= 1 << place
    return mask


def _measure(size: str) -> str:
    """A size that is a quantity, in its base unit: "0.75 l" and "750ml" are both "750 ml"; "" for any other."""
    found = _MEASURE.fullmatch(size)
    if found is None or found[2] not in UNITS:
        return ""
    _, factor, base = UNITS[found[2]]
    return f"{number_text(round(float(found[1]) * factor, 3))} {base}"


def size_of(plain: Sequence[str], options: Mapping[str, str]) -> str:
    """A clothing or shoe size: a size option first, then "size M" or "XL" in the title; "" when none is named."""
    for name, value in options.items():
        if OPTION_KINDS.get(fold(name, 60)) == "size":
            folded = fold(value, 60)
            return _measure(folded) or SIZES.get(folded, folded)
    for i, token in enumerate(plain):
        if token in SIZE_WORDS and i + 1 < len(plain) and (plain[i + 1] in SIZES or plain[i + 1].isdigit()):
            return SIZES.get(plain[i + 1], plain[i + 1])
    letters = {SIZES[t] for t in plain if t in SIZES and (len(t) > 1 and t.endswith("l") and "x" in t)}
    return letters.pop() if len(letters) == 1 else ""
