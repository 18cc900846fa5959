"""A number of one title where the other title has another: in otherwise equal titles the sign of a sibling.

Vintages (2019, 2020), sun protection (SPF 30, 50), models (Runner 5, Runner 6), lengths of cables (2 m, 3 m): of two
titles that differ by little else, such a number says that they name two products. Counts, sizes and contents have
fields of their own and are left to them where both sides give them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from matching.facts import PACK
from matching.lexicon import COUNT_WORDS, DIMENSION_ID, PACK_WORDS, SIZE_WORDS, UNITS
from matching.measures import agrees, as_much, quantity_text, rules_out
from matching.sides import Side, numbers_in

#: How many other words the title with fewer of them may have for itself.
MOST_OTHERS: Final = 2
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_CAPACITY: Final = DIMENSION_ID["capacity"]
_LENGTHS: Final = tuple(DIMENSION_ID[name] for name in ("length", "screen"))
_LONGEST: Final = 4  # digits of a number; longer ones are part numbers, of which there are many for one thing
_NUMBERING: Final = frozenset(("n", "no", "nr", "num", "numero", "nummer"))
_COUNTED: Final = COUNT_WORDS | PACK_WORDS | {"er"}


def replaced_number(ours: Side, theirs: Side) -> tuple[str, str] | None:
    """The number, with its unit, in which two otherwise equal titles differ, as each has it; None when none does."""
    # Words of both are numbers of both, so that only the others are looked at.
    known, asked = set(ours.tokens), set(theirs.tokens)
    if not (numbers_in(known - asked) - theirs.numbers and numbers_in(asked - known) - ours.numbers):
        return None
    left, right = _unshared(ours, theirs), _unshared(theirs, ours)
    if not left or not right or min(_others(ours, theirs), _others(theirs, ours)) > MOST_OTHERS:
        return None
    kinds = [_kinds(side, places) for side, places in ((ours, left), (theirs, right))]
    for at in left:
        for there in right:
            kind = _NUMBER.sub("0", ours.words[at])
            alone = len(left) == len(right) == 1 if kind == "0" else kinds[0][kind] == kinds[1][kind] == 1
            if _replaces(ours.words, at, theirs.words, there, alone=alone):
                return _shown(ours, at), _shown(theirs, there)
    return None


def _kinds(side: Side, places: Sequence[int]) -> Counter[str]:
    """How many numbers of each kind stand at these places: "91v" and "94v" are of one."""
    return Counter(_NUMBER.sub("0", side.words[at]) for at in places)


def _shown(side: Side, at: int) -> str:
    """A number as people write it: "2 m" for 2000mm, "KX4711" for kx4711."""
    word = side.words[at]
    dimension, value = _quantity(word)
    if dimension in side.quantities:
        return quantity_text(dimension, value)
    return word if word[0].isdigit() and not word[-2:-1].isdigit() else word.upper()  # "2.5qmm", but "2700K"


def _quantity(word: str) -> tuple[int, float]:
    """A word as a quantity in its base unit; dimension -1 when it is none."""
    number = _NUMBER.match(word)
    unit = UNITS.get(word[number.end() :]) if number else None
    return (unit[0], float(number[0])) if number and unit else (-1, 0.0)


def _unshared(side: Side, other: Side) -> list[int]:
    """Places of the numbers that the other title has nowhere and that no other field compares."""
    known, joined = set(other.words), "".join(other.words)
    return [
        at
        for at, word in enumerate(side.words)
        if not word.isalpha() and word not in known and _NUMBER.search(word)
        and not (len(word) > 3 and word in joined) and not _compared(side, other, at)
    ]  # fmt: skip


def _compared(side: Side, other: Side, at: int) -> bool:
    """Whether a field has compared this number: as a count, a measure of what is crossed, a size, or a quantity."""
    word = side.words[at]
    before = side.words[at - 1] if at else ""
    after = side.words[at + 1] if at + 1 < len(side.words) else ""
    if word.isdecimal():
        if len(word) > _LONGEST or after in _COUNTED or before in PACK_WORDS:
            return True
        if "x" in (before, after):
            packs = PACK in side.quantities and PACK in other.quantities
            return packs or any(len(s.quantities.get(d, ())) > 1 for s in (side, other) for d in _LENGTHS)
        return bool(before in SIZE_WORDS and side.size and other.size)
    dimension, _ = _quantity(word)
    if dimension not in side.quantities or dimension not in other.quantities:
        return False
    a, b = side.quantities[dimension], other.quantities[dimension]
    if agrees(dimension, a, b) or as_much(dimension, side.quantities, other.quantities):
        return True
    return dimension == _CAPACITY and not rules_out(dimension, a, b)


def _others(side: Side, other: Side) -> int:
    """How many words without digits only this title has."""
    known = set(other.words)
    return sum(word.isalpha() and word not in known for word in side.words)


def _replaces(ours: Sequence[str], at: int, theirs: Sequence[str], there: int, *, alone: bool) -> bool:
    """Whether two numbers stand for each other: of one kind, and in one place or alone of their kind."""
    one, two = ours[at], theirs[there]
    if _NUMBER.sub("0", one) != _NUMBER.sub("0", two) or _values(one) == _values(two):
        return False
    if _beside(ours, at) & _beside(theirs, there) or (_YEAR.fullmatch(one) and _YEAR.fullmatch(two)):
        return True
    return alone and (len(one) == len(two) > 1 or not one.isdecimal())


def _beside(words: Sequence[str], at: int) -> set[str]:
    """The words on both sides of a number: "Klasse 6" and "5. Klasse" number one thing, "Ton Nr. 2" and "Ton 3" too."""
    before = at - 2 if at > 1 and words[at - 1] in _NUMBERING else at - 1
    return {words[place] for place in (before, at + 1) if 0 <= place < len(words)}


def _values(word: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(word)]
