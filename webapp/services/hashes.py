"""A million keys of a file kept in eight bytes each: two that differ look equal once in 37 million such files."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable
from itertools import pairwise

MOST_SORTED = 50_000  # up to here Python's own sort is quicker than loading a library


def twice(hashes: array[int]) -> set[int]:
    """The numbers that occur more than once."""
    if len(hashes) <= MOST_SORTED:
        ordered = sorted(hashes)
        return {one for one, following in pairwise(ordered) if one == following}
    import numpy  # a million Python numbers take 40 MB

    several = numpy.sort(numpy.frombuffer(hashes, dtype=numpy.int64))
    return set(several[1:][several[1:] == several[:-1]].tolist())


class Met:
    """Values of which only the hashes are kept, to tell which others are among them."""

    def __init__(self, hashes: array[int]) -> None:
        import numpy  # a million Python numbers take 40 MB

        self._ordered = numpy.sort(numpy.frombuffer(hashes, dtype=numpy.int64)) if hashes else numpy.zeros(0, int)

    def has(self, values: Iterable[Hashable]) -> list[bool]:
        """Of each value whether it is among them."""
        import numpy

        hashes = numpy.fromiter(map(hash, values), dtype=numpy.int64)
        if not len(self._ordered):
            return [False] * len(hashes)
        places = numpy.searchsorted(self._ordered, hashes)
        found: list[bool] = (self._ordered.take(places, mode="clip") == hashes).tolist()
        return found
