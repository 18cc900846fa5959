"""The catalogue as a search index, built by workers.

The index is a cache of the tables and may be thrown away at any time.
"""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, or_, select, union
from sqlalchemy.orm import Session

import matching
from webapp.db import among, among_those
from webapp.models.catalog import Product
from webapp.models.links import Link, PastLink
from webapp.models.listings import Listing

LOOK_AGAIN = 1.0  # seconds between two looks for changed products
OVERLAP = timedelta(seconds=10)
LATE = 50_000  # links that may commit after one with a higher id: a step of a reconciliation, and some
SAVE_AGAIN = 60.0  # seconds between two saves of an index that changes
CHUNK = 5_000
SMALL = 2_000  # products of a catalogue that is indexed on the spot, in 0.2 s
_BY_IDS = select(Product).where(among_those(Product.id, "ids"), Product.retired_at.is_(None))
SEEN = "seen"  # the file that says up to which moment the saved index knows of changes


@dataclass(frozen=True)
class Seen:
    """How far an index knows the tables: the moment of the last change of a product or end of a link, the last link."""

    at: datetime | None = None
    link: int = 0

    @property
    def since(self) -> datetime:
        """From when on to look again: a transaction may commit a little after the moment it wrote down."""
        return self.at - OVERLAP if self.at else datetime.min.replace(tzinfo=UTC)


class CatalogueIndex:
    """The index of this process; safe to share between threads.

    Workers build it and save it into `folder`; web processes map what lies there into memory and never build a
    large one, so that no page waits for it, and searching by words is left to the database until then.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._index: matching.Index | None = None
        self._seen = Seen()
        self._looked = self._saved_at = 0.0
        self._unsaved = False
        self._mapped: float | None = None  # when what is mapped was saved, by the clock of the file
        self._lock = threading.Lock()

    def current(self, session: Session) -> matching.Index:
        """The index as of at most a second ago, built if need be: minutes for a large catalogue, so for workers."""
        with self._lock:
            if self._index is None or self._mapped is not None:
                self._index = self._opened(session) or self._build(session)
                self._mapped = None
            elif time.monotonic() - self._looked > LOOK_AGAIN:
                self._refresh(session)
            return self._index

    def ready(self, session: Session) -> matching.Index | None:
        """The index as far as it is there, at once: for pages. None while the one of a large catalogue is being built.

        A small catalogue is indexed on the spot. A large one may be a minute behind.
        """
        if time.monotonic() - self._looked < LOOK_AGAIN:
            return self._index
        if _is_small(session):
            return self.current(session)
        if self._lock.acquire(blocking=False):  # whoever has it is looking already
            try:
                self._map()
            finally:
                self._lock.release()
        return self._index

    def keep(self, session: Session) -> None:
        """Bring the index up to date and save it for the web processes: what a worker does each minute."""
        if _is_small(session) or self._folder is None:
            return
        self.current(session)
        with self._lock:
            if self._unsaved and self._index is not None and time.monotonic() - self._saved_at > SAVE_AGAIN:
                self._save(self._index)

    def forget(self) -> None:
        """Build afresh at the next use."""
        with self._lock:
            self._index, self._mapped, self._looked = None, None, 0.0

    def _build(self, session: Session) -> matching.Index:
        self._seen = _newest(session)
        index = matching.Index.build(product_records(session))
        self._looked, self._unsaved = time.monotonic(), True
        if self._folder is not None and len(index) > SMALL:
            self._save(index)
        return index

    def _refresh(self, session: Session) -> None:
        newest = _newest(session)
        if newest != self._seen and self._index is not None:
            many = max(SMALL, len(self._index) // 10)
            if _few(session, _touched(self._seen), many) > many:
                self._index = self._build(session)
                return
            self._index = _changed(session, self._index, self._seen)
            self._seen, self._unsaved = newest, True
        self._looked = time.monotonic()

    def _opened(self, session: Session) -> matching.Index | None:
        """The saved index brought up to date; None when there is none that belongs to this catalogue."""
        if _is_small(session) or not self._map() or self._index is None:
            return None
        self._saved_at = time.monotonic()
        self._refresh(session)
        alive = select(Product.id).where(Product.retired_at.is_(None)).subquery()
        known = session.scalar(select(func.count()).select_from(alive))
        return self._index if len(self._index) == known else None

    def _map(self) -> bool:
        """Map the newest saved index into memory, unless that is done; gives whether there is one."""
        self._looked = time.monotonic()
        if self._folder is None or not (self._folder / SEEN).is_file():
            self._index = None
            return False
        saved_at = (self._folder / SEEN).stat().st_mtime
        if saved_at != self._mapped or self._index is None:
            try:
                moment, link = (self._folder / SEEN).read_text(encoding="ascii").split()
                seen = Seen(datetime.fromisoformat(moment), int(link))
                self._index = matching.Index.load(self._folder)
            except (OSError, ValueError):  # of another version, or just being replaced
                self._index = None
                return False
            self._seen, self._mapped = seen, saved_at
        return True

    def _save(self, index: matching.Index) -> None:
        """Save for others. The moment is written last: an older moment only has more products looked at again."""
        if self._folder is None or self._seen.at is None:
            return
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            index.save(self._folder)
            fresh = self._folder / f"{SEEN}.new"
            fresh.write_text(f"{self._seen.at.isoformat()} {self._seen.link}", encoding="ascii")
            fresh.replace(self._folder / SEEN)
        self._saved_at, self._unsaved = time.monotonic(), False


def _is_small(session: Session) -> bool:
    """Whether the catalogue is indexed faster than a person notices."""
    return _few(session, select(Product.id).where(Product.retired_at.is_(None)), SMALL) <= SMALL


def _changed(session: Session, index: matching.Index, seen: Seen) -> matching.Index:
    """The index with what has changed since then; the old one stays as it is for those that are searching in it."""
    fresh = copy(index)
    fresh.update(list(product_records(session, since=seen)))
    fresh.remove(
        session.scalars(select(Product.id).where(Product.changed_at >= seen.since, Product.retired_at.is_not(None)))
    )
    return fresh


def _newest(session: Session) -> Seen:
    """When the catalogue changed last, or what it is called on a channel."""
    changed, ended, link = session.execute(
        select(
            select(func.max(Product.changed_at)).scalar_subquery(),
            select(func.max(PastLink.ended_at)).scalar_subquery(),
            select(func.max(Link.id)).scalar_subquery(),
        )
    ).one()
    return Seen(max((at for at in (changed, ended) if at is not None), default=None), link or 0)


def _touched(seen: Seen) -> Select[Any]:
    """Ids of products whose facts changed since then, or which were linked or taken apart: their aliases changed."""
    changed = select(Product.id).where(Product.changed_at >= seen.since)
    fresh = or_(Link.id > seen.link, Link.created_at >= seen.since)
    linked = select(Link.product_id).where(Link.id > seen.link - LATE, fresh)
    return select(union(changed, linked, select(PastLink.product_id).where(PastLink.ended_at >= seen.since)).subquery())


def _few(session: Session, query: Select[Any], most: int) -> int:
    """How many rows, counted up to one more than `most`."""
    return int(session.scalar(select(func.count()).select_from(query.limit(most + 1).subquery())) or 0)


def product_records(session: Session, *, since: Seen | None = None) -> Iterator[matching.Record]:
    """Products as matching wants them, with the titles of their confirmed listings as aliases."""
    for products in _every(session) if since is None else _latest(session, since):
        aliases = _aliases(session, [p.id for p in products])
        for product in products:
            yield _record(product, aliases.get(product.id, ()))


def _every(session: Session) -> Iterator[list[Product]]:
    """The catalogue in chunks."""
    last = 0
    while True:
        query = select(Product).where(Product.id > last, Product.retired_at.is_(None)).order_by(Product.id).limit(CHUNK)
        products = list(session.scalars(query))
        if not products:
            return
        yield products
        last = products[-1].id


def _latest(session: Session, since: Seen) -> Iterator[list[Product]]:
    """What has changed since then, in chunks."""
    ids = sorted(session.scalars(_touched(since)))
    for start in range(0, len(ids), CHUNK):
        yield list(by_ids(session, ids[start : start + CHUNK]).values())


def product_record(product: Product) -> matching.Record:
    """One product as matching wants it."""
    return _record(product, ())


def listing_record(listing: Listing) -> matching.Record:
    """One listing as matching wants it."""
    return matching.Record(
        id=listing.id,
        sku=listing.sku,
        title=listing.title,
        brand=listing.brand,
        gtin=listing.gtin,
        mpn=listing.mpn,
        description=listing.description,
        category=listing.category,
        price=listing.price,
        currency=listing.currency,
        options=listing.options or {},
    )


def by_ids(session: Session, ids: Iterable[int | str]) -> dict[int | str, Product]:
    """Products by id, those that are still there."""
    wanted = [int(i) for i in ids]
    return {p.id: p for p in session.scalars(_BY_IDS, {"ids": wanted})} if wanted else {}


def _record(product: Product, aliases: Sequence[str]) -> matching.Record:
    return matching.Record(
        id=product.id,
        sku=product.sku,
        title=product.title,
        brand=product.brand,
        gtin=product.gtin,
        mpn=product.mpn,
        description=product.description,
        category=product.category,
        price=product.price,
        currency=product.currency,
        options=product.options or {},
        aliases=aliases,
    )


def _aliases(session: Session, product_ids: Sequence[int]) -> dict[int, list[str]]:
    """Titles of confirmed listings by product: what other channels call it."""
    if not product_ids:
        return {}
    query = (
        select(Link.product_id, Listing.title)
        .join(Listing, Listing.id == Link.listing_id)
        .where(among(session, Link.product_id, product_ids), Listing.title != "")
    )
    titles: dict[int, list[str]] = {}
    for product_id, title in session.execute(query):
        titles.setdefault(product_id, []).append(title)
    return titles
