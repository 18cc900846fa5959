"""From features and findings to a decision: order, score, points that add up, advice, the fact that differs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate
from math import exp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.blocking import Found, Index, View
from matching.document import Document, document
from matching.doubts import DOUBTFUL, is_doubtful
from matching.fields import CAPS, FIELDS, POINTS, Finding, findings, mark_titles
from matching.identifiers import loose_key
from matching.judgements import add_judgements, or_by_words
from matching.kinds import behind_siblings, says_a_kind
from matching.layout import KEY_BYTES
from matching.pairs import COLUMN
from matching.points import share_out
from matching.ranking import Ranking, shipped
from matching.records import Advice, Candidate, Evidence, Record, Verdict
from matching.sides import Side
from matching.wording import phrase

Array = NDArray[Any]
#: Score, product and its id, findings, and the share of their points that the findings have earned.
Judged = tuple[float, tuple[int | str, Side], list[Finding], float]
LIKELY_FROM: Final = 75
#: What share of their points the facts of a likely pair earn at least.
_AGREE: Final = 0.5
#: What share of a score may come from what the learned order knows beyond the fields.
_UNSAID_MOST: Final = 0.25
POSSIBLE_FROM: Final = 40
#: Points for standing out among the other candidates; only a list of candidates has them.
RIVAL_POINTS: Final = 15
_WEIGHTS: Final = {**POINTS, "rivals": RIVAL_POINTS}
#: Listings are compared with each other from this many on, and from one for this many products on.
CROWD_FROM, CROWD_SHARE = 20, 20
#: What a SKU that is the same up to typing adds to the log-odds, and what they are then at least, whatever the titles
#: say: the same SKU links by itself, so that a person should see one that is typed otherwise, above all strangers.
_LONG_SKU: Final = (5.0, -0.4)
_SHORT_SKU: Final = (3.0, -1.7)
#: How many of the learned order are examined for conflicts before the list is cut.
_EXAMINED: Final = 1
#: How many products stay read while many listings are decided.
_KEPT: Final = 20_000
# Named here, since each look at an enumeration's member is a call.
_SAME, _CLOSE, _DIFFERS = Verdict.SAME, Verdict.CLOSE, Verdict.DIFFERS
_MISSING, _NOT_USED = Verdict.MISSING, Verdict.NOT_USED
_SILENT: Final = [Evidence(field, _NOT_USED) for field in (*FIELDS, "rivals")]
_PLACES: Final = {silent.field: place for place, silent in enumerate(_SILENT)}
_NO_SKU: Final = np.zeros(0)


def suggest(record: Record, index: Index, *, top: int = 10, ranking: Ranking | None = None) -> list[Candidate]:
    """The `top` products that one listing may be, best first, each with its evidence."""
    doc = document(record)
    found = index.find(doc, sku=record.sku)
    odds = (ranking or shipped()).log_odds(found.features, None, None)
    return _decide(record, doc, found, odds, _Sides(), top)


def suggest_many(
    records: Sequence[Record], index: Index, *, top: int = 10, ranking: Ranking | None = None
) -> list[list[Candidate]]:
    """Suggestions for many listings of one channel at once; the order of the listings does not matter.

    When the listings are many enough for the catalogue (CROWD_FROM, CROWD_SHARE) they are also compared with each
    other: a product that another listing fits better is a weaker suggestion.
    """
    if len(records) < max(CROWD_FROM, len(index) // CROWD_SHARE):
        return [suggest(r, index, top=top, ranking=ranking) for r in records]
    docs = [document(r) for r in records]
    found = [index.find(d, sku=r.sku) for r, d in zip(records, docs, strict=True)]
    odds = rank_all(found, ranking or shipped())
    sides = _Sides()
    return [_decide(r, d, f, o, sides, top) for r, d, f, o in zip(records, docs, found, odds, strict=True)]


class _Sides:
    """Products read for comparing, kept for the next listing that has them as candidates, up to a limit."""

    def __init__(self) -> None:
        self.view: View | None = None
        self.kept: dict[tuple[int, int], tuple[int | str, Side]] = {}

    def at(self, view: View, wanted: Sequence[tuple[int, int]]) -> list[tuple[int | str, Side]]:
        """The products at these (segment, place) of the index, each with its id."""
        if view is not self.view or len(self.kept) >= _KEPT:
            self.view = view
            self.kept.clear()
        missing = [where for where in wanted if where not in self.kept]
        for number in {n for n, _ in missing}:
            here = [where for where in missing if where[0] == number]
            self.kept.update(zip(here, Side.at(view.segments[number], [place for _, place in here]), strict=True))
        return [self.kept[where] for where in wanted]


def rank_all(found: Sequence[Found], ranking: Ranking) -> list[Array]:
    """The learned log-odds of every candidate of every listing, when listings compete for products."""
    features = np.concatenate([f.features for f in found])
    ends = np.cumsum([len(f) for f in found])
    listings = np.repeat(np.arange(len(found)), [len(f) for f in found])
    products = np.concatenate([(f.numbers << 40) | f.owners for f in found])
    return np.split(ranking.log_odds(features, listings, products), ends[:-1])


def _decide(record: Record, doc: Document, found: Found, odds: Array, sides: _Sides, top: int) -> list[Candidate]:
    if not len(found):
        return []
    odds = judged_odds(record, found, odds)
    values = odds.tolist()
    # A few dozen are sorted sooner here than by calls into numpy; equal ones keep their order.
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)[: top + _EXAMINED]
    listing = Side.of(record, doc)
    judged = []
    where = found.places
    items = sides.at(found.view, [where[at] for at in order])
    best_odds = [values[at] for at in order]
    if says_a_kind(listing):
        alike = found.features[order, COLUMN["retrieval"]].tolist()
        best_odds = behind_siblings(best_odds, alike, [product for _, product in items], listing)
    for item, log_odds in zip(items, best_odds, strict=True):
        said = findings(item[1], listing)
        most, share = weighed(said)
        score = min(100 / (1 + exp(-max(log_odds, -50))), most)
        judged.append((_checked(score, item[1], listing, said), item, said, share))
    judged.sort(key=lambda j: -j[0])
    judged = _in_words(judged)
    best, runner_up = judged[0][0], judged[1][0] if len(judged) > 1 else 0.0
    del judged[top:]
    for at, (score, _, said, _) in enumerate(judged):
        said.append(_rivals(score - (best if at else runner_up)))
    mark_titles([(product, said) for _, (_, product), said, _ in judged], listing)
    scores = [round(score) for score, _, _, _ in judged]
    evidence = share_points([said for _, _, said, _ in judged], scores)
    return [
        _candidate((item, score, e, advice(score), rank, difference(said)))
        for rank, (score, (_, (item, _), said, _), e) in enumerate(zip(scores, judged, evidence, strict=True), start=1)
    ]


def _checked(score: float, product: Side, listing: Side, said: list[Finding]) -> float:
    """The score, no longer likely where a person should look first."""
    if score < LIKELY_FROM - 0.5 or not is_doubtful(product, listing, said):
        return score
    return DOUBTFUL


def _in_words(judged: list[Judged]) -> list[Judged]:
    """The same order with scores that can be explained: what no field says is _UNSAID_MOST of a hundred at most.

    So only a pair whose compared facts are all the same is ever a hundred.
    """
    out: list[Judged] = []
    most = 100.0
    for score, item, said, share in judged:
        most = min(most, score, 100 * (_UNSAID_MOST + (1 - _UNSAID_MOST) * share))
        out.append((most, item, said, share))
    return out


def judged_odds(record: Record, found: Found, odds: Array) -> Array:
    """The log-odds with what words, identifiers and siblings add or take (judgements.py); a near SKU is never last."""
    odds = or_by_words(odds, found.features)
    key = loose_key(record.sku) if record.sku else ""
    if not key:
        return np.asarray(add_judgements(odds, found.features, _NO_SKU))
    named = set(_same_sku(found.view, key))
    worth, least = _LONG_SKU if len(key) >= 5 else _SHORT_SKU
    same = np.array([place in named for place in found.places])
    judged = np.asarray(add_judgements(odds, found.features, worth * same))
    return np.where(same, np.maximum(judged, least), judged)


def _same_sku(view: View, key: str) -> list[tuple[int, int]]:
    """Products with this SKU up to typing; the index keeps keys up to a length, so that long ones are read again."""
    named = [(n, p) for n, segment in enumerate(view.segments) for p in segment.places_of_sku(key)]
    if len(key.encode("utf-8", "surrogatepass")) < KEY_BYTES:
        return named
    return [place for place in named if loose_key(view.record(place).sku) == key]


def weighed(said: Iterable[Finding]) -> tuple[float, float]:
    """The highest score these findings allow, and what share, 0 to 1, of their points the compared fields have earned.

    A conflict caps the score, and so do facts that mostly disagree: in a small catalogue nothing else comes close to a
    product by chance, which makes it possible, not likely. SKU and price are left out of that: marketplaces have codes
    and prices of their own. The share is 1 when nothing was compared.
    """
    possible = facts_possible = 0
    gained = facts_gained = 0.0
    most = 100
    for f in said:
        verdict = f.verdict
        if verdict is _MISSING or verdict is _NOT_USED:
            continue
        field, share = f.field, f.share
        points = POINTS[field]
        possible += points
        gained += points * share
        if field != "sku" and field != "price":
            facts_possible += points
            facts_gained += points * share
        if f.conflict and CAPS[field] < most:
            most = CAPS[field]
    if most == 100 and facts_gained < _AGREE * facts_possible:
        most = LIKELY_FROM - 1
    return most, gained / possible if possible else 1.0


def compare(product: Record, listing: Record) -> Candidate:
    """The evidence of one pair by itself, as for a search result: rank 0, and a score from its fields alone."""
    return compare_all([product], listing)[0]


def compare_all(products: Sequence[Record], listing: Record) -> list[Candidate]:
    """The same for each of several products, in their order: the listing is read once for all."""
    theirs = Side.of(listing)
    sides = [Side.of(product) for product in products]
    said = [findings(ours, theirs) for ours in sides]
    mark_titles(list(zip(sides, said, strict=True)), theirs)
    scores = [round(_checked(_alone(one), ours, theirs, one)) for ours, one in zip(sides, said, strict=True)]
    found = zip(products, scores, said, share_points(said, scores), strict=True)
    return [
        Candidate(product.id, score, evidence[:-1], advice(score), 0, difference(one))
        for product, score, one, evidence in found
    ]


def _alone(said: Sequence[Finding]) -> float:
    """The score of a pair from its findings, without anything to compare it with."""
    most, share = weighed(said)
    return min(100 * share, most) if any(f.counts for f in said) else 0.0


def advice(score: int) -> Advice:
    """How to read a score."""
    return Advice.LIKELY if score >= LIKELY_FROM else Advice.POSSIBLE if score >= POSSIBLE_FROM else Advice.UNLIKELY


_NONE_CLOSE: Final = phrase("no other product comes close")
_NEARLY_AS_ALIKE: Final = phrase("another product is nearly as alike")
_MORE_ALIKE: Final = phrase("another product is more alike")


def _rivals(lead: float) -> Finding:
    """How far a candidate stands out: `lead` is its score less the best other candidate's."""
    share = min(1.0, max(0.0, 0.5 + lead / 60))
    if lead >= 20:
        return Finding("rivals", _SAME, "", "", share, _NONE_CLOSE)
    if lead >= 0:
        return Finding("rivals", _CLOSE, "", "", share, _NEARLY_AS_ALIKE)
    return Finding("rivals", _DIFFERS, "", "", share, _MORE_ALIKE)


def share_points(said: Sequence[Sequence[Finding]], scores: Sequence[int]) -> list[tuple[Evidence, ...]]:
    """Evidence of all fields for each candidate, in the order of the screen, from what each of its findings says.

    The points add up to the candidate's score exactly. All candidates have a finding of rivals, as their last, or none.
    """
    weights = [
        0.0 if (verdict := f.verdict) is _MISSING or verdict is _NOT_USED else _WEIGHTS[f.field]
        for one in said
        for f in one
    ]
    shares = [f.share for one in said for f in one]
    ends = list(accumulate(map(len, said)))
    learned = bool(said and said[0]) and said[0][-1].field == "rivals"
    points = iter(
        share_out(
            np.array(weights, np.float64), np.array(shares, np.float64), np.array(ends, np.int64),
            np.array(scores, np.int64), learned,
        ).ravel().tolist()
    )  # fmt: skip
    out = []
    for one in said:
        line = _SILENT.copy()
        for f, mine, most in zip(one, points, points, strict=False):
            field = f.field
            line[_PLACES[field]] = _evidence((field, f.verdict, f.ours, f.theirs, mine, most, f.note, f.marks))
        out.append(tuple(line))
    return out


#: Evidence and candidates of their values, without the call in between: a hundred are made for every listing.
_evidence, _candidate = partial(tuple.__new__, Evidence), partial(tuple.__new__, Candidate)


#: The fields that `difference` may name, the most telling first.
_NAMES: Final = {
    "gtin": phrase("GTIN"), "pack": phrase("Pack"), "size": phrase("Size"), "options": phrase("Options"),
    "colour": phrase("Colour"), "model": phrase("Model"), "brand": phrase("Brand"), "sku": phrase("SKU"),
    "price": phrase("Price"),
}  # fmt: skip
_DIFFERENCE_ORDER: Final = {field: place for place, field in enumerate(_NAMES)}


def difference(said: Sequence[Finding]) -> str:
    """The one fact that differs, said in one line; "" when none does."""
    first, place = None, len(_DIFFERENCE_ORDER)
    for f in [f for f in said if f.verdict is _DIFFERS]:
        if _DIFFERENCE_ORDER.get(f.field, place) < place:
            first, place = f, _DIFFERENCE_ORDER[f.field]
    if (first is None or not first.conflict) and said and said[0].field == "title" and said[0].conflict:
        return said[0].note  # a number of the title
    if first is None:
        return ""
    return phrase(
        "{field} differs: {ours}, not {theirs}", field=_NAMES[first.field], ours=first.ours, theirs=first.theirs
    )
