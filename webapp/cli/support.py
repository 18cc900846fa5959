"""What every command shares: settings, a ready database, one JSON object or plain words, and exit codes."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ParamSpec

import click
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from webapp import config, create_app
from webapp.config import SettingError, Settings
from webapp.db import db
from webapp.errors import DomainError, Refused, Unavailable
from webapp.migrations import current, newest, upgrade
from webapp.models.base import utc_now

P = ParamSpec("P")
REFUSED, PARTIAL = 1, 3


class Failure(click.ClickException):
    """A refusal on its way out: the sentence on standard error and, if wanted, the JSON object."""

    exit_code = REFUSED

    def __init__(self, message: str, code: str, facts: Mapping[str, object], *, as_json: bool) -> None:
        super().__init__(message)
        self.code, self.facts, self.as_json = code, dict(facts), as_json

    def show(self, file: Any = None) -> None:
        """Print it; a script reads the object, a person the sentence."""
        if self.as_json:
            tell_json({**self.facts, "error": self.code, "message": self.message})
        tell(self.message, err=True)


class Commands(click.Group):
    """The commands; wrong usage, too, answers with one JSON object where one was asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the arguments name; raises UsageError when they name none."""
        as_json = "--json" in (*ctx._protected_args, *ctx.args)
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if as_json:
                tell_json({"error": "usage", "message": error.format_message()})
            raise


class Say:
    """How a command answers: `say(numbers, words)` prints the numbers as JSON or the words, whichever was asked for."""

    def __init__(self, app: Flask, settings: Settings, *, as_json: bool) -> None:
        self.app, self.settings, self.as_json = app, settings, as_json

    def __call__(self, result: Mapping[str, object], words: str, *, code: int = 0) -> None:
        """Answer and end with this exit code."""
        if _at_terminal():
            click.echo("\r\x1b[K", err=True, nl=False)
        if self.as_json:
            tell_json(result)
        else:
            tell(words)
        if code:
            click.get_current_context().exit(code)

    def note(self, words: str) -> None:
        """Tell a person something on the way; never part of the answer."""
        tell(words, err=True)

    def progress(self, words: str) -> None:
        """Overwrite one line of a terminal; silent where standard error is a file."""
        if _at_terminal():
            click.echo(f"\r{words}\x1b[K", err=True, nl=False)


def tell_json(result: Mapping[str, object]) -> None:
    """Print one JSON object on one line; amounts and moments as text, and escapes where the terminal lacks a letter."""
    text = json.dumps(result, ensure_ascii=False, default=_plain)
    tell(text, plain=json.dumps(result, default=_plain))


def tell(words: str, *, err: bool = False, plain: str | None = None) -> None:
    """Print a line; `plain` says it in ASCII, for a stream that cannot write all letters.

    A reader that went away or a full disk changes nothing of the exit code: that speaks of what became of the data,
    and a script that took “the answer was lost” for “nothing was changed” would do everything twice.
    """
    try:
        try:
            click.echo(words, err=err)
        except UnicodeEncodeError:
            click.echo(plain or words.encode("ascii", "backslashreplace").decode(), err=err)
    except OSError as error:
        _abandon(sys.stderr if err else sys.stdout)
        if not err and not isinstance(error, BrokenPipeError):
            tell(f"The answer could not be written ({error.strerror}).", err=True)


def _abandon(stream: Any) -> None:
    """Let a stream that takes no more lead nowhere, so that Python does not stumble over it at the end either."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _at_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # None where it was closed before the start


def is_text(value: object) -> bool:
    """Whether what a shell handed over is text: bytes that are no UTF-8 arrive as halves of letters."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def command(
    name: str, *, database: bool = True, json_option: bool = True, context_settings: dict[str, Any] | None = None
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of a function whose first argument is a `Say`; it runs with the app's context pushed.

    With `database` the tables are made when they are not there yet; older or newer ones are refused in words.
    """

    def wrap(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def inner(*args: Any, as_json: bool = False, **options: Any) -> None:
            with _translated(as_json, _folder):
                _only_text(options)
                loaded = config.load()
                app = create_app(loaded)
                with app.app_context():
                    try:
                        if database:
                            make_ready(db.engine)
                        function(Say(app, loaded, as_json=as_json), *args, **options)
                    finally:
                        db.engine.dispose()

        made: Callable[..., None] = inner
        if json_option:
            made = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(inner)
        return click.command(name, context_settings=context_settings)(made)

    return wrap


def _only_text(options: Mapping[str, object]) -> None:
    """Raise UsageError for an argument or option that no database could keep; names of files are not asked."""
    for name, value in options.items():
        if not all(is_text(one) for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str)):
            raise click.UsageError(f"{name.replace('_', ' ').capitalize()} is not readable as UTF-8 text.")


def _folder() -> Path:
    return config.load().instance


def make_ready(engine: Engine) -> None:
    """Make the tables of an empty database; raises Refused for one of another version."""
    found = current(engine)
    if found is None:
        upgrade(engine)
    elif found != newest():
        words = f"The database stands at revision {found} and this version of Pairbook wants {newest()}."
        raise Refused(f"{words} Run “pairbook upgrade” first.")


@contextmanager
def _translated(as_json: bool, instance: Callable[[], Path]) -> Iterator[None]:
    """Turn what may go wrong into a Failure with words; a traceback never reaches a person."""
    try:
        yield
    except click.exceptions.ClickException:
        raise
    except (click.exceptions.Exit, click.exceptions.Abort):
        raise
    except Exception as error:
        code, words = _explained(error)
        if code == "internal":
            words = f"{words} The details are in {_keep_trace(instance())}."
        facts = error.facts if isinstance(error, DomainError) else {}
        raise Failure(words, code, facts, as_json=as_json) from error


def _explained(error: Exception) -> tuple[str, str]:
    """A stable word and a sentence for what happened."""
    if isinstance(error, DomainError):
        return error.code, error.message
    if isinstance(error, SettingError):
        return "setting", str(error)
    if isinstance(error, DBAPIError):
        if "locked" in str(error.orig) or "busy" in str(error.orig):
            return Unavailable.code, "Somebody else is writing for a long time. Nothing was changed; try again."
        return Unavailable.code, f"The database does not answer: {error.orig}."
    if isinstance(error, OverflowError):
        return "not_found", "There is nothing with a number that large."
    if isinstance(error, OSError):
        return "file", f"{error.filename or 'A file'}: {error.strerror or error}."
    return "internal", f"Something went wrong inside Pairbook ({type(error).__name__}: {str(error)[:200]})."


def _keep_trace(instance: Path) -> Path:
    """Put the traceback of the exception at hand into the instance's folder, for whoever repairs it."""
    path = instance / "errors.log"
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{utc_now().isoformat()} {' '.join(sys.argv[1:3])}\n{traceback.format_exc()}\n")
    return path


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))


def plural(number: int, thing: str) -> str:
    """A number with its noun: “1 listing”, “2,000 listings”."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
