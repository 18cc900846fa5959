"""Signing in: which browsers are signed in, and how long somebody waits who keeps typing a wrong password."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.errors import phrase, phrases
from webapp.models.accounts import Actor, SeenForm, SignIn, SignInTry, User
from webapp.services import audit

LASTS = timedelta(hours=12)
LASTS_REMEMBERED = timedelta(days=30)
FREE = 5  # tries for one account from one address before the first wait
FREE_IN_ALL = 20  # tries for one account from strange addresses, or from one address for all accounts
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
FORGOTTEN = timedelta(hours=1)  # after so much quiet, counting begins again
KNOWN = timedelta(days=30)  # an address stays known to an account that signed in from it
_SIGNED_IN = (
    select(User)
    .join(SignIn, SignIn.user_id == User.id)
    .where(SignIn.key == bindparam("key"), SignIn.ends_at > bindparam("now"))
    .where(User.fs_uniquifier == bindparam("uniquifier"))
)
DOOR = Actor(None, phrase("Sign-in"), is_person=False)


# ---- browsers that are signed in -------------------------------------------------------------------------


def begin(session: Session, user: User, *, now: datetime, remembered: bool = False) -> str:
    """Note that a browser signed in, and give what its cookie says; only a digest of that is kept."""
    session.execute(delete(SignIn).where(SignIn.ends_at < now))
    session.execute(delete(SignInTry).where(SignInTry.last_at < now - KNOWN))
    session.execute(delete(SeenForm).where(SeenForm.at < now - LASTS_REMEMBERED))  # no browser has such a form any more
    key = secrets.token_urlsafe(32)
    ends_at = now + (LASTS_REMEMBERED if remembered else LASTS)
    session.add(SignIn(key=_digest(key), user_id=user.id, started_at=now, ends_at=ends_at))
    session.flush()
    return f"{user.fs_uniquifier}.{key}"


def person(session: Session, uniquifier: str, key: str, *, now: datetime) -> User | None:
    """Who is signed in, in the browser with this key; None when its row has gone, or is another person's."""
    return session.scalar(_SIGNED_IN, {"uniquifier": uniquifier, "key": _digest(key), "now": now})


def end(session: Session, key: str) -> None:
    """Sign one browser out; whoever has copied its cookie is out as well."""
    session.execute(delete(SignIn).where(SignIn.key == _digest(key)))


def browsers(session: Session, user: User, *, now: datetime) -> int:
    """In how many browsers a person is signed in."""
    mine = select(func.count()).select_from(SignIn).where(SignIn.user_id == user.id, SignIn.ends_at > now)
    return session.scalar(mine) or 0


def end_others(session: Session, user: User, key: str) -> int:
    """Sign a person out of every browser but the one with this key; gives of how many."""
    others = delete(SignIn).where(SignIn.user_id == user.id, SignIn.key != _digest(key))
    ended = int(session.execute(others).rowcount)  # type: ignore[attr-defined]  # a delete counts its rows
    if ended:
        words = phrases("Signed out of {n} browser.", "Signed out of {n} browsers.", ended)
        audit.record(session, user.actor, "user.signed_out", f"user {user.email}", words)
    return ended


# ---- wrong passwords -------------------------------------------------------------------------------------


def knock(session: Session, account: str, address: str, *, now: datetime) -> timedelta:
    """Count a try before its password is looked at; gives how long to wait instead, zero when it may go on.

    The counters are locked until the commit, so that tries at the same moment are counted one by one. A try that has
    to wait should be rolled back: waiting never makes the wait longer. Strange addresses that try an account too
    often wait all together; an address from which the account signed in before does not wait with them, so that
    nobody is locked out by somebody else.
    """
    *counted, known = _keys(account, address)
    rows = [_locked(session, key, now) for key in counted]
    friend = session.get(SignInTry, known)
    judged = rows[:2] if friend is not None and friend.last_at > now - KNOWN else rows
    left = max((row.wait_until - now for row in judged if row.wait_until is not None), default=timedelta(0))
    if left > timedelta(0):
        return left
    for row, free in zip(rows, (FREE, FREE_IN_ALL, FREE_IN_ALL), strict=True):
        _count(row, free, now)
    if rows[0].failures == FREE:
        _tell(session, account, address)
    session.flush()
    return timedelta(0)


def _count(row: SignInTry, free: int, now: datetime) -> None:
    row.failures = 1 if row.last_at < now - FORGOTTEN else row.failures + 1
    over = row.failures - free
    row.last_at = now
    row.wait_until = None if over < 0 else now + min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT)


def note_success(session: Session, account: str, address: str, *, now: datetime) -> None:
    """The password was right: that try does not count, and the address is known to the account."""
    pair, *others, known = _keys(account, address)
    session.execute(delete(SignInTry).where(SignInTry.key == pair))
    for key in others:
        row = _locked(session, key, now)
        row.failures, row.wait_until = max(0, row.failures - 1), None
    _locked(session, known, now).last_at = now
    session.flush()


def _keys(account: str, address: str) -> Iterator[str]:
    """Names of the counters: this account from this address, the address, the account, and that they know each other.

    Digests, since people type their password into the wrong field now and then.
    """
    name, place = account.strip().lower()[:255], _place(address)
    for parts in (("pair", name, place), ("address", place), ("account", name), ("known", name, place)):
        yield _digest("\n".join(parts))


def _place(address: str) -> str:
    """What one computer calls itself: its IPv4 address, or the network of its IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _locked(session: Session, key: str, now: datetime) -> SignInTry:
    """The counter, locked until the commit; made when it is new."""
    row = session.get(SignInTry, key, with_for_update=True, populate_existing=True)
    if row is not None:
        return row
    try:
        with session.begin_nested():
            row = SignInTry(key=key, failures=0, last_at=now)
            session.add(row)
            session.flush()
        return row
    except IntegrityError:  # somebody made it in this very moment
        return session.get_one(SignInTry, key, with_for_update=True, populate_existing=True)


def _tell(session: Session, account: str, address: str) -> None:
    """Leave a trace of who has to wait; names that are no account may be passwords, and are not written down."""
    user = session.scalar(select(User).where(User.email == account.strip().lower()))
    if user is not None:
        words = phrase(
            "{count} tries to sign in as {email} from {address}: the next ones have to wait.",
            count=FREE,
            email=user.email,
            address=address,
        )
        audit.record(session, DOOR, "user.throttled", f"user {user.email}", words)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
