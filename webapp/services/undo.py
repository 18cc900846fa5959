"""Taking an act back whole: its links, and the product that it made where nothing else hangs on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.errors import phrase
from webapp.models.accounts import Actor
from webapp.models.catalog import Product
from webapp.models.links import BatchVerb, Link, LinkBatch, LinkSource, PastLink
from webapp.services import audit, links, retirement

TOGETHER = timedelta(minutes=1)  # a product and the link it was added for are made in one breath


def take_back(session: Session, batch_id: int, *, by: Actor, now: datetime | None = None) -> links.Change:
    """Undo a batch (see `links.undo`, also for what is raised); a product added with it leaves the catalogue again.

    It stays when somebody linked another listing to it meanwhile.
    """
    change = links.undo(session, batch_id, by=by, now=now)
    batch = session.get_one(LinkBatch, batch_id)
    if batch.verb == BatchVerb.ADD:
        _remove_added(session, batch, change, by)
    return change


def _remove_added(session: Session, batch: LinkBatch, change: links.Change, by: Actor) -> None:
    ended = select(PastLink.product_id).where(
        PastLink.ended_batch_id == change.act.id, PastLink.batch_id == batch.id, PastLink.source == LinkSource.ADDED
    )
    linked = select(Link.id).where(Link.product_id == Product.id).exists()
    which = Product.id.in_(ended), Product.created_at >= batch.at - TOGETHER, Product.retired_at.is_(None), ~linked
    skus = list(session.scalars(select(Product.sku).where(*which)))
    if skus and retirement.retire(session, which):
        words = phrase("Took {sku} out of the catalogue again: adding it was taken back.", sku=", ".join(skus))
        audit.record(session, by, "product.retired", f"product {skus[0]}", words)
