"""What sending would change, old → new, and what the brakes hold back; nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from connectors import price_text
from webapp.errors import phrase
from webapp.models.accounts import Actor
from webapp.models.catalog import Price, PriceList, Product
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.models.propagation import SyncRun
from webapp.services.brakes import FACTOR, REPRICED, STANDING_QUANTITY, ZEROED, limit, totals
from webapp.services.claims import SHOWN_PRICE as SHOWN_PRICE
from webapp.services.claims import SHOWN_QUANTITY as SHOWN_QUANTITY
from webapp.services.claims import desired, money, other_money
from webapp.services.propagation import start_run
from webapp.services.stock import counted

CHUNK = 2_000


@dataclass(frozen=True)
class PlannedChange:
    """One value of one listing: what the channel shows, what it would be told, and why it is held, if it is."""

    link_id: int
    listing_id: str
    title: str
    sku: str
    aspect: str  # "stock" or "price"
    old: int | Decimal | None
    new: int | Decimal
    held: str = ""
    in_stock: bool = False  # before the change; where nobody knows what is shown, perhaps
    in_stock_only: bool = False  # then stock is 1 or 0: in stock or not

    def as_json(self) -> dict[str, Any]:
        """The fields that the command line promises; prices as text.

        Where only in stock or not is told, the aspect is `availability` and its values are true and false.
        """
        aspect = "availability" if self.in_stock_only and self.aspect == "stock" else self.aspect
        old, new = (price_text(v) if isinstance(v, Decimal) else v for v in (self.old, self.new))
        if aspect == "availability":
            old, new = None if old is None else bool(old), bool(new)
        row = {"listing_id": self.listing_id, "sku": self.sku, "aspect": aspect, "old": old, "new": new}
        return {**row, "reason": self.held} if self.held else row


@dataclass
class Plan:
    """The changes of a send, those the brakes hold, and how many listings show the right values already."""

    changes: list[PlannedChange] = field(default_factory=list)
    held: list[PlannedChange] = field(default_factory=list)
    unchanged: int = 0
    listings: int = 0
    braked: str = ""  # why the brakes hold something, when they do

    def link_ids(self, aspect: str | None = None) -> list[int]:
        """The links that would be told something, each once."""
        return list(dict.fromkeys(c.link_id for c in self.changes if aspect in (None, c.aspect)))


def plan(
    session: Session,
    channel: Channel,
    *,
    stock: bool = True,
    price: bool = False,
    product_ids: Sequence[int] | None = None,
    link_ids: Sequence[int] | None = None,
    anyway: bool = False,
    only_auto: bool = False,
) -> Plan:
    """Compare what every linked listing (or those of the given products or links) shows with what it ought to.

    "Shows" is what the channel was last told, or what its last file said when it was told nothing yet.
    `anyway` lets through what the brakes would hold, but never a price in another currency than its listing's;
    `only_auto` leaves out the pairs whose auto-sync is off.
    """
    made = Plan()
    in_stock = priced = 0
    which = [Link.auto_sync.is_(True)] if only_auto else []
    for row in _rows(session, channel, product_ids, link_ids, *which):
        made.listings += 1
        told = _changes(row, channel, stock=stock, price=price)
        made.changes += [c for c in told if not c.held]
        made.held += [c for c in told if c.held]
        made.unchanged += not told
        in_stock += (row.standing_quantity or 0) > 0
        priced += (row.shown_price or 0) > 0
    if product_ids is not None or link_ids is not None:
        in_stock, priced = totals(session, channel)
    if not anyway:
        _brake(made, _zeroes, ZEROED, in_stock, _zeroed_words)
        _brake(made, _leaps, REPRICED, priced, _repriced_words)
    return made


def send(
    session: Session, channel: Channel, made: Plan, *, stock: bool, price: bool, by: Actor, now: datetime
) -> SyncRun:
    """Ask for exactly what a plan lets through: a held price stays behind although its listing's stock goes."""
    return start_run(
        session,
        channel,
        made.link_ids("stock"),
        stock=stock,
        price=price,
        price_ids=made.link_ids("price"),
        by=by,
        now=now,
        unchanged=made.unchanged,
        held=len({change.link_id for change in made.held}),
    )


def _rows(
    session: Session,
    channel: Channel,
    product_ids: Sequence[int] | None,
    link_ids: Sequence[int] | None,
    *which: ColumnElement[bool],
) -> Iterator[Row[Any]]:
    """The channel's pairs in id order, a chunk at a time: what each shows, and what its product has."""
    if product_ids is not None:
        for start in range(0, len(product_ids), CHUNK):
            yield from _pages(session, channel, Link.product_id.in_(product_ids[start : start + CHUNK]), *which)
    elif link_ids is not None:
        for start in range(0, len(link_ids), CHUNK):
            yield from _pages(session, channel, Link.id.in_(link_ids[start : start + CHUNK]), *which)
    else:
        yield from _pages(session, channel, *which)


def _pages(session: Session, channel: Channel, *which: ColumnElement[bool]) -> Iterator[Row[Any]]:
    last = 0
    on_list = (Price.product_id == Product.id) & (Price.price_list_id == channel.price_list_id)
    while True:
        rows: Sequence[Any] = session.execute(
            select(
                Link.id,
                Listing.external_id,
                Listing.title,
                Product.sku,
                Product.available,
                Product.price,
                Product.currency,
                Listing.currency.label("shown_in"),
                PriceList.currency.label("list_currency"),
                Price.amount,
                counted().label("counted"),
                SHOWN_QUANTITY.label("shown_quantity"),
                SHOWN_PRICE.label("shown_price"),
                STANDING_QUANTITY.label("standing_quantity"),
            )
            .join(Listing, Listing.id == Link.listing_id)
            .join(Product, Product.id == Link.product_id)
            .outerjoin(Price, on_list)
            .outerjoin(PriceList, PriceList.id == channel.price_list_id)
            .where(Link.channel_id == channel.id, Link.id > last, *which)
            .order_by(Link.id)
            .limit(CHUNK)
        ).all()
        if not rows:
            return
        last = rows[-1].id
        yield from rows


def _changes(row: Row[Any], channel: Channel, *, stock: bool, price: bool) -> list[PlannedChange]:
    quantity, wanted = desired(row.available, row.price, row.amount, channel, is_counted=row.counted)
    who = (row.id, row.external_id, row.title, row.sku)
    found = []
    shown = channel.level(row.shown_quantity)
    if stock and quantity is not None and shown != quantity:
        standing = (row.standing_quantity or 0) > 0
        change = PlannedChange(*who, "stock", shown, quantity, in_stock=standing, in_stock_only=channel.in_stock_only)
        found.append(change)
    if price and wanted is not None and row.shown_price != wanted:
        ours, theirs = money(row, channel), row.shown_in
        held = ""
        if other_money(ours, theirs):
            held = phrase(
                "Your price is in {ours} and the listing’s in {theirs}. Correct one of them.", ours=ours, theirs=theirs
            )
        found.append(PlannedChange(*who, "price", row.shown_price, wanted, held))
    return found


def _zeroes(change: PlannedChange) -> bool:
    return change.aspect == "stock" and change.in_stock and change.new == 0


def _leaps(change: PlannedChange) -> bool:
    if change.aspect != "price" or not change.old:
        return False
    return change.new > change.old * FACTOR or change.new * FACTOR < change.old


def _zeroed_words(n: int) -> str:
    return phrase("{n} listings would go to zero at once. Check them, then send them on purpose.", n=n)


def _repriced_words(n: int) -> str:
    return phrase(
        "{n} prices would move by more than a factor of 2 at once. Check them, then send them on purpose.", n=n
    )


def _brake(made: Plan, bad: Any, rule: tuple[int, Decimal], total: int, words: Callable[[int], str]) -> None:
    caught = [c for c in made.changes if bad(c)]
    if len(caught) <= limit(rule, total):
        return
    reason = words(len(caught))
    made.braked = made.braked or reason
    stopped = {id(c) for c in caught}
    made.changes = [c for c in made.changes if id(c) not in stopped]
    made.held += [replace(c, held=reason) for c in caught]
