"""The channel that the import form names: one that is there, one to be made, or none that a column names."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from webapp import web
from webapp.errors import DomainError, Refused
from webapp.models import Channel, ImportKind
from webapp.models.accounts import Actor, Permission
from webapp.services import channels

NEW_CHANNEL = "new"


def chosen(kind: ImportKind, by: Actor) -> Channel | None:
    """The channel of the form: none for products and stock, or for a file that names its channels in a column."""
    session, wanted = web.session(), request.form.get("channel", "")
    if kind not in {ImportKind.LISTINGS, ImportKind.LINKS} or not wanted:
        return None
    if wanted == NEW_CHANNEL and not request.form.get("channel_name", "").strip():
        return None  # the file is kept all the same: the check asks for its channel
    if wanted == NEW_CHANNEL:
        if not by.may(Permission.CHANNELS):
            raise Refused(_("Only an owner can add a channel. Choose one that is there."))
        try:
            name = request.form.get("channel_name", "")
            return channels.connect(session, name, "file", by=by, settings=web.settings())
        except DomainError as error:
            raise Refused(error.message) from None
    found = session.get(Channel, int(wanted)) if wanted.isdecimal() else None
    if found is None:
        raise Refused(_("This channel is no longer there. Choose another one."))
    return found


def noted(channel: Channel | None) -> tuple[int, str]:
    """What is kept of a channel when the request's own transaction is given back: its id, or a new one's name."""
    if channel is None:
        return 0, ""
    return (0, channel.name) if request.form.get("channel") == NEW_CHANNEL else (channel.id, "")


def place(session: Session, kept: tuple[int, str], by: Actor) -> Channel | None:
    """The channel that was noted; a new one is made here, as the request's transaction took it along."""
    channel_id, fresh = kept
    if fresh:
        return channels.connect(session, fresh, "file", by=by, settings=web.settings())
    return session.get(Channel, channel_id) if channel_id else None
