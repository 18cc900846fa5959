"""Column types and mixins that every table shares: keys, exact amounts, UTC time, closed sets."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeEngine

from webapp.db import Base

__all__ = ["Amount", "Base", "BigInt", "Id", "Json", "Key", "ShortText", "UtcDateTime", "choice", "utc_now"]

SCALE = Decimal(10_000)  # amounts keep four decimals: what spreadsheets and channels carry at most


class Amount(TypeDecorator[Decimal]):
    """An exact decimal with at most four places, stored as a whole number of ten-thousandths.

    A whole number behaves the same on SQLite and PostgreSQL; NUMERIC on SQLite is a binary float.
    Raises ValueError for an amount with more than four places.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = Decimal(value) * SCALE
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than four decimals.")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else (Decimal(value) / SCALE).normalize() + Decimal(0)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC; SQLite keeps it without its zone, so we take it off and put it on again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment needs its time zone.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _binary_text(length: int) -> TypeEngine[str]:
    """Text compared byte by byte on both databases: order and equality never depend on a locale."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


BigInt = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB(), "postgresql")
Key = _binary_text(255)
ShortText = _binary_text(120)
Id = Annotated[int, mapped_column(BigInt, primary_key=True)]


def choice(values: type[StrEnum]) -> Any:
    """A column type for a closed set, stored by value as text."""
    return Enum(
        values, values_callable=lambda e: [m.value for m in e], native_enum=False, length=24, create_constraint=False
    )


def utc_now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
