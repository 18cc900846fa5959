"""Unsyncs of many pairs go on in steps: what is yet to be done, of how many, and who stopped it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    short = sa.String(120).with_variant(sa.String(120, collation="C"), "postgresql")
    op.add_column("link_batches", sa.Column("total", BIG, nullable=True))
    op.add_column("link_batches", sa.Column("stopped_by", short, nullable=False, server_default=""))
    op.create_table(
        "unsync_steps",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("link_ids", JSON, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["link_batches.id"], name=op.f("fk_unsync_steps_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsync_steps")),
    )
    op.create_index(op.f("ix_unsync_steps_batch_id"), "unsync_steps", ["batch_id"])
