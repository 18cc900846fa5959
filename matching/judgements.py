"""What is added to the learned log-odds by judgement: public labelled sets hardly have identifiers, or variants."""

from __future__ import annotations

from math import exp, log
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matching.pairs import COLUMN

Array = NDArray[Any]
_GTIN, _MPN, _RETRIEVAL = COLUMN["gtin"], COLUMN["mpn"], COLUMN["retrieval"]
_CONTENT, _PACK, _SIZE = COLUMN["content_conflict"], COLUMN["pack"], COLUMN["size"]
#: A candidate is a sibling of another when its retrieval score is at least this share of the other's.
SIBLING: Final = np.float32(0.6)
#: What a conflict takes at most, and how far behind its best sibling a candidate then stands, in log-odds.
MOST, BEHIND = 2.0, 0.01
#: How likely it is that the facts of a listing are wrong and its words right: less for candidates that are less alike
#: than another, by the square of their retrieval scores. Those of at least this share of a score are called alike.
_MISTAKEN: Final = 0.03
_CALLED_ALIKE: Final = np.float32(0.5)
#: Beyond these log-odds a probability has no digits left.
_SURE: Final = 30.0


@njit(cache=True, nogil=True)
def or_by_words(odds: Array, features: Array) -> Array:
    """The log-odds of one listing's candidates that each is right by facts or, as those may be mistaken, words.

    Never less than before, and little more but for what is unlikely: of such candidates the one that is called alike
    stands above strangers that have a number or a price in common by chance. Those called alike keep their order.
    """
    n = len(odds)
    alike = features[:, _RETRIEVAL]
    most = max(np.float32(1e-9), alike.max()) if n else np.float32(1.0)
    out = np.empty(n)
    for i in range(n):
        words = _MISTAKEN * (alike[i] / most) ** 2
        out[i] = log((exp(min(max(odds[i], -_SURE), _SURE)) + words) / (1.0 - words))  # of 1 - (1 - p) (1 - words)
        for j in range(n):
            if odds[j] > odds[i] and alike[j] >= _CALLED_ALIKE * alike[i]:
                out[i] = min(out[i], odds[j] - BEHIND)
        out[i] = max(out[i], odds[i])
    return out


@njit(cache=True, nogil=True)
def add_judgements(odds: Array, features: Array, sku: Array) -> Array:
    """The log-odds of one listing's candidates with what identifiers and siblings say; `sku` is empty or a line each.

    Another pack, content or size puts a candidate behind its best sibling without such a conflict, and no further: a
    conflict may be misread, strangers would not become likelier by that, and neither would a product of its own.
    Silence about the pack or the size that a sibling has in common with the listing counts as much.
    """
    n = len(odds)
    out = np.empty(n)
    conflict = np.empty(n, np.bool_)
    for i in range(n):
        line = features[i]
        said = sku[i] if len(sku) else 0.0
        if line[_GTIN] != 0:
            said += 6.0 if line[_GTIN] > 0 else -3.0
        if line[_MPN] != 0:
            said += 1.5 if line[_MPN] > 0 else -0.5
        out[i] = odds[i] + said
        conflict[i] = line[_CONTENT] > 0 or line[_PACK] < 0 or line[_SIZE] < 0
    for silent in (True, False):
        before = out.copy()
        for i in range(n):
            best = -np.inf  # of the siblings that are better by this
            for j in range(n):
                if conflict[j] or features[j, _RETRIEVAL] < SIBLING * features[i, _RETRIEVAL]:
                    continue
                if _says_more(features[i], features[j]) if silent else conflict[i]:
                    best = max(best, before[j])
            if best > -np.inf:
                out[i] = min(before[i], max(before[i] - MOST, best - BEHIND))
    return out


@njit(cache=True, nogil=True)
def _says_more(one: Array, sibling: Array) -> bool:
    """Whether a sibling has the pack or the size of the listing, and this candidate says nothing of it."""
    pack = bool(one[_PACK] == 0 and sibling[_PACK] > 0)
    return pack or bool(one[_SIZE] == 0 and sibling[_SIZE] > 0)
