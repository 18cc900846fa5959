"""What the first page shows: how far each channel is, what needs a person, the last acts and the largest differences.

Every query here is bounded: kept numbers, partial indexes, or the newest rows of a table; never a scan of all pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Double,
    Row,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from webapp.db import direct
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.imports import ImportJob, ImportState
from webapp.models.links import Aside, BatchVerb, Link, LinkBatch, LinkSource, NearMiss
from webapp.models.listings import Listing, ListingState
from webapp.models.propagation import SyncRun
from webapp.services import channels, counts, health, near_misses, plans, suspicions

CAP = 10_000  # what is not kept is counted up to here
NEAR_CAP = 1_000  # near misses: each takes two lookups, its listing and the pairs of its product
# Written out in statements, or SQLite would look at each row again instead of asking the index alone.
_SKU = literal(LinkSource.SKU, Link.source.type, literal_execute=True)
_WAITS = literal(ListingState.PENDING, Listing.state.type, literal_execute=True)
_NOTHING: ColumnElement[str] = literal_column("''")
SURE = 95  # match score from which a suggestion is nearly always right
LOOKED_AT = 500  # newest pairs among which the largest differences are sought
SHOWN = 5
RECENT = timedelta(days=7)
SECONDS_A_DECISION = 5  # the mean of the keystroke model that the review screen was designed by


_ACTS = (
    select(LinkBatch, Listing, Channel)
    .outerjoin(Listing, Listing.id == LinkBatch.listing_id)
    .outerjoin(Channel, Channel.id == func.coalesce(Listing.channel_id, LinkBatch.channel_id))
    .where(LinkBatch.verb != BatchVerb.SKIP).order_by(LinkBatch.id.desc()).limit(bindparam("limit"))
)  # fmt: skip
_RUNS = (
    select(SyncRun, Channel).join(Channel, Channel.id == SyncRun.channel_id)
    .order_by(SyncRun.id.desc()).limit(bindparam("limit"))
)  # fmt: skip
_NEWEST = (  # prices as the whole numbers that are stored
    select(
        Link.id, Product.title, Product.sku, Product.available, type_coerce(Product.price, BigInteger).label("price"),
        Product.currency, Listing.currency.label("shown_in"), plans.SHOWN_QUANTITY.label("quantity"),
        type_coerce(plans.SHOWN_PRICE, BigInteger).label("shown_price"), Channel.in_stock_only,
    )
    .join(Listing, Listing.id == Link.listing_id).join(Product, Product.id == Link.product_id)
    .join(Channel, Channel.id == Link.channel_id)
    .order_by(Link.id.desc()).limit(LOOKED_AT).subquery()
)  # fmt: skip
_P = _NEWEST.c
_MORE = _P.quantity - case((_P.available > 0, _P.available), else_=0)  # units shown beyond what may be sold
_DEARER = cast(_P.shown_price - _P.price, Double) / _P.price
# "In stock" says nothing of how far apart it is; amounts in two currencies say nothing either.
_STOCK_DIFFERS = and_(_P.in_stock_only.is_(False), _MORE != 0)
_PRICE_DIFFERS = and_(
    _P.price != 0, _P.shown_price != _P.price, or_(_P.shown_in == "", _P.currency == "", _P.shown_in == _P.currency)
)


def _rank(differs: ColumnElement[bool], by: ColumnElement[Any]) -> ColumnElement[int]:
    """1 for the largest of those that differ so; of equals the newest pair comes first."""
    return func.row_number().over(order_by=(case((differs, func.abs(by)), else_=0).desc(), _P.id.desc()))


_DIFFERENCES = (
    select(_P.id, _P.title, _P.sku, _P.shown_price)
    .add_columns(case((_STOCK_DIFFERS, _MORE)).label("more"), case((_PRICE_DIFFERS, _P.price)).label("price"))
    .add_columns(_rank(_STOCK_DIFFERS, _MORE).label("by_stock"), _rank(_PRICE_DIFFERS, _DEARER).label("by_price"))
    .add_columns(func.count().over().label("differing"))
    .where(or_(_STOCK_DIFFERS, _PRICE_DIFFERS))
    .subquery()
)
_LARGEST = select(_DIFFERENCES).where(
    or_(_DIFFERENCES.c.by_stock <= bindparam("limit"), _DIFFERENCES.c.by_price <= bindparam("limit"))
)
_OVERDUE = (
    select(Link.id)
    .where(Link.due_at.is_not(None), Link.due_at < bindparam("before"), Link.channel_id == bindparam("channel"))
    .limit(1)
)
_STATES = {ImportState.FAILED: "failed_import", ImportState.CHECKED: "waiting_import"}
_JOBS = (
    select(ImportJob).where(ImportJob.state.in_(_STATES), ImportJob.created_at > bindparam("since"))
    .order_by(ImportJob.state.desc(), ImportJob.id.desc()).limit(SHOWN)
)  # fmt: skip
_ANY_PRODUCT = select(Product.id).limit(1)
Which = Callable[[near_misses.On], list[ColumnElement[bool]]]


@dataclass(frozen=True)
class Progress:
    """One channel's listings by what became of them."""

    channel: Channel
    by_sku: int = 0
    by_hand: int = 0  # all but the exact rule; 0 and `mixed` when they are more than CAP
    mixed: bool = False  # whether `by_sku` is everything that is linked
    waiting: int = 0
    no_match: int = 0
    ignored: int = 0

    @property
    def linked(self) -> int:
        """All pairs of the channel."""
        return self.by_sku + self.by_hand

    @property
    def listings(self) -> int:
        """All listings of the channel."""
        return self.linked + self.waiting + self.no_match + self.ignored


@dataclass(frozen=True)
class Need:
    """Something that a person should look at: what (a key for words), how many (at most `cap` are told), where, why."""

    what: str
    n: int = 0
    channel: Channel | None = None
    reason: str = ""
    job: ImportJob | None = None
    cap: int = CAP


@dataclass(frozen=True)
class Difference:
    """A pair whose listing shows another stock or price than the catalogue; prices in percent, stock in units."""

    link_id: int
    title: str
    aspect: str  # "stock" or "price"
    by: Decimal


@dataclass(frozen=True)
class Act:
    """One of the last acts of a person, with the listing it was about when it was about one."""

    batch: LinkBatch
    listing: Listing | None
    channel: Channel | None


@dataclass
class Overview:
    """All parts of the page."""

    progress: list[Progress] = field(default_factory=list)
    products: bool = False
    needs: list[Need] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    differing: int = 0
    runs: list[tuple[SyncRun, Channel]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing was imported yet."""
        return not self.products and not any(p.listings for p in self.progress)


def look(session: Session, *, now: datetime) -> Overview:
    """Read the whole page."""
    progress = by_channel(session)
    found, differing = largest_differences(session)
    return Overview(
        progress=progress,
        products=direct(session, _ANY_PRODUCT).first() is not None,
        needs=needs(session, progress, now=now),
        acts=last_acts(session),
        differences=found,
        differing=differing,
        runs=last_runs(session),
    )


def by_channel(session: Session) -> list[Progress]:
    """Each channel's numbers, from those that are kept; who linked is counted for pairs not made by the exact rule."""
    numbers, every = counts.by_channel(session), channels.all_channels(session)
    hand = _capped(session, every, _by_hand, Link.id)
    found = []
    for channel in every:
        own, handmade = numbers.get(channel.id, {}), hand[channel.id]
        linked = own.get(ListingState.LINKED, 0)
        handmade = 0 if handmade > CAP else min(handmade, linked)
        rest = (own.get(state, 0) for state in (ListingState.PENDING, ListingState.NO_MATCH, ListingState.IGNORED))
        found.append(Progress(channel, linked - handmade, handmade, hand[channel.id] > CAP, *rest))
    return found


def needs(session: Session, progress: Sequence[Progress], *, now: datetime) -> list[Need]:
    """What needs a person, most costly first: what keeps values from channels, then lost work, then decisions."""
    found = [
        *_stopped(progress),
        *_refused(session, progress),
        *_no_worker(session, progress, now),
        *_imports(session, now),
    ]
    doubtful = suspicions.count(session)
    found += [Need("suspicious", doubtful)] if doubtful else []
    found += _said_before(session, progress)
    near = _capped(session, [p.channel for p in progress], near_misses.still_open, NearMiss.listing_id, cap=NEAR_CAP)
    found += [Need("near", near[p.channel.id], p.channel, cap=NEAR_CAP) for p in progress if near[p.channel.id]]
    sure = _capped(session, [p.channel for p in progress if p.waiting], _nearly_right, Listing.id)
    found += [Need("sure", sure[p.channel.id], p.channel) for p in progress if sure.get(p.channel.id)]
    waiting = [p for p in progress if p.waiting]
    if waiting:
        only = waiting[0].channel if len(waiting) == 1 else None
        found.append(Need("waiting", sum(p.waiting for p in waiting), only))
    return found


def last_acts(session: Session, *, limit: int = SHOWN) -> list[Act]:
    """The newest acts on links."""
    return [Act(batch, listing, channel) for batch, listing, channel in session.execute(_ACTS, {"limit": limit})]


def last_runs(session: Session, *, limit: int = SHOWN) -> list[tuple[SyncRun, Channel]]:
    """The newest rounds of sending."""
    return [(run, channel) for run, channel in session.execute(_RUNS, {"limit": limit})]


def largest_differences(session: Session, *, limit: int = SHOWN) -> tuple[list[Difference], int]:
    """The largest differences among the newest pairs, stock and price apart by turns, and how many of them differ."""
    rows = direct(session, _LARGEST, {"limit": limit}).all()
    stock = sorted((row for row in rows if row.more is not None), key=lambda row: row.by_stock)
    price = sorted((row for row in rows if row.price is not None), key=lambda row: row.by_price)
    of_price = price[: max(limit // 2, limit - len(stock))]
    of_stock = stock[: limit - len(of_price)]
    picked = [_difference(row, "price", Decimal(row.shown_price - row.price) * 100 / row.price) for row in of_price]
    picked += [_difference(row, "stock", Decimal(row.more)) for row in of_stock]
    return picked, rows[0].differing if rows else 0


def _difference(pair: Row[*tuple[Any, ...]], aspect: str, by: Decimal) -> Difference:
    return Difference(pair.id, pair.title or pair.sku, aspect, by)


def _stopped(progress: Sequence[Progress]) -> list[Need]:
    """Channels to which nothing is sent: those that broke, those the brakes hold, those a person paused."""
    broken = [Need("broken", 0, p.channel, p.channel.problem) for p in progress if p.channel.problem]
    held = [Need("held", 0, p.channel, p.channel.held) for p in progress if p.channel.held and not p.channel.problem]
    rest = [p.channel for p in progress if not p.channel.problem and not p.channel.held]
    return [*broken, *held, *(Need("paused", 0, channel) for channel in rest if channel.paused_at)]


def _refused(session: Session, progress: Sequence[Progress]) -> list[Need]:
    """Listings whose channel refused the last update, and the newest reason."""
    numbers = _capped(session, [p.channel for p in progress], _refused_on, Link.id)
    troubled = sorted((p.channel for p in progress if numbers[p.channel.id]), key=lambda c: -numbers[c.id])
    newest = [
        select(Link.channel_id, Link.problem).where(*_refused_on(near_misses.On(c.id, c.many))).limit(1).subquery()
        for c in troubled
    ]
    reasons: dict[int, str] = {}
    if newest:
        reasons.update(session.execute(union_all(*(select(*one.c) for one in newest))).all())
    return [Need("refused", numbers[c.id], c, reasons.get(c.id, "")) for c in troubled]


def _no_worker(session: Session, progress: Sequence[Progress], now: datetime) -> list[Need]:
    """Whether work waits and nobody does it."""
    seen = health.last_beat(session)
    if seen is not None and now - seen < health.LOST:
        return []
    for each in progress:
        if direct(session, _OVERDUE, {"before": now - health.LOST, "channel": each.channel.id}).first() is not None:
            return [Need("no_worker")]
    following = health.next_round(session)
    return [Need("no_worker")] if following is not None and following < now - health.LOST else []


def _imports(session: Session, now: datetime) -> list[Need]:
    """Imports that stopped, and checked files that nobody confirmed."""
    jobs = session.scalars(_JOBS, {"since": now - RECENT})
    return [Need(_STATES[job.state], job.rows_ok, None, job.message, job) for job in jobs]


def _said_before(session: Session, progress: Sequence[Progress]) -> list[Need]:
    """Listings that were set aside, by channel, and say something else now."""
    numbers = _capped(session, [p.channel for p in progress], _changed_on, Aside.listing_id)
    return [Need("changed", numbers[p.channel.id], p.channel) for p in progress if numbers[p.channel.id]]


def _by_hand(on: near_misses.On) -> list[ColumnElement[bool]]:
    """Pairs that the exact rule has not made."""
    return [Link.channel_id == on.id, Link.source != _SKU]


def _refused_on(on: near_misses.On) -> list[ColumnElement[bool]]:
    """Pairs whose last update was refused."""
    return [Link.channel_id == on.id, Link.problem != _NOTHING]


def _changed_on(on: near_misses.On) -> list[ColumnElement[bool]]:
    """Listings that were set aside and say something else now."""
    return [Aside.channel_id == on.id, Aside.changed_at.is_not(None)]


def _nearly_right(on: near_misses.On) -> list[ColumnElement[bool]]:
    """Waiting listings with a suggestion that is nearly always right."""
    return [Listing.channel_id == on.id, Listing.state == _WAITS, Listing.place <= 100 - SURE]


def _capped(session: Session, on: Iterable[Channel], which: Which, column: Any, *, cap: int = CAP) -> dict[int, int]:
    """How many rows of each channel are in question, up to one more than `cap`; all in one statement."""
    some = tuple(near_misses.On(channel.id, channel.many) for channel in on)
    return {int(key): int(n) for key, n in direct(session, _counting(some, which, column, cap))} if some else {}


@lru_cache(maxsize=64)
def _counting(some: tuple[near_misses.On, ...], which: Which, column: Any, cap: int) -> CompoundSelect[Any]:
    """The statement, made once for the same channels."""
    each = {on.id: select(column).where(*which(on)).limit(cap + 1).subquery() for on in some}
    return union_all(*(select(literal(key), func.count()).select_from(rows) for key, rows in each.items()))
