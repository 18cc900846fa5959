"""A marketplace account, what it may be sent and when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, BigInt, Id, Json, ShortText, UtcDateTime, choice, utc_now


class SendMode(StrEnum):
    """Manual: only by the button. Automatic: after each change."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


class Channel(Base):
    """One account on one marketplace, such as "Amazon MX". Links hang on it, never on its credentials."""

    __tablename__ = "channels"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(ShortText, unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    many: Mapped[bool] = mapped_column(default=False)  # may one product have several listings here?
    mode: Mapped[SendMode] = mapped_column(choice(SendMode), default=SendMode.MANUAL)
    sends_price: Mapped[bool] = mapped_column(default=False)  # in automatic mode; stock always goes
    in_stock_only: Mapped[bool] = mapped_column(default=False)  # it is told whether there is stock, never how much
    options: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed with the instance key
    price_list_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("price_lists.id"))
    currency: Mapped[str] = mapped_column(String(3), default="")
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held: Mapped[str] = mapped_column(Text, default="")  # why the brakes stopped automatic sending; a person releases
    rest_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the channel asked us to wait
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)  # calls in a row that the channel did not take
    problem: Mapped[str] = mapped_column(Text, default="")  # the last trouble that needs a person
    look_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when a worker looks next whether it is well
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when one last did
    fault: Mapped[str] = mapped_column(Text, default="")  # what it found wrong, and what to do
    rule_from: Mapped[int | None] = mapped_column(SmallInteger)  # score from which on suggestions link by themselves
    rule_promise: Mapped[int] = mapped_column(SmallInteger, default=95)  # per cent right, or the rule stops
    rule_stopped: Mapped[str] = mapped_column(Text, default="")  # why the rule stopped by itself
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    def level(self, quantity: int | None) -> int | None:
        """What counts here of a quantity: the number, or 1 and 0 where only in stock or not is told; None stays."""
        return int(quantity > 0) if self.in_stock_only and quantity is not None else quantity
