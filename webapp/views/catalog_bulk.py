"""Switches and bulk acts on products: auto-sync, availability, synchronise, unsync; and taking them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, select
from werkzeug.wrappers import Response

from webapp import web
from webapp.errors import NotFound, Refused
from webapp.models import BaseProduct, Link, Product
from webapp.models.accounts import AuditEntry, Permission
from webapp.models.base import utc_now
from webapp.services import availability, catalog_search, pairs, plans, switches, sync_history
from webapp.views import propagation
from webapp.views.catalog import bp, read_filter
from webapp.views.catalog_words import availability as availability_words

MOST_CHECKED = 500  # products ticked one by one: a page holds fewer
SHOWN = 12  # differences that are shown before auto-sync goes on


@dataclass(frozen=True)
class Selection:
    """The products that a bulk form means: those that were ticked, or all that match its filter."""

    which: list[ColumnElement[bool]]
    number: int
    ids: list[int]  # the ticked ones; none when all that match are meant

    @property
    def pairs(self) -> list[ColumnElement[bool]]:
        """As a condition on the links of these products."""
        return [Link.product_id.in_(select(Product.id).where(*self.which))]


@bp.post("/products/<int:product_id>/auto")
@web.requires(Permission.SYNC)
def auto(product_id: int) -> Any:
    """Switch automatic sending on or off for all listings of a product."""
    session = web.session()
    product = catalog_search.get(session, product_id)
    on = request.form.get("on") == "1"
    entry = pairs.set_auto(session, [Link.product_id == product_id], on, by=web.actor())
    name = product.title or product.sku
    text = _("Auto-sync on for %(product)s", product=name) if on else _("Auto-sync off for %(product)s", product=name)
    if on and entry is not None:
        n = switches.number(entry)
        text += ". " + ngettext(
            "Your catalogue overwrites the stock of %(num)s listing.",
            "Your catalogue overwrites the stock of %(num)s listings.",
            n,
        )
    toast = web.say(text, _undo(entry))
    if not web.is_htmx():
        return _to_where_it_was_pressed(product_id)
    return web.piece("catalog/_auto.html", toast=toast, product=product, on=on, linked=True)


@bp.post("/products/base/<int:base_id>/auto")
@web.requires(Permission.SYNC)
def auto_base(base_id: int) -> Any:
    """The same for all variants of a base product that the tab holds."""
    session, on = web.session(), request.form.get("on") == "1"
    base = session.get(BaseProduct, base_id)
    if base is None:
        raise NotFound(_("This product is no longer in the catalogue."))
    variants = select(Product.id).where(Product.base_id == base_id, *read_filter().tab_of(Product))
    entry = pairs.set_auto(session, [Link.product_id.in_(variants)], on, by=web.actor())
    n = switches.number(entry)
    if on:
        text = ngettext("Auto-sync on for %(num)s pair", "Auto-sync on for %(num)s pairs", n)
    else:
        text = ngettext("Auto-sync off for %(num)s pair", "Auto-sync off for %(num)s pairs", n)
    toast = web.say(text, _undo(entry))
    if not web.is_htmx():
        return redirect(request.referrer if _ours(request.referrer) else url_for("catalog.index"), code=303)
    return web.piece("catalog/_auto_base.html", toast=toast, base=base, on=on, tab=read_filter().stock)


@bp.post("/products/auto")
@web.requires(Permission.SYNC)
def auto_many() -> Any:
    """Switch automatic sending for the selected products; before it goes on, say what it would overwrite."""
    session, chosen, on = web.session(), _selection(), request.form.get("on") == "1"
    if on and request.form.get("sure") != "1":
        return _ask_auto(chosen)
    changed = switches.number(pairs.set_auto(session, chosen.pairs, on, by=web.actor()))
    if on:
        text = ngettext("Auto-sync on for %(num)s pair", "Auto-sync on for %(num)s pairs", changed)
    else:
        text = ngettext("Auto-sync off for %(num)s pair", "Auto-sync off for %(num)s pairs", changed)
    web.say(text if changed else _("Nothing changed: no selected product is linked, or all are like that already."))
    return web.go("catalog.index", **_back())


@bp.post("/products/<int:product_id>/available")
@web.requires(Permission.CATALOG)
def available(product_id: int) -> Any:
    """The button of a row: out of stock, or available again."""
    session = web.session()
    product = catalog_search.get(session, product_id)
    on = request.form.get("on") == "1"
    marked = availability.mark(session, [Product.id == product_id], on, by=web.actor())
    if not marked.changed:
        if on:
            raise Refused(_("Nothing of it is counted. Edit the product and type its stock first."))
        raise Refused(_("Its stock was never counted. Edit the product and type its stock first."))
    session.refresh(product)
    name = product.title or product.sku
    toast = web.say(_marked_words(name, on, marked), _undo(marked.entry))
    if not web.is_htmx():
        return _to_where_it_was_pressed(product_id)
    context: dict[str, Any] = {"product": product, "availability": availability_words, "fresh": True}
    return web.piece("catalog/_available.html", toast=toast, **context)


@bp.post("/products/available")
@web.requires(Permission.CATALOG)
def available_many() -> Any:
    """Mark the selected products as available, or as out of stock."""
    chosen, on = _selection(), request.form.get("on") == "1"
    marked = availability.mark(web.session(), chosen.which, on, by=web.actor())
    if on:
        text = ngettext("%(num)s product is available.", "%(num)s products are available.", marked.changed)
        if marked.empty:
            text += " " + ngettext(
                "Of %(num)s nothing is counted: type its stock.",
                "Of %(num)s nothing is counted: type their stock.",
                marked.empty,
            )
    else:
        text = ngettext("%(num)s product is out of stock.", "%(num)s products are out of stock.", marked.changed)
    web.say(f"{text} {_told(marked)}".strip() if marked.changed or marked.empty else _("Nothing changed."))
    return web.go("catalog.index", **_back())


@bp.route("/products/sync", methods=["GET", "POST"])
@web.requires(Permission.SYNC)
def sync_many() -> Any:
    """Choose a connector and what to send for the selected products; the first POST only opens the form."""
    ids = _selection().ids if request.values.get("match") != "1" else _every(_selection())
    if not ids:
        raise Refused(_("Tick some products first."))
    targets = sync_history.targets_of(web.session(), ids)
    name = ngettext("%(num)s product", "%(num)s products", len(ids))
    return propagation.sync_some(targets, ids, name, url_for("catalog.sync_many"))


@bp.post("/products/unsync")
@web.requires(Permission.LINK)
def unsync_many() -> Any:
    """On to the question about the pairs of the selected products."""
    ids = _selection().ids
    if not ids:
        raise Refused(_("Tick some products first; all pairs of a channel are unsynced under Synced pairs."))
    return redirect(url_for("links.unsync_ask", product=ids), code=303)


@bp.post("/activity/<int:entry_id>/undo")
@web.requires(Permission.SYNC)
def take_back(entry_id: int) -> Any:
    """Switch back what a line of the trail switched."""
    n = switches.take_back(web.session(), entry_id, by=web.actor(), now=utc_now())
    text = ngettext("Taken back for %(num)s.", "Taken back for %(num)s.", n)
    if web.is_htmx():
        response = web.piece(toast=web.Toast(text))
        response.headers["HX-Refresh"] = "true"
        return response
    web.say(text)
    return redirect(request.referrer if _ours(request.referrer) else url_for("accounts.activity"), code=303)


# ---- the steps -------------------------------------------------------------------------------------------


def _ask_auto(chosen: Selection) -> Response:
    """What auto-sync would overwrite: how many pairs on which channels, and the first differences."""
    session = web.session()
    ids = list(session.scalars(select(Link.id).where(*chosen.pairs, Link.auto_sync.is_(False)).order_by(Link.id)))
    found, shown = pairs.channels_of(session, [*chosen.pairs, Link.auto_sync.is_(False)]), []
    for channel in found:
        made = plans.plan(session, channel, link_ids=ids[: plans.CHUNK], anyway=True)
        shown += [(channel, change) for change in made.changes]
    response: Response = web.page(
        "catalog/auto_ask.html",
        number=len(ids),
        channels=found,
        changes=shown[:SHOWN],
        differing=len(shown),
        looked_at=min(len(ids), plans.CHUNK),
        ids=chosen.ids,
        back=_back(),
        match=not chosen.ids,
    )
    return response


def _selection() -> Selection:
    """What the form means. Raises Refused when nothing is ticked."""
    session, values = web.session(), request.values
    if values.get("match") == "1":
        filters = read_filter()
        if filters.text:
            raise Refused(_("A search finds the closest products: tick those that are meant."))
        return Selection(filters.where, catalog_search.count(session, filters), [])
    ids = [int(i) for i in values.getlist("id") if i.isdecimal() and len(i) < 18][:MOST_CHECKED]
    bases = [int(i) for i in values.getlist("base-id") if i.isdecimal() and len(i) < 18][:MOST_CHECKED]
    if bases:  # a row that stands for several: those of its variants that the tab held
        variants = select(Product.id).where(Product.base_id.in_(bases), *read_filter().tab_of(Product))
        ids += session.scalars(variants.order_by(Product.id).limit(MOST_CHECKED + 1 - len(ids)))
    if len(ids) > MOST_CHECKED:
        raise Refused(_("Select at most %(n)s products, or all that match.", n=MOST_CHECKED))
    return Selection([Product.id.in_(ids)], len(ids), ids)


def _every(chosen: Selection) -> list[int]:
    """The ids of all that match, as far as one form can carry them."""
    ids = list(web.session().scalars(select(Product.id).where(*chosen.which).limit(MOST_CHECKED + 1)))
    if len(ids) > MOST_CHECKED:
        words = _("Select at most %(n)s products, or synchronise a whole connector under Connectors.", n=MOST_CHECKED)
        raise Refused(words)
    return ids


def _marked_words(name: str, on: bool, marked: availability.Marked) -> str:
    text = _("%(product)s is available.", product=name) if on else _("%(product)s is out of stock.", product=name)
    return f"{text} {_told(marked)}".strip()


def _told(marked: availability.Marked) -> str:
    if not marked.channels:
        return ""
    return str(ngettext("%(num)s channel is told now.", "%(num)s channels are told now.", marked.channels))


def _undo(entry: AuditEntry | None) -> str:
    return url_for("catalog.take_back", entry_id=entry.id) if entry is not None else ""


def _to_where_it_was_pressed(product_id: int) -> Response:
    """The page that a button without scripts stood on, else the product itself."""
    page = request.referrer if _ours(request.referrer) else None
    return redirect(page or url_for("catalog.detail", product_id=product_id), code=303)


def _ours(address: str | None) -> bool:
    return bool(address) and str(address).startswith(request.host_url)


def _back() -> dict[str, Any]:
    """The table's own address, as its bulk form carries it."""
    names = ("stock", "q", "linked", "channel", "brand", "auto", "base", "after", "before")
    return {name: request.form[name] for name in names if request.form.get(name)}
