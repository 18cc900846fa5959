"""Rows of a checked file of listings that say what is known already.

They are found while the file is checked, where each row is compared with its listing anyway. An import passes them over
without a second look, unless listings have been written since.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import importers
from webapp.models.imports import ImportJob, ImportKind, ImportState
from webapp.models.listings import Listing, ListingState
from webapp.services import counts

_NOT_BEGUN = (ImportState.CHECKING, ImportState.CHECKED, ImportState.REFUSED, ImportState.QUEUED)


@dataclass(frozen=True)
class Passed:
    """Rows that are only counted: how many, and the number of the last row of the file that is dealt with by then."""

    rows: int
    upto: int


def as_of(session: Session, job: ImportJob) -> str | None:
    """A word that is another one after the facts of any listing were written by anything but this import.

    Only files write them: each step of an import moves the row that it has reached, and its undo ends in another state.
    None while an import is taken back, and where listings have ended, which a row may open again.
    """
    others = ImportJob.kind == ImportKind.LISTINGS, ImportJob.state.not_in(_NOT_BEGUN), ImportJob.id != job.id
    query = select(ImportJob.state, func.count(), func.max(ImportJob.id), func.sum(ImportJob.next_row)).where(*others)
    found = session.execute(query.group_by(ImportJob.state).order_by(ImportJob.state)).all()
    if any(state == ImportState.UNDOING for state, *_ in found) or counts.has(session, ListingState.ENDED):
        return None
    newest = session.scalar(select(func.max(Listing.id)))
    return json.dumps([newest, *([str(state), n, last or 0, int(rows or 0)] for state, n, last, rows in found)])


def settled(numbers: Sequence[int], same: Sequence[bool]) -> Iterable[int]:
    """The numbers of rows that are the same as before; of several rows with one number all have to be."""
    if len(set(numbers)) == len(numbers):
        return compress(numbers, same)
    others = {number for number, one in zip(numbers, same, strict=True) if not one}
    return dict.fromkeys(number for number in numbers if number not in others)


def keep(session: Session, job: ImportJob, staged: Path, numbers: Collection[int], word: str | None) -> None:
    """Note which rows are known, if nothing has been written since `as_of` gave the word; call it when all are read."""
    if numbers and word is not None and word == as_of(session, job):
        importers.mark_rows(staged, numbers, word)


def passable(session: Session, job: ImportJob, staged: Path) -> importers.Marks | None:
    """The rows that may be passed over, None where a later writer makes it necessary to look at all of them."""
    marks = importers.marks_of(staged) if job.kind == ImportKind.LISTINGS else None
    return marks if marks is not None and marks.holds == as_of(session, job) else None
