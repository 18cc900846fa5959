"""Beside the review: the variants of one listing as a grid, linked together in one act."""

from __future__ import annotations

import re
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from webapp import web
from webapp.errors import Conflict, NotFound
from webapp.models import Channel, Listing, ListingState
from webapp.models.accounts import Permission
from webapp.services import families, review
from webapp.translate import translated
from webapp.views import review_words as words
from webapp.views.links import bp
from webapp.views.review import answer, quicker
from webapp.views.review_queue import query_of, read_queue

PAIR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


@bp.get("/review/<int:listing_id>/variants")
@web.requires(Permission.LINK)
def variants(listing_id: int) -> Any:
    """The grid of a listing that is linked, or about to be linked to the product in the address."""
    listing = review.get(web.session(), listing_id)
    channel = web.session().get_one(Channel, listing.channel_id)
    grid = families.grid(web.session(), listing, channel, request.args.get("product", 0, int))
    if grid is None:
        raise NotFound(_("No other variants of this listing are known."))
    return web.page(
        "links/variants.html",
        block="dialog",
        standalone=not web.is_htmx(),
        grid=grid,
        channel=channel,
        words=words,
        at=request.args.get("at", None, int),
        query=query_of(read_queue(listing)),
    )


@bp.post("/review/<int:listing_id>/variants")
@web.requires(Permission.LINK)
def variants_confirm(listing_id: int) -> Any:
    """Link the ticked pairs as one act, and go on with the listing that was on the stage."""
    db = web.session()
    listing = review.get(db, listing_id)
    queue = read_queue(listing)
    if queue is None:
        raise Conflict(_("This channel is no longer there."))
    stage = db.get(Listing, request.args.get("at", 0, int))
    stage = stage if stage is not None and stage.channel_id == listing.channel_id else listing
    key = queue.key(stage)
    try:
        web.once()
    except Conflict:
        return answer(queue, review.next_after(db, queue, key), _("Saved already."))
    ticked = {(int(m[1]), int(m[2])) for m in map(PAIR.fullmatch, request.form.getlist("id")) if m}
    product_id = request.args.get("product", 0, int)
    change = families.link(db, listing, queue.channel, product_id, ticked, by=web.actor())
    if change is None or change.batch is None:
        return quicker(queue, listing, _("These variants have changed meanwhile. Nothing was linked."))
    said = ngettext("Linked %(num)s variant.", "Linked %(num)s variants.", change.changed)
    if change.refused:
        said = f"{said} {translated(change.refused[0].message)}"
    db.refresh(stage)
    waits = stage.state is ListingState.PENDING
    toast = web.Toast(said, url_for("links.undo", batch_id=change.batch.id))
    return answer(queue, stage.id if waits else review.next_after(db, queue, key), said, toast=toast)
