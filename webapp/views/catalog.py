"""Products: the catalogue as a table, one product with its listings and history, and its form."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Blueprint, current_app, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, StringField, ValidationError
from wtforms.validators import InputRequired, Length, Regexp

from matching.identifiers import check_digit, is_valid_gtin
from webapp import web
from webapp.errors import Conflict, Refused
from webapp.forms import AMOUNT, plain_amount
from webapp.models import BaseProduct, Outcome, Product, SendMode
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import catalog, catalog_search, channels, schedules, stock
from webapp.translate import translated
from webapp.views.catalog_words import availability, outcomes, several, sources, tabs, untold
from webapp.views.review_words import ago

bp = Blueprint("catalog", __name__)
FACTS = ("sku", "title", "brand", "gtin", "mpn")
LINE_ENDS = re.compile(r"[\r\n]")
GTIN_LENGTHS = {8, 12, 13, 14}


class ProductForm(FlaskForm):
    """The facts of a product that people edit."""

    sku = StringField(validators=[Length(max=255)])
    title = StringField(validators=[Length(max=2000)])
    brand = StringField(validators=[Length(max=255)])
    gtin = StringField(validators=[Length(max=64)])
    mpn = StringField(validators=[Length(max=255)])
    price = StringField(filters=[plain_amount])
    stock = StringField(filters=[lambda text: (text or "").strip()])

    def __init__(self, product: Product | None = None, **given: Any) -> None:
        self.product = product
        super().__init__(**given)
        self.sku.validators = [InputRequired(_("Type a SKU.")), *self.sku.validators]
        self.title.validators = [InputRequired(_("Type a name.")), *self.title.validators]
        words = _("Type the price with a point for the cents, for example 1299.00.")
        self.price.validators = [Regexp(f"^{AMOUNT.pattern}$", message=words)]
        words = _("Type the stock as a whole number, for example 12.")
        self.stock.validators = [Regexp(r"^[0-9]{0,9}$", message=words)]

    def validate_gtin(self, field: Field) -> None:
        """Catch a mistyped barcode; one that was stored like that before is left to its owner."""
        digits = "".join((field.data or "").split()).replace("-", "")
        unchanged = self.product is not None and field.data == self.product.gtin
        if unchanged or not digits or not digits.isascii() or not digits.isdigit() or len(digits) not in GTIN_LENGTHS:
            return
        if not is_valid_gtin(digits):
            right = check_digit(digits[:-1])
            raise ValidationError(_("The last digit should be %(digit)s. Check the code on the package.", digit=right))


@bp.get("/products")
@web.requires(Permission.READ)
def index() -> Any:
    """A page of the table; tabs, search and place are in the address."""
    session = web.session()
    filters = read_filter()
    found = catalog_search.search_products(
        session, web.catalogue_index(), filters, after=_whole("after"), before=_whole("before")
    )
    kept = kept_of(filters)
    counted = {name: catalog_search.count(session, catalog_search.Filter(name)) for name in ("out", "in", "all")}
    return web.page(
        "catalog/index.html",
        block="products_table",
        found=found,
        filters=filters,
        counted=counted,
        here=counted[filters.stock],
        **_choices(filters, found),
        cap=catalog_search.CAP,
        low=catalog_search.LOW,
        kept=kept,
        next_url=_place(filters, "after", found.next),
        previous_url=_place(filters, "before", found.previous),
        availability=availability,
        several=several,
        tabs=tabs(counted),
        untold=untold,
        base=session.get(BaseProduct, filters.base) if filters.base else None,
        ago=partial(ago, now=utc_now()),
        history_url=_maybe("propagation.history"),
    )


@bp.get("/products/<int:product_id>")
@web.requires(Permission.READ)
def detail(product_id: int) -> Any:
    """One product: its variants, listings or history by `tab`."""
    session = web.session()
    product = catalog_search.get(session, product_id)
    tab = request.args.get("tab", "") or ("variants" if product.base_id else "listings")
    parts: dict[str, Any] = {"variants": catalog_search.variants(session, product)}
    parts["offers"] = catalog_search.offers(session, product)
    if tab == "history":
        parts["trail"] = catalog_search.trail(session, product)
        parts["deliveries"] = catalog_search.deliveries(session, product)
    return web.page(
        "catalog/detail.html",
        block="product_tab",
        product=product,
        base=catalog_search.base(session, product),
        levels=catalog_search.levels(session, product),
        tab=tab,
        sent_by_hand=_by_hand(parts["offers"]),
        sync_url=_maybe("propagation.sync_product", product_id=product_id),
        low=catalog_search.LOW,
        availability=availability,
        ago=partial(ago, now=utc_now()),
        sources=sources(),
        outcomes=outcomes(),
        waiting=Outcome.ACCEPTED,
        **parts,
    )


@bp.route("/products/new", methods=["GET", "POST"])
@web.requires(Permission.CATALOG)
def add() -> Any:
    """The form for a product of one's own."""
    form = ProductForm()
    if form.validate_on_submit():
        fields = _facts(form) | {"price": form.price.data, "quantity": form.stock.data}
        try:
            product = catalog.add_product(web.session(), fields, by=web.actor(), currency=web.settings().currency)
        except (Conflict, Refused) as error:
            form.sku.errors = [translated(error.message)]
        else:
            web.say(_("Added %(sku)s.", sku=product.sku))
            return web.go("catalog.detail", product_id=product.id)
    return web.page("catalog/form.html", form=form, product=None, status=422 if form.is_submitted() else 200)


@bp.route("/products/<int:product_id>/edit", methods=["GET", "POST"])
@web.requires(Permission.CATALOG)
def edit(product_id: int) -> Any:
    """The form for facts, price and stock of one product."""
    session = web.session()
    product = catalog_search.get(session, product_id, lock=request.method == "POST")
    now = _as_shown(product, catalog_search.on_hand(session, product_id, stock.MAIN))
    was = {name: request.form.get(f"was-{name}", text) for name, text in now.items()}
    form = ProductForm(product, data=now)
    clashes: set[str] = set()
    if form.validate_on_submit():
        typed = {n: form[n].data or "" for n in now if not _same(n, form[n].data or "", was[n])}
        clashes = {n for n in typed if not _same(n, was[n], now[n]) and not _same(n, typed[n], now[n])}
        if not clashes:
            try:
                _save(product, typed)
            except (Conflict, Refused) as error:
                session.rollback()  # the price may stand already where the SKU was refused: all or nothing
                form.sku.errors = [translated(error.message)]
            else:
                web.say(_("Saved %(sku)s.", sku=product.sku))
                return web.go("catalog.detail", product_id=product_id)
        else:
            was = now  # whoever saves again has seen both
            _show_both(form, now, typed, clashes)
    last = next(iter(catalog_search.trail(session, product)), None) if clashes else None
    status = 409 if clashes else 422 if form.is_submitted() else 200
    context: dict[str, Any] = {"was": was, "clashes": clashes, "last": last, "ago": partial(ago, now=utc_now())}
    return web.page("catalog/form.html", form=form, product=product, status=status, **context)


def _by_hand(offers: list[catalog_search.Offer]) -> bool:
    """Whether nothing tells these listings but the button: no channel of theirs sends by itself or by the clock."""
    by_clock = schedules.told_by_the_clock(web.session())
    return all(offer.channel.mode == SendMode.MANUAL and offer.channel.id not in by_clock for offer in offers)


def read_filter() -> catalog_search.Filter:
    """The filter that the address, or the bulk form, names."""
    values = request.values
    tab, channel = values.get("stock", "all"), values.get("channel", "")
    return catalog_search.Filter(
        stock=tab if tab in {"in", "out"} else "all",
        linked="no" if values.get("linked") == "no" else "",
        text=values.get("q", "").strip()[:200],
        channel=channels.get(web.session(), channel) if channel else None,
        brand=values.get("brand", "")[:255],
        auto={"on": True, "off": False}.get(values.get("auto", "")),
        base=values.get("base", 0, int),
    )


def kept_of(filters: catalog_search.Filter) -> dict[str, str]:
    """What an address says of a filter beside its tab, names without a value left out."""
    said = {
        "q": filters.text,
        "linked": filters.linked,
        "channel": filters.channel.name if filters.channel else "",
        "brand": filters.brand,
        "auto": "" if filters.auto is None else "on" if filters.auto else "off",
        "base": str(filters.base or ""),
    }
    return {name: value for name, value in said.items() if value}


def _choices(filters: catalog_search.Filter, found: catalog_search.Page) -> dict[str, Any]:
    """The menus of the filters: name, address and whether it is the chosen one. Brands are those in sight."""
    tab = filters.stock if filters.stock != "all" else None

    def menu(name: str, chosen: str, options: list[tuple[str, str]]) -> list[tuple[str, str, bool]]:
        rest: dict[str, Any] = kept_of(filters)
        address = partial(url_for, "catalog.index", stock=tab)
        return [(text, address(**{**rest, name: value or None}), value == chosen) for text, value in options]

    kept = kept_of(filters)
    names = [channel.name for channel in channels.all_channels(web.session())]
    brands = sorted({row.product.brand for row in found.rows if row.product.brand} | {filters.brand} - {""})
    switch = [(_("On or off"), ""), (_("On"), "on"), (_("Off"), "off")]
    return {
        "by_channel": menu(
            "channel", kept.get("channel", ""), [(_("All channels"), ""), *((name, name) for name in names)]
        ),
        "by_brand": menu("brand", filters.brand, [(_("All brands"), ""), *((name, name) for name in brands)]),
        "by_auto": menu("auto", kept.get("auto", ""), switch),
    }


# ---- the steps -------------------------------------------------------------------------------------------


def _facts(form: ProductForm) -> dict[str, str]:
    return {name: (form[name].data or "").strip() for name in FACTS}


def _as_shown(product: Product, held: int | None) -> dict[str, str]:
    """What the form shows of a product, field by field."""
    facts = {name: getattr(product, name) or "" for name in FACTS}
    return facts | {"price": _amount(product.price), "stock": "" if held is None else str(held)}


def _same(name: str, one: str, other: str) -> bool:
    """Whether two texts of a field mean the same; browsers drop line ends, and an amount has several spellings."""
    plain = [LINE_ENDS.sub("", text).strip() for text in (one, other)]
    if name == "price" and all(AMOUNT.fullmatch(text) for text in plain):
        return Decimal(plain[0] or -1) == Decimal(plain[1] or -1)
    return plain[0] == plain[1]


def _show_both(form: ProductForm, now: dict[str, str], typed: dict[str, str], clashes: set[str]) -> None:
    """Put what others saved beside what this person typed; a field that the person left alone shows what is there."""
    for name, text in now.items():
        if name in clashes:
            form[name].errors = [
                _("Somebody saved “%(now)s” meanwhile; you typed “%(typed)s”.", now=text, typed=typed[name])
            ]
        elif name not in typed:
            form[name].data = text


def _save(product: Product, typed: dict[str, str]) -> None:
    """Write what the person changed; stock goes to the main warehouse.

    What the form only showed is left alone: it may have moved since the page was opened.
    """
    session, by = web.session(), web.actor()
    facts = {name: text.strip() for name, text in typed.items() if name in FACTS}
    catalog.edit_product(session, product, facts, by=by)
    price, count = typed.get("price"), typed.get("stock")
    if price and Decimal(price) != product.price:
        stock.set_prices(session, [(product.id, Decimal(price))], by=by)
    if count:
        stock.set_levels(session, [stock.Level(product.id, int(count))], stock.warehouse(session), by=by)


def _amount(price: Decimal | None) -> str:
    """A price for its field: as people write it, with two places, or with the more that it has."""
    if price is None:
        return ""
    # Never three places: “1.299” could be thirteen hundred, and is refused where it is typed.
    return f"{price:.2f}" if price * 100 % 1 == 0 else f"{price:.4f}"


def _whole(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _place(filters: catalog_search.Filter, side: str, product_id: int | None) -> str:
    """The address of another page of the same table, or nothing at its end."""
    if not product_id:
        return ""
    values: dict[str, Any] = {**kept_of(filters), side: product_id}
    return url_for("catalog.index", stock=filters.stock if filters.stock != "all" else None, **values)


def _maybe(endpoint: str, **values: Any) -> str:
    """The address of a screen, or nothing when this installation has none."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""
