"""What is added to the learned log-odds by judgement: public labelled sets hardly have identifiers, or variants."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matching.pairs import COLUMN

Array = NDArray[Any]
_GTIN, _MPN, _RETRIEVAL = COLUMN["gtin"], COLUMN["mpn"], COLUMN["retrieval"]
_CONTENT, _PACK, _SIZE = COLUMN["content_conflict"], COLUMN["pack"], COLUMN["size"]
#: A candidate is a sibling of another when its retrieval score is at least this share of the other's.
_SIBLING: Final = np.float32(0.6)


@njit(cache=True, nogil=True)
def add_judgements(odds: Array, features: Array, sku: Array) -> Array:
    """The log-odds of one listing's candidates with what identifiers and siblings say; `sku` is empty or a line each.

    Another pack, content or size takes from a candidate only when a sibling has no such conflict: a conflict may be
    misread, and a product of its own would not become likelier by that.
    """
    n = len(odds)
    out = np.empty(n)
    conflict = np.empty(n, np.bool_)
    free = np.float32(-1.0)  # the best retrieval score without a conflict
    for i in range(n):
        line = features[i]
        said = sku[i] if len(sku) else 0.0
        if line[_GTIN] != 0:
            said += 6.0 if line[_GTIN] > 0 else -3.0
        if line[_MPN] != 0:
            said += 1.5 if line[_MPN] > 0 else -0.5
        out[i] = odds[i] + said
        conflict[i] = line[_CONTENT] > 0 or line[_PACK] < 0 or line[_SIZE] < 0
        if not conflict[i]:
            free = max(free, line[_RETRIEVAL])
    for i in range(n):
        if conflict[i] and free >= 0 and free >= _SIBLING * features[i, _RETRIEVAL]:
            out[i] -= 2.0
    return out
