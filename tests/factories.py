"""One factory per table, in the fewest words; every test gets its things from here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.config import Settings
from webapp.models import Channel, Link, Listing, Product, SendMode
from webapp.models.accounts import COMMAND_LINE
from webapp.services import catalog, channels, links, listings, stock, suggestions

_numbers = count(1)


class Make:
    """Makes things in one session through the services, as users would."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self.session = session
        self.settings = settings

    def channel(self, name: str = "Alpha", kind: str = "demo", **options: Any) -> Channel:
        """The channel of that name, made when it is new. Demo channels are automatic, file channels manual."""
        found = self.session.scalar(select(Channel).where(Channel.name == name))
        if found is not None:
            return found
        return channels.connect(self.session, name, kind, by=COMMAND_LINE, settings=self.settings, **options)

    def product(self, sku: str = "", *, quantity: int | None = 10, price: str | None = "9.90", **facts: Any) -> Product:
        """A product with stock and a price."""
        sku = sku or f"P-{next(_numbers)}"
        row = {"sku": sku, "title": f"Product {sku}", **facts}
        row |= {} if quantity is None else {"quantity": quantity}
        row |= {} if price is None else {"price": price}
        result = catalog.upsert_products(self.session, [row], by=COMMAND_LINE, currency="USD")
        return self.session.get_one(Product, next(iter(result.ids.values())), populate_existing=True)

    def listing(self, sku: str = "", *, channel: Channel | None = None, listing_id: str = "", **facts: Any) -> Listing:
        """A waiting listing; without SKU it never matches exactly."""
        channel = channel or self.channel()
        listing_id = listing_id or f"L-{next(_numbers)}"
        row = {
            "channel": channel.name,
            "listing_id": listing_id,
            "title": f"Listing {listing_id}",
            "sku": sku,
            "match_key": sku,
            **facts,
        }
        result = listings.upsert_listings(self.session, [row], {channel.name: channel})
        return self.session.get_one(Listing, next(iter(result.ids.values())), populate_existing=True)

    def link(
        self, product: Product | None = None, listing: Listing | None = None, *, channel: Channel | None = None
    ) -> Link:
        """A confirmed pair, made by the command line."""
        product = product or self.product()
        listing = listing or self.listing(channel=channel)
        change = links.confirm(self.session, [links.Pair(listing.id, product.id)], by=COMMAND_LINE)
        assert change.changed == 1, change.refused
        return self.session.scalars(select(Link).where(Link.listing_id == listing.id)).one()

    def suggested(self, listing: Listing, products: Sequence[Product], index: Any) -> None:
        """Suggestions for a listing, found by the real matching among the products that are there."""
        assert products
        suggestions.keep(self.session, suggestions.suggest_for(self.session, [listing.id], index))

    def stock(self, product: Product, quantity: int) -> None:
        """Set a product's stock in the main warehouse."""
        stock.set_levels(
            self.session, [stock.Level(product.id, quantity)], stock.warehouse(self.session), by=COMMAND_LINE
        )
        self.session.refresh(product)

    def price(self, product: Product, amount: str) -> None:
        """Set a product's standard price."""
        stock.set_prices(self.session, [(product.id, Decimal(amount))], by=COMMAND_LINE)
        self.session.refresh(product)

    def manual(self, channel: Channel) -> Channel:
        """Switch a channel to sending by hand."""
        channel.mode = SendMode.MANUAL
        self.session.flush()
        return channel

    def noise(self) -> None:
        """Things that have nothing to do with the test, on another channel."""
        beta = self.channel("Beta")
        for _ in range(3):
            self.link(channel=beta)
            self.listing(channel=beta)
            self.product()
