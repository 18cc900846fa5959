"""What people said of first suggestions, kept so that a channel learns what its scores mean.

A decision on a listing judges the suggestion that stood first: right when its product was chosen, wrong when
another was, or none. A link that a person takes apart again was wrong; taking that back makes it right again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

import matching
from webapp.db import among, among_those, direct
from webapp.models.base import utc_now
from webapp.models.links import Decision, Link, Suggestion
from webapp.models.listings import Listing

LEARNED_FROM = 2_000  # the newest decisions of a channel: older ones tell of another catalogue
REMEMBERED = timedelta(days=90)  # what "so far" means on the screens
LATELY = 1_000  # decisions that a suggestion is compared with
BAND = 5
SECONDS_EACH = 5  # what deciding on a listing takes a practised person
_SUGGESTED = (
    select(Suggestion.listing_id, Suggestion.rank, Suggestion.product_id, Suggestion.score, Listing.channel_id)
    .join(Listing, Listing.id == Suggestion.listing_id)
    .where(among_those(Suggestion.listing_id, "listings"), Suggestion.rank <= 2)
)
_FORGET = delete(Decision).where(among_those(Decision.listing_id, "listings"))
_KEEP = insert(Decision)


def note(session: Session, batch_id: int, chosen: Mapping[int, int | None], *, judged: bool = True) -> None:
    """Keep what was chosen for these listings: a product's id, or None when no product fits.

    Listings without a suggestion leave nothing. The rule's own links are not `judged`: nobody looked.
    """
    first, second = _suggested(session, list(chosen))
    rows = [
        {
            "listing_id": listing_id,
            "product_id": product_id,
            "channel_id": channel_id,
            "score": score,
            "lead": score - second.get(listing_id, 0),
            "right": chosen[listing_id] == product_id if judged else None,
            "batch_id": batch_id,
            "at": utc_now(),
        }
        for listing_id, (product_id, channel_id, score) in first.items()
    ]
    if rows:
        direct(session, _FORGET, {"listings": list(first)})
        direct(session, _KEEP, rows)


def note_rejected(session: Session, batch_id: int, rejected: Mapping[int, int]) -> None:
    """Keep that these products were rejected for these listings, where they were suggested first."""
    first, _ = _suggested(session, list(rejected))
    wrong = {i: None for i, (product_id, _, _) in first.items() if rejected[i] == product_id}
    if wrong:
        note(session, batch_id, wrong)


def contradict(session: Session, listing_ids: Sequence[int]) -> None:
    """Say that the suggestions these listings were linked by were wrong after all: a person took the links apart."""
    which = Decision.listing_id.in_(listing_ids), Decision.right.is_not(False)
    session.execute(update(Decision).where(*which).values(right=False).execution_options(synchronize_session=False))


def uphold(session: Session, listing_id: int, product_id: int) -> None:
    """Say that a link which came back stands by its suggestion."""
    which = Decision.listing_id == listing_id, Decision.product_id == product_id
    session.execute(update(Decision).where(*which).values(right=True))


def uphold_made(session: Session, batch_id: int, listing_ids: Collection[int]) -> None:
    """The same for all links that a batch has made of these listings."""
    link = Link.listing_id == Decision.listing_id, Link.product_id == Decision.product_id, Link.batch_id == batch_id
    which = among(session, Decision.listing_id, listing_ids), exists().where(*link)
    session.execute(update(Decision).where(*which).values(right=True).execution_options(synchronize_session=False))


def forget(session: Session, batch_id: int) -> None:
    """Drop what a batch said: it was taken back."""
    session.execute(delete(Decision).where(Decision.batch_id == batch_id))


def calibration(session: Session, channel_id: int) -> matching.Calibration:
    """What the scores of a channel mean, by its newest decisions."""
    query = select(Decision.score, Decision.lead, Decision.right).where(*judged(channel_id))
    rows = session.execute(query.order_by(Decision.batch_id.desc()).limit(LEARNED_FROM)).all()
    return matching.calibrate([matching.Decided(score, lead, bool(right)) for score, lead, right in rows])


def record(session: Session, channel_id: int, score: int, *, now: datetime) -> tuple[int, int, int, int]:
    """How suggestions about as good as this one did here lately: how many were right, of how many, and the band.

    Of the newest LATELY decisions, so that it costs the same on a channel of a million.
    """
    low = min(score // BAND * BAND, 100 - BAND)
    high = 100 if low + BAND >= 100 else low + BAND - 1
    found = direct(session, _RECORD, {"channel": channel_id, "low": low, "high": high, "since": now - REMEMBERED})
    total, right = found.one()
    return right, total, low, high


def judged(channel_id: int | BindParameter[int]) -> tuple[ColumnElement[bool], ...]:
    """The conditions of a decision that somebody made on a channel."""
    return Decision.channel_id == channel_id, Decision.right.is_not(None)


_NEWEST = (
    select(Decision.score, Decision.right, Decision.at)
    .where(*judged(bindparam("channel")))
    .order_by(Decision.batch_id.desc())
    .limit(LATELY)
    .subquery()
)
_RECORD = select(func.count(), func.count().filter(_NEWEST.c.right.is_(True))).where(
    _NEWEST.c.score >= bindparam("low"), _NEWEST.c.score <= bindparam("high"), _NEWEST.c.at > bindparam("since")
)


def _suggested(session: Session, listing_ids: Sequence[int]) -> tuple[dict[int, tuple[int, int, int]], dict[int, int]]:
    """The first suggestion of each listing as (product, channel, score), and the score of the second."""
    first: dict[int, tuple[int, int, int]] = {}
    second: dict[int, int] = {}
    for listing_id, rank, product_id, score, channel_id in direct(session, _SUGGESTED, {"listings": listing_ids}):
        if rank == 1:
            first[listing_id] = (product_id, channel_id, score)
        else:
            second[listing_id] = score
    return first, second
