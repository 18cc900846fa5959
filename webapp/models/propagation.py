"""Runs of sending and each attempt in them: the sync history."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Amount, Base, BigInt, Id, ShortText, UtcDateTime, choice, utc_now


class RunKind(StrEnum):
    """Who started a run."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"
    SCHEDULED = "scheduled"


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    DONE = "done"
    PARTLY = "partly"
    FAILED = "failed"


class AttemptState(StrEnum):
    """The worker's story of one delivery."""

    CLAIMED = "claimed"  # ours, by lease; nothing has left
    BEGUN = "begun"  # the request may have left: an unlink names it
    DONE = "done"


class Outcome(StrEnum):
    """The channel's answer to one delivery."""

    APPLIED = "applied"
    ACCEPTED = "accepted"  # taken, not yet shown there
    REJECTED = "rejected"
    THROTTLED = "throttled"
    FAILED = "failed"  # certainly not taken; will be tried again
    UNKNOWN = "unknown"  # may have landed; will be said again
    FENCED = "fenced"  # the link or the value changed before sending: nothing left
    LATE = "late"  # the link ended while the request was on its way


FAILING = (
    Outcome.REJECTED,
    Outcome.THROTTLED,
    Outcome.FAILED,
    Outcome.UNKNOWN,
)  # what is tried again, or needs somebody


class SyncRun(Base):
    """One round of sending to one channel."""

    __tablename__ = "sync_runs"

    id: Mapped[Id]
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    kind: Mapped[RunKind] = mapped_column(choice(RunKind))
    state: Mapped[RunState] = mapped_column(choice(RunState), default=RunState.RUNNING)
    by_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    by_name: Mapped[str] = mapped_column(ShortText, default="")
    stock: Mapped[bool] = mapped_column(default=True)
    price: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked: Mapped[int] = mapped_column(Integer, default=0)
    sent: Mapped[int] = mapped_column(Integer, default=0)
    unchanged: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    held: Mapped[int] = mapped_column(Integer, default=0)
    fenced: Mapped[int] = mapped_column(Integer, default=0)
    artifact: Mapped[str] = mapped_column(String(255), default="")  # the upload file of a channel of kind file
    message: Mapped[str] = mapped_column(Text, default="")
    schedule_id: Mapped[int | None] = mapped_column(BigInt)  # whose round it is: schedules stay, so a number is enough
    planned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when that round was to be; it may begin late

    __table_args__ = (
        Index("ix_sync_runs_channel", "channel_id", "id"),
        Index("uq_sync_runs_round", "schedule_id", "planned_at", unique=True),  # however many workers start a round
        Index(
            "ix_sync_runs_running",
            "channel_id",
            sqlite_where=state == RunState.RUNNING,
            postgresql_where=state == RunState.RUNNING,
        ),
        Index(
            "ix_sync_runs_needs_somebody",
            "state",
            "id",
            sqlite_where=state.in_([RunState.PARTLY, RunState.FAILED]),
            postgresql_where=state.in_([RunState.PARTLY, RunState.FAILED]),
        ),
        Index(
            "ix_sync_runs_by_hand",
            "id",
            sqlite_where=kind == RunKind.MANUAL,
            postgresql_where=kind == RunKind.MANUAL,
        ),
    )


class Attempt(Base):
    """One delivery to one listing: the values, their versions, the lease, and what came of it."""

    __tablename__ = "attempts"

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(BigInt, ForeignKey("sync_runs.id"), index=True)
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), index=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    link_id: Mapped[int] = mapped_column(BigInt)  # links end and go to past_links: a number, not a reference
    link_version: Mapped[int] = mapped_column(BigInt)
    product_version: Mapped[int] = mapped_column(BigInt)
    quantity: Mapped[int | None] = mapped_column(Integer)
    in_stock_only: Mapped[bool] = mapped_column(default=False)  # then both quantities are 1 or 0: in stock or not
    price: Mapped[Decimal | None] = mapped_column(Amount)
    old_quantity: Mapped[int | None] = mapped_column(Integer)
    old_price: Mapped[Decimal | None] = mapped_column(Amount)
    currency: Mapped[str] = mapped_column(String(3), default="")
    key: Mapped[str] = mapped_column(ShortText)
    state: Mapped[AttemptState] = mapped_column(choice(AttemptState), default=AttemptState.CLAIMED)
    outcome: Mapped[Outcome | None] = mapped_column(choice(Outcome))
    code: Mapped[str] = mapped_column(ShortText, default="")
    message: Mapped[str] = mapped_column(Text, default="")
    worker: Mapped[str] = mapped_column(ShortText, default="")
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    due_since: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the change was made that it tells of
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(  # at most one delivery in flight per listing: held by the database, not by a lock in memory
            "uq_attempts_in_flight",
            "listing_id",
            unique=True,
            sqlite_where=state != AttemptState.DONE,
            postgresql_where=state != AttemptState.DONE,
        ),
        Index(
            "ix_attempts_lease",
            "lease_until",
            sqlite_where=state != AttemptState.DONE,
            postgresql_where=state != AttemptState.DONE,
        ),
        Index(  # of a run with half a million deliveries, the few that need somebody
            "ix_attempts_failing",
            "run_id",
            "id",
            sqlite_where=outcome.in_(FAILING),
            postgresql_where=outcome.in_(FAILING),
        ),
    )
