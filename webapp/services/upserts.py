"""One way to bring many rows into a table: what is new is created, what differs is updated, the rest is left.

Rows are compared before they are written, so that an import that changes nothing writes nothing, and its
undo knows every value that was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Table, update
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine


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
            fresh.append(row)
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
        insert_rows(session, model.__table__, fresh, defaults)
        result.ids.update(ids_of(result.created))
    _write(session, model, updates)
    return result


def insert_rows(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]
) -> None:
    """Insert rows whose columns are among those of `defaults` and theirs; what a row does not say is the default.

    Values are converted here, the defaults once for all rows: left to the insert, converting half a dozen
    values of a row that has two dozen takes longer than writing it.
    """
    dialect = session.connection().dialect
    names = tuple(set(defaults).union(*rows))
    convert = {name: _converter(table.c[name].type, dialect) for name in names}
    common = {name: convert[name](value) for name, value in defaults.items()}
    busy = [(name, convert[name]) for name in names if convert[name] is not _as_it_is]
    pick = itemgetter(*names)
    values = []
    for row in rows:
        full = {**common, **row}
        for name, converter in busy:
            if name in row:
                full[name] = converter(row[name])
        values.append(pick(full))
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    columns = ", ".join(map(dialect.identifier_preparer.quote, names))
    text = f"INSERT INTO {table.name} ({columns}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608 - names of ours
    session.connection().exec_driver_sql(text, values)


def _converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """What turns a value into what the driver wants for a column of this type."""
    return kind.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


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
