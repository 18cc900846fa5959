"""What sending would change, old → new, and what the brakes hold back; nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors import price_text
from webapp.models.accounts import WORKER
from webapp.models.catalog import Price, Product
from webapp.models.channels import Channel
from webapp.models.links import Link
from webapp.models.listings import Listing
from webapp.services import audit
from webapp.services.propagation import desired

ZEROED = (50, Decimal("0.10"))  # more than 50 listings and 10 % of those in stock going to zero at once
REPRICED = (5, Decimal("0.10"))  # more than 5 listings and 10 % of those with a price moving by a factor above 2
FACTOR = 2
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

    def as_json(self) -> dict[str, Any]:
        """The fields that the command line promises; prices as text."""
        old, new = (price_text(v) if isinstance(v, Decimal) else v for v in (self.old, self.new))
        row = {"listing_id": self.listing_id, "sku": self.sku, "aspect": self.aspect, "old": old, "new": new}
        return {**row, "reason": self.held} if self.held else row


@dataclass
class Plan:
    """The changes of a send, those the brakes hold, and how many listings show the right values already."""

    changes: list[PlannedChange] = field(default_factory=list)
    held: list[PlannedChange] = field(default_factory=list)
    unchanged: int = 0
    listings: int = 0

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
) -> Plan:
    """Compare what every linked listing (or those of the given products or links) shows with what it ought to.

    "Shows" is what the channel was last told, or what its last file said when it was told nothing yet.
    `anyway` lets through what the brakes would hold.
    """
    made = Plan()
    in_stock = priced = 0
    for link, listing, product, amount in _rows(session, channel, product_ids, link_ids):
        made.listings += 1
        told = _changes(link, listing, product, amount, channel, stock=stock, price=price)
        made.changes += told
        made.unchanged += not told
        shown_price = _shown_price(link, listing)
        in_stock += (_shown_quantity(link, listing) or 0) > 0
        priced += shown_price is not None and shown_price > 0
    if product_ids is not None or link_ids is not None:
        in_stock, priced = _totals(session, channel)
    if not anyway:
        _brake(made, "stock", _zeroes, ZEROED, in_stock, "{n} listings would go to zero at once")
        _brake(made, "price", _leaps, REPRICED, priced, "{n} prices would move by more than a factor of 2 at once")
    return made


def check_brakes(session: Session, channel: Channel) -> bool:
    """Hold a channel's automatic sending when what is due would empty or reprice it; gives whether it is held."""
    if channel.held:
        return True
    due = (Link.channel_id == channel.id, Link.due_at.is_not(None), Link.run_id.is_(None))
    zeroed = _number(session, *due, Link.want_stock, Link.told_quantity > 0, Product.available <= 0)
    limit = _limit(ZEROED, _totals(session, channel)[0]) if zeroed > ZEROED[0] else zeroed
    if zeroed > limit:
        channel.held = (
            f"{zeroed} listings would go to zero at once. Nothing was sent. Check the stock, then release the channel."
        )
    elif channel.sends_price:
        shown = (Link.told_price > 0, Product.price > 0)
        leaps = _number(session, *due, Link.want_price, *shown, Product.price > Link.told_price * FACTOR)
        leaps += _number(session, *due, Link.want_price, *shown, Product.price * FACTOR < Link.told_price)
        if leaps > REPRICED[0] and leaps > _limit(REPRICED, _totals(session, channel)[1]):
            channel.held = (
                f"{leaps} prices would move by more than a factor of 2. Nothing was sent. "
                "Check them, then release the channel."
            )
    if channel.held:
        audit.record(session, WORKER, "channel.held", f"channel {channel.name}", f"Held {channel.name}: {channel.held}")
    return bool(channel.held)


def _rows(
    session: Session,
    channel: Channel,
    product_ids: Sequence[int] | None,
    link_ids: Sequence[int] | None,
) -> Iterator[tuple[Link, Listing, Product, Decimal | None]]:
    """The channel's pairs in id order, a chunk at a time."""
    last = 0
    on_list = (Price.product_id == Product.id) & (Price.price_list_id == channel.price_list_id)
    while True:
        query = (
            select(Link, Listing, Product, Price.amount)
            .join(Listing, Listing.id == Link.listing_id)
            .join(Product, Product.id == Link.product_id)
            .outerjoin(Price, on_list)
            .where(Link.channel_id == channel.id, Link.id > last)
            .order_by(Link.id)
            .limit(CHUNK)
        )
        if product_ids is not None:
            query = query.where(Link.product_id.in_(product_ids))
        if link_ids is not None:
            query = query.where(Link.id.in_(link_ids))
        rows = session.execute(query).all()
        if not rows:
            return
        last = rows[-1][0].id
        yield from rows


def _changes(
    link: Link,
    listing: Listing,
    product: Product,
    amount: Decimal | None,
    channel: Channel,
    *,
    stock: bool,
    price: bool,
) -> list[PlannedChange]:
    quantity, wanted = desired(product, amount, channel)
    who = (link.id, listing.external_id, listing.title, product.sku)
    found = []
    if stock and (old := _shown_quantity(link, listing)) != quantity:
        found.append(PlannedChange(*who, "stock", old, quantity))
    if price and wanted is not None and (shown := _shown_price(link, listing)) != wanted:
        found.append(PlannedChange(*who, "price", shown, wanted))
    return found


def _shown_quantity(link: Link, listing: Listing) -> int | None:
    return link.told_quantity if link.told_stock_version else listing.quantity


def _shown_price(link: Link, listing: Listing) -> Decimal | None:
    return link.told_price if link.told_price_version else listing.price


def _zeroes(change: PlannedChange) -> bool:
    return change.aspect == "stock" and (change.old or 0) > 0 and change.new == 0


def _leaps(change: PlannedChange) -> bool:
    if change.aspect != "price" or not change.old:
        return False
    return change.new > change.old * FACTOR or change.new * FACTOR < change.old


def _brake(made: Plan, aspect: str, bad: Any, rule: tuple[int, Decimal], total: int, words: str) -> None:
    caught = [c for c in made.changes if bad(c)]
    if len(caught) <= _limit(rule, total):
        return
    reason = words.format(n=len(caught)) + ". Check them, then send them on purpose."
    stopped = {id(c) for c in caught}
    made.changes = [c for c in made.changes if id(c) not in stopped]
    made.held += [
        PlannedChange(c.link_id, c.listing_id, c.title, c.sku, c.aspect, c.old, c.new, reason) for c in caught
    ]


def _limit(rule: tuple[int, Decimal], total: int) -> Decimal:
    return max(Decimal(rule[0]), rule[1] * total)


def _totals(session: Session, channel: Channel) -> tuple[int, int]:
    """How many of a channel's linked listings are in stock, and how many have a price, as far as they were told."""
    mine = Link.channel_id == channel.id
    return _number(session, mine, Link.told_quantity > 0), _number(session, mine, Link.told_price > 0)


def _number(session: Session, *which: Any) -> int:
    query = select(func.count()).select_from(Link).join(Product, Product.id == Link.product_id).where(*which)
    return int(session.scalar(query) or 0)
