"""The house rules of tests: a fresh instance each, the cast, and the same suite on SQLite and PostgreSQL.

PAIRBOOK_TEST_DATABASE_URL chooses PostgreSQL, PAIRBOOK_TEST_QUEUE_URL Redis; without them everything is a file.
Alice owns, Bob edits, Charlie only looks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from tests.factories import Make
from tests.shop import SECRET, Shop
from tests.stub_channel import StubChannel
from webapp import create_app
from webapp.config import Settings, load
from webapp.db import db, unit_of_work
from webapp.migrations import upgrade
from webapp.models import Base, SignIn, User
from webapp.models.accounts import COMMAND_LINE, Actor, Role
from webapp.models.base import utc_now

# A machine that is busy with other things is no reason to fail.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")

POSTGRES = os.environ.get("PAIRBOOK_TEST_DATABASE_URL", "")
QUEUE = os.environ.get("PAIRBOOK_TEST_QUEUE_URL", "")
KEY = "a browser of "
CHEAP_PASSWORDS = {
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
        "argon2__time_cost": 1,
        "argon2__memory_cost": 8,
        "argon2__parallelism": 1,
    }
}
PASSWORD = "correct horse battery"


class CompiledOnce(BytecodeCache):
    """Templates compiled by one test's application serve all that come after: half of a test's time went there."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledOnce()}


def settings_for(instance: Path, **environ: str) -> Settings:
    """Settings of a throw-away instance."""
    given = {
        "PAIRBOOK_INSTANCE": str(instance),
        "PAIRBOOK_OUTBOUND_ALLOW": "127.0.0.0/8",
        "PAIRBOOK_SECRET_KEY": "tests" * 16,
    }
    if POSTGRES:
        given["PAIRBOOK_DATABASE_URL"] = POSTGRES
    if QUEUE:
        given["PAIRBOOK_QUEUE_URL"] = QUEUE
    return load(given | environ)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once: a file to copy on SQLite, the server's own on PostgreSQL."""
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app(settings_for(folder))
    with app.app_context():
        if POSTGRES:
            with db.engine.begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        upgrade(db.engine)
        db.engine.dispose()
    if not POSTGRES:  # fold the write-ahead log into the one file that is copied
        engine = create_engine(f"sqlite:///{folder / 'app.db'}")
        with engine.connect() as connection:
            connection.execute(text("COMMIT"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        engine.dispose()
    return folder


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    """Settings of this test's own instance, its database empty and migrated."""
    instance = tmp_path / "instance"
    instance.mkdir()
    if not POSTGRES:
        shutil.copy(migrated / "app.db", instance / "app.db")
    return settings_for(instance)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application on that instance."""
    app = create_app(settings, TESTING=True, PROPAGATE_EXCEPTIONS=True, WTF_CSRF_ENABLED=False, **CHEAP_PASSWORDS)
    with app.app_context():
        _empty()
    yield app
    with app.app_context():
        db.engine.dispose()


def _empty() -> None:
    """Empty every table on PostgreSQL; SQLite has a fresh file."""
    if POSTGRES:
        names = ", ".join(t.name for t in Base.metadata.sorted_tables)
        with db.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application with its context pushed, for services and jobs; tests of screens do not want it."""
    with app.app_context():
        yield app


@pytest.fixture
def session(context: Flask) -> Iterator[Session]:
    """A writing session; nothing of it is committed unless the test says so with `unit_of_work` of its own."""
    with Session(db.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def make(session: Session, settings: Settings) -> Make:
    """Things in the test's session: `make.product(sku=…)`, `make.listing(…)`, `make.link(…)`, `make.noise()`."""
    return Make(session, settings)


def sign_in_row(session: Session, user: User) -> str:
    """Let a browser be signed in without its form; gives what its cookie says."""
    digest = hashlib.sha256(f"{KEY}{user.fs_uniquifier}".encode()).hexdigest()
    session.add(SignIn(key=digest, user_id=user.id, ends_at=utc_now() + timedelta(days=1)))
    return f"{user.fs_uniquifier}.{KEY}{user.fs_uniquifier}"


@pytest.fixture
def people(app: Flask) -> dict[str, int]:
    """Alice (owner), Bob (editor) and Charlie (viewer) in the database; gives their ids."""
    cast = {"alice": Role.OWNER, "bob": Role.EDITOR, "charlie": Role.VIEWER}
    with app.app_context(), unit_of_work() as session:
        users = {
            name: User(
                email=f"{name}@example.com", name=name.title(), role=role, password="unusable", fs_uniquifier=name * 5
            )
            for name, role in cast.items()
        }
        session.add_all(users.values())
        session.flush()
        for name in cast:
            sign_in_row(session, users[name])
        return {name: user.id for name, user in users.items()}


@pytest.fixture
def bob() -> Actor:
    """Bob as the author of a change, where no account is needed."""
    return Actor(None, "Bob", Role.EDITOR)


@pytest.fixture
def alice() -> Actor:
    """Alice, who owns."""
    return Actor(None, "Alice", Role.OWNER)


@pytest.fixture
def script() -> Actor:
    """The command line as author."""
    return COMMAND_LINE


@pytest.fixture
def browse(app: Flask, people: dict[str, int]) -> Any:
    """`browse("bob")` gives a test client signed in as Bob; `browse()` one that is not."""

    def client(name: str = "") -> FlaskClient:
        browser = app.test_client()
        if name:
            with browser.session_transaction() as cookie:
                cookie["_user_id"] = f"{name * 5}.{KEY}{name * 5}"
                cookie["_fresh"] = True
                cookie["fs_cc"] = "set"
                cookie["fs_paa"] = 9_999_999_999.0
                cookie["identity.id"] = name * 5
        return browser

    return client


@pytest.fixture
def stub() -> Iterator[StubChannel]:
    """A marketplace that answers."""
    with StubChannel(secret=SECRET) as stub:
        yield stub


@pytest.fixture
def shop(context: Flask, settings: Settings, stub: StubChannel) -> Shop:
    """A shop on that marketplace, with workers on threads."""
    return Shop(context, settings, stub)
