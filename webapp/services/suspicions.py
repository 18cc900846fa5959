"""Confirmed pairs whose facts contradict: found by workers in small steps, kept or taken apart by people.

A step reads some links, compares their two sides without any lock (`look`), and then writes down the few that
contradict (`settle`), which takes the write lock for as long as a click does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

import matching
from webapp.db import among
from webapp.errors import phrases
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Price, PriceList, Product
from webapp.models.channels import Channel
from webapp.models.links import BatchVerb, Link
from webapp.models.listings import Listing
from webapp.models.suspicions import Recheck, RecheckOf, Suspicion
from webapp.services import acts, differences, rechecks
from webapp.services.suggestions import evidence_json

STEP = 250  # links in one step: 40 ms of comparing, and some 10 ms of writing where all of them differ
CAP = 10_000  # they are counted up to here
SIDES = ("sku", "title", "brand", "gtin", "mpn", "options")  # what is compared, beside prices
_OURS = [getattr(Product, name).label(f"our_{name}") for name in SIDES]
_THEIRS = [getattr(Listing, name).label(f"their_{name}") for name in SIDES]


@dataclass(frozen=True)
class Found:
    """What a step has found out: the links that contradict, and how far in its span it got."""

    upto: int
    links: int = 0
    suspicious: dict[int, dict[str, Any]] = field(default_factory=dict)  # listing id: values of its row
    cleared: frozenset[int] = frozenset()  # listings that were suspicious and no longer are
    seen: dict[int, Row[Any]] = field(default_factory=dict)  # listing id: what was compared
    apart: dict[int, differences.Seen] = field(default_factory=dict)  # link id: how far off its listing is


def look(session: Session, span: Recheck, *, limit: int = STEP) -> Found:
    """Compare the next links of a span; read-only, so that nobody waits for it."""
    rows, upto = _next(session, span, limit)
    now = utc_now()
    suspicious = {row.listing_id: found for row in rows if (found := judge(row, now)) is not None}
    known = select(Suspicion.listing_id).where(among(session, Suspicion.listing_id, [r.listing_id for r in rows]))
    cleared = frozenset(session.scalars(known)) - suspicious.keys() if rows else frozenset[int]()
    seen = {row.listing_id: row for row in rows if row.listing_id in suspicious or row.listing_id in cleared}
    apart = differences.look(session, [row.listing_id for row in rows]) if rows else {}
    return Found(upto, len(rows), suspicious, cleared, seen, apart)


def settle(session: Session, claimed: Recheck, found: Found, *, now: datetime) -> bool:
    """Write down what a step found, and how far it got; gives whether there is more of the span for this worker.

    A link that ended or whose facts changed meanwhile is passed over: that change has asked for a look of its own.
    """
    held = rechecks.hold(session, claimed)
    if held is None:
        return False
    if found.seen or found.apart:
        _lock(session, found)
    if found.seen:
        _write(session, found)
    differences.write(session, found.apart)
    rechecks.advance(session, held, found.upto, now=now)
    return found.upto < claimed.upto


def judge(row: Any, now: datetime) -> dict[str, Any] | None:
    """What contradicts in a pair, as a row of the table; None when nothing does."""
    sides: list[dict[str, Any]] = [
        {name: getattr(row, f"{side}_{name}") or "" for name in (*SIDES, "currency")}
        | {"price": getattr(row, f"{side}_price"), "options": getattr(row, f"{side}_options") or {}}
        for side in ("our", "their")
    ]
    ours, theirs = matching.Record(row.product_id, **sides[0]), matching.Record(row.listing_id, **sides[1])
    found = matching.contradiction(ours, theirs)
    if found is None:
        return None
    priced = any(e.field == "price" for e in found.evidence)
    return {
        "listing_id": row.listing_id,
        "product_id": row.product_id,
        "channel_id": row.channel_id,
        "severity": 100 - found.score,
        "reasons": [evidence_json(e) for e in found.evidence],
        "facts": digest(ours, theirs, prices=priced),
        "kept_batch_id": None,
        "found_at": now,
    }


def digest(ours: matching.Record, theirs: matching.Record, *, prices: bool) -> str:
    """A mark of the facts of both sides; of their prices only where these are what contradicts, as they move often."""
    facts = [[getattr(side, name) for name in SIDES if name != "options"] for side in (ours, theirs)]
    facts += [sorted((str(k), str(v)) for k, v in side.options.items()) for side in (ours, theirs)]
    if prices:
        facts += [[f"{side.price:f}" if side.price is not None else "", side.currency] for side in (ours, theirs)]
    return hashlib.blake2s(repr(facts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def keep(session: Session, listing_ids: Sequence[int], *, by: Actor) -> acts.Change:
    """Say that these pairs are right as they are: they are asked about again only when their facts change.

    Pairs that are not suspicious, or were kept already, are counted as unchanged.
    """
    change = acts.Change(batch=acts.begin(session, BatchVerb.KEEP, by, "", listing_ids))
    acts.lock(session, listing_ids)
    open_ones = among(session, Suspicion.listing_id, listing_ids), Suspicion.open()
    alive = select(Link.id).where(Link.listing_id == Suspicion.listing_id).exists()
    statement = update(Suspicion).where(*open_ones, alive).values(kept_batch_id=change.act.id)
    done = session.execute(statement.execution_options(synchronize_session=False))
    change.changed = int(done.rowcount)  # type: ignore[attr-defined]
    change.unchanged = len(listing_ids) - change.changed
    words = phrases("Kept {n} suspicious pair.", "Kept {n} suspicious pairs.", change.changed)
    return acts.close(session, change, by, "link.kept", words)


def count(session: Session, channel_id: int | None = None) -> int:
    """How many pairs wait for somebody to keep them or take them apart, up to one more than CAP."""
    here = [Suspicion.channel_id == channel_id] if channel_id is not None else []
    some = select(Suspicion.listing_id).where(Suspicion.open(), *here).limit(CAP + 1)
    return int(session.scalar(select(func.count()).select_from(some.subquery())) or 0)


def _next(session: Session, span: Recheck, limit: int) -> tuple[list[Row[Any]], int]:
    """The next links of a span, and the id up to which they are all of them."""
    column = Link.listing_id if span.of is RecheckOf.LISTINGS else Link.product_id
    ids = select(column).where(column > span.after, column <= span.upto).distinct().order_by(column).limit(limit)
    some = list(session.scalars(ids))
    upto = some[-1] if len(some) == limit else span.upto
    rows = list(session.execute(_pairs().where(among(session, column, some)))) if some else []
    return rows, upto


def _pairs() -> Select[Any]:
    """Both sides of links: ours with the price the channel is told; a currency that is not said is the channel's."""
    plain = Channel.price_list_id.is_(None)
    price = case((plain, Product.price), else_=Price.amount).label("our_price")
    currency = case((plain, Product.currency), else_=PriceList.currency)
    theirs = [*_THEIRS, Listing.price.label("their_price"), _money(Listing.currency).label("their_currency")]
    query: Select[Any] = select(
        Link.listing_id, Link.product_id, Link.channel_id,
        *_OURS, price, _money(currency).label("our_currency"), *theirs,
    )  # fmt: skip
    return (
        query.join(Product, Product.id == Link.product_id)
        .join(Listing, Listing.id == Link.listing_id)
        .join(Channel, Channel.id == Link.channel_id)
        .outerjoin(Price, and_(Price.product_id == Product.id, Price.price_list_id == Channel.price_list_id))
        .outerjoin(PriceList, PriceList.id == Channel.price_list_id)
    )


def _money(currency: Any) -> ColumnElement[str]:
    return func.coalesce(func.nullif(currency, ""), Channel.currency)


def _lock(session: Session, found: Found) -> None:
    """Take the links that a step writes about in id order, as everywhere: two writers never wait in a ring."""
    if session.get_bind().dialect.name == "postgresql":
        which = or_(among(session, Link.listing_id, found.seen), among(session, Link.id, found.apart))
        session.execute(select(Link.id).where(which).order_by(Link.id).with_for_update())


def _write(session: Session, found: Found) -> None:
    pairs = session.execute(_pairs().where(among(session, Link.listing_id, found.seen)))
    now_is = {row.listing_id: row for row in pairs}
    same = [i for i, row in found.seen.items() if i in now_is and tuple(now_is[i]) == tuple(row)]
    mine = select(Suspicion).where(among(session, Suspicion.listing_id, same)).order_by(Suspicion.listing_id)
    known = {s.listing_id: s for s in session.scalars(mine.with_for_update())}
    for listing_id in same:
        row, old = found.suspicious.get(listing_id), known.get(listing_id)
        if old is not None and row is not None:
            _renew(old, row)
        elif old is not None:
            session.delete(old)
        elif row is not None:
            session.add(Suspicion(**row))
    session.flush()


def _renew(old: Suspicion, row: dict[str, Any]) -> None:
    """Say of a pair what was found now; what a person kept stays kept while pair and facts are the same."""
    same = (old.product_id, old.facts) == (row["product_id"], row["facts"])
    for name, value in row.items():
        if not (same and name in ("kept_batch_id", "found_at")):
            setattr(old, name, value)
