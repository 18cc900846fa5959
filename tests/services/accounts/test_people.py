"""Passwords and e-mail addresses: what is taken and what is refused, in words."""

from __future__ import annotations

import pytest

from webapp.errors import Conflict, Forbidden, Refused
from webapp.models.accounts import COMMAND_LINE, Role
from webapp.services import accounts

GOOD = "four unrelated words here"


def hashed(password: str) -> str:
    return "h:" + password


@pytest.mark.parametrize("password", [GOOD, "пароль из слов", "x" * 5 + "abcdefgh", " spaces at both ends "])
def test_long_passwords_of_any_letters_are_taken_as_they_are(password):
    assert accounts.checked_password(password, "ana@example.com") == password


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaaaa", "password1234", "anaana@example.com"[3:]])
def test_short_common_and_guessable_passwords_are_refused(password):
    with pytest.raises(Refused):
        accounts.checked_password(password, "ana@example.com")


@pytest.mark.parametrize("text", ["", "ana", "@example.com", "ana@host", "a b@example.com", "a" * 250 + "@example.com"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Refused, match="e-mail"):
        accounts.normal_email(text)


def test_an_address_has_one_spelling(session):
    accounts.add_user(session, " Ana@Example.com", Role.EDITOR, by=COMMAND_LINE, hash_password=hashed)
    with pytest.raises(Conflict):
        accounts.add_user(session, "ana@example.COM ", Role.EDITOR, by=COMMAND_LINE, hash_password=hashed)


def test_only_the_digest_of_a_code_is_kept_and_it_works_once(session):
    accounts.add_user(session, "ana@example.com", Role.EDITOR, by=COMMAND_LINE, hash_password=hashed)
    code = accounts.new_setup_code(session, "ana@example.com")
    for wrong in (code + "x", "", code[:-1]):
        with pytest.raises(Forbidden):
            accounts.redeem(session, "ana@example.com", wrong, GOOD, hash_password=hashed)
    assert accounts.redeem(session, "ana@example.com", code, GOOD, hash_password=hashed).password == hashed(GOOD)
    with pytest.raises(Forbidden):
        accounts.redeem(session, "ana@example.com", code, GOOD, hash_password=hashed)


def test_a_code_of_one_person_opens_nobody_elses_account(session):
    for name in ("ana", "ben"):
        accounts.add_user(session, f"{name}@example.com", Role.EDITOR, by=COMMAND_LINE, hash_password=hashed)
    code = accounts.new_setup_code(session, "ana@example.com")
    with pytest.raises(Forbidden):
        accounts.redeem(session, "ben@example.com", code, GOOD, hash_password=hashed)
