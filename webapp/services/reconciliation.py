"""Link what is exactly the same, and name what nearly is.

The exact rule is the decision table of the house: keys equal after trimming and NFC, never blank, one
listing and one product with that key on the channel, neither side linked, never a pair a person took apart.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from matching.identifiers import near_reason
from webapp.db import among, inserting, ring
from webapp.errors import phrase, phrases
from webapp.models.accounts import SAME_SKU, Actor
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import BatchVerb, Link, LinkBatch, LinkSource, NearMiss, Refusal
from webapp.models.listings import Listing, ListingState
from webapp.services import audit, counts, joining, rechecks, targets

BY_SKU = joining.Author(LinkSource.SKU, SAME_SKU.name)
STEP = 40_000  # the most listings in one transaction: each writes the whole index by product anew


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation did, and why the rest waits; the numbers are listings."""

    batch: int | None = None
    linked: int = 0
    pending: int = 0
    ambiguous: int = 0
    near_miss: int = 0
    already_linked: int = 0
    no_sku: int = 0

    def as_json(self) -> dict[str, int | None]:
        """The fields that the command line promises."""
        return asdict(self)


def reconcile(session: Session, channel: Channel | None, *, by: Actor, import_id: int | None = None) -> Reconciled:
    """Do all of it in this transaction; for large tables `jobs.tasks.reconcile` takes the same steps one by one.

    With `import_id` only pairs are linked whose listing or product that import has made: what its forecast said.
    """
    batch = open_batch(session, channel, by=by)
    before = linked_so_far(session, channel)
    (low, high), ambiguous = extent(session), sharing_a_key(session, channel)
    linked = near = 0
    for start in range(low, high, STEP):
        span = start, min(start + STEP, high)
        linked += link_equal_skus(session, batch.id, channel, span, ambiguous, import_id=import_id)
        near += note_near_misses(session, channel, span)
    return summarise(
        session, close_batch(session, batch.id, linked, by=by), channel, linked=linked, near=near, before=before
    )


def summarise(
    session: Session, batch: int | None, channel: Channel | None, *, linked: int, near: int, before: int
) -> Reconciled:
    """The numbers of a reconciliation that has just ended; `before` is how many were linked when it began."""
    now = waiting(session, channel)
    return Reconciled(batch, linked, now["pending"], now["ambiguous"], near, before, now["no_sku"])


def open_batch(session: Session, channel: Channel | None, *, by: Actor) -> LinkBatch:
    """Begin a reconciliation of one channel, or of all."""
    batch = LinkBatch(
        verb=BatchVerb.RECONCILE,
        channel_id=channel.id if channel else None,
        by_id=by.id,
        by_name=by.name,
        reason=phrase("exact SKU"),
    )
    session.add(batch)
    session.flush()
    return batch


def extent(session: Session, channel: Channel | None = None) -> tuple[int, int]:
    """The ids of all listings, or of one channel's, as a span (low, high]; an empty one where there are none."""
    each = Listing.id if channel is None else Listing.id + 0  # or PostgreSQL walks all ids until one is the channel's
    scope = [Listing.channel_id == channel.id] if channel else []
    low, high = (session.scalar(select(end(each)).where(*scope)) for end in (func.min, func.max))
    return (0, 0) if low is None or high is None else (low - 1, high)


def sharing_a_key(session: Session, channel: Channel | None) -> array[int]:
    """Ids, ascending, of the listings whose key another listing of their channel has too: the rule links none of them.

    Found once for all steps, in one pass along the index: asking for each listing takes longer than linking
    it. A rival that comes in while the steps run has come after this reconciliation.
    """
    scope = [Listing.match_key.is_not(None), *([Listing.channel_id == channel.id] if channel else [])]
    key = (Listing.channel_id, Listing.match_key)
    twice = select(*key).where(*scope).group_by(*key).having(func.count() > 1).subquery()
    same = and_(Listing.channel_id == twice.c.channel_id, Listing.match_key == twice.c.match_key)
    return array("q", session.scalars(select(Listing.id).join(twice, same).order_by(Listing.id)))


def link_equal_skus(
    session: Session,
    batch_id: int,
    channel: Channel | None,
    span: tuple[int, int],
    ambiguous: array[int],
    *,
    import_id: int | None = None,
) -> int:
    """Link the exact pairs among listings with an id in (low, high]; gives how many. Safe to repeat and to race.

    `ambiguous` is what `sharing_a_key` gave.
    """
    shared = ambiguous[bisect_right(ambiguous, span[0]) : bisect_right(ambiguous, span[1])]
    more = [~among(session, Listing.id, shared)] if shared else []
    if import_id is not None:
        more.append(or_(Listing.import_id == import_id, Product.import_id == import_id))
    if joining.any_many(session, channel):
        more.append(joining.free())
    newest = joining.make(session, batch_id, _exact_pairs(channel, span, more), BY_SKU)
    low, high = span
    linked = select(Link.listing_id).where(Link.listing_id > low, Link.listing_id <= high)  # in the order of its index
    n = joining.settle(session, batch_id, newest, linked)
    if n:
        rechecks.ask_span(session, span)
    return n


def close_batch(session: Session, batch_id: int, linked: int, *, by: Actor) -> int | None:
    """End a reconciliation: a batch that linked nothing is dropped; gives the id of one that did."""
    batch = session.get_one(LinkBatch, batch_id)
    if not linked:
        session.delete(batch)
        session.flush()
        return None
    batch.changed = linked
    say_linked(session, batch, by=by)
    return batch.id


def say_linked(session: Session, batch: LinkBatch, *, by: Actor) -> None:
    """Say in the trail what a reconciliation linked, and let it be sent."""
    ring(session, targets.BELL)
    words = phrases("Linked {n} listing with the same SKU.", "Linked {n} listings with the same SKU.", batch.changed)
    if batch.stopped_by:
        words = phrases(
            "Stopped linking by SKU: {n} listing is linked.",
            "Stopped linking by SKU: {n} listings are linked.",
            batch.changed,
        )
    audit.record(session, by, "link.reconciled", f"batch {batch.id}", words, after={"rule": "exact_sku"})


def note_near_misses(session: Session, channel: Channel | None, span: tuple[int, int]) -> int:
    """Find the waiting listings whose SKU differs from one product's by a nameable reason; gives how many."""
    scope = in_span(channel, span)
    session.execute(
        delete(NearMiss)
        .where(NearMiss.listing_id > span[0], NearMiss.listing_id <= span[1])
        .where(NearMiss.channel_id + 0 == channel.id if channel else true())
    )
    refused = exists().where(Refusal.listing_id == Listing.id, Refusal.product_id == Product.id)
    query = (
        select(Listing.id, Listing.channel_id, Listing.sku, Product.id, Product.sku)
        .join(Product, and_(Product.loose_key == Listing.loose_key, Product.match_key != Listing.match_key))
        .where(
            *scope,
            Listing.state == ListingState.PENDING,
            Listing.loose_key != "",
            Product.retired_at.is_(None),
            ~refused,
        )
    )
    found: dict[int, list[tuple[int, str, int, str]]] = {}
    for listing_id, channel_id, sku, product_id, ours in session.execute(query):
        found.setdefault(listing_id, []).append((channel_id, sku, product_id, ours))
    rows = []
    for listing_id, rivals in found.items():
        channel_id, sku, product_id, ours = rivals[0]
        reason = near_reason(ours, sku) if len(rivals) == 1 else None
        if reason is not None:
            rows.append(
                {"listing_id": listing_id, "product_id": product_id, "channel_id": channel_id, "reason": reason}
            )
    if rows:
        # Two reconciliations may meet here; what one has noted is what the other would.
        session.execute(inserting(session, NearMiss).on_conflict_do_nothing(), rows)
    return len(rows)


def linked_so_far(session: Session, channel: Channel | None) -> int:
    """How many listings are linked, of one channel or of all."""
    states = [counts.of_channel(session, channel.id)] if channel else counts.by_channel(session).values()
    return sum(s.get(ListingState.LINKED, 0) for s in states)


def waiting(session: Session, channel: Channel | None) -> dict[str, int]:
    """Why listings wait: pending in all, without SKU, ambiguous; and how many are linked."""
    scope = [Listing.channel_id == channel.id] if channel else []
    pending = [*scope, Listing.state == ListingState.PENDING]
    rival = aliased(Listing)
    has_rival = exists().where(
        rival.channel_id == Listing.channel_id, rival.match_key == Listing.match_key, rival.id != Listing.id
    )
    known = exists().where(Product.match_key == Listing.match_key)
    states = [counts.of_channel(session, channel.id)] if channel else list(counts.by_channel(session).values())
    return {
        "pending": sum(s.get(ListingState.PENDING, 0) for s in states),
        "linked": sum(s.get(ListingState.LINKED, 0) for s in states),
        "no_sku": _count(session, select(Listing.id).where(*pending, Listing.match_key.is_(None))),
        "ambiguous": _count(
            session, select(Listing.id).where(*pending, Listing.match_key.is_not(None), known, has_rival)
        ),
    }


def _exact_pairs(
    channel: Channel | None, span: tuple[int, int], more: list[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    """The pairs that the exact rule allows and `more` narrows down."""
    allowed = ~exists().where(Refusal.listing_id == Listing.id, Refusal.product_id == Product.id)
    query = joining.pairs().join(Product, Product.match_key == Listing.match_key)
    return query.join(Channel, Channel.id == Listing.channel_id).where(
        *in_span(channel, span),
        Listing.state == ListingState.PENDING,
        Product.retired_at.is_(None),
        allowed,
        *more,
    )


def in_span(channel: Channel | None, span: tuple[int, int]) -> list[ColumnElement[bool]]:
    """The conditions on Listing of a step: an id in (low, high], on one channel or on any."""
    scope = [Listing.id > span[0], Listing.id <= span[1]]
    on_channel = Listing.channel_id + 0  # or SQLite walks an index by channel, all of it, in each step
    return [*scope, on_channel == channel.id] if channel else scope


def _count(session: Session, query: Select[Any]) -> int:
    return int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)
