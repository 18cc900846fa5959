"""The door: a cookie is worth what its row is worth, and wrong passwords make the next try wait."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from sqlalchemy import func, select, update

from webapp.db import unit_of_work
from webapp.models import AuditEntry, SignIn, SignInTry, User
from webapp.models.accounts import COMMAND_LINE, Role, SeenForm
from webapp.models.base import utc_now
from webapp.services import accounts, sign_in

GOOD, OTHER = "four unrelated small words", "five other unrelated small words"


@pytest.fixture
def dora(app: Flask) -> str:
    """Somebody with a real password."""
    with app.app_context(), unit_of_work() as session:
        accounts.add_user(
            session, "dora@example.com", Role.EDITOR, by=COMMAND_LINE, password=GOOD, hash_password=hash_password
        )
    return "dora@example.com"


def enter(
    browser: FlaskClient, email: str = "dora@example.com", password: str = GOOD, address: str = "10.0.0.1", **form: str
):
    data = {"email": email, "password": password, **form}
    return browser.post("/login", data=data, environ_overrides={"REMOTE_ADDR": address})


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/settings").status_code == 200


def copy_of(app: Flask, browser: FlaskClient) -> FlaskClient:
    """Another browser with the same cookies, as a thief has them."""
    thief = app.test_client()
    for cookie in browser._cookies.values():
        thief.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
    return thief


@pytest.mark.parametrize("form", [{}, {"remember": "y"}], ids=["session", "stay signed in"])
def test_a_copied_cookie_is_worth_nothing_after_signing_out(app, dora, form):
    browser, other = app.test_client(), app.test_client()
    assert enter(browser, **form).status_code == 302
    assert enter(other).status_code == 302
    thief = copy_of(app, browser)
    assert is_in(thief)
    assert browser.post("/logout").status_code == 302
    assert not is_in(browser)
    assert not is_in(thief)
    assert is_in(other), "signing out in one browser signed the other one out"


def test_staying_signed_in_outlives_the_session_cookie_and_not_the_row(app, dora):
    browser = app.test_client()
    enter(browser, remember="y")
    browser.delete_cookie("pairbook")
    assert is_in(browser)
    with app.app_context(), unit_of_work() as session:
        days = session.scalar(select(SignIn.ends_at)) - utc_now()
        assert timedelta(days=29) < days < timedelta(days=31)
        session.execute(update(SignIn).values(ends_at=utc_now()))
    assert not is_in(browser)


def test_a_sign_in_ends_by_itself_after_half_a_day(app, dora):
    browser = app.test_client()
    enter(browser)
    with app.app_context(), unit_of_work() as session:
        assert timedelta(hours=11) < session.scalar(select(SignIn.ends_at)) - utc_now() <= timedelta(hours=12)
        session.execute(update(SignIn).values(ends_at=utc_now() - timedelta(seconds=1)))
    assert not is_in(browser)


def test_a_person_ends_the_other_sign_ins_and_nobody_elses(app, browse, dora):
    browser, other, third = (app.test_client() for _ in range(3))
    for one in (browser, other, third):
        enter(one, remember="y")
    assert "You are signed in on 2 other browsers too." in browser.get("/settings").text
    assert browser.post("/settings/sign-out-others").status_code == 303
    assert [is_in(one) for one in (browser, other, third)] == [True, False, False]
    page = browser.get("/settings").text
    assert "other browser" not in page.replace("Signed out of 2 other browsers.", "")
    assert is_in(browse("bob")), "somebody else was signed out"


def test_a_new_password_signs_every_other_browser_out(app, dora):
    browser, other = app.test_client(), app.test_client()
    enter(browser, remember="y")
    enter(other, remember="y")
    form = {"password": GOOD, "new_password": OTHER, "new_password_confirm": OTHER}
    assert browser.post("/change", data=form).status_code == 302
    assert is_in(browser)
    assert not is_in(other)


def test_closing_an_account_ends_every_browser_of_it(app, browse, dora):
    mine = [app.test_client(), app.test_client()]
    for browser in mine:
        enter(browser, remember="y")
    with app.app_context(), unit_of_work(read_only=True) as session:
        number = session.scalar(select(User.id).where(User.email == dora))
    browse("alice").post(f"/settings/people/{number}/close")
    assert [is_in(browser) for browser in mine] == [False, False]
    assert enter(app.test_client()).status_code == 200


def test_the_cookie_changes_with_the_sign_in_and_only_digests_are_kept(app, dora):
    browser = app.test_client()
    keys = []
    for _ in range(2):
        enter(browser)
        with browser.session_transaction() as cookie:
            keys.append(cookie["_user_id"])
        browser.post("/logout")
    assert keys[0] != keys[1]
    enter(browser)
    with app.app_context(), unit_of_work(read_only=True) as session, browser.session_transaction() as cookie:
        (kept,) = session.scalars(select(SignIn.key))
        assert kept not in cookie["_user_id"]
        assert cookie["_user_id"].partition(".")[2] not in kept


@pytest.mark.parametrize("value", ["doradoradoradora", "x.y", ".", "", "no-such.key"])
def test_a_cookie_without_a_row_is_no_sign_in(app, people, value):
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update({"_user_id": value, "_fresh": True})
    assert not is_in(browser)


# ---- wrong passwords -------------------------------------------------------------------------------------


def later(app: Flask, **time: float) -> None:
    """Let time pass for the counters."""
    with app.app_context(), unit_of_work() as session:
        for row in session.scalars(select(SignInTry)):
            row.last_at -= timedelta(**time)
            if row.wait_until is not None:
                row.wait_until -= timedelta(**time)


def guess(app: Flask, times: int, **more: str) -> None:
    for number in range(times):
        assert enter(app.test_client(), password=f"wrong password {number}", **more).status_code == 200


def test_after_five_wrong_passwords_the_next_try_has_to_wait_and_then_may_go_on(app, dora):
    guess(app, 5)
    refused = enter(app.test_client())
    assert refused.status_code == 429
    assert "Too many wrong passwords." in refused.text
    assert "Nobody is locked out" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 5
    assert f"Wait {refused.headers['Retry-After']} second" in refused.text
    later(app, seconds=5)
    assert enter(app.test_client()).status_code == 302


def test_waiting_grows_to_five_minutes_and_not_further(app, dora):
    guess(app, 4)
    waits = []
    for _ in range(9):
        guess(app, 1)
        waits.append(int(enter(app.test_client()).headers["Retry-After"]))
        assert int(enter(app.test_client()).headers["Retry-After"]) <= waits[-1], "asking again made it longer"
        later(app, minutes=5)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    later(app, hours=1)
    guess(app, 5)
    assert enter(app.test_client()).headers["Retry-After"] == "5"


def test_other_people_and_other_addresses_do_not_wait(app, dora):
    with app.app_context(), unit_of_work() as session:
        accounts.add_user(
            session, "eve@example.com", Role.VIEWER, by=COMMAND_LINE, password=GOOD, hash_password=hash_password
        )
    guess(app, 5)
    assert enter(app.test_client(), "eve@example.com").status_code == 302
    assert enter(app.test_client(), address="10.0.0.2").status_code == 302
    assert enter(app.test_client(), "DORA@example.com ").status_code == 429, "another spelling of the same account"


def test_one_address_that_tries_many_accounts_waits(app, dora):
    for number in range(20):
        guess(app, 1, email=f"somebody{number}@example.com")
    assert enter(app.test_client()).status_code == 429
    assert enter(app.test_client(), address="10.0.0.2").status_code == 302


def test_many_addresses_that_try_one_account_wait_but_its_owner_does_not(app, dora):
    assert enter(app.test_client(), address="10.9.9.9").status_code == 302
    for number in range(20):
        guess(app, 1, address=f"10.1.0.{number}")
    assert enter(app.test_client(), address="10.1.0.99").status_code == 429
    assert enter(app.test_client(), address="10.9.9.9").status_code == 302


def test_addresses_of_one_ipv6_network_count_as_one(app, dora):
    for number in range(5):
        guess(app, 1, address=f"2001:db8::{number + 1}")
    assert enter(app.test_client(), address="2001:db8::99").status_code == 429
    assert enter(app.test_client(), address="2001:db8:0:1::1").status_code == 302


def test_a_right_password_takes_the_count_back(app, dora):
    for _ in range(3):
        guess(app, 4)
        assert enter(app.test_client()).status_code == 302


def test_a_password_asked_for_inside_is_counted_as_well(app, dora):
    browser = app.test_client()
    enter(browser)
    form = {"password": "wrong", "new_password": OTHER, "new_password_confirm": OTHER}
    for _ in range(5):
        assert browser.post("/change", data=form).status_code == 200
    assert browser.post("/change", data=form | {"password": GOOD}).status_code == 429
    assert browser.get("/settings").status_code == 200


def test_guessing_leaves_a_trace_for_accounts_and_none_for_what_may_be_a_password(app, dora):
    guess(app, 5)
    guess(app, 5, email="a-password-in-the-wrong-field@example.com", address="10.0.0.3")
    with app.app_context(), unit_of_work(read_only=True) as session:
        (line,) = session.scalars(select(AuditEntry).where(AuditEntry.event == "user.throttled"))
        assert "dora@example.com from 10.0.0.1" in line.sentence
        assert all("password" not in key for key in session.scalars(select(SignInTry.key)))


def test_json_is_no_way_around_the_count(app, dora):
    browser = app.test_client()
    assert browser.post("/login", json={"email": dora, "password": GOOD}).status_code == 415
    for _ in range(5):
        browser.post("/login", data={"email": dora, "password": "no"}, headers={"Accept": "application/json"})
    assert browser.post("/login", data={"email": dora, "password": GOOD}).status_code == 429


def test_old_counters_and_ended_sign_ins_are_cleared(app, dora):
    guess(app, 5)
    enter(app.test_client(), address="10.0.0.7")
    later(app, days=31)
    with app.app_context(), unit_of_work() as session:
        session.execute(update(SignIn).values(ends_at=utc_now() - timedelta(days=1)))
    enter(app.test_client(), address="10.0.0.8")
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(SignIn)) == 1
        assert session.scalar(select(func.min(SignInTry.last_at))) > utc_now() - timedelta(minutes=1)


def test_forms_that_no_browser_can_have_any_more_are_forgotten(app, dora):
    with app.app_context(), unit_of_work() as session:
        session.add(SeenForm(key="of last month", at=utc_now() - timedelta(days=31)))
        session.add(SeenForm(key="of last week", at=utc_now() - timedelta(days=7)))
    assert enter(app.test_client()).status_code == 302
    with app.app_context(), unit_of_work(read_only=True) as session:
        assert session.scalars(select(SeenForm.key)).all() == ["of last week"]


def test_tries_at_the_same_moment_are_counted_one_by_one(app, dora):
    """Twelve at once from one address: five are looked at, the others wait."""
    statuses: list[int] = []
    gate = threading.Barrier(12)

    def one() -> None:
        gate.wait()
        statuses.append(enter(app.test_client(), password="wrong").status_code)

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 5 + [429] * 7


def test_signing_in_from_a_place_without_an_address_works(app, dora):
    assert enter(app.test_client(), address="").status_code == 302
    assert sign_in._place("not an address") == "not an address"
