"""One small function for each field: both values, a verdict, and how much of the field's points the pair earns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rapidfuzz import fuzz

from matching.facts import COUNT, PACK, colour_mask, counts, size_of
from matching.identifiers import code_key, gtin_distance_one, loose_key, match_key, near_miss, parse_gtin
from matching.lexicon import COLOUR_NAMES, DIMENSION_ID, DIMENSIONS, OPTION_KINDS
from matching.marks import differing_letters, differing_words
from matching.normalize import CODE, Quantity, Word, fold, number_text, words
from matching.records import NO_MARKS, Marks, Record, Verdict

#: Points of a field when every field is given; fields that are silent leave their points to the others.
POINTS: Final = {
    "title": 40, "sku": 25, "gtin": 30, "model": 20, "brand": 10, "size": 10, "pack": 8, "colour": 6, "price": 10,
    "options": 8,
}  # fmt: skip
#: The highest score a pair may have when this field says that they are two products.
CAPS: Final = {"gtin": 49, "pack": 59, "size": 69, "options": 69}
#: Dimensions that say how much is sold: a conflict there makes another product, where another length or power may
#: be a detail that only one seller mentions.
_CONTENTS: Final = frozenset(DIMENSION_ID[n] for n in ("volume", "mass", "oz", "storage"))
_UNITS: Final = {
    "volume": ("ml", "l", 1000), "mass": ("g", "kg", 1000), "length": ("mm", "m", 1000), "storage": ("GB", "TB", 1024),
    "power": ("W", "kW", 1000), "voltage": ("V", "kV", 1000), "frequency": ("MHz", "GHz", 1000),
    "screen": ("in", "", 0),
    "energy": ("Wh", "kWh", 1000), "charge": ("mAh", "Ah", 1000), "resolution": ("MP", "", 0), "speed": ("rpm", "", 0),
    "area": ("sq ft", "", 0), "oz": ("oz", "", 0), "pack": ("in a pack", "", 0), "count": ("pieces", "", 0),
}  # fmt: skip


@dataclass(slots=True)
class Finding:
    """What one field says before points are shared out: `share` of its points, and whether it rules the pair out.

    Not frozen, since a hundred are made for every listing and frozen ones take four times as long.
    """

    field: str
    verdict: Verdict
    ours: str
    theirs: str
    share: float = 0.0
    note: str = ""
    marks: Marks = NO_MARKS
    conflict: bool = False


class Side:
    """One record with everything comparisons need, read once."""

    __slots__ = (
        "codes", "colour_mask", "colours", "folded", "gtin", "options", "plain", "quantities", "record", "size",
    )  # fmt: skip

    def __init__(self, record: Record) -> None:
        self.record = record
        self.folded = fold(record.title)
        extra = " ".join(f" {fold(v, 80)}" for v in record.options.values() if v)
        found, measured, plain = words(self.folded + extra)
        self.plain = plain if not extra else words(self.folded)[2]
        self.quantities = _by_dimension(dict.fromkeys([*measured, *counts(plain)]))
        self.codes = _codes(found, record)
        self.gtin = parse_gtin(record.gtin) if record.gtin else None
        self.size = size_of(self.plain, record.options)
        self.colour_mask = colour_mask(plain)
        self.colours = [name for i, name in enumerate(COLOUR_NAMES) if self.colour_mask >> i & 1]
        self.options = {fold(k, 60): v for k, v in record.options.items() if v}


def _codes(found: Sequence[Word], record: Record) -> dict[str, None]:
    codes = dict.fromkeys(w.text for w in found if w.kind == CODE)
    if key := code_key(record.mpn):
        codes[key] = None
    return codes


def _silent(field: str, ours: str, theirs: str) -> Finding:
    """Nothing to compare: missing when one side has a value, not used when neither has."""
    return Finding(field, Verdict.MISSING if ours or theirs else Verdict.NOT_USED, ours, theirs)


def compare_sku(product: Side, listing: Side) -> Finding:
    """Equal keys, keys that differ by typing only, or how alike the keys are."""
    ours, theirs = match_key(product.record.sku), match_key(listing.record.sku)
    if not ours or not theirs:
        return _silent("sku", ours, theirs)
    if ours == theirs:
        return Finding("sku", Verdict.SAME, ours, theirs, 1.0)
    if miss := near_miss(ours, theirs):
        return Finding("sku", Verdict.CLOSE, ours, theirs, 0.9, miss.words, differing_letters(ours, theirs))
    alike = fuzz.ratio(loose_key(ours[:200]), loose_key(theirs[:200])) / 100
    close = alike >= 0.8
    return Finding(
        "sku", Verdict.CLOSE if close else Verdict.DIFFERS, ours, theirs, alike - 0.3 if close else 0.0,
        marks=differing_letters(ours, theirs),
    )  # fmt: skip


def compare_gtin(product: Side, listing: Side) -> Finding:
    """Equal numbers after padding; one wrong digit is close when a check digit fails; two valid numbers conflict."""
    ours, theirs = product.record.gtin.strip(), listing.record.gtin.strip()
    a, b = product.gtin, listing.gtin
    if a is None or b is None:
        note = "not a readable GTIN" if (ours and a is None) or (theirs and b is None) else ""
        silent = _silent("gtin", ours, theirs)
        return Finding("gtin", silent.verdict, ours, theirs, note=note)
    if a.digits == b.digits:
        return Finding("gtin", Verdict.SAME, ours, theirs, 1.0, "" if a.valid else "the check digit is wrong")
    marks = differing_letters(ours, theirs)
    if not (a.valid and b.valid):
        if gtin_distance_one(a.digits, b.digits):
            return Finding("gtin", Verdict.CLOSE, ours, theirs, 0.7, "one digit is wrong", marks)
        return Finding("gtin", Verdict.DIFFERS, ours, theirs, 0.0, "a check digit is wrong", marks)
    return Finding("gtin", Verdict.DIFFERS, ours, theirs, 0.0, "two valid numbers of different items", marks, True)


def compare_model(product: Side, listing: Side) -> Finding:
    """Model codes and part numbers, joined or split; a code that begins the other is close."""
    ours, theirs = " ".join(product.codes), " ".join(listing.codes)
    shared = product.codes.keys() & listing.codes.keys()
    if shared:
        code = max(shared, key=lambda c: (len(c), c))
        return Finding("model", Verdict.SAME, code.upper(), code.upper(), 1.0)
    if not ours or not theirs:
        return _one_sided_model(product, listing, ours, theirs)
    pieces = _one_sided_model(product, listing, ours, ""), _one_sided_model(product, listing, "", theirs)
    for found in pieces:
        if found.verdict is Verdict.SAME:
            return found
    best = max(((_begins(a, b), a, b) for a in product.codes for b in listing.codes), key=lambda t: t[0])
    if best[0]:
        a, b = best[1].upper(), best[2].upper()
        return Finding("model", Verdict.CLOSE, a, b, 0.8, "one code begins the other", differing_letters(a, b))
    return Finding("model", Verdict.DIFFERS, ours.upper()[:80], theirs.upper()[:80])


def _one_sided_model(product: Side, listing: Side, ours: str, theirs: str) -> Finding:
    """A code on one side only: look for it in the other title, where it may be written in pieces."""
    codes, other = (product.codes, listing) if ours else (listing.codes, product)
    keys = [code_key(t) for t in other.plain[:60]]
    joined = {"".join(keys[i : i + n]) for n in (1, 2, 3) for i in range(len(keys))}
    for code in codes:
        if len(code) >= 4 and code in joined:
            return Finding("model", Verdict.SAME, code.upper(), code.upper(), 1.0, "written in pieces")
    return _silent("model", ours.upper()[:80], theirs.upper()[:80])


def _begins(a: str, b: str) -> int:
    """How many letters the shorter code shares as the beginning of the longer, from 4 with a digit; else 0."""
    short, long = sorted((a, b), key=len)
    usable = len(short) >= 4 and any(c.isdigit() for c in short) and not short.isdigit()
    return len(short) if usable and long.startswith(short) else 0


def compare_title(product: Side, listing: Side) -> Finding:
    """Words in any order (token_sort) weigh with the words that both have (token_set); differing words are marked."""
    ours, theirs = product.record.title.strip(), listing.record.title.strip()
    a, b = " ".join(product.plain), " ".join(listing.plain)
    if not a or not b:
        return _silent("title", ours, theirs)
    share = (fuzz.token_sort_ratio(a, b) + fuzz.token_set_ratio(a, b)) / 200
    if product.folded == listing.folded or a == b:
        return Finding("title", Verdict.SAME, ours, theirs, 1.0)
    verdict = Verdict.CLOSE if share >= 0.6 else Verdict.DIFFERS
    return Finding("title", verdict, ours, theirs, share * share, marks=differing_words(ours, theirs))


def compare_brand(product: Side, listing: Side) -> Finding:
    """Equal brands, or one side's brand named in the other title; two brands without a common word differ."""
    ours, theirs = product.record.brand.strip(), listing.record.brand.strip()
    if not ours and not theirs:
        return _silent("brand", "", "")
    if ours and theirs:
        a, b = code_key(ours) or fold(ours, 120), code_key(theirs) or fold(theirs, 120)
        if a == b:
            return Finding("brand", Verdict.SAME, ours, theirs, 1.0)
        if a in b or b in a or fuzz.ratio(a, b) >= 80 or set(fold(ours).split()) & set(fold(theirs).split()):
            return Finding("brand", Verdict.CLOSE, ours, theirs, 0.7, marks=differing_letters(ours, theirs))
        return Finding("brand", Verdict.DIFFERS, ours, theirs)
    brand, other = (ours, listing) if ours else (theirs, product)
    named = code_key(brand) or fold(brand, 120)
    if named and (named in (code_key(other.folded) or other.folded)):
        return Finding("brand", Verdict.SAME, ours or brand, theirs or brand, 1.0, "named in the title")
    return _silent("brand", ours, theirs)


def quantity_text(q: Quantity) -> str:
    """A quantity as people write it: (volume, 1500) is "1.5 l"."""
    small, large, factor = _UNITS[DIMENSIONS[q.dimension]]
    if factor and q.value >= factor:
        return f"{number_text(round(q.value / factor, 3))} {large}"
    return f"{number_text(round(q.value, 3))} {small}"


def _by_dimension(quantities: Iterable[Quantity]) -> dict[int, list[Quantity]]:
    out: dict[int, list[Quantity]] = {}
    for q in quantities:
        out.setdefault(q.dimension, []).append(q)
    return out


def _agree(a: Sequence[Quantity], b: Sequence[Quantity]) -> bool:
    return any(abs(x.value - y.value) <= 0.02 * max(x.value, y.value) for x in a for y in b)


def compare_size(product: Side, listing: Side) -> Finding:
    """Quantities with units, dimension by dimension, and clothing sizes; another content is a conflict."""
    ours, theirs = product.quantities, listing.quantities
    both = [d for d in ours if d in theirs and d not in (PACK, COUNT)]
    texts = _size_text(product, ours), _size_text(listing, theirs)
    if product.size and listing.size:
        same = product.size == listing.size
        if not same:
            return Finding("size", Verdict.DIFFERS, product.size.upper(), listing.size.upper(), conflict=True)
        if not both:
            return Finding("size", Verdict.SAME, product.size.upper(), listing.size.upper(), 1.0)
    if not both:
        return _silent("size", *texts)
    clash = [d for d in both if not _agree(ours[d], theirs[d])]
    if not clash:
        return Finding("size", Verdict.SAME, *texts, 1.0)
    worst = min(clash, key=lambda d: (d not in _CONTENTS, d))
    shown = ", ".join(map(quantity_text, ours[worst])), ", ".join(map(quantity_text, theirs[worst]))
    share = 1 - len(clash) / len(both)
    verdict = Verdict.CLOSE if share >= 0.5 and worst not in _CONTENTS else Verdict.DIFFERS
    return Finding("size", verdict, *shown, share if verdict is Verdict.CLOSE else 0.0, conflict=worst in _CONTENTS)


def _size_text(side: Side, found: dict[int, list[Quantity]]) -> str:
    texts = [quantity_text(q) for d, list_ in found.items() if d not in (PACK, COUNT) for q in list_]
    return ", ".join(dict.fromkeys(([side.size.upper()] if side.size else []) + texts))


def compare_pack(product: Side, listing: Side) -> Finding:
    """How many units are sold together; a single unit that nobody mentions is silence, not one."""
    ours, theirs = product.quantities, listing.quantities
    for dimension in (PACK, COUNT):
        a, b = ours.get(dimension, []), theirs.get(dimension, [])
        texts = ", ".join(map(quantity_text, a)), ", ".join(map(quantity_text, b))
        if a and b and not _agree(a, b):
            return Finding("pack", Verdict.DIFFERS, *texts, conflict=dimension == PACK)
        if a and b:
            return Finding("pack", Verdict.SAME, *texts, 1.0)
    shown = [", ".join(quantity_text(q) for d in (PACK, COUNT) for q in s.get(d, [])) for s in (ours, theirs)]
    return _silent("pack", *shown)


def compare_colour(product: Side, listing: Side) -> Finding:
    """The colours named, whatever the language."""
    ours, theirs = ", ".join(product.colours), ", ".join(listing.colours)
    if not ours or not theirs:
        return _silent("colour", ours, theirs)
    if product.colour_mask == listing.colour_mask:
        return Finding("colour", Verdict.SAME, ours, theirs, 1.0)
    common = product.colour_mask & listing.colour_mask
    return Finding("colour", Verdict.CLOSE if common else Verdict.DIFFERS, ours, theirs, 0.5 if common else 0.0)


def compare_price(product: Side, listing: Side) -> Finding:
    """Prices in the same currency, or where a currency is not given: equal within 1 %, close within 30 %."""
    a, b = product.record.price, listing.record.price
    ours, theirs = _money(product.record), _money(listing.record)
    if a is None or b is None or a <= 0 or b <= 0:
        return _silent("price", ours, theirs)
    one, two = product.record.currency.casefold(), listing.record.currency.casefold()
    if one and two and one != two:
        return Finding("price", Verdict.NOT_USED, ours, theirs, note="different currencies")
    ratio = float(min(a, b) / max(a, b))
    if ratio >= 0.99:
        return Finding("price", Verdict.SAME, ours, theirs, 1.0)
    verdict = Verdict.CLOSE if ratio >= 0.7 else Verdict.DIFFERS
    return Finding("price", verdict, ours, theirs, ratio if ratio >= 0.5 else 0.0)


def _money(record: Record) -> str:
    return f"{_plain(record.price)} {record.currency}".strip() if record.price is not None else ""


def _plain(price: Decimal) -> str:
    return f"{price:f}"


def compare_options(product: Side, listing: Side) -> Finding:
    """Variant options that both sides name, other than size and colour, which have fields of their own."""
    shared = [k for k in product.options if k in listing.options and k not in OPTION_KINDS]
    ours = ", ".join(product.options[k] for k in shared)
    theirs = ", ".join(listing.options[k] for k in shared)
    if not shared:
        return _silent("options", "", "")
    same = all(fold(product.options[k], 200) == fold(listing.options[k], 200) for k in shared)
    return Finding("options", Verdict.SAME if same else Verdict.DIFFERS, ours, theirs, float(same), conflict=not same)


def findings(product: Side, listing: Side) -> Iterator[Finding]:
    """What each field says about a pair, in the order of the screen."""
    yield compare_title(product, listing)
    yield compare_sku(product, listing)
    yield compare_gtin(product, listing)
    yield compare_model(product, listing)
    yield compare_brand(product, listing)
    yield compare_size(product, listing)
    yield compare_pack(product, listing)
    yield compare_colour(product, listing)
    yield compare_options(product, listing)
    yield compare_price(product, listing)
