"""Each channel's own rule: link by itself what scores above a line, as long as what people say bears its promise.

The rule is off until an owner turns it on. It is refused before fifty decisions, and where the lower bound of what
was right above the line (Wilson, 95 %) is under the promise; it stops by itself when that bound falls under it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

import matching
from webapp.db import ring
from webapp.errors import Refused, phrase, phrases
from webapp.models.accounts import RULE, Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.links import BatchVerb, Decision, Link, LinkBatch, LinkSource, Refusal, Suggestion
from webapp.models.listings import Listing, ListingState
from webapp.services import acts, audit, counts, decisions, joining, links

LOWEST, WIDTH = 40, 5  # the histogram begins where suggestions do
ENOUGH = 50  # decisions on a channel before its rule may be turned on
PROMISES = (90, 95, 98, 99)  # per cent right
COUNTED = 5_000  # listings above a line that a page looks at one by one
SAMPLE = 8  # pairs that a person checks before trusting a line
AT_ONCE = 1_000  # links of the rule in one batch


@dataclass(frozen=True)
class Bar:
    """One column of the histogram: first suggestions that scored `low` to `high`."""

    low: int
    high: int
    right: int = 0
    wrong: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class Outlook:
    """What a line at some score would do on a channel, and how sure that is."""

    line: int
    waiting: int  # listings that wait for a decision and have a suggestion
    above: int  # of these, with a suggestion at the line or above
    right: int  # decisions above the line that said so
    judged: int
    decided: int  # all decisions on the channel

    @property
    def lower(self) -> float:
        """What share will be right at least, 0 to 1."""
        return matching.wilson_lower(self.right, self.judged)

    @property
    def minutes(self) -> int:
        """Minutes of review that the line spares."""
        return round(self.above * decisions.SECONDS_EACH / 60)

    @property
    def minutes_left(self) -> int:
        """Minutes that deciding the rest takes."""
        return round((self.waiting - self.above) * decisions.SECONDS_EACH / 60)

    def more(self, promise: int) -> int:
        """How many further decisions, all of them right, it takes until the bound reaches a promise in per cent."""
        enough = bisect_left(
            range(1_000 * (self.judged + 1)),  # a promise of 99 takes a hundred right ones for each wrong one
            promise / 100,
            key=lambda n: matching.wilson_lower(self.right + n, self.judged + n),
        )
        return max(enough, ENOUGH - self.decided)


@dataclass(frozen=True)
class Likely:
    """A waiting listing beside its first suggestion."""

    listing: Listing
    product: Product
    score: int


def histogram(session: Session, channel: Channel) -> list[Bar]:
    """First suggestions of a channel by score: those that were right, wrong, and those that wait."""
    low = (Decision.score - Decision.score % WIDTH).label("low")
    said: dict[int, list[int]] = {}
    which = (*decisions.judged(channel.id), Decision.at > utc_now() - decisions.REMEMBERED)
    query = select(low, Decision.right, func.count()).where(*which).group_by(low, Decision.right)
    for start, was_right, n in session.execute(query):
        said.setdefault(min(start, 100 - WIDTH), [0, 0])[0 if was_right else 1] += n
    waits: dict[int, int] = {}
    for place, n in session.execute(
        select(Listing.place, func.count()).where(*_waiting(channel)).group_by(Listing.place)
    ):
        start = min((100 - place) // WIDTH * WIDTH, 100 - WIDTH)
        waits[start] = waits.get(start, 0) + n
    bars = []
    for start in range(LOWEST, 100, WIDTH):
        right, wrong = said.get(start, (0, 0))
        high = 100 if start + WIDTH == 100 else start + WIDTH - 1
        bars.append(Bar(start, high, right, wrong, waits.get(start, 0)))
    return bars


def outlook(session: Session, channel: Channel, line: int) -> Outlook:
    """What a line at this score would do, and how sure that is."""
    n, right = func.count(), func.count().filter(Decision.right.is_(True))
    above = func.count().filter(Decision.score >= line)
    right_above = func.count().filter(Decision.score >= line, Decision.right.is_(True))
    decided, _, judged, right_judged = session.execute(
        select(n, right, above, right_above).where(*decisions.judged(channel.id))
    ).one()
    waits, over = session.execute(
        select(func.count(), func.count().filter(Listing.place <= 100 - line)).where(*_waiting(channel))
    ).one()
    return Outlook(line, waits, over, right_judged, judged, decided)


def would_link(session: Session, channel: Channel, found: Outlook) -> int:
    """How many listings a line would link; of very many above it, as many as stand there.

    What a person refused, whose product is taken, or that several want, is left to people.
    """
    if not 0 < found.above <= COUNTED:
        return found.above
    return session.scalar(_linkable(channel, found.line, func.count())) or 0


def sample(session: Session, channel: Channel, line: int, *, size: int = SAMPLE) -> list[Likely]:
    """Waiting listings at the line or above, picked at random, each with the product that the rule would choose."""
    query = _likely(channel, line, Listing, Product, Suggestion.score).order_by(func.random()).limit(size)
    return [Likely(*row) for row in session.execute(query)]


def linked_by_sku(session: Session, channel: Channel) -> int:
    """How many live pairs of a channel the exact rule made."""
    linked = counts.of_channel(session, channel.id)[ListingState.LINKED]
    others = select(func.count()).where(Link.channel_id == channel.id, Link.source != LinkSource.SKU)
    return max(0, linked - int(session.scalar(others) or 0))


def turn_on(session: Session, channel: Channel, line: int, promise: int, *, by: Actor) -> None:
    """Let suggestions from `line` on link by themselves; raises Refused when the decisions do not bear the promise."""
    if not LOWEST <= line <= 100 or promise not in PROMISES:
        promises = ", ".join(map(str, PROMISES))
        words = phrase(
            "Choose a score from {low} to 100 and a promise of {promises} per cent.", low=LOWEST, promises=promises
        )
        raise Refused(words)
    found = outlook(session, channel, line)
    missing = found.more(promise) if found.decided < ENOUGH or found.lower < promise / 100 else 0
    if missing:
        words = phrase(
            "{judged} of {decided} decisions were at {line} or above, and {right} of them right: at "
            "least {lower} in future, not {promise}. Decide {missing} more, or choose another score.",
            judged=found.judged, decided=found.decided, line=line, right=found.right,
            lower=f"{100 * found.lower:.0f}%", promise=f"{promise}%", missing=missing,
        )  # fmt: skip
        raise Refused(words)
    before = {"rule_from": channel.rule_from, "rule_promise": channel.rule_promise}
    channel.rule_from, channel.rule_promise, channel.rule_stopped = line, promise, ""
    words = phrase(
        "Turned the rule of {channel} on: suggestions of {line} and above link by themselves.",
        channel=channel.name,
        line=line,
    )
    after = {"rule_from": line, "rule_promise": promise}
    audit.record(session, by, "rule.on", f"channel {channel.name}", words, before=before, after=after)
    session.flush()
    ring(session, "suggest")


def turn_off(session: Session, channel: Channel, *, by: Actor, why: str = "") -> None:
    """Stop the rule; what it linked stays, and can be taken back as its batches. Nothing happens when it is off."""
    if channel.rule_from is None:
        return
    before = {"rule_from": channel.rule_from, "rule_promise": channel.rule_promise}
    channel.rule_from, channel.rule_stopped = None, why
    words = phrase("Turned the rule of {channel} off.", channel=channel.name) + (f" {why}" if why else "")
    audit.record(session, by, "rule.off", f"channel {channel.name}", words, before=before)
    session.flush()


def link_above(session: Session, channel: Channel, line: int, *, by: Actor, limit: int = AT_ONCE) -> links.Change:
    """Link the waiting listings at the line or above to their first suggestion, as one batch that can be taken back.

    Where a product may have one listing on the channel, listings that want the same one are left to people.
    """
    ids = [pair.listing_id for pair in chosen(session, channel, line, limit=limit)]
    change = acts.Change(batch=acts.begin(session, BatchVerb.RULE, by, reason(line), ids))
    change.changed = _link(session, change.act, channel, line, ids)
    words = phrases("Linked {n} listing.", "Linked {n} listings.", change.changed)
    return acts.close(session, change, by, "link.confirmed", words)


def link_some(session: Session, act: LinkBatch, channel: Channel, line: int, *, limit: int) -> int:
    """The same for some of them, within an act that is open; gives how many."""
    return _link(session, act, channel, line, [p.listing_id for p in chosen(session, channel, line, limit=limit)])


def reason(line: int) -> str:
    """What a batch says of why it linked what was suggested."""
    return phrase("{line} and above", line=line)


def _link(session: Session, act: LinkBatch, channel: Channel, line: int, ids: list[int]) -> int:
    """Link waiting listings to their first suggestions in one statement."""
    first = and_(Suggestion.listing_id == Listing.id, Suggestion.rank == 1, Suggestion.score >= line)
    query = joining.pairs(Suggestion.score).join(Suggestion, first).join(Product, Product.id == Suggestion.product_id)
    query = query.join(Channel, Channel.id == Listing.channel_id).where(Channel.id == channel.id)
    author = joining.Author(LinkSource.RULE, act.by_name, act.by_id)
    return links.confirm_many(session, act, ids, query, author, judged=False)


def chosen(session: Session, channel: Channel, line: int, *, limit: int = AT_ONCE) -> list[links.Pair]:
    """The pairs that a line would link, the surest first."""
    likely = _linkable(channel, line, Listing.id, Product.id, Suggestion.score)
    rows = session.execute(likely.order_by(Listing.place, Listing.id).limit(limit))
    return [links.Pair(listing_id, product_id, score) for listing_id, product_id, score in rows]


def left(session: Session, channel: Channel, line: int, *, limit: int) -> list[acts.RefusedItem]:
    """The surest of the waiting listings at the line or above that it may not link, each with what stands against it.

    For after an act of the line: a listing that it could have linked is among them only if it came meanwhile.
    """
    contested = set() if channel.many else set(session.scalars(_contested(channel, line)))
    rows = session.execute(
        _above(channel, line, Listing, Product, _refused()).order_by(Listing.place, Listing.id).limit(limit)
    )
    return [
        acts.refused_item(listing, _against(session, channel, listing, product, refused, product.id in contested))
        for listing, product, refused in rows
    ]


def _against(
    session: Session, channel: Channel, listing: Listing, product: Product, refused: bool, contested: bool
) -> str:
    """Why a line may not link this listing to its first suggestion, in words."""
    if refused:
        return phrase("Somebody said that this is not {sku}. A rule does not ask again.", sku=product.sku)
    if product.retired_at is not None:
        return phrase("{sku} is no longer in the catalogue.", sku=product.sku)
    if taken := acts.taken_words(session, product, channel, listing.id if channel.many else 0):
        return taken
    if contested:
        return phrase("Several listings want {sku}, and only one can have it. Choose which in Review.", sku=product.sku)
    return phrase("It began to wait when the others had been linked already. Link once more.")


def follow(session: Session, channel: Channel) -> int:
    """Do what the channel's rule says, once: stop it when its promise no longer holds, else link; gives how many."""
    if channel.rule_from is None:
        return 0
    found = outlook(session, channel, channel.rule_from)
    if found.lower < channel.rule_promise / 100:
        turn_off(session, channel, by=RULE, why=stopped_words(found, channel.rule_promise))
        return 0
    return link_above(session, channel, channel.rule_from, by=RULE).changed


def stopped_words(found: Outlook, promise: int) -> str:
    """Why a rule stopped by itself."""
    return phrase(
        "{wrong} of {judged} decided at {line} and above were wrong: at least "
        "{lower} are right, and the promise was {promise}.",
        wrong=found.judged - found.right,
        judged=found.judged,
        line=found.line,
        lower=f"{100 * found.lower:.0f}%",
        promise=f"{promise}%",
    )


def _waiting(channel: Channel) -> tuple[ColumnElement[bool], ...]:
    """The waiting listings of a channel that have a suggestion."""
    # The state is written out: with a parameter SQLite would not use the index of the queue alone.
    state = literal(ListingState.PENDING, Listing.state.type, literal_execute=True)
    return Listing.channel_id == channel.id, Listing.state == state, Listing.place <= 100


def _likely(channel: Channel, line: int, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Columns of waiting listings at the line or above and of their first suggestions, where nothing is against it."""
    held = exists().where(Link.product_id == Product.id, Link.channel_id == channel.id)
    return _above(channel, line, *columns).where(
        Product.retired_at.is_(None), ~_refused(), or_(literal(channel.many), ~held)
    )


def _linkable(channel: Channel, line: int, *columns: Any) -> Select[*tuple[Any, ...]]:
    """The same of those that the line may link: a product that several want is left to people."""
    likely = _likely(channel, line, *columns)
    return likely if channel.many else likely.where(Product.id.not_in(_contested(channel, line)))


def _above(channel: Channel, line: int, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Columns of waiting listings at the line or above and of their first suggestions."""
    return (
        select(*columns)
        .select_from(Listing)
        .join(Suggestion, Suggestion.listing_id == Listing.id)
        .join(Product, Product.id == Suggestion.product_id)
        .where(*_waiting(channel), Listing.place <= 100 - line, Suggestion.rank == 1, Suggestion.score >= line)
    )


def _refused() -> ColumnElement[bool]:
    """Whether somebody said no to the pair."""
    return exists().where(Refusal.listing_id == Listing.id, Refusal.product_id == Product.id)


def _contested(channel: Channel, line: int) -> Select[*tuple[Any, ...]]:
    """Products that several waiting listings want, each at the line or above."""
    return (
        select(Suggestion.product_id)
        .join(Listing, Listing.id == Suggestion.listing_id)
        .where(*_waiting(channel), Listing.place <= 100 - line, Suggestion.rank == 1)
        .group_by(Suggestion.product_id)
        .having(func.count() > 1)
    )
