"""What was sent: the runs, their lines with reasons, and what a send would be about. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import bindparam, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from webapp.config import Settings
from webapp.errors import NotFound, phrase
from webapp.models.catalog import BaseProduct, Product
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.listings import Listing, ListingState
from webapp.models.propagation import FAILING, Attempt, AttemptState, Outcome, RunKind, RunState, SyncRun
from webapp.models.schedules import Schedule
from webapp.services import channels, counts

PAGE = 50
LOOKED_AT = 10_000  # failed deliveries of a run whose reasons are counted
SOON = timedelta(minutes=1)  # a try that is due may wait for its turn so long
# Written out in statements, as the partial indexes have them.
_FAILING = bindparam("failing", FAILING, Attempt.outcome.type, expanding=True, literal_execute=True)
_DONE = literal(AttemptState.DONE, Attempt.state.type, literal_execute=True)
STRIP = 1_500  # runs that the picture of a day looks at; more would only paint over each other


@dataclass(frozen=True)
class Target:
    """A channel that a send may go to: how many listings it is about, and when they heard something last."""

    channel: Channel
    listings: int
    told_at: datetime | None


@dataclass(frozen=True)
class RunRow:
    """A run in the list."""

    run: SyncRun
    channel: str
    schedule: Schedule | None = None


@dataclass(frozen=True)
class Line:
    """A listing's last delivery in a run: what was said about which listing of which product, and what came of it."""

    attempt: Attempt
    listing: Listing
    product: Product
    linked: bool  # whether that very pair still stands


def runs(
    session: Session,
    *,
    show: str = "",
    channel_id: int | None = None,
    schedule_id: int | None = None,
    before: int | None = None,
) -> tuple[list[RunRow], int | None]:
    """A page of runs, newest first, and the id to go on from; `show` is part_done, failed, manual or nothing."""
    query = select(SyncRun, Channel.name, Schedule).join(Channel, Channel.id == SyncRun.channel_id)
    query = query.outerjoin(Schedule, Schedule.id == SyncRun.schedule_id)
    if show == "part_done":
        query = query.where(SyncRun.state == RunState.PARTLY)
    elif show == "failed":
        query = query.where(SyncRun.state == RunState.FAILED)
    elif show == "manual":
        query = query.where(SyncRun.kind == RunKind.MANUAL)
    if channel_id is not None:
        query = query.where(SyncRun.channel_id == channel_id)
    if schedule_id is not None:
        query = query.where(SyncRun.schedule_id == schedule_id)
    if before is not None:
        query = query.where(SyncRun.id < before)
    rows = session.execute(query.order_by(SyncRun.id.desc()).limit(PAGE + 1)).all()
    found = [RunRow(run, name, schedule) for run, name, schedule in rows[:PAGE]]
    return found, found[-1].run.id if len(rows) > PAGE else None


def last_day(session: Session, *, now: datetime) -> list[RunRow]:
    """The newest runs of the last 24 hours, oldest first, for the picture."""
    query = select(SyncRun, Channel.name).join(Channel, Channel.id == SyncRun.channel_id)
    rows = session.execute(query.order_by(SyncRun.id.desc()).limit(STRIP)).all()
    since = now - timedelta(hours=24)
    return [RunRow(run, name) for run, name in reversed(rows) if run.started_at >= since]


def get_run(session: Session, run_id: int) -> SyncRun:
    """The run; raises NotFound."""
    run = session.get(SyncRun, run_id)
    if run is None:
        raise NotFound(phrase("There is no run {number} in the sync history.", number=run_id))
    return run


def lines(
    session: Session, run_id: int, *, only_failed: bool = False, before: int | None = None, limit: int = PAGE
) -> tuple[list[Line], int | None]:
    """A page of a run's listings, each with its last delivery, newest first, and the id to go on from.

    Those that failed are counted as the run counts them: by the last try that came to an end and was not called off.
    """
    later = aliased(Attempt)
    newer = [later.listing_id == Attempt.listing_id, later.run_id + 0 == Attempt.run_id, later.id > Attempt.id]
    if only_failed:
        newer += [later.state == _DONE, later.outcome != Outcome.FENCED]
    query = (
        select(Attempt, Listing, Product, Link.id)
        .join(Listing, Listing.id == Attempt.listing_id)
        .join(Product, Product.id == Attempt.product_id)
        .outerjoin(Link, Link.id == Attempt.link_id)
        .where(Attempt.run_id == run_id, ~exists().where(*newer))
    )
    if only_failed:
        query = query.where(Attempt.outcome.in_(_FAILING))
    if before is not None:
        query = query.where(Attempt.id < before)
    rows = session.execute(query.order_by(Attempt.id.desc()).limit(limit + 1)).all()
    found = [Line(a, listing, product, link_id is not None) for a, listing, product, link_id in rows[:limit]]
    return found, found[-1].attempt.id if len(rows) > limit else None


def reasons(session: Session, run_id: int) -> list[tuple[str, int]]:
    """Why deliveries of a run failed, the most frequent reason first, at most three; of a long run its newest ones."""
    failed = (Attempt.run_id == run_id, Attempt.outcome.in_(_FAILING), Attempt.message != "")
    some = select(Attempt.message).where(*failed).order_by(Attempt.id.desc()).limit(LOOKED_AT).subquery()
    query = select(some.c.message, func.count()).group_by(some.c.message)
    return [(m, n) for m, n in session.execute(query.order_by(func.count().desc(), some.c.message).limit(3))]


def next_try(session: Session, run: SyncRun, *, now: datetime) -> datetime | None:
    """When a run that goes on tries again; None while it is being sent. What is due later was tried before."""
    here = Attempt.run_id + 0 == run.id  # so: what is in flight is little and has an index of its own
    if session.scalar(select(Attempt.id).where(here, Attempt.state != _DONE).limit(1)) is not None:
        return None
    later = select(Link.due_at).where(Link.channel_id == run.channel_id, Link.due_at > now - SOON)
    again = later.where(Link.run_id == run.id, Link.tries > 0)
    return session.scalar(again.order_by(Link.due_at).limit(1))


def is_at_work(session: Session, run: SyncRun, *, now: datetime) -> bool:
    """Whether a run that goes on is being sent now, and does not wait for its next try or for a channel that rests."""
    here = Attempt.run_id + 0 == run.id
    if session.scalar(select(Attempt.id).where(here, Attempt.state != _DONE).limit(1)) is not None:
        return True
    channel = session.get_one(Channel, run.channel_id)
    if channel.paused_at is not None or (channel.rest_until is not None and channel.rest_until > now):
        return False
    due = session.scalar(select(func.min(Link.due_at)).where(Link.channel_id == channel.id, Link.run_id == run.id))
    return due is None or due <= now


def waits_for_upload(session: Session, run_id: int) -> bool:
    """Whether what was sent last was only accepted so far: a file to carry, or a channel that applies it later."""
    last = select(Attempt.outcome).where(Attempt.run_id == run_id).order_by(Attempt.id.desc()).limit(STRIP)
    return Outcome.ACCEPTED in set(session.scalars(last))


def artifact_path(run: SyncRun, channel: Channel, settings: Settings) -> Path:
    """Where a run's upload file lies; raises NotFound when there is none (any more)."""
    name = Path(run.artifact).name
    path = settings.outbox / channels.slug(channel.name) / name
    if not name or name != run.artifact or not path.is_file():
        raise NotFound(phrase("This run has no file, or the file was removed."))
    return path


def variants_of(session: Session, product: Product) -> tuple[BaseProduct | None, list[int]]:
    """The base of a product and the ids of all its variants that are sold; a product of its own is alone."""
    if product.base_id is None:
        return None, [product.id]
    ids = select(Product.id).where(Product.base_id == product.base_id, Product.retired_at.is_(None))
    return session.get(BaseProduct, product.base_id), list(session.scalars(ids.order_by(Product.id)))


def targets_of(session: Session, product_ids: Sequence[int]) -> list[Target]:
    """The channels on which these products have listings."""
    query = (
        select(Channel, func.count(), func.max(Link.told_at))
        .join(Link, Link.channel_id == Channel.id)
        .where(Link.product_id.in_(product_ids))
        .group_by(Channel.id)
        .order_by(Channel.name)
    )
    return [Target(channel, n, told) for channel, n, told in session.execute(query)]


def target_channel(session: Session, channel: Channel) -> Target:
    """The whole of a channel."""
    linked = counts.of_channel(session, channel.id)[ListingState.LINKED]
    return Target(channel, linked, None)


def link_ids(session: Session, channel_id: int, product_ids: Sequence[int] | None) -> list[int]:
    """All links of a channel, or those of the given products."""
    query = select(Link.id).where(Link.channel_id == channel_id)
    if product_ids is not None:
        query = query.where(Link.product_id.in_(product_ids))
    return list(session.scalars(query.order_by(Link.id)))


def links_of_listings(session: Session, channel_id: int, listing_ids: Sequence[int]) -> list[int]:
    """The links of these listings on a channel."""
    query = select(Link.id).where(Link.channel_id == channel_id, Link.listing_id.in_(listing_ids))
    return list(session.scalars(query.order_by(Link.id)))
