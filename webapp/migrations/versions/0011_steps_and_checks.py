"""Any act on very many listings may go on in steps, not only an unsync; connectors are looked at by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step; an unsync that is under way goes on."""
    op.add_column("link_batches", sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("link_batches", sa.Column("numbers", JSON, nullable=True))
    op.create_table(
        "act_steps",
        sa.Column("id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("after", BIG, nullable=False),
        sa.Column("upto", BIG, nullable=False),
        sa.Column("of", JSON, nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["link_batches.id"], name=op.f("fk_act_steps_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act_steps")),
    )
    op.create_index(op.f("ix_act_steps_batch_id"), "act_steps", ["batch_id"])
    op.execute(
        "INSERT INTO act_steps (batch_id, number, after, upto, of)"
        " SELECT batch_id, number, 0, 0, link_ids FROM unsync_steps ORDER BY id"
    )
    op.drop_table("unsync_steps")
    op.add_column("channels", sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("channels", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("channels", sa.Column("fault", sa.Text(), nullable=False, server_default=""))
