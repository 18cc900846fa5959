"""What only the tables can say about a checked file: unknown SKUs and channels, and what its rows will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import importers
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.imports import ImportJob, ImportKind
from webapp.models.links import Link
from webapp.models.listings import Listing

CHUNK = 2_000  # rows in one transaction: other people's clicks get their turn in between
MOST_LISTED = 1_000  # problems in a report; all of them lie beside the staged file


def forecast(session: Session, job: ImportJob, uploads: Path) -> dict[str, int]:
    """What a checked listing file will do, in numbers that sum up to its good rows: new by SKU, to review, updated."""
    numbers = {"link": 0, "review": 0, "update": 0, "new": 0}
    channels = channels_of(session, job)
    seen: set[str] = set()
    for chunk in chunks(importers.read_staged(uploads / f"{job.stored_as}.rows")):
        if job.kind == ImportKind.LISTINGS:
            _forecast_listings(session, [r for _, r in chunk], channels, numbers, seen)
        else:
            keys = [r["match_key"] for _, r in chunk if r.get("match_key")]
            known = session.scalar(select(func.count()).select_from(Product).where(Product.match_key.in_(keys))) or 0
            numbers["update"] += known
            numbers["new"] += len(chunk) - known
    return numbers


def channels_of(session: Session, job: ImportJob) -> dict[str, Channel]:
    query = select(Channel) if job.channel_id is None else select(Channel).where(Channel.id == job.channel_id)
    found = {c.name: c for c in session.scalars(query)}
    if job.channel_id is not None:
        return found | {c.name: c for c in session.scalars(select(Channel))}
    return found


def resolve(session: Session, job: ImportJob, report: importers.Report, staged: Path) -> importers.Report:
    """Find the rows that name a SKU, a channel or a listing we do not have, and leave them out of the staged file."""
    if job.kind == ImportKind.PRODUCTS:
        return report
    channels = channels_of(session, job)
    found: dict[int, importers.Problem] = {}
    for chunk in chunks(importers.read_staged(staged)):
        found |= _unknown(session, job, chunk, channels)
    if not found:
        return report
    importers.leave_out(staged, found.values())
    rows_ok, bad = report.rows_ok - len(found), report.rows_bad + len(found)
    return replace(
        report,
        outcome="partial" if rows_ok else "reject",
        rows_ok=rows_ok,
        rows_bad=bad,
        errors=tuple(sorted([*report.errors, *found.values()], key=lambda p: p.row)[:MOST_LISTED]),
        errors_total=report.errors_total + len(found),
    )


def _unknown(
    session: Session,
    job: ImportJob,
    chunk: list[tuple[int, dict[str, Any]]],
    channels: Mapping[str, Channel],
) -> dict[int, importers.Problem]:
    """The rows of a chunk that name a channel, a SKU or a listing we do not have, by row number."""
    found: dict[int, importers.Problem] = {}
    if job.kind in {ImportKind.LISTINGS, ImportKind.LINKS}:
        found |= _unknown_channels(job, chunk, channels)
    if job.kind in {ImportKind.STOCK, ImportKind.LINKS}:
        found |= _unknown_skus(session, [c for c in chunk if c[0] not in found])
    if job.kind == ImportKind.LINKS:
        found |= _unknown_listings(session, [c for c in chunk if c[0] not in found], channels)
    return found


def _unknown_channels(
    job: ImportJob, chunk: list[tuple[int, dict[str, Any]]], channels: Mapping[str, Channel]
) -> dict[int, importers.Problem]:
    names = ", ".join(sorted(channels)) or "none yet"
    found = {}
    for row, values in chunk:
        name = values.get("channel")
        if name and name not in channels:
            words = f"Row {row}: there is no channel “{name}”. Channels: {names}. Add it first, or correct the name."
            found[row] = importers.Problem(row, "channel", "unknown_value", str(name), words)
        elif not name and job.channel_id is None:
            words = f"Row {row} names no channel. Choose the channel of this file, or add a column “channel”."
            found[row] = importers.Problem(row, "channel", "blank", "", words)
    return found


def _unknown_skus(session: Session, chunk: list[tuple[int, dict[str, Any]]]) -> dict[int, importers.Problem]:
    keys = [values["match_key"] for _, values in chunk if values.get("match_key")]
    known = set(session.scalars(select(Product.match_key).where(Product.match_key.in_(keys))))
    found = {}
    for row, values in chunk:
        if values.get("match_key") not in known:
            sku = str(values.get("sku", ""))
            words = f"Row {row}: no product has the SKU “{sku}”. Import the product first, or correct the SKU."
            found[row] = importers.Problem(row, "sku", "unknown_sku", sku, words)
    return found


def _unknown_listings(
    session: Session, chunk: list[tuple[int, dict[str, Any]]], channels: Mapping[str, Channel]
) -> dict[int, importers.Problem]:
    fallback = next(iter(channels), "")
    wanted = {row: (channels[v.get("channel") or fallback], v["listing_id"]) for row, v in chunk}
    query = select(Listing.channel_id, Listing.external_id).where(
        Listing.external_id.in_([listing_id for _, listing_id in wanted.values()])
    )
    known = {tuple(r) for r in session.execute(query)}
    found = {}
    for row, (channel, listing_id) in wanted.items():
        if (channel.id, listing_id) not in known:
            words = f"Row {row}: {channel.name} has no listing “{listing_id}”. Import it first, or correct the id."
            found[row] = importers.Problem(row, "listing_id", "unknown_value", listing_id, words)
    return found


def _forecast_listings(
    session: Session,
    rows: list[dict[str, Any]],
    channels: Mapping[str, Channel],
    numbers: dict[str, int],
    seen: set[str],
) -> None:
    fallback = next(iter(channels), "")
    ids = [r["listing_id"] for r in rows]
    known = {
        tuple(r)
        for r in session.execute(
            select(Listing.channel_id, Listing.external_id).where(
                Listing.external_id.in_(ids), Listing.channel_id.in_([c.id for c in channels.values()])
            )
        )
    }
    keys = {r["match_key"] for r in rows if r.get("match_key")}
    free = select(Product.match_key).where(
        Product.match_key.in_(keys), ~select(Link.id).where(Link.product_id == Product.id).exists()
    )
    products = set(session.scalars(free))
    for row in rows:
        channel = channels[row.get("channel") or fallback]
        key = row.get("match_key")
        if (channel.id, row["listing_id"]) in known:
            numbers["update"] += 1
        elif key in products and f"{channel.id}:{key}" not in seen:
            seen.add(f"{channel.id}:{key}")
            numbers["link"] += 1
        else:
            numbers["review"] += 1


def chunks(rows: Iterator[tuple[int, dict[str, Any]]], size: int = CHUNK) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Rows in lists of at most `size`."""
    while chunk := list(islice(rows, size)):
        yield chunk
