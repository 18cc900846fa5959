"""Near misses: waiting listings whose SKU differs from a product's only by case, a dash or a zero, by their reason.

Nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from matching.identifiers import NEAR_REASONS
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import Link, NearMiss, Refusal
from webapp.models.listings import Listing, ListingState

CAP = 5_000  # near misses are counted up to here


class On(NamedTuple):
    """A channel as far as conditions depend on it."""

    id: int
    many: bool


@dataclass(frozen=True)
class Group:
    """Waiting listings whose SKU is nearly a product's, all for one reason."""

    reason: str
    count: int
    samples: list[tuple[Listing, Product]]


def groups(session: Session, channel: Channel, *, samples: int = 3) -> list[Group]:
    """The near misses of a channel by reason, the largest group first; a group is counted up to CAP."""
    each = [_of_reason(channel, reason).limit(CAP + 1).subquery() for reason in NEAR_REASONS]
    counts = (select(literal(r), func.count()).select_from(one) for r, one in zip(NEAR_REASONS, each, strict=True))
    sizes = {reason: n for reason, n in session.execute(union_all(*counts)) if n}
    order = sorted(sizes, key=lambda reason: (-sizes[reason], reason))
    shown: dict[str, list[tuple[Listing, Product]]] = {reason: [] for reason in order}
    if order:
        some = [_of_reason(channel, reason).limit(samples).subquery() for reason in order]
        ids = union_all(*(select(one.c.listing_id) for one in some))
        query = (
            select(NearMiss.reason, Listing, Product)
            .join(Listing, Listing.id == NearMiss.listing_id)
            .join(Product, Product.id == NearMiss.product_id)
            .where(NearMiss.listing_id.in_(ids))
            .order_by(NearMiss.listing_id)
        )
        for reason, listing, product in session.execute(query):
            shown[reason].append((listing, product))
    return [Group(reason, sizes[reason], shown[reason]) for reason in order]


def pairs(
    session: Session, channel: Channel, reason: str, *, limit: int, span: tuple[int, int] | None = None
) -> list[tuple[int, int]]:
    """Listing and product ids of the near misses with that reason, in id order; of listings in (low, high] if given."""
    query = _of_reason(channel, reason).limit(limit)
    if span is not None:
        query = query.where(NearMiss.listing_id > span[0], NearMiss.listing_id <= span[1])
    return [(listing_id, product_id) for listing_id, product_id in session.execute(query)]


def extent(session: Session, channel: Channel, reason: str) -> tuple[int, int]:
    """How many near misses there are with that reason, and the largest id of their listings (0 for none)."""
    one = _of_reason(channel, reason).order_by(None).subquery()
    n, high = session.execute(select(func.count(), func.max(one.c.listing_id)).select_from(one)).one()
    return n, high or 0


def still_open(channel: Channel | On) -> list[ColumnElement[bool]]:
    """The near misses of a channel that can be linked: nobody said no, the listing waits, the product can have it."""
    said = Refusal.listing_id == NearMiss.listing_id, Refusal.product_id == NearMiss.product_id
    here = [NearMiss.channel_id == channel.id, ~exists().where(*said)]
    waits = exists().where(Listing.id == NearMiss.listing_id, Listing.state == ListingState.PENDING)
    held = exists().where(Link.product_id == NearMiss.product_id, Link.channel_id == channel.id)
    return [*here, waits] if channel.many else [*here, waits, ~held]


def _of_reason(channel: Channel, reason: str) -> Select[int, int]:
    """The near misses of one reason that can be linked, in the order of the index."""
    query = select(NearMiss.listing_id, NearMiss.product_id).where(NearMiss.reason == reason, *still_open(channel))
    return query.order_by(NearMiss.listing_id)
