"""Flask helpers over htmx-flask: who asks, what they may, pages and pieces, toasts, and errors as pages."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, ParamSpec, cast
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_security import current_user
from flask_wtf.csrf import CSRFError
from jinja2_fragments.flask import render_block
from sqlalchemy import Executable
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from webapp import forms
from webapp.config import Settings
from webapp.db import db, direct, finish, inserting, start
from webapp.errors import Conflict, DomainError
from webapp.models.accounts import Actor, Permission, SeenForm
from webapp.models.base import utc_now
from webapp.services import audit, retrieval
from webapp.services.accounts import owners
from webapp.translate import translated

P = ParamSpec("P")
View = Callable[P, Any]
SAFE = {"GET", "HEAD", "OPTIONS"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


@dataclass(frozen=True)
class Toast:
    """What the corner of the screen says after an act; `undo_url` takes it back."""

    text: str
    undo_url: str = ""
    kind: str = "ok"


def settings() -> Settings:
    """The settings of this app."""
    return cast(Settings, current_app.extensions["pairbook_settings"])


def catalogue_index() -> retrieval.CatalogueIndex:
    """The search index of this process."""
    return cast(retrieval.CatalogueIndex, current_app.extensions["pairbook_index"])


def session() -> Session:
    """The request's session: read-only for GET, committed below status 400 otherwise."""
    return cast(Session, db.session())


def release_session() -> None:
    """Give the request's transaction back before a long step that opens units of work of its own.

    What was read stays readable: a rollback would expire it, and the next look at it would begin again, as a writer.
    """
    g.released = True
    db.session.expunge_all()
    db.session.rollback()


def keep_session() -> None:
    """Commit what the request has done so far, such as `once`, and give its transaction back before a long step."""
    finish(session())
    g.released = True


def read_on() -> None:
    """Commit what the request has done, and read what its answer shows: nobody waits for the lock meanwhile."""
    finish(session())
    g.read_only = g.saved = True
    start(session(), read_only=True)


def actor() -> Actor:
    """The person who asks, as the author of a change."""
    return cast(Actor, current_user.actor)


def requires(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Let only people with this permission in; anybody else is sent to sign in, or told who can help."""

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def inner(*args: P.args, **kwargs: P.kwargs) -> Any:
            if not current_user.is_authenticated:
                return to_sign_in()
            if not actor().may(permission):
                return forbidden(permission)
            return view(*args, **kwargs)

        inner.permission = permission  # type: ignore[attr-defined]  # tests/test_house.py walks the routes
        return inner

    return wrap


def public(view: View[P]) -> View[P]:
    """Say that a route is open to everybody, on purpose."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view


def is_htmx() -> bool:
    """Whether htmx asks for a piece; a history restore wants the whole page."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def page(template: str, *, block: str = "", status: int = 200, **context: Any) -> Response:
    """The whole page, or only `block` when htmx asks for it."""
    if block and is_htmx() and not request.headers.get("HX-Boosted"):
        html = render_block(template, block, **context)
    else:
        html = render_template(template, **context)
    return make_response(html, status)


def piece(*templates: str, status: int = 200, toast: Toast | None = None, **context: Any) -> Response:
    """One or several small templates after each other: the target first, out-of-band ones behind it."""
    current_app.update_template_context(context)  # once for all of them
    drawn = [current_app.jinja_env.get_template(name).render(context) for name in templates]
    if toast is not None:
        drawn.append(render_template("_toast.html", toast=toast))
    return make_response("\n".join(drawn), status)


def say(text: str, undo_url: str = "", kind: str = "ok") -> Toast:
    """A toast that survives a redirect when the request is no htmx request."""
    toast = Toast(text, undo_url, kind)
    if not is_htmx():
        flash(text, {"ok": "message", "bad": "error", "warn": "warning"}[kind])
    return toast


def go(endpoint: str, **values: Any) -> BaseResponse:
    """Send the browser on after a POST; htmx is told by header, since XHR would follow a 303 into the piece."""
    url = url_for(endpoint, **values)
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, code=303)


def form_key() -> str:
    """A fresh key for a form: posting it twice acts once."""
    return secrets.token_urlsafe(12)


def once() -> None:
    """Note the form's key; raises Conflict when this very form was posted before."""
    key = request.form.get("key", "")
    if not key:
        return
    note = {"key": f"{current_user.get_id()[:20]}:{key[:64]}", "at": utc_now()}
    if direct(session(), _note_form(session().get_bind().dialect.name), note).first() is None:
        raise Conflict(_("This was done already. The page shows how it is now."))


@lru_cache
def _note_form(_dialect: str) -> Executable:
    return cast(Executable, inserting(session(), SeenForm).on_conflict_do_nothing().returning(SeenForm.key))


def to_sign_in() -> BaseResponse:
    """Answer somebody who is not signed in: a page goes to the sign-in form, htmx is told by header."""
    piece_of_page = request.headers.get("HX-Request") == "true"
    whole = request.method == "GET" and not piece_of_page
    url = url_for("security.login", next=request.full_path.rstrip("?") if whole else forms.page_of(request))
    if piece_of_page:
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, code=303)


def forbidden(permission: Permission) -> Response:
    """Answer somebody whose role does not allow it, with the names of those who can change that."""
    names = _(" and ").join(owners(session())) or _("An owner")
    words = {
        Permission.UNSYNC_MANY: _("You can look, but not unsync. Only owners can unsync more than one pair."),
        Permission.LINK: _("You can look, but not link."),
    }.get(permission, _("You can look, but not change this."))
    return error_page(
        403, words, _("Nothing was changed."), _("%(names)s can change your role.", names=names), icon="key", kind=""
    )


def error_page(
    status: int, title: str, meaning: str, repair: str, *, icon: str = "circle-alert", kind: str = "bad"
) -> Response:
    """Four sentences: what happened, what it means, what to do, and the code to quote."""
    code = audit.request_id.get()
    if is_htmx():
        toast = Toast(f"{title} {repair}".strip(), kind="bad" if kind == "bad" else "warn")
        response = make_response(render_template("_toast.html", toast=toast), status)
        response.headers.update({"HX-Reswap": "none", "X-Error-Code": code})
        return response
    html = render_template("error.html", title=title, meaning=meaning, repair=repair, code=code, icon=icon, kind=kind)
    return make_response(html, status)


def init_app(app: Flask) -> None:
    """Wire forms, sessions, headers, errors and template helpers into the app."""
    app.request_class = forms.FormRequest
    app.after_request(_close)
    app.after_request(_headers)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(forms.NameNotReadable, _name_error)
    app.register_error_handler(forms.FormDamaged, _damaged_form)
    app.register_error_handler(forms.FormTooLong, _long_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(OverflowError, _number_error)
    app.register_error_handler(Exception, _crash)
    app.add_template_global(form_key, "form_key")
    app.add_template_global(Permission, "Permission")


def open_session() -> None:
    """Begin the request's transaction; after the form was read (uploads are slow) and before anybody asks who it is."""
    audit.request_id.set(secrets.token_hex(4).upper())
    g.read_only = request.method in SAFE
    if request.endpoint != "static":
        start(session(), read_only=g.read_only)


def refuse_strangers() -> Response | None:
    """Stop what no page of ours sends: another host's name, a form from another site, text that no database keeps."""
    if settings().hosts and urlsplit(f"//{request.host}").hostname not in settings().hosts:
        repair = _("Use the address that your administrator gave you.")
        return error_page(400, _("Pairbook has another address."), _("Nothing was changed."), repair)
    if request.method not in SAFE and _from_elsewhere():
        repair = _("If you sent it from here, the proxy in front of Pairbook has to pass the Host header on.")
        return error_page(403, _("This form was sent by another site."), _("Nothing was changed."), repair)
    texts = (text for values in request.values.listvalues() for text in values)
    if any("\0" in text for text in texts):
        words = _("It holds a character that cannot be saved (NUL).")
        return error_page(422, _("This cannot be done."), words, _("Delete the character and try again."))
    return None


def _from_elsewhere() -> bool:
    """Whether the browser says that another site sent the form; older browsers tell its origin only."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin", "")
    return bool(origin) and urlsplit(origin).netloc != request.host


def _close(response: Response) -> Response:
    if request.endpoint == "static" or g.get("released") or "read_only" not in g:
        return response
    if response.status_code < 400:
        finish(session(), read_only=g.read_only)
    else:
        session().rollback()
    return response


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if settings().secure_cookies:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint == "static":
        if request.args.get("v"):
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        headers.add("Vary", "HX-Request")
        headers["Cache-Control"] = "no-store"
    return response


def _domain_error(error: DomainError) -> Response:
    words = translated(error.message)
    if not is_htmx():
        titles = {
            403: _("You are not allowed to do this."),
            404: _("There is nothing here."),
            409: _("Somebody was quicker."),
        }
        title = titles.get(error.status, _("This cannot be done."))
        return error_page(error.status, title, words, _("Nothing was changed."))
    response = make_response(render_template("_toast.html", toast=Toast(words, kind="bad")), error.status)
    response.headers["HX-Reswap"] = "none"
    return response


def _number_error(_error: OverflowError) -> BaseResponse:
    """No row has a number that the database cannot even hold, so there is nothing at that address."""
    db.session.rollback()
    return _http_error(NotFound())


def _csrf_error(_error: CSRFError) -> BaseResponse:
    view = current_app.view_functions.get(request.endpoint or "")
    if not current_user.is_authenticated and getattr(view, "permission", "public") != "public":
        return to_sign_in()  # the session ended, and its token with it
    return error_page(
        400, _("This page was open for too long."), _("Nothing was changed."), _("Load the page again and repeat.")
    )


def _name_error(_error: forms.NameNotReadable) -> Response:
    words = _("It holds letters in another encoding than UTF-8. Nothing was saved.")
    repair = _("Give the file a name of plain letters and digits, and select it again.")
    return error_page(400, _("The name of the file cannot be read."), words, repair)


def _damaged_form(_error: forms.FormDamaged) -> Response:
    title = _("The form did not arrive whole.")
    return error_page(400, title, _("Nothing was saved."), _("Load the page again and repeat."))


def _long_form(_error: forms.FormTooLong) -> Response:
    repair = _("Shorten it, or bring long lists in as a file.")
    return error_page(413, _("The form is too long."), _("Nothing was saved."), repair)


def _http_error(error: HTTPException) -> BaseResponse:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    if isinstance(error, RequestEntityTooLarge):
        mb = settings().upload_limit // (1024 * 1024)
        return error_page(
            413,
            _("The file is too large."),
            _("Nothing was saved."),
            _("Select a file under %(mb)s MB, or split it.", mb=mb),
        )
    words = {
        404: (_("There is nothing here."), _("The address is wrong, or the thing is gone.")),
        405: (_("This address cannot be used like that."), _("Nothing was changed.")),
    }.get(code, (_("This did not work."), _("Nothing was changed.")))
    response = error_page(code, *words, _("Go back, or start from the overview."))
    if code == 405:
        response.headers["Allow"] = error.get_response().headers.get("Allow", "")
    return response


def _database_error(error: OperationalError) -> Response:
    current_app.logger.warning("database unavailable", extra={"cause": str(error.orig)})
    db.session.rollback()
    g.released = True
    meaning = _("This was saved, but cannot be shown.") if g.get("saved") else _("Nothing was changed.")
    response = error_page(503, _("The database is busy."), meaning, _("Try again in a moment."))
    response.headers["Retry-After"] = "2"
    return response


def _crash(error: Exception) -> Response:
    current_app.logger.exception("unexpected error", exc_info=error)
    db.session.rollback()
    if current_app.testing and current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    if g.get("saved"):
        title, meaning = _("This was saved, but cannot be shown."), _("Something went wrong on our side.")
        return error_page(500, title, meaning, _("Load the page again to see how it is now."))
    return error_page(
        500,
        _("This was not saved."),
        _("Something went wrong on our side; nothing was changed."),
        _("Try again; if it repeats, tell your administrator the code."),
    )
