"""What the rows of a file of listings will do; most of them are looked up while the file is still being read."""

from __future__ import annotations

import json
from array import array
from collections import deque
from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, field
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, bindparam, exists, func, select
from sqlalchemy.orm import Session

import importers
from webapp.db import among
from webapp.models.catalog import Product
from webapp.models.imports import ImportJob
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.services import (
    channels,
    file_changes,
    import_checks,
    known_rows,
    listing_columns,
    listing_ids,
    listings,
    lost_zeros,
)
from webapp.services.file_changes import Changes
from webapp.services.hashes import Met, twice
from webapp.services.import_checks import CHUNK
from webapp.services.listing_ids import Meeting

Place = tuple[int, str]  # channel and listing id, or channel and match key
FEW = 10_000  # SKUs that are asked for before it is asked how many products there are
CHEAPER = 8  # times less than asking for a SKU takes reading one of all in turn
STEP = 5_000  # products that are read at once


@dataclass
class Ends:
    """Which of the new rows of a file link by themselves; the others wait for a person.

    A SKU that a file gives to two listings of a channel is ambiguous, wherever the second one stands. So that a million
    rows are read once and not kept, what remains of each SKU is its hash, and those that occur twice are found at the
    end (see hashes).
    """

    every: array[int] = field(default_factory=lambda: array("q"))  # hashes of the SKUs of all rows
    hopeful: array[int] = field(default_factory=lambda: array("q"))  # of those that link if no other row has the SKU
    hopeful_rows: array[int] = field(default_factory=lambda: array("q"))
    waiting: array[int] = field(default_factory=lambda: array("q"))  # rows

    def take(self, rows: Sequence[int], places: Sequence[Place], linkable: Set[Place]) -> None:
        """Note new rows, of which some are `linkable`."""
        chosen = [place in linkable for place in places]
        self.hopeful.extend(map(hash, compress(places, chosen)))
        self.hopeful_rows.extend(compress(rows, chosen))
        self.waiting.extend(compress(rows, map(not_, chosen)))

    def add(self, more: Ends) -> None:
        """Note what other rows came to."""
        self.every.extend(more.every)
        self.hopeful.extend(more.hopeful)
        self.hopeful_rows.extend(more.hopeful_rows)
        self.waiting.extend(more.waiting)

    def settle(self) -> int:
        """How many rows link, when all have been noted; from then on `waiting` are all others."""
        several = twice(self.every) if self.hopeful else set()
        self.waiting.extend(compress(self.hopeful_rows, map(several.__contains__, self.hopeful)))
        return len(self.hopeful) - sum(map(several.__contains__, self.hopeful))


@dataclass
class Outlook:
    """What some rows come to: how many are `known`, what changes of those, how the new ones end.

    seen: channels of the rows. met: the hash of channel and listing id of each (see file_changes). same: numbers of
    rows that change nothing.
    """

    known: int = 0
    seen: set[int] = field(default_factory=set)
    met: array[int] = field(default_factory=lambda: array("q"))
    same: array[int] = field(default_factory=lambda: array("I"))
    changes: Changes = field(default_factory=Changes)
    ends: Ends = field(default_factory=Ends)

    def add(self, more: Outlook) -> None:
        """Add what other rows come to."""
        self.known += more.known
        self.seen |= more.seen
        self.met.extend(more.met)
        self.same.extend(more.same)
        self.changes.add(more.changes)
        self.ends.add(more.ends)


class Outlooks:
    """Looks up what the listings of a file will do, in the transaction of this session, which only reads."""

    def __init__(self, session: Session, job: ImportJob) -> None:
        self._session, self._job = session, job
        self._ids, self._channels = channel_ids(session, job), import_checks.channels_of(session, job)
        here = select(Listing.id).where(Listing.channel_id.in_(self._ids.values())).limit(1)
        self._first = session.scalar(here) is None
        self._by_id = self._first or not listing_ids.made_without_ids(session, job)
        self._names = {"channel", "listing_id", "match_key", "gtin"} if self._first else None
        self._as_of = None if self._first else known_rows.as_of(session, job)
        self._walk = listings.Walk()
        self._named: set[bool] = set()  # whether rows name their channel
        self._products = _Products(session)
        self._beforehand: deque[tuple[int, int, int, Outlook]] = deque()
        #: Spans of row numbers that were looked up beforehand: all, whose channels are known, and those without a code
        #: that may lack zeros.
        self.placed: list[tuple[int, int]] = []
        self.whole_codes: list[tuple[int, int]] = []

    def begin(self, staged: Path, ended: Callable[[], bool]) -> None:
        """Look up the rows that a check has found so far, until it has `ended`."""
        if not self._by_id:  # what a row means is only known when all have been read
            return
        for block in importers.follow(staged, ended, size=CHUNK, names=self._names):
            if {name or "" for name in set(block.column("channel"))} <= self._ids.keys():
                span = block.numbers[0], block.numbers[-1]
                self._beforehand.append((*span, len(block), self._of(block, None)))
                self.placed.append(span)
                if not lost_zeros.may_lack(block):
                    self.whole_codes.append(span)

    def forget(self) -> None:
        """Look all rows up again: they have been changed since."""
        self._beforehand.clear()

    def all(self, staged: Path, meeting: Meeting | None) -> Outlook:
        """What all good rows of the checked file come to; `meeting` is what `listing_ids.meeting` says of it."""
        if meeting is not None:
            self.forget()
        kept = importers.unchanged(staged, [found[:3] for found in self._beforehand])
        outlook, spans = Outlook(), list[tuple[int, int]]()
        for whole in kept:
            first, last, _, found = self._beforehand.popleft()  # each is let go at once: together they take 30 MB
            if whole:
                spans.append((first, last))
                outlook.add(found)
        for block in importers.read_blocks(staged, size=CHUNK, names=self._names, but=spans):
            outlook.add(self._of(block, meeting))
        if len(self._named) == 1:  # else two rows may mean one listing, and the later one counts
            known_rows.keep(self._session, self._job, staged, outlook.same, self._as_of)
        return outlook

    def _of(self, block: importers.Block, meeting: Meeting | None) -> Outlook:
        found, rows = Outlook(), block.numbers
        ids, keys = [self._ids[name or ""] for name in block.column("channel")], block.column("match_key")
        places: list[Place] = list(zip(ids, keys, strict=True))
        known = same = [False] * len(rows)
        if not self._first:
            columns = listing_columns.of_each_row(block, self._channels, keys=False)
            found.seen.update(ids)
            self._named.update(name is not None for name in set(block.column("channel")))
            known, same = file_changes.of_listings(
                self._session, found.changes, block, columns, meeting, found.met, self._walk
            )
            found.same.extend(known_rows.settled(rows, same))
            found.known = sum(known)
        # What is the same as before needs no hash: its listing has the SKU, and stands in the way of a new one with it.
        bearing = [bool(key) and not one for key, one in zip(keys, same, strict=True)]
        found.ends.every.extend(map(hash, compress(places, bearing)))
        fresh = list(map(not_, known))
        places, rows = list(compress(places, fresh)), list(compress(rows, fresh))
        wanted: Set[Place] = {place for place in places if place[1]}
        if wanted:
            products = self._products.of({key for _, key in wanted})
            wanted = _linkable(self._session, wanted, products, first=self._first)
        found.ends.take(rows, places, wanted)
        return found


def _linkable(session: Session, places: Set[Place], products: Set[str], *, first: bool) -> Set[Place]:
    """Those of these channels and keys whose product is there and free, and that no known listing of the channel bears.

    products: those of the keys that products have. `first`: the channels have no listings yet, so nothing can be in the
    way.
    """
    there = {place for place in places if place[1] in products}
    if first or not there:
        return there
    used = among(session, Listing.match_key, products), Listing.channel_id.in_({channel for channel, _ in there})
    rivals = places_of(session, select(Listing.channel_id, Listing.match_key).where(*used))
    linked = (
        select(Link.channel_id, Product.match_key).join(Product, Product.id == Link.product_id)
        .where(among(session, Product.match_key, products))
    )  # fmt: skip
    return there - rivals - places_of(session, linked)


class _Products:
    """Tells which SKUs are in the catalogue: asks for each of a few, and has the hashes of all where many are asked."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked, self._enough = 0, FEW
        self._all: Met | None = None

    def of(self, keys: Set[str]) -> Set[str]:
        """Those of the match keys that a product has."""
        self._asked += len(keys)
        if self._all is None and self._asked > self._enough:
            self._decide()
        if self._all is not None:
            ordered = list(keys)
            return set(compress(ordered, self._all.has(ordered)))
        return keys - _absent(self._session, keys, Product.match_key, _ALIVE)

    def _decide(self) -> None:
        """Read them all as soon as asking has taken as long as that would."""
        there = self._session.scalar(select(func.count()).select_from(Product).where(_ALIVE)) or 0
        self._enough = max(self._enough, there // CHEAPER)
        if self._asked > self._enough:
            query = select(Product.match_key).where(_ALIVE).execution_options(yield_per=STEP)
            self._all = Met(array("q", map(hash, self._session.scalars(query))))


_ALIVE = Product.retired_at.is_(None)


def _absent(session: Session, values: Collection[str], column: Any, *where: ColumnElement[bool]) -> set[str]:
    """Those of the values that no row has in this column, of the rows that `where` allows.

    Mostly nearly all of them are there: what is not is little to hand over. They travel as one parameter; see `among`.
    """
    if session.get_bind().dialect.name == "postgresql":
        listed = func.unnest(bindparam(None, list(values), ARRAY(Text))).table_valued("value").render_derived()
    else:
        listed = func.json_each(bindparam(None, json.dumps(list(values)), Text)).table_valued("value")
    there = exists().where(column == listed.c.value, *where)
    return {value for (value,) in session.connection().execute(select(listed.c.value).where(~there)).all()}


def places_of(session: Session, query: Select[*tuple[Any, ...]]) -> set[Place]:
    return {(channel, name) for channel, name in session.execute(query).all()}


def channel_ids(session: Session, job: ImportJob) -> dict[str, int]:
    """Channels by name; "" is the one of the whole file."""
    found = {channel.name: channel.id for channel in channels.all_channels(session)}
    return found | ({"": job.channel_id} if job.channel_id else {})
