"""How templates are drawn quickly: what a page asks hundreds of times is looked up once.

A page of fifty rows draws some 800 small parts and asks for 400 texts. What a part looks like follows from what it is
given and from the reader's locale alone, so each is drawn once and remembered; measured with bench/scale.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast

from babel import numbers
from flask import Flask, abort, current_app, g, has_request_context, request, url_for
from flask_babel import get_locale, get_translations
from jinja2.runtime import Context, Macro

from webapp import tiles

#: Macros of _ui.html that look the same whenever they are given the same. None may show a form, a token or a moved key.
PURE = ("icon", "thumb", "channel_badge", "status", "meter", "ring", "number", "stock", "money", "differs")
_PLAIN = (FunctionType, MethodType, BuiltinFunctionType, partial)


class PageContext(Context):
    """Jinja's context, which calls macros and plain functions without asking each time what else they might be.

    Source: `jinja2.runtime.Context.call`, which this does for the three kinds of callables that pages are made of.
    """

    def call(self, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """What `called` gives, with the context or the like as first argument where it asks for that."""
        if type(called) is Macro:
            args = (self.eval_ctx, *args)
        elif type(called) not in _PLAIN or hasattr(called, "jinja_pass_arg"):
            return super().call(called, *args, **kwargs)
        if kwargs:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
        return called(*args, **kwargs)


def init_app(app: Flask) -> None:
    """Give templates texts, numbers and the parts of _ui.html as `ui`."""
    env = app.jinja_env
    env.context_class = PageContext
    app.teardown_request(_forget_reader)
    env.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension that Babel has added
        gettext=lambda text: _texts().ugettext(text),
        ngettext=lambda one, many, n: _texts().ungettext(one, many, n),
        newstyle=True,
    )
    page = env.from_string("").new_context()  # stands for the page that asks: pages differ in nothing a text needs
    text = _said(partial(cast("Callable[..., str]", env.globals["gettext"]), page))
    env.globals.update(_=text, gettext=text, tile=tiles.tile, tone=tiles.tone)
    env.filters.update(decimalformat=decimal, currencyformat=currency)
    env.globals["static_url"] = static_url
    with app.app_context():
        ui = env.get_template("_ui.html").make_module()
    if not app.debug:  # where files change while it runs, their digests do
        for name in PURE:
            setattr(ui, name, _remembered(getattr(ui, name)))
    env.globals["ui"] = ui


def _said(of_jinja: Callable[..., str]) -> Callable[..., str]:
    """Jinja's gettext, which looks each text without a name in it up once for a language."""

    @lru_cache(maxsize=4096)
    def told(_locale: str, text: str) -> str:
        return of_jinja(text)

    def said(text: str, /, **names: object) -> str:
        return of_jinja(text, **names) if names else told(_reader()[0], text)

    return said


def decimal(number: Decimal | float, pattern: str | None = None) -> str:
    """A number as the reader's locale writes it; `pattern` is one of Babel's, such as “#,##0.00##”."""
    return _decimal(number, pattern, str(get_locale()))


def currency(amount: Decimal | float, code: str) -> str:
    """An amount of money as the reader's locale writes it."""
    return _currency(amount, code, str(get_locale()))


@lru_cache(maxsize=4096)
def _decimal(number: Decimal | float, pattern: str | None, locale: str) -> str:
    return numbers.format_decimal(number, format=pattern, locale=locale)


@lru_cache(maxsize=4096)
def _currency(amount: Decimal | float, code: str, locale: str) -> str:
    return numbers.format_currency(amount, code, locale=locale)


def _texts() -> Any:
    """The translations of this request, looked up once."""
    with suppress(AttributeError, RuntimeError):  # no request has asked yet, or there is none
        return g.texts
    found = get_translations()
    if has_request_context():
        g.texts = found
    return found


def _remembered(macro: Callable[..., str]) -> Callable[..., str]:
    """A macro that draws each thing once for each locale and each place that the application is mounted at.

    Types count: text that is markup already must never stand for the same text that is not.
    """

    @lru_cache(maxsize=4096, typed=True)
    def drawn(_seen_by: tuple[str, str], *args: Any, **kwargs: Any) -> str:
        return macro(*args, **kwargs)

    def part(*args: Any, **kwargs: Any) -> str:
        return drawn(_reader(), *args, **kwargs)

    return part


_reads: ContextVar[tuple[str, str] | None] = ContextVar("reader", default=None)


def _reader() -> tuple[str, str]:
    """What a part may follow beside its arguments: locale and address prefix, looked up once a request.

    Not kept in Flask's `g`: a page asks a thousand times, and each would look for the request first.
    """
    if (reader := _reads.get()) is not None:
        return reader
    if not has_request_context():
        return str(get_locale()), ""
    reader = str(get_locale()), request.script_root
    _reads.set(reader)
    return reader


def _forget_reader(_error: BaseException | None) -> None:
    _reads.set(None)


_static: dict[tuple[str, str], str] = {}


def static_url(filename: str) -> str:
    """A static file's address with a digest of its content, so that browsers keep it for a year.

    It is found once for each place the application may be mounted at: a page of icons asks three hundred times.
    """
    key = (request.script_root if has_request_context() else "", filename)
    if key not in _static or current_app.debug:
        path = Path(cast(str, current_app.static_folder)) / filename
        if not path.is_file():
            abort(500)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
        _static[key] = url_for("static", filename=filename, v=digest)
    return _static[key]
