"""People, one's own settings, and the trail of what happened."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.factories import Make
from webapp.db import unit_of_work
from webapp.models import User
from webapp.models.accounts import COMMAND_LINE, Role
from webapp.services import accounts, audit, own_keys


def find(app, email: str) -> User | None:
    with app.app_context(), unit_of_work(read_only=True) as session:
        return session.scalar(select(User).where(User.email == email))


def test_settings_are_kept_for_the_person(app, browse):
    bob = browse("bob")
    answer = bob.post("/settings", data={"language": "es", "theme": "dark"})
    assert answer.status_code == 303
    me = find(app, "bob@example.com")
    assert (me.language, me.theme, me.single_keys) == ("es", "dark", False)
    page = bob.get("/settings").text
    assert '<html lang="es" data-theme="dark"' in page
    assert 'data-keys="off"' in page
    assert find(app, "alice@example.com").theme == "auto"


@pytest.mark.parametrize("form", [{"language": "xx", "theme": "auto"}, {"theme": "neon"}])
def test_a_setting_that_there_is_not_is_refused(app, browse, form):
    assert browse("bob").post("/settings", data=form).status_code == 422
    assert find(app, "bob@example.com").theme == "auto"


def moved(**keys: str) -> dict[str, str]:
    """The form of the keys as the page sends it, some of them moved."""
    return {f"key-{meaning}": keys.get(meaning, meaning.upper()) for meaning in own_keys.MEANINGS}


def test_moved_keys_are_kept_printed_and_restored(app, browse):
    bob = browse("bob")
    assert bob.post("/settings/keys", data=moved(n="B", a="l")).status_code == 303
    assert find(app, "bob@example.com").own_keys == {"a": "l", "n": "b"}
    with app.app_context(), unit_of_work() as session:
        Make(session, app.extensions["pairbook_settings"]).product()
    page = bob.get("/products").text
    assert 'data-own-keys="la bn a- n-"' in page
    assert 'data-key="n" aria-keyshortcuts="B"' in page
    assert '<kbd aria-hidden="true">B</kbd>' in page
    assert "data-own-keys" not in browse("alice").get("/products").text
    with app.app_context(), unit_of_work(read_only=True) as session:
        entry = audit.page(session, event="user.keys")[0]
        assert (entry.by_name, entry.before, entry.after) == ("Bob", {}, {"a": "l", "n": "b"})
    assert bob.post("/settings/keys", data=moved(n="B") | {"restore": "1"}).status_code == 303
    assert find(app, "bob@example.com").own_keys == {}
    assert "data-own-keys" not in bob.get("/products").text


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"a": "g"}, ["G begins the keys of the menu, such as G R. Choose another letter."]),
        ({"a": "5"}, ["“5” is not one letter. Type a letter, for example L."]),
        ({"a": "ab"}, ["“ab” is not one letter. Type a letter, for example L."]),
        ({"a": ""}, ["“” is not one letter. Type a letter, for example L."]),
        ({"a": "<b>"}, ["“&lt;b&gt;” is not one letter."]),
        ({"a": "s"}, ["S is chosen twice, also for: Skip.", "S is chosen twice, also for: Link, or keep a pair."]),
    ],
)
def test_a_key_that_cannot_be_is_refused_beside_its_field_and_nothing_is_saved(app, browse, keys, said):
    answer = browse("bob").post("/settings/keys", data=moved(**keys))
    assert answer.status_code == 422
    assert [words for words in said if words not in answer.text] == []
    assert answer.text.count('aria-invalid="true"') == (2 if keys["a"] == "s" else 1)
    assert find(app, "bob@example.com").own_keys == {}


def test_two_keys_may_change_places(app, browse):
    assert browse("bob").post("/settings/keys", data=moved(j="k", k="j", x="ñ")).status_code == 303
    assert find(app, "bob@example.com").own_keys == {"x": "ñ", "j": "k", "k": "j"}


def test_rows_stand_as_close_as_a_person_likes(app, browse):
    bob = browse("bob")
    bob.post("/settings", data={"theme": "auto", "density": "dense"})
    assert 'data-density="dense"' in bob.get("/settings").text
    assert bob.post("/settings", data={"theme": "auto", "density": "none"}).status_code == 422


def test_an_owner_adds_somebody_who_joins_with_a_link_that_works_once(app, browse):
    answer = browse("alice").post("/settings/people", data={"email": "Dora@Example.com", "role": "editor"})
    link = re.search(r"http://127.0.0.1:8000(/join/[^\"]+)", answer.text).group(1).replace("&amp;", "&")
    stranger = browse()
    assert "dora@example.com" in stranger.get(link).text
    assert stranger.post(link, data={"password": "short"}).status_code == 422
    assert stranger.post(link, data={"password": "four unrelated words here"}).status_code == 303
    assert stranger.get("/settings").status_code == 200
    assert find(app, "dora@example.com").role is Role.EDITOR
    assert browse().post(link, data={"password": "another long sentence"}).status_code == 403


def test_a_link_for_others_never_begins_with_what_the_request_says(app, browse):
    form, elsewhere = {"email": "dora@example.com", "role": "editor"}, {"Host": "evil.example"}
    alice = browse("alice")
    alice.set_cookie("pairbook", alice.get_cookie("pairbook").value, domain="evil.example")
    page = alice.post("/settings/people", data=form, headers=elsewhere).text
    assert 'value="http://127.0.0.1:8000/join/' in page
    assert "evil.example" not in page
    assert "PAIRBOOK_PUBLIC_URL" in page


def test_a_new_link_kills_the_older_one(app, browse):
    alice = browse("alice")
    first = re.search(
        r"/join/[^\"?]+", alice.post("/settings/people", data={"email": "d@example.com", "role": "viewer"}).text
    )
    dora = find(app, "d@example.com")
    second = re.search(r"/join/[^\"?]+", alice.post(f"/settings/people/{dora.id}/link").text)
    form = {"password": "four unrelated words here"}
    assert browse().post(f"{first.group(0)}?email=d@example.com", data=form).status_code == 403
    assert browse().post(f"{second.group(0)}?email=d@example.com", data=form).status_code == 303


def test_an_invitation_cannot_replace_a_password(app, browse, people):
    assert browse("alice").post(f"/settings/people/{people['bob']}/link").status_code == 422


@pytest.mark.parametrize(
    ("form", "status"),
    [({"email": "nobody", "role": "editor"}, 422), ({"email": "a@b.example", "role": "king"}, 422),
     ({"email": "bob@example.com", "role": "editor"}, 409)],
)  # fmt: skip
def test_a_person_who_cannot_be_added_is_refused_with_words(browse, form, status):
    answer = browse("alice").post("/settings/people", data=form)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text


def test_a_role_changes_at_once(app, browse, people):
    bob = browse("bob")
    assert bob.get("/connectors/new").status_code == 403
    browse("alice").post(f"/settings/people/{people['bob']}/role", data={"role": "owner"})
    assert bob.get("/connectors/new").status_code == 200


def test_the_last_owner_stays_one(app, browse, people):
    alice = browse("alice")
    assert alice.post(f"/settings/people/{people['alice']}/role", data={"role": "viewer"}).status_code == 422
    assert alice.post(f"/settings/people/{people['alice']}/close").status_code == 422
    assert find(app, "alice@example.com").role is Role.OWNER


def test_a_closed_account_is_signed_out_everywhere_at_once(browse, people):
    bob = browse("bob")
    assert bob.get("/activity").status_code == 200
    browse("alice").post(f"/settings/people/{people['bob']}/close")
    assert bob.get("/activity").status_code == 303


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_people_are_the_business_of_owners(browse, people, who):
    browser = browse(who)
    assert "alice@example.com" not in browser.get("/settings").text
    assert browser.post("/settings/people", data={"email": "x@example.com", "role": "owner"}).status_code == 403
    assert browser.post(f"/settings/people/{people[who]}/role", data={"role": "owner"}).status_code == 403


def test_the_trail_pages_by_key_and_filters_by_event(app, browse):
    with app.app_context(), unit_of_work() as session:
        for number in range(60):
            audit.record(session, COMMAND_LINE, "stock.set", f"product {number}", f"Set <i>{number}</i>.")
        audit.record(session, COMMAND_LINE, "link.unlinked", "batch 1", "Unlinked 3 listings.")
    charlie = browse("charlie")
    first = charlie.get("/activity")
    assert first.text.count("data-row>") == 50
    assert "Set &lt;i&gt;59&lt;/i&gt;." in first.text
    following = re.search(r'href="(/activity\?before=\d+)"', first.text).group(1)
    assert charlie.get(following).text.count("data-row>") == 11
    assert charlie.get("/activity?event=link").text.count("data-row>") == 1
    assert charlie.get("/activity?event=stock.set").text.count("data-row>") == 50
    assert "Nothing here yet." in charlie.get("/activity?event=user").text


def test_the_owner_is_set_up_once(app, browse):
    with app.app_context(), unit_of_work() as session:
        code = accounts.new_setup_code(session)
    stranger = browse()
    form = {"email": "olga@example.com", "password": "four unrelated words here"}
    with app.app_context(), unit_of_work() as session:
        for user in session.scalars(select(User)):
            user.role = Role.EDITOR
    assert stranger.post("/setup/wrong", data=form).status_code == 403
    assert stranger.post(f"/setup/{code}", data=form).status_code == 303
    assert browse().post(f"/setup/{code}", data=form).status_code == 403


def test_the_trail_names_listing_and_product_and_takes_acts_back(app, settings, browse):
    with app.app_context(), unit_of_work() as session:
        m = Make(session, settings)
        bottle = m.product("BTL-1", title="Nomad bottle")
        waits = m.listing("X-1", listing_id="B0XX1", title="NOMAD bottle 750")
        ids = {"product": bottle.id, "listing": waits.id}
    bob = browse("bob")
    bob.post(f"/review/{ids['listing']}/link", data={"product_id": ids["product"]}, headers={"HX-Request": "true"})
    page = bob.get("/activity").text
    assert f'href="/products/{ids["product"]}">Nomad bottle</a>' in page
    assert f'href="/review/{ids["listing"]}">NOMAD bottle 750</a>' in page
    assert "B0XX1" in page
    undo = re.search(r'action="(/undo/\d+)"', page)[1]
    assert "/undo/" not in browse("charlie").get("/activity").text
    answer = bob.post(undo, headers={"Referer": "http://localhost/activity"})
    assert answer.headers["Location"].endswith("/activity")
    page = bob.get("/activity").text
    assert undo not in page
    assert "Taken back" in page


def test_a_link_that_no_longer_works_says_so_before_a_password_is_typed(app, browse):
    nobody = browse()
    for path in ("/setup/wrong", "/join/wrong?email=bob@example.com"):
        page = nobody.get(path)
        assert page.status_code == 403
        assert "This link no longer works" in page.text
        assert "password" not in page.text.split("<main")[1]
    with app.app_context(), unit_of_work() as session:
        accounts.add_user(session, "eve@example.com", Role.VIEWER, by=COMMAND_LINE, hash_password=str)
        code = accounts.new_setup_code(session, "eve@example.com")
    assert "Choose a password" in nobody.get(f"/join/{code}?email=eve@example.com").text
