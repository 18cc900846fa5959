"""The door: who is signed in where, and waiting after wrong passwords. The forms themselves are Flask-Security's."""

from __future__ import annotations

import math
from typing import Any, cast

from flask import Flask, Response, g, request
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import SQLAlchemyUserDatastore, current_user, user_authenticated

from webapp import web
from webapp.errors import phrase
from webapp.models import User
from webapp.models.base import utc_now
from webapp.services import sign_in

ASK_A_PASSWORD = {"security.login", "security.verify", "security.change_password"}
#: What the sign-in extension says on these screens, word for word: our catalogues translate it with the rest.
TEXTS_OF_THE_EXTENSION = (
    phrase("Account is disabled."),
    phrase("Authentication failed - identity or password/passcode invalid"),
    phrase("Email not provided"),
    phrase("Invalid email address"),
    phrase("Invalid password"),
    phrase("Password does not match"),
    phrase("Password must be at least %(length)s characters"),
    phrase("Password not provided"),
    phrase("Passwords do not match"),
    phrase("Please log in to access this page."),
    phrase("Please reauthenticate to access this page."),
    phrase("Reauthenticate"),
    phrase("Reauthentication successful"),
    phrase("Redirections outside the domain are forbidden"),
    phrase("Specified user does not exist"),
    phrase("Verify Password"),
    phrase("You can only access this endpoint when not logged in."),
    phrase("You do not have permission to view this resource."),
    phrase("You must reauthenticate to access this endpoint"),
    phrase("You must sign in to view this resource."),
    phrase("You successfully changed your password."),
    phrase("Your new password must be different than your previous password."),
)


class People(SQLAlchemyUserDatastore):
    """Flask-Security's people; the one a cookie names is asked for with every request, together with its row."""

    def find_user(self, case_insensitive: bool = False, **which: Any) -> User | None:
        """The person with this value of one column; a browser's cookie says `uniquifier.key`."""
        uniquifier, dot, key = which.get("fs_uniquifier", "").partition(".")
        if dot:
            return sign_in.person(web.session(), uniquifier, key, now=utc_now())
        return cast(User | None, super().find_user(case_insensitive, **which))


def init_app(app: Flask) -> None:
    """Let a browser be signed in only as long as its row is there, and make those wait who guess passwords."""
    manager: Any = app.login_manager  # type: ignore[attr-defined]  # Flask-Login puts it there
    by_cookie = manager._user_callback

    def load(value: str) -> User | None:
        _uniquifier, dot, key = value.partition(".")
        user: User | None = by_cookie(value) if dot else None
        if user is not None:
            g.sign_in_key = key
        return user

    manager.user_loader(load)
    user_authenticated.connect(_begin, app)
    app.extensions["security"].want_json(lambda _request: False)  # the forms answer people, and are counted as such
    app.before_request(_knock)
    app.after_request(_settle)  # runs before the commit, as it was registered after it


def _begin(_app: Flask, user: User, **_how: Any) -> None:
    """A password was right: the cookie, and with it that of "stay signed in", names this browser's own row."""
    _end()
    remembered = cookie.get("_remember") == "set"
    cookie["_user_id"] = sign_in.begin(web.session(), user, now=utc_now(), remembered=remembered)
    g.signed_in = True


def _end() -> None:
    """End this browser's row, so that a copy of its cookie is worth nothing; other browsers stay signed in."""
    if key := g.pop("sign_in_key", ""):
        sign_in.end(web.session(), key)


def _knock() -> Response | None:
    """Count a try to give a password, or refuse it when there were too many."""
    if request.method != "POST" or request.endpoint not in ASK_A_PASSWORD:
        return None
    if request.is_json:
        return web.error_page(
            415, _("This address takes a form."), _("Nothing was changed."), _("Send the form of the page.")
        )
    asked = request.endpoint != "security.login"
    if current_user.is_authenticated != asked:
        return None  # they are sent on without a look at the password
    account = current_user.email if asked else request.form.get("email", "")
    left = sign_in.knock(web.session(), account, request.remote_addr or "", now=utc_now())
    if left:
        return _wait(math.ceil(left.total_seconds()))
    g.knocked = account
    return None


def _settle(response: Response) -> Response:
    """Take the count back of a try that was right; and after signing out, end the row."""
    if request.endpoint == "security.logout":
        _end()
    if "knocked" in g and (
        g.get("signed_in") or (request.endpoint == "security.verify" and response.status_code == 302)
    ):
        sign_in.note_success(web.session(), g.knocked, request.remote_addr or "", now=utc_now())
    return response


def _wait(seconds: int) -> Response:
    response = web.error_page(
        429,
        _("Too many wrong passwords."),
        _("This try was not looked at. Nobody is locked out: it is only slower now."),
        ngettext("Wait %(num)s second, then sign in again.", "Wait %(num)s seconds, then sign in again.", seconds),
        icon="key",
        kind="",
    )
    response.headers["Retry-After"] = str(seconds)
    return response
