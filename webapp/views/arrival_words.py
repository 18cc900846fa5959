"""The picture of how long changes take to reach their channels: two lines over a day, the worst point named."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from webapp.services.arrivals import Arrivals, Hour

LEFT, RIGHT, TOP, BOTTOM = 44, 286, 22, 138  # the picture's own units
STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)


@dataclass(frozen=True)
class Plot:
    """Points of the two lines, what the axis says, and the words of the worst point and of the whole."""

    half: list[tuple[int, int]]
    most: list[tuple[int, int]]
    ticks: list[tuple[int, str]]
    worst: tuple[int, int]
    worst_words: str
    text: str


def plot(found: Arrivals) -> Plot | None:
    """The picture, or None when nothing arrived."""
    worst = found.worst
    if worst is None:
        return None
    top = next((step for step in STEPS if step >= worst.most), STEPS[-1])
    half = [(_x(hour), _y(hour.half, top)) for hour in found.hours]
    most = [(_x(hour), _y(hour.most, top)) for hour in found.hours]
    words = _("%(channel)s, %(time)s", channel=worst.slowest, time=span(worst.most))
    text = ngettext(
        "%(n)s update reached its channel within %(half)s. Slowest: %(worst)s.",
        "Half of %(n)s updates reached their channel within %(half)s, 95 %% within %(most)s. Slowest: %(worst)s.",
        found.n,
        n=format_decimal(found.n),
        half=span(found.half),
        most=span(found.most),
        worst=words,
    )
    ticks = [(_y(top * part / 2, top), span(top * part / 2)) for part in (0, 1, 2)]
    return Plot(half, most, ticks, (_x(worst), _y(worst.most, top)), str(words), str(text))


def span(seconds: float) -> str:
    """A length of time in words, in the unit that fits it."""
    if seconds < 10 and seconds % 1:
        return str(_("%(n)s s", n=format_decimal(round(seconds, 1))))
    if seconds < 120:
        return str(_("%(n)s s", n=round(seconds)))
    if seconds < 7_200:
        return str(_("%(n)s min", n=round(seconds / 60)))
    return str(_("%(n)s h", n=round(seconds / 3_600)))


def _x(hour: Hour) -> int:
    return RIGHT - round(hour.ago * (RIGHT - LEFT) / 23)


def _y(seconds: float, top: float) -> int:
    return BOTTOM - round(min(seconds, top) * (BOTTOM - TOP) / top)
