"""Currencies however they are written: "EUR", "€" and "Euro" are one, while "$" may be any of twenty."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

#: Signs and words of one currency each, by its ISO 4217 code in small letters.
_SIGNS: Final = {
    sign: code
    for code, signs in {
        "eur": "€ euro euros", "usd": "us$ u$s u$d usd$", "gbp": "£ gb£ uk£", "brl": "r$ real reais",
        "mxn": "mx$ mex$", "cad": "c$ ca$ can$", "aud": "a$ au$", "nzd": "nz$", "hkd": "hk$", "sgd": "s$ sg$",
        "twd": "nt$", "cny": "cn¥ rmb 元", "jpy": "jp¥ 円", "inr": "₹", "rub": "₽ руб руб.", "uah": "₴ грн",
        "try": "₺ tl", "krw": "₩", "pln": "zł zl", "czk": "kč kc", "ils": "₪", "vnd": "₫", "php": "₱", "ngn": "₦",
        "pen": "s/ s/.", "chf": "sfr",
    }.items()
    for sign in signs.split()
}  # fmt: skip
#: Signs that name one of several currencies, which only the shop knows.
_SHARED: Final = {
    "$": frozenset("usd mxn cad aud nzd hkd sgd twd ars clp cop uyu dop bbd bsd jmd ttd xcd fjd".split()),
    "¥": frozenset(("jpy", "cny")),
    "kr": frozenset(("sek", "nok", "dkk", "isk")),
}


@lru_cache(maxsize=1_000)
def currency_key(text: str) -> str:
    """One spelling of a currency: its code in small letters, or a sign that several share; "" for none."""
    key = text.strip().casefold().replace("￥", "¥").replace("＄", "$")
    key = "kr" if key == "kr." else key
    return _SIGNS.get(key, key)


def currency_code(text: str) -> str:
    """The currency when it is certain which one is meant, else ""."""
    key = currency_key(text)
    return "" if key in _SHARED else key


def one_currency(ours: str, theirs: str) -> bool | None:
    """Whether two currencies are one; None when nobody can know: one is not given, or its sign may mean the other."""
    a, b = currency_key(ours), currency_key(theirs)
    if a == b:
        return True
    if not a or not b or b in _SHARED.get(a, ()) or a in _SHARED.get(b, ()):
        return None
    return False
