"""Text made comparable: one spelling for widths, cases, accents, scripts, decimals and units; words and model codes."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from matching.identifiers import is_code
from matching.lexicon import COUNT_WORDS, PACK_WORDS, ROMAN, SIZE_WORDS, SIZES, UNITS
from matching.respelling import respelt, to_respell

#: Titles and descriptions are read up to here: what names a product stands at the front.
TITLE_LIMIT: Final = 1_000
DESCRIPTION_LIMIT: Final = 6_000
MAX_WORDS: Final = 400

_LETTERS: Final = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss", "ħ": "h", "ŧ": "t",
    "×": "x", "µ": "u", "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "”": '"', "“": '"', "″": '"', "’": "'", "‘": "'",
    "′": "'", "´": "'",
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "®": " ", "™": " ", "©": " ", "\x00": " ",
})  # fmt: skip
_TAG: Final = re.compile(r"<[^<>]{1,200}>")
_MARKS: Final = re.compile("[\u0300-\u036f]")
# A lone zero begins no thousands: "0,375" is a fraction.
_THOUSANDS: Final = re.compile(r"(?<=\d)(?<!\b0),(?=\d{3}(?!\d))(?<![.,]\d,)")
# "10 000 mAh"; other groups of three behind a space may be a number of their own: "iPhone 12 128 GB".
_ROUND_THOUSANDS: Final = re.compile(r"(?<![\w.,])(\d{1,3}) (?=000(?!\w))")
# "1.500 ml" is a litre and a half and so is "1.500 l": which of the two a mark means, the unit tells.
_GROUPED: Final = re.compile(r"(?<![\w.,])(\d{1,3})[.,](\d{3})(?![\d.,]) ?([^\W\d_]{1,12})(?![^\W\d_])")
_DOT_THOUSANDS: Final = re.compile(r"(?<=\d)\.(?=\d{3}(?:\.\d{3})*,\d{1,2}(?!\d))")
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))|(?<=\b0),(?=\d{3}(?!\d))")
_LEADING_MARK: Final = re.compile(r"[.,](?=\d)(?<![^\s(/].)")  # ".75 l" is 0.75 l
# Quotes that an export has escaped or doubled: 2.5\\" and 2.5"" are 2.5".
_QUOTED: Final = re.compile(r'\\*"[\\"]*')
_SCRIPTS: Final = re.compile(r"(?<=[a-z])(?=[^\W\d_a-z])|(?<=[^\W\d_a-z])(?=[a-z])")
_TOKEN: Final = re.compile(r"\d+(?:\.\d+)?\s?(?:\"|'')|\d+(?:\.\d+)?(?!\w|[-/._+]\w)|[^\W_]+(?:[-/._+'][^\W_]+)*\+?")
_FLUID: Final = re.compile(r"\bfl\.?\s*oz\b|\bfluid ounces?\b|\bonzas liquidas\b")
_SQUARE: Final = re.compile(r"(?<![^\W\d_])sq(?:uare)?\.?\s*(?:ft|feet|foot)\b")
_CUBIC: Final = re.compile(
    r"(?<![^\W\d_])(?:cu(?:bic)?\.?\s*(?:ft|feet|foot)|ft ?3|p(?:ies|es) cubicos|pieds? cubes?|piedi cubi)(?!\w)"
)
# A rate is no size: "160 MB/s" says nothing about how much a card holds.
_RATE: Final = re.compile(r"\b(\d+(?:\.\d+)?\s?[kmg]b(?:it)?)(?:/s|ps)\b")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_MULTIPLY: Final = re.compile(r"(?<=\d)\s*[x*]\s*(?=\d)")
# The Cyrillic letter stands for "times" where Russian is typed.
_CYRILLIC_TIMES: Final = re.compile(r"(?<=\d)\s*х\s*(?=\d)|(?<!\w)х(?=\d+(?!\w))|(?<=\d)х(?!\w)")
# French storage, whose words mean something else in English: "512 Go", "1 To", but not "4 to 6".
_OCTETS: Final = re.compile(r"(?<![\w.,])(\d{1,4}) (?=[gt]o(?!\w)(?!\s*\d))")
# The next quantity follows at once: "8gb/256gb", "500ml+250ml", "33clx24".
_FOLLOWED: Final = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?([^\W\d_]{1,6})([/+*x])(?=\d)")
_INCH_WORDS: Final = "|".join(word for word, (_, _, base) in UNITS.items() if base == "in")
_INCH_FRACTION: Final = re.compile(
    r"(?<![\w./])(?:(\d{1,2})[ -])?(\d{1,2})/(\d{1,2})(?= ?(?:\"|''|(?:" + _INCH_WORDS + r")(?!\w)))"
)
# The sign of a power of lenses, alone before its number: "-2.50", "-1.5 dpt".
_MINUS: Final = re.compile(r"-(?<![^\s(/]-)(?=\d{1,2}\.\d{1,2}(?!\d)(?: dpt| d\b|\s*[^\sa-z\d]|\s+\d|\s*$))")
# A list with one unit: "600/475 mm", "9-14kg", "4 a 10 kg", "8/256 GB", "650 + 475 mm".
_LISTED: Final = re.compile(
    r"([0-9](?<![\w.,/+-][0-9])[0-9]{0,3}(?:\.[0-9]{1,3})?)( ?[-/+] ?| (?:a|to|bis|do|tot) )"
    r"(?:(\d{1,4}(?:\.\d{1,3})?)\2)?(\d{1,4}(?:\.\d{1,3})?)( ?)([^\W\d_]{1,12}|\"|'')(?![\w+])"
)
_RANGE: Final = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)-(\d{1,4}(?:\.\d{1,3})?)([^\W\d_]{1,12})")
# Italian and Spanish shops write the unit first, "kg 10", "lt. 1", where no number stands before it nor a unit behind;
# a German "Gr. 42" is a size.
_UNIT_FIRST: Final = re.compile(
    r"(?<![\w.])(?<!\d )(kg|ml|cl|lt|gr(?=\.? ?\d{3}))\.? ?(\d{1,4}(?:\.\d{1,3})?)(?= ?[-/,;)]?(?:$| (?!x\b|(?:"
    + "|".join(w for w in UNITS if w.isascii() and len(w) <= 2)
    + r")(?!\w))[^\W\d_]))"
)
_KELVIN: Final = re.compile(r"(?<![\w.])(\d{4}) k(?!\w)")
_SQUARE_MM: Final = re.compile(r"(?<=\d) ?mm2(?!\w)")
# "(3x) Soap" and "Soap (x3)" count; among the parts of a thing they may count anything.
_BRACKETED: Final = re.compile(r"^\s*\((?:x ?(\d{1,3})|(\d{1,3}) ?x)\)|\((?:x ?(\d{1,3})|(\d{1,3}) ?x)\)\s*$")
_JOINED: Final = re.compile(r"(\d+(?:\.\d+)?)([^\W\d_]+)")


def fold(text: str, limit: int = TITLE_LIMIT) -> str:
    """Lower case without accents, invisible characters, HTML and decimal commas; words apart at script changes."""
    text = text[: limit * 2]
    if "&" in text or "<" in text:
        text = _TAG.sub(" ", html.unescape(text))
    if not (text.isascii() and text.isprintable()):
        text = _fold_unicode(text)
    text = text.casefold()[:limit]
    if '"' in text:
        text = _QUOTED.sub('"', text)
    if " 000" in text:
        text = _ROUND_THOUSANDS.sub(r"\1", text)
    if "," in text or "." in text:
        text = _GROUPED.sub(_grouped, _LEADING_MARK.sub("0.", text))
    if "," in text:
        text = _DECIMAL_COMMA.sub(".", _THOUSANDS.sub("", _DOT_THOUSANDS.sub("", text)))
    return " ".join(text.split())


def _grouped(found: re.Match[str]) -> str:
    """A number with one mark before three digits: thousands of a small unit, decimals of a large one."""
    whole, digits, unit = found.groups()
    known = UNITS.get(unit)
    if known is None or (whole == "0" and "," not in found[0]):
        return found[0]
    small = known[1] <= 1 and unit not in _DIVIDED and whole != "0"
    between = "" if small else "."
    return found[0].replace(found[0][: len(whole) + 4], f"{whole}{between}{digits}", 1)


def _fold_unicode(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.translate(_LETTERS)).casefold()
    text = _MARKS.sub("", unicodedata.normalize("NFD", text)).translate(_LETTERS)  # "ǣ" is a ligature below its mark
    text = unicodedata.normalize("NFC", text)
    text = "".join(c for c in text if c.isprintable() or c.isspace())
    if "х" in text:
        text = _CYRILLIC_TIMES.sub("x", text)
    return _SCRIPTS.sub(" ", text)


class Word(NamedTuple):
    """One token: its text and whether it is a plain word, a model code, a number or a quantity with its unit."""

    text: str
    kind: int


PLAIN, CODE, NUMBER, QUANTITY = 0, 1, 2, 3
# Unit words that are also everyday words count as units only when written against their number ("2 in 1", "4 to 6").
SPOKEN: Final = frozenset({"in", "to", "go"})
#: What may be the unit of a number before it.
UNITS_AFTER: Final = frozenset(UNITS) - SPOKEN
# Units that are their own base and yet come with three decimals ("1.125 in").
_DIVIDED: Final = frozenset(word for word, (_, _, base) in UNITS.items() if base in ("in", "oz"))

_ABBREVIATED: Final = {w for w in PACK_WORDS | COUNT_WORDS | SIZE_WORDS if len(w) <= 5} | {"no", "nr", "num"}


class Quantity(NamedTuple):
    """A number with its unit, as a dimension's number in `lexicon.DIMENSIONS` and a value in its base unit."""

    dimension: int
    value: float


def raw_tokens(folded: str) -> list[str]:
    """Split folded text into tokens; units stand next to their number as one token, codes keep their inner marks."""
    text = folded
    if "/" in text:
        text = _INCH_FRACTION.sub(_decimal, text)
    # Each replacement looks for a rare sign first: most titles need none of them.
    if "oz" in text or "ounce" in text or "onzas" in text:
        text = _FLUID.sub("floz", text)
    if "sq" in text:
        text = _SQUARE.sub("sqft", text)
    if "cu" in text or "ft3" in text or "ft 3" in text:
        text = _CUBIC.sub("cuft", text)
    if "b/s" in text or "t/s" in text or "bps" in text or "tps" in text:
        text = _RATE.sub(r"\1ps", text)
    if " to" in text or " go" in text:
        text = _OCTETS.sub(r"\1", text)
    if "0 k" in text:
        text = _KELVIN.sub(r"\1k", text)
    if "kg " in text or "ml " in text or "cl " in text or " lt" in text or " gr " in text or "g. " in text:
        text = _UNIT_FIRST.sub(r"\2\1", text)
    if "mm2" in text:
        text = _SQUARE_MM.sub("qmm", text)
    if " c/ " in text:
        text = text.replace(" c/ ", " c/")
    if "-" in text or "/" in text or "+" in text or " a " in text or " to " in text or " bis " in text:
        text = _LISTED.sub(_each, text)
    if "x)" in text or "(x" in text:
        text = _BRACKETED.sub(_in_pack, text)
    if "x" in text or "*" in text:
        text = _MULTIPLY.sub(" x ", text)
    if "/" in text or "+" in text or "x" in text or "*" in text:
        text = _FOLLOWED.sub(_apart, text)
    if "-" in text:
        text = _MINUS.sub("minus ", text)
    found: list[str] = _TOKEN.findall(text)
    if to_respell(text, found):
        text = respelt(text)
        found = _TOKEN.findall(text)
    if '"' in text or "'" in text:
        return [m.replace('"', "in").replace("''", "in").replace(" ", "") for m in found]
    return found


def _decimal(found: re.Match[str]) -> str:
    """A fraction of an inch with its decimal behind it: as it stands it meets those that are written without a unit."""
    whole, part, of = int(found[1] or 0), int(found[2]), int(found[3])
    return f"{found[0]} {whole + part / of:.6g}" if 0 < part < of else found[0]


def _apart(found: re.Match[str]) -> str:
    number, unit, mark = found.groups()
    if unit not in UNITS or unit in SPOKEN:
        return found[0]
    return f"{number}{unit} x " if mark in "*x" else f"{number}{unit} "


def _each(found: re.Match[str]) -> str:
    """A list with one unit, which each of its numbers has; a range in one spelling, "9-14kg"."""
    first, between, more, last, _, unit = found.groups()
    unit = "in" if unit in ('"', "''") else unit
    known = UNITS.get(unit)
    network = between == "/" and unit == "m"  # "10/100M"
    if known is None or network or found[6] in SPOKEN or not _is_list(between, float(first), float(last), known[2]):
        return found[0]
    if between.strip() in "/+" or more:
        return " ".join(f"{number}{unit}" for number in (first, more, last) if number)
    return f"{first}-{last}{unit}"


def _is_list(between: str, first: float, last: float, unit: str) -> bool:
    """Whether two numbers with this mark between them are two values, and neither a fraction nor a name and a size."""
    mark = between.strip()
    if unit == "gb":  # "Phone 12-128 GB"
        return mark == "/" or between == "+"
    if mark == "/":  # "1/2 kg" is half a kilogram
        return not (first < last and (last <= 8 or (unit == "in" and last in (16, 32, 64))))
    return mark not in "-+" or between == mark or first < 3 * last < 9 * first


def _in_pack(found: re.Match[str]) -> str:
    """A count in brackets, as a pack of so many."""
    return f" {next(filter(None, found.groups()))} pack "


def number_text(value: float) -> str:
    """A number in its shortest exact spelling: 1.50 is "1.5", 2.0 is "2"."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def _unit_token(number: str, unit: str) -> tuple[str, Quantity] | None:
    known = UNITS.get(unit)
    if known is None or len(number) > 12:
        return None
    dimension, factor, base = known
    value = float(number) * factor
    # As many digits as are exact, small ones too: 60 Hz is not 0 MHz.
    return number_text(float(f"{value:.9g}")) + base, Quantity(dimension, value)


class Piece(NamedTuple):
    """What one token says: its words, the quantity it is, its raw parts, and whether it used the token after it."""

    words: tuple[Word, ...]
    quantity: Quantity | None
    plain: tuple[str, ...]
    took_next: bool


@lru_cache(maxsize=20_000)
def piece(token: str, following: str) -> Piece:
    """Read one token. `following` matters only behind a digit, and where it is one of UNITS_AFTER."""
    if token[0].isdigit():
        return _number(token, following)
    head, dot, rest = token.partition(".")
    if dot and rest and head in _ABBREVIATED:
        return _abbreviated(head, piece(rest, ""))
    return Piece(tuple(_worded(token)), None, (token,), False)


def words(folded: str) -> tuple[list[Word], list[Quantity], list[str]]:
    """The words of folded text, its quantities, and its raw tokens in order (numbers apart from their units)."""
    found: list[Word] = []
    quantities: list[Quantity] = []
    plain: list[str] = []
    tokens = raw_tokens(folded)
    skip = False
    for position, token in enumerate(tokens[:MAX_WORDS]):
        if skip:
            skip = False
            continue
        read = piece(token, tokens[position + 1] if position + 1 < len(tokens) else "")
        found.extend(read.words)
        plain.extend(read.plain)
        if read.quantity:
            quantities.append(read.quantity)
        skip = read.took_next
    return found, quantities, plain


def _number(token: str, following: str) -> Piece:
    """Read a token that starts with a digit, with the unit in it or after it."""
    joined = _JOINED.fullmatch(token)
    if joined:
        unit = _unit_token(joined[1], joined[2])
        if unit:
            return Piece((Word(unit[0], QUANTITY),), unit[1], (joined[1], joined[2]), False)
    if "-" in token and (compound := _ranged(token) or _measured(token)):
        return compound
    if token.replace(".", "", 1).isdigit() and token.isascii():
        unit = _unit_token(token, following) if following in UNITS_AFTER else None
        if unit:
            return Piece((Word(unit[0], QUANTITY),), unit[1], (token, following), True)
        # Five digits and more may be a part number, whose leading zeros count.
        code = len(token) >= 5 and "." not in token
        word = Word(token if code or len(token) > 12 else number_text(float(token)), CODE if code else NUMBER)
        return Piece((word,), None, (token,), False)
    if joined and "." in joined[1]:
        # A decimal with a unit that is not known is one word: its digits behind the point are no model.
        text = number_text(float(joined[1])) + joined[2] if len(joined[1]) <= 12 else token
        return Piece((Word(text, PLAIN),), None, (token,), False)
    if joined and joined[2] == "er" and len(joined[1]) == 4:  # "2019er Riesling"
        return Piece((Word(joined[1], NUMBER),), None, joined.groups(), False)
    parts = (token,) if joined is None or token in SIZES else tuple(joined.groups())
    return Piece(tuple(_worded(token)), None, parts, False)


def _abbreviated(head: str, rest: Piece) -> Piece:
    """An abbreviation written against what follows it: "Gr.42", "conf.da 6"."""
    return Piece((Word(head, PLAIN), *rest.words), rest.quantity, (head, *rest.plain), False)


def _ranged(token: str) -> Piece | None:
    """A range with its unit, "24-70mm": as a quantity it is its upper end; a thing of its lower end is another."""
    found = _RANGE.fullmatch(token)
    unit = _unit_token(found[2], found[3]) if found else None
    if found is None or unit is None:
        return None
    whole = Word(f"{found[1]}{found[2]}{found[3]}".replace(".", ""), PLAIN)
    first = Word(number_text(float(found[1])), NUMBER)
    return Piece((whole, first, Word(unit[0], QUANTITY)), unit[1], (f"{found[1]}-{found[2]}", found[3]), False)


def _measured(token: str) -> Piece | None:
    """A token whose first parts are a quantity: "500-ml", "500-ml-flasche", "18v-akku"; None for "4-in-1" and codes."""
    head, *rest = token.split("-")
    joined = _JOINED.fullmatch(head)
    if joined:
        number, word = joined.groups()
    elif head.replace(".", "", 1).isdigit():
        number, word, *rest = (head, *rest)
    else:
        return None
    unit = _unit_token(number, word)
    if unit is None or (rest and (word in SPOKEN or not all(part.isalpha() for part in rest))):
        return None
    more = (word for part in rest for word in _worded(part))
    return Piece((Word(unit[0], QUANTITY), *more), unit[1], (number, word, *rest), False)


def _worded(token: str) -> Iterator[Word]:
    """The words in one token: a code joined and in parts, compounds in parts, ideographs as pairs."""
    if token.isascii():
        bare = token.replace("'", "").rstrip("+") or token
        if not bare.isalnum():
            yield from _compound(bare)
            return
        yield Word(bare, _kind(bare))
        if bare in ROMAN:
            yield Word(ROMAN[bare], NUMBER)
    elif _CJK.search(token):
        yield from (Word(token[i : i + 2], PLAIN) for i in range(max(1, len(token) - 1)))
    else:
        yield from (Word(part, PLAIN) for part in re.split(r"[-/._+']", token) if part)


def _compound(token: str) -> Iterator[Word]:
    parts = [p for p in re.split(r"[-/._+]", token) if p]
    whole = "".join(parts)
    counting = _COUNTING.fullmatch(token) is not None
    # "010-10723-02" is a part number, "2019/2020" and "14-16-16" are not.
    dated = whole.isdigit() and ("/" in token or len(whole) < 7)
    if _kind(whole) == CODE and len(whole) <= 24 and not (counting or dated):
        yield Word(whole, CODE)
        before_slash = "".join(p for p in re.split(r"[-._+]", token.split("/")[0]) if p)
        if before_slash != whole and is_code(before_slash):
            yield Word(before_slash, CODE)
    elif len(whole) <= 24 and (counting or len(parts) == 2):
        yield Word(whole, PLAIN)
    yield from (Word(part, _kind(part)) for part in parts)


_COUNTED: Final = re.compile(r"\d{1,3}(er)?([^\W\d_]*)")
# What counts something is no model either: "7-cycle", "24-port", "3-in-1", "24x".
_COUNTING: Final = re.compile(r"c/\d{1,3}|\d{1,3}-[a-z]{4,}|\d{1,2}-in-\d{1,2}|\d{1,2}in\d{1,2}|\d{1,3}x")


def _kind(token: str) -> int:
    counted = _COUNTED.fullmatch(token) if token[0].isdigit() and not token.isdigit() else None
    if counted and (counted[2] in PACK_WORDS or counted[2] in COUNT_WORDS or (counted[1] and not counted[2])):
        return PLAIN  # "6er", "12pack": no model
    if token[0].isdigit() and (_COUNTING.fullmatch(token) or token in SIZES):
        return PLAIN
    if is_code(token):
        return CODE
    return NUMBER if token.isdigit() else PLAIN
