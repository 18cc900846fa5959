"""Pairbook: link marketplace listings to the products of your catalogue, and send stock and price only there."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.core import Locale, UnknownLocaleError
from flask import Flask, current_app, has_request_context, request, url_for
from flask_babel import Babel
from flask_babel import gettext as _
from flask_security import Security, current_user, hash_password
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import config, drawing, jobs, translate, warmup, web
from webapp.config import Settings
from webapp.db import db, on_bell
from webapp.models import ListingState, RoleView, User
from webapp.services import counts, own_keys, retrieval
from webapp.services.sign_in import LASTS, LASTS_REMEMBERED
from webapp.views import register, sign_in

TEMPLATES = next(p for p in (config.ROOT / "templates", Path(__file__).parent / "_templates") if p.is_dir())


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """The whole application, wired in reading order; `overrides` are Flask settings for tests."""
    settings = settings or config.load()
    for folder in (settings.instance, settings.uploads, settings.outbox, settings.index_folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    app = Flask("webapp", instance_path=str(settings.instance), template_folder=str(TEMPLATES))
    app.extensions["pairbook_settings"] = settings
    app.extensions["pairbook_index"] = retrieval.CatalogueIndex(settings.index_folder)
    app.config.from_mapping(_flask_settings(settings) | overrides)

    db.init_app(app)
    Htmx(app)
    CSRFProtect(app)
    app.before_request(web.open_session)
    app.before_request(web.refuse_strangers)
    Babel(app, locale_selector=lambda: _locale(settings), default_timezone=settings.timezone)
    Security(app, sign_in.People(db, User, RoleView), register_blueprint=True)
    app.extensions["security"].unauthn_handler(lambda *_args, **_kw: web.to_sign_in())
    doorbell = jobs.Doorbell(settings.queue_url, settings.secret_key)
    app.extensions["pairbook_doorbell"] = doorbell
    on_bell(doorbell.ring)

    web.init_app(app)
    translate.init_app(app)
    sign_in.init_app(app)
    register(app)
    warmup.init_app(app)
    _templates(app, settings)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def _flask_settings(settings: Settings) -> dict[str, Any]:
    """Settings of Flask and its extensions that follow from ours."""
    secure = settings.secure_cookies
    return {
        "SECRET_KEY": settings.secret_key,
        "SECURITY_PASSWORD_SALT": settings.secret_key[:48],
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_LENGTH_MIN": 12,
        "SECURITY_REGISTERABLE": False,
        "SECURITY_JOIN_USER_ROLES": False,  # a role is a column of ours, not a table to join
        "SECURITY_CHANGEABLE": True,
        "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": False,
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_POST_LOGOUT_VIEW": "/login",
        "SECURITY_POST_CHANGE_VIEW": "/settings",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_AUTO_LOGIN_AFTER_CONFIRM": False,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {
            "check_deliverability": False,
            "allow_domain_literal": True,
            "test_environment": True,
        },
        "SECURITY_REDIRECT_ALLOW_SUBDOMAINS": False,
        "SECURITY_I18N_DOMAIN": "messages",  # its texts are in our catalogues: see views/sign_in.py
        "SECURITY_I18N_DIRNAME": [str(translate.FOLDER)],
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(settings),
        "SESSION_COOKIE_NAME": "__Host-pairbook" if secure else "pairbook",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_DURATION": LASTS_REMEMBERED,
        "REMEMBER_COOKIE_SECURE": secure,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": LASTS,
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": settings.upload_limit,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "MAX_FORM_PARTS": 5000,
        "BABEL_TRANSLATION_DIRECTORIES": str(translate.FOLDER),
    }


def _engine_options(settings: Settings) -> dict[str, Any]:
    if settings.database_url.startswith("sqlite"):
        # As many connections as threads that may want one: waiting for one is not the queue that SQLite itself keeps.
        # The one given back last comes first, as it knows most pages and most statements; of these it may keep all.
        each = {"timeout": 5, "check_same_thread": False, "cached_statements": 1_000}
        return {"connect_args": each, "pool_size": 20, "max_overflow": 20, "pool_use_lifo": True}
    return {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20, "pool_timeout": 10}


def _language(settings: Settings) -> str:
    """The person's language, else the browser's, else English."""
    if not has_request_context():
        return "en"
    own = getattr(current_user, "language", "") if current_user else ""
    return own or request.accept_languages.best_match(settings.languages) or "en"


def _locale(settings: Settings) -> str:
    """The language with the country that the browser names: Mexico writes 1,099.00 where Spain writes 1.099,00."""
    language = _language(settings)
    tags = request.accept_languages.values() if has_request_context() else []
    named = (tag for tag in tags if tag.lower().startswith(f"{language}-"))
    return next((found for tag in named if (found := _known_locale(tag))), language)


@lru_cache(maxsize=256)
def _known_locale(tag: str) -> str:
    """The identifier of a locale, such as es_MX for “es-MX”; nothing when there is none."""
    try:
        return str(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        return ""


def _templates(app: Flask, settings: Settings) -> None:
    """What every template may use."""

    @app.context_processor
    def shell() -> dict[str, Any]:
        person = current_user if current_user and current_user.is_authenticated else None
        return {
            "nav": _nav if person else list,  # called by whole pages only: most answers of the review are pieces
            "lang": _language(settings),
            "theme": person.theme if person else "auto",
            "density": person.density if person else "default",
            "keys": _keys(person),
            "own_keys": own_keys.meant(_moved_keys()),
            "person": f"{person.actor.name}, {_(person.role.value)}" if person else "",
            "org": settings.organisation if settings.organisation != "Pairbook" else "",
            "home_url": url_for("home.index"),
            "search_url": url_for("search.index"),
            "logout_url": url_for("security.logout") if person else "",
            "may": person.actor.may if person else (lambda _permission: False),
        }

    app.jinja_env.globals["printed"] = lambda key: own_keys.printed(_moved_keys(), key)
    drawing.init_app(app)


def _keys(person: Any) -> str:
    """Whether single keys act: as this browser was told last, else as the person set."""
    told = request.cookies.get("keys", "")
    if told in {"on", "off"}:
        return told
    return "off" if person and not person.single_keys else "on"


def _moved_keys() -> dict[str, str]:
    """The keys that this person has moved."""
    return current_user.own_keys if has_request_context() and current_user.is_authenticated else {}


def _nav() -> list[tuple[str, str, str, int, str]]:
    """The menu: endpoint, label, icon, number, keys."""
    numbers = counts.by_channel(web.session())
    pending = sum(n.get(ListingState.PENDING, 0) for n in numbers.values())
    linked = sum(n.get(ListingState.LINKED, 0) for n in numbers.values())
    lines = [
        ("home.index", _("Overview"), "layout-dashboard", 0, "g o"),
        ("imports.index", _("Import"), "file-spreadsheet", 0, "g i"),
        ("links.review", _("Review"), "inbox", pending, "g r"),
        ("links.pairs", _("Synced pairs"), "link", linked, "g p"),
        ("catalog.index", _("Products"), "package", 0, "g d"),
        ("", _("Sync"), "", 0, ""),
        ("propagation.history", _("Sync History"), "history", 0, "g h"),
        ("schedules.index", _("Schedules"), "calendar-clock", 0, "g t"),
        ("", _("Set up"), "", 0, ""),
        ("rules.index", _("Matching rules"), "sliders-horizontal", 0, "g m"),
        ("channels.index", _("Connectors"), "key", 0, "g c"),
        ("accounts.activity", _("Activity"), "users", 0, "g a"),
        ("accounts.settings", _("Settings"), "settings", 0, "g s"),
    ]
    return [line for line in lines if not line[0] or line[0] in current_app.view_functions]


__all__ = ["create_app", "hash_password"]
