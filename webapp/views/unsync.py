"""Unsync of many pairs: the question with its number, the act, and the list of what it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, redirect, request, session, url_for
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from webapp import web
from webapp.errors import Conflict
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import links, pairs, schedules, steps, unsyncing
from webapp.services.accounts import owners
from webapp.services.links import UNDO_DAYS
from webapp.translate import translated
from webapp.views import schedule_words
from webapp.views.links import bp
from webapp.views.pairs import MOST_PRODUCTS, PICKED, kept, query_of, read_filter, selection

TYPED_FROM = 51  # more pairs than 50 need their number typed


@bp.get("/pairs/unsync")
@web.requires(Permission.READ)
def unsync_ask() -> Any:
    """Say exactly what an unsync would take apart; the number is counted here, and typed when it is large."""
    return _dialog()


@bp.post("/pairs/unsync/ask")
@web.requires(Permission.LINK)
def unsync_ask_ticked() -> Any:
    """The same for ticked rows; a POST, since their form carries a token that belongs in no address."""
    return _dialog()


@bp.post("/pairs/unsync")
@web.requires(Permission.LINK)
def unsync() -> Any:
    """Take the selection apart if it still has the number that was shown, and for many, typed."""
    db, by = web.session(), web.actor()
    which, n = selection()
    expect = request.form.get("expect", 0, int)
    if n > 1 and not by.may(Permission.UNSYNC_MANY):
        return web.forbidden(Permission.UNSYNC_MANY)
    if expect >= TYPED_FROM:
        typed = "".join(c for c in request.form.get("typed", "") if c not in " .,'’\u00a0\u202f")
        if typed != str(expect):
            wrong = _("You typed %(typed)s. Type %(n)s.", typed=request.form.get("typed", "") or "0", n=expect)
            return _dialog(error=wrong, status=422)
    web.once()
    try:
        if n >= steps.FROM:
            unsyncing.begin(db, which, expect=expect, by=by)
            return web.go("links.pairs", **kept())
        change = links.unsync(db, which, expect=expect, by=by)
    except Conflict as error:
        if not web.is_htmx():
            raise
        db.rollback()
        return _dialog(error=translated(error.message), status=409)
    text = ngettext("%(num)s pair unsynced.", "%(num)s pairs unsynced.", change.changed)
    if change.in_flight:
        late = ngettext("%(num)s update was on its way.", "%(num)s updates were on their way.", len(change.in_flight))
        text = f"{text} {late}"
    web.say(text)
    return web.go("links.pairs", **kept())


@bp.get("/pairs/unsynced/<int:batch_id>")
@web.requires(Permission.READ)
def unsynced(batch_id: int) -> Any:
    """The pairs that an act took apart."""
    db = web.session()
    batch = steps.get(db, batch_id)
    rows = pairs.ended(db, batch_id, after=request.args.get("after", 0, int))
    more = rows[pairs.PAGE - 1][0].id if len(rows) > pairs.PAGE else None
    return web.page(
        "links/unsynced.html", batch=batch, progress=steps.progress(db, batch), rows=rows[: pairs.PAGE], more=more
    )


@bp.post("/pairs/dismiss/<int:batch_id>")
@web.requires(Permission.LINK)
def dismiss(batch_id: int) -> Any:
    """Put the offer to restore away; the undo stays in Activity for thirty days."""
    session["dismissed_unsync"] = batch_id
    return redirect(url_for("links.pairs", **kept()), code=303)


def _dialog(*, error: str = "", status: int = 200) -> Response:
    db, by = web.session(), web.actor()
    which, n = selection()
    whole = request.values.get("match") == "1"
    filters = read_filter()
    on = pairs.channels_of(db, which) if filters.channel is None else [filters.channel]
    response = web.page(
        "links/unsync.html",
        block="dialog",
        status=status,
        standalone=not web.is_htmx(),
        n=n,
        name=on[0].name if len(on) == 1 else "",
        schedules=[one for c in on for one in schedules.told_by_the_clock(db).get(c.id, [])] if whole else [],
        schedule_name=lambda one: schedule_words.name(one, next(c for c in on if c.id == one.channel_id)),
        products=request.values.getlist("product", int)[:MOST_PRODUCTS],
        ids=[] if whole else request.values.getlist("id", int)[:PICKED],
        whole=whole,
        query=query_of(filters),
        typed=n >= TYPED_FROM,
        until=format_date(utc_now() + timedelta(days=UNDO_DAYS), "long"),
        allowed=by.may(Permission.UNSYNC_MANY) or (n <= 1 and by.may(Permission.LINK)),
        owners=owners(db),
        error=error,
    )
    if status >= 400:
        response.headers.update({"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"})
    return response
