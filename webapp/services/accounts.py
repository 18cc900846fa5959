"""People: the one-time set-up of the owner, adding and changing accounts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.errors import Conflict, Forbidden, NotFound, Refused, phrase
from webapp.models.accounts import COMMAND_LINE, Actor, Role, Setting, User
from webapp.services import audit

SETUP = "setup_code"
SHORTEST = 12
THEMES = ("auto", "light", "dark")
DENSITIES = ("default", "compact", "dense")
COMMON = {"password1234", "123456789012", "passwordpassword", "qwertyuiop12", "pairbookpairbook"}


def new_setup_code(session: Session, purpose: str = SETUP) -> str:
    """Make a one-time code for a set-up link; only its digest is kept. `purpose` is SETUP or an account's e-mail."""
    code = secrets.token_urlsafe(24)
    key = f"{SETUP}:{purpose}" if purpose != SETUP else SETUP
    row = session.get(Setting, key) or Setting(key=key)
    row.value = _digest(code)
    session.add(row)
    session.flush()
    return code


def code_fits(session: Session, code: str, purpose: str = SETUP) -> bool:
    """Whether a set-up link would be taken, so that nobody types a password for one that is used or wrong."""
    row = session.get(Setting, f"{SETUP}:{purpose}" if purpose != SETUP else SETUP)
    known = row is not None and hmac.compare_digest(row.value, _digest(code))
    return known and (purpose != SETUP or needs_owner(session))


def needs_owner(session: Session) -> bool:
    """Whether nobody owns this instance yet."""
    return not session.scalar(
        select(func.count()).select_from(User).where(User.role == Role.OWNER, User.password.is_not(None))
    )


def set_up_owner(
    session: Session, code: str, email: str, password: str, *, hash_password: Callable[[str], str]
) -> User:
    """Make the first owner with the one-time code; the code dies with it. Raises Forbidden for a wrong or used one."""
    row = session.get(Setting, SETUP, with_for_update=True)
    if row is None or not hmac.compare_digest(row.value, _digest(code)) or not needs_owner(session):
        raise Forbidden(
            phrase("This set-up link was used already or is not the newest one. Start Pairbook again to get a new one.")
        )
    user = add_user(session, email, Role.OWNER, by=COMMAND_LINE, password=password, hash_password=hash_password)
    session.delete(row)
    session.flush()
    return user


def add_user(
    session: Session,
    email: str,
    role: Role,
    *,
    by: Actor,
    password: str | None = None,
    hash_password: Callable[[str], str],
) -> User:
    """Add an account; without a password it waits for its set-up link. Raises Refused or Conflict."""
    email = normal_email(email)
    if session.scalar(select(User).where(User.email == email)):
        raise Conflict(phrase("{email} has an account already.", email=email))
    user = User(email=email, name=email.split("@")[0], role=role, fs_uniquifier=uuid.uuid4().hex, active=True)
    if password is not None:
        user.password = hash_password(checked_password(password, email))
    session.add(user)
    session.flush()
    words = phrase("Added {email} as {role}.", email=email, role=role.value)
    audit.record(session, by, "user.added", f"user {email}", words)
    return user


def redeem(session: Session, email: str, code: str, password: str, *, hash_password: Callable[[str], str]) -> User:
    """Set the first password of an account with its one-time code."""
    row = session.get(Setting, f"{SETUP}:{email}", with_for_update=True)
    user = session.scalar(select(User).where(User.email == email))
    if row is None or user is None or not hmac.compare_digest(row.value, _digest(code)):
        raise Forbidden(
            phrase("This set-up link was used already or is not the newest one. Ask an owner for a new one.")
        )
    user.password = hash_password(checked_password(password, email))
    session.delete(row)
    words = phrase("{email} set a password.", email=email)
    audit.record(session, user.actor, "user.set_up", f"user {email}", words)
    return user


def change_role(session: Session, user_id: int, role: Role, *, by: Actor) -> User:
    """Give an account another role; the last owner stays one."""
    user = _open(session, user_id)
    if user.role == Role.OWNER and role != Role.OWNER:
        _keep_an_owner(session, user)
    before, user.role = user.role, role
    audit.record(
        session,
        by,
        "user.role",
        f"user {user.email}",
        phrase("Made {email} {role}.", email=user.email, role=role.value),
        before=before.value,
        after=role.value,
    )
    return user


def deactivate(session: Session, user_id: int, *, by: Actor) -> User:
    """Close an account: its sessions end at once, its history stays."""
    user = _open(session, user_id)
    if user.role == Role.OWNER:
        _keep_an_owner(session, user)
    user.active, user.fs_uniquifier = False, uuid.uuid4().hex
    words = phrase("Closed the account of {email}.", email=user.email)
    audit.record(session, by, "user.closed", f"user {user.email}", words)
    return user


def change_own(
    session: Session,
    user_id: int,
    *,
    language: str,
    theme: str,
    density: str,
    single_keys: bool,
    languages: tuple[str, ...],
) -> User:
    """A person's own settings; raises Refused for a language, a theme or a density that there is not."""
    if language and language not in languages:
        raise Refused(phrase("Choose one of the languages in the list."))
    if theme not in THEMES:
        raise Refused(phrase("Choose a theme: light, dark, or that of the system."))
    if density not in DENSITIES:
        raise Refused(phrase("Choose how close rows stand: from the list."))
    user = person(session, user_id)
    user.language, user.theme, user.density, user.single_keys = language, theme, density, single_keys
    session.flush()
    return user


def people(session: Session) -> list[User]:
    """Everybody, those who left last."""
    return list(session.scalars(select(User).order_by(User.active.desc(), User.email)))


def owners(session: Session) -> list[str]:
    """The names of the owners: who can change a role."""
    return [
        u.actor.name
        for u in session.scalars(select(User).where(User.role == Role.OWNER, User.active).order_by(User.id))
    ]


def normal_email(email: str) -> str:
    """An e-mail address in one spelling; raises Refused for what is none."""
    text = email.strip().lower()
    name, at, host = text.partition("@")
    odd = any(c.isspace() or not c.isprintable() or c in '<>()[],;:\\"' for c in text)
    if not at or not name or "." not in host or odd or len(text) > 255:
        typed = email.strip()[:80]
        raise Refused(phrase("“{email}” is not an e-mail address. Type one such as ana@example.com.", email=typed))
    return text


def checked_password(password: str, email: str) -> str:
    """The password, if it is long enough and not a common one; raises Refused with what to do."""
    if len(password) < SHORTEST:
        raise Refused(phrase("Type at least {number} characters. A short sentence is good.", number=SHORTEST))
    if len(password) > 256:
        raise Refused(phrase("Type at most 256 characters."))
    plain = password.lower()
    if plain in COMMON or len(set(plain)) < 5 or plain in email or email.split("@")[0] * 2 in plain:
        raise Refused(phrase("This password is too easy to guess. Choose another one."))
    return password


def person(session: Session, user_id: int) -> User:
    """An account, locked; raises NotFound."""
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound(phrase("This account is no longer there."))
    return user


def _open(session: Session, user_id: int) -> User:
    """An account that somebody can sign in with; raises Conflict where somebody has closed it meanwhile."""
    user = person(session, user_id)
    if not user.active:
        raise Conflict(phrase("The account of {email} is closed already.", email=user.email))
    return user


def _keep_an_owner(session: Session, user: User) -> None:
    others = session.scalar(
        select(func.count()).select_from(User).where(User.role == Role.OWNER, User.active, User.id != user.id)
    )
    if not others:
        raise Refused(phrase("This is the last owner. Make somebody else an owner first."))


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
