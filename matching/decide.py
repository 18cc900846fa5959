"""From features and findings to a decision: order, score, points that add up, advice, the fact that differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.blocking import Found, Index
from matching.document import document
from matching.fields import CAPS, POINTS, Finding, Side, findings
from matching.identifiers import loose_key
from matching.pairs import COLUMN
from matching.ranking import Ranking, shipped
from matching.records import Advice, Candidate, Evidence, Record, Verdict

Array = NDArray[Any]
LIKELY_FROM: Final = 75
POSSIBLE_FROM: Final = 40
#: Points for standing out among the other candidates; only a list of candidates has them.
RIVAL_POINTS: Final = 15
_WEIGHTS: Final = {**POINTS, "rivals": RIVAL_POINTS}
#: Listings are compared with each other from this many on, and from one for this many products on.
CROWD_FROM, CROWD_SHARE = 20, 20
#: How many of the learned order are examined for conflicts before the list is cut.
_EXAMINED: Final = 1
#: How many products stay read while many listings are decided.
_KEPT: Final = 20_000


def suggest(record: Record, index: Index, *, top: int = 10, ranking: Ranking | None = None) -> list[Candidate]:
    """The `top` products that one listing may be, best first, each with its evidence."""
    return suggest_many([record], index, top=top, ranking=ranking)[0]


def suggest_many(
    records: Sequence[Record], index: Index, *, top: int = 10, ranking: Ranking | None = None
) -> list[list[Candidate]]:
    """Suggestions for many listings of one channel at once; the order of the listings does not matter.

    When the listings are many enough for the catalogue (CROWD_FROM, CROWD_SHARE) they are also compared with each
    other: a product that another listing fits better is a weaker suggestion.
    """
    docs = [document(r) for r in records]
    found = [index.find(d, sku=r.sku) for r, d in zip(records, docs, strict=True)]
    crowd = len(records) >= max(CROWD_FROM, len(index) // CROWD_SHARE)
    odds = rank_all(found, ranking or shipped(), crowd=crowd)
    sides = _Sides(index)
    return [
        _decide(r, f, o + identifier_odds(r, f, sides), sides, top)
        for r, f, o in zip(records, found, odds, strict=True)
    ]


class _Sides:
    """Products read for comparing, kept for the next listing that has them as candidates, up to a limit."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.kept: dict[tuple[int, int], Side] = {}

    def at(self, place: tuple[int, int]) -> Side:
        """The product at a place of the index."""
        side = self.kept.get(place)
        if side is None:
            if len(self.kept) >= _KEPT:
                self.kept.clear()
            side = self.kept[place] = Side(self.index.record(place))
        return side


def rank_all(found: Sequence[Found], ranking: Ranking, *, crowd: bool) -> list[Array]:
    """The learned log-odds of every candidate of every listing; in a crowd, listings compete for products."""
    features = np.concatenate([f.features for f in found]) if found else np.zeros((0, 0))
    ends = np.cumsum([len(f) for f in found])
    listings = np.repeat(np.arange(len(found)), [len(f) for f in found])
    places = np.array([p for f in found for p in f.places], np.int64).reshape(-1, 2)
    odds = ranking.log_odds(features, listings, (places[:, 0] << 40) | places[:, 1] if crowd else None)
    return np.split(odds, ends[:-1]) if found else []


def _decide(record: Record, found: Found, odds: Array, sides: _Sides, top: int) -> list[Candidate]:
    if not len(found):
        return []
    chance = 1 / (1 + np.exp(-odds))
    order = np.argsort(-chance, kind="stable")[: top + _EXAMINED]
    listing = Side(record)
    judged = []
    for at in order:
        product = sides.at(found.places[at])
        said = list(findings(product, listing))
        judged.append((min(100 * float(chance[at]), cap(said)), product.record, said))
    judged.sort(key=lambda j: -j[0])
    best = judged[0][0]
    runner_up = judged[1][0] if len(judged) > 1 else 0.0
    out = []
    for rank, (score, item, said) in enumerate(judged[:top], start=1):
        rival = runner_up if rank == 1 else best
        out.append(_candidate(item, said, round(score), rank, score - rival))
    return out


def identifier_odds(record: Record, found: Found, sides: _Sides) -> Array:
    """What identifiers add to the learned log-odds. Few catalogues to learn from have them, so these are judgements."""
    gtin, mpn = (found.features[:, COLUMN[name]] for name in ("gtin", "mpn"))
    odds = np.where(gtin > 0, 6.0, np.where(gtin < 0, -3.0, 0.0)) + np.where(mpn > 0, 1.5, np.where(mpn < 0, -0.5, 0.0))
    key = loose_key(record.sku) if record.sku else ""
    if key:
        same = [loose_key(sides.at(place).record.sku) == key for place in found.places]
        odds = odds + np.where(same, 5.0 if len(key) >= 5 else 3.0, 0.0)
    return odds


def cap(said: Sequence[Finding]) -> float:
    """The highest score these findings allow."""
    return min((CAPS[f.field] for f in said if f.conflict), default=100)


def compare(product: Record, listing: Record) -> Candidate:
    """The evidence of one pair by itself, as for a search result: rank 0, and a score from its fields alone."""
    said = list(findings(Side(product), Side(listing)))
    earned, possible = sum(POINTS[f.field] * f.share for f in said), sum(POINTS[f.field] for f in said if _counts(f))
    score = min(100 * earned / possible if possible else 0.0, cap(said))
    return _candidate(product, said, round(score), 0, None)


def _counts(finding: Finding) -> bool:
    return finding.verdict not in (Verdict.MISSING, Verdict.NOT_USED)


def advice(score: int) -> Advice:
    """How to read a score."""
    return Advice.LIKELY if score >= LIKELY_FROM else Advice.POSSIBLE if score >= POSSIBLE_FROM else Advice.UNLIKELY


def _candidate(product: Record, said: list[Finding], score: int, rank: int, lead: float | None) -> Candidate:
    if lead is not None:
        said = [*said, _rivals(lead)]
    evidence = share_points(said, score)
    return Candidate(product.id, score, evidence, advice(score), rank, difference(said))


def _rivals(lead: float) -> Finding:
    """How far a candidate stands out: `lead` is its score less the best other candidate's."""
    share = min(1.0, max(0.0, 0.5 + lead / 60))
    if lead >= 20:
        return Finding("rivals", Verdict.SAME, "", "", share, "no other product comes close")
    if lead >= 0:
        return Finding("rivals", Verdict.CLOSE, "", "", share, "another product is nearly as alike")
    return Finding("rivals", Verdict.DIFFERS, "", "", share, "another product is more alike")


def share_points(said: Sequence[Finding], score: int) -> tuple[Evidence, ...]:
    """Evidence whose points add up to the score exactly.

    Fields that were compared share 100 points in the proportions of POINTS, and earn by their own finding. The
    learned score knows more than the fields (how rare the shared words are, what other listings want), so what
    the fields earned is moved towards the score in proportion: up into the points left, or down from those earned.
    """
    weights = [(_WEIGHTS[f.field] if _counts(f) else 0) for f in said]
    most = _whole([w * 100 / (sum(weights) or 1) for w in weights], 100 if any(weights) else 0)
    earned = [m * f.share for m, f in zip(most, said, strict=True)]
    total, target = sum(earned), min(score, sum(most))
    if total > target:
        moved = [e * target / total for e in earned]
    else:
        room = sum(most) - total
        moved = [e + (m - e) * (target - total) / room if room else e for e, m in zip(earned, most, strict=True)]
    points = _whole(moved, target, most)
    return tuple(
        Evidence(f.field, f.verdict, f.ours, f.theirs, p, m, f.note, f.marks)
        for f, p, m in zip(said, points, most, strict=True)
    )


def _whole(parts: Sequence[float], total: int, limits: Sequence[int] | None = None) -> list[int]:
    """Whole numbers near `parts` that add up to `total` (largest remainder), none above its limit."""
    out = [int(p + 1e-9) for p in parts]
    by_rest = sorted(range(len(parts)), key=lambda i: (out[i] - parts[i], i))
    left = total - sum(out)
    while left > 0:
        for i in by_rest:
            if left > 0 and parts[i] > 0 and (limits is None or out[i] < limits[i]):
                out[i] += 1
                left -= 1
    return out


_DIFFERENCE_ORDER: Final = ("gtin", "pack", "size", "options", "colour", "model", "brand", "sku", "price")


def difference(said: Sequence[Finding]) -> str:
    """The one fact that differs, said in one line; "" when none does."""
    by_field = {f.field: f for f in said if f.verdict is Verdict.DIFFERS}
    for field in _DIFFERENCE_ORDER:
        if field in by_field:
            f = by_field[field]
            name = {"gtin": "GTIN", "sku": "SKU"}.get(field, field.capitalize())
            return f"{name} differs: {f.ours}, not {f.theirs}"
    return ""
