"""How much of a long piece of work one transaction takes, so that nobody feels it."""

from __future__ import annotations

import gc
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Protocol, Self, TypeVar

from sqlalchemy.orm import Session

from webapp.db import others_wait, unit_of_work

LONG = 0.05  # seconds for which a transaction may hold the lock on SQLite that all writers share; few take twice that
SHORT = 0.003  # the same while people decide: a decision then takes at most twice as long as on a quiet day
PRESSED = 5.0  # seconds after somebody has waited in which others may come
FIRST = 200  # rows of the first transaction, when nothing is known yet
LEAST = 20
LATELY = 3  # transactions of which the slowest counts: a quick one is no promise that the next will be so
RARELY = 50_000  # objects made between two looks for cycles; Python's own 700 cost a third of finding suggestions


class Rows(Protocol):
    """Some rows of a file, in ascending order of their numbers."""

    @property
    def numbers(self) -> Sequence[int]: ...

    def __len__(self) -> int: ...

    def cut(self, start: int, end: int) -> Self: ...


R = TypeVar("R", bound=Rows)


class Pace:
    """Finds the size of the next transaction from the time that those before it have taken.

    most: rows that a transaction shall never exceed. least: rows that cost next to nothing beside the transaction, so
    that fewer would only make more of them. long: seconds that it may take while nobody waits.
    """

    def __init__(
        self, most: int, *, least: int = LEAST, long: float = LONG, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._least, self._long, self._clock = most, min(least, most), long, clock
        self._rates: deque[float] = deque(maxlen=LATELY)
        self.size = min(most, FIRST)
        self._pressed_until = 0.0

    @contextmanager
    def step(self, rows: int, *, bulk: bool = False) -> Iterator[Session]:
        """One transaction that writes so many rows (see unit_of_work), and is measured."""
        with _no_collection(), unit_of_work(bulk=bulk, patient=True) as session:
            begun = self._clock()  # it has the lock from here on
            yield session
            pressed = others_wait(session)
        self.took(rows, self._clock() - begun, pressed=pressed)

    def took(self, rows: int, seconds: float, *, pressed: bool) -> None:
        """Say how long a transaction of so many rows took, and whether somebody waited for its end."""
        now = self._clock()
        if pressed:
            self._pressed_until = now + PRESSED
        goal = SHORT if now < self._pressed_until else self._long
        # A few rows say little, but when they have taken too long: what a transaction costs at least is in them.
        if rows and (seconds > goal or 2 * rows >= self.size):
            self._rates.append(rows / max(seconds, 1e-6))
            self.size = max(min(int(min(self._rates) * goal), 2 * self.size, self._most), self._least)

    def spans(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        """Cut the ids in (low, high] into spans of the same form, each of what one transaction shall take."""
        while low < high:
            upto = min(low + self.size, high)
            yield low, upto
            low = upto

    def portions(self, rows: R, same: Sequence[bool]) -> Iterator[tuple[R, Sequence[bool]]]:
        """Cut rows, with the flags of those that need no writing, into what one transaction shall take.

        Rows with one number stay together: an import that stops goes on behind the last number that it has noted.
        """
        written = list(accumulate(not one for one in same))
        start = before = 0
        while start < len(rows):
            end = min(bisect_left(written, before + self.size, lo=start) + 1, len(rows))
            while end < len(rows) and rows.numbers[end] == rows.numbers[end - 1]:
                end += 1
            yield rows.cut(start, end), same[start:end]
            start, before = end, written[end - 1]


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Look for cycles seldom while many rows or their evidence are made: they have none, and are many to walk."""
    usual = gc.get_threshold()
    gc.set_threshold(max(RARELY, usual[0]), *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Leave garbage until the lock is free again: to look through all that a process has takes a quarter of a second.

    Of several threads at once the one that found the collector at work sets it to work again.
    """
    found = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if found:
            gc.enable()
