"""Matching: two records in, a verdict with reasons out. This is the public list."""

from __future__ import annotations

from matching.blocking import Index
from matching.decide import compare, suggest, suggest_many
from matching.identifiers import Gtin, NearMiss, loose_key, match_key, near_miss, parse_gtin
from matching.lookalikes import LookAlike, look_alikes
from matching.records import Advice, Candidate, Evidence, Marks, Record, Verdict
from matching.search import search

__all__ = [
    "Advice", "Candidate", "Evidence", "Gtin", "Index", "LookAlike", "Marks", "NearMiss", "Record", "Verdict",
    "compare", "look_alikes", "loose_key", "match_key", "near_miss", "parse_gtin", "search", "suggest", "suggest_many",
]  # fmt: skip
