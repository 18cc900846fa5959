"""Connectors, rules and settings in the states beside the usual one: somebody was quicker, no permission, an error."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.views.pair_pages import text_of
from webapp.models import Channel, User
from webapp.models.accounts import AuditEntry, Role
from webapp.services import accounts, channels, rules


@pytest.fixture
def two_owners(browse, people, put):
    """Alice, and Bob who owns as well."""
    alice, bob = browse("alice"), browse("bob")
    alice.post(f"/settings/people/{people['bob']}/role", data={"role": "owner"})
    return alice, bob


def seen(page, action):
    """The mark in the form that posts to this address."""
    form = re.search(rf'action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)[0]
    return re.search(r'name="seen" value="([^"]*)"', form)[1]


def test_a_connector_that_somebody_else_changed_meanwhile_keeps_their_values(two_owners, put, look):
    alice, bob = two_owners
    here = f"/connectors/{put(lambda m: m.channel('Alpha').id)}"
    mark = seen(alice.get(here), here)
    assert bob.post(here, data={"mode": "manual", "currency": "MXN", "seen": mark}).status_code == 303
    answer = alice.post(here, data={"mode": "automatic", "currency": "EUR", "seen": mark})
    assert answer.status_code == 409
    assert re.search(r"Bob changed this (just now|\d s ago)\. Nothing of yours was saved; this", text_of(answer))
    assert re.search(r'id="currency"[^>]*value="MXN"', answer.text)
    assert look(lambda s: s.scalar(select(Channel.currency))) == "MXN"
    again = {"mode": "automatic", "currency": "EUR", "seen": seen(answer, here)}
    assert alice.post(here, data=again).status_code == 303  # having seen it, she may
    assert look(lambda s: s.scalar(select(Channel.currency))) == "EUR"


def test_a_secret_that_somebody_else_changed_meanwhile_is_noticed_too(two_owners, put, look):
    alice, bob = two_owners
    options = {"url": "https://shop.example/hook", "secret": "s" * 32}
    here = f"/connectors/{put(lambda m: m.channel('Hook', 'webhook', options=options).id)}"
    mark = seen(alice.get(here), here)
    bob.post(here, data={"mode": "manual", "o-secret": "t" * 32, "seen": mark})
    assert alice.post(here, data={"mode": "manual", "seen": mark}).status_code == 409


@pytest.mark.parametrize("what", ["", "/off"])
def test_a_rule_that_somebody_else_moved_meanwhile_stays_where_they_put_it(app, two_owners, put, look, what):
    alice, _bob = two_owners

    def turned_on(make):
        channel = make.channel()
        channel.rule_from, channel.rule_promise = 95, 95
        return channel.id

    here = f"/rules/{put(turned_on)}"
    mark = seen(alice.get("/rules"), here + what)

    def moved(make):
        channel = make.session.scalar(select(Channel))
        rules.turn_off(make.session, channel, by=make.session.scalar(select(User).where(User.name == "Bob")).actor)

    put(moved)
    answer = alice.post(here + what, data={"line": "90", "promise": "95", "seen": mark})
    assert answer.status_code == 409
    assert re.search(r"Bob changed this (just now|\d s ago)\.", text_of(answer))
    assert "Turn off" not in answer.text
    assert look(lambda s: s.scalar(select(Channel.rule_from))) is None


def test_a_role_that_somebody_else_gave_meanwhile_is_kept(two_owners, people, look):
    alice, bob = two_owners
    address = f"/settings/people/{people['charlie']}/role"
    mark = seen(alice.get("/settings"), address)
    assert bob.post(address, data={"role": "editor", "seen": mark}).status_code == 303
    answer = alice.post(address, data={"role": "owner", "seen": mark})
    assert answer.status_code == 409
    assert re.search(r"Bob changed this (just now|\d s ago)\. Nothing of yours was saved", text_of(answer))
    assert look(lambda s: s.get_one(User, people["charlie"]).role) is Role.EDITOR


def test_an_account_that_somebody_else_closed_meanwhile_is_closed_once(two_owners, people, look):
    alice, bob = two_owners
    assert bob.post(f"/settings/people/{people['charlie']}/close").status_code == 303
    for what, data in (("close", {}), ("role", {"role": "editor"})):
        answer = alice.post(f"/settings/people/{people['charlie']}/{what}", data=data)
        assert answer.status_code == 409
        assert "is closed already." in text_of(answer)
    assert look(lambda s: len(s.scalars(select(AuditEntry).where(AuditEntry.event == "user.closed")).all())) == 1


POSTS = (
    ("/connectors/{channel}", channels, "change", {"mode": "manual"}),
    ("/rules/{channel}/off", rules, "turn_off", {}),
    ("/settings", accounts, "change_own", {"language": "es"}),
)


@pytest.mark.parametrize(("address", "module", "name", "data"), POSTS)
@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ZeroDivisionError(), 500, "This was not saved."),
        (OperationalError("x", None, Exception("database is locked")), 503, "The database is busy."),
    ],
)
def test_what_the_server_could_not_save_says_so_with_a_code(
    app, browse, put, monkeypatch, address, module, name, data, error, status, said
):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    channel = put(lambda m: m.channel().id)

    def fails(*_args, **_more):
        raise error

    monkeypatch.setattr(module, name, fails)
    answer = browse("alice").post(address.format(channel=channel), data=data)
    assert answer.status_code == status
    assert said in text_of(answer)
    assert re.search(r"Code [0-9A-F]{8}", text_of(answer))


@pytest.mark.parametrize(
    "address", ["/connectors/{channel}", "/connectors/{channel}/pause", "/rules/{channel}", "/rules/{channel}/off"]
)
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_who_may_not_is_told_who_can_change_that(browse, put, address, who):
    channel = put(lambda m: m.channel().id)
    answer = browse(who).post(address.format(channel=channel), data={"mode": "manual", "line": "95"})
    assert answer.status_code == 403
    assert "You can look, but not change this." in text_of(answer)
    assert "Alice can change your role." in text_of(answer)
