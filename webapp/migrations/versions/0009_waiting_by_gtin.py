"""Waiting listings are found by their GTIN: one key links all that carry a product's number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    waits = sa.text("state = 'pending' AND gtin != ''")
    op.create_index("ix_listings_gtin", "listings", ["channel_id", "gtin"], sqlite_where=waits, postgresql_where=waits)
