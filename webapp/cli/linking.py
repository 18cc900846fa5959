"""Commands about pairs: link equal SKUs, suggest, decide on one, take apart, undo."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

import matching
from connectors.sheets import neutral
from webapp.cli.files import take_import_back
from webapp.cli.support import PARTIAL, REFUSED, Say, command, plural
from webapp.db import unit_of_work
from webapp.errors import NotFound
from webapp.jobs import tasks
from webapp.models import Channel, Link, LinkBatch, Listing, Product
from webapp.models.accounts import COMMAND_LINE
from webapp.services import catalog, channels, decisions, links, listings, retrieval, steps, suggestions, unsyncing
from webapp.services.import_checks import OF_IMPORT
from webapp.services.undo import begin_large, take_back

CHUNK = 4_000  # listings in one step: they compete for products, so that a larger step suggests better
COLUMNS = ("channel", "listing_id", "rank", "sku", "score", "probability", "reasons")
NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)
ON_CHANNEL = click.option("--channel", "channel", metavar="NAME", required=True)
MAYBE_CHANNEL = click.option("--channel", "channel", metavar="NAME", help="Only this channel.")


@command("reconcile")
@MAYBE_CHANNEL
def reconcile(say: Say, channel: str | None) -> None:
    """Link listings and products with exactly the same SKU, where it is unique on both sides."""
    done = tasks.reconcile(_channel(channel), by=COMMAND_LINE)
    words = f"Linked {plural(done.linked, 'listing')}. {done.pending:,} wait: {done.near_miss:,} near misses, "
    say(done.as_json(), f"{words}{done.ambiguous:,} ambiguous, {done.no_sku:,} without SKU.")


def _candidates(channel: Channel | None, top: int) -> Iterator[dict[int, list[matching.Candidate]]]:
    """Candidates for the pending listings of one channel, or of each in turn, a step at a time."""
    with unit_of_work(read_only=True) as session:
        every = [channel] if channel else channels.all_channels(session)
    for each in every:
        ids = [0]
        while ids:
            with unit_of_work(read_only=True) as session:
                ids = suggestions.to_suggest(session, channel=each, only_new=False, after=ids[-1], limit=CHUNK)
                found = suggestions.suggest_for(session, ids, _index(), top=top) if ids else {}
            if found:
                yield found


@command("suggest")
@MAYBE_CHANNEL
@click.option("--top", type=click.IntRange(1, 100), default=10, show_default=True, help="Candidates for a listing.")
@click.option("--out", type=NEW_FILE, help="Write the candidates to FILE.csv.")
def suggest(say: Say, channel: str | None, top: int, out: Path | None) -> None:
    """Find candidates for every pending listing, best first; the review shows the same."""
    began = time.monotonic()
    done = with_some = 0
    with _sheet(out) if out else nullcontext() as sheet:
        for candidates in _candidates(_channel(channel), top):
            with unit_of_work() as session:
                if sheet is not None:
                    sheet.writerows(_candidate_rows(session, candidates))
                with_some += suggestions.keep(session, candidates)
            done += len(candidates)
            say.progress(plural(done, "listing"))
    seconds = round(time.monotonic() - began, 3)
    answer = {"listings": done, "with_suggestions": with_some, "seconds": seconds}
    say(answer, f"{with_some:,} of {plural(done, 'listing')} have suggestions ({seconds:.1f} s).")


@command("link")
@ON_CHANNEL
@click.argument("listing_id")
@click.argument("sku")
def link(say: Say, channel: str, listing_id: str, sku: str) -> None:
    """Say that a listing is a product."""
    with unit_of_work() as session:
        pair, change = _pair(session, channel, listing_id, sku)
        if pair is not None:
            change = links.confirm(session, [pair], by=COMMAND_LINE)
    _answer(say, change, "Linked")


@command("reject")
@ON_CHANNEL
@click.argument("listing_id")
@click.argument("sku")
def reject(say: Say, channel: str, listing_id: str, sku: str) -> None:
    """Say that a listing is not a product; it is never suggested again."""
    with unit_of_work() as session:
        pair, change = _pair(session, channel, listing_id, sku)
        if pair is not None:
            change = links.reject(session, [pair], by=COMMAND_LINE)
    _answer(say, change, "Rejected")


@command("unlink")
@ON_CHANNEL
@click.argument("listing_ids", nargs=-1, required=True, metavar="LISTING_ID…")
@click.option("--reason", default="", help="Why, for the trail.")
def unlink(say: Say, channel: str, listing_ids: tuple[str, ...], reason: str) -> None:
    """Take links apart; sending to these listings stops at once, and no rule links them again."""
    with unit_of_work() as session:
        ids, unknown = _ids(session, channels.get(session, channel), listing_ids)
        change = links.unlink(session, ids, by=COMMAND_LINE, reason=reason)
    change.refused += unknown
    _answer(say, change, "Unlinked")


@command("unsync")
@ON_CHANNEL
@click.option("--expect", type=click.IntRange(0), required=True, metavar="N", help="The number of links there are.")
@click.option("--reason", default="", help="Why, for the trail.")
def unsync(say: Say, channel: str, expect: int, reason: str) -> None:
    """Take all links of a channel apart; refused when N is not their number."""
    with unit_of_work() as session:
        which = [Link.channel_id == channels.get(session, channel).id]
        unsync = unsyncing.begin if expect >= steps.FROM else links.unsync
        act = unsync(session, which, expect=expect, by=COMMAND_LINE, reason=reason)
    _answer(say, act if isinstance(act, links.Change) else _ended(act), "Unsynced")


class _Batch(click.ParamType[tuple[bool, int]]):
    """The “batch” of an answer: the number of an act, or import-N."""

    name = "batch"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[bool, int]:
        """Whether it is an import, and its number."""
        number = str(value).removeprefix(OF_IMPORT)
        if not (number.isascii() and number.isdigit()):
            self.fail(f"{value!r} is no batch. Give what an answer calls “batch”: 12, or import-12.", param, ctx)
        return number != str(value), int(number)


@command("undo")
@click.argument("batch", type=_Batch())
def undo(say: Say, batch: tuple[bool, int]) -> None:
    """Take a batch back, as far as nobody changed those pairs since; import-N takes an import back."""
    of_import, number = batch
    if of_import:
        done, words, code = take_import_back(say, number)
        changed = sum(done[what] for what in ("removed", "restored", "unlinked"))
        name = f"{OF_IMPORT}{number}"
        return say({"batch": name, "changed": changed, "unchanged": 0, "refused": [], **done}, words, code=code)
    with unit_of_work() as session:
        act = begin_large(session, number, by=COMMAND_LINE) or take_back(session, number, by=COMMAND_LINE)
    return _answer(say, act if isinstance(act, links.Change) else _ended(act), "Took back")


@command("add-to-catalogue")
@ON_CHANNEL
@click.argument("listing_id")
@click.option("--sku", help="The new product's SKU; the channel's own without.")
@click.option("--anyway", is_flag=True, help="Even if products look alike.")
def add_to_catalogue(say: Say, channel: str, listing_id: str, sku: str | None, anyway: bool) -> None:
    """Make a product from a listing and link it; refused with the look-alikes unless --anyway."""
    with unit_of_work() as session:
        listing = listings.find(session, channels.get(session, channel), listing_id)
        added = catalog.add_from_listing(
            session, listing.id, by=COMMAND_LINE, index=_index(), fields={"sku": sku} if sku else None, anyway=anyway
        )
        similar = [{"sku": a.product.sku, "title": a.product.title, "reason": a.reason} for a in added.similar]
    if added.product is None:
        alike = (f"{s['sku']}: {s['title']} ({s['reason']})" for s in similar)
        words = ["Nothing was added: products look alike. Link to one of them, or add --anyway.", *alike]
        return say({"sku": None, "batch": None, "similar": similar}, "\n".join(words), code=REFUSED)
    batch = added.change.batch.id if added.change and added.change.batch else None
    answer: dict[str, object] = {"sku": added.product.sku, "batch": batch, "similar": []}
    return say(answer, f"Added {added.product.sku} and linked {listing_id}.")


def _ended(act: LinkBatch) -> links.Change:
    """Bring an act in steps to its end, so that nobody waits for all of it, and tell it as one that is done at once.

    Of the listings that it had to leave the first hundred are named.
    """
    batch = tasks.finish(act.id)
    found = batch.numbers or {}
    left = [links.RefusedItem(*one) for one in found.get("named", [])]
    return links.Change(batch, batch.changed, found.get("unchanged", 0), left, in_flight=found.get("in_flight", []))


def _answer(say: Say, change: links.Change, verb: str) -> None:
    """What an act did; refused items make it a part, or a refusal when nothing else happened."""
    refused = [{"listing_id": r.external_id, "message": r.message} for r in change.refused]
    answer = {
        "batch": change.batch.id if change.batch else None,
        "changed": change.changed,
        "unchanged": change.unchanged,
        "refused": refused,
        "in_flight": change.in_flight,
    }
    words = [f"{verb} {plural(change.changed, 'listing')}; {change.unchanged:,} were so already."]
    words += [f"{r['listing_id']}: {r['message']}" for r in refused]
    if change.in_flight:
        words.append(f"A last update was on its way already: {', '.join(change.in_flight)}.")
    code = 0 if not refused else PARTIAL if change.changed or change.unchanged else REFUSED
    say(answer, "\n".join(words), code=code)


def _ids(session: Session, channel: Channel, external: Sequence[str]) -> tuple[list[int], list[links.RefusedItem]]:
    """The listings of these ids, and those that are not there."""
    found: list[int] = []
    unknown: list[links.RefusedItem] = []
    for name in dict.fromkeys(external):
        try:
            found.append(listings.find(session, channel, name).id)
        except NotFound as error:
            unknown.append(links.RefusedItem(0, name, error.message))
    return found, unknown


def _pair(session: Session, channel: str, listing_id: str, sku: str) -> tuple[links.Pair | None, links.Change]:
    """The pair, or None and a change that says which side is not there."""
    found = channels.get(session, channel)
    try:
        listing = listings.find(session, found, listing_id)
        return links.Pair(listing.id, catalog.by_sku(session, sku).id), links.Change()
    except NotFound as error:
        return None, links.Change(refused=[links.RefusedItem(0, listing_id, error.message)])


def _channel(name: str | None) -> Channel | None:
    with unit_of_work(read_only=True) as session:
        return channels.get(session, name) if name else None


def _index() -> retrieval.CatalogueIndex:
    index: retrieval.CatalogueIndex = current_app.extensions["pairbook_index"]
    return index


@contextmanager
def _sheet(path: Path) -> Iterator[Any]:
    """A CSV file that appears under its name only when it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            sheet = csv.writer(file)
            sheet.writerow(COLUMNS)
            yield sheet
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _candidate_rows(session: Session, found: dict[int, list[matching.Candidate]]) -> Iterator[tuple[object, ...]]:
    products = {c.product_id for candidates in found.values() for c in candidates}
    in_reach = select(Product.id, Product.sku).where(Product.id.in_(products))
    skus: dict[Any, str] = dict(session.execute(in_reach).all())
    names = dict(session.execute(select(Channel.id, Channel.name)).all())
    which = select(Listing.id, Listing.channel_id, Listing.external_id).where(Listing.id.in_(found))
    curves: dict[int, matching.Calibration] = {}
    for listing_id, channel_id, external in session.execute(which.order_by(Listing.id)).all():
        if channel_id not in curves:
            curves[channel_id] = decisions.calibration(session, channel_id)
        chances = _chances(curves[channel_id], found[listing_id])
        for rank, (candidate, chance) in enumerate(zip(found[listing_id], chances, strict=True), 1):
            sku = neutral(skus.get(candidate.product_id, ""))
            why = neutral(_reasons(candidate))
            yield neutral(names[channel_id]), neutral(external), rank, sku, candidate.score, chance, why


def _chances(curve: matching.Calibration, found: Sequence[matching.Candidate]) -> list[str]:
    """The first candidate's probability on this channel; empty for the others, and while it is uncalibrated.

    Decisions judge first suggestions only, so nothing was learned of the others.
    """
    if not curve.known or not found:
        return [""] * len(found)
    lead = found[0].score - (found[1].score if len(found) > 1 else 0)
    return [f"{curve.probability(found[0].score, lead):.3f}", *[""] * (len(found) - 1)]


def _reasons(candidate: matching.Candidate) -> str:
    """The evidence in one cell: what agrees and what differs, with its points."""
    said = [f"{e.field} {e.verdict.value} {e.points:+g}" for e in candidate.evidence if e.points]
    return "; ".join([*said, candidate.difference] if candidate.difference else said)


COMMANDS = (reconcile, suggest, link, reject, unlink, unsync, undo, add_to_catalogue)
