"""The rows of a file as the columns of listings, so that a chunk is compared and written without touching each cell."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import compress
from typing import Any

import importers
from matching.identifiers import loose_keys
from webapp.models.base import SCALE
from webapp.models.channels import Channel

TEXTS = ("title", "brand", "gtin", "mpn", "description", "category", "status", "url", "image_url", "parent_id")
PLACES = 4  # of an amount that is stored as a whole number


@dataclass(frozen=True)
class Columns:
    """Values of listings by column, one for each row; a blank is what a new listing has there.

    numbers: of each row in the file, in ascending order. keys: channel and external id of each row. values: the other
    columns; amounts are whole numbers of ten-thousandths. said: those columns as the file has them, None for a blank.
    """

    numbers: list[int]
    keys: list[tuple[int, str]]
    values: dict[str, Sequence[Any]]
    said: dict[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def names(self) -> list[str]:
        """The columns but those of the key."""
        return list(self.values)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The values of each row."""
        return zip(*self.values.values(), strict=True) if self.values else iter([()] * len(self.keys))

    def at(self, places: Sequence[int]) -> Columns:
        """Some of the rows, all of them where that is so."""
        return self if len(places) == len(self) else self._each(lambda values: [values[i] for i in places])

    def cut(self, start: int, end: int) -> Columns:
        """The rows from the place `start` to before `end`."""
        return self if start == 0 and end >= len(self) else self._each(lambda values: values[start:end])

    def where(self, keep: Sequence[object]) -> Columns:
        """The rows whose flag is true."""
        return self if all(keep) else self._each(lambda values: list(compress(values, keep)))

    def _each(self, some_of: Callable[[Any], Any]) -> Columns:
        values, said = ({n: some_of(v) for n, v in each.items()} for each in (self.values, self.said))
        return Columns(some_of(self.numbers), some_of(self.keys), values, said)

    def same_as(self, known: Mapping[Hashable, Sequence[Any]]) -> list[bool]:
        """Of each row whether it changes nothing of what is `known` by its key: an id, then these columns."""
        found = []
        for place, (key, values) in enumerate(zip(self.keys, self.rows(), strict=True)):
            held = known.get(key)
            found.append(held is not None and (held[1:] == values or self.difference(place, held[1:]) is None))
        return found

    def difference(self, place: int, current: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """What a row changes of the `current` values of a listing, before and after; None when it changes nothing."""
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for name, held in zip(self.names, current, strict=True):
            value = self.values[name][place]
            if value != held and self.said[_SAID_BY.get(name, name)][place] is not None:
                before[name], after[name] = held, value
                if name == "price":
                    before[name] = None if held is None else (Decimal(held) / SCALE).normalize() + Decimal(0)
                    after[name] = Decimal(self.said[name][place])
        return (before, after) if after else None


#: What comes with another field, and is absent when that one is.
_SAID_BY = {"match_key": "sku", "loose_key": "sku", "currency": "price"}


def columns_of(block: importers.Block, channels: Mapping[str, Channel]) -> Columns:
    """The columns of listings that these rows have values for; rows without a channel belong to the first one.

    Of rows with the same key only the last one counts: one names its channel, and another leaves it out.
    """
    columns = of_each_row(block, channels)
    last = {key: place for place, key in enumerate(columns.keys)}
    return columns if len(last) == len(columns) else columns.at(sorted(last.values()))


def of_each_row(block: importers.Block, channels: Mapping[str, Channel], *, keys: bool = True) -> Columns:
    """The columns of listings that these rows have values for, also of rows with the same key.

    keys: with those that are made of the SKU; to tell whether a row says something new, the SKU is enough.
    """
    ids = _channel_ids(block, channels)
    places = list(zip(ids, block.columns["listing_id"], strict=True))
    given = block.columns
    said: dict[str, Sequence[Any]] = {n: given[n] for n in (*TEXTS, "quantity", "price", "sku") if n in given}
    values: dict[str, Sequence[Any]] = {}
    values |= {name: _filled(given[name], "") for name in TEXTS if name in given}
    if "sku" in given:
        values["sku"] = _filled(given["sku"], "")
    if "sku" in given and keys:
        values["match_key"] = match_keys = [key or None for key in block.column("match_key")]
        values["loose_key"] = _loose(given["sku"], match_keys)
    if "options" in given:
        said["options"] = values["options"] = [options or None for options in given["options"]]
    if "price" in given:
        own = {channel.id: channel.currency for channel in channels.values()}
        currencies = zip(ids, given["price"], block.column("currency"), strict=True)
        values["currency"] = ["" if price is None else code or own[i] for i, price, code in currencies]
        values["price"] = amounts(given["price"])
    if "quantity" in given:
        values["quantity"] = quantities(given["quantity"])
    return Columns(block.numbers, places, values, said)


def amounts(prices: Sequence[Any]) -> list[int | None]:
    """Prices as they are stored (see `scaled`), None for a blank."""
    return [None if price is None else scaled(price) for price in prices]


def quantities(numbers: Sequence[Any]) -> Sequence[int | None]:
    """Quantities as whole numbers, None for a blank."""
    ready = set(map(type, numbers)) <= {int, type(None)}
    return numbers if ready else [None if n is None else int(n) for n in numbers]


@lru_cache(1 << 14)  # few prices of a file differ, and most have been met in the chunks before
def scaled(price: str | Decimal) -> int:
    """A price as a whole number of ten-thousandths, exactly; raises ValueError for one with more than four places."""
    whole, _, rest = str(price).partition(".")
    if whole.isdecimal() and len(rest) <= PLACES and (not rest or rest.isdecimal()):
        return int(whole + rest.ljust(PLACES, "0"))
    exact = Decimal(price) * SCALE
    if exact != exact.to_integral_value():
        raise ValueError(f"{price} has more than four decimals.")
    return int(exact)


def _channel_ids(block: importers.Block, channels: Mapping[str, Channel]) -> list[int]:
    names = block.column("channel")
    ids = {name: next(iter(channels.values())).id if name is None else channels[name].id for name in set(names)}
    return [ids[name] for name in names]


def _filled(values: Sequence[Any], blank: Any) -> Sequence[Any]:
    return [blank if value is None else value for value in values] if None in values else values


def _loose(skus: Sequence[str | None], keys: Sequence[str | None]) -> list[str | None]:
    """The loose key of each SKU that has a key to match by."""
    found = loose_keys([sku or "" for sku in skus])
    return [loose or None if key is not None else None for loose, key in zip(found, keys, strict=True)]
