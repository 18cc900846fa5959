"""The database: one `db`, SQLite made safe for many writers, and the only commit in the house."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Thread
from typing import IO, Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    MetaData,
    Text,
    TypeDecorator,
    bindparam,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
LOCK_PATIENCE = 60.0  # seconds a writer waits for its turn on SQLite before the caller is told to try again
MOST_PATIENCE = 2.0  # seconds that background work lets others go first: then it takes its turn as they do
RETRY, RETRY_LATER = 0.0005, 0.002  # seconds between two tries to begin, and once they have waited for
SOON = 0.02  # seconds, which is longer than a step of background work takes then
CACHED, CACHED_ONCE = 65_536, 8_192  # kilobytes of pages that a connection keeps, as a rule and where each is read once
LOG_PAGES = 16_384  # 128 MB that SQLite's write-ahead log may hold before a commit copies them into the database file
SYNCED_EVERY = 0.1  # seconds after which background work brings its log to the disk, between two steps
COPIED_EVERY = 1.0  # seconds after which background work copies its log itself, between two steps


class Base(DeclarativeBase):
    """The parent of every table; names of constraints are fixed so that migrations can speak of them."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
_bell: list[Callable[[set[str]], None]] = []


def on_bell(ring: Callable[[set[str]], None]) -> None:
    """Say who hears the bells that services ask for (`ring`); they sound only after a commit."""
    _bell[:] = [ring]


def ring(session: Session, name: str) -> None:
    """Ask for a bell after this session's commit. A lost bell costs time, never work: the sweep looks again."""
    session.info.setdefault("bells", set()).add(name)


@contextmanager
def unit_of_work(
    *, read_only: bool = False, bulk: bool = False, patient: bool = False, once: bool = False
) -> Iterator[Session]:
    """Open a session that is committed at the end, or rolled back when anything is raised.

    `patient` is for one of many steps of background work, which begins when no other writer waits.

    `bulk` is for statements that take every id they write from the tables themselves: SQLite then does not
    look each one up again for its foreign keys, which takes as long as the writing.

    `once` is for reading very many rows, each once: SQLite then keeps few of their pages in memory.
    """
    with Session(db.engine, expire_on_commit=False) as session:
        start(session, read_only=read_only, bulk=bulk, patient=patient, once=once)
        try:
            yield session
        except BaseException:
            session.rollback()
            raise
        finish(session, read_only=read_only)


def start(session: Session, *, read_only: bool, bulk: bool = False, patient: bool = False, once: bool = False) -> None:
    """Begin the session's transaction: readers may not write, writers take their turn at once."""
    options: dict[str, Any] = {"read_only": read_only, "bulk": bulk, "patient": patient, "once": once}
    if session.get_bind().dialect.name == "postgresql":
        options["postgresql_readonly"] = read_only
    session.connection(execution_options=options)


def finish(session: Session, *, read_only: bool = False) -> None:
    """Commit, then sound the bells that were asked for."""
    if read_only:
        session.expunge_all()  # or the rollback would empty what the caller has read
        session.rollback()
        return
    session.commit()
    bells = session.info.pop("bells", set())
    if bells and _bell:
        _bell[0](bells)


def direct(
    session: Session, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement about columns that was made once, in half the time: the session is passed over.

    So nothing that waits in it is written first, and no object in it learns of what the statement changes.
    """
    return session.connection().execute(statement, values)


def others_wait(session: Session) -> bool:
    """Whether somebody else waits for the write lock that this session has; PostgreSQL has none for all."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return False
    with _turnstile(connection.info["turnstile"]) as turnstile:
        return _somebody_waits(turnstile)


def among(_session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """The condition that a column of text or whole numbers has one of the values, however many they are.

    They travel as one parameter: thousands of single ones cost more to write down than to look up.
    """
    return cast(ColumnElement[bool], column.bool_op("")(_Listed(bindparam(None, list(values), _Values(column.type)))))


def among_those(column: Any, name: str) -> ColumnElement[bool]:
    """The same for a statement that is made once: the values come with each execution, under this name."""
    return cast(ColumnElement[bool], column.bool_op("")(_Listed(bindparam(name, type_=_Values(column.type)))))


class _Values(TypeDecorator[list[Any]]):
    """Many values of one type as one parameter: an array, or for SQLite a list in JSON."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.of) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class _Listed(FunctionElement[Any]):
    """The right side of `among`, with its operator: each database has another one that uses an index."""

    inherit_cache = True


@compiles(_Listed, "sqlite")
def _in_json(element: _Listed, compiler: Any, **how: Any) -> str:
    mark = compiler.process(element.clauses, **how)
    return f"IN (SELECT value FROM json_each({mark}))"  # noqa: S608 - the mark of the parameter, no value


@compiles(_Listed, "postgresql")
def _in_array(element: _Listed, compiler: Any, **how: Any) -> str:
    return f"= ANY ({compiler.process(element.clauses, **how)})"


def inserting(session: Session, table: Any) -> Any:
    """An INSERT into a model that can be told what to do on a conflict."""
    return (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(table)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Set up a fresh SQLite connection; `isolation_level=None` leaves BEGIN to `_begin`."""
    if not isinstance(connection, sqlite3.Connection):
        return
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    record.info["turnstile"] = f"{path}-turn" if path else None
    record.info["log"] = f"{path}-wal"
    connection.isolation_level = None
    for pragma in (
        "page_size=8192",  # of a new file: bulk work writes as many bytes in half as many calls
        "journal_mode=WAL",
        "foreign_keys=ON",
        "busy_timeout=5000",
        "temp_store=MEMORY",
        "mmap_size=67108864",  # what is mapped counts as memory of the process: a worker reads a whole catalogue
    ):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    """Begin as reader or as writer.

    A writer asks for the write lock before its first read: a deferred transaction that reads and then
    writes fails with "database is locked" whatever the timeout.
    """
    if connection.dialect.name != "sqlite":
        return
    raw: Any = connection.connection.driver_connection
    options = connection.get_execution_options()
    read_only, bulk, patient, once = (bool(options.get(name)) for name in ("read_only", "bulk", "patient", "once"))
    raw.execute(f"PRAGMA cache_size=-{CACHED_ONCE if once else CACHED}")
    raw.execute(f"PRAGMA query_only={int(read_only)}")
    raw.execute(f"PRAGMA foreign_keys={int(not bulk)}")
    if read_only:
        raw.execute("BEGIN")
        return
    # An answered change survives a power cut. A step of background work comes to the disk with the next change that
    # is answered, if only with the one that ends the work; when it is lost before, it is taken again.
    raw.execute(f"PRAGMA synchronous={'NORMAL' if patient else 'FULL'}")
    raw.execute(f"PRAGMA wal_autocheckpoint={0 if patient else LOG_PAGES}")
    # Rows of files and links hold no secret: their old bytes need not be overwritten, as some builds do by default.
    raw.execute(f"PRAGMA secure_delete={int(not patient)}")
    if patient:
        _keep_log_short(raw, connection.info)
    raw.execute("PRAGMA busy_timeout=0")  # its own waiting grows to a tenth of a second between two tries
    try:
        with _turnstile(connection.info["turnstile"]) as turnstile:
            _take_turn(raw, turnstile, patient=patient)
    finally:
        raw.execute("PRAGMA busy_timeout=5000")


def _keep_log_short(raw: Any, about: dict[Any, Any]) -> None:
    """Bring the log to the disk, and copy it into the database file, before a step, where nobody waits for it.

    Whoever is answered next would else wait, with the lock in hand, until all that the steps have written is on the
    disk: 3 ms for each megabyte on a plain one. The disk works while the next step computes, and is never more than
    one step behind. A page that many steps have written is copied once, so that is not done after each.
    """
    now = time.monotonic()
    if behind := about.pop("syncing", None):
        behind.join()
    if now - about.setdefault("copied", now) > COPIED_EVERY:
        raw.execute("PRAGMA wal_checkpoint(PASSIVE)")
        about["copied"] = about["synced"] = time.monotonic()
    elif about["turnstile"] and now - about.setdefault("synced", now) > SYNCED_EVERY:
        about["syncing"] = Thread(target=_bring_to_disk, args=(about["log"],))
        about["syncing"].start()
        about["synced"] = now


def _bring_to_disk(path: str) -> None:
    with suppress(FileNotFoundError), open(path, "rb") as file:
        os.fdatasync(file)


def _turnstile(path: str | None) -> AbstractContextManager[IO[bytes] | None]:
    """Open the file beside the database that writers wait at; a database in memory has none.

    It is opened for each turn: a connection that outlives its pool is closed without a word to anybody.
    """
    return open(path, "ab") if path else nullcontext()


def _take_turn(raw: Any, turnstile: IO[bytes] | None, *, patient: bool) -> None:
    """Begin as a writer. Who waits holds the turnstile open; a patient writer goes through only when nobody waits.

    SQLite gives its lock to whoever asks at the right moment, so that work of many small transactions would keep it.
    """
    begun = time.monotonic()
    if turnstile is not None and not patient:
        fcntl.flock(turnstile, fcntl.LOCK_SH)
    try:
        while True:
            waited = time.monotonic() - begun
            if not (patient and waited < MOST_PATIENCE and _somebody_waits(turnstile)):
                try:
                    raw.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or waited > LOCK_PATIENCE:
                        raise OperationalError("BEGIN IMMEDIATE", None, error) from error
            time.sleep(RETRY if waited < SOON else RETRY_LATER)
    finally:
        if turnstile is not None and not patient:
            fcntl.flock(turnstile, fcntl.LOCK_UN)


def _somebody_waits(turnstile: IO[bytes] | None) -> bool:
    if turnstile is None:
        return False
    try:
        fcntl.flock(turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(turnstile, fcntl.LOCK_UN)
    return False


@event.listens_for(Engine, "handle_error")
def _one_word_for_too_large(context: ExceptionContext) -> None:
    """Let PostgreSQL say what SQLite's driver says of a number that no column can hold: OverflowError."""
    if type(context.original_exception).__name__ == "NumericValueOutOfRange":
        raise OverflowError("This number is too large for any row.") from context.original_exception
