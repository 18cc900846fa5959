"""What the screens say of connectors that were looked at: well and since when, or what is wrong and what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.views.pair_pages import text_of
from webapp.models import Channel
from webapp.models.base import utc_now


@pytest.fixture
def hook(put, stub):
    return put(lambda m: m.channel("Hook", "webhook", options={"url": stub.url, "secret": "s" * 32}).id)


def looked(put, channel_id, *, minutes=4, fault=""):
    def write(make):
        channel = make.session.get_one(Channel, channel_id)
        channel.looked_at, channel.fault = utc_now() - timedelta(minutes=minutes, seconds=5), fault

    put(write)


def test_a_connector_that_is_well_says_since_when_that_is_known(browse, put, hook):
    assert "Ready" in text_of(browse("bob").get("/connectors"))  # nobody has looked yet
    looked(put, hook)
    assert "Connected checked 4 min ago" in text_of(browse("bob").get("/connectors"))
    page = text_of(browse("alice").get(f"/connectors/{hook}"))
    assert "Webhook, checked 4 min ago" in page


def test_what_is_wrong_stands_beside_it_with_what_to_do(browse, put, hook):
    fault = "No connection to shop.example: it took too long. Updates wait and are sent when it answers again."
    looked(put, hook, fault=fault)
    for page in (browse("bob").get("/connectors"), browse("alice").get(f"/connectors/{hook}")):
        assert "Does not get through" in text_of(page)
        assert fault in text_of(page)


def test_the_button_looks_now_and_sends_nothing(browse, hook, look, stub):
    alice = browse("alice")
    page = alice.post(f"/connectors/{hook}/look", follow_redirects=True)
    assert "Hook is well. Nothing was sent." in text_of(page)
    assert look(lambda s: s.get_one(Channel, hook).looked_at) is not None
    assert stub.arrivals == []
    stub.stop()
    page = alice.post(f"/connectors/{hook}/look", follow_redirects=True)
    assert "No connection to 127.0.0.1" in text_of(page)


def test_only_owners_have_the_button(browse, hook):
    assert browse("bob").post(f"/connectors/{hook}/look").status_code == 403
