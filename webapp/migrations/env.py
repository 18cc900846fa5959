"""How Alembic meets our database: one transaction for a whole upgrade, one upgrade at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Engine, text

from webapp.models import Base


def run() -> None:
    """Run the migrations on the engine that `webapp.migrations.upgrade` was given."""
    engine: Engine = context.config.attributes["engine"]
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":  # SQLite's BEGIN IMMEDIATE queues two starters by itself
            connection.execute(text("SELECT pg_advisory_xact_lock(7241953)"))
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=engine.dialect.name == "sqlite",
            transactional_ddl=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
