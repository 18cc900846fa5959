"""The newest decisions of a channel are found by an index, and an act on one listing names its channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
JUDGED = sa.text('"right" IS NOT NULL')


def upgrade() -> None:
    """Take the step; runs of decisions that are under way are counted on."""
    op.create_index(
        "ix_decisions_newest",
        "decisions",
        ["channel_id", "batch_id", "score", "right", "at"],
        sqlite_where=JUDGED,
        postgresql_where=JUDGED,
    )
    op.execute(
        "UPDATE link_batches SET channel_id ="
        " (SELECT listings.channel_id FROM listings WHERE listings.id = link_batches.listing_id)"
        " WHERE channel_id IS NULL AND listing_id IS NOT NULL"
    )
