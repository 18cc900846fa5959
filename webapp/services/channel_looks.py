"""Looking whether a connector would get through, at a quiet interval and by button; nothing is ever sent by it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

import connectors
from webapp.config import Settings
from webapp.errors import DomainError
from webapp.models.channels import Channel
from webapp.services import channels

EVERY = timedelta(minutes=10)


def due(session: Session, *, now: datetime) -> bool:
    """Whether a connector is to be looked at: it was not for a while, and is not paused."""
    return session.scalar(_due(now).limit(1)) is not None


def claim(session: Session, *, now: datetime) -> Channel | None:
    """Take the connector that has waited longest, so that nobody else looks at it meanwhile; None for none."""
    first = _due(now).order_by(Channel.looked_at.asc().nulls_first(), Channel.id).limit(1)
    channel = session.scalar(first.with_for_update(skip_locked=True, key_share=True))
    if channel is not None:
        channel.look_at = now + EVERY
        session.flush()
    return channel


def look(channel: Channel, settings: Settings) -> str:
    """What stands in the way of sending to a connector, and what to do; "" when nothing seems to. It takes seconds."""
    try:
        return channels.open_connector(channel, settings).look()
    except (connectors.ConnectorError, DomainError) as error:
        return str(error)


def settle(session: Session, looked_at: Channel, fault: str, *, now: datetime) -> None:
    """Remember what was found, unless the connector was changed while somebody looked."""
    channel = channels.by_id(session, looked_at.id, lock=True)
    same = (channel.kind, channel.options, channel.secrets) == (looked_at.kind, looked_at.options, looked_at.secrets)
    if same:
        channel.looked_at, channel.look_at, channel.fault = now, now + EVERY, fault
        session.flush()


def _due(now: datetime) -> Select[Channel]:
    return select(Channel).where(Channel.paused_at.is_(None), or_(Channel.look_at.is_(None), Channel.look_at <= now))
