"""What several products are variants of: made when the first of them comes in, called by what their titles share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from matching.identifiers import match_key
from webapp.db import among
from webapp.models.catalog import BaseProduct, Product
from webapp.services import upserts

MOST_READ = 100  # variants whose titles are asked for what they share
_MARGIN = " \t\u00a0,;:|/·-–—"
_BRACKETS = "()[]"
Variant = tuple[str, Mapping[str, Any]]  # title and options


def make(session: Session, rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The ids of the base products of these rows by match key; new ones are made, and the rows have a say in the title.

    A title is narrowed to what the new rows share with it, so that it matters little which variants come in together.
    """
    wanted: dict[str, str] = {}
    families: dict[str, list[Variant]] = {}
    for row in rows:
        if row.get("base_sku"):
            key = match_key(row["base_sku"])
            wanted.setdefault(key, row["base_sku"])
            families.setdefault(key, []).append((row.get("title") or "", row.get("options") or {}))
    if not wanted:
        return {}
    query = select(BaseProduct.match_key, BaseProduct.id, BaseProduct.title)
    known = {key: (i, title) for key, i, title in session.execute(query.where(BaseProduct.match_key.in_(wanted)))}
    _set_titles(session, {
        i: (title, shared_title([*([(title, {})] if title else []), *families[key]]))
        for key, (i, title) in known.items()
    })  # fmt: skip
    fresh = {key: sku for key, sku in wanted.items() if key not in known}
    if fresh:
        made = [{"sku": sku, "match_key": key, "title": shared_title(families[key])} for key, sku in fresh.items()]
        session.execute(insert(BaseProduct), made)
        found = session.execute(query.where(BaseProduct.match_key.in_(fresh)))
        known |= {key: (i, title) for key, i, title in found}
    return {key: i for key, (i, _) in known.items()}


def name(session: Session, product_ids: Sequence[int]) -> None:
    """Call the bases of these products, which have other titles than before, by what their variants share by now."""
    mine = select(Product.base_id).where(among(session, Product.id, product_ids), Product.base_id.is_not(None))
    place = func.row_number().over(partition_by=Product.base_id, order_by=Product.id).label("place")
    alive = (
        select(Product.base_id, Product.title, Product.options, place)
        .where(Product.base_id.in_(mine), Product.retired_at.is_(None)).subquery()
    )  # fmt: skip
    query = select(BaseProduct.id, BaseProduct.title, alive.c.title, alive.c.options).join(
        alive, alive.c.base_id == BaseProduct.id
    )
    held: dict[int, str] = {}
    families: dict[int, list[Variant]] = {}
    for base_id, title, own, options in session.execute(query.where(alive.c.place <= MOST_READ)):
        held[base_id] = title
        families.setdefault(base_id, []).append((own, options or {}))
    _set_titles(session, {i: (title, shared_title(families[i])) for i, title in held.items()})


def _set_titles(session: Session, titles: Mapping[int, tuple[str, str]]) -> None:
    """Write the titles (present one, next one) that differ; none becomes blank."""
    changed = [{"id": i, "title": after} for i, (before, after) in sorted(titles.items()) if after not in ("", before)]
    upserts.write(session, BaseProduct, changed)


def shared_title(variants: Iterable[Variant]) -> str:
    """What the titles of variants share, without the values of their options; blank when that is nothing.

    “Mug - Red” and “Mug - Blue” share “Mug”; so does “Mug - Red” alone, when red is the value of an option.
    """
    titles = {_without_values(title, options): None for title, options in variants if title}
    if len(titles) == 1:
        return next(iter(titles))
    alike = takewhile(lambda words: len(set(words)) == 1, zip(*(title.split() for title in titles), strict=False))
    return " ".join(words[0] for words in alike).strip(_MARGIN)


def _without_values(title: str, options: Mapping[str, Any]) -> str:
    """A title without the values of options at its end; as it is when nothing else would be left."""
    values = [str(value).casefold() for value in options.values() if value]
    rest, shorter = title, title
    while shorter:
        rest, end = shorter, shorter.rstrip(_MARGIN + _BRACKETS)
        cut = next((end[: -len(value)] for value in values if _ends_with(end, value)), "")
        shorter = cut.rstrip(_MARGIN + _BRACKETS)
    return rest.rstrip(_MARGIN)


def _ends_with(text: str, value: str) -> bool:
    """Whether a text ends with a value as a word of its own."""
    before = text[: -len(value)][-1:]
    return text[-len(value) :].casefold() == value and not before.isalnum()
