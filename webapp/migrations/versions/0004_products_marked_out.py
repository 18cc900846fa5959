"""Products that a person marked as out of stock: their units wait in `withheld` until they are available again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("products", sa.Column("withheld", sa.Integer(), nullable=True))
