"""Scored candidates for the listings that wait: found, kept with their evidence, and forgotten when facts change."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

import matching
from webapp.models.channels import Channel
from webapp.models.links import Suggestion
from webapp.models.listings import NOT_COMPUTED, WITHOUT_SUGGESTION, Listing, ListingState
from webapp.services import refusals, retrieval

SHOWN = 10  # suggestions kept for a listing
THRESHOLD = 40  # below this score the best candidate is no suggestion
AT_ONCE = 100  # rows of a file that are looked at together
#: What matching asks of a row of a file, as it stands there; its price is text.
RECORDED = ("sku", "title", "brand", "gtin", "mpn", "description", "category", "currency", "options")
RUNNER_UP = 5  # behind a suggestion, what else a person may want to compare


def to_suggest(
    session: Session, *, channel: Channel | None = None, only_new: bool = True, after: int = 0, limit: int = 200
) -> list[int]:
    """Ids of waiting listings that need suggestions, in id order after `after`; all waiting ones unless `only_new`."""
    query = (
        select(Listing.id)
        .where(Listing.state == ListingState.PENDING, Listing.id > after)
        .order_by(Listing.id)
        .limit(limit)
    )
    if only_new:
        query = query.where(Listing.place == NOT_COMPUTED)
    if channel is not None:
        query = query.where(Listing.channel_id == channel.id)
    return list(session.scalars(query))


def suggest_for(
    session: Session, listing_ids: Sequence[int], index: retrieval.CatalogueIndex, *, top: int = SHOWN
) -> dict[int, list[matching.Candidate]]:
    """Candidates for these listings, best first, without what a person refused on facts that still are the same."""
    listings = list(session.scalars(select(Listing).where(Listing.id.in_(listing_ids)).order_by(Listing.id)))
    refused = refusals.binding(session, listing_ids)
    extra = max((len(r) for r in refused.values()), default=0)
    found = matching.suggest_many(
        [retrieval.listing_record(x) for x in listings], index.current(session), top=top + extra
    )
    return {
        x.id: [c for c in candidates if c.product_id not in refused.get(x.id, ())][:top]
        for x, candidates in zip(listings, found, strict=True)
    }


def resembling_nothing(rows: Iterable[Mapping[str, Any]], index: matching.Index, *, seconds: float) -> int | None:
    """How many rows of a file of listings would wait without a suggestion; None when that takes longer than `seconds`.

    Suggestions are found in chunks that know of each other, so that a few may turn out otherwise.
    """
    until, found, every = time.monotonic() + seconds, 0, iter(rows)
    while some := list(islice(every, AT_ONCE)):
        if time.monotonic() >= until:
            return None
        records = [matching.Record(id=place, **_facts(row)) for place, row in enumerate(some)]
        found += sum(not worth_showing(c) for c in matching.suggest_many(records, index, top=1))
    return found


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: row[name] for name in RECORDED if name in row}
    return facts | ({"price": Decimal(row["price"])} if "price" in row else {})


def worth_showing(candidates: Sequence[matching.Candidate]) -> list[matching.Candidate]:
    """What a person is shown of a listing's candidates: nothing without a good first one, and its runners-up."""
    if not candidates or candidates[0].score < THRESHOLD:
        return []
    return [c for c in candidates[:SHOWN] if c.score >= RUNNER_UP]


def keep(session: Session, found: dict[int, list[matching.Candidate]]) -> int:
    """Store suggestions and give each listing its place in the queue; gives how many listings have one."""
    if not found:
        return 0
    # The listings' rows are taken first: whoever suggests for the same ones waits, and then replaces these.
    session.execute(select(Listing.id).where(Listing.id.in_(found)).order_by(Listing.id).with_for_update())
    session.execute(delete(Suggestion).where(Suggestion.listing_id.in_(found)))
    rows, places = [], []
    for listing_id, candidates in found.items():
        good = worth_showing(candidates)
        places.append({"id": listing_id, "place": 100 - good[0].score if good else WITHOUT_SUGGESTION})
        rows += [
            {
                "listing_id": listing_id,
                "rank": rank,
                "product_id": c.product_id,
                "score": c.score,
                "difference": c.difference,
                "evidence": [evidence_json(e) for e in c.evidence],
            }
            for rank, c in enumerate(good, 1)
        ]
    if rows:
        session.execute(insert(Suggestion), rows)
    session.execute(update(Listing), places)
    return sum(1 for p in places if p["place"] <= 100)


def forget(session: Session, span: tuple[int, int]) -> None:
    """Ask again for the waiting listings with an id in (low, high]: the catalogue has grown."""
    session.execute(
        update(Listing)
        .where(
            Listing.id > span[0],
            Listing.id <= span[1],
            Listing.state == ListingState.PENDING,
            Listing.place <= WITHOUT_SUGGESTION,
        )
        .values(place=NOT_COMPUTED)
        .execution_options(synchronize_session=False)
    )


def evidence_json(evidence: matching.Evidence) -> dict[str, Any]:
    """One field's evidence as the table keeps it."""
    return {
        "field": evidence.field,
        "verdict": evidence.verdict.value,
        "ours": evidence.ours,
        "theirs": evidence.theirs,
        "points": evidence.points,
        "of": evidence.of,
        "note": evidence.note,
        "marks": [list(evidence.marks.ours), list(evidence.marks.theirs)],
    }
