"""Where goods lie, and how many."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, BigInt, Id, ShortText


class Warehouse(Base):
    """A place with stock; only warehouses that sell count as available."""

    __tablename__ = "warehouses"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(ShortText, unique=True)
    sells: Mapped[bool] = mapped_column(default=True)


class StockLevel(Base):
    """What one warehouse holds of one product, in whole units."""

    __tablename__ = "stock_levels"

    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"), primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(BigInt, ForeignKey("warehouses.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(Integer, default=0)
