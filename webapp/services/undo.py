"""Taking an act back whole: its links, and the product that it made where nothing else hangs on it.

One on very many listings is taken back in steps (see services.steps), first the links that it made, then those that it
ended; a stop leaves it standing, so that the rest can be taken back later.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.errors import phrase
from webapp.models.accounts import Actor
from webapp.models.catalog import Product
from webapp.models.links import ActStep, BatchVerb, Decision, Link, LinkBatch, LinkSource, PastLink, Refusal
from webapp.services import acts, audit, ending, links, retirement, steps

STEP = acts.CHUNK
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


def begin_large(session: Session, batch_id: int, *, by: Actor) -> LinkBatch | None:
    """Begin the undo of a large batch, or find the one that goes on; None for a batch of a few, or none at all."""
    batch = session.get(LinkBatch, batch_id)
    if batch is None or batch.changed < steps.FROM:
        return None
    if batch.undone_by is not None and steps.goes_on(session, batch.undone_by):
        return steps.get(session, batch.undone_by)
    return begin(session, batch_id, by=by)


def begin(session: Session, batch_id: int, *, by: Actor, now: datetime | None = None) -> LinkBatch:
    """Leave the undo of a large batch to the workers; raises what `links.undo` raises."""
    act = links.begin_undo(session, batch_id, by=by, now=now)
    batch = session.get_one(LinkBatch, batch_id)
    last = session.scalar(select(func.max(PastLink.id)).where(PastLink.ended_batch_id == batch_id)) or 0
    return steps.call(session, steps.lay(session, act, batch.changed, [(0, last + 1, batch.changed)]))


def take(session: Session, act: LinkBatch, step: ActStep, limit: int, _known: object) -> int:
    """Take back the next pairs of the batch, the last time what hangs on no pair; gives how many were looked at."""
    batch, change = session.get_one(LinkBatch, act.undoes), acts.Change(batch=act)
    looked = len(_end_made(session, change, batch, limit)) if not step.after else 0
    if not looked:
        looked = _bring_back(session, change, batch, step, limit, Actor(act.by_id, act.by_name))
    if not looked:
        links.undo_rest(session, change, batch)
        session.execute(delete(Refusal).where(Refusal.batch_id == batch.id))
        step.after = step.upto
    act.changed += change.changed
    steps.note(act, unchanged=change.unchanged)
    steps.note_refused(act, change.refused)
    steps.note_in_flight(act, change.in_flight)
    return looked


def close(session: Session, act: LinkBatch, by: Actor) -> None:
    """Say in the trail what was taken back; what a stop has left can be taken back later."""
    batch = session.get_one(LinkBatch, act.undoes)
    words = acts.undone_words(batch, act.changed)
    if act.stopped_by:
        batch.undone_by = None
        n, of = f"{act.changed:,}", f"{act.total or 0:,}"
        words = phrase(
            "Stopped taking back {batch}: {n} of {all} listings are as they were.", batch=batch.id, n=n, all=of
        )
    refused = (act.numbers or {}).get("refused", 0)
    audit.record(session, by, "link.undone", f"batch {act.id}", words, after={"refused": refused})


def _end_made(session: Session, change: acts.Change, batch: LinkBatch, limit: int) -> list[int]:
    """End the next links that the batch made, and forget what they said of suggestions."""
    ids = ending.end_some(session, change, Link.batch_id == batch.id, sticky=False, limit=limit)
    if ids:
        said = Decision.batch_id == batch.id, Decision.listing_id.in_(ids)
        session.execute(delete(Decision).where(*said).execution_options(synchronize_session=False))
    return ids


def _bring_back(session: Session, change: acts.Change, batch: LinkBatch, step: ActStep, limit: int, by: Actor) -> int:
    """Make the next links again that the batch ended: nobody has refused those pairs any more."""
    some = select(PastLink.id, PastLink.listing_id).where(PastLink.ended_batch_id == batch.id, PastLink.id > step.after)
    rows = session.execute(some.order_by(PastLink.id).limit(limit)).all()
    if rows:
        mine = Refusal.batch_id == batch.id, Refusal.listing_id.in_([r.listing_id for r in rows])
        session.execute(delete(Refusal).where(*mine).execution_options(synchronize_session="fetch"))
        links.bring_back(session, change, batch, by, after=step.after, limit=limit)
        step.after = rows[-1].id
    return len(rows)


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
