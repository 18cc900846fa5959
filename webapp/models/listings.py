"""What marketplaces show, as last seen."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint, and_
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Amount, Base, BigInt, Id, Json, Key, UtcDateTime, choice, utc_now


class ListingState(StrEnum):
    """Where a listing stands in the review."""

    PENDING = "pending"  # waits for a decision
    LINKED = "linked"
    NO_MATCH = "none"  # a person said that no product fits
    IGNORED = "ignored"  # a person wants it left alone: a bundle, a test
    ENDED = "ended"  # a full list of its channel did not have it any more


WITHOUT_SUGGESTION = 101  # place in the queue of a listing whose best suggestion is below the threshold
NOT_COMPUTED = 102  # its suggestions are still to be found
SKIPPED_FROM = 1_000  # skipped listings: 1,000 and the moment of skipping in milliseconds


class Listing(Base):
    """One offer on one channel. `fence` goes up with every link, unlink and relink; deliveries carry it.

    `place` orders the review queue inside a channel: 100 − best score, then 101, 102 (see above), then
    skipped ones at 1,000 and up.
    """

    __tablename__ = "listings"

    id: Mapped[Id]
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    external_id: Mapped[str] = mapped_column(Key)
    sku: Mapped[str] = mapped_column(Key, default="")
    match_key: Mapped[str | None] = mapped_column(Key)  # None when the SKU is blank: blank never matches
    loose_key: Mapped[str | None] = mapped_column(Key)
    title: Mapped[str] = mapped_column(Text, default="")
    brand: Mapped[str] = mapped_column(String(255), default="")
    gtin: Mapped[str] = mapped_column(String(64), default="")
    mpn: Mapped[str] = mapped_column(String(255), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(Text, default="")
    parent_id: Mapped[str] = mapped_column(Key, default="")  # what the channel calls the listing this is a variant of
    options: Mapped[dict[str, Any] | None] = mapped_column(Json)
    price: Mapped[Decimal | None] = mapped_column(Amount)
    currency: Mapped[str] = mapped_column(String(3), default="")
    quantity: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(64), default="")
    url: Mapped[str] = mapped_column(Text, default="")
    image_url: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[ListingState] = mapped_column(choice(ListingState), default=ListingState.PENDING)
    place: Mapped[int] = mapped_column(BigInt, default=NOT_COMPUTED)
    fence: Mapped[int] = mapped_column(BigInt, default=0)
    import_id: Mapped[int | None] = mapped_column(BigInt)  # the import that created it
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    __table_args__ = (
        UniqueConstraint("channel_id", "external_id"),
        Index(
            "ix_listings_key",
            "channel_id",
            "match_key",
            sqlite_where=match_key.is_not(None),
            postgresql_where=match_key.is_not(None),
        ),
        Index(
            "ix_listings_parent",
            "channel_id",
            "parent_id",
            sqlite_where=parent_id != "",
            postgresql_where=parent_id != "",
        ),
        # Not of those that just came in: most are linked by their SKU next, and never looked for by their GTIN.
        Index(
            "ix_listings_gtin",
            "channel_id",
            "gtin",
            sqlite_where=and_(gtin != "", state == ListingState.PENDING, place != NOT_COMPUTED),
            postgresql_where=and_(gtin != "", state == ListingState.PENDING, place != NOT_COMPUTED),
        ),
        Index(
            "ix_listings_queue",
            "channel_id",
            "place",
            "id",
            sqlite_where=state == ListingState.PENDING,
            postgresql_where=state == ListingState.PENDING,
        ),
        # One for each state: SQLite does not see that “= 'none'” is among “IN ('none', 'ignored')”.
        Index(
            "ix_listings_no_match",
            "channel_id",
            "id",
            sqlite_where=state == ListingState.NO_MATCH,
            postgresql_where=state == ListingState.NO_MATCH,
        ),
        Index(
            "ix_listings_ignored",
            "channel_id",
            "id",
            sqlite_where=state == ListingState.IGNORED,
            postgresql_where=state == ListingState.IGNORED,
        ),
    )

    @property
    def score(self) -> int | None:
        """The best suggestion's score, 0 to 100, or None when there is none (yet)."""
        return 100 - self.place if 0 <= self.place <= 100 else None


class ListingCount(Base):
    """How many listings of a channel are in a state; kept by services.counts so that no page ever counts."""

    __tablename__ = "listing_counts"

    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"), primary_key=True)
    state: Mapped[ListingState] = mapped_column(choice(ListingState), primary_key=True)
    n: Mapped[int] = mapped_column(BigInt, default=0)
