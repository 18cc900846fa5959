"""Since when a delivery was due: how long changes take to reach a channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("attempts", sa.Column("due_since", sa.DateTime(timezone=True), nullable=True))
