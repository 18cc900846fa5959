"""Synced pairs: look them over, take one apart with one click, many with a number typed, and give them all back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from flask import Response, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from webapp import web
from webapp.errors import NotFound, Refused
from webapp.models import BatchVerb, Channel, Link, LinkSource, ListingState
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import channels, counts, exports, links, pairs, plans, schedules, steps, suspicions, switches
from webapp.services.pair_sorts import Sort
from webapp.services.pairs import Filter
from webapp.translate import translated
from webapp.views import acts
from webapp.views.downloads import download
from webapp.views.links import bp, take_back, undone_words
from webapp.views.pair_words import reason_words

MOST_PRODUCTS = 500  # products whose pairs a form may name
PICKED = 200  # rows that a form may name one by one


@bp.get("/pairs", endpoint="pairs")
@web.requires(Permission.READ)
def index() -> Any:
    """The pairs that the address asks for, a page of them."""
    db, by = web.session(), web.actor()
    filters = read_filter()
    shown = pairs.page(db, filters, after=request.args.get("after", ""), before=request.args.get("before", ""))
    every = channels.all_channels(db)
    numbers = counts.by_channel(db)
    total = pairs.count(db, filters)
    elsewhere = 0
    if not shown.rows and filters.channel is not None:
        elsewhere = min(pairs.count(db, _found(replace(filters, channel=None, found=()))), pairs.CAP)
    offered = pairs.last_unsync(db, by, now=utc_now())
    if offered is not None and (offered.id == session.get("dismissed_unsync") or steps.goes_on(db, offered.id)):
        offered = None
    suspicious = suspicions.count(db)
    return web.page(
        "links/pairs.html",
        block="pairs",
        suspicious=suspicious,
        sorts=[
            (word, _with(filters, sort=s.value if s is not Sort.NEWEST else None), s is filters.sort)
            for s, word in sort_words().items()
        ],
        filters=filters,
        shown=shown,
        total=total,
        capped=filters.more or (total > pairs.CAP and not filters.plain),
        cap=min(total, pairs.CAP),
        all_pairs=sum(n.get(ListingState.LINKED, 0) for n in numbers.values()),
        channels=every,
        elsewhere=elsewhere,
        channel_links=[(c.name, _with(filters, channel=c.name), c == filters.channel) for c in every],
        source_links=[(w[2], _with(filters, by=s.value), s == filters.by) for s, w in source_words().items()],
        offered=offered,
        going_on=acts.going_on(*BatchVerb),
        **acts.shown(),
        **rows_context(filters),
    )


@bp.get("/pairs/export")
@web.requires(Permission.READ)
def pairs_export() -> Any:
    """All pairs of the channel in the address, or of every one, as a file that imports again."""
    filters = read_filter()
    return download(partial(exports.export, web.session(), "links", channel=filters.channel), "pairs.csv")


@bp.post("/pairs/<int:listing_id>/unlink")
@web.requires(Permission.LINK)
def unlink_pair(listing_id: int) -> Any:
    """The X of a row: take one pair apart at once; the row offers the way back."""
    db = web.session()
    row = pairs.one(db, listing_id)
    change = links.unlink(db, [listing_id], by=web.actor())
    if change.batch is None:
        raise NotFound(_("This pair is no longer linked."))
    text = _("Pair unlinked. The listing is back in Review.")
    if change.in_flight:
        text = _("Pair unlinked. Its last update was already on its way. The listing is back in Review.")
    if not web.is_htmx():
        web.say(text)
        return redirect(url_for("links.pairs", **kept(), unlinked=change.batch.id), code=303)
    return gone(row, change, _("Unlinked."), text)


@bp.post("/pairs/undo/<int:batch_id>/<int:listing_id>")
@web.requires(Permission.LINK)
def undo_pair(batch_id: int, listing_id: int) -> Any:
    """Give one pair back and put its row where it was."""
    change = take_back(batch_id)
    text = undone_words(change)
    if not web.is_htmx():
        web.say(text)
        return redirect(url_for("links.pairs", **kept()), code=303)
    try:
        row = pairs.one(web.session(), listing_id)
    except NotFound:
        message = translated(change.refused[0].message) if change.refused else text
        return web.piece(toast=web.Toast(message, kind="warn"))
    context = rows_context(read_filter()) | menu_numbers()
    return web.piece("links/_pair_back.html", "links/_menu.html", toast=web.Toast(text), row=row, **context)


@bp.post("/pairs/<int:listing_id>/auto")
@web.requires(Permission.SYNC)
def auto(listing_id: int) -> Any:
    """The switch of a row: send this pair's changes by themselves, or not."""
    db = web.session()
    row = pairs.one(db, listing_id)
    on = request.form.get("on") == "1"
    pairs.set_auto(db, [Link.listing_id == listing_id], on, by=web.actor())
    title = row.product.title or row.product.sku
    text = _("Auto-sync on for %(product)s", product=title) if on else _("Auto-sync off for %(product)s", product=title)
    if not web.is_htmx():
        web.say(text)
        return redirect(url_for("links.pairs", **kept()), code=303)
    db.refresh(row.link)
    return web.piece("links/_pair_auto.html", toast=web.Toast(text), row=row, query=kept())


@bp.post("/pairs/auto")
@web.requires(Permission.SYNC)
def auto_many() -> Any:
    """Switch automatic sending for a selection, or for all that match."""
    which, _n = selection()
    on = request.form.get("on") == "1"
    n = switches.number(pairs.set_auto(web.session(), which, on, by=web.actor()))
    words = (
        ngettext("Auto-sync turned on for %(num)s pair.", "Auto-sync turned on for %(num)s pairs.", n)
        if on
        else ngettext("Auto-sync turned off for %(num)s pair.", "Auto-sync turned off for %(num)s pairs.", n)
    )
    web.say(words)
    return web.go("links.pairs", **kept())


@bp.post("/pairs/sync")
@web.requires(Permission.SYNC)
def sync_now() -> Any:
    """Tell the stock of a selection to its channels now; the brakes hold what looks wrong."""
    db, by, now = web.session(), web.actor(), utc_now()
    which, _n = selection()
    rows = db.execute(pairs.ids_of(which)).all()
    sent = held = right = 0
    for channel_id in sorted({r.channel_id for r in rows}):
        channel = db.get_one(Channel, channel_id)
        ids = [r.id for r in rows if r.channel_id == channel_id]
        plan = plans.plan(db, channel, link_ids=ids)
        plans.send(db, channel, plan, stock=True, price=False, by=by, now=now)
        sent += len(plan.link_ids("stock"))
        held += len(plan.held)
        right += plan.unchanged
    words = ngettext("Sending the stock of %(num)s listing.", "Sending the stock of %(num)s listings.", sent)
    if right:
        words += " " + ngettext("%(num)s was already right.", "%(num)s were already right.", right)
    if held:
        words += " " + ngettext(
            "%(num)s is held back; see Sync History.", "%(num)s are held back; see Sync History.", held
        )
    web.say(words, kind="warn" if held else "ok")
    return web.go("links.pairs", **kept())


def gone(row: pairs.PairRow, change: links.Change, word: str, text: str) -> Response:
    """The row of a pair that leaves the list, with the way back, and the new numbers of the menu."""
    batch_id = change.act.id
    toast = web.Toast(text, url_for("links.undo_pair", batch_id=batch_id, listing_id=row.listing.id, **kept()))
    context: dict[str, Any] = {"row": row, "batch_id": batch_id, "word": word, "query": kept()} | menu_numbers()
    return web.piece("links/_gone.html", "links/_menu.html", toast=toast, **context)


def menu_numbers() -> dict[str, int]:
    """The numbers in the menu, and of the suspicious pairs, as they are now."""
    numbers = counts.by_channel(web.session()).values()
    return {
        "waiting": sum(n.get(ListingState.PENDING, 0) for n in numbers),
        "linked": sum(n.get(ListingState.LINKED, 0) for n in numbers),
        "suspicious": suspicions.count(web.session()),
    }


def read_filter() -> Filter:
    """The filter that the address or the form names."""
    values = request.values
    name, by, auto_sync = values.get("channel", ""), values.get("by", ""), values.get("auto", "")
    sort = values.get("sort", "")
    filters = Filter(
        channel=channels.get(web.session(), name) if name else None,
        by=LinkSource(by) if by in set(LinkSource) else None,
        auto={"on": True, "off": False}.get(auto_sync),
        text=values.get("q", "").strip()[:200],
        sort=Sort(sort) if sort in sort_words() else Sort.NEWEST,
        suspicious=values.get("show") == "suspicious",
    )
    return _found(filters)


def query_of(filters: Filter) -> dict[str, Any]:
    """The part of an address that names a filter."""
    query: dict[str, Any] = {}
    if filters.channel is not None:
        query["channel"] = filters.channel.name
    if filters.by is not None:
        query["by"] = filters.by.value
    if filters.auto is not None:
        query["auto"] = "on" if filters.auto else "off"
    if filters.text:
        query["q"] = filters.text
    if filters.sort is not Sort.NEWEST:
        query["sort"] = filters.sort.value
    if filters.suspicious:
        query["show"] = "suspicious"
    return query


def sort_words() -> dict[Sort, str]:
    """The orders that can be chosen, in words."""
    return {
        Sort.NEWEST: _("newest link"),
        Sort.OLDEST: _("oldest link"),
        Sort.DIFFERENCE: _("largest difference"),
        Sort.SCORE: _("linked by suggestion, lowest score first"),
        Sort.NEVER: _("only never synced, newest first"),
    }


def rows_context(filters: Filter) -> dict[str, Any]:
    """What the template of a row needs beside the row."""
    known = "catalog.detail" in current_app.view_functions
    context = {"query": query_of(filters), "sources": source_words(), "catalog_page": known}
    context["by_clock"] = set(schedules.told_by_the_clock(web.session()))
    return context | {"doubts": reason_words if filters.suspicious else None}


def source_words() -> dict[LinkSource, tuple[str, str, str]]:
    """Who decided on a link as the colour, icon and word of its chip; a person's own name goes in place of the word."""
    return {
        LinkSource.SKU: ("ok", "equal", _("Same SKU")),
        LinkSource.HAND: ("acc", "hand", _("By hand")),
        LinkSource.FILE: ("", "file-spreadsheet", _("Imported")),
        LinkSource.RULE: ("ok", "sliders-horizontal", _("Rule")),
        LinkSource.ADDED: ("acc", "plus", _("Added")),
    }


def _found(filters: Filter) -> Filter:
    """The filter with what its text means looked up."""
    if not filters.text:
        return filters
    found, more = pairs.find(web.session(), filters, web.catalogue_index())
    return replace(filters, found=found, more=more)


def _with(filters: Filter, **changed: Any) -> str:
    return url_for("links.pairs", **query_of(filters) | changed)


def kept() -> dict[str, Any]:
    """The filter of the page that a form stood on."""
    return query_of(read_filter())


def selection() -> tuple[list[Any], int]:
    """The conditions on Link that a bulk form means, all that match or the ticked rows, and how many pairs that are."""
    db, values = web.session(), request.values
    if values.get("match") == "1":
        filters = read_filter()
        return filters.where, pairs.count(db, filters, exact=True)
    if products := values.getlist("product", int)[:MOST_PRODUCTS]:
        which = [Link.product_id.in_(products)]
        return which, pairs.number(db, which)
    ids = values.getlist("id", int)[:PICKED]
    if not ids:
        raise Refused(_("Tick some pairs first."))
    which = [Link.listing_id.in_(ids)]
    return which, pairs.number(db, which)
