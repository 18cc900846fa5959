"""What a file says that the tables do not: what is gone from it, and which SKUs, prices, titles and stock changed."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import compress, islice
from operator import itemgetter, not_
from typing import Any

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

import importers
from webapp.db import among
from webapp.models.base import SCALE
from webapp.models.catalog import Product
from webapp.models.links import Link
from webapp.models.listings import Listing, ListingState
from webapp.services import counts, listing_ids, listings
from webapp.services.hashes import Met
from webapp.services.listing_columns import Columns, amounts, quantities
from webapp.services.listing_ids import Meeting

MOST_SHOWN = 20  # rows of each kind that are named; all are counted
STEP = 5_000  # ids that are looked through at once
#: Columns that are compared, of listings and of products: what a person would ask about first.
LISTED = ("sku", "title", "price", "quantity")
PRODUCED = ("title", "price")
Key = tuple[int, str]
Gone = tuple[int, str, str]  # the id of a row, what it is called, its title


@dataclass
class Changes:
    """Numbers by kind (`known` rows, `gone`, and one for each compared column), and the first rows of each kind."""

    numbers: Counter[str] = field(default_factory=Counter)
    shown: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def note(
        self,
        rows: Sequence[int],
        keys: Sequence[Hashable],
        said: Mapping[str, Sequence[Any]],
        held: Mapping[Hashable, Sequence[Any]],
    ) -> None:
        """Compare rows of the file with what is `held` by key: its id, then the columns of `said` in their order."""
        for row, key, values in zip(rows, keys, zip(*said.values(), strict=True), strict=True):
            known = held.get(key)
            if known is None or values == known[1:]:
                continue
            for name, before, after in zip(said, known[1:], values, strict=True):
                if after is not None and after != before:
                    self.numbers[name] += 1
                    words = {"row": row, "id": known[0], "before": _plain(name, before), "after": _plain(name, after)}
                    self.show(name, words | {"key": key[1] if isinstance(key, tuple) else key})

    def show(self, kind: str, row: dict[str, Any]) -> None:
        """Name a row, if there is room."""
        shown = self.shown.setdefault(kind, [])
        if len(shown) < MOST_SHOWN:
            shown.append(row)

    def add(self, more: Changes) -> None:
        """Add what other rows of the file change."""
        self.numbers.update(more.numbers)
        for kind, rows in more.shown.items():
            both = sorted([*self.shown.get(kind, ()), *rows], key=itemgetter("row"))
            self.shown[kind] = both[:MOST_SHOWN]

    def as_json(self) -> dict[str, Any]:
        """Plain values for the report; empty when nothing of the file was known before."""
        numbers = {name: n for name, n in self.numbers.items() if n}
        return {**numbers, "shown": self.shown} if numbers else {}


def said_by(block: importers.Block, names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """These columns of the file, as far as it has them; None for a blank, and amounts as they are stored."""
    said: dict[str, Sequence[Any]] = {name: block.columns[name] for name in names if name in block.columns}
    if "price" in said:
        said["price"] = amounts(said["price"])
    if "quantity" in said:
        said["quantity"] = quantities(said["quantity"])
    return said


def of_listings(
    session: Session,
    changes: Changes,
    block: importers.Block,
    columns: Columns,
    meeting: Meeting | None,
    met: array[int],
    walk: listings.Walk,
) -> tuple[list[bool], list[bool]]:
    """Compare some rows with the listings that they mean; `columns` are the same rows as they would be stored, and
    `walk` is how far they have been compared.

    Gives of each row whether its listing is known, and whether it changes nothing of the one with its own id. The hash
    of channel and id of each row is added to those `met`, and of each listing that is known by another id.
    """
    keys, names = columns.keys, columns.names
    met.extend(map(hash, keys))
    if walk.agrees(session, columns):
        changes.numbers["known"] += len(keys)
        return [True] * len(keys), [True] * len(keys)
    held = walk.values_of(session, columns)
    same = columns.same_as(held)
    if meeting is not None:
        others = listing_ids.known_as(session, meeting, keys, block.column("match_key"), held)
        there = listings.values_of(session, ((key[0], other) for key, other in others.items()), names)
        met.extend(map(hash, there))
        held |= {key: there[key[0], other] for key, other in others.items()}
        if not meeting.by_sku:
            _note_ids(changes, block.numbers, keys, others, held)
    changes.numbers["known"] += len(held)
    if len(held) > sum(same):
        differ = [not one for one in same]
        _note_listings(changes, block.where(differ), list(compress(keys, differ)), names, held)
    return list(map(held.__contains__, keys)), same


def _note_listings(
    changes: Changes,
    block: importers.Block,
    keys: Sequence[Key],
    names: Sequence[str],
    held: Mapping[Hashable, tuple[Any, ...]],
) -> None:
    """Count and name what these rows change, of the columns that a person would ask about."""
    said = said_by(block, LISTED)
    chosen = [0, *(1 + names.index(name) for name in said)]
    if said:
        there = [key for key in keys if key in held]
        known: dict[Hashable, tuple[Any, ...]] = {key: tuple(held[key][i] for i in chosen) for key in there}
        changes.note(block.numbers, keys, said, known)


def _note_ids(
    changes: Changes,
    rows: Sequence[int],
    keys: Sequence[Key],
    others: Mapping[Key, str],
    held: Mapping[Hashable, Sequence[Any]],
) -> None:
    """Name the listings that had a SKU alone and get their id."""
    changes.numbers["listing_id"] += len(others)
    for row, key in zip(rows, keys, strict=True) if others else ():
        if key in others:
            changes.show("listing_id", {"row": row, "id": held[key][0], "before": others[key], "after": key[1]})


def of_products(session: Session, changes: Changes, block: importers.Block) -> set[str]:
    """Compare some rows with the products of their SKUs; gives the keys of those that are known."""
    said, keys, columns = said_by(block, PRODUCED), block.column("match_key"), Product.__table__.c
    wanted = [type_coerce(columns.price, BigInteger) if name == "price" else columns[name] for name in said]
    query = select(columns.match_key, columns.id, *wanted).where(
        among(session, columns.match_key, keys), columns.retired_at.is_(None)
    )
    held: dict[Hashable, tuple[Any, ...]] = {row[0]: tuple(row[1:]) for row in session.connection().execute(query)}
    changes.numbers["known"] += len(held)
    if said:
        changes.note(block.numbers, keys, said, held)
    return {str(key) for key in held}


def close_listings(session: Session, changes: Changes, channel_ids: Collection[int], met: array[int]) -> None:
    """Count the listings of these channels that the file lacks, name some, and say which renamed ones are linked.

    met: the hash of channel and listing id of each row.
    """
    numbers = counts.by_channel(session)
    there = sum(sum(numbers.get(i, {}).values()) for i in channel_ids)
    ended = sum(numbers.get(i, {}).get(ListingState.ENDED, 0) for i in channel_ids)
    if ended:  # some of them may be in the file again
        changes.numbers["gone"] = sum(1 for _ in gone_listings(session, channel_ids, met))
    else:
        changes.numbers["gone"] = there - changes.numbers["known"]
    _show_gone(changes, gone_listings(session, channel_ids, met))
    renamed = changes.shown.get("sku", []) + changes.shown.get("listing_id", [])
    query = select(Link.listing_id, Product.sku).join(Product, Product.id == Link.product_id)
    linked = dict(session.execute(query.where(Link.listing_id.in_([row["id"] for row in renamed]))).all())
    for row in renamed:
        row["linked"] = linked.get(row["id"])


def close_products(session: Session, changes: Changes, met: array[int]) -> None:
    """Count the products that the file lacks, and name some. met: the hash of each row's key."""
    there = session.scalar(select(func.count()).select_from(Product).where(Product.retired_at.is_(None))) or 0
    changes.numbers["gone"] = there - changes.numbers["known"]
    _show_gone(changes, gone_products(session, met))


def _show_gone(changes: Changes, gone: Iterable[Gone]) -> None:
    if changes.numbers["gone"] > 0:
        for row_id, key, title in islice(gone, MOST_SHOWN):
            changes.show("gone", {"id": row_id, "key": key, "before": title})


def gone_listings(session: Session, channel_ids: Collection[int], met: array[int]) -> Iterator[Gone]:
    """Id, channel's id and title of the listings of these channels whose hash is not among those met."""
    query = select(Listing.id, Listing.channel_id, Listing.external_id, Listing.title).where(
        Listing.channel_id.in_(channel_ids), Listing.state != ListingState.ENDED
    )
    for row in _lacking(session, query, Listing.id, lambda row: (row[1], row[2]), met):
        yield row[0], row[2], row[3]


def gone_products(session: Session, met: array[int]) -> Iterator[Gone]:
    """Id, SKU and title of the products whose key's hash is not among those met."""
    query = select(Product.id, Product.match_key, Product.sku, Product.title).where(Product.retired_at.is_(None))
    for row in _lacking(session, query, Product.id, lambda row: row[1], met):
        yield row[0], row[2], row[3]


def _lacking(
    session: Session, query: Any, row_id: Any, key_of: Callable[[Any], Hashable], met: array[int]
) -> Iterator[Any]:
    """The rows of a query, in the order of their ids, whose key's hash is not among those met.

    Two of a million different keys have the same hash once in 37 million files; then a row is left where it is.
    """
    known, last = Met(met), 0
    while rows := session.execute(query.where(row_id > last).order_by(row_id).limit(STEP)).all():
        yield from compress(rows, map(not_, known.has(map(key_of, rows))))
        last = rows[-1][0]


def _plain(name: str, value: Any) -> Any:
    """A value as JSON and a person read it: amounts as text with their decimals."""
    if name != "price" or value is None:
        return value
    exact = Decimal(value) / SCALE
    return f"{exact.quantize(Decimal('0.01')) if exact == exact.quantize(Decimal('0.01')) else exact.normalize():f}"
