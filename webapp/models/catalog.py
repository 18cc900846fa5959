"""The seller's own catalogue: products by SKU, their optional base, and price lists."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Integer, String, Text, and_
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Amount, Base, BigInt, Id, Json, Key, ShortText, UtcDateTime, utc_now


def _partly(name: str, where: ColumnElement[bool]) -> Index:
    """An index of the ids of some rows."""
    return Index(name, "id", sqlite_where=where, postgresql_where=where)


class BaseProduct(Base):
    """What several products are variants of: one bottle in three colours."""

    __tablename__ = "base_products"

    id: Mapped[Id]
    sku: Mapped[str] = mapped_column(Key)
    match_key: Mapped[str] = mapped_column(Key, unique=True)
    title: Mapped[str] = mapped_column(Text, default="")


class Product(Base):
    """One sellable unit with its own SKU: what a listing is linked to, and what has stock and a price.

    `version` goes up by one with every accepted change of stock or price; deliveries carry it, so that an
    older value never overwrites a newer one. `available` is the sum over selling warehouses, kept by
    services.stock; `price` is the standard price, other lists override it.
    """

    __tablename__ = "products"

    id: Mapped[Id]
    sku: Mapped[str] = mapped_column(Key)
    match_key: Mapped[str] = mapped_column(Key, unique=True)
    loose_key: Mapped[str] = mapped_column(Key, default="", index=True)
    title: Mapped[str] = mapped_column(Text, default="")
    brand: Mapped[str] = mapped_column(String(255), default="")
    gtin: Mapped[str] = mapped_column(String(64), default="")
    mpn: Mapped[str] = mapped_column(String(255), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(Text, default="")
    options: Mapped[dict[str, Any] | None] = mapped_column(Json)
    image_url: Mapped[str] = mapped_column(Text, default="")
    base_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("base_products.id"), index=True)
    price: Mapped[Decimal | None] = mapped_column(Amount)
    currency: Mapped[str] = mapped_column(String(3), default="")
    available: Mapped[int] = mapped_column(Integer, default=0)
    version: Mapped[int] = mapped_column(BigInt, default=1)
    import_id: Mapped[int | None] = mapped_column(BigInt)  # the import that created it
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    withheld: Mapped[int | None]  # its units while a person has it marked as out of stock; `available` is 0 then
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # Counts and pages of the tabs read these and nothing else: hence also one of all that were not taken out.
        _partly("ix_products_alive", retired_at.is_(None)),
        _partly("ix_products_in_stock", and_(available > 0, retired_at.is_(None))),
        _partly("ix_products_out_of_stock", and_(available <= 0, retired_at.is_(None))),
        Index("ix_products_gtin", "gtin"),
        Index(  # all that the exact rule asks of a product; unique, or SQLite would not prefer it to reading the rows
            "ix_products_key",
            "match_key",
            unique=True,
            sqlite_where=retired_at.is_(None),
            postgresql_where=retired_at.is_(None),
        ),
    )


class ProductWords(Base):
    """The words by which a product is found, made by services.words.

    Each database has an index of its own over them, made by the migration: a virtual table of FTS5, or GIN.
    """

    __tablename__ = "product_words"

    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"), primary_key=True)
    words: Mapped[str] = mapped_column(Text)


class PriceList(Base):
    """A named list of prices that a channel may use instead of the standard price."""

    __tablename__ = "price_lists"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(ShortText, unique=True)
    currency: Mapped[str] = mapped_column(String(3), default="")


class Price(Base):
    """A product's price on one list."""

    __tablename__ = "prices"

    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"), primary_key=True)
    price_list_id: Mapped[int] = mapped_column(BigInt, ForeignKey("price_lists.id"), primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Amount)
