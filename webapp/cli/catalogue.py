"""Commands about stock and prices: a change like any other, audited and marked on every confirmed link."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import click
from sqlalchemy.orm import Session

from webapp.cli.support import Say, command
from webapp.db import unit_of_work
from webapp.errors import Refused
from webapp.models import Product
from webapp.models.accounts import COMMAND_LINE
from webapp.services import catalog, stock


class WholeNumber(click.ParamType[int]):
    """A whole number in the digits 0 to 9: what the screens and files take, and nothing else that Python would."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; fails with the value named."""
        text = str(value)
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            self.fail(f"{text!r} is not a whole number in digits, such as 12 or -3.", param, ctx)
        return int(text)


SIGNED = {"ignore_unknown_options": True}  # “-3” is a number here, not an option
LARGEST_PRICE = Decimal(10) ** 12  # as in files


@command("set", context_settings=SIGNED)
@click.argument("sku")
@click.argument("quantity", type=WholeNumber())
@click.option("--warehouse", metavar="W", help="The main one without.")
def set_stock(say: Say, sku: str, quantity: int, warehouse: str | None) -> None:
    """Set a product's stock in one warehouse."""
    with unit_of_work() as session:
        product = catalog.by_sku(session, sku)
        place = stock.warehouse(session, warehouse)
        stock.set_levels(session, [stock.Level(product.id, quantity)], place, by=COMMAND_LINE)
        answer = _answer(session, product)
    say(answer, _words(answer))


@command("move", context_settings=SIGNED)
@click.argument("sku")
@click.argument("units", type=WholeNumber(), metavar="±N")
@click.option("--reason", required=True)
@click.option("--warehouse", metavar="W", help="The main one without.")
def move_stock(say: Say, sku: str, units: int, reason: str, warehouse: str | None) -> None:
    """Add to a product's stock, or take from it."""
    if abs(units) > stock.LARGEST:
        raise Refused(f"{units} units cannot be moved. Move at most {stock.LARGEST:,}.")
    if not reason.strip():
        raise Refused("A movement needs a reason. Say why, for the trail: --reason damaged.")
    with unit_of_work() as session:
        product = catalog.by_sku(session, sku)
        stock.move(session, product, units, place=stock.warehouse(session, warehouse), reason=reason, by=COMMAND_LINE)
        answer = _answer(session, product)
    say(answer, _words(answer))


@command("set", context_settings=SIGNED)
@click.argument("sku")
@click.argument("amount")
@click.option("--list", "price_list", metavar="L", help="A price list; the standard price without.")
def set_price(say: Say, sku: str, amount: str, price_list: str | None) -> None:
    """Set a product's price."""
    value = _amount(amount)
    with unit_of_work() as session:
        product = catalog.by_sku(session, sku)
        named = stock.price_list(session, price_list) if price_list else None
        stock.set_prices(session, [(product.id, value)], by=COMMAND_LINE, price_list=named)
        answer = {**_answer(session, product), "price": value, "list": price_list}
    say(answer, f"{answer['sku']}: {value:f}.")


def _answer(session: Session, product: Product) -> dict[str, Any]:
    session.refresh(product)
    on_hand, available = stock.on_hand(session, product.id), stock.available_to_sell(product)
    return {"sku": product.sku, "on_hand": on_hand, "available": available}


def _words(answer: dict[str, Any]) -> str:
    return f"{answer['sku']}: {answer['on_hand']:,} on hand, {answer['available']:,} available."


def _amount(text: str) -> Decimal:
    """An exact price from 0 up with at most four places; raises Refused."""
    if re.fullmatch(r"\+?[0-9]{1,20}(?:\.[0-9]{1,20})?", text):
        value = Decimal(text)
        if value < LARGEST_PRICE and value == value.quantize(Decimal("0.0001")):
            return value
    repair = "Write a number from 0 up with a point and at most four decimals, such as 19.90."
    raise Refused(f"“{text[:60]}” is no price. {repair}")


COMMANDS = (
    click.Group("stock", commands=[set_stock, move_stock], help="Stock levels."),
    click.Group("price", commands=[set_price], help="Prices."),
)
