"""Link by SKU, near misses by their reason, and suggestions above a line, in steps (see services.steps)."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from webapp.db import among
from webapp.errors import phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import ActStep, BatchVerb, Link, LinkBatch, LinkSource, NearMiss, Refusal
from webapp.models.listings import Listing, ListingState
from webapp.services import acts, audit, counts, joining, links, near_misses, reconciliation, rules, steps

AT_ONCE = 5_000  # ids between the first and the last listing: so few are linked while somebody waits for the answer
STEP = 2_000  # near misses in one transaction at most


def few(session: Session, channel: Channel | None) -> bool:
    """Whether linking by SKU takes no longer than somebody waits for an answer."""
    low, high = reconciliation.extent(session, channel)
    return high - low <= AT_ONCE


def begin_by_sku(session: Session, channel: Channel | None, *, by: Actor) -> tuple[LinkBatch, bool]:
    """Begin to link equal SKUs on one channel, or on all; gives the act, and whether it is a new one.

    Where one goes on that covers this channel, that one is given.
    """
    steps.alone(session)
    wanted = {None, channel.id if channel else None}
    for one in steps.running(session, BatchVerb.RECONCILE):
        if one.channel_id in wanted:
            return one, False
    batch = reconciliation.open_batch(session, channel, by=by)
    batch.numbers = {"before": reconciliation.linked_so_far(session, channel)}
    low, high = reconciliation.extent(session, channel)
    of = [counts.of_channel(session, channel.id)] if channel else list(counts.by_channel(session).values())
    total = sum(sum(states.values()) for states in of)
    return steps.lay(session, batch, total, [(low, high, total)]), True


def known_by_sku(session: Session, batch: LinkBatch) -> array[int]:
    """What all steps need: found once, since it takes a pass along an index."""
    return reconciliation.sharing_a_key(session, _channel(session, batch))


def take_by_sku(session: Session, batch: LinkBatch, step: ActStep, limit: int, ambiguous: array[int]) -> int:
    """Link equal SKUs among the listings with the next `limit` ids; gives how many listings those are."""
    channel, span = _channel(session, batch), (step.after, min(step.after + limit, step.upto))
    batch.changed += reconciliation.link_equal_skus(session, batch.id, channel, span, ambiguous)
    near = reconciliation.note_near_misses(session, channel, span)
    blank = func.count().filter(Listing.state == ListingState.PENDING, Listing.match_key.is_(None))
    looked, no_sku = session.execute(select(func.count(), blank).where(*reconciliation.in_span(channel, span))).one()
    shared = ambiguous[bisect_right(ambiguous, span[0]) : bisect_right(ambiguous, span[1])]
    steps.note(batch, near=near, no_sku=no_sku, ambiguous=_waiting_of(session, shared) if shared else 0)
    step.after = span[1]
    return int(looked)


def close_by_sku(session: Session, batch: LinkBatch, by: Actor) -> None:
    """Keep the numbers of a reconciliation that has ended, and say in the trail what it linked."""
    channel, found = _channel(session, batch), batch.numbers or {}
    of = [counts.of_channel(session, channel.id)] if channel else list(counts.by_channel(session).values())
    batch.numbers = reconciliation.Reconciled(
        batch.id if batch.changed else None,
        batch.changed,
        sum(states.get(ListingState.PENDING, 0) for states in of),
        found.get("ambiguous", 0),
        found.get("near", 0),
        found.get("before", 0),
        found.get("no_sku", 0),
    ).as_json()
    if batch.changed:
        reconciliation.say_linked(session, batch, by=by)


def begin_near(session: Session, channel: Channel, reason: str, *, by: Actor) -> LinkBatch:
    """Begin to link all near misses of a channel with that reason; where that goes on already, the act is given."""
    steps.alone(session)
    why = near_words(reason)
    for one in steps.running(session, BatchVerb.LINK):
        if (one.channel_id, one.reason) == (channel.id, why):
            return one
    batch = acts.begin(session, BatchVerb.LINK, by, why, [])
    batch.channel_id = channel.id
    n, high = near_misses.extent(session, channel, reason)
    return steps.lay(session, batch, n, [(0, high, n)], of=reason)


def take_near(session: Session, batch: LinkBatch, step: ActStep, limit: int, _known: object) -> int:
    """Link the next near misses that still can be; gives how many were tried."""
    channel, reason = session.get_one(Channel, batch.channel_id), str(step.of)
    pairs = near_misses.pairs(session, channel, reason, limit=limit, span=(step.after, step.upto))
    ids = [listing_id for listing_id, _ in pairs]
    query = joining.pairs().join(NearMiss, NearMiss.listing_id == Listing.id)
    query = query.join(Product, Product.id == NearMiss.product_id).join(Channel, Channel.id == Listing.channel_id)
    said = exists().where(Refusal.listing_id == Listing.id, Refusal.product_id == Product.id)
    author = joining.Author(LinkSource.HAND, batch.by_name, batch.by_id)
    batch.changed += links.confirm_many(session, batch, ids, query.where(NearMiss.reason == reason, ~said), author)
    _name_left(session, batch, pairs)
    step.after = ids[-1] if len(ids) == limit else step.upto
    return len(ids)


def _name_left(session: Session, batch: LinkBatch, pairs: Sequence[tuple[int, int]]) -> None:
    """Remember what one statement has left out, with the reason that linking it by itself is told."""
    room = steps.NAMED - len((batch.numbers or {}).get("named", []))
    linked = select(Link.listing_id).where(
        Link.batch_id == batch.id, among(session, Link.listing_id, [listing_id for listing_id, _ in pairs])
    )
    done = set(session.scalars(linked))
    left = [acts.Pair(listing_id, product_id) for listing_id, product_id in pairs if listing_id not in done]
    if left and room > 0:
        change = acts.Change(batch=batch)
        by = Actor(batch.by_id, batch.by_name)
        links.confirm_some(session, left[:room], change, by=by, source=LinkSource.HAND)
        batch.changed += change.changed
        steps.note_refused(batch, change.refused)


def close_near(session: Session, batch: LinkBatch, by: Actor) -> None:
    """Say in the trail how many were linked; all others were decided meanwhile, or their product was."""
    if not batch.stopped_by:
        batch.numbers = (batch.numbers or {}) | {"refused": max((batch.total or 0) - batch.changed, 0)}
    close_linked(session, batch, by)


def begin_above(session: Session, channel: Channel, line: int, *, by: Actor) -> LinkBatch:
    """Begin to link the first suggestions at the line or above; where that goes on already, the act is given."""
    steps.alone(session)
    for one in steps.running(session, BatchVerb.RULE):
        if one.channel_id == channel.id:
            return one
    batch = acts.begin(session, BatchVerb.RULE, by, rules.reason(line), [])
    batch.channel_id, n = channel.id, rules.outlook(session, channel, line).above
    return steps.lay(session, batch, n, [(0, 1, n)], of=line)


def take_above(session: Session, batch: LinkBatch, step: ActStep, limit: int, _known: object) -> int:
    """Link the surest of those that are left; the last step finds none that can be. Gives how many were linked."""
    channel, line = session.get_one(Channel, batch.channel_id), int(step.of or 100)
    n = rules.link_some(session, batch, channel, line, limit=limit)
    batch.changed += n
    if not n:
        _name_left_above(session, batch, channel, line)
        step.after = step.upto
    return n


def _name_left_above(session: Session, batch: LinkBatch, channel: Channel, line: int) -> None:
    """Remember what the line could not link: all are counted, the first of them named with the reason."""
    named = rules.left(session, channel, line, limit=steps.NAMED)
    steps.note_refused(batch, named)
    if len(named) == steps.NAMED:
        steps.note(batch, refused=rules.outlook(session, channel, line).above - len(named))


def close_linked(session: Session, batch: LinkBatch, by: Actor) -> None:
    """Say in the trail how many were linked."""
    words = phrases("Linked {n} listing.", "Linked {n} listings.", batch.changed)
    if batch.stopped_by:
        words = phrase("Stopped linking: {n} of {all} are linked.", n=f"{batch.changed:,}", all=f"{batch.total or 0:,}")
    refused = (batch.numbers or {}).get("refused", 0)
    audit.record(session, by, "link.confirmed", f"batch {batch.id}", words, after={"refused": refused})


def near_words(reason: str) -> str:
    """What a batch says of why it linked a group of near misses."""
    return f"near miss: {reason}"


def _channel(session: Session, batch: LinkBatch) -> Channel | None:
    return session.get(Channel, batch.channel_id) if batch.channel_id else None


def _waiting_of(session: Session, ids: array[int]) -> int:
    """How many of these listings wait although a product has their SKU."""
    known = exists().where(Product.match_key == Listing.match_key)
    which = among(session, Listing.id, ids), Listing.state == ListingState.PENDING, known
    return session.scalar(select(func.count()).select_from(Listing).where(*which)) or 0
