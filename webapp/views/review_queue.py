"""The address of a review: which channel, shelf and band of scores a person goes through, so that a link can say it."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from webapp import web
from webapp.models import Channel, Listing, ListingState
from webapp.services import channels, counts
from webapp.services.review import Queue, Shelf


def read_queue(listing: Listing | None = None) -> Queue | None:
    """The queue that the address names; without one, the first channel where something waits; None without channels."""
    session = web.session()
    args = request.args
    if listing is not None:
        channel = session.get_one(Channel, listing.channel_id)
    elif args.get("channel"):
        channel = channels.get(session, args["channel"])
    else:
        every = channels.all_channels(session)
        numbers = counts.by_channel(session)
        waiting = [c for c in every if numbers.get(c.id, {}).get(ListingState.PENDING, 0)]
        if not every:
            return None
        channel = (waiting or every)[0]
    shelf = args.get("state", "")
    low, high = _read_band(args.get("score", ""))
    return Queue(channel, Shelf(shelf) if shelf in set(Shelf) else Shelf.WAITING, low, high)


def query_of(queue: Queue | None) -> dict[str, Any]:
    """The part of an address that names a queue."""
    if queue is None:
        return {}
    query: dict[str, Any] = {"channel": queue.channel.name}
    if queue.shelf is not Shelf.WAITING:
        query["state"] = queue.shelf.value
    if band := band_of(queue):
        query["score"] = band
    return query


def url_of(queue: Queue | None, listing_id: int | None, more: dict[str, Any] | None = None) -> str:
    """The address of a listing in its queue, or of the queue's head."""
    query = {**query_of(queue), **(more or {})}
    if listing_id is None:
        return url_for("links.review", **query)
    return url_for("links.review_one", listing_id=listing_id, **query)


def _read_band(text: str) -> tuple[int | None, int | None]:
    if text == "none":
        return 0, 0
    low, dash, high = text.partition("-")
    if not dash or not low.isdecimal() or not (high or "100").isdecimal():
        return None, None
    return min(int(low), 100), min(int(high or 100), 100)


def band_of(queue: Queue | None) -> str:
    """The band of scores of a queue, as an address names it."""
    if queue is None or queue.low is None:
        return ""
    if queue.high == 0:
        return "none"
    return f"{queue.low}-{'' if queue.high == 100 else queue.high}"
