"""What became of first suggestions, and the rule that each channel may follow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "decisions",
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("lead", sa.SmallInteger(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=True),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_decisions_channel_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_decisions_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_decisions_product_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_score", "decisions", ["channel_id", "score"], unique=False)
    op.create_index(op.f("ix_decisions_batch_id"), "decisions", ["batch_id"], unique=False)
    op.add_column("channels", sa.Column("rule_from", sa.SmallInteger(), nullable=True))
    op.add_column("channels", sa.Column("rule_promise", sa.SmallInteger(), nullable=False, server_default="95"))
    op.add_column("channels", sa.Column("rule_stopped", sa.Text(), nullable=False, server_default=""))
