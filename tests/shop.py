"""A shop whose webhook channel a real server answers: what tests of sending do to it, in units of work of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

import connectors
from tests.factories import Make
from tests.stub_channel import StubChannel
from webapp.config import Settings
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Attempt, Channel, Link, Listing, Product, SyncRun
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import catalog, channels, links, listings, propagation, stock

SECRET = connectors.kinds()["webhook"].options[1].suggest()  # type: ignore[misc]


class Shop:
    """Committed things and what is done to them, each in a unit of work of its own."""

    def __init__(self, app: Flask, settings: Settings, stub: StubChannel) -> None:
        self.app, self.settings, self.stub = app, settings, stub

    def open(
        self,
        pairs: int = 1,
        *,
        quantity: int = 10,
        prefix: str = "L",
        facts: dict[str, Any] | None = None,
        **options: str,
    ) -> list[tuple[int, int]]:
        """A webhook channel with linked pairs; gives (listing id, product id) each."""
        with unit_of_work() as session:
            channel = Make(session, self.settings).channel(
                "Hook", "webhook", options={"url": self.stub.url, "secret": SECRET, "timeout": "2", **options}
            )
            made = self.fill(session, channel, pairs, quantity=quantity, prefix=prefix, facts=facts)
        return made

    def fill(
        self,
        session: Session,
        channel: Channel,
        pairs: int,
        *,
        quantity: int = 10,
        prefix: str = "L",
        facts: dict[str, Any] | None = None,
    ) -> list[tuple[int, int]]:
        """Linked pairs on a channel."""
        goods = [{"sku": f"{prefix}-{n}", "quantity": quantity, "price": "9.90"} for n in range(pairs)]
        offers = [{"channel": channel.name, "listing_id": f"{prefix}{n}", **(facts or {})} for n in range(pairs)]
        products = catalog.upsert_products(session, goods, by=COMMAND_LINE, currency="USD").ids
        offered = listings.upsert_listings(session, offers, {channel.name: channel}).ids
        made = list(zip(sorted(offered.values()), sorted(products.values()), strict=True))  # both in the order of rows
        links.confirm(session, [links.Pair(*pair) for pair in made], by=COMMAND_LINE)
        return made

    def links_of(self, session: Session, channel: Channel) -> list[Link]:
        return list(session.scalars(select(Link).where(Link.channel_id == channel.id).order_by(Link.id)))

    def make(self, session: Session) -> Make:
        return Make(session, self.settings)

    def claim(self, *, begin: bool) -> propagation.Claim:
        """What a worker holds that has taken what is due, and then fell asleep."""
        with unit_of_work() as session:
            hook = channels.get(session, "Hook").id
            claim = propagation.claim_due(session, hook, now=utc_now(), limit=100, worker="asleep")
            assert claim is not None
            return propagation.begin(session, claim, now=utc_now()) if begin else claim

    def begin(self, claim: propagation.Claim) -> propagation.Claim:
        """It wakes up."""
        with unit_of_work() as session:
            return propagation.begin(session, claim, now=utc_now())

    def answered(self, claim: propagation.Claim) -> list[connectors.Outcome]:
        """What the channel says to a claim."""
        with unit_of_work(read_only=True) as session:
            connector = channels.open_connector(channels.get(session, "Hook"), self.settings)
        return connector.push([d.update for d in claim.deliveries], now=utc_now())

    def settle(self, claim: propagation.Claim, outcomes: list[connectors.Outcome]) -> None:
        """The worker writes down what was said."""
        with unit_of_work() as session:
            propagation.settle(session, claim, outcomes, now=utc_now(), delays=[5.0] * len(outcomes))

    def change(self, what: Callable[[Session], Any]) -> Any:
        """Do something in a unit of work."""
        with unit_of_work() as session:
            return what(session)

    def channel(self, **values: Any) -> None:
        """Set columns of the channel."""
        self.change(lambda session: session.execute(update(Channel).values(**values)))

    def set_stock(self, product_id: int, quantity: int) -> None:
        def set_it(session: Session) -> None:
            stock.set_levels(session, [stock.Level(product_id, quantity)], stock.warehouse(session), by=COMMAND_LINE)

        self.change(set_it)

    def unlink(self, *listing_ids: int) -> links.Change:
        change: links.Change = self.change(lambda session: links.unlink(session, listing_ids, by=COMMAND_LINE))
        return change

    def confirm(self, listing_id: int, product_id: int) -> links.Change:
        pair = links.Pair(listing_id, product_id)
        change: links.Change = self.change(lambda session: links.confirm(session, [pair], by=COMMAND_LINE))
        return change

    def send(self) -> tasks.Drained:
        """What a worker does."""
        return tasks.propagate(self.settings)

    def later(self, seconds: float) -> None:
        """Let time pass for everything that waits: due times, leases, rests and quarantines."""
        ago = timedelta(seconds=seconds)

        def shift(session: Session) -> None:
            for column in (Link.due_at, Channel.rest_until, Attempt.lease_until, Attempt.ended_at):
                table = column.class_
                rows = session.execute(select(table.id, column).where(column.is_not(None))).all()
                moved = [{"id": row_id, column.key: moment - ago} for row_id, moment in rows]
                if moved:
                    session.execute(update(table), moved)

        self.change(shift)

    def link(self, listing_id: int) -> Link:
        with unit_of_work(read_only=True) as session:
            return session.scalars(select(Link).where(Link.listing_id == listing_id)).one()

    def run(self, run_id: int) -> SyncRun:
        with unit_of_work(read_only=True) as session:
            return session.get_one(SyncRun, run_id)

    def attempts(self, **where: Any) -> list[Attempt]:
        with unit_of_work(read_only=True) as session:
            return list(session.scalars(select(Attempt).filter_by(**where).order_by(Attempt.id)))

    def due(self) -> int:
        with unit_of_work(read_only=True) as session:
            return session.scalar(select(func.count()).select_from(Link).where(Link.due_at.is_not(None))) or 0

    def wait_until_quiet(self, seconds: float = 60.0) -> bool:
        """Whether everything was told and answered in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.due() and not self.attempts(outcome=None):
                return True
            time.sleep(0.02)
        return False

    def now_shown(self) -> dict[str, int | None]:
        """What the receiver shows."""
        with self.stub.lock:
            return {listing: shown.quantity for listing, shown in self.stub.shown.items()}

    def ought(self) -> dict[str, int]:
        """What it ought to show: the newest stock of every linked listing."""
        with unit_of_work(read_only=True) as session:
            query = select(Listing.external_id, Product.available).join(Link, Link.listing_id == Listing.id)
            query = query.join(Product, Product.id == Link.product_id)
            return {listing: max(0, n) for listing, n in session.execute(query)}

    def worker(self, stop: threading.Event) -> threading.Thread:
        """A thread that sends until it is told to stop; what it raises ends the test."""
        return self.thread(lambda: self._work(stop))

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            with unit_of_work(read_only=True) as session:
                due = propagation.due_channels(session, now=utc_now())
            for channel_id in due:
                tasks.send_channel(self.settings, channel_id)
            stop.wait(0.005)

    def thread(self, what: Callable[[], object]) -> threading.Thread:
        def inside() -> None:
            with self.app.app_context():
                what()

        thread = threading.Thread(target=inside)
        thread.start()
        return thread
