"""Channels that receive a signed POST per batch of listings, as the project's command-line contract describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.addresses import Network, why_refused, written_out
from connectors.answers import settle, settle_error
from connectors.base import (
    Kind,
    Limits,
    Option,
    Outcome,
    Status,
    Update,
    price_text,
    require_aware,
    screen,
)
from connectors.outbound import OutboundClient, OutboundError, check_url
from connectors.signing import message_id, new_secret, secret_bytes, signed_headers, split_secrets
from connectors.sockets import refusal
from connectors.wording import phrase

# About 200 bytes an item: a hundred stay below the 20 kB that Standard Webhooks recommends for a payload.
DEFAULT_BATCH = 100
LARGEST_BATCH = 1_000
DEFAULT_SECONDS = 20
LONGEST_SECONDS = 30


class WebhookConnector:
    """Posts `listings.update` messages to one address and settles each listing from the answer.

    Takes options in which `check` finds nothing wrong.
    """

    kind = "webhook"
    sends_stock = True
    sends_price = True

    def __init__(self, channel: str, options: Mapping[str, str], client: OutboundClient) -> None:
        self._channel = channel
        self._url = options["url"].strip()
        self._keys = [secret_bytes(secret) for secret in split_secrets(options["secret"])]
        self._client = client
        seconds = min(float(options.get("timeout") or DEFAULT_SECONDS), client.policy.total_seconds)
        self.limits = Limits(max_batch=int(options.get("batch") or DEFAULT_BATCH), seconds=seconds)

    def push(self, updates: Sequence[Update], *, now: datetime) -> list[Outcome]:
        """One POST per `limits.max_batch` updates; after a call that did not come through, the rest is not sent."""
        require_aware(now)
        sendable, settled = screen(updates)
        wall: Outcome | None = None
        for start in range(0, len(sendable), self.limits.max_batch):
            positions = sendable[start : start + self.limits.max_batch]
            batch = [updates[position] for position in positions]
            if wall is None:
                outcomes, wall = self._post(batch, now)
            else:
                outcomes = [_unsent(update, wall) for update in batch]
            settled.update(zip(positions, outcomes, strict=True))
        return [settled[position] for position in range(len(updates))]

    def look(self) -> str:
        """Whether the address is found, answers, and has a certificate in order; no message is sent."""
        try:
            self._client.reach(self._url, seconds=self.limits.seconds)
        except OutboundError as error:
            if error.permanent:
                return str(error)
            return phrase("{problem} Updates wait and are sent when it answers again.", problem=error)
        return ""

    def _post(self, batch: Sequence[Update], now: datetime) -> tuple[list[Outcome], Outcome | None]:
        """The outcomes of one call and, when the whole call met a wall, the outcome that shows it."""
        body = message_body(self._channel, batch)
        headers = {"content-type": "application/json; charset=utf-8"}
        headers |= signed_headers(self._keys, batch_id(self._channel, batch), body, now=now)
        try:
            answer = self._client.post(self._url, body, headers, seconds=self.limits.seconds)
        except OutboundError as error:
            outcomes = settle_error(batch, error)
            return outcomes, outcomes[0]
        outcomes = settle(batch, answer, now=now)
        return outcomes, None if 200 <= answer.status < 300 else outcomes[0]


def message_body(channel: str, batch: Sequence[Update]) -> bytes:
    """The message in UTF-8 JSON; an aspect that is not sent is absent, not null."""
    message = {"type": "listings.update", "channel": channel, "items": [_item(update) for update in batch]}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def batch_id(channel: str, batch: Sequence[Update]) -> str:
    """The message's id: from the states and aspects it carries, never from their values."""
    aspects = (f"{_stock_aspect(update)}{update.price is not None:d}" for update in batch)
    parts = [part for update, aspect in zip(batch, aspects, strict=True) for part in (update.key, aspect)]
    return message_id([channel, *parts])


def _stock_aspect(update: Update) -> str:
    return "a" if update.available is not None else f"{update.quantity is not None:d}"


def _item(update: Update) -> dict[str, Any]:
    item: dict[str, Any] = {"listing_id": update.listing_id, "sku": update.sku}
    if update.quantity is not None:
        item["quantity"] = update.quantity
    if update.available is not None:
        item["available"] = update.available
    if update.price is not None:
        item |= {"price": price_text(update.price), "currency": update.currency}
    version = {"product": update.product_version, "link": update.link_version}
    return item | {"version": version, "key": update.key}


def _unsent(update: Update, wall: Outcome) -> Outcome:
    """An update kept back after a call that met a wall: it was certainly not taken, and has the same cause."""
    status = Status.FAILED if wall.status is Status.UNKNOWN else wall.status
    message = phrase("Not sent, because the call before it failed. {cause}", cause=wall.message)
    return replace(wall, listing_id=update.listing_id, status=status, message=message)


def check(options: Mapping[str, str]) -> list[str]:
    """What is wrong with the options, in words."""
    problems = []
    if options.get("url"):
        try:
            check_url(options["url"].strip())
        except OutboundError as error:
            problems.append(phrase("url: {problem}", problem=error))
    else:
        blank = phrase("give the address that receives the updates, as in https://shop.example/hook.")
        problems.append(phrase("url: {problem}", problem=blank))
    problems += _check_secret(options.get("secret", ""))
    problems += _check_number(options, "timeout", LONGEST_SECONDS)
    problems += _check_number(options, "batch", LARGEST_BATCH)
    return problems


def check_reach(options: Mapping[str, str], allow: Iterable[Network]) -> list[str]:
    """Say at once what sending would say later: that the address, as it is spelt, is none this server sends to.

    Names are looked up when something is sent, and only then: what they lead to can change.
    """
    try:
        host = check_url(options.get("url", "").strip()).host
    except OutboundError:
        return []  # `check` says so
    address = written_out(host)
    reason = why_refused(address, allow) if address is not None else None
    return [phrase("url: {problem}", problem=refusal(host, reason))] if reason else []


def _check_secret(text: str) -> list[str]:
    if not text.strip():
        blank = phrase("give the secret that signs the messages; the receiver needs the same one.")
        return [phrase("secret: {problem}", problem=blank)]
    for secret in split_secrets(text):
        try:
            secret_bytes(secret)
        except ValueError as error:
            return [phrase("secret: {problem}", problem=error)]
    return []


def _check_number(options: Mapping[str, str], name: str, most: int) -> list[str]:
    value = options.get(name, "").strip()
    if not value or (value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= most):
        return []
    return [phrase("{option}: {value} is not a whole number from 1 to {n}.", option=name, value=repr(value), n=most)]


KIND = Kind(
    name="webhook",
    title=phrase("Webhook"),
    summary=phrase("Sends each change at once as a signed message to an address of yours."),
    options=(
        Option(
            "url", phrase("Address"), phrase("Where the messages go, as in https://shop.example/hook."), required=True
        ),
        Option(
            "secret",
            phrase("Signing secret"),
            phrase("Standard Webhooks secret (whsec_…) or any text. To change it, give the new one and the old one."),
            required=True,
            secret=True,
            suggest=new_secret,
        ),
        Option(
            "timeout",
            phrase("Seconds to wait"),
            phrase("For the whole exchange, from 1 to 30."),
            default=str(DEFAULT_SECONDS),
        ),
        Option("batch", phrase("Listings per message"), phrase("From 1 to 1000."), default=str(DEFAULT_BATCH)),
    ),
    check=check,
)
