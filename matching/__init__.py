"""Matching: two records in, a verdict with reasons out. This is the public list.

Names are looked up at their first use: importing a small part, such as the rules of SKUs, does not load
the compiled kernels, and a command that never matches never waits for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matching.blocking import Index
    from matching.calibration import Calibration, Decided, calibrate, wilson_lower
    from matching.contradictions import Contradiction, contradiction
    from matching.decide import compare, compare_all, suggest, suggest_many
    from matching.finding import search
    from matching.identifiers import Gtin, NearMiss, loose_key, match_key, near_miss, parse_gtin
    from matching.lookalikes import LookAlike, look_alikes
    from matching.records import Advice, Candidate, Evidence, Marks, Record, Verdict
    from matching.variants import Fit, Option, Placed, place_variants, shape

__all__ = [
    "Advice", "Calibration", "Candidate", "Contradiction", "Decided", "Evidence", "Fit", "Gtin", "Index", "LookAlike",
    "Marks", "NearMiss", "Option", "Placed", "Record", "Verdict", "calibrate", "compare", "compare_all",
    "contradiction", "look_alikes", "loose_key", "match_key", "near_miss", "parse_gtin", "place_variants", "search",
    "shape", "suggest", "suggest_many", "wilson_lower",
]  # fmt: skip

_HOMES = {
    "blocking": ("Index",),
    "calibration": ("Calibration", "Decided", "calibrate", "wilson_lower"),
    "contradictions": ("Contradiction", "contradiction"),
    "decide": ("compare", "compare_all", "suggest", "suggest_many"),
    "finding": ("search",),
    "identifiers": ("Gtin", "NearMiss", "loose_key", "match_key", "near_miss", "parse_gtin"),
    "lookalikes": ("LookAlike", "look_alikes"),
    "records": ("Advice", "Candidate", "Evidence", "Marks", "Record", "Verdict"),
    "variants": ("Fit", "Option", "Placed", "place_variants", "shape"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """The public name from the module it lives in (PEP 562); kept, so that this runs once each."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
