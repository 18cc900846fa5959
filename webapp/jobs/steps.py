"""Acts on very many listings, a step and a transaction at a time: nobody waits for a million rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from webapp.db import unit_of_work
from webapp.jobs.pace import LONG, Pace
from webapp.models import Channel, LinkBatch
from webapp.models.accounts import Actor
from webapp.services import linking, long_acts, reconciliation, steps

log = logging.getLogger(__name__)
Ends = Callable[[], bool]
UNHURRIED = 1.0  # seconds of one transaction while nobody waits: larger steps touch fewer pages twice
AGAIN = 0.05  # seconds between two looks whether a step has come free


def take_steps(ends: Ends = lambda: False) -> int:
    """Take the steps of every act that goes on; gives how many rows were looked at. Any number may do so at once.

    `ends` is asked before each step whether it is time to leave the rest to others.
    """
    total, more = 0, True
    while more:
        with unit_of_work(read_only=True) as session:  # mostly there is nothing, and nobody need wait for that
            waiting = steps.waiting(session)
        looked = [_guarded(batch_id, ends) for batch_id in waiting]
        more = any(n is not None for n in looked)
        total += sum(n or 0 for n in looked)
    return total


def finish(batch_id: int, *, long: float = UNHURRIED) -> LinkBatch:
    """Take the steps of one act until it has ended, whoever else takes part; gives the act."""
    _work(batch_id, long=long, to_its_end=True)
    with unit_of_work(read_only=True) as session:
        return steps.get(session, batch_id)


def reconcile(channel: Channel | None, *, by: Actor) -> reconciliation.Reconciled:
    """Link equal SKUs, and give the numbers when it is done; one that goes on already is brought to its end first."""
    begun = False
    while not begun:
        with unit_of_work() as session:
            batch, begun = linking.begin_by_sku(session, channel, by=by)
        batch = finish(batch.id)
    if not batch.changed:
        with unit_of_work() as session:
            session.delete(steps.get(session, batch.id, lock=True))
    return reconciliation.Reconciled(**batch.numbers or {})


def _guarded(batch_id: int, ends: Ends) -> int | None:
    """Work at an act; one that fails is logged, and does not keep the others waiting."""
    try:
        return _work(batch_id, ends)
    except Exception:
        log.exception("failed: act %s", batch_id)
        return None


def _work(batch_id: int, ends: Ends = lambda: False, *, long: float = LONG, to_its_end: bool = False) -> int | None:
    """Take steps of one act as long as there is a free one; gives how many rows were looked at, None for no step."""
    with unit_of_work(read_only=True) as session:
        if not steps.goes_on(session, batch_id):
            return None
        batch = steps.get(session, batch_id)
        kind = long_acts.KINDS[batch.verb]
        known = kind.known(session, batch)
    pace, total = Pace(kind.most(), least=kind.least, long=long), None
    while not ends():
        size = pace.size
        with pace.step(size, bulk=kind.bulk) as session:
            looked = long_acts.take(session, batch_id, size, known)
            others = looked is None and to_its_end and steps.goes_on(session, batch_id)
        if looked is not None:
            total = (total or 0) + looked
        elif not others:
            return total
        else:  # another process has the last of it
            time.sleep(AGAIN)
    return total
