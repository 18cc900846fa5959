"""Beside the review: search the catalogue for a listing, add it as a product, link near misses and equal SKUs."""

from __future__ import annotations

import re
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from flask import Response, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length, ValidationError

from matching import parse_gtin
from matching.identifiers import check_digit
from webapp import web
from webapp.errors import Conflict, Refused
from webapp.forms import AMOUNT, plain_amount
from webapp.jobs import tasks
from webapp.models import BatchVerb, Channel, Listing
from webapp.models.accounts import Permission
from webapp.services import (
    candidates,
    catalog,
    channels,
    linking,
    long_acts,
    near_misses,
    review,
    searching,
    steps,
    suggesting,
)
from webapp.services.review import Queue
from webapp.translate import translated
from webapp.views import acts
from webapp.views import review_words as words
from webapp.views.links import act_words, bp
from webapp.views.review import answer, preparation, quicker
from webapp.views.review_queue import query_of, read_queue

WHOLE = re.compile(r"-?[0-9]{1,9}")


class AddForm(FlaskForm):
    """The product that a listing becomes."""

    title = StringField(filters=[lambda t: (t or "").strip()])
    sku = StringField(filters=[lambda t: (t or "").strip()], validators=[Length(max=255)])
    gtin = StringField(filters=[lambda t: (t or "").strip()], validators=[Length(max=64)])
    price = StringField(filters=[plain_amount])
    quantity = StringField(filters=[lambda t: (t or "").strip()])

    def validate_title(self, field: Any) -> None:
        """A product needs a name."""
        if not field.data:
            raise ValidationError(_("Type a name."))

    def validate_sku(self, field: Any) -> None:
        """A product needs a SKU."""
        if not field.data:
            raise ValidationError(_("Type the SKU that the new product shall have."))

    def validate_gtin(self, field: Any) -> None:
        """A GTIN has 8 to 14 digits, the last of which checks the others."""
        if not field.data:
            return
        gtin = parse_gtin(field.data)
        if gtin is None:
            raise ValidationError(_("Type 8, 12, 13 or 14 digits, or leave the GTIN empty."))
        if not gtin.valid:
            right = check_digit(gtin.digits[:-1])
            raise ValidationError(_("The last digit should be %(digit)s. Check the code on the package.", digit=right))

    def validate_price(self, field: Any) -> None:
        """A price is a plain number."""
        if not AMOUNT.fullmatch(field.data):
            raise ValidationError(_("Type the price with a point for the cents, for example 1299.00."))

    def validate_quantity(self, field: Any) -> None:
        """Stock is a whole number."""
        if field.data and not WHOLE.fullmatch(field.data):
            raise ValidationError(_("Type a whole number, for example 12."))

    def fields(self) -> dict[str, Any]:
        """What was typed, as the catalogue wants it."""
        price = Decimal(self.price.data) if self.price.data else None
        given = {"title": self.title.data, "sku": self.sku.data, "gtin": self.gtin.data}
        return given | {"price": price, "quantity": int(self.quantity.data) if self.quantity.data else None}


class NearForm(FlaskForm):
    """One group of near misses."""

    reason = StringField(validators=[InputRequired(), Length(max=24)])


@bp.get("/review/<int:listing_id>/search")
@web.requires(Permission.READ)
def search(listing_id: int) -> Any:
    """Find the product by hand: the dialog, or only its results while somebody types."""
    listing, channel = _listing(listing_id)
    text = request.args.get("q", words.search_words(listing))[:200]
    target = request.headers.get("HX-Target", "")
    # An unticked box is not sent. The first look, which no form asked for, hides; the list on the stage does not.
    hide = ("hide" in request.args or "asked" not in request.args) and "all" not in request.args and target != "closest"
    found = candidates.search(web.session(), listing, channel, web.catalogue_index(), text, hide=hide)
    queue = read_queue(listing)
    context: dict[str, Any] = {"listing": listing, "channel": channel, "queue": queue, "query": query_of(queue)}
    context |= {
        "stage": None,
        "standalone": not web.is_htmx(),
        "found": found.choices,
        "text": text,
        "hide": hide,
        "hidden": 0 if found.choices else found.hidden,
        "version": candidates.version(listing),
    }
    piece = {"closest": "links/_closest.html", "found": "links/_found.html"}.get(target)
    if piece and web.is_htmx():
        return web.piece(piece, **context)
    return web.page("links/search.html", block="dialog", **context)


@bp.get("/review/<int:listing_id>/add")
@web.requires(Permission.LINK)
def add(listing_id: int) -> Any:
    """The form that makes a product of a listing, with the products it may duplicate on top."""
    listing, channel = _listing(listing_id)
    price = words.plain_price(listing.price)
    form = AddForm(
        formdata=None,
        title=listing.title,
        sku=listing.sku,
        gtin=listing.gtin,
        price=price,
        quantity=words.plain_number(listing.quantity),
    )
    return _add_page(listing, channel, form)


@bp.post("/review/<int:listing_id>/add")
@web.requires(Permission.LINK)
def add_confirm(listing_id: int) -> Any:
    """Make the product and link it; 422 with words under the fields, or with the look-alikes first."""
    db, by = web.session(), web.actor()
    listing, channel = _listing(listing_id)
    queue = read_queue(listing)
    if queue is None:
        raise Conflict(_("This channel is no longer there."))
    form = AddForm()
    if not form.validate():
        return _add_page(listing, channel, form, status=422)
    key = queue.key(listing)
    try:
        web.once()
    except Conflict:
        return answer(queue, review.next_after(db, queue, key), _("Saved already."))
    posted = request.form.get("version", "")
    if posted and posted != candidates.version(listing):
        return quicker(queue, listing)
    anyway = request.form.get("anyway") == "1"
    try:
        added = catalog.add_from_listing(
            db, listing.id, by=by, index=web.catalogue_index(), fields=form.fields(), anyway=anyway
        )
    except (Conflict, Refused) as error:
        if candidates.holder(db, listing) is not None:
            return quicker(queue, listing)
        form.sku.errors = [translated(error.message)]
        return _add_page(listing, channel, form, status=422)
    if added.product is None:
        return _add_page(listing, channel, form, status=422)
    said = _("Added %(sku)s and linked.", sku=added.product.sku)
    return answer(queue, review.next_after(db, queue, key), said)


@bp.get("/review/near")
@web.requires(Permission.READ)
def near() -> Any:
    """Waiting listings whose SKU nearly is a product's, by the kind of difference."""
    queue = read_queue()
    groups = near_misses.groups(web.session(), queue.channel) if queue else []
    return web.page(
        "links/near.html",
        queue=queue,
        query=query_of(queue),
        groups=groups,
        words=words,
        cap=near_misses.CAP,
        going_on=acts.going_on(BatchVerb.LINK, channel=queue.channel) if queue else [],
        **acts.shown(),
        linked=session.pop("linked_near", None),
    )


@bp.post("/review/near")
@web.requires(Permission.LINK)
def near_confirm() -> Any:
    """Link a whole group as one act: at once, or by the workers where it is a large one."""
    queue, form = read_queue(), NearForm()
    if queue is None or not form.validate():
        raise Refused(_("Choose a group of listings first."))
    web.once()
    db, reason = web.session(), form.reason.data or ""
    batch = linking.begin_near(db, queue.channel, reason, by=web.actor())
    if (batch.total or 0) >= steps.FROM:
        return web.go("links.act", batch_id=steps.call(db, batch).id)
    while long_acts.take(db, batch.id, steps.FROM) is not None:
        pass
    named = (batch.numbers or {}).get("named", [])
    said = " ".join([act_words(batch), *(translated(message) for _id, _code, message in named[:1])])
    session["linked_near"] = [batch.id if batch.changed else 0, said]
    return redirect(url_for("links.near", **query_of(queue)), code=303)


@bp.get("/review/preparing")
@web.requires(Permission.READ)
def preparing() -> Any:
    """How far the finding of suggestions is on a channel, as a piece; nothing when none waits."""
    return _preparing(channels.get(web.session(), request.args.get("channel", "")))


@bp.post("/review/preparing")
@web.requires(Permission.LINK)
def preparing_switch() -> Any:
    """Stop the finding of suggestions on a channel, or let it go on."""
    channel = channels.get(web.session(), request.args.get("channel", ""))
    suggesting.pause(web.session(), channel, bool(request.form.get("stop")), by=web.actor())
    return _preparing(channel)


def _preparing(channel: Channel) -> Any:
    """The progress of a channel as a piece, or its review where there is no htmx."""
    if not web.is_htmx():
        return redirect(url_for("links.review", channel=channel.name), code=303)
    db = web.session()
    return web.piece("links/_preparing.html", queue=Queue(channel), **preparation(db, channel))


@bp.post("/review/reconcile")
@web.requires(Permission.LINK)
def reconcile() -> Any:
    """Link every listing of the channel (or of all, with `channel` left out) whose SKU is exactly a product's.

    Few are linked before we answer; many are left to the workers, and a second click finds them at it.
    """
    db, by = web.session(), web.actor()
    name = request.args.get("channel", "")
    channel = channels.get(db, name) if name else None
    if not linking.few(db, channel):
        batch, _begun = linking.begin_by_sku(db, channel, by=by)
        return web.go("links.act", batch_id=steps.call(db, batch).id)
    web.release_session()
    done = tasks.reconcile(channel, by=by)
    session["reconciled"] = asdict(done) | {"channel": name}
    return redirect(url_for("links.reconciled"), code=303)


@bp.get("/review/reconciled")
@web.requires(Permission.READ)
def reconciled() -> Any:
    """What linking by SKU has just done, and why the rest waits."""
    done = session.get("reconciled")
    if done is None:
        return redirect(url_for("links.review"), code=303)
    return web.page("links/reconciled.html", done=done)


def _listing(listing_id: int) -> tuple[Listing, Channel]:
    listing = review.get(web.session(), listing_id)
    return listing, web.session().get_one(Channel, listing.channel_id)


def _add_page(listing: Listing, channel: Channel, form: AddForm, *, status: int = 200) -> Response:
    """The dialog or page of the form; look-alikes are compared as the listing is."""
    db = web.session()
    similar = searching.look_alikes(db, web.catalogue_index(), listing)
    ids = [alike.product.id for alike in similar]
    response = web.page(
        "links/add.html",
        block="dialog",
        status=status,
        standalone=not web.is_htmx(),
        listing=listing,
        channel=channel,
        form=form,
        version=candidates.version(listing),
        query=query_of(read_queue(listing)),
        similar=similar,
        words=words,
        taken={} if channel.many else candidates.taken(db, channel.id, ids),
    )
    if status == 422:
        response.headers.update({"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"})
    return response
