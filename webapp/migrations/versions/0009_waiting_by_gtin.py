"""Listings are found by their GTIN: one key links all that wait and carry a product's number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    given = sa.text("gtin != ''")
    op.create_index("ix_listings_gtin", "listings", ["channel_id", "gtin"], sqlite_where=given, postgresql_where=given)
