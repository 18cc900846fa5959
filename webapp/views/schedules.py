"""Schedules: which channels are told what by the clock, and how often."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from webapp import web
from webapp.errors import DomainError, Refused
from webapp.models import Every, Schedule
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import channels, schedules
from webapp.translate import translated
from webapp.views import schedule_words, sync_words

bp = Blueprint("schedules", __name__)
SUGGESTED = Every.QUARTER
AT_NIGHT = "03:00"


@bp.get("/sync/schedules")
@web.requires(Permission.READ)
def index() -> Any:
    """The schedules there are, and below them those that were cancelled."""
    session = web.session()
    rows = schedules.listed(session)
    added = [row for row in rows if row.schedule.id in set(request.args.getlist("added", int))]
    return web.page(
        "schedules/index.html",
        rows=rows,
        cancelled=schedules.listed(session, cancelled=True, limit=50),
        added=added,
        same=[(row, same) for row in added if (same := schedules.same_as(session, row.schedule)) is not None],
        channels=channels.all_channels(session),
        **words(),
    )


@bp.route("/sync/schedules/new", methods=["GET", "POST"])
@web.requires(Permission.SYNC)
def add() -> Any:
    """Which channels, what to send, how often; one schedule for each channel."""
    session = web.session()
    if request.method == "GET":
        return _form(chosen=request.args.getlist("channel", int))
    chosen = request.form.getlist("channel", int)
    try:
        wish = _wish()
        on = [channels.by_id(session, channel_id) for channel_id in dict.fromkeys(chosen)]
        web.once()
        made = schedules.add(session, on, wish, by=web.actor(), now=utc_now())
    except Refused as error:
        session.rollback()
        return _form(chosen=chosen, error=translated(error.message))
    web.say(ngettext("%(num)s sync is scheduled.", "%(num)s syncs are scheduled.", len(made)))
    return web.go("schedules.index", added=[schedule.id for schedule in made])


@bp.route("/sync/schedules/<int:schedule_id>/edit", methods=["GET", "POST"])
@web.requires(Permission.SYNC)
def edit(schedule_id: int) -> Any:
    """Another schedule takes the place of this one; this one stays in the history."""
    session = web.session()
    schedule = schedules.get(session, schedule_id, lock=request.method == "POST")
    if request.method == "GET" and schedule.cancelled_at is None:
        return _form(schedule)
    try:
        made = schedules.change(session, schedule, _wish(), by=web.actor(), now=utc_now())
    except DomainError as error:
        session.rollback()
        return _form(schedules.get(session, schedule_id), error=translated(error.message), status=error.status)
    web.say(_("Changed: %(line)s", line=schedule_words.line(made, utc_now())))
    return web.go("schedules.index", added=[made.id] if made is not schedule else None)


@bp.post("/sync/schedules/<int:schedule_id>/pause")
@web.requires(Permission.SYNC)
def pause(schedule_id: int) -> Any:
    """The switch of a row: let it rest, or go on."""
    session = web.session()
    schedule = schedules.get(session, schedule_id, lock=True)
    paused = request.form.get("on") != "1"
    schedules.pause(session, schedule, paused, by=web.actor(), now=utc_now())
    channel = channels.by_id(session, schedule.channel_id)
    name = schedule_words.name(schedule, channel)
    text = _("“%(name)s” is paused.", name=name) if paused else _("“%(name)s” goes on.", name=name)
    toast = web.say(text)
    if not web.is_htmx():
        return web.go("schedules.index")
    return _row(schedule, toast)


@bp.post("/sync/schedules/<int:schedule_id>/cancel")
@web.requires(Permission.SYNC)
def cancel(schedule_id: int) -> Any:
    """End a schedule; the list of the cancelled ones offers the way back."""
    session = web.session()
    schedule = schedules.get(session, schedule_id, lock=True)
    schedules.cancel(session, schedule, by=web.actor(), now=utc_now())
    name = schedule_words.name(schedule, channels.by_id(session, schedule.channel_id))
    web.say(_("“%(name)s” is cancelled. It stays below, and can be restored.", name=name))
    return web.go("schedules.index")


@bp.post("/sync/schedules/<int:schedule_id>/restore")
@web.requires(Permission.SYNC)
def restore(schedule_id: int) -> Any:
    """Take a cancelling, or a change, back."""
    session = web.session()
    schedule = schedules.get(session, schedule_id, lock=True)
    schedules.restore(session, schedule, by=web.actor(), now=utc_now())
    web.say(_("Restored: %(line)s", line=schedule_words.line(schedule, utc_now())))
    return web.go("schedules.index")


def words() -> dict[str, Any]:
    """What the templates of schedules need beside the rows."""
    return {"words": sync_words, "said": schedule_words, "now": utc_now(), "late": schedules.is_late}


def _wish() -> schedules.Wish:
    form = request.form
    every = form.get("every", "")
    if every not in set(Every):
        raise Refused(_("Choose how often."))
    zone = web.settings().timezone
    return schedules.Wish("stock" in form, "price" in form, Every(every), form.get("at", ""), zone)


def _row(schedule: Schedule, toast: web.Toast) -> Response:
    channel = channels.by_id(web.session(), schedule.channel_id)
    last = next((r.last for r in schedules.listed(web.session()) if r.schedule.id == schedule.id), None)
    row = schedules.Row(schedule, channel, last)
    return web.piece("schedules/_row.html", toast=toast, row=row, **words())


def _form(
    schedule: Schedule | None = None, *, chosen: list[int] | None = None, error: str = "", status: int = 422
) -> Response:
    session = web.session()
    given: dict[str, Any] = {"stock": True, "price": False, "every": SUGGESTED.value, "at": AT_NIGHT}
    if schedule is not None:
        given = {"stock": schedule.stock, "price": schedule.price, "every": schedule.every.value}
        given["at"] = schedule.at or AT_NIGHT
    if error and "every" in request.form:
        form = request.form
        given = {"stock": "stock" in form, "price": "price" in form, "every": form["every"], "at": form.get("at", "")}
    every = channels.all_channels(session)
    if chosen is None or (not chosen and not error and len(every) == 1):
        chosen = [every[0].id] if len(every) == 1 else []
    return web.page(
        "schedules/form.html",
        status=status if error else 200,
        schedule=schedule,
        channel=channels.by_id(session, schedule.channel_id) if schedule else None,
        channels=every,
        chosen=set(chosen),
        given=given,
        error=error,
        often=[(each.value, schedule_words.choice(each)) for each in Every],
        zone=web.settings().timezone,
        url=url_for(".edit", schedule_id=schedule.id) if schedule else url_for(".add"),
        **words(),
    )
