"""One way to bring many rows into a table: what is new is created, what differs is updated, the rest is left.

Rows are compared before they are written, so that an import that changes nothing writes nothing, and its
undo knows every value that was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Table, literal
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
    write(session, model, updates)
    return result


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]) -> None:
    """Insert rows whose columns are among those of `defaults` and theirs; what a row does not say is the default."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name, defaults.get(name)) for row in rows] for name in names}
    insert_columns(session, table, columns, {n: v for n, v in defaults.items() if n not in columns})


def insert_columns(
    session: Session,
    table: Table,
    columns: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
    *,
    ready: Set[str] = frozenset(),
    pass_over: bool = False,
) -> int:
    """Insert one row for each value of the columns, with the `fixed` values in all of them; gives how many.

    `pass_over` leaves out rows whose key is there already, which is an error otherwise.

    Values are converted here, column by column, and the fixed ones are written into the statement: left to the insert,
    converting half a dozen values of a row that has two dozen takes longer than writing it. The columns in `ready`
    hold what the driver takes already.
    """
    dialect = session.connection().dialect
    values = [
        each if name in ready else _converted(each, table.c[name].type, dialect) for name, each in columns.items()
    ]
    said = {name: value for name, value in fixed.items() if value is not None}
    literals = [_literal(value, table.c[name].type, dialect) for name, value in said.items()]
    names = ", ".join(map(dialect.identifier_preparer.quote, (*columns, *said)))
    marks = ", ".join([*[_mark(dialect)] * len(columns), *literals])
    text = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names and values of ours
    text += " ON CONFLICT DO NOTHING" if pass_over else ""
    return session.connection().exec_driver_sql(text, list(zip(*values, strict=True))).rowcount


def _mark(dialect: Dialect) -> str:
    """What stands for a value in a statement that goes to the driver as it is."""
    return "?" if dialect.paramstyle == "qmark" else "%s"


def _converted(values: Sequence[Any], kind: TypeEngine[Any], dialect: Dialect) -> Sequence[Any]:
    """Values as the driver wants them for a column of this type."""
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    return [None if value is None else convert(value) for value in values] if convert else values


@lru_cache(512, typed=True)
def _literal(value: Any, kind: TypeEngine[Any], dialect: Dialect) -> str:
    """A value as it stands in a statement that the driver looks for marks in; each step of an import has the same."""
    text = str(literal(value, kind).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return text if dialect.paramstyle == "qmark" else text.replace("%", "%%")


def write(session: Session, model: Any, updates: list[dict[str, Any]]) -> None:
    """Update rows by their `id`, grouped by the columns they change: one prepared statement for each group."""
    table: Table = model.__table__
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for values in updates:
        groups.setdefault(tuple(sorted(values.keys() - {"id"})), []).append(values)
    connection = session.connection()
    mark, quote = _mark(connection.dialect), connection.dialect.identifier_preparer.quote
    for names, group in groups.items():
        columns = [_converted([row[n] for row in group], table.c[n].type, connection.dialect) for n in (*names, "id")]
        told = ", ".join(f"{quote(name)} = {mark}" for name in names)
        text = f"UPDATE {table.name} SET {told} WHERE id = {mark}"  # noqa: S608 - names of ours
        connection.exec_driver_sql(text, list(zip(*columns, strict=True)))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON can hold them: amounts as text."""
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in values.items()}
