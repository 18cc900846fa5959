"""Commands about the instance itself: its tables, people, channels, sample data and health."""

from __future__ import annotations

import sys
from typing import Any

import click

from webapp.cli.support import REFUSED, Say, command, is_text, plural
from webapp.db import db, unit_of_work
from webapp.errors import Refused
from webapp.migrations import current, newest
from webapp.migrations import upgrade as upgrade_tables
from webapp.models.accounts import COMMAND_LINE, Role
from webapp.models.base import utc_now
from webapp.services import accounts, channels, counts, demo, health, propagation

LONGEST_LINE = 4_096  # characters that are read of a password: more than any may have


@command("upgrade", database=False)
def upgrade(say: Say) -> None:
    """Create or upgrade the database, nothing else."""
    revision = upgrade_tables(db.engine)
    say({"revision": revision}, f"The database stands at revision {revision}.")


@command("demo")
def load_demo(say: Say) -> None:
    """Load the sample catalogue, channels and listings; what is there already stays."""
    with unit_of_work() as session:
        loaded = demo.load(session, by=COMMAND_LINE, settings=say.settings)
    products, listings = plural(loaded["products"], "product"), plural(loaded["listings"], "listing")
    say(loaded, f"Sample data: {products}, {listings} on {plural(loaded['channels'], 'channel')}.")


@command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_user(say: Say, email: str, role: str, password_stdin: bool) -> None:
    """Add an account; its owner sets the password with a link, unless one is given."""
    from flask_security import hash_password

    password = sys.stdin.readline(LONGEST_LINE).rstrip("\r\n") if password_stdin and sys.stdin else None
    if password_stdin and not is_text(password := password or ""):
        raise Refused("The password is not readable as UTF-8 text. Nothing was changed.")
    with unit_of_work() as session:
        user = accounts.add_user(
            session, email, Role(role), by=COMMAND_LINE, password=password, hash_password=hash_password
        )
        code = None if password_stdin else accounts.new_setup_code(session, user.email)
        answer: dict[str, Any] = {"email": user.email, "role": user.role.value}
    if code:
        answer["link"] = f"{say.settings.address}/join/{code}?email={user.email}"
        say.note(f"{user.email} sets the password here, once: {answer['link']}")
    say(answer, f"Added {answer['email']} as {answer['role']}.")


@command("add")
@click.argument("name")
@click.option("--kind", required=True, help="file, webhook or demo.")
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the kind, such as url=https://…."
)
@click.option("--many", is_flag=True, help="One product may have several listings there.")
@click.option("--currency", default="", help="Its currency, such as MXN; the instance's own without.")
@click.option("--in-stock-only", is_flag=True, help="Tell it whether there is stock, never how much.")
def add_channel(
    say: Say, name: str, kind: str, options: tuple[str, ...], many: bool, currency: str, in_stock_only: bool
) -> None:
    """Add a marketplace account."""
    given = dict(pair(text, "--option") for text in options)
    with unit_of_work() as session:
        channel = channels.connect(
            session,
            name,
            kind,
            by=COMMAND_LINE,
            settings=say.settings,
            options=given,
            many=many,
            currency=currency.upper(),
            in_stock_only=in_stock_only,
        )
        answer = {"channel": channel.name, "kind": channel.kind, "many": channel.many, "mode": channel.mode.value}
        answer["in_stock_only"] = channel.in_stock_only
    say(answer, f"Added the channel “{answer['channel']}” ({kind}).")


@command("pause")
@click.argument("name")
@click.option("--resume", is_flag=True, help="Send again; only the newest values go.")
def pause_channel(say: Say, name: str, resume: bool) -> None:
    """Stop all sending to a channel, or resume it."""
    with unit_of_work() as session:
        channel = channels.get(session, name)
        channels.pause(session, channel, not resume, by=COMMAND_LINE)
    say({"channel": name, "paused": not resume}, f"{name} is {'sent to again' if resume else 'paused'}.")


@command("release")
@click.argument("name")
def release_channel(say: Say, name: str) -> None:
    """Let a channel go on that the brakes had stopped."""
    with unit_of_work() as session:
        propagation.release(session, channels.get(session, name), by=COMMAND_LINE, now=utc_now())
    say({"channel": name, "held": False}, f"{name} goes on.")


@command("status", database=False)
@click.option("--repair", is_flag=True, help="Count the listings afresh if a number is doubted.")
def status(say: Say, repair: bool) -> None:
    """Health: tables, worker, what waits, channels, imports; exit code 1 when something needs a person."""
    if repair:
        with unit_of_work() as session:
            counts.recount(session)
    found = health.look(current(db.engine), newest())
    retried = found["targets"]["retried"] if found["ok"] else 0
    well = f"Nothing needs you; {plural(retried, 'listing')} did not take the last update and will be told again."
    words = "\n".join(found["problems"]) or (well if retried else "Everything is well.")
    say(found, words, code=0 if found["ok"] else REFUSED)


def pair(text: str, option: str) -> tuple[str, str]:
    """`key=value` in two; raises a usage error."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"“{text}” has no “=”. Write {option} NAME=VALUE.", param_hint=option)
    return key.strip(), value


user = click.Group("user", commands=[add_user], help="People who may sign in.")
channel = click.Group("channel", commands=[add_channel, pause_channel, release_channel], help="Marketplace accounts.")
COMMANDS = (upgrade, load_demo, user, channel, status)
