"""Requests that no page sends are refused with a sentence, and change nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from webapp.db import unit_of_work
from webapp.models import Channel, User
from webapp.models.catalog import Product

TOO_LARGE = 2**63
OWN = {"theme": "dark"}


def theme(app) -> str:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(select(User.theme).where(User.email == "bob@example.com"))


def rows(app, model) -> int:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(model))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
def test_a_form_that_another_site_sends_is_refused(app, browse, headers):
    answer = browse("bob").post("/settings", data=OWN, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert theme(app) == "auto"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://behind.example"}],
)
def test_a_form_of_our_own_is_taken(app, browse, headers):
    assert browse("bob").post("/settings", data=OWN, headers=headers).status_code == 303
    assert theme(app) == "dark"


@pytest.mark.parametrize(
    "address",
    [
        f"/review/{TOO_LARGE}",
        f"/products/{TOO_LARGE}",
        f"/connectors/{TOO_LARGE}",
        f"/sync/history/{TOO_LARGE}",
        f"/import/{10**40}",
        f"/activity?before={TOO_LARGE}",
        f"/pairs?after={TOO_LARGE}",
        f"/sync/history?before={10**40}",
    ],
)
def test_a_number_that_no_row_can_have_breaks_no_page(app, browse, address):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert browse("alice").get(address).status_code < 500


def test_a_character_that_cannot_be_saved_is_refused(app, browse):
    alice = browse("alice")
    before = rows(app, Product), rows(app, Channel)
    for address, form in (
        ("/products/new", {"sku": "a\0b", "title": "Cup"}),
        ("/connectors/new", {"kind": "file", "name": "a\0b"}),
    ):
        answer = alice.post(address, data=form)
        assert answer.status_code == 422
        assert "cannot be saved" in answer.text
    assert alice.get("/products?q=%00").status_code == 422
    assert (rows(app, Product), rows(app, Channel)) == before


@pytest.mark.parametrize("name", ["a\nb", "\u202eevil", "a\x1bb"])
def test_a_channel_has_no_hidden_characters_in_its_name(app, browse, name):
    before = rows(app, Channel)
    answer = browse("alice").post("/connectors/new", data={"kind": "file", "name": name})
    assert answer.status_code == 422
    assert "hidden character" in answer.text
    assert rows(app, Channel) == before


@pytest.mark.parametrize("email", ["<script>@example.com", "a\x1b@example.com", "a\tb@example.com", "a,b@example.com"])
def test_an_account_has_an_address_that_mail_can_reach(app, browse, email):
    before = rows(app, User)
    assert browse("alice").post("/settings/people", data={"email": email, "role": "viewer"}).status_code == 422
    assert rows(app, User) == before
