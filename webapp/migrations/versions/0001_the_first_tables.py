"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
SHORT = sa.String(120).with_variant(sa.String(120, collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "base_products",
        sa.Column("id", BIG, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("match_key", KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_products")),
        sa.UniqueConstraint("match_key", name=op.f("uq_base_products_match_key")),
    )
    op.create_table(
        "import_presets",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", SHORT, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("products", "stock", "listings", "links", name="importkind", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("headers", sa.String(length=64), nullable=False),
        sa.Column("mapping", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_presets")),
        sa.UniqueConstraint("name", name=op.f("uq_import_presets_name")),
    )
    op.create_index(op.f("ix_import_presets_headers"), "import_presets", ["headers"], unique=False)

    op.create_table(
        "price_lists",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", SHORT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_lists")),
        sa.UniqueConstraint("name", name=op.f("uq_price_lists_name")),
    )
    op.create_table(
        "seen_forms",
        sa.Column("key", SHORT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_seen_forms")),
    )
    op.create_index(op.f("ix_seen_forms_at"), "seen_forms", ["at"], unique=False)

    op.create_table(
        "settings",
        sa.Column("key", SHORT, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "sign_in_tries",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("wait_until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_tries")),
    )
    op.create_index(op.f("ix_sign_in_tries_last_at"), "sign_in_tries", ["last_at"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", BIG, nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", SHORT, nullable=False),
        sa.Column(
            "role", sa.Enum("viewer", "editor", "owner", name="role", native_enum=False, length=24), nullable=False
        ),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("single_keys", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_users_fs_uniquifier")),
    )
    op.create_table(
        "sign_ins",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id_users")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_ends_at"), "sign_ins", ["ends_at"], unique=False)
    op.create_index(op.f("ix_sign_ins_user_id"), "sign_ins", ["user_id"], unique=False)

    op.create_table(
        "warehouses",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", SHORT, nullable=False),
        sa.Column("sells", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouses")),
        sa.UniqueConstraint("name", name=op.f("uq_warehouses_name")),
    )
    op.create_table(
        "audit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", SHORT, nullable=False),
        sa.Column("event", SHORT, nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.Column("request_id", SHORT, nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_audit_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_event"), "audit", ["event"], unique=False)
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"], unique=False)

    op.create_table(
        "channels",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", SHORT, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("many", sa.Boolean(), nullable=False),
        sa.Column(
            "mode", sa.Enum("manual", "automatic", name="sendmode", native_enum=False, length=24), nullable=False
        ),
        sa.Column("sends_price", sa.Boolean(), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("price_list_id", BIG, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("rest_until", MOMENT, nullable=True),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_lists.id"], name=op.f("fk_channels_price_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("name", name=op.f("uq_channels_name")),
    )
    op.create_table(
        "products",
        sa.Column("id", BIG, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("match_key", KEY, nullable=False),
        sa.Column("loose_key", KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("brand", sa.String(length=255), nullable=False),
        sa.Column("gtin", sa.String(length=64), nullable=False),
        sa.Column("mpn", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("options", JSON, nullable=True),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.Column("base_id", BIG, nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("import_id", BIG, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["base_id"], ["base_products.id"], name=op.f("fk_products_base_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("match_key", name=op.f("uq_products_match_key")),
    )
    op.create_index(
        "ix_products_alive",
        "products",
        ["id"],
        unique=False,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_index(op.f("ix_products_base_id"), "products", ["base_id"], unique=False)
    op.create_index(op.f("ix_products_changed_at"), "products", ["changed_at"], unique=False)
    op.create_index("ix_products_gtin", "products", ["gtin"], unique=False)
    op.create_index(
        "ix_products_key",
        "products",
        ["match_key"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_index(
        "ix_products_in_stock",
        "products",
        ["id"],
        unique=False,
        sqlite_where=sa.text("available > 0 AND retired_at IS NULL"),
        postgresql_where=sa.text("available > 0 AND retired_at IS NULL"),
    )
    op.create_index(op.f("ix_products_loose_key"), "products", ["loose_key"], unique=False)
    op.create_index(
        "ix_products_out_of_stock",
        "products",
        ["id"],
        unique=False,
        sqlite_where=sa.text("available <= 0 AND retired_at IS NULL"),
        postgresql_where=sa.text("available <= 0 AND retired_at IS NULL"),
    )
    op.create_table(
        "product_words",
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_words_product_id")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_words")),
    )

    op.create_table(
        "import_jobs",
        sa.Column("id", BIG, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("products", "stock", "listings", "links", name="importkind", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "checking",
                "checked",
                "refused",
                "queued",
                "running",
                "done",
                "failed",
                "undone",
                name="importstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("channel_id", BIG, nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("stored_as", SHORT, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("report", JSON, nullable=False),
        sa.Column("rows_ok", sa.Integer(), nullable=False),
        sa.Column("next_row", BIG, nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("reconcile", sa.Boolean(), nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("worker", SHORT, nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", SHORT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_import_jobs_by_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_import_jobs_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_jobs")),
    )
    op.create_index("ix_import_jobs_state", "import_jobs", ["state", "id"], unique=False)

    op.create_table(
        "link_batches",
        sa.Column("id", BIG, nullable=False),
        sa.Column(
            "verb",
            sa.Enum(
                "reconcile",
                "link",
                "reject",
                "no_match",
                "ignore",
                "unlink",
                "unsync",
                "add",
                "import_links",
                "skip",
                "reopen",
                "keep",
                "undo",
                name="batchverb",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("channel_id", BIG, nullable=True),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", SHORT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("changed", BIG, nullable=False),
        sa.Column("undone_by", BIG, nullable=True),
        sa.Column("undoes", BIG, nullable=True),
        sa.Column("listing_id", BIG, nullable=True),
        sa.Column("before", JSON, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_link_batches_by_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_link_batches_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_batches")),
    )
    op.create_index(op.f("ix_link_batches_at"), "link_batches", ["at"], unique=False)
    op.create_index("ix_link_batches_person", "link_batches", ["by_id", "id"], unique=False)

    op.create_table(
        "listing_counts",
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column(
            "state",
            sa.Enum("pending", "linked", "none", "ignored", name="listingstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("n", BIG, nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_listing_counts_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "state", name=op.f("pk_listing_counts")),
    )
    op.create_table(
        "listings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("match_key", KEY, nullable=True),
        sa.Column("loose_key", KEY, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("brand", sa.String(length=255), nullable=False),
        sa.Column("gtin", sa.String(length=64), nullable=False),
        sa.Column("mpn", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("parent_id", KEY, nullable=False),
        sa.Column("options", JSON, nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("pending", "linked", "none", "ignored", name="listingstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("place", BIG, nullable=False),
        sa.Column("fence", BIG, nullable=False),
        sa.Column("import_id", BIG, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_listings_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
        sa.UniqueConstraint("channel_id", "external_id", name=op.f("uq_listings_channel_id_external_id")),
    )
    op.create_index(
        "ix_listings_ignored",
        "listings",
        ["channel_id", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'ignored'"),
        postgresql_where=sa.text("state = 'ignored'"),
    )
    op.create_index(
        "ix_listings_no_match",
        "listings",
        ["channel_id", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'none'"),
        postgresql_where=sa.text("state = 'none'"),
    )
    op.create_index(
        "ix_listings_key",
        "listings",
        ["channel_id", "match_key"],
        unique=False,
        sqlite_where=sa.text("match_key IS NOT NULL"),
        postgresql_where=sa.text("match_key IS NOT NULL"),
    )
    op.create_index(
        "ix_listings_parent",
        "listings",
        ["channel_id", "parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id != ''"),
        postgresql_where=sa.text("parent_id != ''"),
    )
    op.create_index(
        "ix_listings_queue",
        "listings",
        ["channel_id", "place", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )

    op.create_table(
        "prices",
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("price_list_id", BIG, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_lists.id"], name=op.f("fk_prices_price_list_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_prices_product_id")),
        sa.PrimaryKeyConstraint("product_id", "price_list_id", name=op.f("pk_prices")),
    )
    op.create_table(
        "stock_levels",
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("warehouse_id", BIG, nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_stock_levels_product_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_stock_levels_warehouse_id")),
        sa.PrimaryKeyConstraint("product_id", "warehouse_id", name=op.f("pk_stock_levels")),
    )
    op.create_table(
        "sync_runs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("kind", sa.Enum("manual", "automatic", name="runkind", native_enum=False, length=24), nullable=False),
        sa.Column(
            "state",
            sa.Enum("running", "done", "partly", "failed", name="runstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", SHORT, nullable=False),
        sa.Column("stock", sa.Boolean(), nullable=False),
        sa.Column("price", sa.Boolean(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("fenced", sa.Integer(), nullable=False),
        sa.Column("artifact", sa.String(length=255), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_sync_runs_by_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_sync_runs_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
    )
    op.create_index(
        "ix_sync_runs_by_hand",
        "sync_runs",
        ["id"],
        unique=False,
        sqlite_where=sa.text("kind = 'manual'"),
        postgresql_where=sa.text("kind = 'manual'"),
    )
    op.create_index("ix_sync_runs_channel", "sync_runs", ["channel_id", "id"], unique=False)
    op.create_index(
        "ix_sync_runs_needs_somebody",
        "sync_runs",
        ["state", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('partly', 'failed')"),
        postgresql_where=sa.text("state IN ('partly', 'failed')"),
    )
    op.create_index(
        "ix_sync_runs_running",
        "sync_runs",
        ["channel_id"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )

    op.create_table(
        "attempts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("link_id", BIG, nullable=False),
        sa.Column("link_version", BIG, nullable=False),
        sa.Column("product_version", BIG, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("old_quantity", sa.Integer(), nullable=True),
        sa.Column("old_price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("key", SHORT, nullable=False),
        sa.Column(
            "state",
            sa.Enum("claimed", "begun", "done", name="attemptstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "applied",
                "accepted",
                "rejected",
                "throttled",
                "failed",
                "unknown",
                "fenced",
                "late",
                name="outcome",
                native_enum=False,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("code", SHORT, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("worker", SHORT, nullable=False),
        sa.Column("lease_until", MOMENT, nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_attempts_channel_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_attempts_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_attempts_product_id")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.id"], name=op.f("fk_attempts_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    failing = "outcome IN ('rejected', 'throttled', 'failed', 'unknown')"
    op.create_index(
        "ix_attempts_failing",
        "attempts",
        ["run_id", "id"],
        unique=False,
        sqlite_where=sa.text(failing),
        postgresql_where=sa.text(failing),
    )
    op.create_index(
        "ix_attempts_lease",
        "attempts",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state != 'done'"),
        postgresql_where=sa.text("state != 'done'"),
    )
    op.create_index(op.f("ix_attempts_listing_id"), "attempts", ["listing_id"], unique=False)
    op.create_index(op.f("ix_attempts_run_id"), "attempts", ["run_id"], unique=False)
    op.create_index(
        "uq_attempts_in_flight",
        "attempts",
        ["listing_id"],
        unique=True,
        sqlite_where=sa.text("state != 'done'"),
        postgresql_where=sa.text("state != 'done'"),
    )

    op.create_table(
        "import_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("row_id", BIG, nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("after", JSON, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_jobs.id"], name=op.f("fk_import_changes_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_changes")),
    )
    op.create_index(op.f("ix_import_changes_import_id"), "import_changes", ["import_id"], unique=False)

    op.create_table(
        "links",
        sa.Column("id", BIG, nullable=False),
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("slot", BIG, nullable=False),
        sa.Column("fence", BIG, nullable=False),
        sa.Column(
            "source",
            sa.Enum("sku", "hand", "file", "added", "restored", name="linksource", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", SHORT, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("auto_sync", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("dirty_at", MOMENT, nullable=True),
        sa.Column("want_stock", sa.Boolean(), nullable=False),
        sa.Column("want_price", sa.Boolean(), nullable=False),
        sa.Column("run_id", BIG, nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("told_stock_version", BIG, nullable=False),
        sa.Column("told_price_version", BIG, nullable=False),
        sa.Column("told_quantity", sa.Integer(), nullable=True),
        sa.Column("told_price", sa.BigInteger(), nullable=True),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("apart", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["link_batches.id"], name=op.f("fk_links_batch_id")),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_links_by_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_links_channel_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_links_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_links_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("listing_id", name=op.f("uq_links_listing_id")),
        sa.UniqueConstraint("product_id", "channel_id", "slot", name=op.f("uq_links_product_id_channel_id_slot")),
    )
    op.create_index(
        "ix_links_apart",
        "links",
        ["channel_id", "apart", "id"],
        unique=False,
        sqlite_where=sa.text("apart > 0"),
        postgresql_where=sa.text("apart > 0"),
    )
    op.create_index(op.f("ix_links_batch_id"), "links", ["batch_id"], unique=False)
    op.create_index("ix_links_channel", "links", ["channel_id", "id"], unique=False)
    op.create_index(
        "ix_links_due",
        "links",
        ["channel_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_links_never",
        "links",
        ["channel_id", "id"],
        unique=False,
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_index(
        "ix_links_not_by_sku",
        "links",
        ["channel_id"],
        unique=False,
        sqlite_where=sa.text("source != 'sku'"),
        postgresql_where=sa.text("source != 'sku'"),
    )
    op.create_index(
        "ix_links_people",
        "links",
        ["source", "id"],
        unique=False,
        sqlite_where=sa.text("source != 'sku'"),
        postgresql_where=sa.text("source != 'sku'"),
    )
    op.create_index(
        "ix_links_problem",
        "links",
        ["channel_id"],
        unique=False,
        sqlite_where=sa.text("problem != ''"),
        postgresql_where=sa.text("problem != ''"),
    )
    op.create_index(
        "ix_links_score",
        "links",
        ["channel_id", "score", "id"],
        unique=False,
        sqlite_where=sa.text("score IS NOT NULL"),
        postgresql_where=sa.text("score IS NOT NULL"),
    )
    op.create_index(
        "ix_links_silent",
        "links",
        ["id"],
        unique=False,
        sqlite_where=sa.text("auto_sync IS 0"),
        postgresql_where=sa.text("auto_sync IS false"),
    )

    op.create_table(
        "near_misses",
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_near_misses_channel_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_near_misses_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_near_misses_product_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_near_misses")),
    )
    op.create_index("ix_near_misses_group", "near_misses", ["channel_id", "reason", "listing_id"], unique=False)

    op.create_table(
        "past_links",
        sa.Column("id", BIG, nullable=False),
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("fence", BIG, nullable=False),
        sa.Column(
            "source",
            sa.Enum("sku", "hand", "file", "added", "restored", name="linksource", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("by_name", SHORT, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("auto_sync", sa.Boolean(), nullable=False),
        sa.Column("ended_batch_id", BIG, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_past_links_channel_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_past_links_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_past_links_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_links")),
    )
    op.create_index(op.f("ix_past_links_ended_at"), "past_links", ["ended_at"], unique=False)
    op.create_index(op.f("ix_past_links_ended_batch_id"), "past_links", ["ended_batch_id"], unique=False)
    op.create_index(op.f("ix_past_links_listing_id"), "past_links", ["listing_id"], unique=False)
    op.create_index(op.f("ix_past_links_product_id"), "past_links", ["product_id"], unique=False)

    op.create_table(
        "refusals",
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("facts", sa.String(length=48), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_refusals_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_refusals_product_id")),
        sa.PrimaryKeyConstraint("listing_id", "product_id", name=op.f("pk_refusals")),
    )
    op.create_index(op.f("ix_refusals_batch_id"), "refusals", ["batch_id"], unique=False)
    op.create_index(op.f("ix_refusals_product_id"), "refusals", ["product_id"], unique=False)

    op.create_table(
        "asides",
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("facts", sa.String(length=24), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_asides_channel_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_asides_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_asides")),
    )
    op.create_index(
        "ix_asides_changed",
        "asides",
        ["channel_id", "listing_id"],
        unique=False,
        sqlite_where=sa.text("changed_at IS NOT NULL"),
        postgresql_where=sa.text("changed_at IS NOT NULL"),
    )

    op.create_table(
        "rechecks",
        sa.Column("id", BIG, nullable=False),
        sa.Column(
            "of", sa.Enum("listings", "products", name="recheckof", native_enum=False, length=24), nullable=False
        ),
        sa.Column("after", BIG, nullable=False),
        sa.Column("upto", BIG, nullable=False),
        sa.Column("worker", SHORT, nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rechecks")),
    )

    op.create_table(
        "suspicions",
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("facts", sa.String(length=32), nullable=False),
        sa.Column("kept_batch_id", BIG, nullable=True),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_suspicions_channel_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_suspicions_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_suspicions_product_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_suspicions")),
    )
    op.create_index(op.f("ix_suspicions_kept_batch_id"), "suspicions", ["kept_batch_id"], unique=False)
    for name, columns in (("worst", ["severity", "listing_id"]), ("channel", ["channel_id", "severity", "listing_id"])):
        op.create_index(
            f"ix_suspicions_{name}",
            "suspicions",
            columns,
            unique=False,
            sqlite_where=sa.text("kept_batch_id IS NULL"),
            postgresql_where=sa.text("kept_batch_id IS NULL"),
        )

    op.create_table(
        "suggest_runs",
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("total", BIG, nullable=False),
        sa.Column("done", BIG, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("paused_by", SHORT, nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_suggest_runs_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_suggest_runs")),
    )

    op.create_table(
        "suggest_claims",
        sa.Column("id", BIG, nullable=False),
        sa.Column("channel_id", BIG, nullable=False),
        sa.Column("low", BIG, nullable=False),
        sa.Column("high", BIG, nullable=False),
        sa.Column("worker", SHORT, nullable=False),
        sa.Column("lease_until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_suggest_claims_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggest_claims")),
    )
    op.create_index(op.f("ix_suggest_claims_channel_id"), "suggest_claims", ["channel_id"], unique=False)

    op.create_table(
        "suggestions",
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("difference", sa.Text(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_suggestions_listing_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_suggestions_product_id")),
        sa.PrimaryKeyConstraint("listing_id", "rank", name=op.f("pk_suggestions")),
    )
    op.create_index(op.f("ix_suggestions_product_id"), "suggestions", ["product_id"], unique=False)
    index_words()
    keep_audit()


def keep_audit() -> None:
    """Let the database itself refuse to change or delete a line of the trail."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail only grows'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_grows()"
    )


def index_words() -> None:
    """Let the database find products by their words: FTS5 kept in step by triggers, or GIN."""
    if op.get_bind().dialect.name != "sqlite":
        lexemes = "array_to_tsvector(string_to_array(words, ' '))"
        op.execute(f"CREATE INDEX product_words_index ON product_words USING gin ({lexemes})")
        return
    # The words are made by services.words and have spaces between: "ascii" takes them as they are.
    op.execute(
        "CREATE VIRTUAL TABLE product_words_index USING fts5("
        "words, content='product_words', content_rowid='product_id', tokenize='ascii', detail=none, columnsize=0)"
    )
    add = "INSERT INTO product_words_index(rowid, words) VALUES (new.product_id, new.words);"
    drop = (
        "INSERT INTO product_words_index(product_words_index, rowid, words) "
        "VALUES ('delete', old.product_id, old.words);"
    )
    for verb, steps in (("INSERT", add), ("DELETE", drop), ("UPDATE", f"{drop} {add}")):
        name = f"product_words_{verb.lower()}"
        op.execute(f"CREATE TRIGGER {name} AFTER {verb} ON product_words BEGIN {steps} END")
