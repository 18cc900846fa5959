"""Listings: bring them in from a file, find one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

import importers
from webapp.db import among, among_those, direct
from webapp.errors import NotFound, phrase
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import Aside, Decision, Link, NearMiss, PastLink, Refusal, Suggestion
from webapp.models.listings import NOT_COMPUTED, Listing, ListingState
from webapp.models.propagation import Attempt
from webapp.models.suspicions import Suspicion
from webapp.services import counts, listing_columns, listing_ids, rechecks, refusals
from webapp.services.listing_columns import TEXTS, Columns
from webapp.services.listing_ids import Key, Meeting
from webapp.services.upserts import Upserted, insert_columns, write

FACTS = {"sku", "match_key", "title", "brand", "gtin", "mpn", "description", "options"}  # what suggestions depend on
JUDGED = FACTS | {"price", "currency", "quantity"}  # what may contradict a product, or differ from it


def upsert_listings(
    session: Session,
    rows: Sequence[Mapping[str, Any]],
    channels: Mapping[str, Channel],
    *,
    import_id: int | None = None,
) -> Upserted:
    """Create or update listings by channel and listing id from typed rows that carry `channel` (a name) each."""
    columns = listing_columns.columns_of(importers.Block.of(enumerate(rows)), channels)
    return upsert_columns(session, columns, import_id=import_id)


def upsert_columns(
    session: Session,
    columns: Columns,
    *,
    import_id: int | None = None,
    look_first: bool = True,
    meeting: Meeting | None = None,
) -> Upserted:
    """Create or update listings by channel and listing id; rows without a `channel` belong to the first one.

    meeting: how rows may mean listings that are known by another id. A file without ids finds them by SKU; one with
    ids gives its id to a listing that has had a SKU alone.

    A listing whose facts changed is asked for suggestions again; its link stays. What is absent stays.
    The ids of new listings are given, but not to an import: it finds them by its own number. An import that has met
    no known listing so far need not `look_first`: a row that is there after all is told by the insert.
    """
    result, now = Upserted(), utc_now()
    if not look_first and _insert(session, columns, import_id, now, pass_over=True) == len(columns.keys):
        result.created = list[Hashable](columns.keys)
    else:
        known = values_of(session, columns.keys, columns.names)
        if not look_first:
            known = _without(session, known, import_id, now)
        columns, adopted = _meet(session, columns, known, meeting)
        fresh = _compare(session, columns, known, adopted, result, now)
        if fresh and look_first:
            _insert(session, columns.at(fresh), import_id, now)
        result.created = [columns.keys[place] for place in fresh]
    if result.created and import_id is None:
        result.ids.update({key: row[0] for key, row in values_of(session, result.created, ()).items()})
    for channel_id, n in Counter(map(itemgetter(0), result.created)).items():  # type: ignore[arg-type]
        counts.adjust(session, channel_id, {ListingState.PENDING: n})
    if result.ids and counts.has(session, ListingState.ENDED):
        reopen(session, list(result.ids.values()))
    stale = [i for i, (_, after) in result.changed.items() if FACTS & set(after)]
    if stale:
        session.execute(update(Listing).where(Listing.id.in_(stale)).values(place=NOT_COMPUTED))
        refusals.note_changes(session, stale)
    renamed = [i for i, (_, after) in result.changed.items() if "title" in after]
    if renamed:  # what a linked product is called has changed
        linked = select(Link.product_id).where(Link.listing_id.in_(renamed))
        session.execute(
            update(Product)
            .where(Product.id.in_(linked))
            .values(changed_at=now)
            .execution_options(synchronize_session=False)
        )
    rechecks.ask_listings(session, (i for i, (_, after) in result.changed.items() if not JUDGED.isdisjoint(after)))
    return result


def unchanged(session: Session, columns: Columns) -> list[bool]:
    """Of each row whether its listing is known by the row's own id and says the same; nothing is written."""
    return columns.same_as(values_of(session, columns.keys, columns.names))


def _meet(
    session: Session, columns: Columns, known: dict[Hashable, tuple[Any, ...]], meeting: Meeting | None
) -> tuple[Columns, dict[Key, str]]:
    """Make known the listings that rows mean by their SKU alone; gives the rows, and ids of before by new key."""
    skus = columns.values.get("match_key")
    others = listing_ids.known_as(session, meeting, columns.keys, skus, known) if meeting and skus else {}
    if meeting is None or not others:
        return columns, {}
    there = values_of(session, ((key[0], other) for key, other in others.items()), columns.names)
    if not meeting.by_sku:
        known |= {key: there[key[0], other] for key, other in others.items()}
        return columns, others
    known |= there
    return replace(columns, keys=[(key[0], others.get(key, key[1])) for key in columns.keys]), {}


def _compare(
    session: Session,
    columns: Columns,
    known: Mapping[Any, Sequence[Any]],
    adopted: Mapping[Key, str],
    result: Upserted,
    now: datetime,
) -> list[int]:
    """Update the known listings that differ from these rows; gives the places of the rows that are new.

    adopted: the ids that listings have had so far, by the key of the row that gives them another.
    """
    fresh, updates = [], []
    for place, (key, values) in enumerate(zip(columns.keys, columns.rows(), strict=True)):
        current = known.get(key)
        if current is None:
            fresh.append(place)
            continue
        result.ids[key] = current[0]
        difference = columns.difference(place, current[1:]) if current[1:] != values else None
        if key in adopted:
            before, after = difference or ({}, {})
            difference = {"external_id": adopted[key], **before}, {"external_id": key[1], **after}
        if difference is None:
            result.unchanged += 1
            continue
        result.changed[current[0]] = difference
        updates.append({"id": current[0], **difference[1], "seen_at": now})
    write(session, Listing, updates)
    return fresh


def _without(
    session: Session, known: Mapping[Hashable, tuple[Any, ...]], import_id: int | None, now: datetime
) -> dict[Hashable, tuple[Any, ...]]:
    """The known listings without those that this chunk has just made."""
    which = among(session, Listing.id, [row[0] for row in known.values()]), Listing.import_id == import_id
    mine = set(session.scalars(select(Listing.id).where(*which, Listing.seen_at == now)))
    return {key: row for key, row in known.items() if row[0] not in mine}


def _insert(
    session: Session, columns: Columns, import_id: int | None, now: datetime, *, pass_over: bool = False
) -> int:
    """Make new listings, which wait for a decision; gives how many. `pass_over`: not of rows whose key is there."""
    fixed = dict.fromkeys((*TEXTS, "sku", "currency"), "") | {
        "state": ListingState.PENDING,
        "place": NOT_COMPUTED,
        "fence": 0,
        "import_id": import_id,
        "seen_at": now,
    }
    channel_ids, external_ids = zip(*columns.keys, strict=True)
    values = {"channel_id": channel_ids, "external_id": external_ids, **columns.values}
    return insert_columns(
        session, cast(Table, Listing.__table__), values, {n: v for n, v in fixed.items() if n not in values},
        ready=values.keys() - {"options"}, pass_over=pass_over,
    )  # fmt: skip


def reopen(session: Session, ids: Sequence[int], *, as_before: ListingState = ListingState.PENDING) -> int:
    """Those of these listings that had ended are there again, waiting or set aside as before; gives how many."""
    state = as_before if as_before in refusals.ASIDE else ListingState.PENDING
    which = among(session, Listing.id, ids), Listing.state == ListingState.ENDED
    ended = list(session.execute(select(Listing.id, Listing.channel_id).where(*which)).all())
    here = Listing.id.in_([i for i, _ in ended])
    session.execute(update(Listing).where(here).values(state=state, place=NOT_COMPUTED))
    for channel_id, n in sorted(Counter(channel_id for _, channel_id in ended).items()):
        counts.adjust(session, channel_id, {ListingState.ENDED: -n, state: n})
    return len(ended)


def find(session: Session, channel: Channel, external_id: str) -> Listing:
    """The listing of that id on a channel; raises NotFound."""
    listing = session.scalar(
        select(Listing).where(Listing.channel_id == channel.id, Listing.external_id == external_id)
    )
    if listing is None:
        words = phrase(
            "There is no listing {listing} on {channel}. Check the id, or import the listings first.",
            listing=external_id,
            channel=channel.name,
        )
        raise NotFound(words)
    return listing


def values_of(session: Session, keys: Iterable[Any], names: Sequence[str]) -> dict[Hashable, tuple[Any, ...]]:
    """Id and these columns, amounts as they are stored, of the listings there are, by key (channel, external id)."""
    ids: dict[int, list[str]] = {}
    for channel_id, external_id in keys:
        ids.setdefault(channel_id, []).append(external_id)
    arrays = session.get_bind().dialect.name == "postgresql"
    query = _by_id(tuple(names), arrays)
    found: dict[Hashable, tuple[Any, ...]] = {}
    for channel_id, here in sorted(ids.items()):
        rows = direct(session, query, {"channel": channel_id, "ids": here if arrays else json.dumps(here)}).all()
        found |= {(channel_id, row[0]): row[1:] for row in rows if row[0] is not None}
    return found


@lru_cache(64)
def _by_id(names: tuple[str, ...], arrays: bool) -> Select[tuple[Any, ...]]:
    """The statement of `values_of`, which takes as long to make as to look twenty listings up."""
    columns = Listing.__table__.c
    query = select(columns.external_id, columns.id, *_stored(names))
    here = columns.channel_id == bindparam("channel")
    if arrays:
        return query.where(here, among_those(columns.external_id, "ids"))
    # In the order of the file, in which the rows mostly lie in the table too: an outer join keeps it.
    listed = func.json_each(bindparam("ids", type_=Text)).table_valued("value")
    return query.select_from(listed.outerjoin(Listing.__table__, and_(here, columns.external_id == listed.c.value)))


class Walk:
    """Finds listings for rows that come portion by portion, mostly in the order in which the listings were made.

    Reading on behind the last ones takes a third of looking each up; what is not there is looked up all the same.
    """

    def __init__(self) -> None:
        self._last: int | None = None  # the id behind which to read on, None where that would be in vain
        self._read: list[tuple[Any, ...]] = []  # channel, external id, the columns, and id of what has been read on

    def agrees(self, session: Session, columns: Columns) -> bool:
        """Whether the next listings are these rows, one after the other, and say the same; a quick look at all."""
        self._read = []
        if self._last is None or "options" in columns.values:  # which has to be read from JSON
            return False
        there = Listing.__table__.c
        query = select(there.channel_id, there.external_id, *_stored(columns.names), there.id)
        query = query.where(there.id > self._last).order_by(there.id).limit(len(columns))
        with session.connection().execute(query) as result:  # plain tuples: nothing is to be converted
            self._read = cast(list[tuple[Any, ...]], cast(Any, result).cursor.fetchall())
        channels, names = zip(*columns.keys, strict=True)
        if [row[:-1] for row in self._read] != list(zip(channels, names, *columns.values.values(), strict=True)):
            return False
        self._last = self._read[-1][-1]
        return True

    def values_of(self, session: Session, columns: Columns) -> dict[Hashable, tuple[Any, ...]]:
        """What `values_of` gives for the keys and names of these rows, which `agrees` has been asked about."""
        wanted, keys = set(columns.keys), columns.keys
        found: dict[Hashable, tuple[Any, ...]] = {
            key: (row[-1], *row[2:-1]) for row in self._read if (key := row[:2]) in wanted
        }
        if len(found) < len(keys):
            found |= values_of(session, [key for key in keys if key not in found], columns.names)
        ids = [row[0] for row in found.values()]
        together = 2 * len(ids) > len(keys) and max(ids) - min(ids) < 2 * len(keys)
        self._last = max(ids) if together else None
        return found


def _stored(names: Sequence[str]) -> list[ColumnElement[Any]]:
    """These columns, amounts as they are stored."""
    columns = Listing.__table__.c
    return [type_coerce(columns.price, BigInteger) if name == "price" else columns[name] for name in names]


def remove(session: Session, which: Any) -> int:
    """Delete listings (`which` selects ids) that have no history; those with one stay. Gives how many went."""
    used = [select(x.listing_id) for x in (Link, PastLink, Attempt)]
    free = select(Listing.id).where(Listing.id.in_(which), *(Listing.id.not_in(u) for u in used))
    for table in (Suggestion, NearMiss, Refusal, Aside, Decision, Suspicion):
        session.execute(delete(table).where(table.listing_id.in_(free)).execution_options(synchronize_session=False))
    for channel_id, state, n in session.execute(
        select(Listing.channel_id, Listing.state, func.count())
        .where(Listing.id.in_(free))
        .group_by(Listing.channel_id, Listing.state)
    ).all():
        counts.adjust(session, channel_id, {state: -n})
    gone = session.execute(delete(Listing).where(Listing.id.in_(free)).execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]
