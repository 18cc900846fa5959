"""Clients of marketplaces: `open_connector` gives the one for a kind of channel, `kinds` lists what there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors import demo, files, webhook
from connectors.base import (
    Connector,
    ConnectorError,
    Kind,
    Limits,
    Option,
    Outcome,
    Status,
    Update,
    price_text,
)
from connectors.outbound import OutboundPolicy, client_for
from connectors.retry import RETRY_SCHEDULE, Breaker, next_delay
from connectors.wording import phrase

__all__ = [
    "RETRY_SCHEDULE",
    "Breaker",
    "Connector",
    "ConnectorError",
    "Kind",
    "Limits",
    "Option",
    "OutboundPolicy",
    "Outcome",
    "Status",
    "Update",
    "check_options",
    "kinds",
    "next_delay",
    "open_connector",
    "price_text",
    "why_no_availability",
]

_KINDS: dict[str, Kind] = {kind.name: kind for kind in (files.KIND, webhook.KIND, demo.KIND)}


def kinds() -> Mapping[str, Kind]:
    """The kinds of channel by name, in the order in which a form offers them."""
    return dict(_KINDS)


def check_options(kind: str, options: Mapping[str, str], outbound: OutboundPolicy | None = None) -> list[str]:
    """What is wrong with the options of a channel, one sentence each that names the option; empty when all is well.

    With `outbound`, an address that this policy closes is wrong as well.
    """
    if kind not in _KINDS:
        kinds = ", ".join(_KINDS)
        return [phrase("There is no kind of channel called {kind}; there are {kinds}.", kind=repr(kind), kinds=kinds)]
    known = _KINDS[kind].options
    names = [option.name for option in known]
    problems = [_unknown(name, kind, names) for name in options if name not in names]
    for option in known:
        value = options.get(option.name, "")
        if option.choices and value and value not in option.choices:
            said = phrase(
                "{option}: {value} is none of {choices}.",
                option=option.name, value=repr(value), choices=", ".join(option.choices),
            )  # fmt: skip
            problems.append(said)
    problems += _KINDS[kind].check(options)
    if outbound is not None and kind == webhook.KIND.name:
        problems += webhook.check_reach(options, outbound.allow)
    return problems


def why_no_availability(kind: str, options: Mapping[str, str]) -> str:
    """Why a channel with these sound options cannot be told "in stock or not" without a number; "" when it can."""
    return files.why_no_availability(options) if kind == files.KIND.name else ""


def _unknown(option: str, kind: str, names: list[str]) -> str:
    if not names:
        return phrase("{option}: a {kind} channel has no such option; it has none.", option=option, kind=kind)
    return phrase(
        "{option}: a {kind} channel has no such option; it has {names}.",
        option=option, kind=kind, names=", ".join(names),
    )  # fmt: skip


def open_connector(
    kind: str, *, channel: str, options: Mapping[str, str], outbound: OutboundPolicy, folder: Path
) -> Connector:
    """A connector for the channel named `channel`.

    `options` as `kinds()[kind].options` describes them (secrets in the clear), `outbound` what the network may
    reach, `folder` where this channel's files go. Opening is cheap and touches neither network nor disk.
    Raises ConnectorError naming every option to repair.
    """
    problems = check_options(kind, options)
    if problems:
        raise ConnectorError(" ".join(problems))
    if kind == webhook.KIND.name:
        return webhook.WebhookConnector(channel, options, client_for(outbound))
    if kind == demo.KIND.name:
        return demo.DemoConnector(channel, folder)
    return files.FileConnector(channel, options, folder)
