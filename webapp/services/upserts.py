"""One way to bring many rows into a table: what is new is created, what differs is updated, the rest is left.

Rows are compared before they are written, so that an import that changes nothing writes nothing, and its
undo knows every value that was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session


@dataclass
class Upserted:
    """What came of a chunk: keys of created rows, ids and values of changed ones, and how many stayed as they were."""

    created: list[Hashable] = field(default_factory=list)
    changed: dict[int, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)  # id: (before, after)
    unchanged: int = 0
    ids: dict[Hashable, int] = field(default_factory=dict)


def upsert(
    session: Session,
    model: Any,
    rows: Mapping[Hashable, Mapping[str, Any]],
    known: Mapping[Hashable, Any],
    *,
    defaults: Mapping[str, Any],
    on_change: Mapping[str, Any],
    ids_of: Callable[[Sequence[Hashable]], Mapping[Hashable, int]],
) -> Upserted:
    """Write `rows` (by key) into `model`; `known` are the rows that exist, by the same key, with an `id`.

    A field that is absent from a row is left alone. `defaults` complete a new row (every column the model
    needs), `on_change` is added to an update, `ids_of` finds the ids of what was created.
    """
    result = Upserted()
    fresh, updates = [], []
    for key, row in rows.items():
        current = known.get(key)
        if current is None:
            fresh.append({**defaults, **row})
            result.created.append(key)
            continue
        result.ids[key] = current.id
        after = {name: value for name, value in row.items() if getattr(current, name) != value}
        if after:
            result.changed[current.id] = ({name: getattr(current, name) for name in after}, after)
            updates.append({"id": current.id, **after, **on_change})
        else:
            result.unchanged += 1
    if fresh:
        session.execute(insert(model), fresh)
        result.ids.update(ids_of(result.created))
    _write(session, model, updates)
    return result


def _write(session: Session, model: Any, updates: list[dict[str, Any]]) -> None:
    """Update rows grouped by the columns they change: one prepared statement for each group."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for values in updates:
        groups.setdefault(tuple(values), []).append(values)
    for group in groups.values():
        session.execute(update(model), group)


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON can hold them: amounts as text."""
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in values.items()}
