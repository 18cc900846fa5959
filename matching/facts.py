"""Facts read out of titles and options: pack and piece counts, sizes and colours, in the words of many languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from matching.lexicon import (
    AGE_WORDS,
    COLOURS,
    COUNT_WORDS,
    CUP_WORDS,
    CUPS,
    DIMENSION_ID,
    DOSES,
    NUMBER_WORDS,
    ONE_SIZE,
    OPTION_KINDS,
    PACK_WORDS,
    PACKS,
    PIECE_WORDS,
    SIZE_FILLERS,
    SIZE_LETTERS,
    SIZE_PAIRS,
    SIZE_REGIONS,
    SIZE_WORDS,
    SIZES,
    SPELLED,
    THING_WORDS,
    UNITS,
)
from matching.normalize import SPOKEN, Quantity, fold, number_text

PACK: Final = DIMENSION_ID["pack"]
COUNT: Final = DIMENSION_ID["count"]
CONTENTS: Final = frozenset(DIMENSION_ID[name] for name in ("volume", "mass", "oz"))
_LENGTHS: Final = frozenset(DIMENSION_ID[name] for name in ("length", "screen"))
_LINKS: Final = frozenset("of de con com da di van à a von mit avec with za po с из по je w z".split())
_NUMBER: Final = re.compile(r"\d{1,5}(?:\.\d{1,3})?")
_SHOE: Final = re.compile(r"\d{1,2}(?:\.5)?")
_SMALL_NUMBER: Final = re.compile(r"\d{1,4}")
_MEASURE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([^\W\d_]+)")
_FRACTION: Final = re.compile(r"(\d{1,3}) (\d)/(\d)(?!\d)")
_SIZE_PART: Final = re.compile(r"\d?x+[ls](?![^\W_])|\d+(?:\.\d+)?|[^\W\d_]+")
_ANY_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_LETTER_SIZES: Final = frozenset(SIZES.values())
#: Sizes in a letter or an English word, which are much else but for the last word behind a colour.
_LAST_SIZES: Final = frozenset(("s", "m", "l", "small", "medium", "large"))
_JOINT: Final = re.compile(r"[-/]")
_BEHIND: Final = frozenset(("duo", "trio"))
#: Cups that are also words between two sizes: "85 a 100", "42 e 44".
_AND_TO: Final = frozenset("ae")
#: Bands up to here are inches; French and Spanish ones are so much above those of the rest of the continent (EN 13402).
_INCHES, _FRENCH = 56, 15
#: How pharmacies count tablets: "No. 20", "N20" ("№20" is that when it is folded).
_NUMBERED: Final = re.compile(r"no?(\d{1,3})")
_NUMBERS: Final = frozenset(("no", "n"))
_TIMES: Final = re.compile(r"x(\d{1,3})|(\d{1,3})x|(\d{1,3})er|c/(\d{1,3})")


def counts(plain: Sequence[str], places: Iterable[int] | None = None) -> list[Quantity]:
    """Pack counts and piece counts in raw tokens: "pack of 6", "6-pack", "6er pack", "2 x 160 ct", "caja de 12".

    Behind a word for tablets and the like "№20" counts them.
    And the measures of what is crossed, whose unit stands only once: "130 x 180 cm" is 130 cm, too. Only the tokens at
    `places` are looked at when they are given: those with digits, and words for numbers.
    """
    found: list[Quantity] = []
    last = len(plain) - 1
    for i in range(last + 1) if places is None else places:
        token, after = plain[i], (plain[i + 1] if i < last else "")
        if after == "x" and (crossed := _crossed(plain, i)):
            found += crossed
        elif (len(token) <= 4 and token.isdecimal() and token.isascii()) or token in SPELLED:
            number = SPELLED.get(token) or int(token)
            before = plain[i - 1] if i else ""
            here = _counted(number, before, after, plain[i - 2] if i > 1 else "", plain[i + 2 : i + 5])
            if not here and before in _NUMBERS and not _is_unit(after) and not DOSES.isdisjoint(plain[:i]):
                here = [Quantity(COUNT, float(number))]
            found += _nested(here, plain, i) if here and i > 1 else here
        elif token in NUMBER_WORDS:
            if after in PACK_WORDS or "pack" in token or (i and token in _BEHIND and _near(plain[i - 1])):
                found.append(Quantity(PACK, float(NUMBER_WORDS[token])))
        elif (numbered := _NUMBERED.fullmatch(token)) and not DOSES.isdisjoint(plain[:i]):
            found.append(Quantity(COUNT, float(numbered[1])))
        else:
            found.extend(_compact(token, plain[i - 1] if i else "", after, alone=i == 0, last=i == last))
    return [q for q in found if q.value > 0]


def _nested(counted: list[Quantity], plain: Sequence[str], at: int) -> list[Quantity]:
    """What the number at `at` counts, times the packs of such packs: "4 x 12 x 85 g" are 48, "2 packs of 6" are 12."""
    before = plain[at - 1]
    packs = plain[at - 2] if before == "x" else plain[at - 3] if before in _LINKS and plain[at - 2] in PACKS else ""
    if not (packs.isdecimal() and packs.isascii() and len(packs) <= 2 and int(packs)):
        return counted
    return [Quantity(d, value * int(packs)) if d == PACK else Quantity(d, value) for d, value in counted]


def _crossed(plain: Sequence[str], at: int) -> list[Quantity]:
    """A number that is crossed with others up to one with a unit of length: "90 x 200 x 16 cm"."""
    if not _NUMBER.fullmatch(plain[at]):
        return []
    for i in range(at + 1, min(at + 6, len(plain) - 2), 2):
        if plain[i] != "x" or not _NUMBER.fullmatch(plain[i + 1]):
            return []
        unit = plain[i + 2]
        if unit in UNITS:
            dimension, factor, _ = UNITS[unit]
            # A unit that is also an everyday word was not taken for one: between crossed numbers and it, it is.
            crossed = [plain[at], plain[i + 1]] if unit in SPOKEN and i == at + 1 else [plain[at]]
            return [Quantity(dimension, float(n) * factor) for n in crossed] if dimension in _LENGTHS else []
    return []


def _counted(number: int, before: str, after: str, before_link: str, beyond: Sequence[str]) -> list[Quantity]:
    """What a small number counts, by the words around it."""
    value = float(number)
    linked = before in _LINKS and before_link in PACK_WORDS
    if after in COUNT_WORDS and not (after == "pc" and number >= 1900):  # "Antivirus 2007 (PC)"
        sold = (linked or before in PACK_WORDS) and after in PIECE_WORDS
        sold = sold or (before == "x" and _is_content(before_link))
        return [Quantity(COUNT, value), *([Quantity(PACK, value)] if sold else [])]
    if after == "er" and beyond and beyond[0] in PACK_WORDS:
        return [Quantity(PACK, value)]
    if _is_unit(after):
        return []
    if linked or _near(before) or (after in PACK_WORDS and after not in THING_WORDS and not _counts_on(beyond)):
        return [Quantity(PACK, value)]
    if after == "x" and _times(before, beyond):
        return [Quantity(PACK, value)]
    if before == "x" and number <= 144 and (_is_content(before_link) or not (after or before_link[-1:].isdigit())):
        return [Quantity(PACK, value)]  # not "M8 x 40", which are measures
    return []


def _near(before: str) -> bool:
    """Whether a word for packs counts what stands right behind it: "pack 6", but not "case 13"."""
    return before in PACK_WORDS and before not in THING_WORDS


def _times(before: str, beyond: Sequence[str]) -> bool:
    """Whether "6 x" counts: "6 x 500 ml", "2 x Socks" at the beginning, "500 ml 6 x" at the end; not "10 x zoom"."""
    if not beyond:
        return _is_content(before)
    if beyond[0][0].isdigit():
        return len(beyond) > 1 and _is_content(beyond[1])
    return not before


def _counts_on(beyond: Sequence[str]) -> bool:
    """Whether a word for packs goes on to the number that it counts: "Soap 14, pack of 3"."""
    if len(beyond) < 2 or beyond[0] not in _LINKS or not beyond[1].isdecimal():
        return False
    return len(beyond) < 3 or not _is_unit(beyond[2])


def _is_unit(token: str) -> bool:
    return token in UNITS and token not in SPOKEN


def _is_content(unit: str) -> bool:
    """Whether a unit measures what one pack holds, so that "6 x 500 ml" is a pack while "4 x 6 cm" is not."""
    return unit in COUNT_WORDS or (unit in UNITS and UNITS[unit][0] in CONTENTS)


def _compact(token: str, before: str, after: str, *, alone: bool, last: bool) -> tuple[Quantity, ...]:
    """Counts written as one token: "6pk", "12ct", "x6", "6er", "6-pack", "c/6"; no zoom ("10x") and no model ("X3")."""
    head, *tail = _JOINT.split(token)
    if tail and (number := _as_number(head.removesuffix("er"))):
        word = after if tail[0] == "er" and len(tail) == 1 else tail[0]
        dimension = PACK if word in PACK_WORDS else COUNT if word in COUNT_WORDS else -1
        return (Quantity(dimension, float(number)),) if dimension >= 0 else ()
    if len(tail) == 1 and head in PACK_WORDS:  # "pk/6"
        return (Quantity(PACK, float(tail[0])),) if _SMALL_NUMBER.fullmatch(tail[0]) else ()
    times = _TIMES.fullmatch(token)
    if times is None:
        return ()
    behind, ahead, each, of = times.groups()
    counted = (
        of
        or (behind and (last or _is_content(before) or after in COUNT_WORDS))
        or (ahead and (alone or after[:1].isdigit() or before in PACK_WORDS))
        or (each and after in PACK_WORDS)
    )
    return (Quantity(PACK, float(behind or ahead or each or of)),) if counted else ()


def _as_number(text: str) -> int:
    """A small number in digits or as a word, "twin" and "double" among them; 0 for any other text."""
    if _SMALL_NUMBER.fullmatch(text):
        return int(text)
    return SPELLED.get(text) or NUMBER_WORDS.get(text, 0)


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


def option_size(value: str) -> str:
    """The value of a size option in one spelling: "EU 42", "42,0" and "size 42" are "42", "X-Large" is "xl".

    Continental regions are taken for granted; others stay ("uk 8"), since their numbers mean other sizes.
    """
    folded = fold(value, 60)
    if measure := _measure(folded.replace('"', "in")):
        return measure
    text = _FRACTION.sub(_decimal, folded)
    parts = _SIZE_PART.findall(text)
    if " ".join(parts) in ONE_SIZE:
        return "one size"
    words = [w for w in parts if w not in SIZE_FILLERS]
    joined = " ".join(words)
    if joined in SIZE_PAIRS:
        return SIZE_PAIRS[joined]
    if words and words[0] in SIZE_LETTERS and all(_is_number(w) for w in words[1:]):
        return SIZE_LETTERS[words[0]]  # "M (38-40)"
    return " ".join(number_text(float(w)) if _is_number(w) else AGE_WORDS.get(w, w) for w in words) or folded


def _is_number(token: str) -> bool:
    return token.isascii() and token.replace(".", "", 1).isdigit() and len(token) <= 12


def _decimal(found: re.Match[str]) -> str:
    whole, part, of = (int(n) for n in found.groups())
    return found[0] if not 0 < part < of else number_text(round(whole + part / of, 2))


def _cup_size(plain: Sequence[str]) -> str:
    """Band and cup beside a word for what has both: "BH 90C", "soutien-gorge 90 C"; "" where there is none, or several.

    Bands are those of the continent, of France and Spain (multiples of five) or in inches (28 to 56).
    """
    if not any(map(names_cups, plain)):
        return ""
    found = {
        f"{band} {cup}"
        for band, cup, after in zip(plain, plain[1:], [*plain[2:], ""], strict=False)
        if cup in CUPS and _is_band(band) and not (cup in _AND_TO and after.isdecimal())
    }
    return found.pop() if len(found) == 1 else ""


def names_cups(token: str) -> bool:
    """Whether a token names what is sold by band and cup: "bra", "sport-bh"."""
    return token in CUP_WORDS or ("-" in token and not CUP_WORDS.isdisjoint(token.split("-")))


def cup_of(size: str) -> tuple[int, str] | None:
    """Band and cup of a size that has both ("90 c"), else None."""
    band, _, cup = size.partition(" ")
    return (int(band), cup) if cup in CUPS and _is_band(band) else None


def two_systems(ours: str, theirs: str) -> bool:
    """Whether two sizes may be one that two systems name: M and 38, or a French 90C and a German 75C."""
    a, b = cup_of(ours), cup_of(theirs)
    if a and b and a[1] == b[1] and abs(a[0] - b[0]) == _FRENCH:
        return True
    return size_shape(ours) != size_shape(theirs)


def _is_band(token: str) -> bool:
    band = int(token) if len(token) <= 3 and token.isdecimal() else 0
    return (60 <= band <= 130 and band % 5 == 0) or (28 <= band <= _INCHES and band % 2 == 0)


def size_shape(size: str) -> str:
    """What kind of size it is: only sizes of one kind can be two sizes."""
    if cup := cup_of(size):
        return "inches" if cup[0] <= _INCHES else "centimetres"
    if size in _LETTER_SIZES:
        return "letters"
    return _ANY_NUMBER.sub("0", size) if _ANY_NUMBER.search(size) else "words"


def size_of(plain: Sequence[str], options: Mapping[str, str]) -> str:
    """A clothing or shoe size: a size option first, then "size M" or "XL" in the title; "" when none is named.

    Letters are sizes also as the last word behind a colour: "T-shirt black M".
    """
    for name, value in options.items():
        if OPTION_KINDS.get(fold(name, 60)) == "size":
            return option_size(value)
    for i, token in enumerate(plain):
        if token in SIZE_WORDS and i + 1 < len(plain):
            named = plain[i + 1]
            if named in SIZE_LETTERS or named.isdigit() or _SHOE.fullmatch(named):
                return SIZE_LETTERS.get(named, named)
        if token in SIZE_REGIONS and i + 1 < len(plain) and _SHOE.fullmatch(plain[i + 1]):
            region = SIZE_REGIONS[token]
            least, most = (2, 15) if region else (19, 52)
            if least <= float(plain[i + 1]) <= most and not _is_unit(plain[i + 2] if i + 2 < len(plain) else ""):
                return region + plain[i + 1]
    if cups := _cup_size(plain):
        return cups
    letters = {SIZES[t] for t in plain if t in SIZES and (len(t) > 1 and t.endswith("l") and "x" in t)}
    if letters:
        return letters.pop() if len(letters) == 1 else ""
    last = len(plain) > 1 and plain[-1] in _LAST_SIZES and plain[-2] in COLOURS
    return SIZES[plain[-1]] if last else ""
