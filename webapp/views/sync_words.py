"""Words and pictures about sending: states of runs, outcomes of deliveries, and the lanes of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.models import Attempt, AttemptState, Outcome, RunKind, RunState, Schedule, SyncRun
from webapp.services.plans import Plan
from webapp.services.sync_history import RunRow
from webapp.translate import translated
from webapp.views import schedule_words

DAY = timedelta(hours=24)
WIDTH, LANE, LABEL = 1_000, 26, 132  # the picture's own units


@dataclass(frozen=True)
class Numbers:
    """How many listings a send would change, by aspect and in all, and how many values are held."""

    stock: int
    price: int
    chosen: int
    held: int


@dataclass(frozen=True)
class Mark:
    """One run in the picture: where it stands, how high its bar is, and what it says."""

    x: int
    height: int
    state: str  # done, partly or failed


@dataclass(frozen=True)
class Lane:
    """A channel's day."""

    name: str
    y: int
    marks: list[Mark]
    text: str


def numbers(plan: Plan, stock: bool, price: bool) -> Numbers:
    """The numbers of a plan that was made for both aspects."""
    wanted = {*(["stock"] if stock else []), *(["price"] if price else [])}
    return Numbers(
        stock=len(plan.link_ids("stock")),
        price=len(plan.link_ids("price")),
        chosen=len({c.link_id for c in plan.changes if c.aspect in wanted}),
        held=len([c for c in plan.held if c.aspect in wanted]),
    )


def state(run: SyncRun) -> tuple[str, str, str]:
    """Kind, icon and words of a run's state."""
    if run.state == RunState.RUNNING:
        return "acc", "loader", _("Sending")
    if run.state == RunState.FAILED:
        return "bad", "circle-x", _("Failed")
    if run.state == RunState.PARTLY:
        return (
            "warn",
            "triangle-alert",
            ngettext("%(num)s refused", "%(num)s refused", run.failed),
        )
    if not run.sent and run.held:
        return "warn", "triangle-alert", _("Held back")
    if not run.sent:
        return "", "equal", _("Nothing to send")
    return "ok", "check", _("Done")


def what(run: SyncRun) -> str:
    """What a run carried."""
    if run.stock and run.price:
        return str(_("Stock and price"))
    return str(_("Price") if run.price else _("Stock"))


def took(run: SyncRun) -> str:
    """How long a run took, in words."""
    if run.ended_at is None:
        return ""
    seconds = (run.ended_at - run.started_at).total_seconds()
    if seconds < 1:
        return str(_("under 1 s"))
    if seconds < 90:
        return str(_("%(n)s s", n=round(seconds)))
    minutes = seconds / 60
    return str(_("%(n)s min", n=round(minutes)) if minutes < 90 else _("%(n)s h", n=round(minutes / 60)))


def by(run: SyncRun, schedule: Schedule | None = None) -> str:
    """Who started it: a person, a schedule, or the change itself."""
    if run.kind == RunKind.SCHEDULED:
        return str(_("Schedule, %(often)s", often=schedule_words.short(schedule)) if schedule else _("Schedule"))
    return translated(run.by_name) if run.kind == RunKind.MANUAL else str(_("Automatic"))


def outcome(attempt: Attempt) -> tuple[str, str, str]:
    """Kind, icon and word of what came of a delivery."""
    if attempt.state != AttemptState.DONE or attempt.outcome is None:
        return "acc", "loader", _("Sending")
    return {
        Outcome.APPLIED: ("ok", "check", _("Sent")),
        Outcome.ACCEPTED: ("ok", "check", _("Accepted")),
        Outcome.REJECTED: ("bad", "circle-x", _("Refused")),
        Outcome.THROTTLED: ("warn", "triangle-alert", _("Too fast, later")),
        Outcome.FAILED: ("warn", "triangle-alert", _("Not taken")),
        Outcome.UNKNOWN: ("warn", "triangle-alert", _("No answer")),
        Outcome.FENCED: ("", "minus", _("Not needed")),
        Outcome.LATE: ("", "unlink", _("Unlinked meanwhile")),
    }[attempt.outcome]


def lanes(rows: Sequence[RunRow], now: datetime) -> list[Lane]:
    """One lane for each channel that ran in the last day; the highest bar is the run that sent most."""
    if not rows:
        return []
    most = max(1, *(row.run.sent for row in rows))
    names = sorted({row.channel for row in rows})
    return [
        _lane(name, place, [row.run for row in rows if row.channel == name], most, now)
        for place, name in enumerate(names)
    ]


def _lane(name: str, place: int, runs: Sequence[SyncRun], most: int, now: datetime) -> Lane:
    marks: dict[tuple[int, str], Mark] = {}
    for run in runs:
        gone = (run.started_at - (now - DAY)) / DAY
        x = LABEL + round(gone * (WIDTH - LABEL - 12))
        kind = {RunState.PARTLY: "partly", RunState.FAILED: "failed"}.get(run.state, "done")
        height = 4 + round(14 * run.sent / most)
        known = marks.get((x, kind))
        marks[(x, kind)] = Mark(x, max(height, known.height) if known else height, kind)
    failed = sum(run.state in {RunState.PARTLY, RunState.FAILED} for run in runs)
    ran = ngettext("%(num)s run", "%(num)s runs", len(runs))
    text = f"{name}: {ran}, " + ngettext("%(num)s with trouble", "%(num)s with trouble", failed)
    return Lane(name, place * LANE, sorted(marks.values(), key=lambda mark: mark.x), text)
