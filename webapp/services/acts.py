"""What every act on links shares: its values, the locks it takes, and the words of a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from webapp.db import among_those, direct
from webapp.errors import phrase, phrases
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import BatchVerb, Link, LinkBatch, Refusal
from webapp.models.listings import Listing, ListingState
from webapp.models.propagation import Attempt, AttemptState
from webapp.models.suspicions import Suspicion
from webapp.services import audit, counts, refusals

CHUNK = 500  # ids in one statement: under every database's limit of parameters
_LOCK = (
    select(Listing)
    .where(among_those(Listing.id, "ids"))
    .order_by(Listing.id)
    .with_for_update()
    .execution_options(populate_existing=True)
)
_REFUSE = insert(Refusal)


@dataclass(frozen=True)
class Pair:
    """A listing and the product somebody says it is; `score` is what the suggestion had."""

    listing_id: int
    product_id: int
    score: int | None = None


@dataclass(frozen=True)
class RefusedItem:
    """A listing that was left as it is, and why, in words; `external_id` is the channel's own."""

    listing_id: int
    external_id: str
    message: str


@dataclass
class Change:
    """What an act did: `changed` listings, `unchanged` ones that already were so, and those refused."""

    batch: LinkBatch | None = None
    changed: int = 0
    unchanged: int = 0
    refused: list[RefusedItem] = field(default_factory=list)
    in_flight: list[str] = field(default_factory=list)  # listings whose last update was already on its way

    @property
    def act(self) -> LinkBatch:
        """The batch while the act goes on; an act that changed nothing has none at its end."""
        if self.batch is None:
            raise LookupError("This act changed nothing and left no batch.")
        return self.batch


def begin(session: Session, verb: BatchVerb, by: Actor, reason: str, listing_ids: Sequence[int]) -> LinkBatch:
    """Open the batch of an act; one about a single listing names it, and its channel."""
    batch = LinkBatch(verb=verb, by_id=by.id, by_name=by.name, reason=reason)
    if len(listing_ids) == 1:
        batch.listing_id = listing_ids[0]
        listing = session.get(Listing, batch.listing_id)
        batch.channel_id = listing.channel_id if listing is not None else None
    session.add(batch)
    session.flush()
    return batch


def close(session: Session, change: Change, by: Actor, event: str, sentence: str) -> Change:
    """Write the numbers and the audit line; an act that changed nothing leaves no batch behind.

    An undo always stays: the batch it took back points to it, and an id may be given again.
    """
    if not change.changed and change.act.verb != BatchVerb.UNDO:
        session.delete(change.batch)
        session.flush()
        change.batch = None
        return change
    change.act.changed = change.changed
    audit.record(session, by, event, f"batch {change.act.id}", sentence, after={"refused": len(change.refused)})
    return change


def other_number_words(count: int, expected: int) -> str:
    """Why an unsync is refused whose number somebody saw, and that is another one by now."""
    return phrases(
        "There is {n} pair now, not {expected}. Nothing was changed. Look again and repeat.",
        "There are {n} pairs now, not {expected}. Nothing was changed. Look again and repeat.",
        count,
        expected=f"{expected:,}",
    )


def lock(session: Session, listing_ids: Sequence[int]) -> list[Listing]:
    """The listings, locked in id order: two people may act on overlapping selections."""
    found: list[Listing] = []
    ids = sorted(set(listing_ids))
    for start in range(0, len(ids), CHUNK):
        found += session.scalars(_LOCK, {"ids": ids[start : start + CHUNK]})
    return found


def move(session: Session, listing: Listing, state: ListingState, batch_id: int, *, remembered: bool = False) -> None:
    """Change a listing's state: the only assignment outside bulk statements, and the numbers go with it.

    `remembered` says that the act has noted already what the listing says as it is set aside (mark_aside).
    """
    if listing.state == state:
        return
    counts.adjust(session, listing.channel_id, {listing.state: -1, state: 1})
    was, listing.state = listing.state, state
    if state in refusals.ASIDE:
        if not remembered:
            refusals.enter_aside(session, listing, batch_id)
    elif was in refusals.ASIDE:
        refusals.leave_aside(session, listing)


def refuse(session: Session, change: Change, pairs: Sequence[Pair]) -> int:
    """Remember pairs as refused; gives how many were not yet, on facts that still are the same."""
    keys = [(pair.listing_id, pair.product_id) for pair in pairs]
    known = refusals.refused(session, [listing_id for listing_id, _ in keys]) if keys else {}
    now_is = refusals.marks(session, keys) if keys else {}
    fresh = [key for key in dict.fromkeys(keys) if known.get(key) not in ("", now_is.get(key, ""))]
    for key in fresh:
        if key in known:  # said again, of other facts: undo brings this back
            forgive(session, change, *key)
    made = {"batch_id": change.act.id, "at": utc_now()}
    values = [{**made, "listing_id": a, "product_id": b, "facts": now_is.get((a, b), "")} for a, b in fresh]
    if values:
        direct(session, _REFUSE, values)
    return len(fresh)


def refuse_all(session: Session, pairs: Sequence[tuple[int, int]], batch_id: int) -> None:
    """Remember pairs as taken apart; those remembered already keep their older batch."""
    query = select(Refusal.listing_id, Refusal.product_id).where(Refusal.listing_id.in_([p[0] for p in pairs]))
    known = {tuple(row) for row in session.execute(query)}
    fresh = [pair for pair in pairs if pair not in known]
    now_is = refusals.marks(session, fresh)
    rows = [
        {"listing_id": a, "product_id": b, "batch_id": batch_id, "at": utc_now(), "facts": now_is.get((a, b), "")}
        for a, b in fresh
    ]
    if rows:
        session.execute(insert(Refusal), rows)


def clear_suspicions(session: Session, listing_ids: Sequence[int]) -> None:
    """Forget why these pairs may be wrong: they ended. What a person kept stays known, in case they come back."""
    open_ones = Suspicion.listing_id.in_(listing_ids), Suspicion.open()
    session.execute(delete(Suspicion).where(*open_ones).execution_options(synchronize_session=False))


def suspect_again(session: Session, change: Change, batch_id: int) -> None:
    """Take back that pairs were kept; those whose link ended meanwhile are forgotten."""
    mine = Suspicion.kept_batch_id == batch_id
    alive = select(Link.id).where(Link.listing_id == Suspicion.listing_id).exists()
    session.execute(delete(Suspicion).where(mine, ~alive).execution_options(synchronize_session=False))
    back = update(Suspicion).where(mine).values(kept_batch_id=None).execution_options(synchronize_session=False)
    change.changed += int(session.execute(back).rowcount)  # type: ignore[attr-defined]


def begun(session: Session, listing_ids: Sequence[int]) -> list[str]:
    """The channel's ids of listings to which a request has already begun."""
    query = (
        select(Listing.external_id)
        .join(Attempt, Attempt.listing_id == Listing.id)
        .where(Attempt.listing_id.in_(listing_ids), Attempt.state == AttemptState.BEGUN)
    )
    return list(session.scalars(query))


def linked_words(session: Session, listing: Listing) -> str:
    row = session.execute(
        select(Product.sku, Link.by_name).join(Link, Link.product_id == Product.id).where(Link.listing_id == listing.id)
    ).first()
    if row is None:
        return ""
    return phrase(
        "{name} linked this listing to {sku} already. Unlink it first, or leave it as it is.",
        name=row.by_name or phrase("Somebody"),
        sku=row.sku,
    )


def taken_words(session: Session, product: Product, channel: Channel, slot: int) -> str:
    row = session.execute(
        select(Listing.external_id, Listing.title)
        .join(Link, Link.listing_id == Listing.id)
        .where(Link.product_id == product.id, Link.channel_id == channel.id, Link.slot == slot)
    ).first()
    if row is None:
        return ""
    return phrase(
        "{sku} is already linked on {channel} to “{title}”, {listing}. "
        "A product can have one listing on {channel}. Unlink that one first, or choose another product.",
        sku=product.sku,
        channel=channel.name,
        title=row.title or row.external_id,
        listing=row.external_id,
    )


def refused_item(listing: Listing, message: str) -> RefusedItem:
    return RefusedItem(listing.id, listing.external_id, message)


def remember(change: Change, states: dict[str, list[str | int]]) -> None:
    """Keep state and place of listings before and after the act, for its undo."""
    before = change.act.before or {}
    change.act.before = {**before, "states": {**before.get("states", {}), **states}}


def mark_aside(session: Session, change: Change, listing: Listing) -> None:
    """Remember what a listing says as it is set aside; the undo of this act remembers again what was before."""
    known = refusals.put_aside(session, listing, change.act.id)
    if known is not None:
        before = change.act.before or {}
        change.act.before = {**before, "asides": [*before.get("asides", []), known]}


def forgive(session: Session, change: Change, listing_id: int, product_id: int) -> None:
    """Forget that a pair was refused, since a person links it now; the undo of this act remembers it again."""
    which = (Refusal.listing_id == listing_id, Refusal.product_id == product_id)
    for row in session.execute(select(Refusal.batch_id, Refusal.facts).where(*which)).all():
        before = change.act.before or {}
        kept = [*before.get("refusals", []), [listing_id, product_id, row.batch_id, row.facts]]
        change.act.before = {**before, "refusals": kept}
        session.execute(delete(Refusal).where(*which))


def aside_words(state: ListingState, n: int) -> str:
    """What the trail says of listings that were set aside, or are waiting again."""
    if state is ListingState.NO_MATCH:
        return phrases("Marked {n} listing as without a match.", "Marked {n} listings as without a match.", n)
    if state is ListingState.IGNORED:
        return phrases("Marked {n} listing as ignored.", "Marked {n} listings as ignored.", n)
    return phrases("Put {n} listing back in the queue.", "Put {n} listings back in the queue.", n)


def undone_words(batch: LinkBatch, n: int) -> str:
    """What the trail says of a batch that was taken back."""
    return phrases(
        "Took back {verb} {batch}: {n} listing.",
        "Took back {verb} {batch}: {n} listings.",
        n,
        verb=_VERBS[batch.verb],
        batch=batch.id,
    )


_VERBS = {
    BatchVerb.RECONCILE: phrase("reconcile"),
    BatchVerb.LINK: phrase("link"),
    BatchVerb.REJECT: phrase("reject"),
    BatchVerb.NO_MATCH: phrase("no match"),
    BatchVerb.IGNORE: phrase("ignore"),
    BatchVerb.UNLINK: phrase("unlink"),
    BatchVerb.UNSYNC: phrase("unsync"),
    BatchVerb.ADD: phrase("add"),
    BatchVerb.IMPORT: phrase("import links"),
    BatchVerb.SKIP: phrase("skip"),
    BatchVerb.REOPEN: phrase("reopen"),
    BatchVerb.RULE: phrase("rule"),
    BatchVerb.KEEP: phrase("keep"),
    BatchVerb.UNDO: phrase("undo"),
}
