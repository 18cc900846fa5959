"""Take back what a line of the trail did: auto-sync of pairs, products marked as out of stock, and schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from webapp.db import among
from webapp.errors import Conflict, Forbidden, NotFound, phrase
from webapp.models.accounts import Actor, AuditEntry, Permission
from webapp.models.catalog import Product
from webapp.models.links import Link
from webapp.services import availability, pairs, schedule_undo
from webapp.services.links import UNDO_DAYS

SWITCHED = {"product.marked_out", "product.marked_available", "link.auto_on", "link.auto_off"}


def can_take_back(entry: AuditEntry, by: Actor, *, now: datetime) -> bool:
    """Whether this person may take the line back: it is a switch, young, and not many things of somebody else."""
    after = entry.after if isinstance(entry.after, dict) else {}
    if entry.event not in SWITCHED or "ids" not in after or entry.at < now - timedelta(days=UNDO_DAYS):
        return False
    theirs = len(after["ids"]) > 1 and entry.by_id != by.id
    return by.may(Permission.UNSYNC_MANY) if theirs else by.may(Permission.SYNC)


def undoable(session: Session, rows: Sequence[AuditEntry], *, by: Actor, now: datetime) -> set[int]:
    """The ids of those lines that this person may take back here."""
    switched = {row.id for row in rows if can_take_back(row, by, now=now)}
    return switched | schedule_undo.undoable(session, rows, by=by, now=now)


def take_back(session: Session, entry_id: int, *, by: Actor, now: datetime) -> int:
    """Switch back what the line switched, or did to a schedule, and nobody has since; gives how many things.

    Raises NotFound, Forbidden, or Conflict when everything stands as it did before already.
    """
    entry = session.get(AuditEntry, entry_id)
    if entry is not None and entry.event in schedule_undo.STATES:
        schedule_undo.take_back(session, entry, by=by, now=now)
        return 1
    if entry is None or entry.event not in SWITCHED:
        raise NotFound(phrase("There is no such act."))
    if not can_take_back(entry, by, now=now):
        raise Forbidden(phrase("You cannot take this back: it is too old, or somebody else did it to many things."))
    ids = [int(i) for i in entry.after["ids"]] if entry.after else []
    if entry.event.startswith("link."):
        done = pairs.set_auto(session, [among(session, Link.id, ids)], entry.event == "link.auto_off", by=by)
        changed = number(done)
    else:
        was_out = entry.event == "product.marked_out"
        changed = availability.mark(session, [among(session, Product.id, ids)], was_out, by=by).changed
    if not changed:
        raise Conflict(phrase("This was taken back already. Nothing was changed."))
    return changed


def number(entry: AuditEntry | None) -> int:
    """How many things a line of the trail switched; 0 for none."""
    return int(entry.after["n"]) if entry is not None and entry.after else 0
