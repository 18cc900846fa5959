"""Review: one listing after another, each decided with one key; the next one is in place before the answer.

The page asks for the next stage ahead (`HX-Target: ahead`) and shows it at the press of a key. What it shows then
comes back with the decision (`shown`): where the decision has changed it, such as by taking a product that it offers,
the answer brings the stage again; else only what stands around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from webapp import web
from webapp.errors import Conflict, DomainError, phrase
from webapp.models import BatchVerb, Channel, Listing, ListingState
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import candidates, channels, counts, decisions, families, links, review, runs, suggesting
from webapp.services.accounts import owners
from webapp.services.review import Queue, Shelf
from webapp.translate import translated
from webapp.views import acts
from webapp.views import review_words as words
from webapp.views.links import bp, take_back, undone_words
from webapp.views.review_queue import band_of, query_of, read_queue, url_of

Act = Callable[[Listing], tuple[links.Change, str]]


@bp.get("/review", endpoint="review")
@web.requires(Permission.READ)
def index() -> Any:
    """The head of the queue."""
    queue = read_queue()
    if queue is None:
        return show(None, None)
    return show(queue, review.first(web.session(), queue))


@bp.get("/review/<int:listing_id>")
@web.requires(Permission.READ)
def review_one(listing_id: int) -> Any:
    """One listing of the queue, wherever it stands."""
    listing = review.get(web.session(), listing_id)
    return show(read_queue(listing), listing.id, compare=request.args.get("compare", 0, int))


@bp.post("/review/<int:listing_id>/link")
@web.requires(Permission.LINK)
def link(listing_id: int) -> Any:
    """Link the listing to the chosen product."""
    session, by = web.session(), web.actor()
    product_id = request.form.get("product_id", 0, int)

    def act(listing: Listing) -> tuple[links.Change, str]:
        score = candidates.score_of(session, listing, product_id, web.catalogue_index())
        return links.confirm(session, [links.Pair(listing.id, product_id, score)], by=by), _("Linked.")

    return decide(listing_id, act, product_id=product_id)


@bp.post("/review/<int:listing_id>/link-all")
@web.requires(Permission.LINK)
def link_all(listing_id: int) -> Any:
    """Link every waiting listing of the channel with this very SKU, or GTIN, to the chosen product."""
    session, by = web.session(), web.actor()
    product_id = request.form.get("product_id", 0, int)

    def act(listing: Listing) -> tuple[links.Change, str]:
        ids, same = candidates.same_identifier(session, listing, product_id)
        reason = phrase("same GTIN") if same == "gtin" else phrase("same SKU")
        score = candidates.score_of(session, listing, product_id, web.catalogue_index())
        pairs = [links.Pair(i, product_id, score) for i in ids]
        change = links.confirm(session, pairs, by=by, reason=reason, shown=listing.id)
        return change, ngettext("Linked %(num)s listing.", "Linked %(num)s listings.", change.changed)

    return decide(listing_id, act, product_id=product_id)


@bp.post("/review/<int:listing_id>/move")
@web.requires(Permission.LINK)
def move(listing_id: int) -> Any:
    """Take the product's link on this channel apart and give it to this listing."""
    session, by = web.session(), web.actor()
    product_id = request.form.get("product_id", 0, int)

    def act(listing: Listing) -> tuple[links.Change, str]:
        score = candidates.score_of(session, listing, product_id, web.catalogue_index())
        change = links.move(session, links.Pair(listing.id, product_id, score), by=by)
        return change, _("Linked. The other listing waits in review again.")

    return decide(listing_id, act, product_id=product_id)


@bp.post("/review/<int:listing_id>/none")
@web.requires(Permission.LINK)
def none(listing_id: int) -> Any:
    """No product fits: remember the suggestions on the screen as wrong."""
    return _aside(listing_id, ListingState.NO_MATCH, _("No match."))


@bp.post("/review/<int:listing_id>/ignore")
@web.requires(Permission.LINK)
def ignore(listing_id: int) -> Any:
    """Leave the listing alone for good: a bundle, a test."""
    return _aside(listing_id, ListingState.IGNORED, _("Ignored."))


@bp.post("/review/<int:listing_id>/reopen")
@web.requires(Permission.LINK)
def reopen(listing_id: int) -> Any:
    """Let a listing wait again that was set aside."""
    return _aside(listing_id, ListingState.PENDING, _("It waits again."))


@bp.post("/review/<int:listing_id>/skip")
@web.requires(Permission.LINK)
def skip(listing_id: int) -> Any:
    """Send the listing to the end of the queue."""
    return decide(listing_id, lambda x: (links.skip(web.session(), x.id, by=web.actor()), _("Skipped.")))


@bp.post("/review/<int:listing_id>/unlink")
@web.requires(Permission.LINK)
def unlink(listing_id: int) -> Any:
    """Take the listing's link apart and put it on the stage."""
    links.unlink(web.session(), [listing_id], by=web.actor())
    listing = review.get(web.session(), listing_id)
    return answer(read_queue(listing), listing_id, _("Unlinked. %(name)s waits again.", name=_name(listing)))


@bp.post("/review/undo")
@web.requires(Permission.LINK)
def undo_last() -> Any:
    """Take this person's last decision back, and put its listing on the stage again."""
    session = web.session()
    batch = runs.last_decision(session, web.actor())
    if batch is None or batch.listing_id is None:
        return answer(read_queue(), None, _("There is nothing to take back."))
    change = take_back(batch.id)
    listing = session.get(Listing, batch.listing_id)
    if listing is None:
        return answer(read_queue(), None, undone_words(change))
    said = _("Undone. %(name)s waits again.", name=_name(listing))
    if change.refused or listing.state != ListingState.PENDING:
        said = undone_words(change)
    return answer(read_queue(listing), listing.id, said)


def decide(listing_id: int, act: Act, *, product_id: int = 0) -> Any:
    """Do `act` once if the listing is still as it was on the screen; answer with the next one, or who was quicker."""
    session = web.session()
    listing = review.get(session, listing_id)
    queue = read_queue(listing)
    if queue is None:
        raise Conflict(_("This channel is no longer there."))
    key = queue.key(listing)
    try:
        web.once()
    except Conflict:  # the same form again: a double click, or a retry after a lost answer
        return answer(queue, review.next_after(session, queue, key), _("Saved already."))
    posted = request.form.get("version", "")
    if posted and posted != candidates.version(listing):
        return quicker(queue, listing)
    try:
        change, said = act(listing)
    except DomainError as error:
        return quicker(queue, listing, translated(error.message), status=error.status)
    if change.refused and not change.changed:
        return quicker(queue, listing, translated(change.refused[0].message), product_id=product_id)
    if change.refused:
        said = f"{said} {translated(change.refused[0].message)}"
    return answer(queue, review.next_after(session, queue, key), said, family=listing.id if product_id else 0)


def answer(
    queue: Queue | None, listing_id: int | None, said: str, *, family: int = 0, toast: web.Toast | None = None
) -> Any:
    """The next listing as a piece, or a redirect to it where there is no htmx.

    `family` is the listing that was just linked: its other variants are offered beside what comes next.
    What was done is saved first: composing the next listing takes longer than the decision.
    """
    web.read_on()
    offer = _offer(queue, None, family)
    url = url_of(queue, listing_id, {"family": family} if offer else {})
    if web.is_htmx():
        response = show(queue, listing_id, said=said, offer=offer, toast=toast)
        response.headers["HX-Replace-Url"] = url
        return response
    web.say(said)
    return redirect(url, code=303)


def show(
    queue: Queue | None,
    listing_id: int | None,
    *,
    said: str = "",
    compare: int = 0,
    offer: families.Grid | None = None,
    toast: web.Toast | None = None,
) -> Response:
    """The whole page, or for htmx the stage with the queue and the status line out-of-band.

    The stage alone for a page that looks ahead, and no stage for one that shows this very stage already.
    """
    if not offer and (shown := _shown(queue, listing_id)):
        context, said = screen(queue, listing_id, shown=shown), _said(said, shown)
        return web.piece("links/_progress_alone.html", "links/_around.html", toast=toast, said=said, **context)
    ahead = web.is_htmx() and request.method == "GET" and request.headers.get("HX-Target") == "ahead"
    context = screen(queue, listing_id, compare=compare, alone=ahead)
    context["offer"] = offer or _offer(queue, context["stage"], request.args.get("family", 0, int))
    if ahead:
        return web.piece("links/_stage.html", said="", **_with_search(context))
    if web.is_htmx():
        said = _said(said, context["stage"])
        return web.piece("links/_stage.html", "links/_around.html", toast=toast, said=said, **_with_search(context))
    going_on = acts.going_on(BatchVerb.RECONCILE, channel=queue.channel) if queue else []
    return web.page("links/review.html", said="", going_on=going_on, **_with_search(context))


def quicker(queue: Queue, listing: Listing, message: str = "", *, product_id: int = 0, status: int = 409) -> Response:
    """Say that the world had changed and that nothing was written."""
    session, now = web.session(), utc_now()
    session.refresh(listing)
    taken = candidates.taken(session, listing.channel_id, [product_id]).get(product_id) if product_id else None
    holder = candidates.holder(session, listing)
    context: dict[str, Any] = {
        "queue": queue,
        "query": query_of(queue),
        "listing": listing,
        "holder": holder,
        "taken": taken if holder is None and not queue.channel.many else None,
        "product_id": product_id,
        "product": candidates.product(session, product_id),
        "word": review.last_word(session, listing, now=now),
        "version": candidates.version(listing),
        "message": message,
        "ago": words.ago,
        "now": now,
        "next_id": review.next_after(session, queue, queue.key(listing)),
    }
    if web.is_htmx():
        return web.piece("links/_conflict.html", "links/_no_dialog.html", status=status, **context)
    return web.page("links/conflict.html", status=status, **context)


def _shown(queue: Queue | None, listing_id: int | None) -> candidates.Outline | None:
    """The outline of the listing, if the screen that asks shows its stage already, just as it would be composed now."""
    seen = request.form.get("shown", "") if web.is_htmx() else ""
    if queue is None or listing_id is None or not seen.startswith(f"{listing_id}."):
        return None
    listing = review.get(web.session(), listing_id)
    found = candidates.outline(web.session(), listing, queue.channel, web.catalogue_index())
    return found if seen == f"{listing_id}.{found.mark}" else None


def screen(
    queue: Queue | None,
    listing_id: int | None,
    *,
    compare: int = 0,
    alone: bool = False,
    shown: candidates.Outline | None = None,
) -> dict[str, Any]:
    """Everything the review page shows: for the stage `alone`, or what is around one that is `shown` already."""
    session, by, now = web.session(), web.actor(), utc_now()
    numbers = counts.by_channel(session)
    every = channels.all_channels(session) if shown is None else []
    waiting = Counter({channel_id: n.get(ListingState.PENDING, 0) for channel_id, n in numbers.items()})
    context: dict[str, Any] = {
        "queue": queue,
        "query": query_of(queue),
        "channels": every,
        "waiting": waiting,
        "linked": sum(n.get(ListingState.LINKED, 0) for n in numbers.values()),
        "listed": sum(sum(n.values()) for n in numbers.values()),
        "shelves": numbers.get(queue.channel.id, {}) if queue else {},
        "words": words,
        "bands": words.BANDS,
        "band": band_of(queue),
        "Shelf": Shelf,
        "owners": owners(session) if not by.may(Permission.LINK) else [],
        "stage": None,
        "here": "links.review",
        "record": None,
        "now": now,
        "catalog_page": "catalog.detail" in current_app.view_functions,
    }
    if queue is None:
        return context
    run = runs.run(session, queue.channel, by, now=now)
    left = review.count(session, queue) if queue.filtered else waiting[queue.channel.id]
    context |= {"run": run, "left": left, "pace": words.pace(run.each, left)}
    if queue.shelf is Shelf.WAITING and not web.is_htmx():  # once on the page, this line asks for itself
        context |= preparation(session, queue.channel)
    if listing_id is None:
        context["decided"] = review.decided(session, queue.channel, by, now=now)
    else:
        listing = review.get(session, listing_id)
        lines = review.beside(session, queue, listing) if alone else review.window(session, queue, listing, by, now=now)
        context |= {"stage": shown, "window": lines}
        if shown is None:
            index = web.catalogue_index()
            context["stage"] = stage = candidates.stage(session, listing, queue.channel, index, compare=compare)
            if stage.chosen is not None:
                context["record"] = decisions.record(session, queue.channel.id, stage.chosen.score, now=now)
    return context


def preparation(session: Session, channel: Channel) -> dict[str, Any]:
    """How far the suggestions of a channel are, for links/_preparing.html."""
    ready, computing = review.looked_at(session, channel)
    progress = suggesting.progress(session, channel, computing) if computing else None
    return {"ready": ready, "computing": computing, "preparing": progress, "cap": review.CAP}


def _with_search(context: dict[str, Any]) -> dict[str, Any]:
    """What the stage shows where there is nothing to suggest: what a search for the title finds.

    It is asked for last, since a page that looked ahead needs no stage, and it takes longer than all the rest.
    """
    stage, queue = context["stage"], context["queue"]
    if stage is not None and not stage.choices and stage.holder is None:
        text = words.search_words(stage.listing)
        index = web.catalogue_index()
        found = candidates.search(web.session(), stage.listing, queue.channel, index, text, hide=False)
        context |= {"found": found.choices, "text": text}
    return context


def _aside(listing_id: int, state: ListingState, said: str) -> Any:
    """Set a listing aside; the suggestions it has are rejected with it when no product fits."""
    session, by = web.session(), web.actor()

    def act(listing: Listing) -> tuple[links.Change, str]:
        wrong = []
        if state is ListingState.NO_MATCH:
            shown = request.form.getlist("suggested", int)[:20]
            wrong = [links.Pair(listing.id, i) for i in candidates.known(session, shown)]
        return links.set_aside(session, [listing.id], state, by=by, rejected=wrong), said

    return decide(listing_id, act)


def _offer(queue: Queue | None, stage: candidates.Stage | None, family: int) -> families.Grid | None:
    """Variants worth linking together: of the listing that was just linked, else of the one on the stage."""
    session = web.session()
    if queue is None or not web.actor().may(Permission.LINK):
        return None
    just = session.get(Listing, family) if family else None
    if (
        just is not None
        and just.channel_id == queue.channel.id
        and (found := families.offer(session, just, queue.channel))
    ):
        return found
    if stage is None:
        return None
    return families.offer(session, stage.listing, queue.channel, stage.product_id)


def _said(said: str, stage: candidates.Stage | candidates.Outline | None) -> str:
    """The status line: what was done, and what comes next."""
    if not said or stage is None or request.method == "GET":
        return said
    title = stage.listing.title or stage.listing.external_id
    if stage.best is None:
        return str(_("%(said)s Next: %(title)s, no suggestion.", said=said, title=title))
    return str(_("%(said)s Next: %(title)s, best suggestion %(score)s.", said=said, title=title, score=stage.best))


def _name(listing: Listing) -> str:
    return listing.sku or listing.external_id
