"""Commands about schedules: channels that are told by the clock."""

from __future__ import annotations

import click

from webapp.cli.support import Say, command
from webapp.db import unit_of_work
from webapp.models import Every
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channels, schedules


@command("add")
@click.option("--channel", "names", metavar="NAME", required=True, multiple=True, help="Can be repeated.")
@click.option("--stock", is_flag=True, help="Stock; the default unless --price stands alone.")
@click.option("--price", is_flag=True, help="Prices.")
@click.option("--every", type=click.Choice([each.value for each in Every]), default=Every.QUARTER.value)
@click.option("--at", default="", metavar="HH:MM", help="For --every night, in the zone of PAIRBOOK_TIMEZONE.")
def add(say: Say, names: tuple[str, ...], stock: bool, price: bool, every: str, at: str) -> None:
    """Send what changed by the clock; one schedule for each channel."""
    wish = schedules.Wish(stock or not price, price, Every(every), at, say.settings.timezone)
    with unit_of_work() as session:
        on = [channels.get(session, name) for name in dict.fromkeys(names)]
        made = schedules.add(session, on, wish, by=COMMAND_LINE, now=utc_now())
        rows = [_facts(schedules.Row(one, channel, None)) for one, channel in zip(made, on, strict=True)]
    say({"schedules": rows}, "\n".join(_line(row) for row in rows))


@command("list")
def list_(say: Say) -> None:
    """The schedules there are, and when each comes round next."""
    with unit_of_work(read_only=True) as session:
        rows = [_facts(row) for row in schedules.listed(session)]
    say({"schedules": rows}, "\n".join(_line(row) for row in rows) or "No schedule yet.")


@command("cancel")
@click.argument("number", type=int)
@click.option("--restore", is_flag=True, help="Take a cancelling back.")
def cancel(say: Say, number: int, restore: bool) -> None:
    """End a schedule; it stays in the history."""
    with unit_of_work() as session:
        found = schedules.get(session, number, lock=True)
        act = schedules.restore if restore else schedules.cancel
        act(session, found, by=COMMAND_LINE, now=utc_now())
    done = "comes round again" if restore else "is cancelled"
    say({"schedule": number, "cancelled": not restore}, f"Schedule {number} {done}.")


def _facts(row: schedules.Row) -> dict[str, object]:
    one = row.schedule
    facts: dict[str, object] = {"schedule": one.id, "channel": row.channel.name, "stock": one.stock, "price": one.price}
    facts |= {"every": one.every.value, "at": one.at, "zone": one.zone, "next": one.next_at}
    return facts | {"paused": one.paused_at is not None}


def _line(row: dict[str, object]) -> str:
    what = " and ".join(aspect for aspect in ("stock", "price") if row[aspect])
    often = f"every night at {row['at']} {row['zone']}" if row["at"] else f"every {row['every']}"
    return f"{row['schedule']}  {row['channel']}: {what} {often}, {'paused' if row['paused'] else row['next']}"


COMMANDS = (click.Group("schedule", commands=[add, list_, cancel], help="Channels that are told by the clock."),)
