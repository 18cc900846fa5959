"""Variants together: after one listing of a family is linked, the other variants are proposed as one grid.

A family of listings shares the channel's parent id; where a channel gives none, it is what was suggested for the
variants of one base product, with the same options and the same title but for their values. Nothing here decides:
`link` makes, as one act, the pairs that a person ticked in the grid and that still hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

import matching
from webapp.errors import phrase
from webapp.models.accounts import Actor
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import Link, Refusal, Suggestion
from webapp.models.listings import Listing, ListingState
from webapp.services import links, retrieval

MOST = 250  # variants of one family that are looked at: as many as fit on a screen that a person checks


class Standing(StrEnum):
    """What the grid says of one listing."""

    FITS = "fits"  # ticked: every option agrees, nothing contradicts
    CLOSE = "close"  # may be ticked: an option is only close, or only said by a title
    DIFFERS = "differs"  # may be ticked: the options agree, but a GTIN, a pack or a price contradicts
    LINKED = "linked"
    ASIDE = "aside"  # a person set the listing aside
    TAKEN = "taken"  # the product has its one listing on the channel
    SHARED = "shared"  # another listing of the family fits the same product, which can have one
    REFUSED = "refused"  # a person said no to this pair
    SEVERAL = "several"  # more than one product has these options
    NONE = "none"  # no product has them


OPEN = (Standing.FITS, Standing.CLOSE, Standing.DIFFERS)  # what may be ticked


@dataclass(frozen=True)
class Variant:
    """One line of the grid: a listing, the product it is or might be, and its options.

    `turns` are the values in which it differs from the listing that the grid was opened for. `against` is the
    evidence that contradicts, with `field`, `ours` and `theirs`.
    """

    listing: Listing
    standing: Standing
    product: Product | None = None
    options: tuple[matching.Option, ...] = ()
    turns: frozenset[str] = frozenset()
    against: tuple[matching.Evidence, ...] = ()
    held: str = ""  # the channel's id of the listing that has the product

    @property
    def open(self) -> bool:
        """Whether a person may tick it."""
        return self.standing in OPEN and self.product is not None

    @property
    def ticked(self) -> bool:
        """Whether it is ticked before anybody looks."""
        return self.standing is Standing.FITS


@dataclass(frozen=True)
class Grid:
    """The variants of one listing beside the products of one base.

    `spare` are products of the base without a listing here. `more`: there are more than MOST of either.
    """

    listing: Listing
    product: Product
    variants: list[Variant]
    spare: list[Product]
    more: bool = False

    @property
    def others(self) -> int:
        """How many variants fit, beside the one that the grid was opened for."""
        return sum(v.ticked and v.listing.id != self.listing.id for v in self.variants)

    @property
    def products(self) -> int:
        """How many products those are."""
        return len({v.product.id for v in self.variants if v.ticked and v.product and v.listing.id != self.listing.id})


def grid(session: Session, listing: Listing, channel: Channel, product_id: int | None = None) -> Grid | None:
    """The grid of a linked listing, or of one that is about to be linked to a product.

    None where the product has no base, or the listing has no variants.
    """
    if not (listing.parent_id or listing.options):
        return None
    linked = session.scalar(select(Link.product_id).where(Link.listing_id == listing.id))
    product = session.get(Product, linked or product_id or 0)
    if product is None or product.base_id is None or product.retired_at is not None:
        return None
    alive = (Product.base_id == product.base_id, Product.retired_at.is_(None))
    products = list(session.scalars(select(Product).where(*alive).order_by(Product.id).limit(MOST + 1)))
    listings = _family(session, listing, [p.id for p in products])
    if len(products) < 2 or len(listings) < 2:
        return None
    more = max(len(products), len(listings)) > MOST
    family = _Family(session, channel, listing, product, products[:MOST], listings[:MOST])
    variants = family.variants()
    # A pair that nobody has made yet has to be right by its options before it speaks for others.
    mine = next((v for v in variants if v.listing.id == listing.id), None)
    if linked is None and (mine is None or not mine.open or mine.product != product):
        return None
    return Grid(listing, product, variants, family.spare(), more)


def offer(session: Session, listing: Listing, channel: Channel, product_id: int | None = None) -> Grid | None:
    """The grid that a person should look at beside a listing, if other variants fit; None when none do.

    It is the listing's own, or where that one is not yet known to be right, the one of a variant that is linked.
    """
    found = grid(session, listing, channel, product_id)
    if found is None and listing.parent_id:
        kin = (
            Listing.channel_id == listing.channel_id,
            Listing.parent_id == listing.parent_id,
            Listing.parent_id != "",
        )
        linked = select(Listing).join(Link, Link.listing_id == Listing.id).where(*kin).order_by(Listing.id).limit(1)
        sibling = session.scalar(linked)
        found = grid(session, sibling, channel) if sibling is not None else None
    return found if found is not None and found.others else None


def link(
    session: Session,
    listing: Listing,
    channel: Channel,
    product_id: int | None,
    ticked: Collection[tuple[int, int]],
    *,
    by: Actor,
) -> links.Change | None:
    """Link the ticked pairs (listing id, product id) that still may be, as one act; the rest is refused in words.

    None when nothing of it holds any more.
    """
    found = grid(session, listing, channel, product_id)
    pairs, stale = [], []
    for v in found.variants if found else ():
        wanted = {p for x, p in ticked if x == v.listing.id}
        if wanted and v.open and v.product is not None and v.product.id in wanted:
            score = matching.compare(retrieval.product_record(v.product), retrieval.listing_record(v.listing)).score
            pairs.append(links.Pair(v.listing.id, v.product.id, score))
        elif wanted and v.standing is not Standing.LINKED:
            name = v.listing.sku or v.listing.external_id
            words = phrase("{listing} was changed meanwhile and left as it is.", listing=name)
            stale.append(links.RefusedItem(v.listing.id, v.listing.external_id, words))
    if not pairs:
        return None
    change = links.confirm(session, pairs, by=by, reason=phrase("variants of one listing"), shown=listing.id)
    change.refused += stale
    return change


def _family(session: Session, listing: Listing, product_ids: Sequence[int]) -> list[Listing]:
    """The listings of the family in id order, this one among them, and those that are linked to the products."""
    here = Listing.channel_id == listing.channel_id
    if listing.parent_id:
        which: ColumnElement[bool] = Listing.parent_id == listing.parent_id
        query = select(Listing).where(here, which, Listing.parent_id != "")
        return list(session.scalars(query.order_by(Listing.id).limit(MOST + 1)))
    suggested = select(Suggestion.listing_id).where(Suggestion.product_id.in_(product_ids))
    linked = select(Link.listing_id).where(Link.product_id.in_(product_ids), Link.channel_id == listing.channel_id)
    near = or_(Listing.id.in_(suggested), Listing.id.in_(linked), Listing.id == listing.id)
    rows = session.scalars(select(Listing).where(here, near, Listing.parent_id == "").order_by(Listing.id))
    mine = _shape(listing)
    return [x for x in rows.yield_per(MOST) if x.id == listing.id or _shape(x) == mine][: MOST + 1]


def _shape(listing: Listing) -> tuple[frozenset[str], str]:
    """What the variants of one listing share: the options they name, and the title without their values."""
    return matching.shape(retrieval.listing_record(listing))


class _Family:
    """What is known of a family while its grid is made."""

    def __init__(
        self,
        session: Session,
        channel: Channel,
        listing: Listing,
        product: Product,
        products: Sequence[Product],
        listings: Sequence[Listing],
    ) -> None:
        self.listing, self.product, self.many = listing, product, channel.many
        self.products = {p.id: p for p in products}
        self.listings = listings
        ids = [x.id for x in listings]
        self.linked: dict[int, int] = dict(
            session.execute(select(Link.listing_id, Link.product_id).where(Link.listing_id.in_(ids))).all()
        )
        refusals = select(Refusal.listing_id, Refusal.product_id).where(Refusal.listing_id.in_(ids))
        self.refused = frozenset((x, p) for x, p in session.execute(refusals))
        held = (
            select(Link.product_id, Link.listing_id, Listing.external_id)
            .join(Listing, Listing.id == Link.listing_id)
            .where(Link.product_id.in_(self.products), Link.channel_id == channel.id)
        )
        self.held = {p: (x, external_id) for p, x, external_id in session.execute(held)}
        self.ours = {p.id: retrieval.product_record(p) for p in products}
        self.theirs = {x.id: retrieval.listing_record(x) for x in listings}
        self.strangers = retrieval.by_ids(session, set(self.linked.values()) - self.products.keys())

    def variants(self) -> list[Variant]:
        """Every listing of the family with what it is."""
        known: dict[int | str, int | str] = {x: p for x, p in self.linked.items() if p in self.products}
        placed = matching.place_variants(
            list(self.ours.values()), list(self.theirs.values()), known, refused=self.refused
        )
        by_id = {p.listing_id: p for p in placed}
        wanted = Counter(p.product_id for p in placed if p.fit in (matching.Fit.FITS, matching.Fit.CLOSE))
        return [self._variant(x, by_id.get(x.id), wanted) for x in self.listings]

    def spare(self) -> list[Product]:
        """The products of the base that have no listing here."""
        return [p for p in self.products.values() if p.id not in self.held]

    def _variant(self, listing: Listing, placed: matching.Placed | None, wanted: Counter[int | str | None]) -> Variant:
        turns = self._turns(listing)
        if placed is None or listing.id in self.linked:
            other = self.linked[listing.id]
            product = self.products.get(other) or self.strangers.get(other)
            return Variant(listing, Standing.LINKED, product, _plain(listing), turns)
        standing, options = Standing(placed.fit.value), placed.options
        product = self.products.get(int(placed.product_id)) if placed.product_id is not None else None
        if listing.state is not ListingState.PENDING:
            return Variant(listing, Standing.ASIDE, product, options, turns)
        if product is None or standing not in OPEN:
            return Variant(listing, standing, product, options, turns)
        if not self.many and product.id in self.held:
            return Variant(listing, Standing.TAKEN, product, options, turns, held=self.held[product.id][1])
        if not self.many and wanted[product.id] > 1:
            return Variant(listing, Standing.SHARED, product, options, turns)
        return self._judged(listing, product, standing, options, turns)

    def _judged(
        self,
        listing: Listing,
        product: Product,
        standing: Standing,
        options: tuple[matching.Option, ...],
        turns: frozenset[str],
    ) -> Variant:
        """A pair that may be made, and what contradicts beyond the options."""
        ours, theirs = self.ours[product.id], self.theirs[listing.id]
        found = matching.contradiction(ours, theirs)
        against = tuple(e for e in found.evidence if e.field not in ("options", "size")) if found else ()
        standing = Standing.DIFFERS if against else standing
        return Variant(listing, standing, product, options, turns, against)

    def _turns(self, listing: Listing) -> frozenset[str]:
        mine = self.listing.options or {}
        return frozenset(str(v) for n, v in (listing.options or {}).items() if mine.get(n) != v)


def _plain(listing: Listing) -> tuple[matching.Option, ...]:
    said: Iterable[tuple[str, object]] = (listing.options or {}).items()
    return tuple(matching.Option(name, "", str(v), matching.Verdict.SAME) for name, v in said if v)
