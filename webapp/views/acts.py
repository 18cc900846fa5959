"""Acts on very many listings: how far one is, the stop, and what came of it."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, redirect, url_for
from flask_babel import gettext as _

from webapp import web
from webapp.models import BatchVerb, Channel, LinkBatch
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import activity, health, long_acts, steps
from webapp.views import worker_words
from webapp.views.links import act_words, bp


@bp.get("/acts/<int:batch_id>")
@web.requires(Permission.READ)
def act(batch_id: int) -> Any:
    """How far an act is, or what came of it; an unsync shows its pairs."""
    db = web.session()
    batch = steps.get(db, batch_id)
    if batch.verb == BatchVerb.UNSYNC:
        return redirect(url_for("links.unsynced", batch_id=batch_id), code=303)
    channel = db.get(Channel, batch.channel_id) if batch.channel_id else None
    progress = steps.progress(db, batch)
    if batch.verb == BatchVerb.RECONCILE and not progress and batch.numbers:
        done = batch.numbers | {"channel": channel.name if channel else "", "stopped_by": batch.stopped_by}
        return web.page("links/reconciled.html", done=done)
    return web.page(
        "links/act.html",
        batch=batch,
        channel=channel,
        progress=progress,
        told=act_words,
        named=(batch.numbers or {}).get("named", []),
        can_undo=activity.can_undo(batch, web.actor(), utc_now()),
        **shown(),
    )


@bp.get("/acts/<int:batch_id>/progress")
@web.requires(Permission.READ)
def act_progress(batch_id: int) -> Any:
    """Polled every second while an act goes on; at the end the page is loaded again, with what came of it."""
    if not web.is_htmx():
        return redirect(url_for("links.act", batch_id=batch_id), code=303)
    batch = steps.get(web.session(), batch_id)
    progress = steps.progress(web.session(), batch)
    if progress is None:
        return Response(status=204, headers={"HX-Refresh": "true"})
    return web.piece("links/_acting.html", batch=batch, progress=progress, **shown())


@bp.post("/acts/<int:batch_id>/stop")
@web.requires(Permission.LINK)
def act_stop(batch_id: int) -> Any:
    """Let nothing more of it happen; what is done stays. Somebody else's act is an owner's to stop."""
    batch = long_acts.stop(web.session(), batch_id, by=web.actor())
    if batch.verb == BatchVerb.UNSYNC:
        return web.go("links.pairs")
    return web.go("links.act", batch_id=batch_id)


def shown() -> dict[str, Any]:
    """What the line of an act that goes on needs beside the act."""
    awaited = worker_words.nobody()
    if health.works(web.session(), now=utc_now()):
        awaited = _("It waits for a worker, and goes on by itself from here. What is done stays.")
    return {"doing": doing_words(), "may_stop": partial(long_acts.may_stop, by=web.actor()), "awaited": awaited}


def going_on(*verbs: BatchVerb, channel: Channel | None = None) -> list[tuple[LinkBatch, steps.Progress]]:
    """The acts of these verbs that go on, on one channel or on all, each with how far it is."""
    db = web.session()
    here = [b for b in steps.running(db) if b.verb in verbs]
    if channel is not None:
        here = [b for b in here if b.channel_id in (None, channel.id)]
    found = ((b, steps.progress(db, b)) for b in here)
    return [(b, progress) for b, progress in found if progress is not None]


def doing_words() -> dict[BatchVerb, str]:
    """What an act does, in a word, while it goes on."""
    return {
        BatchVerb.RECONCILE: _("Linking by SKU"),
        BatchVerb.LINK: _("Linking"),
        BatchVerb.RULE: _("Linking suggestions"),
        BatchVerb.UNSYNC: _("Unsyncing"),
        BatchVerb.UNDO: _("Taking back"),
    }
