"""The screens of schedules: which channels, what, how often; cancel and schedule anew behind Edit; the way back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from webapp.db import unit_of_work
from webapp.jobs import tasks
from webapp.models import Every, Schedule
from webapp.models.accounts import COMMAND_LINE
from webapp.models.base import utc_now
from webapp.services import schedules
from webapp.services.schedules import Wish

HTMX = {"HX-Request": "true"}
FORM = {"stock": "1", "every": "15m", "at": "03:00"}


@pytest.fixture
def alpha(put) -> int:
    """A channel with a linked listing that is sent to by hand; gives its id."""
    return put(lambda m: (m.link(), m.manual(m.channel()).id)[1])


@pytest.fixture
def one(put, alpha) -> int:
    """A schedule on it, every 15 minutes."""

    def make(m):
        on = [m.channel()]
        return schedules.add(m.session, on, Wish(True, False, Every.QUARTER), by=COMMAND_LINE, now=utc_now())[0].id

    return put(make)


def every(look) -> list[Schedule]:
    return look(lambda s: list(s.scalars(select(Schedule).order_by(Schedule.id))))


def test_without_a_channel_the_first_step_is_said(browse):
    page = browse("bob").get("/sync/schedules").text
    assert "Connect a channel first." in page
    assert "Schedule a sync" not in re.sub(r"<title>.*?</title>", "", page)


def test_the_empty_list_says_what_a_schedule_is_for(browse, alpha):
    page = browse("bob").get("/sync/schedules").text
    assert "No schedule yet." in page
    assert "/sync/schedules/new" in page
    assert "/sync/schedules/new" not in browse("charlie").get("/sync/schedules").text


def test_the_form_asks_which_what_and_how_often_and_suggests_15_minutes(browse, alpha):
    page = browse("bob").get("/sync/schedules/new").text
    assert f'name="channel" value="{alpha}" checked' in page  # the only one
    assert 'name="stock" value="1" checked' in page
    assert 'name="price" value="1" checked' not in page
    assert '<option value="15m" selected>every 15 minutes</option>' in page
    assert "only what changed is sent" in page


def test_what_is_scheduled_is_listed_and_a_sync_by_hand_is_suggested(browse, put, look, alpha):
    beta = put(lambda m: m.channel("Beta").id)
    bob = browse("bob")
    answer = bob.post("/sync/schedules/new", data={**FORM, "channel": [alpha, beta]})
    assert answer.status_code == 303
    made = every(look)
    assert [(s.channel_id, s.stock, s.price, s.every) for s in made] == [
        (alpha, True, False, Every.QUARTER),
        (beta, True, False, Every.QUARTER),
    ]
    page = bob.get(answer.headers["Location"]).text
    assert "2 syncs are scheduled." in page
    assert "Every 15 minutes, next " in page
    assert "Synchronise once by hand now" in page
    assert f"/connectors/{alpha}/sync" in page
    assert "2 on, 0 paused" in page


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stock": "1", "every": "15m"}, "Choose at least one connector."),
        ({"channel": "1", "every": "15m"}, "Choose what to send: stock, price or both."),
        ({"channel": "1", "stock": "1", "every": "7m"}, "Choose how often."),
        ({"channel": "1", "stock": "1", "every": "night", "at": "25:00"}, "“25:00” is no time. Type it as 03:00."),
    ],
)
def test_a_bad_form_says_what_to_do_and_keeps_what_was_chosen(browse, look, alpha, given, words):
    data = {**given, "channel": alpha} if "channel" in given else given
    answer = browse("bob").post("/sync/schedules/new", data=data)
    assert answer.status_code == 422
    assert words in answer.text
    assert ('name="stock" value="1" checked' in answer.text) == ("stock" in given)
    assert every(look) == []


def test_a_form_posted_twice_schedules_once(browse, look, alpha):
    bob = browse("bob")
    key = re.search(r'name="key" value="([^"]+)"', bob.get("/sync/schedules/new").text)[1]
    bob.post("/sync/schedules/new", data={**FORM, "channel": alpha, "key": key})
    assert bob.post("/sync/schedules/new", data={**FORM, "channel": alpha, "key": key}).status_code == 409
    assert len(every(look)) == 1


def test_another_that_sends_the_same_is_pointed_out(browse, one, alpha):
    bob = browse("bob")
    answer = bob.post("/sync/schedules/new", data={**FORM, "channel": alpha, "every": "1h"})
    page = bob.get(answer.headers["Location"]).text
    assert "This schedule sends the same as “Alpha stock, every 15 minutes”." in page
    assert "Keep both" in page


def test_edit_puts_another_in_its_place_and_keeps_the_old_one(browse, look, one):
    bob = browse("bob")
    assert 'value="15m" selected' in bob.get(f"/sync/schedules/{one}/edit").text
    bob.post(f"/sync/schedules/{one}/edit", data={"stock": "1", "price": "1", "every": "night", "at": "03:10"})
    old, new = every(look)
    assert old.cancelled_at is not None
    assert (new.replaces_id, new.every, new.at, new.price) == (one, Every.NIGHT, "03:10", True)
    page = bob.get("/sync/schedules").text
    assert "Every night at 03:10, next " in page
    assert page.index("Every night at 03:10") < page.index("Cancelled") < page.rindex("every 15 minutes.")


def test_a_cancelled_schedule_comes_back(browse, look, one):
    bob = browse("bob")
    bob.post(f"/sync/schedules/{one}/cancel")
    assert every(look)[0].cancelled_by == "Bob"
    assert f"/sync/schedules/{one}/restore" in bob.get("/sync/schedules").text
    bob.post(f"/sync/schedules/{one}/restore")
    assert every(look)[0].is_on


def test_two_people_at_one_schedule_the_second_is_told_who_was_first(browse, one):
    browse("alice").post(f"/sync/schedules/{one}/cancel")
    bob = browse("bob")
    for act, data in (("cancel", {}), ("pause", {}), ("edit", {**FORM, "every": "1h"})):
        answer = bob.post(f"/sync/schedules/{one}/{act}", data=data)
        assert answer.status_code == 409
        assert "Alice cancelled this schedule meanwhile." in answer.text


def test_the_switch_pauses_and_goes_on_with_and_without_scripts(browse, look, one):
    bob = browse("bob")
    piece = bob.post(f"/sync/schedules/{one}/pause", headers=HTMX)
    assert piece.status_code == 200
    assert f'id="schedule-{one}"' in piece.text
    assert "Paused since" in piece.text
    assert "“Alpha stock, every 15 minutes” is paused." in piece.text
    assert every(look)[0].paused_at is not None
    assert bob.post(f"/sync/schedules/{one}/pause", data={"on": "1"}).status_code == 303
    assert every(look)[0].is_on
    assert "“Alpha stock, every 15 minutes” goes on." in bob.get("/sync/schedules").text


def test_a_viewer_sees_the_schedules_and_no_button(browse, one):
    page = browse("charlie").get("/sync/schedules").text
    assert "Every 15 minutes, next " in page
    assert "/cancel" not in page
    assert 'role="switch"' not in page.split('id="shortcuts"')[0]


def test_what_waits_for_its_channel_says_so(browse, put, one):
    put(lambda m: setattr(m.channel(), "paused_at", utc_now()))
    assert "Waits: Alpha is paused." in browse("bob").get("/sync/schedules").text


def test_its_runs_stand_in_the_history_under_its_name(app, browse, look, one):
    with app.app_context():
        with unit_of_work() as session:
            session.execute(update(Schedule).values(next_at=utc_now() - timedelta(hours=1)))
        assert tasks.run_schedules() == 1
    bob = browse("bob")
    page = bob.get("/sync/history").text
    assert "Schedule, 15 min, late" in page
    assert "1 run in the last 24 hours" in page
    assert "Every 15 minutes, next " in page  # the card beside it
    only = bob.get(f"/sync/history?schedule={one}").text
    assert "Only the runs of one schedule" in only
    assert bob.get("/sync/history?schedule=99").status_code == 404
    run = re.search(r"/sync/history/(\d+)", page)[1]
    assert "late: it was due at" in bob.get(f"/sync/history/{run}").text


def test_a_channel_with_a_schedule_is_said_to_be_told_by_the_clock(browse, one):
    assert "every 15 minutes" in browse("bob").get("/connectors").text


def test_with_a_schedule_the_switch_of_a_pair_means_something_on_a_manual_channel(browse, alpha, put):
    bob = browse("bob")
    assert "Sent by hand" in bob.get("/pairs").text
    assert "Sent by hand" in bob.get("/products").text
    hourly = Wish(True, False, Every.HOUR)
    put(lambda m: schedules.add(m.session, [m.channel()], hourly, by=COMMAND_LINE, now=utc_now()))
    assert "Sent by hand" not in bob.get("/pairs").text
    assert "Sent by hand" not in bob.get("/products").text
    asked = browse("alice").get("/pairs/unsync?match=1&channel=Alpha").text
    assert "The schedule “Alpha stock, every hour” keeps running with the pairs that are left" in asked


def undo_last(browser) -> int:
    """Press the first Undo of the trail; gives the status."""
    found = re.search(r'action="(/activity/\d+/undo)"', browser.get("/activity").text)
    assert found, "the trail offers no undo"
    return browser.post(found[1]).status_code


@pytest.mark.parametrize(
    ("acts", "on"),
    [
        ([], []),
        ([("pause", {})], [True]),
        ([("pause", {}), ("pause", {"on": "1"})], [False]),
        ([("cancel", {})], [True]),
        ([("edit", {**FORM, "every": "1h"})], [True, False]),
        ([("cancel", {}), ("restore", {})], [False]),
        ([("edit", {**FORM, "every": "1h"}), ("restore", {})], [False, True]),
    ],
)
def test_activity_takes_the_last_act_on_a_schedule_back(browse, look, one, acts, on):
    """Also adding it: then it is cancelled, and stays where it can be restored."""
    bob = browse("bob")
    for act, data in acts:
        bob.post(f"/sync/schedules/{one}/{act}", data=data)
    assert undo_last(bob) == 303
    assert [s.is_on for s in every(look)] == (on or [False])


def test_an_act_on_a_schedule_that_was_followed_by_another_is_not_taken_back(browse, look, one):
    bob = browse("bob")
    bob.post(f"/sync/schedules/{one}/pause")
    line = re.search(r'action="(/activity/\d+/undo)"', bob.get("/activity").text)[1]
    bob.post(f"/sync/schedules/{one}/pause", data={"on": "1"})
    answer = bob.post(line)
    assert answer.status_code == 409
    assert "Something else was done to this schedule since." in answer.text
    assert every(look)[0].is_on
    assert "/undo" not in browse("charlie").get("/activity").text
