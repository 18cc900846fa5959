"""What there is to choose from for one listing: suggestions and search results, with their reasons.

Nothing here writes. A listing whose suggestions are still to be found is matched on the spot, without keeping them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zlib import crc32

from sqlalchemy import Select, and_, bindparam, exists, literal, select
from sqlalchemy.orm import Session

import matching
from matching.identifiers import match_key, parse_gtin
from webapp.db import among_those, direct
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import Link, Refusal, Suggestion
from webapp.models.listings import NOT_COMPUTED, SKIPPED_FROM, Listing, ListingState
from webapp.services import refusals, retrieval, searching, suggestions

FOUND = 9  # search results: as many as there are number keys
TOGETHER = 100  # listings that one key links at most
_OTHERS = (
    select(Listing.id)
    .where(Listing.channel_id == bindparam("channel"), Listing.id != bindparam("listing"))
    .order_by(Listing.id)
    .limit(TOGETHER - 1)
)
_SAME_SKU = _OTHERS.where(
    Listing.state == ListingState.PENDING, Listing.match_key == bindparam("key"), Listing.match_key.is_not(None)
)
# What the index by GTIN holds, written out in the statement, or SQLite would not see that it serves.
_SAME_GTIN = _OTHERS.where(
    Listing.gtin.in_(bindparam("spelt", expanding=True)),
    Listing.gtin != literal("", literal_execute=True),
    Listing.state == literal(ListingState.PENDING, Listing.state.type, literal_execute=True),
    Listing.place != literal(NOT_COMPUTED, literal_execute=True),
)
_SCORES = (
    select(Suggestion.product_id, Suggestion.score, Refusal.batch_id)
    .outerjoin(Refusal, and_(Refusal.listing_id == Suggestion.listing_id, Refusal.product_id == Suggestion.product_id))
    .where(Suggestion.listing_id == bindparam("listing"))
    .order_by(Suggestion.rank)
)
_SUGGESTED = _SCORES.add_columns(Suggestion.difference, Suggestion.evidence)
_TAKEN = (
    select(Link.product_id, Listing.id, Listing.external_id, Listing.title)
    .join(Listing, Listing.id == Link.listing_id)
    .where(among_those(Link.product_id, "products"), Link.channel_id == bindparam("channel"))
)
_KNOWN = select(Product.id).where(among_those(Product.id, "products"))
_OFFERED = select(
    Product.id,
    Product.gtin,
    exists().where(Link.product_id == Product.id, Link.channel_id == bindparam("channel")),
).where(among_those(Product.id, "products"), Product.retired_at.is_(None))


@dataclass(frozen=True)
class Taken:
    """The listing that has a product already on this channel."""

    listing_id: int
    external_id: str
    title: str


@dataclass(frozen=True)
class Choice:
    """A product that may be the listing: score, the reasons that add up to it, and who has it on this channel."""

    rank: int
    product: Product
    score: int
    difference: str
    evidence: list[dict[str, Any]]
    taken: Taken | None = None
    refused: bool = False  # a person may have said no to it, of facts that have changed since


@dataclass(frozen=True)
class Found:
    """What a search found, and how many of its products were left out since they have their listing already."""

    choices: list[Choice] = field(default_factory=list)
    hidden: int = 0


@dataclass(frozen=True)
class Holder:
    """The product a listing is linked to, by whom and when."""

    product: Product
    by_name: str
    at: datetime


@dataclass(frozen=True)
class Stage:
    """One listing with everything that is needed to decide on it."""

    listing: Listing
    channel: Channel
    choices: list[Choice] = field(default_factory=list)
    chosen: Choice | None = None
    same: int = 0  # other waiting listings with this very SKU, or else with the GTIN of it and the product
    same_by: str = ""  # "sku" or "gtin"
    holder: Holder | None = None
    said: refusals.Said | None = None  # what somebody decided on other facts

    @property
    def version(self) -> str:
        """What a form carries; another one at the time of posting means that the world has changed."""
        return version(self.listing)

    @property
    def mark(self) -> str:
        """What is offered, in eight hexadecimal digits: another mark means that the stage has to be shown again."""
        return _mark(self.version, self.same, ((c.product.id, c.score, c.taken is not None) for c in self.choices))

    @property
    def product_id(self) -> int | None:
        """The product beside the listing."""
        return self.chosen.product.id if self.chosen else None

    @property
    def best(self) -> int | None:
        """The score of the first suggestion; None where there is none, or another product is compared."""
        return self.choices[0].score if self.choices and self.chosen is self.choices[0] else None

    @property
    def others(self) -> list[Choice]:
        """The choices that are not being compared."""
        return [c for c in self.choices if c is not self.chosen]


@dataclass(frozen=True)
class Outline:
    """As much of a stage as tells whether a screen shows it as it is, and the lines around it."""

    listing: Listing
    mark: str
    best: int | None = None
    product_id: int | None = None


def version(listing: Listing) -> str:
    """The state a decision was made on."""
    return f"{listing.fence}.{listing.state.value}"


def stage(
    session: Session, listing: Listing, channel: Channel, index: retrieval.CatalogueIndex, *, compare: int = 0
) -> Stage:
    """A listing with its choices; `compare` is the product to put beside it instead of the best one."""
    if listing.state == ListingState.LINKED:
        return Stage(listing, channel, holder=holder(session, listing))
    found = choices(session, listing, channel, index)
    chosen = next((c for c in found if c.product.id == compare), None)
    if chosen is None and compare:
        extra = weigh(session, listing, channel, retrieval.by_ids(session, [compare]).values())
        chosen = extra[0] if extra else None
    first = chosen or (found[0] if found else None)
    same, by = _group(session, listing, first.product.gtin if first else "")
    said = _said(session, listing, first)
    return Stage(listing, channel, found, first, len(same), by, said=said)


def outline(session: Session, listing: Listing, channel: Channel, index: retrieval.CatalogueIndex) -> Outline:
    """The same as `stage` without products and reasons, in a third of the time."""
    if listing.state == ListingState.LINKED:
        return Outline(listing, _mark(version(listing), 0, ()))
    rows = direct(session, _SCORES, {"listing": listing.id}).all()
    found, _ = _not_refused(session, listing, rows)
    kept = [(int(row.product_id), int(row.score)) for row in found]
    if _to_be_found(listing, kept):
        kept = [(int(c.product_id), c.score) for c in suggestions.worth_showing(_at_once(session, listing, index))]
    ids = {"products": [i for i, _score in kept], "channel": channel.id}
    here = {i: (gtin, held and not channel.many) for i, gtin, held in direct(session, _OFFERED, ids)} if kept else {}
    offered = [(i, score, here[i][1]) for i, score in kept if i in here]
    first = offered[0] if offered else None
    same, _by = _group(session, listing, here[first[0]][0] if first else "")
    mark = _mark(version(listing), len(same), offered)
    return Outline(listing, mark, first[1] if first else None, first[0] if first else None)


def _mark(version: str, same: int, offered: Iterable[tuple[int, int, bool]]) -> str:
    """A digest of what is offered: product, score, and whether it is taken."""
    each = (f"{product_id}{'!' if held else ''}{score}" for product_id, score, held in offered)
    return f"{crc32(' '.join([version, str(same), *each]).encode()):08x}"


def _said(session: Session, listing: Listing, first: Choice | None) -> refusals.Said | None:
    """What somebody said of the listing, or of it and this product, before the facts changed."""
    if listing.state in refusals.ASIDE:
        return refusals.said_of_listing(session, listing)
    return refusals.said_of_pair(session, listing.id, first.product.id) if first and first.refused else None


def choices(session: Session, listing: Listing, channel: Channel, index: retrieval.CatalogueIndex) -> list[Choice]:
    """The suggestions of a listing, best first, while it waits without those a person refused as they are now."""
    rows = direct(session, _SUGGESTED, {"listing": listing.id}).all()
    found, refused = _not_refused(session, listing, rows)
    kept = [(row.product_id, row.score, row.difference, row.evidence) for row in found]
    if _to_be_found(listing, kept):
        kept = [_plain(c) for c in suggestions.worth_showing(_at_once(session, listing, index))]
        refused = {k[0] for k in kept}  # not known: whoever shows them asks
    return [replace(c, refused=c.product.id in refused) for c in _dressed(session, channel, kept)]


def _not_refused(session: Session, listing: Listing, rows: Sequence[Any]) -> tuple[list[Any], set[int]]:
    """The suggestions that may be shown, and the products that somebody refused, if on other facts."""
    refused = {row.product_id for row in rows if row.batch_id is not None}
    waits = listing.state == ListingState.PENDING
    binding = refusals.binding(session, [listing.id]).get(listing.id, set()) if refused and waits else set[int]()
    return [row for row in rows if row.product_id not in binding], refused


def _to_be_found(listing: Listing, kept: Sequence[Any]) -> bool:
    """Whether the suggestions of a listing are found on the spot."""
    unknown = listing.place == NOT_COMPUTED or listing.place >= SKIPPED_FROM
    return unknown and (not kept or listing.state in refusals.ASIDE)


def weigh(session: Session, listing: Listing, channel: Channel, products: Iterable[Product]) -> list[Choice]:
    """These products as choices, each compared by itself; the order stays."""
    compared = _compared(listing, products)
    held = _held(session, channel, [p.id for p, _ in compared])
    return [_choice(rank, p, c, held) for rank, (p, c) in enumerate(compared, 1)]


def search(
    session: Session, listing: Listing, channel: Channel, index: retrieval.CatalogueIndex, text: str, *, hide: bool
) -> Found:
    """Products found by free text; `hide` leaves out those that have their listing on this channel."""
    if not text.strip():
        return Found()
    products = searching.search(session, index, text, limit=4 * FOUND, fill=True)
    held = _held(session, channel, [p.id for p in products])
    free = [p for p in products if not (hide and p.id in held)]  # before they are compared, which takes longest
    found = _compared(listing, free)
    key = match_key(text)
    found.sort(key=lambda f: (f[0].match_key != key, -f[1].score))  # stable: among equals the search's own order
    choices = [_choice(rank, p, c, held) for rank, (p, c) in enumerate(found[:FOUND], 1)]
    return Found(choices, hidden=min(len(products) - len(free), FOUND))


def score_of(session: Session, listing: Listing, product_id: int, index: retrieval.CatalogueIndex) -> int | None:
    """The score a decision is remembered with: the suggestion's, else that of comparing the two by themselves."""
    query = select(Suggestion.score).where(Suggestion.listing_id == listing.id, Suggestion.product_id == product_id)
    kept = session.scalar(query)
    if kept is None and listing.place == NOT_COMPUTED:
        found = _at_once(session, listing, index)
        kept = next((c.score for c in found if c.product_id == product_id), None)
    product = session.get(Product, product_id)
    if kept is None and product is not None:
        kept = matching.compare(retrieval.product_record(product), retrieval.listing_record(listing)).score
    return kept


def same_identifier(session: Session, listing: Listing, product_id: int) -> tuple[list[int], str]:
    """The waiting listings that one key may link to the product, this one first, and why: "sku", "gtin", or nothing."""
    product = session.get(Product, product_id)
    others, by = _group(session, listing, product.gtin if product else "")
    return [listing.id, *others], by


def holder(session: Session, listing: Listing) -> Holder | None:
    """The product a listing is linked to."""
    query = select(Product, Link.by_name, Link.created_at).join(Link, Link.product_id == Product.id)
    row = session.execute(query.where(Link.listing_id == listing.id)).first()
    return Holder(row[0], row[1], row[2]) if row else None


def taken(session: Session, channel_id: int, product_ids: Sequence[int]) -> dict[int, Taken]:
    """The listings on this channel that have these products, by product id."""
    rows = direct(session, _TAKEN, {"products": product_ids, "channel": channel_id})
    return {row[0]: Taken(row[1], row[2], row[3]) for row in rows}


def product(session: Session, product_id: int) -> Product | None:
    """The product, if it is in the catalogue."""
    return retrieval.by_ids(session, [product_id]).get(product_id)


def known(session: Session, product_ids: Sequence[int]) -> list[int]:
    """Those of the ids that are products."""
    return list(direct(session, _KNOWN, {"products": product_ids}).scalars())


def _group(session: Session, listing: Listing, gtin: str) -> tuple[list[int], str]:
    """Other waiting listings of the channel with the same SKU; else with the same GTIN, if the product has this one.

    A blank identifier has none. A number is the same however many zeros stand before it. Listings whose suggestions
    are still to be found are not among those with the same GTIN: the worker may find a better product for them.
    """
    if listing.state != ListingState.PENDING:
        return [], ""
    here = {"channel": listing.channel_id, "listing": listing.id}
    if listing.match_key is not None and (found := _ids(session, _SAME_SKU, {**here, "key": listing.match_key})):
        return found, "sku"
    ours, theirs = parse_gtin(gtin), parse_gtin(listing.gtin)
    if ours is None or theirs is None or ours.digits != theirs.digits or not theirs.valid:
        return [], ""
    bare = theirs.digits.lstrip("0")
    spelt = {listing.gtin, bare, *(bare.zfill(n) for n in (8, 12, 13, 14))}
    found = _ids(session, _SAME_GTIN, {**here, "spelt": list(spelt)})
    return found, "gtin" if found else ""


def _ids(session: Session, statement: Select[int], values: Mapping[str, Any]) -> list[int]:
    return list(direct(session, statement, values).scalars())


def _at_once(session: Session, listing: Listing, index: retrieval.CatalogueIndex) -> list[matching.Candidate]:
    """The candidates of a listing that no worker has looked at yet; none while there is no index."""
    ready = index.ready(session)
    if ready is None:
        return []
    refused = refusals.binding(session, [listing.id]).get(listing.id, set())
    record = retrieval.listing_record(listing)
    found = matching.suggest_many([record], ready, top=suggestions.SHOWN + len(refused))[0]
    return [c for c in found if c.product_id not in refused][: suggestions.SHOWN]


def _compared(listing: Listing, products: Iterable[Product]) -> list[tuple[Product, matching.Candidate]]:
    """These products in their order, each with what comparing it with the listing says."""
    every = list(products)
    records = map(retrieval.product_record, every)
    return list(zip(every, matching.compare_all(list(records), retrieval.listing_record(listing)), strict=True))


def _choice(rank: int, product: Product, compared: matching.Candidate, held: Mapping[int, Taken]) -> Choice:
    _, score, difference, evidence = _plain(compared)
    return Choice(rank, product, score, difference, evidence, held.get(product.id))


def _held(session: Session, channel: Channel, product_ids: Sequence[int]) -> dict[int, Taken]:
    """The listings that have these products already, on a channel where each may have one."""
    return {} if channel.many or not product_ids else taken(session, channel.id, product_ids)


def _plain(candidate: matching.Candidate) -> tuple[int, int, str, list[dict[str, Any]]]:
    evidence = [suggestions.evidence_json(e) for e in candidate.evidence]
    return int(candidate.product_id), candidate.score, candidate.difference, evidence


def _dressed(
    session: Session, channel: Channel, found: Sequence[tuple[int, int, str, list[dict[str, Any]]]]
) -> list[Choice]:
    """Choices with their products, and with the listings that have them already on a one-listing channel."""
    ids = [f[0] for f in found]
    if not ids:
        return []
    products = retrieval.by_ids(session, ids)
    held = _held(session, channel, ids)
    alive = [f for f in found if f[0] in products]
    return [
        Choice(rank, products[i], score, difference, evidence, held.get(i))
        for rank, (i, score, difference, evidence) in enumerate(alive, 1)
    ]
