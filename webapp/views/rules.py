"""Matching rules: what links by itself on each channel, how sure that is, and a few pairs to check first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import IntegerField
from wtforms.validators import AnyOf, InputRequired, NumberRange

from webapp import web
from webapp.errors import Refused
from webapp.models import BatchVerb, Channel, ListingState
from webapp.models.accounts import Permission
from webapp.services import channels, counts, decisions, linking, links, long_acts, rules, steps
from webapp.translate import translated
from webapp.views import acts, meanwhile
from webapp.views.links import act_words

bp = Blueprint("rules", __name__)
USUAL = 95  # where the line stands before anybody has moved it


class RuleForm(FlaskForm):
    """The line from which on suggestions link by themselves, and what share of them has to be right."""

    line = IntegerField(validators=[InputRequired(), NumberRange(rules.LOWEST, 100)])
    promise = IntegerField(validators=[InputRequired(), AnyOf(rules.PROMISES)])


@bp.get("/rules")
@web.requires(Permission.READ)
def index() -> Any:
    """The rule of one channel."""
    session = web.session()
    every = channels.all_channels(session)
    if not every:
        return web.page("rules/index.html", channel=None)
    name = request.args.get("channel", "")
    channel = channels.get(session, name) if name else _busiest(every)
    line = request.args.get("line", channel.rule_from or USUAL, int)
    return _show(channel, every, min(100, max(rules.LOWEST, line)))


@bp.post("/rules/<int:channel_id>")
@web.requires(Permission.RULES)
def turn_on(channel_id: int) -> Any:
    """Turn the channel's rule on, or move its line."""
    channel = channels.by_id(web.session(), channel_id, lock=True)
    if meanwhile.changed(_mark(channel)):
        return _quicker(channel)
    form = RuleForm()
    if not form.validate():
        raise Refused(_("Choose a score from %(low)s to 100 and a promise.", low=rules.LOWEST))
    line, promise = form.line.data or USUAL, form.promise.data or 0
    try:
        rules.turn_on(web.session(), channel, line, promise, by=web.actor())
    except Refused as error:
        web.say(translated(error.message), kind="warn")
        return redirect(url_for("rules.index", channel=channel.name, line=line), code=303)
    web.say(_("The rule is on. Suggestions of %(line)s and above link by themselves.", line=line))
    return redirect(url_for("rules.index", channel=channel.name), code=303)


@bp.post("/rules/<int:channel_id>/off")
@web.requires(Permission.RULES)
def turn_off(channel_id: int) -> Any:
    """Stop the channel's rule."""
    channel = channels.by_id(web.session(), channel_id, lock=True)
    if meanwhile.changed(_mark(channel)):
        return _quicker(channel)
    rules.turn_off(web.session(), channel, by=web.actor())
    web.say(_("The rule is off. What it linked stays."))
    return redirect(url_for("rules.index", channel=channel.name), code=303)


@bp.post("/rules/<int:channel_id>/link")
@web.requires(Permission.RULES)
def link_above(channel_id: int) -> Any:
    """Link everything at the line or above once, as one batch: at once, or by the workers where that is much."""
    session = web.session()
    channel = channels.by_id(session, channel_id)
    line = request.form.get("line", USUAL, int)
    web.once()
    act = linking.begin_above(session, channel, line, by=web.actor())
    if (act.total or 0) >= steps.FROM:
        return web.go("links.act", batch_id=steps.call(session, act).id)
    while long_acts.take(session, act.id, steps.FROM) is not None:
        pass
    if (act.numbers or {}).get("refused"):  # the page of an act names what it had to leave
        return web.go("links.act", batch_id=act.id)
    batch = act.id if act.changed else None
    web.say(act_words(act), url_for("links.undo", batch_id=batch) if batch else "")
    return redirect(url_for("rules.index", channel=channel.name, line=line, linked=batch), code=303)


@bp.post("/rules/<int:channel_id>/check/<int:listing_id>")
@web.requires(Permission.LINK)
def check(channel_id: int, listing_id: int) -> Any:
    """One of the pairs that are checked first: link it, or remember that it is wrong."""
    session, by = web.session(), web.actor()
    channel = channels.by_id(session, channel_id)
    product_id, line = request.form.get("product_id", 0, int), request.form.get("line", USUAL, int)
    pair = links.Pair(listing_id, product_id, request.form.get("score", None, int))
    if request.form.get("right") == "1":
        change, said = links.confirm(session, [pair], by=by, reason="check"), _("Linked.")
    else:
        change, said = links.reject(session, [pair], by=by), _("Rejected. It will not be suggested again.")
    if change.refused:
        web.say(translated(change.refused[0].message), kind="warn")
    else:
        web.say(said)
    return redirect(url_for("rules.index", channel=channel.name, line=line), code=303)


def _mark(channel: Channel) -> str:
    return meanwhile.mark(channel.rule_from, channel.rule_promise)


def _quicker(channel: Channel) -> Any:
    """The page as it is now, since somebody else has moved the line while this one was looked at."""
    session = web.session()
    said = meanwhile.words(session, f"channel {channel.name}", "rule")
    every, line = channels.all_channels(session), channel.rule_from or request.form.get("line", USUAL, int)
    return _show(channel, every, min(100, max(rules.LOWEST, line)), quicker=said, status=409)


def _show(channel: Channel, every: list[Channel], line: int, quicker: str = "", status: int = 200) -> Any:
    session = web.session()
    found = rules.outlook(session, channel, line)
    found = replace(found, above=rules.would_link(session, channel, found))
    bars = rules.histogram(session, channel)
    return web.page(
        "rules/index.html",
        status=status,
        quicker=quicker,
        going_on=acts.going_on(BatchVerb.RULE, channel=channel),
        **acts.shown(),
        seen=_mark(channel),
        channel=channel,
        every=every,
        line=line,
        found=found,
        bars=bars,
        plot=Plot(bars, line),
        promise=channel.rule_promise,
        promises=rules.PROMISES,
        more=found.more(channel.rule_promise),
        sample=rules.sample(session, channel, line) if web.actor().may(Permission.LINK) else [],
        curve=decisions.calibration(session, channel.id),
        by_sku=rules.linked_by_sku(session, channel),
        linked=request.args.get("linked", 0, int),
    )


class Plot:
    """The histogram as places in a drawing of 1,160 by 254 units."""

    LEFT, RIGHT, BOTTOM, HEIGHT = 34.0, 1154.0, 220.0, 170.0

    def __init__(self, bars: list[rules.Bar], line: int) -> None:
        self.bars, self.line = bars, line
        self.top = _round_up(max((b.right + b.wrong + b.waiting for b in bars), default=0))
        self.step = (self.RIGHT - self.LEFT) / len(bars)

    @property
    def ticks(self) -> list[tuple[float, int]]:
        """Height and number of the grid lines."""
        return [(self.BOTTOM - self.HEIGHT * i / 2, self.top * i // 2) for i in range(3)]

    @property
    def columns(self) -> list[tuple[rules.Bar, float, list[tuple[str, float, float]]]]:
        """Each bar with its left edge and its pieces as (kind, top, height), the first at the bottom."""
        out = []
        for number, bar in enumerate(self.bars):
            y, pieces = self.BOTTOM, []
            for kind, n in (("yes", bar.right), ("no", bar.wrong), ("q", bar.waiting)):
                height = self.HEIGHT * n / self.top
                if n:
                    y -= max(height, 1.0)
                    pieces.append((kind, y, max(height, 1.0)))
            out.append((bar, self.LEFT + number * self.step, pieces))
        return out

    @property
    def cut(self) -> float:
        """Where the line stands."""
        return self.LEFT + (self.RIGHT - self.LEFT) * (self.line - rules.LOWEST) / (100 - rules.LOWEST)


def _round_up(most: int) -> int:
    """The next even number with one digit and zeros that is not below `most`, at least 2."""
    unit = int(10 ** (len(str(most)) - 1))
    return max(2, -(-most // (2 * unit)) * 2 * unit)


def _busiest(every: list[Channel]) -> Channel:
    """The channel with most to decide."""
    numbers = counts.by_channel(web.session())
    return max(every, key=lambda c: numbers.get(c.id, {}).get(ListingState.PENDING, 0))
