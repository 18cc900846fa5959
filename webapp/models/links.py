"""Links between listings and products, what ended, what was refused, and what is suggested."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Amount, Base, BigInt, Id, Json, ShortText, UtcDateTime, choice, utc_now


class LinkSource(StrEnum):
    """Who decided on a link."""

    SKU = "sku"  # the exact rule
    HAND = "hand"  # a person
    FILE = "file"  # a file of links
    ADDED = "added"  # the product was made from the listing
    RESTORED = "restored"  # an undo or a restore brought it back
    RULE = "rule"  # the channel's own rule: a suggestion above its line


class BatchVerb(StrEnum):
    """What a batch did."""

    RECONCILE = "reconcile"
    LINK = "link"
    REJECT = "reject"
    NO_MATCH = "no_match"
    IGNORE = "ignore"
    UNLINK = "unlink"
    UNSYNC = "unsync"
    ADD = "add"
    IMPORT = "import_links"
    SKIP = "skip"
    REOPEN = "reopen"
    RULE = "rule"
    KEEP = "keep"
    UNDO = "undo"


class LinkBatch(Base):
    """One act on one or many listings; the handle of its undo."""

    __tablename__ = "link_batches"

    id: Mapped[Id]
    verb: Mapped[BatchVerb] = mapped_column(choice(BatchVerb))
    channel_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("channels.id"))
    by_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    by_name: Mapped[str] = mapped_column(ShortText)
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    changed: Mapped[int] = mapped_column(BigInt, default=0)
    undone_by: Mapped[int | None] = mapped_column(BigInt)
    undoes: Mapped[int | None] = mapped_column(BigInt)
    listing_id: Mapped[int | None] = mapped_column(BigInt)  # when the act was about one listing: where undo leads
    before: Mapped[Any | None] = mapped_column(Json)  # states and refusals that the act changed, for its undo
    # --- an act in steps: rows that it looks at (None: done at once), when it last took a step, what it found so far
    total: Mapped[int | None] = mapped_column(BigInt)
    moved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    numbers: Mapped[dict[str, Any] | None] = mapped_column(Json)
    stopped_by: Mapped[str] = mapped_column(ShortText, default="")  # who stopped it before its end

    __table_args__ = (
        Index("ix_link_batches_person", "by_id", "id"),
        Index(
            "ix_link_batches_unsync",
            "by_id",
            "id",
            sqlite_where=verb == BatchVerb.UNSYNC,
            postgresql_where=verb == BatchVerb.UNSYNC,
        ),
    )


class ActStep(Base):
    """What an act in steps has yet to look at: `number` rows, the ids in (after, upto] of a table that its verb names.

    `of` says more where ids do not: the links of an unsync, chosen when it began, or the reason of near misses.
    """

    __tablename__ = "act_steps"

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("link_batches.id"), index=True)
    number: Mapped[int] = mapped_column(BigInt)
    after: Mapped[int] = mapped_column(BigInt, default=0)
    upto: Mapped[int] = mapped_column(BigInt, default=0)
    of: Mapped[Any | None] = mapped_column(Json)


class Link(Base):
    """A confirmed pair; only live links stand here. It is also what its listing was last told, and is due.

    One listing has one link: a constraint. One product has one listing per channel unless the channel
    allows several: `slot` is 0 for such a channel and the listing's id otherwise.
    """

    __tablename__ = "links"

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), unique=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    slot: Mapped[int] = mapped_column(BigInt)
    fence: Mapped[int] = mapped_column(BigInt)  # the listing's fence at confirmation: the link version on the wire
    source: Mapped[LinkSource] = mapped_column(choice(LinkSource))
    score: Mapped[int | None] = mapped_column(SmallInteger)
    by_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    by_name: Mapped[str] = mapped_column(ShortText, default="")
    batch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("link_batches.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    auto_sync: Mapped[bool] = mapped_column(default=True)
    # --- the sending target: what the listing was told, and what it still has to be told
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dirty_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # since when something is due: the age health reports
    want_stock: Mapped[bool] = mapped_column(default=False)
    want_price: Mapped[bool] = mapped_column(default=False)
    run_id: Mapped[int | None] = mapped_column(BigInt)  # the run that asked for it; None: the automatic mode
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    told_stock_version: Mapped[int] = mapped_column(BigInt, default=0)
    told_price_version: Mapped[int] = mapped_column(BigInt, default=0)
    told_quantity: Mapped[int | None] = mapped_column(Integer)
    told_price: Mapped[Decimal | None] = mapped_column(Amount)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str] = mapped_column(Text, default="")  # why the channel refused the last value
    apart: Mapped[int] = mapped_column(SmallInteger, default=0)  # what the listing shows is off by these thousandths

    __table_args__ = (
        UniqueConstraint("product_id", "channel_id", "slot"),
        Index("ix_links_channel", "channel_id", "id"),
        Index(
            "ix_links_people",
            "source",
            "id",
            sqlite_where=source != LinkSource.SKU,
            postgresql_where=source != LinkSource.SKU,
        ),
        Index("ix_links_silent", "id", sqlite_where=auto_sync.is_(False), postgresql_where=auto_sync.is_(False)),
        Index(  # the few that were not linked by the exact rule: the overview counts them
            "ix_links_not_by_sku",
            "channel_id",
            sqlite_where=source != LinkSource.SKU,
            postgresql_where=source != LinkSource.SKU,
        ),
        Index(
            "ix_links_score",
            "channel_id",
            "score",
            "id",
            sqlite_where=score.is_not(None),
            postgresql_where=score.is_not(None),
        ),
        Index("ix_links_apart", "channel_id", "apart", "id", sqlite_where=apart > 0, postgresql_where=apart > 0),
        Index("ix_links_never", "channel_id", "id", sqlite_where=told_at.is_(None), postgresql_where=told_at.is_(None)),
        Index("ix_links_problem", "channel_id", sqlite_where=problem != "", postgresql_where=problem != ""),
        Index(
            "ix_links_due",
            "channel_id",
            "due_at",
            sqlite_where=due_at.is_not(None),
            postgresql_where=due_at.is_not(None),
        ),
    )


class PastLink(Base):
    """A link that ended: everything an undo needs to bring it back."""

    __tablename__ = "past_links"

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), index=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"), index=True)
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    fence: Mapped[int] = mapped_column(BigInt)
    source: Mapped[LinkSource] = mapped_column(choice(LinkSource))
    score: Mapped[int | None] = mapped_column(SmallInteger)
    by_name: Mapped[str] = mapped_column(ShortText, default="")
    batch_id: Mapped[int] = mapped_column(BigInt)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    auto_sync: Mapped[bool] = mapped_column(default=True)
    ended_batch_id: Mapped[int] = mapped_column(BigInt, index=True)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)


class Refusal(Base):
    """A pair that a person rejected or took apart: never linked again by a rule, whatever the file says.

    `facts` marks what the person saw (services.facts): the review may show the pair again when that has changed.
    """

    __tablename__ = "refusals"

    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"), primary_key=True, index=True)
    batch_id: Mapped[int] = mapped_column(BigInt, index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    facts: Mapped[str] = mapped_column(String(48), default="")


class Aside(Base):
    """A listing that a person set aside, with a mark of what it said then; `changed_at` when it says something else."""

    __tablename__ = "asides"

    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), primary_key=True)
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    batch_id: Mapped[int] = mapped_column(BigInt)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    facts: Mapped[str] = mapped_column(String(24))
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "ix_asides_changed",
            "channel_id",
            "listing_id",
            sqlite_where=changed_at.is_not(None),
            postgresql_where=changed_at.is_not(None),
        ),
    )


class Suggestion(Base):
    """A scored candidate with its evidence; it never sends anything and never becomes a link by itself."""

    __tablename__ = "suggestions"

    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"), index=True)
    score: Mapped[int] = mapped_column(SmallInteger)
    difference: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[Any] = mapped_column(Json, default=list)


class NearMiss(Base):
    """A pending listing whose SKU equals one product's but for a nameable reason, such as a dash."""

    __tablename__ = "near_misses"

    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    reason: Mapped[str] = mapped_column(String(24))

    __table_args__ = (Index("ix_near_misses_group", "channel_id", "reason", "listing_id"),)


class Decision(Base):
    """What became of a listing's first suggestion: the channel learns from these what its scores mean.

    `right` is None for a link of the rule that nobody has looked at yet.
    """

    __tablename__ = "decisions"

    listing_id: Mapped[int] = mapped_column(BigInt, ForeignKey("listings.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))  # the one that was suggested first
    channel_id: Mapped[int] = mapped_column(BigInt, ForeignKey("channels.id"))
    score: Mapped[int] = mapped_column(SmallInteger)
    lead: Mapped[int] = mapped_column(SmallInteger)  # over the second suggestion
    right: Mapped[bool | None] = mapped_column()
    batch_id: Mapped[int] = mapped_column(BigInt, index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    __table_args__ = (
        Index("ix_decisions_score", "channel_id", "score"),
        Index(
            "ix_decisions_newest",
            "channel_id",
            "batch_id",
            "score",
            "right",
            "at",
            sqlite_where=right.is_not(None),
            postgresql_where=right.is_not(None),
        ),
    )
