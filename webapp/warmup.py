"""What a web process does once, beside its first answers, so that no person waits for it later.

Loading the matcher takes seconds and compiling a template tens of milliseconds; and each full round of the garbage
collector walks over everything that was ever loaded, 90 ms on an ordinary machine, in the middle of somebody's page.
"""

from __future__ import annotations

import gc
import logging
import threading

from flask import Flask
from sqlalchemy.orm import Session, configure_mappers

import matching
from webapp.db import unit_of_work
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import candidates, channels, overview, review, runs, searching
from webapp.services.retrieval import CatalogueIndex

log = logging.getLogger("warmup")
#: New objects before the youngest are looked at, and how many such looks before older ones are: a few ms each.
THRESHOLDS = (2_000, 20, 50)


def init_app(app: Flask) -> None:
    """Begin with the first request; `run` begins earlier."""
    app.extensions["pairbook_warm"] = threading.Lock()

    @app.before_request
    def begin() -> None:
        if not app.testing:
            start(app)


def start(app: Flask) -> None:
    """Warm up on a thread of its own, unless that was begun before."""
    if app.extensions["pairbook_warm"].acquire(blocking=False):
        threading.Thread(target=_quietly, args=(app,), name="warmup", daemon=True).start()


def warm(app: Flask) -> None:
    """Warm up now, and return when it is done."""
    app.extensions["pairbook_warm"].acquire(blocking=False)
    configure_mappers()
    with app.app_context():
        for name in app.jinja_env.list_templates():
            app.jinja_env.get_template(name)
        _load_matcher()
        app.extensions["pairbook_matcher"] = True  # pages may use it in passing from here on
        with unit_of_work(read_only=True) as session:
            app.extensions["pairbook_index"].ready(session)
            _look_around(session, app.extensions["pairbook_index"])
    gc.collect()
    gc.freeze()  # what is loaded stays: full rounds pass it over from here on
    gc.set_threshold(*THRESHOLDS)


def _load_matcher() -> None:
    """Match one listing in a catalogue of one product: everything that is compiled is loaded by it."""
    one = matching.Record(id=1, sku="A-1", title="Blue bottle 500 ml", brand="Almera", gtin="4006381333931")
    index = matching.Index.build([one])
    matching.suggest_many([one], index)
    matching.look_alikes(one, index)
    matching.search("blue bottle", index)
    matching.compare(one, one)


def _look_around(session: Session, index: CatalogueIndex) -> None:
    """Ask for what the first screens show: a large database's pages are read by it, and its statements are made.

    Of half a million pairs the first overview of a process took 260 ms, and the second one 40.
    """
    overview.look(session, now=utc_now())
    searching.search(session, index, "blue bottle")
    for channel in channels.all_channels(session)[:1]:
        queue = review.Queue(channel)
        runs.run(session, channel, COMMAND_LINE, now=utc_now())
        if (first := review.first(session, queue)) is not None:
            listing = review.get(session, first)
            review.window(session, queue, listing, COMMAND_LINE, now=utc_now())
            candidates.outline(session, listing, channel, index)
            candidates.stage(session, listing, channel, index)


def _quietly(app: Flask) -> None:
    """A process that could not warm up still answers, only later."""
    try:
        warm(app)
    except Exception:
        log.exception("warmup.failed")
