"""The finding of suggestions as work that any number of workers share: how far a channel is, and who has what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, BigInt, Id, ShortText, UtcDateTime


class SuggestRun(Base):
    """How far the finding of suggestions is on a channel, from when it began until nothing waits; and its pause.

    The row is also what workers lock to claim from the channel one after another.
    """

    __tablename__ = "suggest_runs"

    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"), primary_key=True)
    total: Mapped[int] = mapped_column(BigInt, default=0)  # listings that waited when it began; 0 between two runs
    done: Mapped[int] = mapped_column(BigInt, default=0)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_by: Mapped[str] = mapped_column(ShortText, default="")


class SuggestClaim(Base):
    """A chunk that one worker is at: the waiting listings of a channel with an id in (low, high]."""

    __tablename__ = "suggest_claims"

    id: Mapped[Id]
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"), index=True)
    low: Mapped[int] = mapped_column(BigInt)
    high: Mapped[int] = mapped_column(BigInt)
    worker: Mapped[str] = mapped_column(ShortText)
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)
