"""The catalogue: bring products in, edit one, add one from a listing after showing its look-alikes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import importers
from matching.identifiers import loose_key, loose_keys, match_key
from webapp.db import among
from webapp.errors import Conflict, NotFound, Refused, phrase
from webapp.models.accounts import Actor
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.models.links import BatchVerb, LinkSource
from webapp.models.listings import Listing
from webapp.services import audit, bases, links, rechecks, refusals, retrieval, searching, stock, words
from webapp.services.upserts import Upserted, upsert

TEXTS = ("title", "brand", "gtin", "mpn", "description", "category", "image_url")
FACTS = ("sku", "loose_key", "currency", "options", "base_id", *TEXTS)
JUDGED = {"sku", "title", "brand", "gtin", "mpn", "options", "currency"}  # what may contradict a listing's facts


@dataclass(frozen=True)
class Added:
    """What `add_from_listing` did: the product it made and linked, or the look-alikes that stopped it."""

    product: Product | None
    change: links.Change | None
    similar: list[searching.LookAlike] = field(default_factory=list)


def prepare(session: Session, block: importers.Block) -> importers.Block:
    """Rows of products with what can be made of them before anything is locked: loose keys, and words of new ones."""
    keys = block.column("match_key")
    known = set(session.scalars(select(Product.match_key).where(among(session, Product.match_key, keys))))
    found = [None if key in known else words.words_of(row) for key, (_, row) in zip(keys, block.rows(), strict=True)]
    return replace(block, columns={**block.columns, "loose_key": loose_keys(block.column("sku")), "words": found})


def upsert_products(
    session: Session,
    rows: Sequence[Mapping[str, Any]],
    *,
    by: Actor,
    import_id: int | None = None,
    currency: str = "",
) -> Upserted:
    """Create or update products by SKU from typed rows (see importers); stock and price go through their own rules.

    Rows may have been through `prepare`. Fields that are absent are left alone; `quantity` sets the level of the row's
    warehouse (or the main one).
    """
    by_key: dict[Hashable, dict[str, Any]] = {}
    base_ids = bases.make(session, rows)
    keys: list[Hashable] = list(map(_key, rows))
    for key, row in zip(keys, rows, strict=True):
        facts = {name: row[name] for name in TEXTS if name in row}
        facts |= {"sku": row["sku"], "match_key": key, "loose_key": row.get("loose_key") or loose_key(row["sku"])}
        if "currency" in row:
            facts["currency"] = row["currency"]
        if row.get("options"):
            facts["options"] = row["options"]
        if row.get("base_sku"):
            facts["base_id"] = base_ids[match_key(row["base_sku"])]
        by_key[key] = facts
    known: dict[Hashable, Product] = {
        p.match_key: p for p in session.scalars(select(Product).where(among(session, Product.match_key, by_key)))
    }
    now = utc_now()
    defaults = dict.fromkeys((*TEXTS, "loose_key"), "") | {
        "options": None,
        "base_id": None,
        "currency": currency,
        "price": None,
        "available": 0,
        "version": 1,
        "import_id": import_id,
        "created_at": now,
        "changed_at": now,
        "retired_at": None,
    }
    alone = len(by_key) == len(rows)  # or two rows speak of one product, and the second changes what the first set
    fresh = {key: row for key, row in zip(keys, rows, strict=True) if key not in known} if alone else {}
    worth, levels = _first_worth(session, fresh)
    for key, values in worth.items():
        by_key[key] |= values
    result = upsert(
        session,
        Product,
        by_key,
        known,
        defaults=defaults,
        on_change={"changed_at": now},
        ids_of=lambda keys: _ids(session, keys),
    )
    said = {result.ids[key]: fresh.get(key, {}).get("words") or words.words_of(by_key[key]) for key in result.created}
    words.add(session, said)
    words.renew(session, [i for i, (_, after) in result.changed.items() if not after.keys().isdisjoint(words.FIELDS)])
    _look_again(session, [i for i, (_, after) in result.changed.items() if not JUDGED.isdisjoint(after)])
    changes = _worth(session, rows, known)
    stock.insert_levels(session, [(result.ids[key], place_id, n) for key, place_id, n in levels])
    rest = [row for key, row in zip(keys, rows, strict=True) if key not in fresh]
    touched = set_stock_and_prices(session, rest, result.ids, by=by) - {result.ids[k] for k in result.created}
    result.unchanged -= len(touched - set(result.changed))
    for product_id in touched:
        before, after = result.changed.get(product_id, ({}, {}))
        was, now_is = changes.get(product_id, ({}, {}))
        result.changed[product_id] = ({**before, **was}, {**after, **now_is})
    return result


def _first_worth(
    session: Session, rows: Mapping[Hashable, Mapping[str, Any]]
) -> tuple[dict[Hashable, dict[str, Any]], list[tuple[Hashable, int, int]]]:
    """Price, stock and version of new products, as if each had been set after they were made, by key; and their levels.

    A level is a key, the id of a warehouse, and the units that it holds.
    """
    names = {row.get("warehouse") or stock.MAIN for row in rows.values() if row.get("quantity") is not None}
    places = {name: stock.warehouse(session, name, create=True) for name in sorted(names)}
    worth: dict[Hashable, dict[str, Any]] = {}
    levels: list[tuple[Hashable, int, int]] = []
    for key, row in rows.items():
        price, quantity = row.get("price"), row.get("quantity")
        worth[key] = {"version": 1 + (price is not None) + (quantity is not None)}
        if price is not None:
            worth[key]["price"] = Decimal(price)
        if quantity is not None:
            place = places[row.get("warehouse") or stock.MAIN]
            worth[key]["available"] = int(quantity) if place.sells else 0
            levels.append((key, place.id, int(quantity)))
    return worth, levels


def _worth(
    session: Session, rows: Sequence[Mapping[str, Any]], known: Mapping[Hashable, Product]
) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Price and stock of known products before and after these rows, where they differ: what an undo gives back.

    Stock is named by its warehouse, such as `stock:Main`.
    """
    counted = [known[_key(row)].id for row in rows if row.get("quantity") is not None and _key(row) in known]
    held = stock.held(session, counted) if counted else {}
    found: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
    for row in rows if known else ():
        product = known.get(_key(row))
        if product is None:
            continue
        was, now_is = found.setdefault(product.id, ({}, {}))
        if row.get("price") is not None and Decimal(row["price"]) != product.price:
            was["price"], now_is["price"] = product.price, Decimal(row["price"])
        place = row.get("warehouse") or stock.MAIN
        if row.get("quantity") is not None and int(row["quantity"]) != held.get((product.id, place)):
            was[f"stock:{place}"], now_is[f"stock:{place}"] = held.get((product.id, place)), int(row["quantity"])
    return found


def _key(row: Mapping[str, Any]) -> str:
    return str(row.get("match_key") or match_key(row["sku"]))


def restore(
    session: Session, product: Product, before: Mapping[str, Any], after: Mapping[str, Any], *, by: Actor
) -> bool:
    """Give a product its values of `before` where it still has those of `after`; gives whether anything changed.

    Stock that a warehouse never held goes back to 0.
    """
    held = stock.held(session, [product.id])
    levels: dict[str, stock.Level] = {}
    changed = False
    for name, value in before.items():
        if name.startswith("stock:"):
            place = name.removeprefix("stock:")
            if held.get((product.id, place)) == after.get(name):
                levels[place] = stock.Level(product.id, int(value or 0))
        elif name == "price":
            if value is not None and product.price == Decimal(after[name]):
                stock.set_prices(session, [(product.id, Decimal(value))], by=by, quiet=True)
                changed = True
        elif getattr(product, name) == after.get(name):
            setattr(product, name, value)
            product.changed_at = utc_now()
            changed = True
    for place, level in levels.items():
        stock.set_levels(session, [level], stock.warehouse(session, place), by=by, quiet=True)
    session.flush()
    if changed:
        words.renew(session, [product.id])
        _look_again(session, [product.id])
    return changed or bool(levels)


def set_stock_and_prices(
    session: Session,
    rows: Sequence[Mapping[str, Any]],
    ids: Mapping[Hashable, int],
    *,
    by: Actor,
) -> set[int]:
    """Set what rows say about quantity and price; gives the ids of products that changed by it."""
    levels: dict[str, list[stock.Level]] = {}
    prices: list[tuple[int, Decimal]] = []
    for row in rows:
        product_id = ids[row.get("match_key") or match_key(row["sku"])]
        if row.get("quantity") is not None:
            levels.setdefault(row.get("warehouse") or stock.MAIN, []).append(
                stock.Level(product_id, int(row["quantity"]))
            )
        if row.get("price") is not None:
            prices.append((product_id, Decimal(row["price"])))
    touched: set[int] = set()
    for name in sorted(levels):
        place = stock.warehouse(session, name, create=True)
        touched.update(stock.set_levels(session, levels[name], place, by=by, quiet=True))
    touched.update(stock.set_prices(session, prices, by=by, quiet=True))
    return touched


def set_known(session: Session, rows: Sequence[Mapping[str, Any]], *, by: Actor) -> Upserted:
    """Set stock and price of products that are there, by SKU; what was there before is given for an undo."""
    keys = [_key(row) for row in rows]
    known: dict[Hashable, Product] = {
        p.match_key: p for p in session.scalars(select(Product).where(among(session, Product.match_key, keys)))
    }
    worth = _worth(session, rows, known)
    touched = set_stock_and_prices(session, rows, {key: p.id for key, p in known.items()}, by=by)
    return Upserted(changed={i: worth.get(i, ({}, {})) for i in touched}, unchanged=len(rows) - len(touched))


def add_from_listing(
    session: Session,
    listing_id: int,
    *,
    by: Actor,
    index: retrieval.CatalogueIndex,
    fields: Mapping[str, Any] | None = None,
    anyway: bool = False,
) -> Added:
    """Make a product from a listing and link it; its SKU is the channel's as it is, unless `fields` names another.

    Refuses with the look-alikes unless `anyway`. Raises Conflict when the SKU is taken (two clicks, two
    people), Refused when the listing has no SKU and none is given.
    """
    listing = session.get(Listing, listing_id, with_for_update=True)
    if listing is None:
        raise NotFound(phrase("This listing is no longer there."))
    row = _row_from(listing, fields or {})
    taken = session.scalar(select(Product).where(Product.match_key == match_key(row["sku"])))
    if taken is not None:
        raise Conflict(
            phrase(
                "The SKU {sku} belongs to “{title}”. Choose another SKU, or link to that product.",
                sku=row["sku"],
                title=taken.title or taken.sku,
            )
        )
    if not anyway:
        similar = searching.look_alikes(session, index, listing)
        if similar:
            return Added(None, None, similar)
    result = upsert_products(session, [row], by=by)
    product = session.get_one(Product, next(iter(result.ids.values())))
    audit.record(
        session,
        by,
        "product.added",
        f"product {product.sku}",
        phrase("Added {sku} from listing {listing}.", sku=product.sku, listing=listing.external_id),
    )
    pair = links.Pair(listing.id, product.id)
    change = links.confirm(session, [pair], by=by, source=LinkSource.ADDED, verb=BatchVerb.ADD)
    if change.refused:
        raise Conflict(change.refused[0].message)
    return Added(product, change)


def add_product(session: Session, fields: Mapping[str, Any], *, by: Actor, currency: str = "") -> Product:
    """Add one product from typed fields (`sku` and any of the others, `price` and `quantity` included).

    Raises Refused without a SKU, Conflict for one that another product has.
    """
    key = match_key(fields.get("sku", ""))
    if not key:
        raise Refused(phrase("Type a SKU. A product without one cannot be matched."))
    _refuse_taken(session, key, fields["sku"])
    row = {name: value for name, value in fields.items() if value not in ("", None)}
    result = upsert_products(session, [row], by=by, currency=currency)
    product = session.get_one(Product, result.ids[key], populate_existing=True)
    sentence = phrase("Added {sku}.", sku=product.sku)
    audit.record(session, by, "product.added", f"product {product.sku}", sentence)
    return product


def edit_product(session: Session, product: Product, fields: Mapping[str, Any], *, by: Actor) -> Product:
    """Change facts of a product, its SKU included; links hang on the product and stay.

    Raises Refused for an empty SKU, Conflict for one that another product has.
    """
    values = {name: value for name, value in fields.items() if name in {*TEXTS, "sku", "options"}}
    if "sku" in values:
        key = match_key(values["sku"])
        if not key:
            raise Refused(phrase("Type a SKU. A product without one cannot be matched."))
        _refuse_taken(session, key, values["sku"], unless=product.id)
        values |= {"match_key": key, "loose_key": loose_key(values["sku"])}
    before = {name: getattr(product, name) for name in values if getattr(product, name) != values[name]}
    if before:
        for name in before:
            setattr(product, name, values[name])
        product.changed_at = utc_now()
        session.flush()
        words.renew(session, [product.id])
        _look_again(session, [product.id])
        after = {name: values[name] for name in before}
        audit.record(
            session,
            by,
            "product.edited",
            f"product {product.sku}",
            phrase("Edited {sku}.", sku=product.sku),
            before=before,
            after=after,
        )
    return product


def _look_again(session: Session, product_ids: Sequence[int]) -> None:
    """These products say something else now: about their pairs, and about listings that were said not to be them."""
    if not product_ids:
        return
    rechecks.ask_products(session, product_ids)
    refusals.look_again(session, product_ids)
    bases.name(session, product_ids)


def _refuse_taken(session: Session, key: str, sku: str, *, unless: int | None = None) -> None:
    other = session.scalar(select(Product).where(Product.match_key == key))
    if other is not None and other.id != unless:
        title = other.title or other.sku
        raise Conflict(phrase("The SKU {sku} belongs to “{title}”. Choose another SKU.", sku=sku, title=title))


def by_sku(session: Session, sku: str) -> Product:
    """The product with this SKU; raises NotFound."""
    product = session.scalar(select(Product).where(Product.match_key == match_key(sku), Product.retired_at.is_(None)))
    if product is None:
        raise NotFound(
            phrase("There is no product with the SKU {sku}. Check the SKU, or import the product first.", sku=sku)
        )
    return product


def _ids(session: Session, keys: Sequence[Hashable]) -> dict[Hashable, int]:
    query = select(Product.match_key, Product.id).where(among(session, Product.match_key, keys))
    return dict[Hashable, int](session.execute(query).all())


def _row_from(listing: Listing, fields: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(listing, name) for name in TEXTS if getattr(listing, name)}
    row |= {"sku": listing.sku, "currency": listing.currency, "options": listing.options}
    if listing.price is not None:
        row["price"] = listing.price
    if listing.quantity is not None:
        row["quantity"] = listing.quantity
    row |= {name: value for name, value in fields.items() if value not in ("", None)}
    if not match_key(row["sku"]):
        raise Refused(phrase("This listing has no SKU. Type the SKU that the new product shall have."))
    return row
