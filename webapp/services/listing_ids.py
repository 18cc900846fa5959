"""Which listing a row means, where the file or what is known of the listing has a SKU and no id.

Some reports have no listing ids; the SKU of a row stands for the id of a listing that is new. So that such a report and
one with ids speak of the same listings, whichever comes first, the SKU decides where it is the only one of its channel.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

import importers
from matching.identifiers import match_key
from webapp.db import among
from webapp.models.channels import Channel
from webapp.models.imports import ImportJob, ImportKind
from webapp.models.listings import Listing, ListingState
from webapp.services.hashes import twice

Key = tuple[int, str]  # channel and listing id, or channel and match key
STEP = 5_000  # rows that are read at once


@dataclass(frozen=True)
class Meeting:
    """Under which other ids the rows of an import may be known.

    by_sku: the file has no ids; `doubtful` are the keys, with their channel, that several listings there have.
    Otherwise `made` are the imports whose files had no ids, and `shared` the hashes of the keys, with their channel,
    that several rows of this file have.
    """

    by_sku: bool
    doubtful: frozenset[Key] = field(default=frozenset())
    made: frozenset[int] = field(default=frozenset())
    shared: frozenset[int] = field(default=frozenset())


def meeting(session: Session, job: ImportJob, columns: Mapping[str, str], staged: Path) -> Meeting | None:
    """What a file of listings may meet; None where every row can only mean what its id says.

    columns: header to field, as the check of the file found them.
    """
    fields = set(columns.values())
    scope = [] if "channel" in fields or job.channel_id is None else [Listing.channel_id == job.channel_id]
    others = or_(Listing.import_id.is_(None), Listing.import_id != (job.id or 0))
    if job.kind != ImportKind.LISTINGS or session.scalar(select(Listing.id).where(*scope, others).limit(1)) is None:
        return None
    if "listing_id" not in fields:
        return Meeting(True, doubtful=_doubtful(session, scope))
    made = made_without_ids(session, job)
    return Meeting(False, made=made, shared=_shared(session, job, staged)) if made else None


def known_as(
    session: Session,
    meeting: Meeting,
    keys: Sequence[Key],
    match_keys: Sequence[str | None],
    known: Collection[Hashable],
) -> dict[Key, str]:
    """The id under which the channel's listing is known that a row means, by the key of the row.

    Only of rows that have a SKU and whose own key is not among the `known` ones.
    """
    by_channel: dict[int, dict[str, Key]] = {}
    for key, sku in zip(keys, match_keys, strict=True):
        if sku and key not in known and not _in_doubt(meeting, (key[0], sku)):
            by_channel.setdefault(key[0], {})[sku] = key
    found: dict[Key, str] = {}
    for channel_id, wanted in sorted(by_channel.items()):
        for sku, here in bearers(session, channel_id, wanted).items():
            if len(here) == 1 and _may_be_meant(meeting, here[0], sku):
                found[wanted[sku]] = here[0].external_id
    return {key: other for key, other in found.items() if (key[0], other) not in known}


@dataclass(frozen=True)
class Bearer:
    """A listing that has a SKU: its id, where it stands, and the import that made it."""

    external_id: str
    state: ListingState
    import_id: int | None


def bearers(session: Session, channel_id: int, match_keys: Collection[str]) -> dict[str, list[Bearer]]:
    """The listings of a channel that have one of these keys, by key; ended ones only where none has not ended."""
    columns = Listing.match_key, Listing.external_id, Listing.state, Listing.import_id
    query = select(*columns).where(Listing.channel_id == channel_id, among(session, Listing.match_key, match_keys))
    found: dict[str, list[Bearer]] = {}
    for sku, external_id, state, import_id in session.execute(query):
        found.setdefault(str(sku), []).append(Bearer(external_id, state, import_id))
    return {sku: [one for one in rivals if one.state != ListingState.ENDED] or rivals for sku, rivals in found.items()}


def _in_doubt(meeting: Meeting, place: Key) -> bool:
    return place in meeting.doubtful or hash(place) in meeting.shared


def _may_be_meant(meeting: Meeting, listing: Bearer, sku: str) -> bool:
    """Whether a listing that has a row's SKU gets the id of that row: not when it has an id of its own already."""
    return meeting.by_sku or (listing.import_id in meeting.made and match_key(listing.external_id) == sku)


def _doubtful(session: Session, scope: Sequence[ColumnElement[bool]]) -> frozenset[Key]:
    place = Listing.channel_id, Listing.match_key
    live = Listing.match_key.is_not(None), Listing.state != ListingState.ENDED
    query = select(*place).where(*scope, *live).group_by(*place).having(func.count() > 1)
    return frozenset((channel_id, str(key)) for channel_id, key in session.execute(query))


def made_without_ids(session: Session, job: ImportJob) -> frozenset[int]:
    """The imports that made listings from files without ids."""
    made = ImportJob.kind == ImportKind.LISTINGS, ImportJob.created > 0, ImportJob.id != (job.id or 0)
    rows = session.execute(select(ImportJob.id, ImportJob.report["columns"]).where(*made))
    return frozenset(i for i, columns in rows if columns and "listing_id" not in columns.values())


def _shared(session: Session, job: ImportJob, staged: Path) -> frozenset[int]:
    ids = dict(session.execute(select(Channel.name, Channel.id)).all())
    every = array("q")
    for block in importers.read_blocks(staged, size=STEP, names=("channel", "match_key")):
        keys = block.column("match_key")
        channel_ids = (ids[name] if name else job.channel_id for name in block.column("channel"))
        every.extend(map(hash, compress(zip(channel_ids, keys, strict=True), keys)))
    return frozenset(twice(every))
