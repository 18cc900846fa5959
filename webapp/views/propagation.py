"""Sending: what would change, the send itself and how it goes, and the history of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, Response, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from webapp import web
from webapp.db import unit_of_work
from webapp.errors import NotFound, Refused
from webapp.jobs import tasks
from webapp.models import Channel, Product, RunState, Schedule, SyncRun
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import channels, plans, propagation, schedules, sync_history
from webapp.views import schedule_words, sync_words
from webapp.views.review_words import ago

bp = Blueprint("propagation", __name__)
AT_ONCE = 50  # listings that a request sends itself; more are left to the worker
COMPARED_AT_ONCE = 2_000  # listings that a form compares before it is shown; more are compared after
SHOWN = 50
PATIENCE = 20.0
STOP_POLLING = 286


@dataclass(frozen=True)
class Choice:
    """What a person has chosen in the form; `link_ids` are selected pairs, `product_ids` a product and its variants."""

    targets: list[sync_history.Target]
    chosen: sync_history.Target | None
    stock: bool
    price: bool
    product_ids: Sequence[int] | None = None
    link_ids: Sequence[int] | None = None

    def plan(self, session: Session, *, price: bool, stock: bool = True, anyway: bool = False) -> plans.Plan:
        """The changes for the chosen channel."""
        if self.chosen is None:
            raise Refused(_("Choose a connector."))
        return plans.plan(
            session,
            self.chosen.channel,
            stock=stock,
            price=price,
            product_ids=self.product_ids if self.link_ids is None else None,
            link_ids=self.link_ids,
            anyway=anyway,
        )


@bp.route("/products/<int:product_id>/sync", methods=["GET", "POST"])
@web.requires(Permission.SYNC)
def sync_product(product_id: int) -> Any:
    """Send a product, with its variants, to one of its channels."""
    session = web.session()
    product = session.get(Product, product_id)
    if product is None:
        raise NotFound(_("This product is no longer there."))
    base, ids = sync_history.variants_of(session, product)
    if request.values.get("alone") == "1":
        ids = [product.id]
    choice = _choice(sync_history.targets_of(session, ids), product_ids=ids)
    name = (base.title if base and len(ids) > 1 else product.title) or product.sku
    return _sync(choice, name, url_for(".sync_product", product_id=product_id), variants=len(ids), base=base)


@bp.route("/connectors/<int:channel_id>/sync", methods=["GET", "POST"])
@web.requires(Permission.SYNC)
def sync_channel(channel_id: int) -> Any:
    """Send everything that is linked on a channel, or the pairs whose listings are named by `id`."""
    session = web.session()
    channel = _channel(session, channel_id)
    listing_ids = request.values.getlist("id", type=int)
    ids = sync_history.links_of_listings(session, channel_id, listing_ids) if listing_ids else None
    target = sync_history.target_channel(session, channel)
    if ids is not None:
        target = sync_history.Target(channel, len(ids), None)
    choice = Choice([target], target, *_aspects(), link_ids=ids)
    return _sync(choice, channel.name, url_for(".sync_channel", channel_id=channel_id), listing_ids=listing_ids)


def sync_some(targets: list[sync_history.Target], product_ids: list[int], name: str, url: str) -> Any:
    """The same for some products; their form carries them by `id`."""
    return _sync(_choice(targets, product_ids=product_ids), name, url, listing_ids=product_ids, first=not _asked())


def _asked() -> bool:
    """Whether the form itself was posted, and not a table of which some rows were ticked."""
    return request.form.get("seen") == "1"


def _sync(choice: Choice, name: str, url: str, *, first: bool = False, **more: Any) -> Any:
    """The form with its changes, or the send; `first` says that a POST only asks for the form."""
    posted = request.method == "POST" and not first
    if posted and choice.chosen is not None and (choice.stock or choice.price):
        return _start(choice, choice.chosen)
    error = ""
    if posted:
        error = _("Choose a connector.") if choice.chosen is None else _("Choose what to send: stock, price or both.")
    made, later = None, False
    if choice.chosen is not None:
        later = choice.chosen.listings > COMPARED_AT_ONCE and request.args.get("compare") != "1"
        made = None if later else choice.plan(web.session(), price=True)
    context = {
        "name": name,
        "url": url,
        "choice": choice,
        "plan": made,
        "later": later,
        "numbers": sync_words.numbers(made, choice.stock, choice.price) if made else None,
        "shown": SHOWN,
        "error": error,
        "fresh": request.headers.get("HX-Target") != "sync",
        "ago": partial(ago, now=utc_now()),
        "listing_ids": [],
        "variants": 1,
        "base": None,
        **more,
    }
    status = 422 if error else 200
    if web.is_htmx() and request.headers.get("HX-Target") == "dialog":
        return web.piece("propagation/_dialog.html", status=status, **context)
    return web.page("propagation/sync.html", block="sync", status=status, **context)


def _start(choice: Choice, target: sync_history.Target) -> Any:
    """Plan again, ask for what the plan lets through, and send it here when it is little."""
    by, settings = web.actor(), web.settings()
    anyway = request.form.get("anyway") == "1" and by.may(Permission.CHANNELS)
    channel_id = target.channel.id
    web.once()
    web.keep_session()
    with unit_of_work(read_only=True) as session:
        made = choice.plan(session, stock=choice.stock, price=choice.price, anyway=anyway)
        everything = choice.link_ids or []
        if choice.link_ids is None:
            everything = sync_history.link_ids(session, channel_id, choice.product_ids)
    again = request.form.get("again") == "1" and not made.changes and not made.held
    with unit_of_work() as session:
        channel, now = _channel(session, channel_id), utc_now()
        if channel.paused_at is not None:
            raise Refused(_("%(channel)s is paused. Resume it first, under Connectors.", channel=channel.name))
        if again:  # a person wants the values said once more although they are right as far as we know
            run = propagation.start_run(
                session, channel, everything, stock=choice.stock, price=choice.price, by=by, now=now
            )
        else:
            run = plans.send(session, channel, made, stock=choice.stock, price=choice.price, by=by, now=now)
        run_id, asked = run.id, run.asked
    if asked <= AT_ONCE:
        tasks.finish_run(settings, run_id, patience=PATIENCE)
    if web.is_htmx():
        return _run_piece(run_id)
    return web.go("propagation.run", run_id=run_id)


@bp.get("/sync/history")
@web.requires(Permission.READ)
def history() -> Any:
    """The runs, newest first."""
    session = web.session()
    show = request.args.get("show", "")
    found = channels.all_channels(session)
    channel = next((c for c in found if c.name == request.args.get("channel", "")), None)
    before = request.args.get("before", type=int)
    of = request.args.get("schedule", type=int)
    schedule = schedules.get(session, of) if of is not None else None
    rows, more = sync_history.runs(
        session, show=show, channel_id=channel.id if channel else None, schedule_id=of, before=before
    )
    kept = {k: v for k, v in (("show", show), ("channel", channel.name if channel else ""), ("schedule", of)) if v}
    now = utc_now()
    day = sync_history.last_day(session, now=now)
    return web.page(
        "propagation/history.html",
        block="runs",
        rows=rows,
        show=show,
        channel=channel,
        channels=found,
        choices=[("", _("All channels")), *((c.name, c.name) for c in found)],
        kept=kept,
        first=before is None,
        next_url=_place(".history", before=more, **kept) if more else "",
        previous_url=_place(".history", **kept) if before is not None else "",
        lanes=sync_words.lanes(day, now),
        today=len(day),
        trouble_today=sum(row.run.state in {RunState.PARTLY, RunState.FAILED} for row in day),
        words=sync_words,
        schedule=schedule,
        schedules=schedules.listed(session, limit=9),
        said=schedule_words,
        now=now,
        late=schedules.is_late,
        troubled=[c for c in found if c.held or c.paused_at is not None],
    )


@bp.get("/sync/history/<int:run_id>")
@web.requires(Permission.READ)
def run(run_id: int) -> Any:
    """One run: what came of it, and each listing with its reason."""
    session = web.session()
    found = sync_history.get_run(session, run_id)
    only_failed = request.args.get("show") == "failed"
    before = request.args.get("before", type=int)
    rows, more = sync_history.lines(session, run_id, only_failed=only_failed, before=before)
    kept = {"show": "failed"} if only_failed else {}
    return web.page(
        "propagation/run.html",
        block="lines",
        rows=rows,
        only_failed=only_failed,
        next_url=_place(".run", run_id=run_id, before=more, **kept) if more else "",
        previous_url=_place(".run", run_id=run_id, **kept) if before is not None else "",
        **_told(session, found),
    )


@bp.get("/sync/history/<int:run_id>/progress")
@web.requires(Permission.READ)
def progress(run_id: int) -> Any:
    """How a run goes on; an ended one ends the asking."""
    return _run_piece(run_id)


@bp.get("/sync/history/<int:run_id>/file")
@web.requires(Permission.READ)
def file(run_id: int) -> Any:
    """The upload file that a run wrote."""
    session = web.session()
    found = sync_history.get_run(session, run_id)
    path = sync_history.artifact_path(found, _channel(session, found.channel_id), web.settings())
    return send_file(path, as_attachment=True, download_name=path.name, max_age=0)


def _run_piece(run_id: int) -> Response:
    with unit_of_work(read_only=True) as session:
        found = sync_history.get_run(session, run_id)
        rows, _more = sync_history.lines(session, run_id, limit=12)
        response = web.piece("propagation/_progress.html", rows=rows, **_told(session, found))
    if found.ended_at is not None and request.method == "GET":
        response.status_code = STOP_POLLING
    return response


def _place(endpoint: str, **values: Any) -> str:
    """An address, without the parts that are empty."""
    return url_for(endpoint, **{k: v for k, v in values.items() if v})


def _told(session: Session, found: SyncRun) -> dict[str, Any]:
    """What the words about a run need."""
    channel = _channel(session, found.channel_id)
    return {
        "run": found,
        "channel": channel,
        "reasons": sync_history.reasons(session, found.id) if found.failed else [],
        "next_try": sync_history.next_try(session, found, now=utc_now()) if found.ended_at is None else None,
        "accepted": bool(found.sent) and sync_history.waits_for_upload(session, found.id),
        "words": sync_words,
        "schedule": session.get(Schedule, found.schedule_id) if found.schedule_id else None,
        "late": schedules.is_late(found),
    }


def _choice(targets: list[sync_history.Target], *, product_ids: Sequence[int]) -> Choice:
    """What the form says; a product with one channel has it chosen."""
    wanted = request.values.get("channel", type=int)
    chosen = next((t for t in targets if t.channel.id == wanted), None)
    if chosen is None and len(targets) == 1:
        chosen = targets[0]
    return Choice(targets, chosen, *_aspects(), product_ids=product_ids)


def _aspects() -> tuple[bool, bool]:
    """Stock is chosen until somebody takes it away; price only when it is asked for."""
    given = request.values
    return given.get("stock") == "1" if "seen" in given else True, given.get("price") == "1"


def _channel(session: Session, channel_id: int) -> Channel:
    channel = session.get(Channel, channel_id)
    if channel is None:
        raise NotFound(_("This connector is no longer there."))
    return channel
