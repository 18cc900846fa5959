"""How close the rows of a person's tables stand, and the letters that a person puts in the place of single keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Take the step."""
    op.add_column("users", sa.Column("density", sa.String(8), nullable=False, server_default="default"))
    op.add_column("users", sa.Column("own_keys", JSON, nullable=False, server_default="{}"))
