"""When a channel is told by the clock: what, how often, and the moment that comes next."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, BigInt, Id, ShortText, UtcDateTime, choice, utc_now

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Every(StrEnum):
    """How often a schedule comes round."""

    QUARTER = "15m"
    HALF = "30m"
    HOUR = "1h"
    SIX_HOURS = "6h"
    NIGHT = "night"  # once a day, at a time on the wall


STEPS = {
    Every.QUARTER: timedelta(minutes=15),
    Every.HALF: timedelta(minutes=30),
    Every.HOUR: timedelta(hours=1),
    Every.SIX_HOURS: timedelta(hours=6),
}


class Schedule(Base):
    """Tell one channel what changed, by the clock. It is never edited: another takes its place, and it stays here."""

    __tablename__ = "schedules"

    id: Mapped[Id]
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"), index=True)
    stock: Mapped[bool] = mapped_column(default=True)
    price: Mapped[bool] = mapped_column(default=False)
    every: Mapped[Every] = mapped_column(choice(Every))
    at: Mapped[str] = mapped_column(String(5), default="")  # “03:00”, for one that comes round at night
    zone: Mapped[str] = mapped_column(String(64))  # whose wall the time is on, such as America/Mexico_City
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_by: Mapped[str] = mapped_column(ShortText, default="")
    replaces_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("schedules.id"), index=True)
    by_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    by_name: Mapped[str] = mapped_column(ShortText, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    worker: Mapped[str] = mapped_column(ShortText, default="")  # who compares for the round that is due
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "ix_schedules_due",
            "next_at",
            sqlite_where=cancelled_at.is_(None) & paused_at.is_(None),
            postgresql_where=cancelled_at.is_(None) & paused_at.is_(None),
        ),
    )

    @property
    def is_on(self) -> bool:
        """Whether it comes round: neither paused nor cancelled."""
        return self.paused_at is None and self.cancelled_at is None

    def following(self, after: datetime) -> datetime:
        """The first moment after `after` (aware) at which it comes round, in UTC.

        Steps are counted on the clock: at the full quarters, half hours and hours. A time on the wall that the zone
        skips comes at the first moment that there is; one that the zone has twice comes the first time only.
        """
        step = STEPS.get(self.every)
        if step is not None:
            return EPOCH + ((after - EPOCH) // step + 1) * step
        zone, wall = ZoneInfo(self.zone), time.fromisoformat(self.at)
        day = after.astimezone(zone).date() - timedelta(days=1)
        while (moment := moment_of(day, wall, zone)) <= after:
            day += timedelta(days=1)
        return moment


def moment_of(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which a wall of a zone shows a time on a day.

    The first of two where clocks go back, and the first moment after the gap where they go forward over it.
    """
    local = datetime.combine(day, wall)
    first = local.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return first
    low, high = local.replace(tzinfo=zone, fold=1).astimezone(UTC), first  # the gap ends between the two
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (low, middle) if middle.astimezone(zone).replace(tzinfo=None) > local else (middle, high)
    return high
