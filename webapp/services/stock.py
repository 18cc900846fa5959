"""Stock and prices: set, move, and the one number a marketplace hears.

Each accepted change raises the product's version by one and marks its links in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from sqlalchemy import ColumnElement, Table, bindparam, case, exists, func, insert, select, update
from sqlalchemy.orm import Session

from webapp.errors import NotFound, Refused, phrase
from webapp.models.accounts import Actor
from webapp.models.catalog import Price, PriceList, Product
from webapp.models.stock import StockLevel, Warehouse
from webapp.services import audit, rechecks, targets
from webapp.services.upserts import insert_columns

MAIN = phrase("Main")
LARGEST = 999_999_999
CHUNK = 500


@dataclass(frozen=True)
class Level:
    """What one warehouse is said to hold of a product, in whole units."""

    product_id: int
    on_hand: int


def warehouse(session: Session, name: str | None = None, *, create: bool = False) -> Warehouse:
    """The warehouse by its name, the main one without; raises NotFound when there is none."""
    wanted = (name or MAIN).strip()
    found = session.scalar(select(Warehouse).where(Warehouse.name == wanted))
    if found is None and (create or wanted == MAIN):
        found = Warehouse(name=wanted)
        session.add(found)
        session.flush()
    if found is None:
        words = phrase(
            "There is no warehouse “{name}”. Name one that exists, or leave the name out for {main}.",
            name=wanted,
            main=MAIN,
        )
        raise NotFound(words)
    return found


def set_levels(
    session: Session, levels: Sequence[Level], place: Warehouse, *, by: Actor, reason: str = "", quiet: bool = False
) -> list[int]:
    """Set absolute levels in one warehouse; gives the ids of the products that really changed.

    Raises Refused for a level outside 0 to 999,999,999. `quiet` leaves the audit line to the caller's own.
    """
    changed: list[int] = []
    levels = sorted(levels, key=lambda level: level.product_id)  # one order for everybody: nobody waits in a ring
    for start in range(0, len(levels), CHUNK):
        changed += _set_some(session, levels[start : start + CHUNK], place)
    if changed:
        targets.mark(session, changed, stock=True, price=False)
        rechecks.ask_products(session, changed, soon=False)
        if not quiet:
            _record(session, by, "stock.set", levels, changed, place, reason)
    return changed


def insert_levels(session: Session, levels: Sequence[tuple[int, int, int]]) -> None:
    """Write what warehouses hold of products that were just made, their version and sum with them.

    A level is the ids of product and warehouse, and the units. Raises Refused as `set_levels` does.
    """
    _check(units for _, _, units in levels)
    if levels:
        columns = dict(zip(("product_id", "warehouse_id", "on_hand"), zip(*levels, strict=True), strict=True))
        insert_columns(session, cast(Table, StockLevel.__table__), columns, {})


def move(session: Session, product: Product, by_units: int, *, place: Warehouse, reason: str, by: Actor) -> None:
    """Add to or take from a level in one atomic statement; below zero is recorded as debt and published as 0."""
    if not by_units:
        return
    _ensure(session, [product.id], place)
    row = (StockLevel.product_id == product.id, StockLevel.warehouse_id == place.id)
    session.execute(update(StockLevel).where(*row).values(on_hand=StockLevel.on_hand + by_units))
    _accept(session, {product.id: by_units if place.sells else 0})
    session.refresh(product)
    targets.mark(session, [product.id], stock=True, price=False)
    rechecks.ask_products(session, [product.id], soon=False)
    audit.record(
        session,
        by,
        "stock.moved",
        f"product {product.sku}",
        phrase(
            "Moved {units} of {sku} in {warehouse}: {reason}.",
            units=f"{by_units:+}",
            sku=product.sku,
            warehouse=place.name,
            reason=reason,
        ),
        after={"available": product.available},
    )


def set_prices(
    session: Session,
    prices: Sequence[tuple[int, Decimal]],
    *,
    by: Actor,
    price_list: PriceList | None = None,
    quiet: bool = False,
) -> list[int]:
    """Set prices on the standard list, or on `price_list`; gives the ids of the products that really changed."""
    changed: list[int] = []
    prices = sorted(prices, key=lambda price: price[0])
    for start in range(0, len(prices), CHUNK):
        wanted = dict(prices[start : start + CHUNK])
        changed += _price_standard(session, wanted) if price_list is None else _price_list(session, wanted, price_list)
    if changed:
        targets.mark(session, changed, stock=False, price=True)
        rechecks.ask_products(session, changed)
        if not quiet:
            where = price_list.name if price_list else phrase("the standard list")
            _record_prices(session, by, dict(prices), changed, where)
    return changed


def price_list(session: Session, name: str) -> PriceList:
    """The price list of that name, made when it is new."""
    found = session.scalar(select(PriceList).where(PriceList.name == name))
    if found is None:
        found = PriceList(name=name)
        session.add(found)
        session.flush()
    return found


def available_to_sell(product: Product) -> int:
    """The single number a marketplace hears: never negative, whatever was oversold."""
    return max(0, product.available)


def counted() -> ColumnElement[bool]:
    """Whether anybody ever counted a product: stock that nobody counted is not known, which is not zero."""
    return exists().where(StockLevel.product_id == Product.id)


def held(session: Session, product_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """What each warehouse holds of these products, by product and warehouse."""
    query = select(StockLevel.product_id, Warehouse.name, StockLevel.on_hand).join(
        Warehouse, Warehouse.id == StockLevel.warehouse_id
    )
    found: dict[tuple[int, str], int] = {}
    for start in range(0, len(product_ids), CHUNK):
        some = query.where(StockLevel.product_id.in_(product_ids[start : start + CHUNK]))
        found |= {(product_id, place): n for product_id, place, n in session.execute(some)}
    return found


def on_hand(session: Session, product_id: int) -> int:
    """All units of a product in all warehouses."""
    return int(
        session.scalar(
            select(func.coalesce(func.sum(StockLevel.on_hand), 0)).where(StockLevel.product_id == product_id)
        )
        or 0
    )


def _check(levels: Iterable[int]) -> None:
    for number in levels:
        if not 0 <= number <= LARGEST:
            words = phrase(
                "A stock of {number} cannot be. Use a whole number from 0 to {most}.",
                number=number,
                most=f"{LARGEST:,}",
            )
            raise Refused(words)


def _set_some(session: Session, levels: Sequence[Level], place: Warehouse) -> list[int]:
    wanted = {level.product_id: level.on_hand for level in levels}
    _check(wanted.values())
    query = select(StockLevel.product_id, StockLevel.on_hand).where(
        StockLevel.warehouse_id == place.id, StockLevel.product_id.in_(wanted)
    )
    known = dict(session.execute(query).all())
    fresh = [{"product_id": i, "warehouse_id": place.id, "on_hand": n} for i, n in wanted.items() if i not in known]
    moved = {i: n for i, n in wanted.items() if i in known and known[i] != n}
    if fresh:
        session.execute(insert(StockLevel), fresh)
    if moved:
        rows = [{"product_id": i, "warehouse_id": place.id, "on_hand": n} for i, n in moved.items()]
        session.execute(update(StockLevel), rows)
    sells = 1 if place.sells else 0
    difference = {i: (n - known.get(i, 0)) * sells for i, n in wanted.items() if i not in known or known[i] != n}
    new = {row["product_id"] for row in fresh}  # a first count of 0 says more than no count at all
    really = {i: d for i, d in difference.items() if d or i in moved or i in new}
    _accept(session, really)
    return list(really)


def _ensure(session: Session, product_ids: Sequence[int], place: Warehouse) -> None:
    for product_id in product_ids:
        if session.get(StockLevel, (product_id, place.id)) is None:
            session.add(StockLevel(product_id=product_id, warehouse_id=place.id, on_hand=0))
    session.flush()


def _accept(session: Session, differences: dict[int, int]) -> None:
    """Raise the version and the available number of each product, in place: nothing is read and written back."""
    if not differences:
        return
    table = cast(Table, Product.__table__)

    session.connection().execute(
        table.update()
        .where(table.c.id == bindparam("p"))
        .values(
            available=case((table.c.withheld.is_(None), table.c.available + bindparam("d")), else_=table.c.available),
            withheld=table.c.withheld + bindparam("d"),  # nothing plus something is nothing: only of those marked out
            version=table.c.version + 1,
        ),
        [{"p": i, "d": d} for i, d in differences.items()],
    )


def _price_standard(session: Session, wanted: dict[int, Decimal]) -> list[int]:
    known = dict(session.execute(select(Product.id, Product.price).where(Product.id.in_(wanted))).all())
    changed = [i for i, amount in wanted.items() if known.get(i) != amount]
    if changed:
        session.execute(update(Product), [{"id": i, "price": wanted[i]} for i in changed])
        _accept(session, dict.fromkeys(changed, 0))
    return changed


def _price_list(session: Session, wanted: dict[int, Decimal], price_list: PriceList) -> list[int]:
    rows = {
        p.product_id: p
        for p in session.scalars(
            select(Price).where(Price.price_list_id == price_list.id, Price.product_id.in_(wanted))
        )
    }
    changed = [i for i, amount in wanted.items() if i not in rows or rows[i].amount != amount]
    for i in changed:
        if i in rows:
            rows[i].amount = wanted[i]
        else:
            session.add(Price(product_id=i, price_list_id=price_list.id, amount=wanted[i]))
    session.flush()
    _accept(session, dict.fromkeys(changed, 0))
    return changed


def _record(
    session: Session, by: Actor, event: str, levels: Sequence[Level], changed: list[int], place: Warehouse, reason: str
) -> None:
    if len(changed) == 1:
        sku = session.scalar(select(Product.sku).where(Product.id == changed[0]))
        number = next(level.on_hand for level in levels if level.product_id == changed[0])
        told = {"sku": sku, "number": number, "warehouse": place.name, "reason": reason}
        if reason:
            words = phrase("Set {sku} to {number} in {warehouse}: {reason}.", **told)
        else:
            words = phrase("Set {sku} to {number} in {warehouse}.", **told)
        audit.record(session, by, event, f"product {sku}", words, after={"on_hand": number})
    else:
        told = {"count": len(changed), "warehouse": place.name, "reason": reason}
        if reason:
            words = phrase("Set {count} stock levels in {warehouse}: {reason}.", **told)
        else:
            words = phrase("Set {count} stock levels in {warehouse}.", **told)
        audit.record(session, by, event, f"{len(changed)} products", words)


def _record_prices(session: Session, by: Actor, wanted: Mapping[int, Decimal], changed: list[int], where: str) -> None:
    if len(changed) > 1:
        words = phrase("Set {count} prices on {list}.", count=len(changed), list=where)
        audit.record(session, by, "price.set", f"{len(changed)} products", words)
        return
    sku, amount = session.scalar(select(Product.sku).where(Product.id == changed[0])), f"{wanted[changed[0]]:f}"
    words = phrase("Set the price of {sku} to {amount} on {list}.", sku=sku, amount=amount, list=where)
    audit.record(session, by, "price.set", f"product {sku}", words, after={"price": amount})
