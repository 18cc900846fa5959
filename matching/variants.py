"""Variants of one listing beside variants of one product: which of them are the same, told by their option values.

Names of options are paired by what they mean ("Talla" is a size), then by the values of pairs that are known. A
known pair also teaches its words: where "Salvia" was linked to "Sage", every other Salvia of the family is Sage.
Titles alone never make a pair; they may say an option that one side does not name, and then a person has to look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from matching.lexicon import OPTION_KINDS, SHADES, SIZES
from matching.meanings import meaning
from matching.normalize import fold
from matching.reading import read_short
from matching.records import Record, Verdict

LONGEST: Final = 80  # characters of an option that count
_ALIKE: Final = 88  # of 100, by rapidfuzz's ratio: a slip of the keyboard, to be looked at
_UNIT: Final = re.compile(r"(?<=\d)(?=[^\W\d_])")  # between a number and its unit
_AGREE: Final = 1e-6  # "0.75 l" is 750 ml but for the arithmetic


_SAME, _CLOSE, _DIFFERS = Verdict.SAME, Verdict.CLOSE, Verdict.DIFFERS
_MISSING, _UNUSED = Verdict.MISSING, Verdict.NOT_USED


class Fit(StrEnum):
    """What became of one listing of the family."""

    FITS = "fits"  # every option is the same as this product's
    CLOSE = "close"  # one product may be it, but an option is only close, or said by a title
    SEVERAL = "several"  # more than one product
    REFUSED = "refused"  # only a product that a person said no to
    NONE = "none"  # no product has these options


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a pair: its name and both values, "" where a side does not have it."""

    name: str
    ours: str
    theirs: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Placed:
    """The product that a listing of the family is, or why it is none; without a product `options` are the listing's."""

    listing_id: int | str
    product_id: int | str | None
    fit: Fit
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    """An option of the family: what each side calls it, None where a side does not have it."""

    ours: str | None
    theirs: str | None

    @property
    def name(self) -> str:
        return self.theirs or self.ours or ""


@lru_cache(maxsize=10_000)
def kind_of(name: str) -> str:
    """What an option's name means: "size" for "Talla"; the folded name where it means nothing known."""
    folded = fold(name, LONGEST)
    return OPTION_KINDS.get(folded, folded)


def shape(listing: Record) -> tuple[frozenset[str], str]:
    """What variants of one listing have in common: the options they name, and the title without the values of these."""
    values = {word for value in listing.options.values() for word in _UNIT.sub(" ", _apart(str(value))).split()}
    title = " ".join(word for word in _UNIT.sub(" ", _apart(listing.title)).split() if word not in values)
    return frozenset(kind_of(name) for name, value in listing.options.items() if str(value).strip()), title


def place_variants(
    products: Sequence[Record],
    listings: Sequence[Record],
    known: Mapping[int | str, int | str],
    *,
    refused: frozenset[tuple[int | str, int | str]] = frozenset(),
) -> list[Placed]:
    """Place every listing that is not `known` (listing id to product id) among the products, in the order given.

    All listings are variants of one listing, all products of one base. `refused` are pairs (listing id, product id)
    that are never made. Several listings may be placed at one product: whether they may share it is not known here.
    """
    axes = _axes(products, listings, known)
    tables = [_Table.of(axis, products, listings, known) for axis in axes]
    waiting = [r for r in listings if r.id not in known]
    return [_place(r, products, axes, tables, refused) for r in waiting]


def _place(
    listing: Record, products: Sequence[Record], axes: Sequence[_Axis], tables: Sequence[_Table],
    refused: frozenset[tuple[int | str, int | str]],
) -> Placed:  # fmt: skip
    fitting: dict[Verdict, list[tuple[int | str, tuple[Option, ...]]]] = {Verdict.SAME: [], Verdict.CLOSE: []}
    for product in products:
        worst = _worst(product, listing, tables)
        if worst is not None:
            fitting[worst].append((product.id, tuple(table.option(product, listing) for table in tables)))
    for verdict, fit in ((Verdict.SAME, Fit.FITS), (Verdict.CLOSE, Fit.CLOSE)):
        found = [f for f in fitting[verdict] if (listing.id, f[0]) not in refused]
        if len(found) > 1:
            return Placed(listing.id, None, Fit.SEVERAL, _alone(listing, axes))
        if fitting[verdict]:
            product_id, options = (found or fitting[verdict])[0]
            return Placed(listing.id, product_id, fit if found else Fit.REFUSED, options)
    return Placed(listing.id, None, Fit.NONE, _alone(listing, axes))


def _worst(product: Record, listing: Record, tables: Sequence[_Table]) -> Verdict | None:
    """The least that an option says of a pair, same or close; None when one rules it out, or none says anything."""
    worst = None
    for table in tables:
        verdict = table.verdict(product, listing)
        if verdict is _DIFFERS or verdict is _MISSING:
            return None
        if verdict is _CLOSE or (verdict is _SAME and worst is None):
            worst = verdict
    return worst


def _alone(listing: Record, axes: Sequence[_Axis]) -> tuple[Option, ...]:
    said = ((axis.name, _value(listing, axis.theirs)) for axis in axes)
    return tuple(Option(name, "", value, Verdict.MISSING) for name, value in said if value)


def _value(record: Record, name: str | None) -> str:
    """A record's value of an option, whose name may be spelt in more than one way inside a family."""
    kind = kind_of(name or "")
    found = sorted((n, str(v).strip()) for n, v in record.options.items() if name is not None and kind_of(n) == kind)
    return next((value for _, value in found if value), "")


# ---- which option is which -------------------------------------------------------------------------------


def _axes(products: Sequence[Record], listings: Sequence[Record], known: Mapping[int | str, int | str]) -> list[_Axis]:
    """The options of both sides paired: by meaning, by the values of known pairs, and the last one by elimination."""
    ours, theirs = _names(products), _names(listings)
    pairs = [(kind, kind) for kind in theirs if kind in ours]
    for one in _pairs_by_value(products, listings, known):
        if all(one[0] != a and one[1] != b for a, b in pairs):
            pairs.append(one)
    mine = [k for k in _telling(products) if k not in {a for a, _ in pairs}]
    other = [k for k in _telling(listings) if k not in {b for _, b in pairs}]
    if len(mine) == len(other) == 1:
        pairs.append((mine[0], other[0]))
    paired = {b: a for a, b in pairs}
    axes = [_Axis(ours[paired[k]] if k in paired else None, theirs[k]) for k in theirs]
    return axes + [_Axis(name, None) for k, name in ours.items() if k not in paired.values()]


def _names(records: Sequence[Record]) -> dict[str, str]:
    """The options that records name: by meaning, as the first one spells it."""
    names: dict[str, str] = {}
    for record in records:
        for name, value in record.options.items():
            if str(value).strip():
                names.setdefault(kind_of(name), name)
    return names


def _telling(records: Sequence[Record]) -> list[str]:
    """The options in which records differ, by meaning."""
    values: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.options.items():
            values.setdefault(kind_of(name), set()).add(fold(str(value), LONGEST))
    return [kind for kind, found in values.items() if len(found - {""}) > 1]


def _pairs_by_value(
    products: Sequence[Record], listings: Sequence[Record], known: Mapping[int | str, int | str]
) -> list[tuple[str, str]]:
    """Options that have the same value in a known pair, by meaning; those with two readings are left out."""
    by_id = {p.id: p for p in products}
    found: list[tuple[str, str]] = []
    for listing in listings:
        product = by_id.get(known.get(listing.id, ""))
        if product is None:
            continue
        for name, value in listing.options.items():
            same = [k for k, v in product.options.items() if v and same_value(kind_of(k), v, value) is Verdict.SAME]
            if len(same) == 1:
                found.append((kind_of(same[0]), kind_of(name)))
    return found


# ---- which value is which --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Table:
    """What one option says of any pair of the family: verdicts by the folded values of listing and product."""

    axis: _Axis
    ours: Mapping[int | str, tuple[str, str]]  # value by product, as it is and folded
    theirs: Mapping[int | str, tuple[str, str]]
    verdicts: Mapping[tuple[str, str], Verdict]
    telling: bool  # whether the variants differ in it at all

    @classmethod
    def of(
        cls, axis: _Axis, products: Sequence[Record], listings: Sequence[Record], known: Mapping[int | str, int | str]
    ) -> _Table:
        """Compare every value of the listings with every value of the products."""
        mine = {p.id: (v, fold(v, LONGEST)) for p in products for v in (_value(p, axis.ours),)}
        other = {x.id: (v, fold(v, LONGEST)) for x in listings for v in (_value(x, axis.theirs),)}
        ours = {folded: value for value, folded in mine.values() if value}
        theirs = {folded: value for value, folded in other.values() if value}
        taught = _taught(axis, products, listings, known)
        kind = kind_of(axis.name)
        verdicts: dict[tuple[str, str], Verdict] = {}
        for folded, value in theirs.items():
            row = {a: same_value(kind, text, value) for a, text in ours.items()}
            same = [folded] if folded in ours else [a for a, verdict in row.items() if verdict is _SAME]
            if not same and folded in taught:
                same = [taught[folded]]
            if len(same) == 1:  # what is spelt alike, means the same or was taught leaves no room for what is similar
                row = {a: _SAME if a == same[0] else _DIFFERS for a in row}
            elif same:
                row = {a: _CLOSE if a in same else verdict for a, verdict in row.items()}
            verdicts |= {(folded, a): verdict for a, verdict in row.items()}
        return cls(axis, mine, other, verdicts, max(len(ours), len(theirs)) > 1)

    def verdict(self, product: Record, listing: Record) -> Verdict:
        """What the option says of a pair."""
        (ours, a), (theirs, b) = self.ours[product.id], self.theirs[listing.id]
        if ours and theirs:
            return self.verdicts[b, a]
        if not self.telling:
            return _UNUSED
        said = (ours and _named(ours, listing.title)) or (theirs and _named(theirs, product.title))
        return _CLOSE if said else _MISSING

    def option(self, product: Record, listing: Record) -> Option:
        """The option of a pair with both values."""
        verdict = self.verdict(product, listing)
        return Option(self.axis.name, self.ours[product.id][0], self.theirs[listing.id][0], verdict)


def _taught(
    axis: _Axis, products: Sequence[Record], listings: Sequence[Record], known: Mapping[int | str, int | str]
) -> dict[str, str]:
    """What known pairs say of values: a listing's to the product's, folded; where they disagree, nothing."""
    by_id = {p.id: p for p in products}
    said: dict[str, set[str]] = {}
    for listing in listings:
        product = by_id.get(known.get(listing.id, ""))
        ours = fold(_value(product, axis.ours), LONGEST) if product is not None else ""
        theirs = fold(_value(listing, axis.theirs), LONGEST)
        if ours and theirs:
            said.setdefault(theirs, set()).add(ours)
    return {theirs: next(iter(ours)) for theirs, ours in said.items() if len(ours) == 1}


def same_value(kind: str, ours: str, theirs: str) -> Verdict:
    """Two values of one option: the same in any language, spelling and unit, close, or different."""
    a, b = fold(ours, LONGEST), fold(theirs, LONGEST)
    if a == b or a.replace(" ", "") == b.replace(" ", ""):
        return Verdict.SAME
    if a in SIZES and b in SIZES:
        return Verdict.SAME if SIZES[a] == SIZES[b] else Verdict.DIFFERS
    one, two = read_short(ours, LONGEST)[1], read_short(theirs, LONGEST)[1]
    if one.quantities and two.quantities:
        return Verdict.SAME if _same_quantities(one.quantities, two.quantities) else Verdict.DIFFERS
    shaded = not SHADES.isdisjoint((*one.plain, *two.plain))
    if not shaded and (said := meaning(one.plain)) and (heard := meaning(two.plain)):
        return Verdict.SAME if said == heard else Verdict.DIFFERS
    if one.colours and two.colours:
        if one.colours != two.colours:
            return Verdict.DIFFERS
        return Verdict.CLOSE
    digits = [c for c in a if c.isdigit()], [c for c in b if c.isdigit()]
    alike = kind != "size" and digits[0] == digits[1] and min(len(a), len(b)) > 3 and fuzz.ratio(a, b) >= _ALIKE
    return Verdict.CLOSE if alike else Verdict.DIFFERS


def understood(ours: str, theirs: str) -> bool:
    """Whether two values that differ surely do: both are quantities, sizes, known words, or have other digits."""
    if fold(ours, LONGEST) in SIZES and fold(theirs, LONGEST) in SIZES:
        return True
    one, two = read_short(ours, LONGEST)[1], read_short(theirs, LONGEST)[1]
    if (one.quantities and two.quantities) or (meaning(one.plain) and meaning(two.plain)):
        return True
    digits = [[c for c in fold(text, LONGEST) if c.isdigit()] for text in (ours, theirs)]
    return digits[0] != digits[1]


def _same_quantities(one: Sequence[tuple[int, float]], two: Sequence[tuple[int, float]]) -> bool:
    a, b = sorted(one), sorted(two)
    return len(a) == len(b) and all(
        x[0] == y[0] and abs(x[1] - y[1]) <= _AGREE * max(x[1], y[1]) for x, y in zip(a, b, strict=True)
    )


def _named(value: str, title: str) -> bool:
    """Whether a title says a value, as words of its own."""
    words, wanted = f" {_apart(title)} ", f" {_apart(value)} "
    return wanted.strip() != "" and (wanted in words or f" {wanted.replace(' ', '')} " in words)


def _apart(text: str) -> str:
    return " ".join("".join(c if c.isalnum() or c == "." else " " for c in fold(text)).split())
