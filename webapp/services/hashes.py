"""A million keys of a file kept in eight bytes each: two that differ look equal once in 37 million such files."""

from __future__ import annotations

from array import array
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
