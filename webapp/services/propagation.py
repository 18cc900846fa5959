"""Say stock and prices to the channels, across confirmed links only.

The protocol, so that an unlinked listing hears nothing and an older value never follows a newer one:
*claim* takes due links under a lease and reads the current values; *begin*, right before the first byte,
keeps only the deliveries whose link and version still stand, in one statement that an unlink either sees or
prevents; the network stands between two transactions; *settle* writes what the channel said, never backwards;
*rescue* frees what a dead worker held and says it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, literal, or_, select, update
from sqlalchemy.orm import Session

from webapp.db import ring
from webapp.errors import phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.propagation import RunKind, RunState, SyncRun
from webapp.services import audit, brakes, channels, targets
from webapp.services.claims import LEASE as LEASE
from webapp.services.claims import begin as begin
from webapp.services.claims import claim_due as claim_due
from webapp.services.claims import desired as desired
from webapp.services.claims import due_channels as due_channels
from webapp.services.claims import lease_of as lease_of
from webapp.services.settlement import Claim as Claim
from webapp.services.settlement import Delivery as Delivery
from webapp.services.settlement import Tally as Tally
from webapp.services.settlement import close_idle_runs as close_idle_runs
from webapp.services.settlement import close_run as close_run
from webapp.services.settlement import lost as lost
from webapp.services.settlement import rescue as rescue
from webapp.services.settlement import settle as settle

CHUNK = 500


def start_run(
    session: Session,
    channel: Channel,
    link_ids: Sequence[int],
    *,
    stock: bool,
    price: bool,
    by: Actor,
    now: datetime,
    price_ids: Sequence[int] | None = None,
    unchanged: int = 0,
    held: int = 0,
    round_of: tuple[int, datetime] | None = None,
) -> SyncRun:
    """Ask for these links to be told now; the values are read when they are sent.

    `price_ids` are the links whose price goes, when they are others than `link_ids`, whose stock goes: the brakes
    may hold one aspect of a listing and let the other through. `round_of` is a schedule's id with the moment at which
    this round was to be; without one it is a run by hand, which the trail tells of.
    """
    stock_ids = list(link_ids) if stock else []
    priced = list(link_ids if price_ids is None else price_ids) if price else []
    asked = len({*stock_ids, *priced})
    run = SyncRun(
        channel_id=channel.id,
        kind=RunKind.SCHEDULED if round_of else RunKind.MANUAL,
        schedule_id=round_of[0] if round_of else None,
        planned_at=round_of[1] if round_of else None,
        by_id=by.id,
        by_name=by.name,
        stock=stock,
        price=price,
        started_at=now,
        asked=asked,
        unchanged=unchanged,
        held=held,
        state=RunState.RUNNING if asked else RunState.DONE,
        ended_at=None if asked else now,
    )
    session.add(run)
    session.flush()
    displaced = _ask(session, run, stock_ids, stock=True, price=False, now=now)
    displaced |= _ask(session, run, priced, stock=False, price=True, now=now)
    for run_id in displaced - {run.id}:  # a run whose last links we took over has come to its end
        close_run(session, run_id, now=now)
    if not round_of:
        _tell(session, channel, run, by=by)
    ring(session, targets.BELL)
    return run


def _tell(session: Session, channel: Channel, run: SyncRun, *, by: Actor) -> None:
    """The line of the trail about a run by hand."""
    what = phrase("price") if run.price else ""
    if run.stock:
        what = phrase("stock and price") if run.price else phrase("stock")
    words = phrases(
        "Sent {what} of {n} listing to {channel}.",
        "Sent {what} of {n} listings to {channel}.",
        run.asked,
        what=what,
        channel=channel.name,
    )
    audit.record(session, by, "sync.started", f"run {run.id}", words)


def release(session: Session, channel: Channel, *, by: Actor, now: datetime) -> SyncRun | None:
    """Let a channel go on that the brakes had stopped, and send what they held, in the name of who released it.

    What becomes due later meets the brakes again. Gives the run, or None when nothing was held back. The trail keeps
    the number of now.
    """
    channel.held = channel.held and (brakes.reason(session, channel) or channel.held)
    channels.release(session, channel, by=by)
    due = (Link.channel_id == channel.id, Link.due_at.is_not(None), Link.run_id.is_(None), Link.auto_sync)
    stock_ids = list(session.scalars(select(Link.id).where(*due, Link.want_stock).order_by(Link.id)))
    price_ids = list(session.scalars(select(Link.id).where(*due, Link.want_price).order_by(Link.id)))
    if not stock_ids and not price_ids:
        return None
    return start_run(
        session,
        channel,
        stock_ids,
        stock=bool(stock_ids),
        price=bool(price_ids),
        price_ids=price_ids,
        by=by,
        now=now,
    )


def count_due(session: Session) -> int:
    """How many links still have something to be told."""
    return int(session.scalar(select(func.count()).select_from(Link).where(Link.due_at.is_not(None))) or 0)


def _ask(
    session: Session, run: SyncRun, link_ids: Sequence[int], *, stock: bool, price: bool, now: datetime
) -> set[int]:
    """Mark links as due in a run; gives the runs they were due in before."""
    displaced: set[int] = set()
    for start in range(0, len(link_ids), CHUNK):
        some = Link.id.in_(link_ids[start : start + CHUNK])
        displaced.update(session.scalars(select(Link.run_id).where(some, Link.run_id.is_not(None)).distinct()))
        session.execute(
            update(Link)
            .where(some)
            .values(
                want_stock=or_(Link.want_stock, literal(stock)),
                want_price=or_(Link.want_price, literal(price)),
                due_at=now,
                run_id=run.id,
                tries=0,
                dirty_at=func.coalesce(Link.dirty_at, now),
            )
            .execution_options(synchronize_session=False)
        )
    return displaced
