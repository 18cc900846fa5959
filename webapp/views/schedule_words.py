"""The words of schedules: what they send, how often, and when next."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import format_datetime, format_time
from flask_babel import gettext as _

from webapp.models import Channel, Every, Schedule

DAY = timedelta(hours=20)  # further away than this, a time of day alone would not say which day


def what(schedule: Schedule) -> str:
    """What it sends."""
    if schedule.stock and schedule.price:
        return str(_("Stock and price"))
    return str(_("Price") if schedule.price else _("Stock"))


def choice(every: Every) -> str:
    """How often, as one of the choices in the form."""
    return str(
        {
            Every.QUARTER: _("every 15 minutes"),
            Every.HALF: _("every 30 minutes"),
            Every.HOUR: _("every hour"),
            Every.SIX_HOURS: _("every 6 hours"),
            Every.NIGHT: _("every night at"),
        }[every]
    )


def often(schedule: Schedule) -> str:
    """How often, as the beginning of a sentence."""
    return str(
        {
            Every.QUARTER: _("Every 15 minutes"),
            Every.HALF: _("Every 30 minutes"),
            Every.HOUR: _("Every hour"),
            Every.SIX_HOURS: _("Every 6 hours"),
            Every.NIGHT: _("Every night at %(time)s", time=schedule.at),
        }[schedule.every]
    )


def short(schedule: Schedule) -> str:
    """How often, for a column of a table."""
    return str(
        {
            Every.QUARTER: _("15 min"),
            Every.HALF: _("30 min"),
            Every.HOUR: _("1 h"),
            Every.SIX_HOURS: _("6 h"),
            Every.NIGHT: _("night"),
        }[schedule.every]
    )


def name(schedule: Schedule, channel: Channel) -> str:
    """What people call it, such as “Amazon MX stock, every 15 minutes”."""
    return f"{channel.name} {what(schedule).lower()}, {often(schedule)[:1].lower()}{often(schedule)[1:]}"


def line(schedule: Schedule, now: datetime) -> str:
    """One sentence: how often and when next, or since when not."""
    if schedule.cancelled_at is not None:
        return f"{often(schedule)}."
    if schedule.paused_at is not None:
        return str(_("Paused since %(when)s.", when=_moment(schedule.paused_at, now)))
    return str(_("%(often)s, next %(when)s.", often=often(schedule), when=_moment(schedule.next_at, now)))


def _moment(moment: datetime, now: datetime) -> str:
    near = abs(moment - now) < DAY
    return str(format_time(moment, "short") if near else format_datetime(moment, "short"))
