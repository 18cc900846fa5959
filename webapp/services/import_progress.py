"""Whether somebody works at an import, so that its page never says more than is so."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from webapp.models.imports import ImportJob, ImportState
from webapp.services import health, imports

QUIET = timedelta(seconds=15)  # a chunk takes a tenth of a second, a beat comes every ten


class Hands(StrEnum):
    """Who is at an import."""

    AT_WORK = "at work"
    AWAITED = "awaited"  # a worker lives, and takes it when it is free
    NONE = "none"  # no worker was heard of lately


def hands(session: Session, job: ImportJob, *, now: datetime) -> Hands:
    """Who is at an import that is being read or applied.

    One that died keeps its lease for a while. It is known sooner by two signs together: no chunk has renewed the lease,
    and the process that has it no longer tells that it lives; a web process, which never does, is judged by its chunks.
    """
    free = job.lease_until is None or job.lease_until < now
    if job.state in {ImportState.RUNNING, ImportState.UNDOING} and job.lease_until is not None:
        chunk = job.lease_until - imports.LEASE
        free = chunk < now - QUIET and health.silent(session, job.worker, now=now, since=QUIET)
    if not free:
        return Hands.AT_WORK
    return Hands.AWAITED if health.works(session, now=now) else Hands.NONE
