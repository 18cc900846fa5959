"""Sign-in set-up, people, the trail of what happened, and a person's own settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user, hash_password, login_user
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired

from webapp import web
from webapp.errors import DomainError, Refused
from webapp.models.accounts import Permission, Role
from webapp.models.base import utc_now
from webapp.services import accounts, audit, own_keys, sign_in, switches
from webapp.services.activity import acts
from webapp.translate import translated
from webapp.views import meanwhile

bp = Blueprint("accounts", __name__)
PAGE = 50
NOUNS = ("link", "listing", "import", "product", "stock", "price", "sync", "channel", "user")


class SetupForm(FlaskForm):
    """The first owner."""

    email = EmailField(validators=[InputRequired()])
    password = PasswordField(validators=[InputRequired()])


class JoinForm(FlaskForm):
    """A person who was invited chooses a password."""

    password = PasswordField(validators=[InputRequired()])


@bp.route("/setup/<code>", methods=["GET", "POST"])
@web.public
def setup(code: str) -> Any:
    """Make the first owner with the one-time link that the console printed."""
    form = SetupForm()
    if not form.is_submitted() and not accounts.code_fits(web.session(), code):
        again = _("Start Pairbook again to get a new one.") if accounts.needs_owner(web.session()) else ""
        return web.page("accounts/dead_link.html", repair=again, status=403)
    if form.validate_on_submit():
        try:
            user = accounts.set_up_owner(
                web.session(), code, form.email.data or "", form.password.data or "", hash_password=hash_password
            )
        except DomainError as error:
            form.form_errors.append(translated(error.message))
            return web.page("accounts/setup.html", form=form, status=error.status)
        login_user(user)
        return web.go("home.index")
    return web.page("accounts/setup.html", form=form, status=422 if form.is_submitted() else 200)


@bp.route("/join/<code>", methods=["GET", "POST"])
@web.public
def join(code: str) -> Any:
    """Choose the first password of an account with the one-time link that an owner handed over."""
    form, email = JoinForm(), request.args.get("email", "")[:255]
    if not form.is_submitted() and not accounts.code_fits(web.session(), code, email):
        return web.page("accounts/dead_link.html", repair=_("Ask an owner for a new one."), status=403)
    if form.validate_on_submit():
        try:
            user = accounts.redeem(web.session(), email, code, form.password.data or "", hash_password=hash_password)
        except DomainError as error:
            form.form_errors.append(translated(error.message))
            return web.page("accounts/join.html", form=form, email=email, status=error.status)
        login_user(user)
        return web.go("home.index")
    return web.page("accounts/join.html", form=form, email=email, status=422 if form.is_submitted() else 200)


@bp.get("/settings")
@web.requires(Permission.READ)
def settings() -> Any:
    """A person's own settings and, for owners, the people."""
    return _settings()


@bp.post("/settings")
@web.requires(Permission.READ)
def save_settings() -> Any:
    """Change one's own language, theme and keys."""
    form = request.form
    accounts.change_own(
        web.session(),
        current_user.id,
        language=form.get("language", ""),
        theme=form.get("theme", "auto"),
        density=form.get("density", "default"),
        single_keys=form.get("single_keys") == "1",
        languages=web.settings().languages,
    )
    response = web.go("accounts.settings")
    # The page reads the shortcuts switch from this cookie, which the shortcuts dialog writes too.
    response.set_cookie("keys", "on" if form.get("single_keys") == "1" else "off", path="/", samesite="Lax")
    web.say(_("Settings saved."))
    return response


@bp.post("/settings/keys")
@web.requires(Permission.READ)
def save_keys() -> Any:
    """Put letters in the place of one's single keys, or give all of them their own back."""
    typed = {meaning: request.form.get(f"key-{meaning}", meaning)[:20] for meaning in own_keys.MEANINGS}
    if request.form.get("restore") == "1":
        typed = {}
    if wrong := own_keys.problems(typed):
        return _settings(typed=typed, wrong=wrong, status=422)
    own_keys.change(web.session(), current_user.id, typed, by=web.actor())
    web.say(_("Your keys are saved.") if typed else _("All keys are as they were at first."))
    return web.go("accounts.settings")


@bp.post("/settings/sign-out-others")
@web.requires(Permission.READ)
def sign_out_others() -> Any:
    """End this person's sign-ins in all browsers but this one."""
    ended = sign_in.end_others(web.session(), current_user, g.get("sign_in_key", ""))
    web.say(ngettext("Signed out of %(num)s other browser.", "Signed out of %(num)s other browsers.", ended))
    return web.go("accounts.settings")


@bp.post("/settings/people")
@web.requires(Permission.PEOPLE)
def add_person() -> Any:
    """Add an account and show its one-time set-up link, once."""
    try:
        web.once()
        session = web.session()
        role = _role()
        user = accounts.add_user(
            session, request.form.get("email", ""), role, by=web.actor(), hash_password=hash_password
        )
        return _settings(link=_invitation(user.email), invited=user.email)
    except DomainError as error:
        web.session().rollback()
        return _settings(error=translated(error.message), status=error.status)


@bp.post("/settings/people/<int:user_id>/role")
@web.requires(Permission.PEOPLE)
def change_role(user_id: int) -> Any:
    """Give somebody another role, if it still is the one that was shown."""
    session = web.session()
    one = accounts.person(session, user_id)
    if meanwhile.changed(one.role.value):
        return _settings(error=meanwhile.words(session, f"user {one.email}", "user"), status=409)
    user = accounts.change_role(web.session(), user_id, _role(), by=web.actor())
    web.say(_("%(name)s is %(role)s now.", name=user.email, role=_roles()[user.role]))
    return web.go("accounts.settings")


@bp.post("/settings/people/<int:user_id>/close")
@web.requires(Permission.PEOPLE)
def close_person(user_id: int) -> Any:
    """Close an account: it is signed out everywhere at once."""
    user = accounts.deactivate(web.session(), user_id, by=web.actor())
    web.say(_("The account of %(name)s is closed.", name=user.email))
    return web.go("accounts.settings")


@bp.post("/settings/people/<int:user_id>/link")
@web.requires(Permission.PEOPLE)
def invite_again(user_id: int) -> Any:
    """A new set-up link for somebody who has no password yet; the older one dies."""
    user = next((u for u in accounts.people(web.session()) if u.id == user_id), None)
    if user is None or user.password or not user.active:
        raise Refused(_("This account has a password already, or is closed."))
    return _settings(link=_invitation(user.email), invited=user.email)


@bp.get("/activity")
@web.requires(Permission.READ)
def activity() -> Any:
    """Who did what, newest first."""
    event, before = request.args.get("event", "")[:60], request.args.get("before", type=int)
    rows = audit.page(web.session(), event=event, before=before, limit=PAGE + 1)
    more = url_for(".activity", before=rows[PAGE - 1].id, event=event or None) if len(rows) > PAGE else ""
    return web.page(
        "accounts/activity.html",
        block="trail",
        rows=rows[:PAGE],
        acts=acts(web.session(), rows[:PAGE], by=web.actor(), now=utc_now()),
        switched=switches.undoable(web.session(), rows[:PAGE], by=web.actor(), now=utc_now()),
        event=event,
        nouns=_nouns(),
        subject=subject_words,
        next_url=more,
        previous_url=url_for(".activity", event=event or None) if before is not None else "",
    )


def subject_words(subject: str) -> str:
    """What a line of the trail is about: a noun and its name, such as "batch 12", or a number of things."""
    noun, _space, name = subject.partition(" ")
    if noun.isdecimal():
        many = _MANY.get(name.removesuffix("s"))
        return str(many(int(noun))) if many else subject
    one = _ONE.get(noun)
    return str(one(name)) if one else subject


# A page of the trail names fifty things, so each asks for its own text only.
_ONE: dict[str, Callable[[str], str]] = {
    "batch": lambda name: _("batch %(name)s", name=name),
    "channel": lambda name: _("channel %(name)s", name=name),
    "import": lambda name: _("import %(name)s", name=name),
    "preset": lambda name: _("preset %(name)s", name=name),
    "product": lambda name: _("product %(name)s", name=name),
    "run": lambda name: _("run %(name)s", name=name),
    "sample": lambda _name: _("sample data"),
    "schedule": lambda name: _("schedule %(name)s", name=name),
    "user": lambda name: _("user %(name)s", name=name),
}
_MANY: dict[str, Callable[[int], str]] = {
    "product": lambda n: ngettext("%(num)s product", "%(num)s products", n),
    "pair": lambda n: ngettext("%(num)s pair", "%(num)s pairs", n),
}


def _settings(
    *,
    link: str = "",
    invited: str = "",
    error: str = "",
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page; `typed` and `wrong` are the keys as somebody typed them, and what is wrong with them."""
    session, owner = web.session(), web.actor().may(Permission.PEOPLE)
    shown = {m: current_user.own_keys.get(m, m).upper() for m in own_keys.MEANINGS} | (typed or {})
    return web.page(
        "accounts/settings.html",
        status=status,
        me=current_user,
        others=sign_in.browsers(session, current_user, now=utc_now()) - 1,
        languages=[("", _("That of the browser")), *((code, LANGUAGES.get(code, code)) for code in _languages())],
        themes=[("auto", _("That of the system")), ("light", _("Light")), ("dark", _("Dark"))],
        densities=[("default", _("Roomy")), ("compact", _("Compact")), ("dense", _("Dense"))],
        meanings=[(m, translated(words), shown[m]) for m, words in own_keys.MEANINGS.items()],
        moved=bool(current_user.own_keys),
        wrong=wrong or {},
        people=accounts.people(session) if owner else [],
        roles=_roles(),
        link=link,
        link_hint=link and not web.settings().public_url,
        invited=invited,
        error=error,
    )


LANGUAGES = {"en": "English", "es": "Español", "pt": "Português", "fr": "Français"}


def _languages() -> tuple[str, ...]:
    return web.settings().languages


def _invitation(email: str) -> str:
    """A link for somebody else. It begins with the instance's own address: a request may call us by any name."""
    code = accounts.new_setup_code(web.session(), email)
    return web.settings().address + url_for(".join", code=code, email=email)


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise Refused(_("Choose a role: viewer, editor or owner.")) from None


def _roles() -> dict[Role, str]:
    return {Role.VIEWER: _("viewer"), Role.EDITOR: _("editor"), Role.OWNER: _("owner")}


def _nouns() -> list[tuple[str, str]]:
    """Filters of the trail."""
    words = {
        "link": _("Links"),
        "listing": _("Listings"),
        "import": _("Imports"),
        "product": _("Products"),
        "stock": _("Stock"),
        "price": _("Prices"),
        "sync": _("Syncs"),
        "channel": _("Connectors"),
        "user": _("People"),
    }
    return [(noun, words[noun]) for noun in NOUNS]
