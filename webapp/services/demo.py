"""The sample catalogue: products, three channels and their listings, to try everything without files of one's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.identifiers import match_key
from webapp.config import Settings
from webapp.errors import Refused, phrase
from webapp.models.accounts import Actor, AuditEntry
from webapp.models.catalog import Product
from webapp.models.channels import Channel
from webapp.models.listings import Listing
from webapp.services import audit, catalog, channels, listings

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
CURRENCY = "MXN"
KINDS = {"Amazon MX": "demo", "Mercado Libre": "demo", "Shopify": "file"}
OPTIONS = (1, 2)


def load(session: Session, *, by: Actor, settings: Settings) -> dict[str, int]:
    """Load the sample data; gives how many `products`, `listings` and `channels` it holds.

    What is there already stays as it is: loading twice changes nothing, and what somebody edited keeps its values.
    Nothing is linked; "Link by SKU" is the first thing to try. Raises Refused where there is data of one's own.
    """
    _refuse_mixing(session)
    accounts = {name: _channel(session, name, kind, by=by, settings=settings) for name, kind in KINDS.items()}
    products, offers = list(_rows("products.csv")), list(_rows("listings.csv"))
    new_products = _unknown_products(session, products)
    new_offers = _unknown_listings(session, offers, accounts)
    catalog.upsert_products(session, new_products, by=by, currency=CURRENCY)
    if new_offers:
        listings.upsert_listings(session, new_offers, accounts)
    if new_products or new_offers:
        numbers = {"products": len(new_products), "listings": len(new_offers)}
        sentence = phrase("Loaded {products} sample products and {listings} sample listings.", **numbers)
        audit.record(session, by, "demo.loaded", "sample data", sentence)
    return {"products": len(products), "listings": len(offers), "channels": len(accounts)}


def _refuse_mixing(session: Session) -> None:
    """Sample listings among real ones would be decided on and sent: only an empty instance takes them."""
    loaded = session.scalar(select(AuditEntry.id).where(AuditEntry.event == "demo.loaded").limit(1))
    if loaded is not None:
        return
    for model in (Product, Listing, Channel):
        if session.scalar(select(model.id).limit(1)) is not None:
            words = phrase(
                "There is data of your own here already, and the sample data would mix with it. "
                "Try the sample data in an empty instance: set PAIRBOOK_INSTANCE to another folder."
            )
            raise Refused(words)


def _channel(session: Session, name: str, kind: str, *, by: Actor, settings: Settings) -> Channel:
    found = session.scalar(select(Channel).where(Channel.name == name))
    return found or channels.connect(session, name, kind, by=by, settings=settings, currency=CURRENCY)


def _rows(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a sample file as an import would hand them on: blank cells are absent, options are gathered."""
    with (SAMPLE / name).open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            row: dict[str, Any] = {
                column: value for column, value in line.items() if value and not column.startswith("option")
            }
            if "sku" in row:
                row["match_key"] = match_key(row["sku"])
            options = {
                line[f"option{n}_name"]: line[f"option{n}_value"] for n in OPTIONS if line.get(f"option{n}_value")
            }
            yield {**row, "options": options} if options else row


def _unknown_products(session: Session, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = [row["match_key"] for row in rows]
    known = set(session.scalars(select(Product.match_key).where(Product.match_key.in_(keys))))
    return [row for row in rows if row["match_key"] not in known]


def _unknown_listings(
    session: Session, rows: list[dict[str, Any]], accounts: Mapping[str, Channel]
) -> list[dict[str, Any]]:
    query = select(Listing.channel_id, Listing.external_id).where(
        Listing.channel_id.in_([c.id for c in accounts.values()])
    )
    known = {(channel_id, external_id) for channel_id, external_id in session.execute(query)}
    return [row for row in rows if (accounts[row["channel"]].id, row["listing_id"]) not in known]
