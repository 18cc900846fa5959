"""Make very many links in one statement, from a query of pairs: what cannot be is left out by the constraints on links.

A link made here is what `links.confirm` makes of a listing that waits; it names nobody whom it had to leave out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, null, or_, select, true, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.util import identity_key

from webapp.db import inserting
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link, LinkSource
from webapp.models.listings import Listing, ListingState
from webapp.services import counts

NAMES = [c.key for c in Link.__table__.columns if c.key != "id"]


@dataclass(frozen=True)
class Author:
    """Who makes the links, and how; a value that differs from pair to pair is a column of the pairs instead."""

    source: LinkSource
    name: str
    id: int | None = None


def pairs(*more: Any) -> Select[*tuple[Any, ...]]:
    """What is to be known of each pair, from Listing on: the caller joins Product and Channel, and says which.

    `more` are columns that take the place of the author's: they are labelled as those of Link.
    """
    automatic = Channel.mode == SendMode.AUTOMATIC
    return select(
        Listing.id.label("listing_id"),
        Product.id.label("product_id"),
        Listing.channel_id,
        case((Channel.many, Listing.id), else_=0).label("slot"),
        (Listing.fence + 1).label("fence"),
        automatic.label("automatic"),
        and_(automatic, Channel.sends_price).label("with_price"),
        *more,
    ).select_from(Listing)


def make(session: Session, batch_id: int, query: Select[*tuple[Any, ...]], author: Author) -> int:
    """Link these pairs; gives the id above which the new links are. Safe to repeat and to race; see `settle`.

    Listings are read in the order of their ids, where they lie; the links are made in the order of the
    products, which keeps the step's writes to the index by product together. Only what differs from pair to
    pair is put in that order: sorting whole rows of links takes as long as finding them.
    """
    newest = session.scalar(select(func.max(Link.id))) or 0
    cte = query.order_by(Product.id).cte("pairs").prefix_with("MATERIALIZED")
    values = _values(batch_id, cte.c, author, utc_now())
    # A condition has to stand here: SQLite would take the ON of the conflict for that of a join.
    rows = select(*(values[name].label(name) for name in NAMES)).where(cte.c.product_id.is_not(None))
    session.execute(inserting(session, Link).from_select(NAMES, rows).on_conflict_do_nothing())
    return newest


def settle(session: Session, batch_id: int, newest: int, linked: Select[int]) -> int:
    """Let the listings of new links count as linked; gives how many links are new.

    `linked` gives ids of linked listings among which the new ones are: in the order of an index, if there are many.
    """
    # By their ids, not by the batch alone: each step would read what all the steps before it have made.
    on_channel = Link.channel_id + 0  # or SQLite walks the index by channel, all of it
    made = select(on_channel, func.count()).where(*new(batch_id, newest))
    by_channel = session.execute(made.group_by(on_channel)).all()
    if not by_channel:
        return 0
    session.execute(
        update(Listing)
        .where(Listing.id.in_(linked), Listing.state == ListingState.PENDING)
        .values(state=ListingState.LINKED, fence=Listing.fence + 1)
        .execution_options(synchronize_session=False)
    )
    for channel_id, n in by_channel:
        counts.adjust(session, channel_id, {ListingState.PENDING: -n, ListingState.LINKED: n})
    return sum(n for _, n in by_channel)


def new(batch_id: int, newest: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions on Link of what `make` has made."""
    return Link.id > newest, Link.batch_id + 0 == batch_id


def made(session: Session, batch_id: int, query: Select[*tuple[Any, ...]], author: Author) -> list[tuple[int, int]]:
    """Link these pairs and settle them; gives listing and product of each new link."""
    newest = make(session, batch_id, query, author)
    rows = session.execute(select(Link.listing_id, Link.product_id).where(*new(batch_id, newest))).all()
    settle(session, batch_id, newest, select(Link.listing_id).where(*new(batch_id, newest)))
    for listing_id, _ in rows:
        known = session.identity_map.get(identity_key(Listing, listing_id))
        if known is not None:
            session.expire(known)  # it was read before it was linked
    return [(listing_id, product_id) for listing_id, product_id in rows]


def any_many(session: Session, channel: Channel | None) -> bool:
    """Whether a channel in question lets a product have several listings."""
    if channel is not None:
        return channel.many
    return bool(session.scalar(select(exists().where(Channel.many))))


def free() -> ColumnElement[bool]:
    """The product has no listing on the channel yet.

    Only asked where a channel takes several listings of a product: elsewhere the constraint on links says so sooner,
    and SQLite sets all rows aside before it inserts them into a table that their query reads.
    """
    held = aliased(Link)
    return or_(~Channel.many, ~exists().where(held.product_id == Product.id, held.channel_id == Listing.channel_id))


def _values(batch_id: int, given: Any, author: Author, now: datetime) -> dict[str, ColumnElement[Any]]:
    """Each column of a link, from the pairs, or the same for all."""
    same: dict[str, ColumnElement[Any]] = {
        "source": literal(author.source, Link.source.type),
        "score": null(),
        "by_name": literal(author.name),
        "auto_sync": true(),
    }
    same |= {name: given[name] for name in same.keys() & set(given.keys())}
    due_now = and_(given.automatic, same["auto_sync"]) if "auto_sync" in given else given.automatic
    due = case((due_now, literal(now, Link.due_at.type)), else_=null())
    return same | {
        "listing_id": given.listing_id,
        "product_id": given.product_id,
        "channel_id": given.channel_id,
        "slot": given.slot,
        "fence": given.fence,
        "by_id": null() if author.id is None else literal(author.id),
        "batch_id": literal(batch_id),
        "created_at": literal(now, Link.created_at.type),
        "due_at": due,
        "dirty_at": due,
        "want_stock": due_now,
        "want_price": and_(due_now, given.with_price),
        "run_id": null(),
        "tries": literal(0),
        "told_stock_version": literal(0),
        "told_price_version": literal(0),
        "told_quantity": null(),
        "told_price": null(),
        "told_at": null(),
        "problem": literal(""),
        "apart": literal(0),
    }
