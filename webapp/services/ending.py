"""How live links end: they move to the past with their batch, and their listings wait again."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import Session

from webapp.models.base import utc_now
from webapp.models.links import BatchVerb, Link, PastLink
from webapp.models.listings import Listing, ListingState
from webapp.services import acts, counts, decisions
from webapp.services.acts import CHUNK, Change

PAST = (
    "listing_id",
    "product_id",
    "channel_id",
    "fence",
    "source",
    "score",
    "by_name",
    "batch_id",
    "created_at",
    "auto_sync",
)


def end(session: Session, change: Change, *which: ColumnElement[bool], sticky: bool) -> None:
    """Move live links to the past, chunk by chunk inside this transaction; sticky ones no rule makes again."""
    while end_some(session, change, *which, sticky=sticky):
        pass


def end_some(
    session: Session, change: Change, *which: ColumnElement[bool], sticky: bool, limit: int = CHUNK
) -> list[int]:
    """The same for the first of them in the order of their ids; gives the listings whose links ended."""
    batch_id, now = change.act.id, utc_now()
    some = select(Link.id).where(*which).order_by(Link.id).limit(limit).scalar_subquery()
    gone = session.execute(
        delete(Link)
        .where(Link.id.in_(some))
        .returning(*(getattr(Link, c) for c in PAST))
        .execution_options(synchronize_session="fetch")
    ).all()
    if not gone:
        return []
    ids = [row.listing_id for row in gone]
    acts.clear_suspicions(session, ids)
    session.execute(insert(PastLink), [{**row._mapping, "ended_batch_id": batch_id, "ended_at": now} for row in gone])
    if change.act.verb == BatchVerb.UNLINK:  # who leaves a channel and unsyncs all says nothing of each
        decisions.contradict(session, ids)
    if sticky:
        acts.refuse_all(session, [(row.listing_id, row.product_id) for row in gone], batch_id)
    session.execute(
        update(Listing).where(Listing.id.in_(ids)).values(state=ListingState.PENDING, fence=Listing.fence + 1)
    )
    for channel_id, n in sorted(Counter(row.channel_id for row in gone).items()):
        counts.adjust(session, channel_id, {ListingState.LINKED: -n, ListingState.PENDING: n})
    change.in_flight += acts.begun(session, ids)
    change.changed += len(gone)
    return ids
