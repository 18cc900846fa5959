"""Acts on very many links, a step and a transaction at a time: nobody waits for a million rows."""

from __future__ import annotations

from webapp.db import unit_of_work
from webapp.jobs.pace import Pace
from webapp.models import Channel
from webapp.models.accounts import Actor
from webapp.services import reconciliation, unsyncing


def reconcile(channel: Channel | None, *, by: Actor) -> reconciliation.Reconciled:
    """Link equal SKUs step by step, each in a transaction of its own, so that nobody waits for a million rows."""
    with unit_of_work() as session:
        batch_id = reconciliation.open_batch(session, channel, by=by).id
        before = reconciliation.linked_so_far(session, channel)
    with unit_of_work(read_only=True) as session:
        (low, high), ambiguous = reconciliation.extent(session), reconciliation.sharing_a_key(session, channel)
    linked = near = 0
    # Larger steps touch fewer pages twice; only the first of many clicks waits for such a one.
    pace = Pace(reconciliation.STEP, long=2.0)
    for span in pace.spans(low, high):
        with pace.step(span[1] - span[0], bulk=True) as session:
            linked += reconciliation.link_equal_skus(session, batch_id, channel, span, ambiguous)
            near += reconciliation.note_near_misses(session, channel, span)
    with unit_of_work() as session:
        batch = reconciliation.close_batch(session, batch_id, linked, by=by)
        return reconciliation.summarise(session, batch, channel, linked=linked, near=near, before=before)


def unsync() -> int:
    """Take apart what was unsynced in steps, a transaction each; gives how many pairs. Any number may do so at once."""
    done = 0
    while True:
        with unit_of_work(read_only=True) as session:  # mostly there is nothing, and nobody need wait for that
            if not unsyncing.waits(session):
                return done
        with unit_of_work(patient=True) as session:
            ended = unsyncing.take_step(session)
        if ended is None:  # another worker is at the last of them
            return done
        done += ended
