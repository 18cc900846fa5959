"""What only the tables can say about a checked file: unknown SKUs, channels and listings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import importers
from matching.identifiers import match_key
from webapp.db import among
from webapp.errors import phrase, phrases
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.imports import ImportJob, ImportKind
from webapp.models.listings import Listing, ListingState
from webapp.services import listing_ids

OF_IMPORT = "import-"  # before an import's number, where batches are named
CHUNK = 2_000  # rows that are looked up at once
ROWS_NAMED = 4  # of each repair
MOST_LISTED = 1_000  # problems in a report; all of them lie beside the staged file


def channels_of(session: Session, job: ImportJob) -> dict[str, Channel]:
    """Channels by name; the one of the whole file, if it has one, comes first."""
    query = select(Channel) if job.channel_id is None else select(Channel).where(Channel.id == job.channel_id)
    found = {c.name: c for c in session.scalars(query)}
    if job.channel_id is not None:
        return found | {c.name: c for c in session.scalars(select(Channel))}
    return found


def resolve(
    session: Session,
    job: ImportJob,
    report: importers.Report,
    staged: Path,
    *,
    placed: Sequence[tuple[int, int]] = (),
) -> importers.Report:
    """Find the rows that name a SKU, a channel or a listing we do not have, and leave them out of the staged file.

    So are the rows without a listing id whose SKU several listings of the channel have. placed: spans of row numbers,
    in ascending order, whose channels are known.
    """
    if job.kind == ImportKind.PRODUCTS:
        return report
    channels = channels_of(session, job)
    found: dict[int, importers.Problem] = {}
    if job.kind == ImportKind.LISTINGS:
        found |= _doubtful(session, job, report, staged, channels)
        named = importers.values_of(staged, "channel", but=placed)
        all_known = named - {None} <= set(channels) and (None not in named or job.channel_id is not None)
    if job.kind == ImportKind.LINKS and "listing_sku" in report.columns.values():
        importers.rewrite(staged, partial(_with_ids, session, channels))
    if job.kind != ImportKind.LISTINGS or not all_known:
        for block in importers.read_blocks(staged, size=CHUNK):
            found |= _unknown(session, job, list(block.rows()), channels)
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


def grouped(report: importers.Report, staged: Path) -> list[dict[str, Any]]:
    """The problems by repair: code, column, number, the first rows, and the first sentence; in the order of the file.

    All of them are counted, also those that the report does not list.
    """
    if report.outcome == "reject" and not report.rows_bad:
        return []
    every = report.errors if report.errors_total <= len(report.errors) else importers.read_problems(staged)
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for problem in every:
        blank = {"code": problem.code, "column": problem.column, "n": 0, "rows": [], "value": problem.value,
                 "message": problem.message, "alike": True}  # fmt: skip
        group = groups.setdefault((problem.code, problem.column), blank)
        group["n"] += 1
        group["alike"] &= _repair(problem.message) == _repair(group["message"])
        if len(group["rows"]) < ROWS_NAMED:
            group["rows"].append(problem.row)
    return sorted(groups.values(), key=lambda group: int(group["rows"][0]))


def _repair(message: str) -> str:
    """The last sentence of a message, which says what to do."""
    return message.rstrip(".").rpartition(". ")[2]


def report_json(job: ImportJob) -> dict[str, Any]:
    """The import report as the command line promises it; its `batch` is what `pairbook undo` takes back."""
    report = {k: v for k, v in job.report.items() if k not in {"mapping", "sheets", "forecast", "problems"}}
    batch = str(job.batch_id) if job.batch_id else f"{OF_IMPORT}{job.id}" if job.created or job.updated else None
    return {
        **report,
        "created": job.created,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "batch": batch,
        "import": job.id,
    }


def count_waiting(session: Session, job: ImportJob) -> int:
    """How many of the listings that this import brought wait for a person."""
    mine = select(func.count()).where(Listing.state == ListingState.PENDING, Listing.import_id == job.id)
    return session.scalar(mine) or 0


def untitled(report: importers.Report, forecast: Mapping[str, int]) -> importers.Report:
    """The report, with a warning when no column holds the title of its new products."""
    new = forecast.get("new", 0)
    if report.kind != "products" or not new or "title" in report.columns.values():
        return report
    words = phrases(
        "No column holds the title: {n} new product would be shown by its SKU alone. Choose the column of the title.",
        "No column holds the title: {n} new products would be shown by their SKUs alone. "
        "Choose the column of the title.",
        new,
    )
    warning = importers.Problem(report.header_row or 1, "", "no_title", "", words)
    return replace(report, warnings=(warning, *report.warnings), warnings_total=report.warnings_total + 1)


def _doubtful(
    session: Session, job: ImportJob, report: importers.Report, staged: Path, channels: Mapping[str, Channel]
) -> dict[int, importers.Problem]:
    """The rows without a listing id whose SKU several listings have, none of which is called by it."""
    meeting = listing_ids.meeting(session, job, report.columns, staged)
    found: dict[int, importers.Problem] = {}
    if meeting is None or not meeting.doubtful:
        return found
    fallback = next(iter(channels))
    for block in importers.read_blocks(staged, size=CHUNK, names=("channel", "listing_id", "sku", "match_key")):
        there = [channels.get(name or fallback) for name in block.column("channel")]
        rows = zip(block.numbers, there, block.column("listing_id"), block.column("match_key"), strict=True)
        asked = {
            (channel.id, listing_id): (row, channel.name)
            for row, channel, listing_id, key in rows
            if channel is not None and (channel.id, key) in meeting.doubtful
        }
        known = _there(session, asked)
        doubts = ((key[1], place) for key, place in asked.items() if key not in known)
        found |= {row: _ambiguous(row, "sku", name, sku) for sku, (row, name) in doubts}
    return found


def _ambiguous(row: int, column: str, channel: str, sku: str) -> importers.Problem:
    words = phrase(
        "Row {row}: several listings of {channel} have the SKU “{sku}”, and the file has no listing ID that says which "
        "one is meant. Import a report with listing IDs, or delete the row.",
        row=row, channel=channel, sku=sku,
    )  # fmt: skip
    return importers.Problem(row, column, "ambiguous_sku", sku, words)


def _with_ids(session: Session, channels: Mapping[str, Channel], block: importers.Block) -> importers.Block:
    """Rows of links that name a listing by its SKU, or by an id that is not known, with the id of that listing.

    Where no listing has the SKU, or several have, what the row says stands in place of an id, and is not known.
    """
    fallback = next(iter(channels), "")
    ids = {name: channel.id for name, channel in channels.items()}
    there = [ids.get(name or fallback, 0) for name in block.column("channel")]
    said = [own or sku or "" for own, sku in zip(block.column("listing_id"), block.column("listing_sku"), strict=True)]
    keys = [match_key(sku or "") for sku in block.column("listing_sku")]
    known, meant = _there(session, list(zip(there, said, strict=True))), dict[tuple[int, str], str]()
    for channel_id in sorted(set(there)):
        wanted = {key for place, key in zip(there, keys, strict=True) if place == channel_id and key}
        found = listing_ids.bearers(session, channel_id, wanted)
        meant |= {(channel_id, key): here[0].external_id for key, here in found.items() if len(here) == 1}
    listed = [
        own if (place, own) in known else meant.get((place, key), own)
        for place, own, key in zip(there, said, keys, strict=True)
    ]
    return importers.Block(block.numbers, {**block.columns, "listing_id": listed})


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
    names = ", ".join(sorted(channels))
    found = {}
    for row, values in chunk:
        name = values.get("channel")
        if name and name not in channels:
            if names:
                words = phrase(
                    "Row {row}: there is no channel “{name}”. Channels: {channels}. Add it first, or correct the name.",
                    row=row, name=name, channels=names,
                )  # fmt: skip
            else:
                words = phrase(
                    "Row {row}: there is no channel “{name}”, nor any other one yet. Add it first.", row=row, name=name
                )
            found[row] = importers.Problem(row, "channel", "unknown_value", str(name), words)
        elif not name and job.channel_id is None:
            words = phrase(
                "Row {row} names no channel. Choose the channel of this file, or add a column “channel”.", row=row
            )
            found[row] = importers.Problem(row, "channel", "blank", "", words)
    return found


def _unknown_skus(session: Session, chunk: list[tuple[int, dict[str, Any]]]) -> dict[int, importers.Problem]:
    keys = [values["match_key"] for _, values in chunk if values.get("match_key")]
    known = set(session.scalars(select(Product.match_key).where(among(session, Product.match_key, keys))))
    found = {}
    for row, values in chunk:
        if values.get("match_key") not in known:
            sku = str(values.get("sku", ""))
            words = phrase(
                "Row {row}: no product has the SKU “{sku}”. Import the product first, or correct the SKU.",
                row=row,
                sku=sku,
            )
            found[row] = importers.Problem(row, "sku", "unknown_sku", sku, words)
    return found


def _unknown_listings(
    session: Session, chunk: list[tuple[int, dict[str, Any]]], channels: Mapping[str, Channel]
) -> dict[int, importers.Problem]:
    fallback = next(iter(channels), "")
    wanted = {row: (channels[v.get("channel") or fallback], v["listing_id"]) for row, v in chunk}
    known = _there(session, [(channel.id, listing_id) for channel, listing_id in wanted.values()])
    missing = {row: place for row, place in wanted.items() if (place[0].id, place[1]) not in known}
    skus = {row: match_key(v["listing_sku"]) for row, v in chunk if "listing_sku" in v and row in missing}
    by_channel: dict[int, set[str]] = {}
    for row, sku in skus.items():
        by_channel.setdefault(missing[row][0].id, set()).add(sku)
    bearers = {i: listing_ids.bearers(session, i, sorted(by_channel[i])) for i in sorted(by_channel)}
    found = {}
    for row, (channel, listing_id) in missing.items():
        if row in skus and len(bearers[channel.id].get(skus[row], ())) > 1:
            found[row] = _ambiguous(row, "listing_sku", channel.name, listing_id)
        else:
            words = phrase(
                "Row {row}: {channel} has no listing “{listing}”. Import it first, or correct the id.",
                row=row,
                channel=channel.name,
                listing=listing_id,
            )
            found[row] = importers.Problem(row, "listing_id", "unknown_value", listing_id, words)
    return found


def _there(session: Session, keys: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Those of these channels and listing ids that are known."""
    query = select(Listing.channel_id, Listing.external_id).where(
        among(session, Listing.external_id, [listing_id for _, listing_id in keys]),
        Listing.channel_id.in_({channel_id for channel_id, _ in keys}),
    )
    return {(channel_id, listing_id) for channel_id, listing_id in session.execute(query)}
