"""The schema's history; `upgrade` brings any database to the newest revision, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

if TYPE_CHECKING:  # most starts find the tables as they ought to be: only an upgrade loads Alembic
    from alembic.config import Config

HERE = Path(__file__).parent


def alembic_config(engine: Engine) -> Config:
    """Alembic's settings for this engine; there is no alembic.ini to keep in step."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> str:
    """Create or upgrade the database; gives the revision it has afterwards."""
    from alembic import command

    command.upgrade(alembic_config(engine), revision)
    return current(engine) or ""


def current(engine: Engine) -> str | None:
    """The revision of this database, or None when it is empty."""
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return None if found is None else str(found)


def newest() -> str:
    """The revision that this version of Pairbook wants: the number at the beginning of the newest file's name."""
    return max(path.name.split("_")[0] for path in (HERE / "versions").glob("[0-9]*.py"))
