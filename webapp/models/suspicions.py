"""Confirmed pairs whose facts contradict each other, and the links that a worker has yet to look at for that."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, BigInt, Id, Json, ShortText, UtcDateTime, choice, utc_now


class Suspicion(Base):
    """What a worker found about a live link: why it may be wrong. It changes nothing by itself.

    A kept one (`kept_batch_id`) was looked at by a person: it is shown again only when `facts`, a digest of what
    was compared, is another one. The row goes with the link; that of a kept pair stays, in case the pair comes back.
    """

    __tablename__ = "suspicions"

    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    severity: Mapped[int] = mapped_column(SmallInteger)  # 100 less the score of the two compared by themselves
    reasons: Mapped[Any] = mapped_column(Json, default=list)  # the evidence that contradicts, most telling first
    facts: Mapped[str] = mapped_column(String(32))
    kept_batch_id: Mapped[int | None] = mapped_column(BigInt, index=True)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    __table_args__ = (
        Index(
            "ix_suspicions_worst",
            "severity",
            "listing_id",
            sqlite_where=kept_batch_id.is_(None),
            postgresql_where=kept_batch_id.is_(None),
        ),
        Index(
            "ix_suspicions_channel",
            "channel_id",
            "severity",
            "listing_id",
            sqlite_where=kept_batch_id.is_(None),
            postgresql_where=kept_batch_id.is_(None),
        ),
    )

    @classmethod
    def open(cls) -> ColumnElement[bool]:
        """The condition that nobody has kept the pair yet."""
        return cls.kept_batch_id.is_(None)


class RecheckOf(StrEnum):
    """Whose ids a span is made of."""

    LISTINGS = "listings"
    PRODUCTS = "products"


class Recheck(Base):
    """The live links of listings, or of products, with an id in (after, upto] are to be looked at.

    One row stands for an act or a chunk, never for a link. `after` moves up with each step, so that who takes over
    from a dead worker goes on where it stopped.
    """

    __tablename__ = "rechecks"

    id: Mapped[Id]
    of: Mapped[RecheckOf] = mapped_column(choice(RecheckOf))
    after: Mapped[int] = mapped_column(BigInt)
    upto: Mapped[int] = mapped_column(BigInt)
    worker: Mapped[str] = mapped_column(ShortText, default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
