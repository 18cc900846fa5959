"""Synced pairs: what a filter holds, page by page, how many that are, and the automatic switch of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, select, union_all, update
from sqlalchemy.orm import Session

from matching.identifiers import match_key
from webapp.errors import NotFound, phrase, phrases
from webapp.models.accounts import Actor, AuditEntry
from webapp.models.catalog import Price, Product
from webapp.models.channels import Channel
from webapp.models.links import BatchVerb, Link, LinkBatch, LinkSource, PastLink
from webapp.models.listings import Listing, ListingState
from webapp.models.suspicions import Suspicion
from webapp.services import audit, counts, plans, retrieval, searching, targets
from webapp.services.claims import desired
from webapp.services.pair_sorts import ORDERS, Order, Sort, places, read, write
from webapp.services.stock import counted

PAGE = 50
CAP = 10_000  # a filter's number is said up to here; the dialog that acts on all counts to the end
NAMES = 200  # products that a search looks at
PAIRS = 1_000  # pairs, and listings, that it looks at
BANNER = timedelta(hours=24)  # how long a bulk unsync is offered for restoring on the page itself


@dataclass(frozen=True)
class Filter:
    """Which pairs: of a channel, decided how, sent automatically or not, found by a text; and in what order.

    Only the `suspicious` ones come in an order of their own, and not those that somebody kept.
    """

    channel: Channel | None = None
    by: LinkSource | None = None
    auto: bool | None = None
    text: str = ""
    sort: Sort = Sort.NEWEST
    suspicious: bool = False
    found: tuple[int, ...] = ()  # the links that the text finds, see `find`
    more: bool = False  # whether it would find further ones

    @property
    def plain(self) -> bool:
        """Whether the filter is at most a channel, whose number is kept."""
        return not (self.by or self.text or self.suspicious or self.order.only) and self.auto is None

    @property
    def listed(self) -> bool:
        """Whether the pairs are those that the text has found, all of them."""
        return bool(self.text) and self.by is None and self.auto is None and not (self.suspicious or self.order.only)

    @property
    def order(self) -> Order:
        """The order of the pages."""
        return ORDERS[Sort.WORST if self.suspicious else self.sort]

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """The conditions on Link."""
        found = [*self.scope, *self.order.only]
        if self.suspicious:
            here = [Suspicion.channel_id == self.channel.id] if self.channel is not None else []
            found.append(Link.listing_id.in_(select(Suspicion.listing_id).where(Suspicion.open(), *here)))
        return found

    @property
    def scope(self) -> list[ColumnElement[bool]]:
        """The conditions on Link that do not come from the order, nor from what is suspicious."""
        found: list[ColumnElement[bool]] = []
        if self.channel is not None:
            found.append(Link.channel_id == self.channel.id)
        if self.by is not None:
            found.append(Link.source == self.by)
            if self.by is not LinkSource.SKU:  # said for the planner: the index leaves out what the rule linked
                found.append(Link.source != LinkSource.SKU)
        if self.auto is not None:
            found.append(Link.auto_sync.is_(self.auto))
        if self.text:
            found.append(Link.id.in_(self.found))
        return found


@dataclass(frozen=True)
class PairRow:
    """One pair: what the channel ought to show (`quantity`, `price`), and what it shows as far as is known."""

    link: Link
    product: Product
    listing: Listing
    channel: Channel
    quantity: int | None
    price: Decimal | None
    shown_quantity: int | None
    shown_price: Decimal | None
    suspicion: Suspicion | None = None  # why the pair may be wrong, where that was asked for

    @property
    def stock_differs(self) -> bool:
        """Whether the channel shows another stock than it ought to."""
        return None not in (self.quantity, self.shown_quantity) and self.shown_quantity != self.quantity

    @property
    def price_differs(self) -> bool:
        """Whether the channel shows another price, where both are known and in the same currency."""
        ours, theirs = self.product.currency, self.listing.currency
        known = self.shown_price is not None and self.price is not None
        return known and not (ours and theirs and ours != theirs) and self.shown_price != self.price


@dataclass(frozen=True)
class PairPage:
    """Rows of one page, and the places that the pages before and after it begin from."""

    rows: list[PairRow] = field(default_factory=list)
    before: str = ""
    after: str = ""


def find(session: Session, filters: Filter, index: retrieval.CatalogueIndex) -> tuple[tuple[int, ...], bool]:
    """Links that the filter's text means, and whether there are more than were looked for.

    Meant are the pairs of products and listings whose SKU, GTIN or listing id is the text or begins with it;
    where there is none, those of products with its words.
    """
    text = filters.text.strip()
    if not text:
        return (), False
    products = searching.by_key(session, text, limit=NAMES)
    found = [*_of_products(session, filters, products), *_of_listings(session, filters, text)]
    if not found:
        products = searching.by_words(session, index, text, limit=NAMES)
        found = _of_products(session, filters, products)
    return tuple(sorted(set(found))), len(products) >= NAMES or len(found) >= PAIRS


def _of_products(session: Session, filters: Filter, products: Sequence[int]) -> list[int]:
    if not products:
        return []
    where = [Link.product_id.in_(products), *_on(filters)]
    return list(session.scalars(select(Link.id).where(*where).limit(PAIRS)))


def _of_listings(session: Session, filters: Filter, text: str) -> list[int]:
    """The links of listings whose id or SKU is the text or begins with it."""
    ids = [filters.channel.id] if filters.channel else list(session.scalars(select(Channel.id)))
    begins = [
        select(Listing.id).where(Listing.channel_id == each, column >= word, column < word + chr(0x10FFFF)).limit(PAIRS)
        for each in ids
        for column, word in ((Listing.external_id, text), (Listing.match_key, match_key(text)))
    ]
    if not begins:
        return []
    listings = union_all(*(select(each.subquery().c.id) for each in begins))
    return list(session.scalars(select(Link.id).where(Link.listing_id.in_(listings)).limit(PAIRS)))


def _on(filters: Filter) -> list[ColumnElement[bool]]:
    return [Link.channel_id == filters.channel.id] if filters.channel else []


def page(session: Session, filters: Filter, *, after: str = "", before: str = "") -> PairPage:
    """One page of pairs; `after` and `before` are the cursors of a page that was shown."""
    order = filters.order
    cursor = read(before or after, order)
    back = bool(before) and cursor is not None
    query = places(order, _scopes(session, filters), cursor, back=back, limit=PAGE + 1)
    found = [tuple(row) for row in session.execute(query)]
    more, found = len(found) > PAGE, found[:PAGE]
    if back:
        found.reverse()
    if not found:
        return PairPage()
    pairs = {p.link.id: p for p in rows(session, [Link.id.in_([place[-1] for place in found])])}
    shown = [pairs[place[-1]] for place in found if place[-1] in pairs]
    first, last = write(found[0][:-1]), write(found[-1][:-1])
    has_before, has_after = (more, True) if back else (cursor is not None, more)
    return PairPage(shown, first if has_before else "", last if has_after else "")


def _scopes(session: Session, filters: Filter) -> list[list[ColumnElement[bool]]]:
    """The conditions on Link; one set for each channel where the order has its index by channel."""
    scope = filters.scope
    if filters.suspicious:
        own = [Suspicion.channel_id == filters.channel.id] if filters.channel is not None else []
        return [[*scope, *own, Suspicion.open()]]
    if not filters.order.by_channel or filters.channel is not None:
        return [scope]
    every = session.scalars(select(Channel.id).order_by(Channel.id))
    return [[*scope, Link.channel_id == channel_id] for channel_id in every] or [scope]


def one(session: Session, listing_id: int) -> PairRow:
    """The pair of a listing; raises NotFound."""
    found = rows(session, [Link.listing_id == listing_id])
    if not found:
        raise NotFound(phrase("This pair is no longer linked."))
    return found[0]


def rows(session: Session, which: Sequence[ColumnElement[bool]]) -> list[PairRow]:
    """The pairs that match, in no order."""
    return [_row(r) for r in session.execute(_rows().where(*which))]


def count(session: Session, filters: Filter, *, exact: bool = False) -> int:
    """How many pairs the filter holds: the kept number where there is one, else counted up to CAP, or `exact`."""
    if filters.listed:
        return len(filters.found)
    if filters.plain:
        numbers = counts.by_channel(session)
        chosen = [numbers.get(filters.channel.id, {})] if filters.channel else list(numbers.values())
        return sum(n.get(ListingState.LINKED, 0) for n in chosen)
    some = select(Link.id).where(*filters.where)
    some = some if exact else some.limit(CAP + 1)
    return int(session.scalar(select(func.count()).select_from(some.subquery())) or 0)


def number(session: Session, which: Sequence[ColumnElement[bool]]) -> int:
    """How many live links match the conditions."""
    return int(session.scalar(select(func.count()).select_from(select(Link.id).where(*which).subquery())) or 0)


def ids_of(which: Sequence[ColumnElement[bool]]) -> Select[int, int]:
    """Ids of the links that match, with their channels, in id order."""
    return select(Link.id, Link.channel_id).where(*which).order_by(Link.id)


def channels_of(session: Session, which: Sequence[ColumnElement[bool]]) -> list[Channel]:
    """The channels that have links which match."""
    return [c for c in session.scalars(select(Channel).order_by(Channel.name)) if _any(session, c, which)]


def set_auto(session: Session, which: Sequence[ColumnElement[bool]], on: bool, *, by: Actor) -> AuditEntry | None:
    """Switch automatic sending on or off for the pairs that match; gives the trail's line, None when none changed.

    What changed while it was off is told at once when it goes on.
    """
    query = select(Link.id, Link.product_id).where(*which, Link.auto_sync.is_not(on))
    rows = session.execute(query).all()
    entry = None
    for start in range(0, len(rows), targets.CHUNK):
        ids = [r.id for r in rows[start : start + targets.CHUNK]]
        done = update(Link).where(Link.id.in_(ids)).values(auto_sync=on)
        session.execute(done.execution_options(synchronize_session=False))
    if rows:
        n, s = len(rows), "" if len(rows) == 1 else "s"
        if on:
            words = phrases("Turned auto-sync on for {n} pair.", "Turned auto-sync on for {n} pairs.", n)
        else:
            words = phrases("Turned auto-sync off for {n} pair.", "Turned auto-sync off for {n} pairs.", n)
        event = "link.auto_on" if on else "link.auto_off"
        entry = audit.record(session, by, event, f"{n} pair{s}", words, after=audit.of([r.id for r in rows]))
    if rows and on:
        targets.mark(session, list({r.product_id for r in rows}), stock=True, price=True)
    return entry


_LAST_UNSYNC = (
    select(LinkBatch)
    .where(LinkBatch.by_id == bindparam("by"), LinkBatch.at > bindparam("since"))
    # Written out, or SQLite would not see that the index of these serves.
    .where(LinkBatch.verb == literal(BatchVerb.UNSYNC, LinkBatch.verb.type, literal_execute=True))
    .order_by(LinkBatch.id.desc())
    .limit(1)
)


def last_unsync(session: Session, by: Actor, *, now: datetime) -> LinkBatch | None:
    """This person's newest bulk unsync of the last day, if it still stands."""
    if by.id is None:
        return None
    batch = session.scalar(_LAST_UNSYNC, {"by": by.id, "since": now - BANNER})
    return batch if batch is not None and batch.undone_by is None else None


def ended(session: Session, batch_id: int, *, after: int = 0) -> list[tuple[PastLink, Product, Listing]]:
    """The pairs that a batch took apart, a page of them by id."""
    query = (
        select(PastLink, Product, Listing)
        .join(Product, Product.id == PastLink.product_id)
        .join(Listing, Listing.id == PastLink.listing_id)
        .where(PastLink.ended_batch_id == batch_id, PastLink.id > after)
        .order_by(PastLink.id)
        .limit(PAGE + 1)
    )
    return [(past, product, listing) for past, product, listing in session.execute(query)]


def _rows() -> Select[Any]:
    on_list = (Price.product_id == Product.id) & (Price.price_list_id == Channel.price_list_id)
    return (
        select(
            Link, Product, Listing, Channel, plans.SHOWN_QUANTITY, plans.SHOWN_PRICE, Price.amount, counted(), Suspicion
        )
        .join(Product, Product.id == Link.product_id)
        .join(Listing, Listing.id == Link.listing_id)
        .join(Channel, Channel.id == Link.channel_id)
        .outerjoin(Price, on_list)
        .outerjoin(Suspicion, and_(Suspicion.listing_id == Link.listing_id, Suspicion.open()))
    )


def _row(row: Any) -> PairRow:
    link, product, listing, channel, stock, price, amount, is_counted, suspicion = row
    quantity, wanted = desired(product.available, product.price, amount, channel, is_counted=is_counted)
    return PairRow(link, product, listing, channel, quantity, wanted, channel.level(stock), price, suspicion)


def _any(session: Session, channel: Channel, which: Sequence[ColumnElement[bool]]) -> bool:
    return session.scalar(select(Link.id).where(*which, Link.channel_id == channel.id).limit(1)) is not None
