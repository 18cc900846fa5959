"""Zeros that a spreadsheet took from SKUs and GTINs, where the catalogue or the check digit proves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import importers
from matching.identifiers import is_valid_gtin, loose_key
from webapp.db import among
from webapp.models.catalog import Product
from webapp.models.imports import ImportKind

CHUNK = 2_000  # rows that are looked up at once
MOST_SHOWN = 5
GTIN_LENGTHS = (8, 12, 13, 14)


@dataclass
class Lost:
    """What could be put back: SKU as the file has it to SKU of the catalogue, the number of GTINs, the first rows."""

    skus: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    gtins: int = 0
    shown: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Numbers of rows by field and the first rows with before and after; empty when nothing is lost."""
        return {"sku": self.rows, "gtin": self.gtins, "shown": self.shown} if self.rows or self.gtins else {}


def may_lack(block: importers.Block) -> bool:
    """Whether a SKU or a GTIN of these rows can have lost zeros, by its looks."""
    return bool(_digits(block)) or not _whole_lengths(block)


def find(session: Session, kind: ImportKind, staged: Path, *, but: Sequence[tuple[int, int]] = ()) -> Lost:
    """Rows of a staged file whose SKU no product has, but exactly one would with zeros in front; and short GTINs.

    A SKU that the file has with its zeros too is left alone: it may be another one. but: spans of row numbers, in
    ascending order, of which `may_lack` has said no.
    """
    found = Lost()
    rows: Counter[str] = Counter()
    for block in importers.read_blocks(staged, size=CHUNK, names=("match_key", "gtin"), but=but):
        keys, gtins, digits = block.column("match_key"), block.column("gtin"), _digits(block)
        found.skus |= _proven(session, digits)
        for number, key in zip(block.numbers, keys, strict=True) if digits & found.skus.keys() else ():
            if key in found.skus:
                rows[key] += 1
                _show(found, number, "sku", key, found.skus[key])
        if _whole_lengths(block):
            continue
        for number, gtin in zip(block.numbers, gtins, strict=True):
            if gtin and (whole := whole_gtin(gtin)) != gtin:
                found.gtins += 1
                _show(found, number, "gtin", gtin, whole)
    if found.skus and kind != ImportKind.LINKS:
        _leave_doubles(found, staged)
    found.shown = [row for row in found.shown if row["field"] == "gtin" or row["before"] in found.skus]
    found.rows = sum(rows[key] for key in found.skus)
    return found


def put_back(staged: Path, lost: Lost, *, ids: bool) -> None:
    """Write the zeros into a staged file; `ids`: the SKU of a row stands for its listing id, and changes with it."""

    def repaired(block: importers.Block) -> importers.Block:
        columns = dict(block.columns)
        keys = block.column("match_key")
        for name in ("sku", "match_key", *(("listing_id",) if ids else ())):
            if name in columns and any(key in lost.skus for key in keys):
                columns[name] = [lost.skus.get(key, old) for key, old in zip(keys, columns[name], strict=True)]
        if "gtin" in columns:
            columns["gtin"] = [whole_gtin(gtin) if gtin else gtin for gtin in columns["gtin"]]
        return importers.Block(block.numbers, columns)

    if lost.skus or lost.gtins:
        importers.rewrite(staged, repaired)


def whole_gtin(text: str) -> str:
    """A GTIN with the zeros in front that its check digit proves; any other text as it is."""
    if not text.isascii() or not text.isdecimal() or len(text) in GTIN_LENGTHS or not 7 <= len(text) < 14:
        return text
    length = next(length for length in GTIN_LENGTHS if length > len(text))
    return text.zfill(length) if is_valid_gtin(text.zfill(length)) else text


def _digits(block: importers.Block) -> set[str]:
    return {key for key in block.column("match_key") if key and key.isdecimal() and key.isascii()}


def _whole_lengths(block: importers.Block) -> bool:
    return set(map(len, filter(None, block.column("gtin")))) <= set(GTIN_LENGTHS)


def _proven(session: Session, keys: set[str]) -> dict[str, str]:
    """Those of these all-digit keys that no product has, with the only product's key that is the same but for zeros."""
    if not keys:
        return {}
    by_loose = {loose_key(key) for key in keys}
    query = select(Product.match_key, Product.loose_key).where(
        among(session, Product.loose_key, by_loose), Product.retired_at.is_(None)
    )
    ours: dict[str, list[str]] = {}
    for key, loose in session.execute(query):
        ours.setdefault(loose, []).append(key)
    proven = {}
    for key in keys:
        near = ours.get(loose_key(key), [])
        longer = [one for one in near if len(one) > len(key) and one.endswith(key) and not one[: -len(key)].strip("0")]
        if len(longer) == 1 and key not in near:
            proven[key] = longer[0]
    return proven


def _leave_doubles(found: Lost, staged: Path) -> None:
    """Leave out what would become the SKU of another row of the file."""
    targets = Counter(found.skus.values())
    taken = {one for one, n in targets.items() if n > 1}
    for block in importers.read_blocks(staged, size=CHUNK, names=("match_key",)):
        taken.update(key for key in block.column("match_key") if key in targets)
    found.skus = {before: after for before, after in found.skus.items() if after not in taken}


def _show(found: Lost, row: int, name: str, before: str, after: str) -> None:
    if len(found.shown) < MOST_SHOWN:
        found.shown.append({"row": row, "field": name, "before": before, "after": after})
