"""Channels that are told whether there is stock, never how much; a delivery keeps which of the two it said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    for table in ("channels", "attempts"):
        op.add_column(table, sa.Column("in_stock_only", sa.Boolean(), nullable=False, server_default=sa.false()))
