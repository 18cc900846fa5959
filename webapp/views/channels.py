"""Connectors: the marketplace accounts, how they are sent to, and pausing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _

import connectors
from webapp import web
from webapp.errors import Conflict, DomainError, Refused
from webapp.jobs import tasks
from webapp.models import Channel, ListingState, SendMode
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import brakes, channels, counts, propagation, schedules
from webapp.translate import translated
from webapp.views import meanwhile, schedule_words, sync_words
from webapp.views.review_words import ago

bp = Blueprint("channels", __name__)


@bp.get("/connectors")
@web.requires(Permission.READ)
def index() -> Any:
    """Every account with its state."""
    session = web.session()
    return web.page(
        "channels/index.html",
        channels=channels.all_channels(session),
        numbers=counts.by_channel(session),
        linked=ListingState.LINKED,
        pending=ListingState.PENDING,
        last=channels.last_runs(session),
        kinds=connectors.kinds(),
        state=state,
        looked=looked,
        words=sync_words,
        clock=schedules.told_by_the_clock(session),
        said=schedule_words,
    )


@bp.route("/connectors/new", methods=["GET", "POST"])
@web.requires(Permission.CHANNELS)
def add() -> Any:
    """Choose a kind and fill in its options; a secret that nobody gave is made, and shown this once."""
    kind = request.values.get("kind", "")
    if request.method == "GET" or kind not in connectors.kinds():
        return _form(kind)
    given = _options(kind)
    fresh = channels.fresh_secrets(kind, given)
    try:
        web.once()
        channel = channels.connect(
            web.session(),
            request.form.get("name", ""),
            kind,
            by=web.actor(),
            settings=web.settings(),
            options={**given, **fresh},
            many=request.form.get("many") == "1",
            currency=request.form.get("currency", ""),
            mode=SendMode.AUTOMATIC if request.form.get("automatic") == "1" else SendMode.MANUAL,
            in_stock_only=request.form.get("tells") == "in_stock",
        )
    except DomainError as error:
        web.session().rollback()
        return _form(kind, error=translated(error.message), status=error.status)
    if fresh:
        return web.page("channels/created.html", channel=channel, fresh=fresh, kind=connectors.kinds()[kind])
    web.say(_("%(channel)s is added.", channel=channel.name))
    return web.go("channels.edit", channel_id=channel.id)


@bp.get("/connectors/<int:channel_id>")
@web.requires(Permission.CHANNELS)
def edit(channel_id: int) -> Any:
    """One account: when it is sent to, its options, pausing."""
    return _edit(channels.by_id(web.session(), channel_id))


@bp.post("/connectors/<int:channel_id>")
@web.requires(Permission.CHANNELS)
def save(channel_id: int) -> Any:
    """Change how an account is sent to."""
    session, by = web.session(), web.actor()
    channel = channels.by_id(session, channel_id, lock=True)
    if meanwhile.changed(_mark(channel)):
        said = meanwhile.words(session, f"channel {channel.name}", "channel")
        session.rollback()
        return _edit(channels.by_id(session, channel_id), quicker=said, status=409)
    try:
        channels.change(
            session,
            channel,
            by=by,
            settings=web.settings(),
            mode=_mode(request.form.get("mode", "")),
            sends_price=request.form.get("sends_price") == "1",
            options=_options(channel.kind),
            currency=request.form.get("currency", ""),
            in_stock_only=request.form.get("tells") == "in_stock" if "tells" in request.form else None,
        )
        channels.allow_many(session, channel, request.form.get("many") == "1", by=by)
    except (Refused, Conflict) as error:
        session.rollback()
        return _edit(channels.by_id(session, channel_id), error=translated(error.message), status=error.status)
    web.say(_("%(channel)s is changed.", channel=channel.name))
    return web.go("channels.edit", channel_id=channel_id)


@bp.post("/connectors/<int:channel_id>/pause")
@web.requires(Permission.CHANNELS)
def pause(channel_id: int) -> Any:
    """Stop all sending to an account, or resume it."""
    session = web.session()
    channel = channels.by_id(session, channel_id, lock=True)
    paused = request.form.get("on") == "1"
    on_the_way = channels.pause(session, channel, paused, by=web.actor())
    text = _("%(channel)s is paused. Nothing is lost.", channel=channel.name) if paused else _("Sending goes on.")
    if on_the_way:
        text += " " + _("One update was already on its way: %(names)s.", names=", ".join(on_the_way[:5]))
    web.say(text)
    return web.go("channels.edit", channel_id=channel_id)


@bp.post("/connectors/<int:channel_id>/look")
@web.requires(Permission.CHANNELS)
def look(channel_id: int) -> Any:
    """Look now whether a connector would get through; nothing is sent."""
    channel = channels.by_id(web.session(), channel_id)
    web.release_session()
    fault = tasks.look_at_channel(web.settings(), channel)
    if fault:
        web.say(translated(fault), kind="warn")
    else:
        web.say(_("%(channel)s is well. Nothing was sent.", channel=channel.name))
    return web.go("channels.edit", channel_id=channel_id)


@bp.post("/connectors/<int:channel_id>/release")
@web.requires(Permission.CHANNELS)
def release(channel_id: int) -> Any:
    """Send what the brakes held, when it is what the person read."""
    session = web.session()
    channel = channels.by_id(session, channel_id, lock=True)
    read = request.form.get("read")
    if read is not None and channel.held and brakes.reason(session, channel) not in {"", read}:
        web.say(_("What is held back has changed meanwhile. Nothing was sent. Read it, then send it."), kind="warn")
        return web.go("channels.edit", channel_id=channel_id)
    run = propagation.release(session, channel, by=web.actor(), now=utc_now())
    if run is None:
        web.say(_("Nothing is held back any more."))
        return web.go("channels.edit", channel_id=channel_id)
    return web.go("propagation.run", run_id=run.id)


def state(channel: Channel) -> tuple[str, str, str]:
    """Kind, icon and words of an account's state."""
    if channel.paused_at is not None:
        return ("bad", "circle-x", _("Stopped")) if channel.problem else ("", "minus", _("Paused"))
    if channel.held:
        return "warn", "triangle-alert", _("Held")
    if channel.failures >= connectors.Breaker.THRESHOLD:
        return "warn", "triangle-alert", _("Does not answer")
    if channel.fault:
        return "warn", "triangle-alert", _("Does not get through")
    if channel.kind == "demo":
        return "acc", "store", _("Test mode")
    return "ok", "check", _("Ready") if channel.kind in channels.BY_HAND or not channel.looked_at else _("Connected")


def looked(channel: Channel) -> str:
    """When somebody looked last whether a connector would get through."""
    if channel.looked_at is None or channel.paused_at is not None:
        return ""
    return str(_("checked %(ago)s", ago=ago(channel.looked_at, utc_now())))


def _form(kind: str, error: str = "", status: int = 200) -> Response:
    kinds = connectors.kinds()
    return web.page(
        "channels/new.html",
        status=status,
        kinds=kinds,
        kind=kinds.get(kind),
        given=request.form,
        error=error,
        currency=web.settings().currency,
        by_hand=channels.BY_HAND,
    )


def _mark(channel: Channel) -> str:
    """What the form of an account shows, for `meanwhile`; a secret shows only that it is another one."""
    told = channel.mode.value, channel.sends_price, channel.in_stock_only, channel.many, channel.currency
    return meanwhile.mark(told, sorted(channel.options.items()), channel.secrets)


def _edit(channel: Channel, error: str = "", quicker: str = "", status: int = 200) -> Response:
    """The page; `error` stands above what was typed, `quicker` above what somebody else has saved meanwhile."""
    session = web.session()
    shown = request.form if error else channel.options
    return web.page(
        "channels/edit.html",
        status=status,
        channel=channel,
        held=channel.held and (brakes.reason(session, channel) or channel.held),
        kind=connectors.kinds().get(channel.kind),
        given=shown,
        error=error,
        quicker=quicker,
        seen=_mark(channel),
        state=state,
        looked=looked,
        modes=SendMode,
        numbers=counts.of_channel(session, channel.id),
        linked=ListingState.LINKED,
        pending=ListingState.PENDING,
        clock=schedules.listed(session, channel_id=channel.id),
        said=schedule_words,
        now=utc_now(),
    )


def _options(kind: str) -> dict[str, str]:
    """The options of a kind as the form gives them, empty ones left out."""
    known = connectors.kinds()[kind].options
    given = {option.name: request.form.get(f"o-{option.name}", "").strip() for option in known}
    return {name: value for name, value in given.items() if value}


def _mode(text: str) -> SendMode:
    try:
        return SendMode(text)
    except ValueError:
        raise Refused(_("Choose when to send: by hand or automatically.")) from None
