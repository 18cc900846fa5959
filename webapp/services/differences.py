"""How far a listing is from what it ought to show, kept with its link so that pairs can be put in that order.

The number is the larger of two: how far stock and price are apart, in thousandths of the higher value. It is worked out
again in the steps that also look for contradictions, and is 0 where nothing differs or nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, Table, bindparam, select, update
from sqlalchemy.orm import Session

from webapp.db import among
from webapp.models.catalog import Price, PriceList, Product
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.services.claims import desired, money, other_money
from webapp.services.plans import SHOWN_PRICE, SHOWN_QUANTITY
from webapp.services.stock import counted

MOST = 1_000


class Seen(NamedTuple):
    """A link's new number, and the versions it had been told when that was worked out."""

    apart: int
    stock: int
    price: int


def look(session: Session, listing_ids: Sequence[int]) -> dict[int, Seen]:
    """The links of these listings, by id, whose number is another one now."""
    channels = {c.id: c for c in session.scalars(select(Channel))}
    found = {}
    for row in session.execute(_rows().where(among(session, Link.listing_id, listing_ids))):
        now = apart(row, channels[row.channel_id])
        if now != row.apart:
            found[row.id] = Seen(now, row.told_stock_version, row.told_price_version)
    return found


def write(session: Session, found: Mapping[int, Seen]) -> None:
    """Keep the new numbers, but not of links that were told something meanwhile: they are looked at again.

    The caller has locked the links.
    """
    if not found:
        return
    ids = sorted(found)
    links = Link.__table__.c
    statement = update(cast(Table, Link.__table__)).where(
        links.id == bindparam("link"),
        links.told_stock_version == bindparam("stock"),
        links.told_price_version == bindparam("price"),
    )
    rows = [{"link": i, "new": found[i].apart, "stock": found[i].stock, "price": found[i].price} for i in ids]
    session.connection().execute(statement.values(apart=bindparam("new")), rows)


def apart(row: Any, channel: Channel) -> int:
    """The larger share, of 0 to MOST thousandths, by which stock or price shown is off what it ought to be."""
    quantity, price = desired(row.available, row.price, row.amount, channel, is_counted=row.is_counted)
    shares, shown = [0], channel.level(row.shown_quantity)
    if quantity is not None and shown is not None:
        shares.append(share(Decimal(quantity), Decimal(shown)))
    if price is not None and row.shown_price is not None and not other_money(money(row, channel), row.shown_in):
        shares.append(share(price, row.shown_price))
    return max(shares)


def share(one: Decimal, other: Decimal) -> int:
    """How far two values are apart, in thousandths of the higher one; another value is never 0 apart."""
    if one == other:
        return 0
    most = max(abs(one), abs(other))
    return max(1, min(MOST, int(abs(one - other) * MOST / most)))


def _rows() -> Select[Any]:
    columns: tuple[Any, ...] = (
        Link.id, Link.channel_id, Link.apart, Link.told_stock_version, Link.told_price_version, Product.available,
        Product.price, Product.currency, Price.amount, PriceList.currency.label("list_currency"),
        Listing.currency.label("shown_in"), SHOWN_QUANTITY.label("shown_quantity"), SHOWN_PRICE.label("shown_price"),
        counted().label("is_counted"),
    )  # fmt: skip
    on_list = (Price.product_id == Product.id) & (Price.price_list_id == Channel.price_list_id)
    query: Select[Any] = select(*columns)
    return (
        query.join(Product, Product.id == Link.product_id)
        .join(Listing, Listing.id == Link.listing_id)
        .join(Channel, Channel.id == Link.channel_id)
        .outerjoin(Price, on_list)
        .outerjoin(PriceList, PriceList.id == Channel.price_list_id)
    )
