"""A person's last bulk unsync is found by an index: the pairs offer to take it back, however much that person decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    unsync = sa.text("verb = 'unsync'")
    op.create_index(
        "ix_link_batches_unsync", "link_batches", ["by_id", "id"], sqlite_where=unsync, postgresql_where=unsync
    )
