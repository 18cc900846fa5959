"""One small function for each field: both values, a verdict, and how much of the field's points the pair earns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.fuzz import ratio, token_set_ratio, token_sort_ratio

from matching.facts import COUNT, PACK, cup_of, size_shape, two_systems
from matching.identifiers import code_key, gtin_distance_one, loose_key, near_miss
from matching.marks import READ, differing_letters, differing_words
from matching.meanings import two_languages
from matching.measures import Quantities, agrees, as_much, quantity_text, rules_out, texts_of
from matching.money import one_currency
from matching.normalize import fold
from matching.records import NO_MARKS, Marks, Verdict
from matching.scripts import latin
from matching.sides import BRAND, COLOUR, COUNTS, GTIN, MODEL, OPTIONS, PRICE, SIZE, SKU, TITLE, Side, colour_names
from matching.spans import differing_plain
from matching.variants import kind_of, same_value, understood
from matching.wording import phrase

#: Points of a field when every field is given; fields that are silent leave their points to the others.
POINTS: Final = {
    "title": 40, "sku": 25, "gtin": 30, "model": 20, "brand": 10, "size": 10, "pack": 8, "colour": 6, "price": 10,
    "options": 8,
}  # fmt: skip
#: The order of fields on the screen.
FIELDS: Final = ("title", "sku", "gtin", "model", "brand", "size", "pack", "colour", "options", "price")
#: The highest score a pair may have when this field says that they are two products.
CAPS: Final = {"gtin": 49, "pack": 59, "size": 69, "options": 69}
# What fields say beside their values, made once.
_UNREADABLE_GTIN: Final = phrase("not a readable GTIN")
_WRONG_CHECK_DIGIT: Final = phrase("the check digit is wrong")
_ONE_WRONG_DIGIT: Final = phrase("one digit is wrong")
_A_WRONG_CHECK_DIGIT: Final = phrase("a check digit is wrong")
_TWO_ITEMS: Final = phrase("two valid numbers of different items")
_LONGEST_SIZE: Final = 4  # letters of a clothing size: “xxxl”
_IN_PIECES: Final = phrase("written in pieces")
_BEGINS: Final = phrase("one code begins the other")
_IN_TITLE: Final = phrase("named in the title")
_CALLED_SO: Final = phrase("a linked listing calls it so")
_TWO_CURRENCIES: Final = phrase("different currencies")
_PERHAPS_TWO_CURRENCIES: Final = phrase("perhaps different currencies")
_AS_MUCH: Final = phrase("as much in all")


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

    @property
    def counts(self) -> bool:
        """Whether there was something to compare."""
        return self.verdict is not _MISSING and self.verdict is not _UNUSED


_NOT_USED: Final = {field: Finding(field, Verdict.NOT_USED, "", "") for field in POINTS}
# Named here, since each look at an enumeration's member is a call.
_SAME, _CLOSE, _DIFFERS, _MISSING, _UNUSED = (
    Verdict.SAME, Verdict.CLOSE, Verdict.DIFFERS, Verdict.MISSING, Verdict.NOT_USED,
)  # fmt: skip


def _silent(field: str, ours: str, theirs: str) -> Finding:
    """Nothing to compare: missing when one side has a value, not used when neither has."""
    return Finding(field, _MISSING, ours, theirs) if ours or theirs else _NOT_USED[field]


def compare_sku(product: Side, listing: Side) -> Finding:
    """Equal keys, keys that differ by typing only, or how alike the keys are."""
    ours, theirs = product.sku, listing.sku
    if not ours or not theirs:
        return _silent("sku", ours, theirs)
    if ours == theirs:
        return Finding("sku", _SAME, ours, theirs, 1.0)
    if miss := near_miss(ours, theirs):
        return Finding("sku", _CLOSE, ours, theirs, 0.9, miss.words, differing_letters(ours, theirs))
    alike = ratio(loose_key(ours[:200]), loose_key(theirs[:200])) / 100
    close = alike >= 0.8
    return Finding(
        "sku", _CLOSE if close else _DIFFERS, ours, theirs, alike - 0.3 if close else 0.0,
        marks=differing_letters(ours, theirs),
    )  # fmt: skip


def compare_gtin(product: Side, listing: Side) -> Finding:
    """Equal numbers after padding; one wrong digit is close when a check digit fails; two valid numbers conflict."""
    ours, theirs = product.gtin_text, listing.gtin_text
    if not ours and not theirs:
        return _NOT_USED["gtin"]
    a, b = product.gtin, listing.gtin
    if a is None or b is None:
        note = _UNREADABLE_GTIN if (ours and a is None) or (theirs and b is None) else ""
        return Finding("gtin", _MISSING, ours, theirs, note=note)
    if a.digits == b.digits:
        return Finding("gtin", _SAME, ours, theirs, 1.0, "" if a.valid else _WRONG_CHECK_DIGIT)
    marks = differing_letters(ours, theirs)
    if not (a.valid and b.valid):
        if gtin_distance_one(a.digits, b.digits):
            return Finding("gtin", _CLOSE, ours, theirs, 0.7, _ONE_WRONG_DIGIT, marks)
        return Finding("gtin", _DIFFERS, ours, theirs, 0.0, _A_WRONG_CHECK_DIGIT, marks)
    return Finding("gtin", _DIFFERS, ours, theirs, 0.0, _TWO_ITEMS, marks, True)


def compare_model(product: Side, listing: Side) -> Finding:
    """Model codes and part numbers, joined or split; a code that begins the other is close."""
    shared = [c for c in product.codes if c in listing.codes]
    if shared:
        code = max(shared, key=lambda c: (len(c), c)).upper()
        return Finding("model", _SAME, code, code, 1.0)
    for codes, other in ((product.codes, listing), (listing.codes, product)):
        for code in codes:
            if len(code) >= 4 and code in other.compact and code in other.joined:
                return Finding("model", _SAME, code.upper(), code.upper(), 1.0, _IN_PIECES)
    ours, theirs = " ".join(product.codes).upper()[:80], " ".join(listing.codes).upper()[:80]
    if not ours or not theirs:
        return Finding("model", _MISSING, ours, theirs)
    best = max(((_begins(a, b), a, b) for a in product.codes for b in listing.codes), key=lambda t: t[0])
    if best[0]:
        one, two = best[1].upper(), best[2].upper()
        return Finding("model", _CLOSE, one, two, 0.8, _BEGINS, differing_letters(one, two))
    return Finding("model", _DIFFERS, ours, theirs)


def _begins(a: str, b: str) -> int:
    """How many letters the shorter code shares as the beginning of the longer, from 4 with a digit; else 0."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) < 4 or not long.startswith(short):
        return 0
    return len(short) if any(c.isdigit() for c in short) and not short.isdigit() else 0


def compare_title(product: Side, listing: Side) -> Finding:
    """Words in any order (token_sort) and the words that both have (token_set).

    A product is called what its linked listings call it too: the name that is most alike counts.
    """
    ours, theirs = product.title, listing.title
    a, b = product.text, listing.text
    if not a or not b:
        return _silent("title", ours, theirs)
    if a == b:
        return Finding("title", _SAME, ours, theirs, 1.0)
    share = _alike(a, b)
    if product.aliases:
        named = max(_alike(alias, b) for alias in product.aliases)
        if named > share:
            verdict = _SAME if b in product.aliases else _CLOSE if named >= 0.6 else _DIFFERS
            return Finding("title", verdict, ours, theirs, named * named, _CALLED_SO)
    return Finding("title", _CLOSE if share >= 0.6 else _DIFFERS, ours, theirs, share * share)


def _alike(a: str, b: str) -> float:
    return (token_sort_ratio(a, b) + token_set_ratio(a, b)) / 200


def mark_titles(pairs: Sequence[tuple[Side, list[Finding]]], listing: Side) -> None:
    """Mark the differing words of each product's title and the listing's where `findings` put one first."""
    titles, plain = [], []
    theirs = listing.title[:READ]
    is_plain = theirs.isascii()
    for product, said in pairs:
        title = said[0] if said else _NOT_USED["title"]
        if title.field == "title" and (title.verdict is _CLOSE or title.verdict is _DIFFERS):
            ours = product.title[:READ]
            if is_plain and ours.isascii():
                titles.append(title)
                plain.append(ours)
            else:
                title.marks = differing_words(product.spelt, listing.spelt)
    if plain:
        for title, marks in zip(titles, differing_plain(plain, theirs), strict=True):
            title.marks = marks


@lru_cache(maxsize=20_000)
def _brand_key(text: str) -> str:
    """A brand in one piece, as titles are."""
    folded = fold(text, 120)
    return code_key(folded) or folded.replace(" ", "")


@lru_cache(maxsize=20_000)
def _two_brands(ours: str, theirs: str) -> Finding:
    a, b = _brand_key(ours), _brand_key(theirs)
    two_scripts = a.isascii() != b.isascii()
    if two_scripts:
        a, b = latin(a), latin(b)
    if a == b:
        return Finding("brand", _SAME, ours, theirs, 1.0)
    if a in b or b in a or ratio(a, b) >= 80 or set(fold(ours).split()) & set(fold(theirs).split()):
        return Finding("brand", _CLOSE, ours, theirs, 0.7, marks=differing_letters(ours, theirs))
    # In two scripts a brand may be spelt by its sound: nothing says that it is another.
    return Finding("brand", _MISSING if two_scripts else _DIFFERS, ours, theirs)


def compare_brand(product: Side, listing: Side) -> Finding:
    """Equal brands, or one side's brand named in the other title; two brands without a common word differ."""
    ours, theirs = product.brand, listing.brand
    if ours and theirs:
        return _two_brands(ours, theirs)
    brand, other = (ours, listing) if ours else (theirs, product)
    named = _brand_key(brand)
    if named and named in other.compact and named in other.joined:
        return Finding("brand", _SAME, brand, brand, 1.0, _IN_TITLE)
    return Finding("brand", _MISSING, ours, theirs)


def compare_size(product: Side, listing: Side) -> Finding:
    """Quantities with units, dimension by dimension, and clothing sizes.

    Another content is a conflict, and so are other measures of what is crossed ("130 x 180 cm").
    """
    if product.size and listing.size and product.size != listing.size:
        shown = _in_capitals(product.size), _in_capitals(listing.size)
        # Sizes of two systems, M and 38, may be the same: nothing says that they are not.
        words = size_shape(product.size) == "words"
        two = not (two_systems(product.size, listing.size) or (words and _two_languages(product, listing)))
        return Finding("size", _DIFFERS, *shown, conflict=True) if two else Finding("size", _MISSING, *shown)
    return _two_sizes(product.quantities, listing.quantities, product.size, listing.size)


@lru_cache(maxsize=20_000)
def _two_sizes(ours: Quantities, theirs: Quantities, our_size: str, their_size: str) -> Finding:
    """Quantities of both sides, whose clothing sizes are equal where both have one."""
    if not (ours or theirs or our_size or their_size):
        return _NOT_USED["size"]
    both = [d for d in ours if d in theirs and d not in (PACK, COUNT)]
    if our_size and their_size and not both:
        return Finding("size", _SAME, _in_capitals(our_size), _in_capitals(their_size), 1.0)
    texts = _size_text(ours, our_size), _size_text(theirs, their_size)
    if not both:
        return _silent("size", *texts)
    clash = [d for d in both if not agrees(d, ours[d], theirs[d])]
    if not clash:
        return Finding("size", _SAME, *texts, 1.0)
    clash = [d for d in clash if not as_much(d, ours, theirs)]
    if not clash:
        return Finding("size", _CLOSE, *texts, 0.5, _AS_MUCH)
    ruled_out = [d for d in clash if rules_out(d, ours[d], theirs[d])]
    worst = min(ruled_out or clash)
    shown = texts_of(worst, ours[worst]), texts_of(worst, theirs[worst])
    share = 1 - len(clash) / len(both)
    verdict = _CLOSE if share >= 0.5 and not ruled_out else _DIFFERS
    return Finding("size", verdict, *shown, share if verdict is _CLOSE else 0.0, conflict=bool(ruled_out))


def _in_capitals(size: str) -> str:
    """Letters of clothing sizes in capitals; units and words stay as they are: “Lined” may be a size of notebooks."""
    if cup_of(size):
        return size.replace(" ", "").upper()
    return size.upper() if len(size) <= _LONGEST_SIZE and " " not in size else size


@lru_cache(maxsize=20_000)
def _size_text(quantities: Quantities, size: str) -> str:
    """The size and the quantities of a side as people write them."""
    texts = [quantity_text(d, v) for d, values in quantities.items() if d not in (PACK, COUNT) for v in values]
    return ", ".join(dict.fromkeys(([_in_capitals(size)] if size else []) + texts))


def compare_pack(product: Side, listing: Side) -> Finding:
    """How many units are sold together; a single unit that nobody mentions is silence, not one.

    "Pack of 6 pieces" may be six or one of six: it is the same as six pieces, and as a pack of six.
    """
    return _two_counts(product.quantities, listing.quantities)


@lru_cache(maxsize=20_000)
def _two_counts(ours: Quantities, theirs: Quantities) -> Finding:
    if not (PACK in ours or COUNT in ours or PACK in theirs or COUNT in theirs):
        return _NOT_USED["pack"]
    both = [d for d in (PACK, COUNT) if d in ours and d in theirs]
    if not both:
        ours_text, theirs_text = (", ".join(texts_of(d, s[d]) for d in (PACK, COUNT) if d in s) for s in (ours, theirs))
        if any(n > 1 and n in b.get(COUNT, ()) for a, b in ((ours, theirs), (theirs, ours)) for n in a.get(PACK, ())):
            return Finding("pack", _SAME, ours_text, theirs_text, 1.0)
        return _silent("pack", ours_text, theirs_text)
    agree = [d for d in both if agrees(d, ours[d], theirs[d])]
    if agree and (_as_packs(ours) or _as_packs(theirs)):
        both = agree
    told = next((d for d in both if d not in agree), both[0])
    texts = texts_of(told, ours[told]), texts_of(told, theirs[told])
    same = told in agree
    if not same and as_much(told, ours, theirs):
        return Finding("pack", _CLOSE, *texts, 0.5, _AS_MUCH)
    return Finding("pack", _SAME if same else _DIFFERS, *texts, float(same), conflict=not same)


def _as_packs(quantities: Quantities) -> bool:
    """Whether one number counts packs as well as pieces."""
    return any(n in quantities.get(COUNT, ()) for n in quantities.get(PACK, ()))


def compare_colour(product: Side, listing: Side) -> Finding:
    """The colours named, whatever the language."""
    return _two_colours(product.colour_mask, listing.colour_mask)


@lru_cache(maxsize=20_000)
def _two_colours(a: int, b: int) -> Finding:
    ours, theirs = colour_names(a), colour_names(b)
    if not a or not b:
        return Finding("colour", _MISSING, ours, theirs)
    if a == b:
        return Finding("colour", _SAME, ours, theirs, 1.0)
    return Finding("colour", _CLOSE if a & b else _DIFFERS, ours, theirs, 0.5 if a & b else 0.0)


def compare_price(product: Side, listing: Side) -> Finding:
    """Prices in the same currency: equal within 1 %, close within 30 %.

    Where nobody can know whether it is the same one, prices that are close count, and others say nothing.
    """
    a, b = product.price, listing.price
    ours, theirs = product.price_text, listing.price_text
    if a <= 0 or b <= 0:
        return _silent("price", ours, theirs)
    one = one_currency(product.currency, listing.currency)
    if one is False:
        return Finding("price", _UNUSED, ours, theirs, note=_TWO_CURRENCIES)
    ratio = min(a, b) / max(a, b)
    if ratio >= 0.99:
        return Finding("price", _SAME, ours, theirs, 1.0)
    if one is None and ratio < 0.7:
        return Finding("price", _UNUSED, ours, theirs, note=_PERHAPS_TWO_CURRENCIES)
    return Finding("price", _CLOSE if ratio >= 0.7 else _DIFFERS, ours, theirs, ratio if ratio >= 0.5 else 0.0)


def compare_options(product: Side, listing: Side) -> Finding:
    """Variant options that both sides name, whatever the language, but for sizes and colours that have a field already.

    A colour without a name in the lexicon may be a translation: it differs, and rules nothing out. Nor do other words
    that are not known, when the two sides are in different languages.
    """
    if not product.options or not listing.options:
        return _NOT_USED["options"]
    theirs = {kind_of(name): value for name, value in listing.options.items()}
    pairs = [
        (kind, value, theirs[kind])
        for kind, value in ((kind_of(name), value) for name, value in product.options.items())
        if kind in theirs and not _has_field(kind, product, listing)
    ]
    if not pairs:
        return _NOT_USED["options"]
    said = [same_value(kind, a, b) for kind, a, b in pairs]
    texts = ", ".join(a for _, a, _ in pairs), ", ".join(b for _, _, b in pairs)
    worst = _DIFFERS if _DIFFERS in said else _CLOSE if _CLOSE in said else _SAME
    other = [(a, b) for v, (kind, a, b) in zip(said, pairs, strict=True) if v is _DIFFERS and kind != "colour"]
    sure = bool(other) and (any(understood(a, b) for a, b in other) or not _two_languages(product, listing))
    if other and not sure:
        return Finding("options", _MISSING, *texts)
    return Finding("options", worst, *texts, {_SAME: 1.0, _CLOSE: 0.5}.get(worst, 0.0), conflict=sure)


def _two_languages(product: Side, listing: Side) -> bool:
    names = [{kind_of(name): name for name in side.options} for side in (product, listing)]
    return two_languages(product.text, listing.text, *names)


def _has_field(kind: str, product: Side, listing: Side) -> bool:
    """Whether an option is compared by the field of sizes or that of colours."""
    return kind == "size" or (kind == "colour" and bool(product.colour_mask) and bool(listing.colour_mask))


def findings(product: Side, listing: Side) -> list[Finding]:
    """What each field says about a pair, in the order of the screen, but for those that neither side gives.

    A finding may be shared by many pairs, except that of the title, whose words `mark_titles` marks.
    """
    given = product.given | listing.given
    compared = _COMPARED.get(given)
    if compared is None:
        compared = _COMPARED[given] = tuple(compare for bit, compare in _COMPARISONS.items() if given & bit)
    return [f for compare in compared if (f := compare(product, listing)).verdict is not _UNUSED or f.note]


#: Each comparison, in the order of FIELDS, by the bit of `Side.given` that says that there may be something to compare.
_COMPARISONS: Final = {
    TITLE: compare_title, SKU: compare_sku, GTIN: compare_gtin, MODEL: compare_model, BRAND: compare_brand,
    SIZE: compare_size, COUNTS: compare_pack, COLOUR: compare_colour, OPTIONS: compare_options, PRICE: compare_price,
}  # fmt: skip
_COMPARED: dict[int, tuple[Callable[[Side, Side], Finding], ...]] = {}
