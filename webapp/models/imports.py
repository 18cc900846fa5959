"""Files that people bring: what was read, what was decided, how far it got."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, BigInt, Id, Json, ShortText, UtcDateTime, choice, utc_now


class ImportKind(StrEnum):
    """What the rows of a file are."""

    PRODUCTS = "products"
    STOCK = "stock"
    LISTINGS = "listings"
    LINKS = "links"


class ImportState(StrEnum):
    """Where an import stands: nothing is written before `queued`."""

    CHECKING = "checking"
    CHECKED = "checked"
    REFUSED = "refused"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportJob(Base):
    """One file on its way into the tables. `next_row` is where a restarted worker goes on."""

    __tablename__ = "import_jobs"

    id: Mapped[Id]
    kind: Mapped[ImportKind] = mapped_column(choice(ImportKind))
    state: Mapped[ImportState] = mapped_column(choice(ImportState), default=ImportState.CHECKING)
    channel_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("channels.id"))
    file_name: Mapped[str] = mapped_column(Text)
    stored_as: Mapped[str] = mapped_column(ShortText)  # random name in instance/uploads
    options: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    report: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    rows_ok: Mapped[int] = mapped_column(Integer, default=0)
    next_row: Mapped[int] = mapped_column(BigInt, default=0)  # staged rows applied so far
    created: Mapped[int] = mapped_column(Integer, default=0)
    updated: Mapped[int] = mapped_column(Integer, default=0)
    unchanged: Mapped[int] = mapped_column(Integer, default=0)
    reconcile: Mapped[bool] = mapped_column(default=False)  # link equal SKUs when the rows are in
    batch_id: Mapped[int | None] = mapped_column(BigInt)  # the batch of links it made
    message: Mapped[str] = mapped_column(Text, default="")
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    worker: Mapped[str] = mapped_column(ShortText, default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    by_name: Mapped[str] = mapped_column(ShortText, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_import_jobs_state", "state", "id"),)


class ImportChange(Base):
    """What a row looked like before an import changed it: the import's undo."""

    __tablename__ = "import_changes"

    id: Mapped[Id]
    import_id: Mapped[int] = mapped_column(BigInt, ForeignKey("import_jobs.id"), index=True)
    row_id: Mapped[int] = mapped_column(BigInt)  # of products or listings, by the import's kind
    before: Mapped[dict[str, Any]] = mapped_column(Json)
    after: Mapped[dict[str, Any]] = mapped_column(Json)


class ImportPreset(Base):
    """A column choice that a person saved under a name, found again by the same headers."""

    __tablename__ = "import_presets"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(ShortText, unique=True)
    kind: Mapped[ImportKind] = mapped_column(choice(ImportKind))
    headers: Mapped[str] = mapped_column(String(64), index=True)  # digest of the normalised headers
    mapping: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
