"""A mark of what a person saw when deciding: by it we know later which facts have changed since.

The mark has four characters for each field, the listing's fields first: 24 bits of a hash, enough to tell that one
text became another. White space and upper case do not count as a change.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

FIELDS = ("title", "brand", "gtin", "mpn", "options", "sku")
WIDTH = 4


def mark(side: Any) -> str:
    """The mark of a listing or a product: a row of the table, or of a query with these columns."""
    return "".join(_field(getattr(side, name)) for name in FIELDS)


def changed(before: str, now: str) -> tuple[str, ...]:
    """The fields in which two marks of one side differ; none when there is no mark of before."""
    if not before:
        return ()
    at = range(0, len(FIELDS) * WIDTH, WIDTH)
    return tuple(name for name, n in zip(FIELDS, at, strict=True) if before[n : n + WIDTH] != now[n : n + WIDTH])


def _field(value: Any) -> str:
    if isinstance(value, dict):
        given = sorted((str(k), str(v)) for k, v in value.items() if v)
        return _text(repr(given) if given else "")
    return _text(value or "")


@lru_cache(maxsize=4_096)  # brands, and all that is empty, come again and again
def _text(text: str) -> str:
    text = " ".join(text.split()).casefold()
    if not text:
        return "-" * WIDTH
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=3).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").replace("-", ".")
