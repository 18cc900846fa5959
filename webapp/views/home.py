"""The overview: how far reconciliation is by channel, and what needs a person now."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint
from flask_babel import format_date

from webapp import web
from webapp.models import Channel
from webapp.models.accounts import Permission
from webapp.models.base import utc_now
from webapp.services import arrivals, overview
from webapp.services.review import Shelf
from webapp.views import arrival_words
from webapp.views import home_words as words
from webapp.views.review_words import ago

bp = Blueprint("home", __name__)
NEEDS_SHOWN = 5
TOTALS = ("linked", "listings", "waiting", "no_match")
SCREENS = ("links.review", "links.pairs", "propagation.history", "accounts.activity")


@bp.get("/")
@web.requires(Permission.READ)
def index() -> Any:
    """One picture, one list, three small ones."""
    now = utc_now()
    found = overview.look(web.session(), now=now)
    needs = [words.need(need) for need in found.needs]
    return web.page(
        "home/index.html",
        overview=found,
        needs=needs[:NEEDS_SHOWN],
        more=len(needs) - NEEDS_SHOWN,
        total={name: sum(getattr(p, name) for p in found.progress) for name in TOTALS},
        minutes=max(1, sum(p.waiting for p in found.progress) * overview.SECONDS_A_DECISION // 60),
        today=format_date(now, "full"),
        acts=[(act, words.act_words(act)) for act in found.acts],
        runs=[(run, channel, words.run_words(run.state)) for run, channel in found.runs],
        arrivals=arrival_words.plot(arrivals.last_day(web.session(), now=now)),
        widest=max((abs(d.by) for d in found.differences), default=1),
        ago=partial(ago, now=now),
        urls={name: words.maybe(name) for name in SCREENS},
        review_url=lambda channel: words.maybe("links.review", channel=channel.name),
        unmatched_url=lambda channel: words.maybe("links.review", channel=channel.name, state=Shelf.NO_MATCH.value),
        pairs_url=lambda channel: words.maybe("links.pairs", channel=channel.name),
        alone=_alone(found),
    )


def _alone(found: overview.Overview) -> Channel | None:
    """The channel that has all listings without a match; a number over several channels has no one page of rows."""
    having = [p.channel for p in found.progress if p.no_match]
    return having[0] if len(having) == 1 else None
