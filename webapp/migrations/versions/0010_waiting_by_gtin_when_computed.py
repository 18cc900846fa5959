"""The index by GTIN holds what waits and has been looked at, so that an import of a million rows does not fill it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    waits = sa.text("gtin != '' AND state = 'pending' AND place != 102")
    op.drop_index("ix_listings_gtin", "listings")
    op.create_index("ix_listings_gtin", "listings", ["channel_id", "gtin"], sqlite_where=waits, postgresql_where=waits)
