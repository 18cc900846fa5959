"""The steps of an undo: states, refusals, many links at once, and the words for what cannot come back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select, true
from sqlalchemy.orm import Session

from webapp.db import among
from webapp.errors import phrase
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import LinkBatch, LinkSource, PastLink, Refusal
from webapp.models.listings import SKIPPED_FROM, Listing, ListingState
from webapp.services import acts, decisions, joining, refusals

MANY = 50  # ended links: fewer are made again one by one


def states(session: Session, change: acts.Change, batch: LinkBatch) -> None:
    """Put listings that the batch moved back where they were; those that moved on since are named and left."""
    asides = {row[0]: row for row in (batch.before or {}).get("asides", [])}
    before: dict[str, list[str | int]] = dict((batch.before or {}).get("states", {}))
    ended = _ended(session, change, [int(i) for i in before])
    for listing in acts.lock(session, [int(i) for i in before]):
        state, place, *after = before[str(listing.id)]
        if after and not _stands(listing, after):
            change.refused.append(acts.refused_item(listing, _words(session, listing)))
            continue
        if listing.id in asides:
            refusals.aside_as_before(session, *asides[listing.id])
        acts.move(session, listing, ListingState(str(state)), change.act.id)
        refusals.note_changes(session, [listing.id])
        listing.place = int(place)
        if listing.id not in ended:  # those were counted when their link ended
            change.changed += 1


def said(session: Session, batch: LinkBatch) -> None:
    """Remember again what a person had refused before this batch linked it."""
    for listing_id, product_id, batch_id, facts in (batch.before or {}).get("refusals", []):
        if session.get(Refusal, (listing_id, product_id)) is None:
            old = Refusal(listing_id=listing_id, product_id=product_id, batch_id=batch_id, at=utc_now(), facts=facts)
            session.add(old)
    session.flush()


def plain(session: Session, change: acts.Change, past: Sequence[PastLink], by: Actor) -> set[int]:
    """Make those of the ended links again that nothing has happened to since, all at once; gives their listings.

    The others are for `links.bring_back` to try one by one, since it can say why.
    """
    same = (PastLink.source, PastLink.score, PastLink.by_name, PastLink.auto_sync)
    query = joining.pairs(*same).join(PastLink, PastLink.listing_id == Listing.id)
    query = query.join(Product, Product.id == PastLink.product_id).join(Channel, Channel.id == Listing.channel_id)
    said = exists().where(Refusal.listing_id == PastLink.listing_id, Refusal.product_id == PastLink.product_id)
    query = query.where(
        among(session, PastLink.id, [p.id for p in past]),
        Listing.state == ListingState.PENDING,
        Product.retired_at.is_(None),
        ~said,
        joining.free() if joining.any_many(session, None) else true(),
    )
    author = joining.Author(LinkSource.RESTORED, by.name, by.id)
    made = {listing_id for listing_id, _ in joining.made(session, change.act.id, query, author)}
    decisions.uphold_made(session, change.act.id, made)
    return made


def gone_words(product: Product) -> str:
    """Why a pair with this product cannot come back, or nothing."""
    if product.retired_at is None:
        return ""
    return phrase(
        "{sku} is no longer in your catalogue. Import it again, or link the listing to another product.",
        sku=product.sku,
    )


def pair_of(old: PastLink) -> acts.Pair:
    """The pair that an ended link was."""
    return acts.Pair(old.listing_id, old.product_id, old.score)


def _ended(session: Session, change: acts.Change, listing_ids: list[int]) -> set[int]:
    if not listing_ids:
        return set()
    query = select(PastLink.listing_id).where(PastLink.ended_batch_id == change.act.id)
    return set(session.scalars(query.where(PastLink.listing_id.in_(listing_ids))))


def _stands(listing: Listing, after: list[str | int]) -> bool:
    """Whether a listing is still as the batch left it; suggestions may have moved it within the queue."""
    state, place = after
    skipped = isinstance(place, int) and place >= SKIPPED_FROM
    return listing.state.value == state and (not skipped or listing.place == place)


def _words(session: Session, listing: Listing) -> str:
    linked = acts.linked_words(session, listing)
    return linked or phrase("{listing} was decided again since. It stays as it is.", listing=listing.external_id)
