"""Schedules: channels that are told by the clock, and which of their rounds a run was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EVERY = sa.Enum("15m", "30m", "1h", "6h", "night", name="every", native_enum=False, length=24)


def short() -> sa.types.TypeEngine[str]:
    """Text that is compared byte by byte on both databases."""
    return sa.String(120).with_variant(sa.String(120, collation="C"), "postgresql")


def upgrade() -> None:
    """Take the step."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "schedules",
        sa.Column("id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("stock", sa.Boolean(), nullable=False),
        sa.Column("price", sa.Boolean(), nullable=False),
        sa.Column("every", EVERY, nullable=False),
        sa.Column("at", sa.String(5), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("paused_at", moment, nullable=True),
        sa.Column("cancelled_at", moment, nullable=True),
        sa.Column("cancelled_by", short(), nullable=False),
        sa.Column("replaces_id", BIG, nullable=True),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", short(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("worker", short(), nullable=False),
        sa.Column("lease_until", moment, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_schedules_by_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_schedules_channel_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["schedules.id"], name=op.f("fk_schedules_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    on = sa.text("cancelled_at IS NULL AND paused_at IS NULL")
    op.create_index("ix_schedules_due", "schedules", ["next_at"], sqlite_where=on, postgresql_where=on)
    op.create_index(op.f("ix_schedules_channel_id"), "schedules", ["channel_id"])
    op.create_index(op.f("ix_schedules_replaces_id"), "schedules", ["replaces_id"])
    op.add_column("sync_runs", sa.Column("schedule_id", BIG, nullable=True))
    op.add_column("sync_runs", sa.Column("planned_at", moment, nullable=True))
    op.create_index("uq_sync_runs_round", "sync_runs", ["schedule_id", "planned_at"], unique=True)
