"""The index of words is merged by who writes into it, a little with each change, never by itself and much at once."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step; services.words merges from now on."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO product_words_index(product_words_index, rank) VALUES ('automerge', 0)")
