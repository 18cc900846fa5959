"""What workers do: open a unit of work, call one service, and let the network stand between two of them."""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from sqlalchemy.orm import Session

import connectors
from webapp.config import Settings
from webapp.db import unit_of_work
from webapp.errors import DomainError, phrase
from webapp.jobs import importing, undoing
from webapp.jobs.importing import Progress
from webapp.jobs.pace import collecting_rarely
from webapp.jobs.steps import finish as finish
from webapp.jobs.steps import reconcile as reconcile
from webapp.jobs.steps import take_steps as take_steps
from webapp.models import Channel, ImportJob, ImportState, Recheck, SyncRun
from webapp.models.accounts import WORKER
from webapp.models.base import utc_now
from webapp.services import (
    brakes,
    channel_looks,
    channels,
    import_undo,
    imports,
    propagation,
    rechecks,
    retrieval,
    rules,
    schedules,
    suggesting,
    suggestions,
    suspicions,
    sync_history,
)

log = logging.getLogger(__name__)
SUGGEST_CHUNK = 4_000  # a channel's listings compete for products: a larger chunk suggests better, and takes seconds
BREATH = 0.1  # seconds between two looks at what another worker is sending


@dataclass
class Drained:
    """How many deliveries ended how in one call."""

    sent: int = 0
    failed: int = 0
    fenced: int = 0

    def __iadd__(self, other: Drained | propagation.Tally) -> Self:
        self.sent, self.failed = self.sent + other.sent, self.failed + other.failed
        self.fenced += other.fenced
        return self


def worker_name() -> str:
    """A name that tells which process holds a lease."""
    return f"{socket.gethostname()}:{os.getpid()}"


def answer(settings: Settings, index: retrieval.CatalogueIndex) -> Callable[[set[str]], None]:
    """What a worker does when the bell rings: everything that waits, imports first."""

    def look(_names: set[str]) -> None:
        take_steps()
        run_imports(settings)
        run_schedules()
        propagate(settings)
        suggest(index)
        check_links()

    return look


def propagate(settings: Settings, *, channel_id: int | None = None, until: float | None = None) -> Drained:
    """Send what is due, channel by channel, until nothing is or `until` (monotonic seconds) has come."""
    total = Drained()
    look_at_brakes()
    with unit_of_work() as session:
        propagation.rescue(session, now=utc_now())
        propagation.close_idle_runs(session, now=utc_now())
        due = [channel_id] if channel_id else propagation.due_channels(session, now=utc_now())
    for each in due:
        total += send_channel(settings, each, until=until)
    return total


def look_at_brakes() -> None:
    """Bring what held channels say up to date, and let go on whose reason has gone. Counting holds no lock."""
    with unit_of_work(read_only=True) as session:
        found = brakes.outdated(session)
    for channel_id, before in found:
        with unit_of_work() as session:
            brakes.look_again(session, channel_id, before)


def send_channel(settings: Settings, channel_id: int, *, until: float | None = None) -> Drained:
    """Send what is due on one channel, batch by batch; any number of workers may do so at once."""
    total = Drained()
    while (until is None or time.monotonic() < until) and _send_some(settings, channel_id, total):
        pass
    return total


def run_schedules() -> int:
    """Start the run of every round that is due; gives how many. The comparing holds no lock."""
    started = 0
    while True:
        with unit_of_work(read_only=True) as session:  # mostly there is none, and nobody need wait for that
            if not schedules.due(session, now=utc_now()):
                return started
        with unit_of_work() as session:
            claimed = schedules.claim(session, worker=worker_name(), now=utc_now())
        if claimed is None:
            return started
        with unit_of_work(read_only=True) as session:
            made = schedules.look(session, claimed)
        with unit_of_work() as session:
            started += schedules.settle(session, claimed, made, now=utc_now()) is not None


def look_at_channels(settings: Settings) -> int:
    """Look at every connector that was not looked at for a while; gives how many. No lock is held meanwhile."""
    done = 0
    while True:
        with unit_of_work(read_only=True) as session:  # mostly there is none, and nobody need wait for that
            if not channel_looks.due(session, now=utc_now()):
                return done
        with unit_of_work() as session:
            channel = channel_looks.claim(session, now=utc_now())
        if channel is None:
            return done
        look_at_channel(settings, channel)
        done += 1


def look_at_channel(settings: Settings, channel: Channel) -> str:
    """Look at one connector and remember what was found; gives that, "" when all is well."""
    fault = channel_looks.look(channel, settings)
    with unit_of_work() as session:
        channel_looks.settle(session, channel, fault, now=utc_now())
    return fault


def finish_run(settings: Settings, run_id: int, *, patience: float = 120.0, beside: bool = False) -> SyncRun:
    """Work a run's channel until the run is at its end or only waits for its next try; gives the run.

    `beside`: wait also for what another worker has taken of it. It lasts `patience` seconds at most.
    """
    until = time.monotonic() + patience
    while True:
        with unit_of_work(read_only=True) as session:
            run = session.get_one(SyncRun, run_id)
            channel_id, ended = run.channel_id, run.ended_at is not None
        done = Drained() if ended else propagate(settings, channel_id=channel_id, until=until)
        idle = not (done.sent or done.failed or done.fenced)
        with unit_of_work(read_only=True) as session:
            run = session.get_one(SyncRun, run_id)
            elsewhere = idle and not ended and beside and sync_history.is_at_work(session, run, now=utc_now())
        if ended or time.monotonic() > until or (idle and not elsewhere):
            return run
        if elsewhere:
            time.sleep(BREATH)


def check_import(
    settings: Settings,
    job_id: int,
    *,
    all_or_nothing: bool = False,
    index: retrieval.CatalogueIndex | None = None,
) -> ImportJob:
    """Read a received file and keep what was found (see imports.check); no lock is held while the file is read."""
    with collecting_rarely(), unit_of_work(read_only=True, once=True) as session:
        job = imports.get(session, job_id)
        checked = imports.check(session, job, settings.uploads, all_or_nothing=all_or_nothing, index=index)
    with unit_of_work() as session:
        job = imports.get(session, job_id, lock=True)
        if job.state == ImportState.CHECKING:
            imports.keep_report(session, job, checked)
        return job


def check_uploads(settings: Settings) -> list[int]:
    """Check every large file that a web process left to the workers, or died over; gives their ids."""
    done: list[int] = []
    while True:
        with unit_of_work() as session:
            job_id = imports.claim_check(session, now=utc_now())
        if job_id is None:
            return done
        check_import(settings, job_id)
        done.append(job_id)


def undo_imports(settings: Settings, *, only: int | None = None) -> list[int]:
    """Take back every import that waits for it, or the one with the id `only`; gives their ids."""
    done: list[int] = []
    while True:
        with unit_of_work() as session:
            job = import_undo.claim(session, worker=worker_name(), now=utc_now(), job_id=only)
        if job is None:
            return done
        undoing.take_back(settings, job)
        done.append(job.id)


def run_imports(settings: Settings, *, only: int | None = None, progress: Progress | None = None) -> list[int]:
    """Apply every import that waits (or the one with the id `only`), unchecked files first; gives their ids.

    What is to be taken back goes first, and holds the others up: they would else meet rows that are about to go.
    """
    done: list[int] = []
    if only is None:
        check_uploads(settings)
        undo_imports(settings)
    while True:
        with unit_of_work() as session:
            job = imports.claim_next(session, worker=worker_name(), now=utc_now(), job_id=only)
        if job is None:
            return done
        importing.apply(settings, job, progress)
        done.append(job.id)
        if only is not None:
            return done


def suggest(index: retrieval.CatalogueIndex, *, until: float | None = None) -> int:
    """Find suggestions for every listing that waits for them, channel by channel; gives how many listings.

    Any number of workers on any number of machines may do so at once, each at chunks of its own.
    """
    with unit_of_work(read_only=True) as session:
        every, waiting = channels.all_channels(session), set(suggesting.channels_waiting(session))
        if waiting:
            index.current(session)  # minutes for a large catalogue at its first use: not while a lease runs
    done = sum(_suggest_on(channel.id, index, until) for channel in every if channel.id in waiting)
    if waiting:
        with unit_of_work(read_only=True) as session:
            waiting = set(suggesting.channels_waiting(session))
    for channel in every:
        if channel.id not in waiting:
            _follow_rule(channel)
    return done


def check_links(*, until: float | None = None) -> int:
    """Look for contradictions in the pairs that are new or whose facts changed; gives how many were looked at.

    Any number of workers may do so at once, span by span and step by step, until `until` (monotonic seconds).
    """
    done = 0
    while until is None or time.monotonic() < until:
        with unit_of_work(read_only=True) as session:  # mostly there is nothing, and nobody need wait for that
            if not rechecks.waits(session):
                return done
        with unit_of_work() as session:
            span = rechecks.claim(session, worker=worker_name(), now=utc_now())
        if span is None:
            return done
        done += _check_span(span, until)
    return done


def _check_span(span: Recheck, until: float | None) -> int:
    """The steps of one span; the comparing stands between two transactions, as the network does in sending."""
    done, more = 0, True
    while more and (until is None or time.monotonic() < until):
        with unit_of_work(read_only=True) as session:
            found = suspicions.look(session, span)
        with unit_of_work() as session:
            more = suspicions.settle(session, span, found, now=utc_now())
        done, span.after = done + found.links, found.upto
    if more:  # the turn is over, not the span: whoever comes next need not wait for the lease
        with unit_of_work() as session:
            rechecks.release(session, span)
    return done


def keep_index(index: retrieval.CatalogueIndex) -> None:
    """Bring the search index up to date and leave it where web processes find it."""
    with unit_of_work(read_only=True) as session:
        index.keep(session)


def _suggest_on(channel_id: int, index: retrieval.CatalogueIndex, until: float | None) -> int:
    """One channel's share, a chunk at a time: the first ones can be reviewed while the rest is still computed."""
    done = 0
    while until is None or time.monotonic() < until:
        with unit_of_work() as session:
            chunk = suggesting.claim(session, channel_id, worker=worker_name(), now=utc_now(), limit=SUGGEST_CHUNK)
        if chunk is None:
            return done
        try:
            with collecting_rarely():
                with unit_of_work(read_only=True) as session:
                    found = suggestions.suggest_for(session, chunk.ids, index)
                left: suggesting.Chunk | None = chunk
                while left is not None:
                    chunk = left
                    with unit_of_work() as session:
                        kept, left = suggesting.settle(session, chunk, found, now=utc_now())
                    done += kept
        except BaseException:  # whoever comes next need not wait for the lease
            with unit_of_work() as session:
                suggesting.release(session, chunk)
            raise
    return done


def _follow_rule(channel: Channel) -> None:
    """Link what the channel's rule allows, a batch at a time, until there is nothing left."""
    linked = channel.rule_from is not None
    while linked:
        with unit_of_work(read_only=True) as session:  # mostly there is nothing, and nobody need wait for that
            due = rules.chosen(session, channel, channel.rule_from or 100, limit=1)
        if not due:
            return
        with unit_of_work() as session:
            linked = rules.follow(session, channels.by_id(session, channel.id)) > 0


def _send_some(settings: Settings, channel_id: int, total: Drained) -> bool:
    """Claim, begin, push, settle one batch; gives whether there was one."""
    with unit_of_work() as session:
        connector = _open(session, channel_id, settings)
        if connector is None:
            return False
        lease, claimed_at = propagation.lease_of(connector.limits), _awake()
        brakes.check(session, session.get_one(Channel, channel_id))
        claim = propagation.claim_due(
            session,
            channel_id,
            now=utc_now(),
            limit=connector.limits.max_batch,
            worker=worker_name(),
            sends_stock=connector.sends_stock,
            sends_price=connector.sends_price,
            lease=lease,
        )
    if claim is None or not claim.deliveries:
        return claim is not None
    with unit_of_work() as session:
        begun = propagation.begin(session, claim, now=utc_now())
    total.fenced += len(claim.deliveries) - len(begun.deliveries)
    if not begun.deliveries:
        return True
    slept = _awake() - claimed_at > lease.total_seconds() - connector.limits.seconds
    outcomes = _too_late(begun) if slept else connector.push([d.update for d in begun.deliveries], now=utc_now())
    with unit_of_work() as session:
        total += propagation.settle(session, begun, outcomes, now=utc_now(), delays=_delays(begun, outcomes))
    return True


def _open(session: Session, channel_id: int, settings: Settings) -> connectors.Connector | None:
    """The channel's connector; a channel that cannot be opened is paused and says why, and the others go on."""
    channel = session.get_one(Channel, channel_id)
    try:
        return channels.open_connector(channel, settings)
    except (connectors.ConnectorError, DomainError) as error:
        channels.pause(session, channel, True, by=WORKER)
        channel.problem = str(error)
        return None


def _awake() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _too_late(claim: propagation.Claim) -> list[connectors.Outcome]:
    """Nothing leaves after a long sleep: another worker may hold the lease by now."""
    words = phrase("The worker slept for too long and did not send.")
    return [connectors.Outcome(d.update.listing_id, connectors.Status.FAILED, "slept", words) for d in claim.deliveries]


def _delays(claim: propagation.Claim, outcomes: list[connectors.Outcome]) -> list[float | None]:
    """Seconds until each delivery's next try."""
    rng = random.SystemRandom()
    pairs = zip(claim.deliveries, outcomes, strict=True)
    return [connectors.next_delay(delivery.tries, outcome.retry_after, rng=rng) for delivery, outcome in pairs]
