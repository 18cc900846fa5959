"""The single keys of the screens, and those that a person puts in their place (WCAG 2.2, 2.1.4).

A key has a meaning, which is its letter when nobody moved it; the pages know meanings only. Enter, Space, the numbers,
the arrows, `?` and the keys of the menu, which begin with `g`, stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from webapp.errors import NotFound, Refused, phrase
from webapp.models.accounts import Actor, User
from webapp.services import audit

MEANINGS = {
    "a": phrase("Link, or keep a pair"),
    "x": phrase("None of these, or no match"),
    "s": phrase("Skip"),
    "n": phrase("Add to catalogue, or a new one"),
    "i": phrase("Ignore this listing"),
    "c": phrase("Compare the next suggestion"),
    "v": phrase("Look at the other variants"),
    "z": phrase("Undo"),
    "j": phrase("Next listing or row"),
    "k": phrase("Previous listing or row"),
    "/": phrase("Search"),
    "u": phrase("Unlink the row"),
    "e": phrase("Auto-sync on or off, or edit"),
    "o": phrase("Open the listing, or available or not"),
    "y": phrase("Synchronise"),
    "r": phrase("Start the review"),
}
MENU = "g"


def problems(typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the keys that were typed for meanings: a sentence each, which names the other meaning."""
    wrong: dict[str, str] = {}
    chosen = {meaning: _normal(typed.get(meaning, meaning)) for meaning in MEANINGS}
    for meaning, key in chosen.items():
        others = [other for other, same in chosen.items() if same == key and other != meaning]
        if key != meaning and not _is_letter(key):
            wrong[meaning] = phrase("“{key}” is not one letter. Type a letter, for example L.", key=key[:20])
        elif key == MENU:
            wrong[meaning] = phrase("G begins the keys of the menu, such as G R. Choose another letter.")
        elif others:
            wrong[meaning] = phrase(
                "{key} is chosen twice, also for: {label}.", key=key.upper(), label=MEANINGS[others[0]]
            )
    return wrong


def change(session: Session, user_id: int, typed: Mapping[str, str], *, by: Actor) -> dict[str, str]:
    """Put letters in the place of a person's keys; a meaning that is not named gets its own back, so {} restores all.

    Gives meaning → letter for those that differ. Raises Refused with the first of `problems`.
    """
    if wrong := problems(typed):
        raise Refused(next(iter(wrong.values())))
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound(phrase("There is no such account."))
    moved = {m: key for m in MEANINGS if (key := _normal(typed.get(m, m))) != m}
    if moved != user.own_keys:
        before, user.own_keys = user.own_keys, moved
        words = phrase("Changed the keys of {email}.", email=user.email)
        audit.record(session, by, "user.keys", f"user {user.email}", words, before=before, after=moved)
    return moved


def printed(moved: Mapping[str, str], key: str) -> str:
    """The key as this person presses it: `shift+a` is `shift+l` for whoever moved `a` to `l`."""
    before, plus, last = key.rpartition("+")
    return f"{before}{plus}{moved.get(last, last)}" if before in {"", "shift"} else key


def meant(moved: Mapping[str, str]) -> str:
    """For the script of the page: pairs of a pressed letter and its meaning, `-` where it means nothing any more."""
    pressed = {key: meaning for meaning, key in moved.items()}
    return " ".join(f"{key}{pressed.get(key, '-')}" for key in dict.fromkeys([*pressed, *moved]))


def _is_letter(key: str) -> bool:
    """Whether it is one letter of any alphabet that has capitals: with Shift some keys mean more."""
    return len(key) == 1 and key.isalpha() and key.upper() != key and len(key.upper()) == 1


def _normal(key: str) -> str:
    return key.strip().lower()
