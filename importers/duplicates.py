"""Finds rows with the same key, and SKUs that only look the same, in a million rows without keeping their texts."""

from __future__ import annotations

import itertools
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from importers.wording import phrase

#: Letters of other scripts with the ASCII letter they look like in common typefaces, in small letters.
_PAIRS = "аaсcԁdеeһhіiјjӏlоoрpԛqѕsуyхxкkмmнhтtвbгrαaβbεeκkιiνvοoρpτtυuχx"
_DASHES = "‐‑‒–—―−﹘"
_LOOK_ALIKES = str.maketrans(
    {**dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)), **dict.fromkeys(_DASHES, "-")},
)
#: Up to here Python's own sort is quicker than loading a library.
MOST_SORTED = 50_000
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x180E, 0x200E, 0x200F, 0x34F))


def looks_of(skus: Sequence[str]) -> list[str]:
    """The look of each SKU."""
    return list(map(str.lower, skus)) if "".join(skus).isascii() else list(map(look, skus))


def look(sku: str) -> str:
    """A form that is equal for SKUs a person cannot tell apart: case, width, script, dashes, invisible marks."""
    if sku.isascii():
        return sku.lower()
    bare = unicodedata.normalize("NFKC", sku).casefold().translate(_INVISIBLE)
    return bare.translate(_LOOK_ALIKES)


@dataclass
class Findings:
    """repeats: row to the equal row before it. conflicts: row to the other rows of its key. look_alikes: rows."""

    repeats: dict[int, int] = field(default_factory=dict)
    conflicts: dict[int, list[int]] = field(default_factory=dict)
    look_alikes: list[list[int]] = field(default_factory=list)


class KeyIndex:
    """Remembers keys as 64-bit hashes, 28 bytes a row (36 of stock), and compares them at the end.

    The hashes are salted anew in each process, so that nobody can prepare a file whose keys collide; by chance two of
    a million keys collide once in some 37 million files.
    """

    def __init__(self) -> None:
        self._rows = array("I")
        self._keys = array("q")
        self._contents = array("q")
        self._looks = array("q")
        self._skus = array("q")

    def extend(
        self,
        numbers: Sequence[int],
        keys: Iterable[object],
        contents: Iterable[int],
        looks: Iterable[str] | None = None,
        skus: Iterable[object] | None = None,
    ) -> None:
        """Notes rows: their numbers, their keys, the hashes of their contents, and the looks of their SKUs.

        A bad row equals no other: its content is any negative number of its own. skus: what is compared where looks
        are equal, when the keys say more than the SKU. Both are given always or never.
        """
        self._rows.extend(numbers)
        self._keys.extend(map(hash, keys))
        self._contents.extend(contents)
        self._looks.extend(map(hash, looks or ()))
        self._skus.extend(map(hash, skus or ()))

    def find(self) -> Findings:
        """What repeats, what contradicts, and what looks alike."""
        findings = Findings()
        for group in _equal(self._keys):
            rows = [self._rows[place] for place in group]
            if len({self._contents[place] for place in group}) == 1:
                findings.repeats.update(dict.fromkeys(rows[1:], rows[0]))
            else:
                findings.conflicts.update({row: [*rows[:11]] for row in rows})
        skus = self._skus or self._keys
        for group in _equal(self._looks):
            first = {skus[place]: self._rows[place] for place in reversed(group)}
            if len(first) > 1:
                findings.look_alikes.append(sorted(first.values()))
        findings.look_alikes.sort()
        return findings


def _equal(hashes: array[int]) -> Iterator[list[int]]:
    """Groups of places with equal hashes, each in ascending order."""
    if len(hashes) <= MOST_SORTED:
        places = sorted(range(len(hashes)), key=hashes.__getitem__)
        for _, group in itertools.groupby(places, key=hashes.__getitem__):
            found = list(group)
            if len(found) > 1:
                yield found
        return
    import numpy  # Takes a tenth of a second to load, which most files need not wait.

    values = numpy.frombuffer(hashes, dtype=numpy.int64)
    order = numpy.argsort(values, kind="stable")
    same = values[order[1:]] == values[order[:-1]]
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([False], same, [False])).astype(numpy.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield order[first : last + 1].tolist()


def rows_said(numbers: list[int]) -> str:
    """Up to ten rows by their numbers, as they stand within a sentence."""
    if len(numbers) == 1:
        return phrase("row {n}", n=numbers[0])
    listed = ", ".join(map(str, numbers[:10]))
    return phrase("rows {rows} and more", rows=listed) if len(numbers) > 10 else phrase("rows {rows}", rows=listed)


def skus_said(rows: list[int], texts: dict[int, str]) -> str:
    """Up to ten SKUs, each with its row."""
    last = rows[9] if len(rows) > 9 else rows[-1]
    said = phrase("{sku} (row {row})", sku=texts.get(last, "…"), row=last)
    if len(rows) > 10:
        said = phrase("{skus} and {n} more", skus=said, n=len(rows) - 10)
    for row in reversed(rows[: min(10, len(rows)) - 1]):
        said = phrase("{sku} (row {row}), {others}", sku=texts.get(row, "…"), row=row, others=said)
    return said
