"""The schema's history; `upgrade` brings any database to the newest revision, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

HERE = Path(__file__).parent


def alembic_config(engine: Engine) -> Config:
    """Alembic's settings for this engine; there is no alembic.ini to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> str:
    """Create or upgrade the database; gives the revision it has afterwards."""
    command.upgrade(alembic_config(engine), revision)
    return current(engine) or ""


def current(engine: Engine) -> str | None:
    """The revision of this database, or None when it is empty."""
    with engine.connect().execution_options(read_only=True) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest(engine: Engine) -> str:
    """The revision that this version of Pairbook wants."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(alembic_config(engine)).get_current_head() or ""
