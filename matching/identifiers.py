"""Identifiers: the key that links exactly, the near-miss key, GTINs with their check digit, and model codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from matching.wording import phrase

# Unicode property White_Space=Yes (PropList.txt of the Unicode character database), and U+FEFF.
# str.strip() alone would also take U+001C..U+001F, which are not white space there.
WHITE_SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_NO_SPACE: Final = dict.fromkeys(map(ord, WHITE_SPACE))
_APOSTROPHES: Final = "'’‘`´"
_DASHES: Final = re.compile(r"[-_\u2010-\u2015\u2212\uff0d\uff3f\u00ad/.,;:|\\+*#()\[\]{}]")
_EXCEL_ZERO: Final = re.compile(r"(?<=\d)\.0+$")
_EXCEL_ZEROS: Final = re.compile(_EXCEL_ZERO.pattern, re.MULTILINE)
_LEADING_ZEROS: Final = re.compile(r"^0+(?=.)")
_EXPLAINED: Final = 2_000  # characters of a SKU up to which it is said what differs: nobody reads longer ones
_GTIN_LENGTHS: Final = (8, 12, 13, 14)
_GTIN_READ: Final = 200  # characters of a text in which a number is looked for


def match_key(text: str) -> str:
    """The key by which a listing links to a product by itself: NFC of the text, trimmed at both ends only."""
    text = text.strip(WHITE_SPACE)
    return text if text.isascii() else unicodedata.normalize("NFC", text).strip(WHITE_SPACE)


def _invisible(char: str) -> bool:
    hidden = unicodedata.category(char) in ("Cf", "Cc", "Mn") and not unicodedata.combining(char)
    return hidden and char not in WHITE_SPACE


class _Unseen(dict[int, int | None]):
    """What `str.translate` does with each character: None for an invisible one, found out when it first occurs."""

    def __missing__(self, code: int) -> int | None:
        found = self[code] = None if _invisible(chr(code)) else code
        return found


_UNSEEN: Final = _Unseen()


def _without_invisible(text: str) -> str:
    return text if text.isascii() and text.isprintable() else text.translate(_UNSEEN)


def _plain_width(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _without_space(text: str) -> str:
    return text.translate(_NO_SPACE)


def _without_apostrophe(text: str) -> str:
    return text.lstrip(_APOSTROPHES)


def _without_dashes(text: str) -> str:
    return _DASHES.sub("", text)


_ASCII_UNSEEN: Final = {i: None for i in range(128) if chr(i) in WHITE_SPACE or not chr(i).isprintable()}
_LINE_UNSEEN: Final = {i: None for i in _ASCII_UNSEEN if chr(i) != "\n"}
_ASCII_DASHES: Final = {i: None for i in range(128) if _DASHES.match(chr(i))}

# One step removes one kind of typing difference. The order matters: '.0' has to go before the dots do.
_STEPS: Final = (
    ("invisible", phrase("differ only by an invisible character"), _without_invisible),
    ("width", phrase("differ only by full-width or compatibility characters"), _plain_width),
    ("case", phrase("differ only by case"), str.casefold),
    ("spaces", phrase("differ only by spaces"), _without_space),
    ("apostrophe", phrase("differ only by a leading apostrophe"), _without_apostrophe),
    ("excel_zero", phrase("differ only by the “.0” that spreadsheets add"), lambda t: _EXCEL_ZERO.sub("", t)),
    ("dash", phrase("differ only by a dash, underscore or other mark"), _without_dashes),
    ("leading_zero", phrase("differ only by leading zeros"), lambda t: _LEADING_ZEROS.sub("", t)),
)


def loose_key(text: str) -> str:
    """The key under which near misses meet: what is left when every typing difference is taken away.

    Equal loose keys are a reason to ask a person, never to link. Two keys that are all marks give "".
    """
    if text.isascii():
        return _loose_ascii(text)
    for _, _, step in _STEPS:
        text = step(text)
    # Case folding may leave a text that is not composed (U+0130), and taking marks away may join what composes.
    return unicodedata.normalize("NFKC", text)


def _loose_ascii(text: str) -> str:
    """The same steps where only ASCII can occur: nearly every SKU, in a tenth of the time."""
    text = text.translate(_ASCII_UNSEEN).lower().lstrip(_APOSTROPHES)
    if "." in text:
        text = _EXCEL_ZERO.sub("", text)
    text = text.translate(_ASCII_DASHES)
    return text.lstrip("0") or text[-1:]


def loose_keys(texts: Sequence[str]) -> list[str]:
    """What `loose_key` gives for each of these texts; for a thousand plain SKUs in a sixth of the time."""
    lines = "\n".join(texts)
    if not lines.isascii() or lines.count("\n") != len(texts) - 1 or "'" in lines or "`" in lines:
        return [loose_key(text) for text in texts]
    lines = lines.translate(_LINE_UNSEEN).lower()
    if "." in lines:
        lines = _EXCEL_ZEROS.sub("", lines)
    return [text.lstrip("0") or text[-1:] for text in lines.translate(_ASCII_DASHES).split("\n")]


#: Every reason that `near_miss` may give.
NEAR_REASONS: Final = (*(reason for reason, _, _ in _STEPS), "several")


class NearMiss(NamedTuple):
    """Why two SKUs are almost equal: a stable reason id and the words a person reads."""

    reason: str
    words: str


def near_miss(ours: str, theirs: str) -> NearMiss | None:
    """Why two keys differ although they mean the same; None when they are equal, empty or truly different.

    The reason names the single kind of difference when one explains it, otherwise "several".
    """
    reason = near_reason(ours, theirs)
    if reason is None:
        return None
    words = next((words for known, words, _ in _STEPS if known == reason), None)
    a, b = match_key(ours), match_key(theirs)
    return NearMiss(reason, words or (_several(a, b) if max(len(a), len(b)) <= _EXPLAINED else _TYPING))


def near_reason(ours: str, theirs: str) -> str | None:
    """The reason id alone, one of NEAR_REASONS: what many pairs of SKUs are grouped by."""
    a, b = match_key(ours), match_key(theirs)
    loose = loose_key(a)
    if a == b or not loose or loose != loose_key(b):
        return None
    if max(len(a), len(b)) > _EXPLAINED:
        return "several"
    plain = a.isascii() and b.isascii()
    for reason, _, step in _STEPS:
        if not (plain and step is _plain_width) and step(a) == step(b):
            return reason
    return "several"


def _several(a: str, b: str) -> str:
    """Name every kind of difference between two keys that need more than one step to meet."""
    found = []
    for reason, _, step in _STEPS:
        before, (a, b) = (a, b), (step(a), step(b))
        if before != (a, b) and (a == before[0]) != (b == before[1]):
            found.append(_SHORT[reason])
    if len(found) > 3:
        return phrase(
            "differ only by {first} and {second} and {third} and {others}",
            first=found[0], second=found[1], third=found[2], others=" and ".join(found[3:]),
        )  # fmt: skip
    if len(found) == 3:
        first, second, third = found
        return phrase("differ only by {first} and {second} and {third}", first=first, second=second, third=third)
    if len(found) == 2:
        return phrase("differ only by {first} and {second}", first=found[0], second=found[1])
    return phrase("differ only by {difference}", difference=found[0]) if found else _TYPING


_TYPING: Final = phrase("differ only by {difference}", difference=phrase("typing"))


_SHORT: Final = {
    "invisible": phrase("an invisible character"), "width": phrase("character width"), "case": phrase("case"),
    "spaces": phrase("spaces"), "apostrophe": phrase("an apostrophe"), "excel_zero": "“.0”",
    "dash": phrase("dashes or marks"), "leading_zero": phrase("leading zeros"),
}  # fmt: skip


class Gtin(NamedTuple):
    """A trade item number: `digits` as 14, whether its check digit holds, and what was done to read it."""

    digits: str
    valid: bool
    note: str = ""


def check_digit(body: str) -> int:
    """The GS1 check digit for the digits before it (GS1 General Specifications, section 7.9)."""
    return -sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(body))) % 10


def is_valid_gtin(digits: str) -> bool:
    """Whether these digits have a GTIN's length and a right check digit; all zeros is no number."""
    return (
        len(digits) in _GTIN_LENGTHS and digits.isascii() and digits.isdigit() and int(digits) > 0
        and check_digit(digits[:-1]) == int(digits[-1])
    )  # fmt: skip


def parse_gtin(text: str) -> Gtin | None:
    """Read a GTIN-8, -12, -13 or -14 (EAN, UPC, ISBN-10 or -13); None when there is no such number in the text.

    Spaces, dashes, invisible marks, a leading apostrophe and a spreadsheet's ".0" are taken away. Missing leading zeros
    are put back only when the check digit proves them. A number in scientific notation has lost its digits and gives
    None. Eight digits that prove to be a UPC-E are the UPC-A that they stand for.
    """
    raw = _without_invisible(text[:_GTIN_READ]).strip(WHITE_SPACE)
    raw = unicodedata.normalize("NFKC", raw).strip(WHITE_SPACE + _APOSTROPHES)
    if len(raw) > 40 or len(text) > _GTIN_READ or not raw.isascii():
        return None
    raw = re.sub(r"^(gtin|ean|upc(?:-[ae])?|isbn)[-: ]*(?:1[0-4]|8)?[-: ]+", "", raw.casefold())
    digits = re.sub(r"[\s-]", "", _EXCEL_ZERO.sub("", raw))
    if re.fullmatch(r"\d{9}[\dx]", digits) and _isbn10_valid(digits):
        body = "978" + digits[:9]
        return Gtin(f"{body}{check_digit(body)}".zfill(14), True, "ISBN-10 read as ISBN-13")
    if not digits.isdigit() or not digits.strip("0") or not 7 <= len(digits) <= 14:
        return None
    if len(digits) == 8 and (upc_a := _upc_a(digits)):
        return Gtin(upc_a.zfill(14), True, "UPC-E read as UPC-A")
    padded = digits.zfill(14)
    if len(digits) in _GTIN_LENGTHS:
        return Gtin(padded, check_digit(padded[:-1]) == int(padded[-1]))
    if check_digit(padded[:-1]) == int(padded[-1]):
        return Gtin(padded, True, "leading zeros put back")
    return None


def _upc_a(digits: str) -> str:
    """The UPC-A that a UPC-E stands for (GS1 General Specifications, section 5.2.2.4); "" where it is none."""
    system, body, last = digits[0], digits[1:7], digits[6]
    if system not in "01":
        return ""
    if last in "012":
        whole = f"{body[:2]}{last}0000{body[2:5]}"
    elif last in "34":
        kept = int(last)
        whole = f"{body[:kept]}00000{body[kept:5]}"
    else:
        whole = f"{body[:5]}0000{last}"
    whole = system + whole
    return whole + digits[7] if check_digit(whole) == int(digits[7]) else ""


def _isbn10_valid(text: str) -> bool:
    values = [10 if c == "x" else int(c) for c in text]
    return sum(v * (10 - i) for i, v in enumerate(values)) % 11 == 0


def gtin_distance_one(a: str, b: str) -> bool:
    """Whether two GTINs differ by one wrong digit, or by two neighbouring digits that changed places."""
    if len(a) != len(b):
        return False
    wrong = [i for i in range(len(a)) if a[i] != b[i]]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        return a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]
    return len(wrong) == 1


def gtin_neighbours(digits: str) -> list[str]:
    """Every GTIN that differs from this one as `gtin_distance_one` says; "000…" is none."""
    found = []
    for i, digit in enumerate(digits):
        found += [digits[:i] + other + digits[i + 1 :] for other in "0123456789" if other != digit]
        if i and digits[i - 1] != digit:
            found.append(digits[: i - 1] + digit + digits[i - 1] + digits[i + 1 :])
    return [each for each in found if each.strip("0")]


def repair_gtin(text: str, known: str) -> str | None:
    """The valid GTIN that `text` was meant to be, given a `known` valid one a single mistake away; None otherwise."""
    read, truth = parse_gtin(text), parse_gtin(known)
    if read is None or truth is None or read.valid or not truth.valid:
        return None
    return truth.digits if gtin_distance_one(read.digits, truth.digits) else None


_CODE_MARKS: Final = re.compile(r"[^0-9a-z]+")


def code_key(text: str) -> str:
    """A part number without case, spaces and marks: "DSC-W120/B" and "dscw120 b" give "dscw120b"."""
    return _CODE_MARKS.sub("", unicodedata.normalize("NFKC", text[:200]).casefold())


def is_code(token: str) -> bool:
    """Whether a lower-case token looks like a model code: letters and digits together, or five digits and more."""
    if len(token) < 3 or token.isalpha() or not (token.isascii() and token.isalnum()):
        return False
    return len(token) >= 5 or not token.isdigit()
