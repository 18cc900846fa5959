"""Marketplace accounts: their options, their sealed secrets, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from webapp.errors import Conflict, NotFound, Refused, Unavailable
from webapp.models import SendMode
from webapp.models.accounts import COMMAND_LINE
from webapp.services import channels

HOOK = {"url": "https://shop.example/hook", "secret": "a secret of thirty-two letters ok"}


def connect(session, settings, name="Shop", kind="webhook", **options):
    return channels.connect(session, name, kind, by=COMMAND_LINE, settings=settings, options=options)


def test_secrets_are_sealed_and_open_only_with_the_instances_key(session, settings):
    shop = connect(session, settings, **HOOK)
    assert "secret" not in shop.options
    assert HOOK["secret"].encode() not in (shop.secrets or b"")
    assert channels.open_secrets(shop, settings) == {"secret": HOOK["secret"]}
    with pytest.raises(Unavailable, match="Enter them again"):
        channels.open_secrets(shop, replace(settings, secret_key="another" * 12))


def test_a_missing_secret_is_made(session, settings):
    shop = connect(session, settings, url=HOOK["url"])
    assert channels.open_secrets(shop, settings)["secret"].startswith("whsec_")


@pytest.mark.parametrize(("kind", "mode"), [("file", SendMode.MANUAL), ("demo", SendMode.AUTOMATIC)])
def test_files_are_sent_by_hand_from_the_start(session, settings, kind, mode):
    assert connect(session, settings, kind=kind).mode is mode


@pytest.mark.parametrize(
    ("name", "kind", "options", "words"),
    [
        ("", "file", {}, "name"),
        ("x" * 81, "file", {}, "80"),
        ("Shop", "fax", {}, "no kind"),
        ("Shop", "webhook", {"url": "ftp://x"}, "url"),
        ("Shop", "file", {"format": "pdf"}, "format"),
        ("Shop", "file", {"colour": "red"}, "colour"),
    ],
)
def test_a_bad_account_is_refused_with_the_repair(session, settings, name, kind, options, words):
    with pytest.raises(Refused, match=words):
        connect(session, settings, name, kind, **options)


def test_a_name_is_used_once(session, settings):
    connect(session, settings, **HOOK)
    with pytest.raises(Conflict):
        connect(session, settings, **HOOK)


def test_an_unknown_name_is_answered_with_those_there_are(session, settings):
    connect(session, settings, **HOOK)
    with pytest.raises(NotFound, match="Shop"):
        channels.get(session, "Shoe")


CLOSED = [
    "http://127.0.0.1:9000/hook",
    "http://localhost:9000/hook",
    "http://10.1.2.3/hook",
    "http://192.168.0.7/",
    "http://169.254.169.254/latest/meta-data",
    "http://2130706433/",
    "http://[::1]:8000/",
    "http://[fe80::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://0.0.0.0/",
]


@pytest.mark.parametrize("url", CLOSED)
def test_an_address_inside_is_refused_when_the_connector_is_made_or_moved(session, settings, url):
    closed = replace(settings, outbound_allow=())
    with pytest.raises(Refused, match=r"url: .* does not send to.*PAIRBOOK_OUTBOUND_ALLOW"):
        connect(session, closed, **HOOK | {"url": url})
    shop = connect(session, closed, **HOOK)
    with pytest.raises(Refused, match="does not send to"):
        channels.change(session, shop, by=COMMAND_LINE, settings=closed, options={"url": url})
    assert shop.options["url"] == HOOK["url"]


def test_an_address_inside_is_taken_where_the_setting_allows_it(session, settings):
    open_settings = replace(settings, outbound_allow=(ip_network("10.1.0.0/16"),))
    shop = connect(session, open_settings, **HOOK | {"url": "http://10.1.2.3/hook"})
    assert shop.options["url"] == "http://10.1.2.3/hook"
    with pytest.raises(Refused):
        connect(session, open_settings, "Other", **HOOK | {"url": "http://10.2.2.3/hook"})


def test_a_connector_from_before_the_setting_changed_can_still_be_switched(session, settings):
    shop = connect(session, settings, **HOOK | {"url": "http://127.0.0.1:9000/"})
    closed = replace(settings, outbound_allow=())
    same = {"url": shop.options["url"]}
    channels.change(session, shop, by=COMMAND_LINE, settings=closed, mode=SendMode.MANUAL, options=same)
    assert shop.mode is SendMode.MANUAL
