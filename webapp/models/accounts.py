"""People, what they may do, and the trail of what they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_security import RoleMixin, UserMixin
from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.errors import phrase
from webapp.models.base import Base, BigInt, Id, Json, ShortText, UtcDateTime, choice, utc_now


class Permission(StrEnum):
    """What a route or a service may ask of a person."""

    READ = "read"
    LINK = "link"
    IMPORT = "import"
    CATALOG = "catalog"
    SYNC = "sync"
    UNSYNC_MANY = "unsync_many"
    RULES = "rules"
    CHANNELS = "channels"
    PEOPLE = "people"


class Role(StrEnum):
    """Viewer looks, editor works, owner also unsyncs many and changes channels and people."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the role allows."""
        return _ALLOWED[self]


_EDITS = {Permission.READ, Permission.LINK, Permission.IMPORT, Permission.CATALOG, Permission.SYNC}
_ALLOWED = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.EDITOR: frozenset(_EDITS),
    Role.OWNER: frozenset(Permission),
}


@dataclass(frozen=True)
class Actor:
    """Who does something: a person, the command line, or a rule. A value, so that history outlives accounts."""

    id: int | None
    name: str
    role: Role = Role.OWNER
    is_person: bool = True

    def may(self, permission: Permission) -> bool:
        """Whether the actor's role allows it."""
        return permission in self.role.permissions


COMMAND_LINE = Actor(None, phrase("Command line"))
SAME_SKU = Actor(None, phrase("Same SKU"), is_person=False)
WORKER = Actor(None, "Pairbook", is_person=False)
RULE = Actor(None, phrase("Rule"), is_person=False)


class RoleView(RoleMixin):
    """A role as Flask-Security wants to see it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.permissions: list[str] = []


class User(Base, UserMixin):
    """A person with a password and one role."""

    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(ShortText, default="")
    role: Mapped[Role] = mapped_column(choice(Role))
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(8), default="")
    theme: Mapped[str] = mapped_column(String(8), default="auto")
    density: Mapped[str] = mapped_column(String(8), default="default")
    single_keys: Mapped[bool] = mapped_column(default=True)
    own_keys: Mapped[dict[str, str]] = mapped_column(Json, default=dict)  # the meaning of a key and its letter
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    @property
    def roles(self) -> list[RoleMixin]:  # type: ignore[override]  # read-only: the role is a column
        """The role, in the list that Flask-Security reads."""
        return [RoleView(self.role.value)]

    @property
    def actor(self) -> Actor:
        """This person as the author of a change."""
        return Actor(self.id, self.name or self.email.split("@")[0], self.role)


class SignIn(Base):
    """A browser that is signed in. Its cookie holds the key, the row only a digest of it; without the row it is out."""

    __tablename__ = "sign_ins"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("users.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SignInTry(Base):
    """A counter of wrong passwords, for an account, an address, or both; the key is a digest of which."""

    __tablename__ = "sign_in_tries"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    wait_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Setting(Base):
    """A fact about the instance that is no configuration, such as the one-time set-up code (hashed)."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(ShortText, primary_key=True)
    value: Mapped[str] = mapped_column(Text, default="")


class SeenForm(Base):
    """A form that was posted once; its key makes a double click or a replay harmless."""

    __tablename__ = "seen_forms"

    key: Mapped[str] = mapped_column(ShortText, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)


class AuditEntry(Base):
    """Who did what to what, in one sentence. Rows are only ever added; triggers hold that in the database."""

    __tablename__ = "audit"

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    by_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    by_name: Mapped[str] = mapped_column(ShortText)
    event: Mapped[str] = mapped_column(ShortText, index=True)
    subject: Mapped[str] = mapped_column(String(300), default="", index=True)
    sentence: Mapped[str] = mapped_column(Text)
    before: Mapped[Any | None] = mapped_column(Json)
    after: Mapped[Any | None] = mapped_column(Json)
    request_id: Mapped[str] = mapped_column(ShortText, default="")
