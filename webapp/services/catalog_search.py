"""Products as the screens read them: a page of the table, and one product with its variants, listings and history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from webapp.errors import NotFound, phrase
from webapp.models.accounts import AuditEntry
from webapp.models.catalog import BaseProduct, Product
from webapp.models.channels import Channel, SendMode
from webapp.models.links import Link, PastLink
from webapp.models.listings import Listing
from webapp.models.propagation import Attempt
from webapp.models.stock import StockLevel, Warehouse
from webapp.services import retrieval, schedules, searching

PAGE = 50
CAP = 10_000  # counts stop here: "10,000+" is as good an answer, and never a scan of a million rows
WINDOW = 20_000  # products among which those that fit a filter without an index are sought at once
HISTORY = 50
LOW = 5  # units: what is left is said from here on


@dataclass(frozen=True)
class Group:
    """The variants of a base product that a tab holds, as one row: how many, their stock, and their prices."""

    base: BaseProduct
    variants: int
    out: int  # of them, how many have no stock
    available: int
    lowest: Decimal | None
    highest: Decimal | None


@dataclass
class Row:
    """A product in the table: the channels it is linked on, when it was last told, and whether it sends by itself.

    With a `group` the row speaks for all its variants, and `product` is the first of them.
    """

    product: Product
    channels: list[str] = field(default_factory=list)
    links: int = 0
    auto: int = 0  # of its links, how many send by themselves
    by_hand: int = 0  # how many are on channels that a person sends
    told_at: datetime | None = None
    problem: str = ""
    group: Group | None = None


@dataclass
class Page:
    """One page of the table; `next` and `previous` are the ids to go on from, None at an end."""

    rows: list[Row]
    next: int | None = None
    previous: int | None = None


@dataclass(frozen=True)
class Filter:
    """What the table shows: stock in, out or all; only what is linked nowhere; and free text.

    Of what is linked: on a channel, and with auto-sync on for all of its pairs (there), or off for one of them. A
    brand is meant letter by letter. With `base` the variants of that base product only.
    """

    stock: str = "all"
    linked: str = ""
    text: str = ""
    channel: Channel | None = None
    brand: str = ""
    auto: bool | None = None
    base: int = 0

    @property
    def plain(self) -> bool:
        """Whether the filter is at most a tab: an index gives its products in order, and counts them."""
        return not (self.linked or self.text or self.channel or self.brand or self.base) and self.auto is None

    @property
    def tab(self) -> Filter:
        """The filter without all but its tab."""
        return Filter(self.stock)

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """As conditions on products."""
        found = self.tab_of(Product)
        if self.base:
            found.append(Product.base_id == self.base)
        if self.linked == "no":
            found.append(~exists().where(Link.product_id == Product.id))
        if self.brand:
            found.append(Product.brand == self.brand)
        here = [Link.product_id == Product.id]
        here += [Link.channel_id == self.channel.id] if self.channel is not None else []
        if self.channel is not None or self.auto:
            found.append(exists().where(*here))
        if self.auto is not None:
            off = exists().where(*here, Link.auto_sync.is_(False))
            found.append(~off if self.auto else off)
        return found

    def tab_of(self, table: Any) -> list[ColumnElement[bool]]:
        """The tab alone, as conditions on products or on an alias of theirs."""
        found: list[ColumnElement[bool]] = [table.retired_at.is_(None)]
        if self.stock in {"in", "out"}:
            # Written out: with a parameter SQLite would read each row to compare it again.
            none: ColumnElement[int] = literal_column("0")
            found.append(table.available > none if self.stock == "in" else table.available <= none)
        return found


@dataclass(frozen=True)
class Offer:
    """A linked listing of a product: what it was told last, and when; before that, what its last file said."""

    link: Link
    listing: Listing
    channel: Channel

    @property
    def quantity(self) -> int | None:
        """The stock that the channel shows, as far as we know; 1 or 0 where it is told only in stock or not."""
        told = self.link.told_quantity if self.link.told_stock_version > 0 else None
        return self.channel.level(told if self.link.told_stock_version else self.listing.quantity)

    @property
    def price(self) -> Decimal | None:
        """The price that the channel shows, as far as we know."""
        return self.link.told_price if self.link.told_price_version else self.listing.price


def search_products(
    session: Session, index: retrieval.CatalogueIndex, filters: Filter, *, after: int = 0, before: int = 0
) -> Page:
    """A page of products by id; free text gives the closest ones instead, best first, on one page.

    On a tab without further filters the variants of a base product are one row, where the first of them stands.
    """
    if filters.text:
        return Page(_rows(session, searching.search(session, index, filters.text, limit=PAGE, where=filters.where)))
    if not filters.plain and not filters.base:
        return _within_window(session, filters, after=after, before=before)
    query = select(Product).where(*filters.where, *([_first_of_its_base(filters)] if filters.plain else []))
    if before:
        backwards = query.where(Product.id < before).order_by(Product.id.desc()).limit(PAGE + 1)
        products = list(session.scalars(backwards))[::-1]
        more_before, more_after = len(products) > PAGE, True
        products = products[-PAGE:]
    else:
        products = list(session.scalars(query.where(Product.id > after).order_by(Product.id).limit(PAGE + 1)))
        more_before, more_after = after > 0, len(products) > PAGE
        products = products[:PAGE]
    page = Page(_rows(session, products))
    if filters.plain:
        _group(session, page.rows, filters)
    if products:
        page.next = products[-1].id if more_after else None
        page.previous = products[0].id if more_before else None
    return page


def _first_of_its_base(filters: Filter) -> ColumnElement[bool]:
    """No variant of the same base product comes before it on this tab."""
    sibling = aliased(Product)
    earlier = sibling.base_id == Product.base_id, sibling.id < Product.id, *filters.tab_of(sibling)
    return or_(Product.base_id.is_(None), ~exists().where(*earlier))


def _group(session: Session, rows: Sequence[Row], filters: Filter) -> None:
    """Let each row that is the first of several variants speak for all of them."""
    bases: dict[int | None, Row] = {r.product.base_id: r for r in rows if r.product.base_id is not None}
    if not bases:
        return
    out = func.sum(_one(Product.available <= 0))
    numbers = (func.count(), out, func.sum(Product.available), func.min(Product.price), func.max(Product.price))
    here = Product.base_id.in_(bases), *filters.tab_of(Product)
    query = (
        select(BaseProduct, *numbers).join(BaseProduct, BaseProduct.id == Product.base_id)
        .where(*here).group_by(BaseProduct.id).having(func.count() > 1)
    )  # fmt: skip
    groups = {row[0].id: Group(*row) for row in session.execute(query)}
    linked = (
        select(Product.base_id, Channel.id, Channel.name, Channel.mode, func.count(), func.sum(_one(Link.auto_sync)),
               func.max(Link.told_at))
        .join(Link, Link.product_id == Product.id).join(Channel, Channel.id == Link.channel_id)
        .where(*here, Product.base_id.in_(groups)).group_by(Product.base_id, Channel.id).order_by(Channel.name)
    )  # fmt: skip
    for base_id, group in groups.items():
        row = bases[base_id]
        row.group, row.channels, row.links, row.auto, row.by_hand, row.told_at = group, [], 0, 0, 0, None
    by_clock = set(schedules.told_by_the_clock(session))
    for of, channel_id, name, mode, links, auto, told_at in session.execute(linked):
        row = bases[of]
        row.channels.append(name)
        row.links, row.auto = row.links + links, row.auto + (auto or 0)
        row.by_hand += links if mode == SendMode.MANUAL and channel_id not in by_clock else 0
        row.told_at = max(filter(None, (row.told_at, told_at)), default=None)


def _one(condition: Any) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _within_window(session: Session, filters: Filter, *, after: int, before: int) -> Page:
    """A page of products that no index gives in order, such as those linked nowhere, among the next WINDOW ones only.

    Where nearly none fit, a page may have few rows or none, and still another one behind it: to look for the next
    fifty without an end would be to read the whole catalogue.
    """
    place, onwards = (Product.id.desc(), Product.id < before) if before else (Product.id.asc(), Product.id > after)
    some = select(Product.id).where(*filters.tab.where, onwards).order_by(place).limit(WINDOW)
    ids = some.subquery()
    query = select(Product).where(Product.id.in_(select(ids.c.id)), *filters.where).order_by(place).limit(PAGE + 1)
    products = list(session.scalars(query))
    n, first, last = session.execute(select(func.count(), func.min(ids.c.id), func.max(ids.c.id))).one()
    further = None
    if len(products) > PAGE:
        further = products[PAGE - 1].id
    elif n == WINDOW:
        further = first if before else last
    products = products[:PAGE][:: -1 if before else 1]
    page = Page(_rows(session, products))
    edge = products[0].id if products else before or after + 1
    if before:
        page.previous, page.next = further, products[-1].id if products else before - 1
    else:
        page.previous, page.next = (edge if after else None), further
    return page


def count(session: Session, filters: Filter) -> int:
    """How many products the filter holds, counted up to one more than CAP."""
    some = select(Product.id).where(*filters.where).limit(CAP + 1).subquery()
    return int(session.scalar(select(func.count()).select_from(some)) or 0)


def get(session: Session, product_id: int, *, lock: bool = False) -> Product:
    """The product of that number; raises NotFound, also for one that was taken out of the catalogue.

    With `lock` nobody else changes it before this transaction ends.
    """
    how: dict[str, Any] = {"with_for_update": {"key_share": True}, "populate_existing": True} if lock else {}
    product = session.get(Product, product_id, **how)
    if product is None or product.retired_at is not None:
        raise NotFound(phrase("This product is no longer in the catalogue."))
    return product


def base(session: Session, product: Product) -> BaseProduct | None:
    """What the product is a variant of."""
    return session.get(BaseProduct, product.base_id) if product.base_id else None


def variants(session: Session, product: Product) -> list[Row]:
    """All variants of the product's base, by id; none for a product without one."""
    if product.base_id is None:
        return []
    same = (Product.base_id == product.base_id, Product.retired_at.is_(None))
    return _rows(session, list(session.scalars(select(Product).where(*same).order_by(Product.id).limit(500))))


def offers(session: Session, product: Product) -> list[Offer]:
    """The listings that the product is linked to, by channel."""
    query = (
        select(Link, Listing, Channel).join(Listing, Listing.id == Link.listing_id)
        .join(Channel, Channel.id == Link.channel_id).where(Link.product_id == product.id)
        .order_by(Channel.name, Link.id).limit(500)
    )  # fmt: skip
    return [Offer(link, listing, channel) for link, listing, channel in session.execute(query)]


def levels(session: Session, product: Product) -> list[tuple[Warehouse, int]]:
    """What each warehouse holds of the product."""
    query = (
        select(Warehouse, StockLevel.on_hand).join(StockLevel, StockLevel.warehouse_id == Warehouse.id)
        .where(StockLevel.product_id == product.id).order_by(Warehouse.id)
    )  # fmt: skip
    return [(place, on_hand) for place, on_hand in session.execute(query)]


def on_hand(session: Session, product_id: int, warehouse: str) -> int | None:
    """What one warehouse holds of a product; None when it never held any."""
    query = select(StockLevel.on_hand).join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
    return session.scalar(query.where(StockLevel.product_id == product_id, Warehouse.name == warehouse))


def trail(session: Session, product: Product) -> list[AuditEntry]:
    """What people did to the product, newest first."""
    query = select(AuditEntry).where(AuditEntry.subject == f"product {product.sku}")
    return list(session.scalars(query.order_by(AuditEntry.id.desc()).limit(HISTORY)))


def deliveries(session: Session, product: Product) -> list[tuple[Attempt, Listing, Channel]]:
    """What was sent for the product to the listings it is or was linked to, newest first."""
    mine = [
        *session.scalars(select(Link.listing_id).where(Link.product_id == product.id).limit(500)),
        *session.scalars(select(PastLink.listing_id).where(PastLink.product_id == product.id).limit(500)),
    ]
    if not mine:
        return []
    query = (
        select(Attempt, Listing, Channel).join(Listing, Listing.id == Attempt.listing_id)
        .join(Channel, Channel.id == Attempt.channel_id)
        .where(Attempt.listing_id.in_(mine), Attempt.product_id == product.id)
        .order_by(Attempt.id.desc()).limit(HISTORY)
    )  # fmt: skip
    return [(attempt, listing, channel) for attempt, listing, channel in session.execute(query)]


def _rows(session: Session, products: Sequence[Product]) -> list[Row]:
    """Products with their links: one query for all of them."""
    rows = {product.id: Row(product) for product in products}
    query = (
        select(Link.product_id, Channel.id, Channel.name, Channel.mode, Link.auto_sync, Link.told_at, Link.problem)
        .join(Channel, Channel.id == Link.channel_id).where(Link.product_id.in_(rows)).order_by(Channel.name, Link.id)
    )  # fmt: skip
    by_clock = set(schedules.told_by_the_clock(session)) if rows else set()
    for product_id, channel_id, name, mode, auto, told_at, problem in session.execute(query) if rows else ():
        row = rows[product_id]
        row.links += 1
        row.auto += bool(auto)
        row.by_hand += mode == SendMode.MANUAL and channel_id not in by_clock
        if name not in row.channels:
            row.channels.append(name)
        row.told_at = max(filter(None, (row.told_at, told_at)), default=None)
        row.problem = row.problem or problem
    return list(rows.values())
