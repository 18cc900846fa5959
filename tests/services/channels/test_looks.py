"""Connectors are looked at by themselves: at a quiet interval, by one worker at a time, and never while paused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Channel
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import channel_looks, channels


@pytest.fixture
def alpha(context, settings, stub):
    """A webhook channel to the stub, and one that writes files; gives their ids."""
    with unit_of_work() as session:
        make = Make(session, settings)
        hook = make.channel("Hook", "webhook", options={"url": stub.url, "secret": "s" * 32})
        return hook.id, make.channel("Files", "file").id


def found(channel_id: int) -> Channel:
    with unit_of_work(read_only=True) as session:
        return session.get_one(Channel, channel_id)


def test_each_is_looked_at_once_and_again_after_ten_minutes(alpha, settings, stub):
    assert tasks.look_at_channels(settings) == 2
    assert [(found(i).fault, found(i).looked_at is not None) for i in alpha] == [("", True)] * 2
    assert tasks.look_at_channels(settings) == 0
    with unit_of_work(read_only=True) as session:
        assert not channel_looks.due(session, now=utc_now() + timedelta(minutes=9))
        assert channel_looks.due(session, now=utc_now() + timedelta(minutes=11))
    assert stub.arrivals == []  # nothing is ever sent by it


def test_what_is_wrong_is_remembered_until_it_is_well_again(alpha, settings, stub):
    stub.stop()
    with unit_of_work(read_only=True) as session:
        hook = session.get_one(Channel, alpha[0])
    assert "No connection to 127.0.0.1" in tasks.look_at_channel(settings, hook)
    assert "Updates wait" in found(alpha[0]).fault
    assert found(alpha[0]).paused_at is None  # a look stops nothing
    with unit_of_work() as session:
        files = session.get_one(Channel, alpha[1])
    assert tasks.look_at_channel(settings, files) == ""


def test_a_paused_connector_is_left_alone(alpha, settings):
    with unit_of_work() as session:
        channels.pause(session, channels.by_id(session, alpha[0], lock=True), True, by=COMMAND_LINE)
    assert tasks.look_at_channels(settings) == 1
    assert found(alpha[0]).looked_at is None


def test_another_worker_does_not_look_at_what_is_being_looked_at(alpha):
    with unit_of_work() as session:
        first = channel_looks.claim(session, now=utc_now())
    with unit_of_work() as session:
        second = channel_looks.claim(session, now=utc_now())
        assert {first.id, second.id} == set(alpha)
        assert channel_looks.claim(session, now=utc_now()) is None


def test_a_connector_that_was_changed_meanwhile_is_looked_at_again(alpha, settings):
    with unit_of_work() as session:
        hook = channel_looks.claim(session, now=utc_now())
    with unit_of_work() as session:
        changed = channels.by_id(session, hook.id, lock=True)
        channels.change(session, changed, by=COMMAND_LINE, settings=settings, options={"url": "https://new.example/x"})
    with unit_of_work() as session:
        channel_looks.settle(session, hook, "of the former address", now=utc_now())
    assert (found(hook.id).fault, found(hook.id).look_at) == ("", None)


def test_credentials_that_cannot_be_opened_are_named(alpha, settings):
    with unit_of_work() as session:
        hook = session.get_one(Channel, alpha[0])
        hook.secrets = b"sealed with another key"
    assert "Enter them again." in tasks.look_at_channel(settings, hook)
