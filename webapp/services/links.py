"""Link, unlink, reject, undo: each takes many, one is a list of one, and every act is one batch.

A link is a decision. It is made by a person or by the exact rule, it ends at once for sending, what a
person took apart no rule joins again, and every act can be taken back for thirty days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.db import among, ring
from webapp.errors import Conflict, NotFound, Refused, phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import BatchVerb, Link, LinkBatch, LinkSource, PastLink, Refusal
from webapp.models.listings import SKIPPED_FROM, Listing, ListingState
from webapp.services import acts, decisions, ending, joining, rechecks, refusals, restore, steps, targets
from webapp.services.acts import CHUNK
from webapp.services.acts import Change as Change
from webapp.services.acts import Pair as Pair
from webapp.services.acts import RefusedItem as RefusedItem

UNDO_DAYS = 30


def confirm(
    session: Session,
    pairs: Sequence[Pair],
    *,
    by: Actor,
    source: LinkSource = LinkSource.HAND,
    verb: BatchVerb = BatchVerb.LINK,
    reason: str = "",
    shown: int | None = None,
) -> Change:
    """Link each listing to its product.

    A listing that is linked elsewhere, or a product that has its one listing on the channel, is refused
    with the name of the other side; the rest goes through. Linking what is linked already changes nothing.
    `shown` is the listing that was on the screen, where an undo of several leads back to.
    """
    change = Change(batch=acts.begin(session, verb, by, reason, [shown] if shown else [p.listing_id for p in pairs]))
    for start in range(0, len(pairs), CHUNK):
        confirm_some(session, pairs[start : start + CHUNK], change, by=by, source=source)
    words = phrases("Linked {n} listing.", "Linked {n} listings.", change.changed)
    return acts.close(session, change, by, "link.confirmed", words)


def move(session: Session, pair: Pair, *, by: Actor) -> Change:
    """Give the product's link on the listing's channel to this listing, as one act: its undo brings both back."""
    change = Change(
        batch=acts.begin(session, BatchVerb.LINK, by, phrase("moved from another listing"), [pair.listing_id])
    )
    here = select(Listing.channel_id).where(Listing.id == pair.listing_id).scalar_subquery()
    held = (Link.product_id == pair.product_id, Link.channel_id == here, Link.listing_id != pair.listing_id)
    decisions.contradict(session, session.scalars(select(Link.listing_id).where(*held)).all())
    ending.end(session, change, *held, sticky=True)
    change.changed = 0  # the sentence speaks of the listing that was decided
    confirm_some(session, [pair], change, by=by, source=LinkSource.HAND)
    if change.refused:  # nothing half done: the caller's transaction goes back
        raise Conflict(change.refused[0].message)
    words = phrases("Moved a link to {n} listing.", "Moved a link to {n} listings.", change.changed)
    return acts.close(session, change, by, "link.moved", words)


def unlink(
    session: Session,
    listing_ids: Sequence[int],
    *,
    by: Actor,
    verb: BatchVerb = BatchVerb.UNLINK,
    reason: str = "",
    sticky: bool = True,
) -> Change:
    """Take these listings' links apart: sending to them stops with this transaction.

    No rule links these pairs again, unless the act is not `sticky`: it says nothing about whether they were right.

    A request that had already begun is named in `in_flight`. Listings without a link are counted as unchanged.
    """
    change = Change(batch=acts.begin(session, verb, by, reason, listing_ids))
    for start in range(0, len(listing_ids), CHUNK):
        ending.end(session, change, Link.listing_id.in_(listing_ids[start : start + CHUNK]), sticky=sticky)
    change.unchanged = len(listing_ids) - change.changed
    words = phrases("Unlinked {n} listing.", "Unlinked {n} listings.", change.changed)
    return acts.close(session, change, by, "link.unlinked", words)


def unsync(
    session: Session, which: Sequence[ColumnElement[bool]], *, expect: int, by: Actor, reason: str = ""
) -> Change:
    """Take apart every live link that matches `which` (conditions on Link), if there are exactly `expect`.

    Raises Conflict, and changes nothing, when the number is another one by now.
    """
    change = Change(batch=acts.begin(session, BatchVerb.UNSYNC, by, reason, []))
    ending.end(session, change, *which, sticky=True)
    if change.changed != expect:
        raise Conflict(acts.other_number_words(change.changed, expect), found=change.changed)
    words = phrases("Unsynced {n} pair.", "Unsynced {n} pairs.", change.changed)
    return acts.close(session, change, by, "link.unsynced", words)


def reject(session: Session, pairs: Sequence[Pair], *, by: Actor) -> Change:
    """Remember that these listings are not these products; the listings go on waiting. A live link is refused."""
    change = Change(batch=acts.begin(session, BatchVerb.REJECT, by, "", [p.listing_id for p in pairs]))
    listings = {x.id: x for x in acts.lock(session, [p.listing_id for p in pairs])}
    for pair in pairs:
        if session.scalar(
            select(Link.id).where(Link.listing_id == pair.listing_id, Link.product_id == pair.product_id)
        ):
            listing = listings[pair.listing_id]
            change.refused.append(acts.refused_item(listing, acts.linked_words(session, listing)))
        elif acts.refuse(session, change, [pair]):
            change.changed += 1
            decisions.note_rejected(session, change.act.id, {pair.listing_id: pair.product_id})
        else:
            change.unchanged += 1
    words = phrases("Rejected {n} suggestion.", "Rejected {n} suggestions.", change.changed)
    return acts.close(session, change, by, "link.rejected", words)


def set_aside(
    session: Session,
    listing_ids: Sequence[int],
    state: ListingState,
    *,
    by: Actor,
    rejected: Iterable[Pair] = (),
) -> Change:
    """Mark listings as "no match", ignored, or waiting again; `rejected` are the suggestions that were shown."""
    verbs = {
        ListingState.NO_MATCH: BatchVerb.NO_MATCH,
        ListingState.IGNORED: BatchVerb.IGNORE,
        ListingState.PENDING: BatchVerb.REOPEN,
    }
    if state not in verbs:
        raise Refused(phrase("A listing becomes linked by choosing its product."))
    change = Change(batch=acts.begin(session, verbs[state], by, "", listing_ids))
    wrong: dict[int, list[Pair]] = {}
    for pair in rejected:
        wrong.setdefault(pair.listing_id, []).append(pair)
    before: dict[str, list[str | int]] = {}
    for listing in acts.lock(session, listing_ids):
        if listing.state == ListingState.LINKED:
            change.refused.append(acts.refused_item(listing, acts.linked_words(session, listing)))
        elif listing.state == state and not refusals.is_raised(session, listing):
            change.unchanged += 1
        else:
            before[str(listing.id)] = [listing.state.value, listing.place, state.value, listing.place]
            if state in refusals.ASIDE:
                acts.mark_aside(session, change, listing)
            acts.move(session, listing, state, change.act.id, remembered=True)
            acts.refuse(session, change, wrong.get(listing.id, ()))
            change.changed += 1
    acts.remember(change, before)
    if state is ListingState.NO_MATCH:
        decisions.note(session, change.act.id, dict.fromkeys(map(int, before)))
    return acts.close(session, change, by, f"listing.{verbs[state].value}", acts.aside_words(state, change.changed))


def skip(session: Session, listing_id: int, *, by: Actor, now: datetime | None = None) -> Change:
    """Send a waiting listing to the end of its queue; one that does not wait any more stays as it is."""
    change = Change(batch=acts.begin(session, BatchVerb.SKIP, by, "", [listing_id]))
    for listing in acts.lock(session, [listing_id]):
        if listing.state != ListingState.PENDING:
            change.unchanged += 1
            continue
        place = SKIPPED_FROM + int((now or utc_now()).timestamp() * 1000)
        acts.remember(change, {str(listing.id): [listing.state.value, listing.place, listing.state.value, place]})
        listing.place = place
        change.changed = 1
    words = phrases("Skipped {n} listing.", "Skipped {n} listings.", change.changed)
    return acts.close(session, change, by, "listing.skipped", words)


def undo(session: Session, batch_id: int, *, by: Actor, now: datetime | None = None) -> Change:
    """Take a batch back as far as nobody changed those pairs since; what moved on is named and left alone.

    Works once, within thirty days. Updates that waited for an ended link stay dead; a restored pair is told afresh.
    Raises NotFound, Conflict (taken back already) or Refused (too old). `undo.begin` does it in steps.
    """
    change = Change(batch=begin_undo(session, batch_id, by=by, now=now))
    batch = session.get_one(LinkBatch, batch_id)
    ending.end(session, change, Link.batch_id == batch.id, sticky=False)
    dropped = session.execute(delete(Refusal).where(Refusal.batch_id == batch.id))
    if batch.verb == BatchVerb.REJECT:
        change.changed += int(dropped.rowcount)  # type: ignore[attr-defined]
    undo_rest(session, change, batch)
    last: int | None = 0
    while last is not None:
        last = bring_back(session, change, batch, by, after=last, limit=CHUNK)
    return acts.close(session, change, by, "link.undone", acts.undone_words(batch, change.changed))


def begin_undo(session: Session, batch_id: int, *, by: Actor, now: datetime | None = None) -> LinkBatch:
    """Open the act that takes a batch back, and mark that one as taken back; raises what `undo` raises."""
    now = now or utc_now()
    batch = session.get(LinkBatch, batch_id, with_for_update=True)
    if batch is None:
        raise NotFound(phrase("There is no batch {number}.", number=batch_id))
    if batch.undone_by is not None:
        raise Conflict(phrase("This was taken back already."))
    if steps.goes_on(session, batch_id):
        raise Conflict(phrase("This is still going on. Stop it first, then take back what it did."))
    if batch.at < now - timedelta(days=UNDO_DAYS):
        raise Refused(phrase("This is more than {days} days old and can no longer be taken back.", days=UNDO_DAYS))
    act = acts.begin(session, BatchVerb.UNDO, by, "", [batch.listing_id] if batch.listing_id else [])
    act.undoes, act.channel_id, batch.undone_by = batch.id, batch.channel_id, act.id
    return act


def undo_rest(session: Session, change: Change, batch: LinkBatch) -> None:
    """Take back what a batch said beside its links: decisions, refusals it lifted, pairs it kept, states it moved."""
    decisions.forget(session, batch.id)
    restore.said(session, batch)
    acts.suspect_again(session, change, batch.id)
    restore.states(session, change, batch)


def bring_back(session: Session, change: Change, batch: LinkBatch, by: Actor, *, after: int, limit: int) -> int | None:
    """Make the next links again that the batch ended, where both sides are still free, up to `limit` of them.

    `after` is the id of the last ended link that was looked at; gives the next such, None when all were.
    """
    query = select(PastLink).where(PastLink.ended_batch_id == batch.id, PastLink.id > after)
    past = list(session.scalars(query.order_by(PastLink.id).limit(limit)))
    if not past:
        return None
    listings = {x.id: x for x in acts.lock(session, [p.listing_id for p in past])}
    rechecks.ask_listings(session, listings)
    done = restore.plain(session, change, past, by) if len(past) >= restore.MANY else set()
    change.changed += len(done)
    rest = [p for p in past if p.listing_id not in done]
    wanted = among(session, Product.id, sorted({p.product_id for p in rest}))
    products = {x.id: x for x in session.scalars(select(Product).where(wanted))}
    channels = {x.id: x for x in session.scalars(select(Channel).where(Channel.id.in_({p.channel_id for p in rest})))}
    for old in rest:
        listing, product = listings.get(old.listing_id), products.get(old.product_id)
        if listing is None or product is None:
            continue
        message = restore.gone_words(product) or _join(
            session, listing, product, channels[old.channel_id], change, restore.pair_of(old), by=by,
            source=old.source, like=old,
        )  # fmt: skip
        if message:
            change.refused.append(acts.refused_item(listing, message))
        else:
            decisions.uphold(session, listing.id, product.id)
    targets.mark_batch(session, change.act.id, list(listings))
    return past[-1].id


def last_batch(session: Session, by: Actor, *, limit: int = 200) -> LinkBatch | None:
    """The newest act of this person that can still be taken back."""
    recent = session.scalars(
        select(LinkBatch).where(LinkBatch.by_id == by.id).order_by(LinkBatch.id.desc()).limit(limit)
    )
    return next((b for b in recent if b.changed and b.undone_by is None and b.verb != BatchVerb.UNDO), None)


# ---- the steps -------------------------------------------------------------------------------------------


def confirm_some(session: Session, pairs: Sequence[Pair], change: Change, *, by: Actor, source: LinkSource) -> None:
    """Link some of the pairs of an act that is open; for the rest see `confirm`."""
    listings = {x.id: x for x in acts.lock(session, [p.listing_id for p in pairs])}
    products = {x.id: x for x in session.scalars(select(Product).where(Product.id.in_({p.product_id for p in pairs})))}
    channels = {
        x.id: x
        for x in session.scalars(select(Channel).where(Channel.id.in_({x.channel_id for x in listings.values()})))
    }
    chosen: dict[int, int | None] = {}
    for pair in pairs:
        listing, product = listings.get(pair.listing_id), products.get(pair.product_id)
        if listing is None or product is None or product.retired_at is not None:
            raise NotFound(phrase("This listing or product is no longer there. Look again."))
        before = change.changed
        message = _join(session, listing, product, channels[listing.channel_id], change, pair, by=by, source=source)
        if message:
            change.refused.append(acts.refused_item(listing, message))
        elif change.changed > before:  # linking what is linked already says nothing, and may leave no batch behind
            chosen[pair.listing_id] = pair.product_id
    rechecks.ask_listings(session, chosen)
    if source is not LinkSource.FILE:  # a file of links judges no suggestion: nobody saw them
        decisions.note(session, change.act.id, chosen, judged=source is not LinkSource.RULE)
    targets.mark_batch(session, change.act.id, list(chosen))


def confirm_many(
    session: Session,
    act: LinkBatch,
    listing_ids: Sequence[int],
    query: Select[*tuple[Any, ...]],
    author: joining.Author,
    *,
    judged: bool = True,
) -> int:
    """Link waiting listings of an act that is open in one statement; gives how many.

    `query` is of `joining.pairs` with Product and Channel joined: those of other listings are left out, and so is what
    cannot be, without a word for each. See `decisions.note` for `judged`.
    """
    which = among(session, Listing.id, listing_ids)
    session.execute(select(Listing.id).where(which).order_by(Listing.id).with_for_update())
    still = which, Listing.state == ListingState.PENDING, Product.retired_at.is_(None)
    linked = dict(joining.made(session, act.id, query.where(*still), author))
    rechecks.ask_listings(session, linked)
    decisions.note(session, act.id, linked, judged=judged)
    ring(session, targets.BELL)
    return len(linked)


def _join(
    session: Session,
    listing: Listing,
    product: Product,
    channel: Channel,
    change: Change,
    pair: Pair,
    *,
    by: Actor,
    source: LinkSource,
    like: PastLink | None = None,
) -> str:
    """Make one link, `like` the one it brings back; gives the words of a refusal, or nothing."""
    current = session.scalar(select(Link).where(Link.listing_id == listing.id))
    if current is not None:
        if current.product_id == product.id:
            change.unchanged += 1
            return ""
        return acts.linked_words(session, listing)
    slot = listing.id if channel.many else 0
    if taken := acts.taken_words(session, product, channel, slot):
        return taken
    link = Link(
        listing_id=listing.id,
        product_id=product.id,
        channel_id=channel.id,
        slot=slot,
        fence=listing.fence + 1,
        source=source,
        score=pair.score,
        by_id=by.id,
        by_name=like.by_name if like else by.name,
        auto_sync=like.auto_sync if like else True,
        batch_id=change.act.id,
    )
    try:
        with session.begin_nested():
            session.add(link)
            session.flush()
    except IntegrityError:  # somebody else was first, between our look and our write
        return acts.linked_words(session, listing) or acts.taken_words(session, product, channel, slot)
    if listing.state != ListingState.PENDING:
        waits = ListingState.PENDING.value
        acts.remember(change, {str(listing.id): [listing.state.value, listing.place, waits, listing.place]})
    acts.move(session, listing, ListingState.LINKED, change.act.id)
    listing.fence += 1
    acts.forgive(session, change, listing.id, product.id)
    change.changed += 1
    return ""
