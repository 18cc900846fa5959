"""Commands about sending: what would change, send it now, work what is due."""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.cli.support import PARTIAL, REFUSED, Say, command, plural
from webapp.config import Settings
from webapp.db import unit_of_work
from webapp.errors import Refused
from webapp.jobs import tasks
from webapp.models import Attempt, Channel, Listing, Outcome, SyncRun
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import catalog, channels, health, plans, propagation, sync_history

LISTED = 1_000
TOLD = (Outcome.APPLIED, Outcome.ACCEPTED, Outcome.FENCED, Outcome.LATE)


def _aspects(function: Any) -> Any:
    """The options that choose what is sent."""
    for option in (
        click.option("--sku", "skus", multiple=True, help="Only this product; can be repeated."),
        click.option("--price", is_flag=True, help="Prices."),
        click.option("--stock", is_flag=True, help="Stock; the default unless --price stands alone."),
        click.option("--channel", "channel", metavar="NAME", required=True),
    ):
        function = option(function)
    return function


@command("plan")
@_aspects
def plan(say: Say, channel: str, stock: bool, price: bool, skus: tuple[str, ...]) -> None:
    """Show old → new for every linked listing and what the brakes hold back; sends nothing."""
    with unit_of_work(read_only=True) as session:
        made = _plan(session, channels.get(session, channel), stock, price, skus)
    changes, held = [c.as_json() for c in made.changes], [c.as_json() for c in made.held]
    lines = [_line(change) for change in made.changes + made.held]
    lines.append(
        f"{plural(len(changes), 'change')}, {len(held):,} held, {made.unchanged:,} listings as they ought to be."
    )
    say({"changes": changes, "held": held, "unchanged": made.unchanged}, "\n".join(lines))


@command("sync")
@_aspects
@click.option("--anyway", is_flag=True, help="Send also what the brakes would hold.")
def sync(say: Say, channel: str, stock: bool, price: bool, skus: tuple[str, ...], anyway: bool) -> None:
    """Send now and wait for the result.

    Exit code 0 says that all of it was answered: a run that still waits for its channel has done a part, or nothing.
    """
    with unit_of_work() as session:
        found = channels.get(session, channel)
        if found.paused_at is not None:
            raise Refused(f"{channel} is paused. {found.problem} Resume it first: pairbook channel pause --resume.")
        made = _plan(session, found, stock, price, skus, anyway=anyway)
        run = plans.send(session, found, made, stock=stock or not price, price=price, by=COMMAND_LINE, now=utc_now())
    done = tasks.finish_run(say.settings, run.id, beside=True)
    answer = _result(say.settings, channel, done)
    words = [f"Sent {plural(done.sent, 'update')} to {channel}; {done.unchanged:,} unchanged, {done.failed:,} failed, "]
    words[0] += f"{done.held:,} held, {done.fenced:,} fenced."
    words += [f"{p['listing_id']}: {p['message']}" for p in answer["problems"]]
    words += [answer["file"]] if "file" in answer else []
    words += [answer["waits"]] if "waits" in answer else []
    whole = done.ended_at is not None and not done.failed and not done.held
    code = 0 if whole else PARTIAL if done.sent else REFUSED
    say(answer, "\n".join(words), code=code)


@command("drain")
@click.option(
    "--seconds", type=click.FloatRange(0), default=0.0, help="Also wait for what becomes due within this time."
)
def drain(say: Say, seconds: float) -> None:
    """Work everything that is due, imports included, then return."""
    if not math.isfinite(seconds):
        raise click.BadParameter("Give a number of seconds, such as 60.", param_hint="--seconds")
    total, until = tasks.Drained(), time.monotonic() + seconds
    while True:
        tasks.run_imports(say.settings)
        tasks.run_schedules()
        done = tasks.propagate(say.settings)
        total.sent += done.sent
        total.failed += done.failed
        total.fenced += done.fenced
        with unit_of_work(read_only=True) as session:
            dirty, following = propagation.count_due(session), health.next_due(session)
        wait = _wait(following, until)
        if wait is None:
            break
        time.sleep(wait)
    answer = {"sent": total.sent, "failed": total.failed, "dirty": dirty, "fenced": total.fenced}
    say(answer, f"Sent {total.sent:,}, failed {total.failed:,}; {dirty:,} still to be told.")


def _wait(following: datetime | None, until: float) -> float | None:
    """Seconds to sleep before something is due, or None when nothing will be in time."""
    if following is None:
        return None
    ahead = max((following - utc_now()) / timedelta(seconds=1), 0.0)
    return min(ahead + 0.01, 1.0) if time.monotonic() + ahead <= until else None


def _plan(
    session: Session, channel: Channel, stock: bool, price: bool, skus: tuple[str, ...], *, anyway: bool = False
) -> plans.Plan:
    ids = [catalog.by_sku(session, sku).id for sku in skus] or None
    return plans.plan(session, channel, stock=stock or not price, price=price, product_ids=ids, anyway=anyway)


def _result(settings: Settings, channel: str, run: SyncRun) -> dict[str, Any]:
    """A run's numbers, the listings it did not reach, and the file it wrote."""
    with unit_of_work(read_only=True) as session:
        which = (
            select(Listing.external_id, Attempt.code, Attempt.message)
            .join(Listing, Listing.id == Attempt.listing_id)
            .where(Attempt.run_id == run.id, Attempt.outcome.is_not(None), Attempt.outcome.not_in(TOLD))
            .order_by(Attempt.id)
            .limit(LISTED)
        )
        problems = [{"listing_id": i, "code": code, "message": message} for i, code, message in session.execute(which)]
    answer: dict[str, Any] = {
        "run": run.id,
        "sent": run.sent,
        "unchanged": run.unchanged,
        "failed": run.failed,
        "held": run.held,
        "fenced": run.fenced,
        "state": run.state.value,
        "problems": problems,
    }
    if run.ended_at is None:
        answer |= _waits(channel, run)
    if run.artifact:
        answer["file"] = str(settings.outbox / channels.slug(channel) / run.artifact)
    return answer


def _waits(name: str, run: SyncRun) -> dict[str, Any]:
    """Until when a run waits that has not come to its end, and a sentence about it."""
    with unit_of_work(read_only=True) as session:
        channel, now = channels.get(session, name), utc_now()
        rests = channel.rest_until is not None and channel.rest_until > now
        until = channel.rest_until if rests else sync_history.next_try(session, run, now=now)
    when = f" until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    words = f"{name} rests{when} after calls that failed." if rests else f"{name} has not taken everything yet."
    words += f" The next try is at {until:%Y-%m-%d %H:%M:%S} UTC." if until and not rests else ""
    return {"waits_until": until, "waits": f"{words} What is left is told then by a worker, or by “pairbook drain”."}


def _line(change: plans.PlannedChange) -> str:
    said = change.as_json()
    values = f"{_show(said['old'])} → {_show(said['new'])}"
    return f"{change.listing_id} ({change.sku}) {said['aspect']}: {values}{' (held)' if change.held else ''}"


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "in stock" if value else "out of stock"
    return "–" if value is None else str(value)


COMMANDS = (plan, sync, drain)
