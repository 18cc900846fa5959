"""When to try again: the published schedule of Standard Webhooks, and a breaker that spares a channel that is down."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

# Seconds before each send, the first included (Standard Webhooks, "Deliverability and reliability"): about 75 hours.
RETRY_SCHEDULE: tuple[int, ...] = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
LONGEST_RETRY_AFTER = 3_600.0  # A channel may slow us down, but not switch itself off by a typing error.
JITTER = 0.1


def next_delay(made: int, retry_after: float | None = None, *, rng: random.Random) -> float | None:
    """Seconds to wait before the next send when `made` sends were made already; None when the schedule is over.

    The scheduled delay is spread by ±10 %, so that a thousand listings which failed together do not return together.
    `retry_after` (seconds, as the channel said, capped at one hour) is never undercut, only spread upwards.
    Raises ValueError for a negative `made`.
    """
    if made < 0:
        raise ValueError(f"made counts the sends so far and cannot be {made}")
    if made >= len(RETRY_SCHEDULE):
        return None
    delay = RETRY_SCHEDULE[made] * rng.uniform(1 - JITTER, 1 + JITTER)
    if retry_after is None:
        return delay
    return max(delay, min(max(retry_after, 0.0), LONGEST_RETRY_AFTER) * rng.uniform(1, 1 + JITTER))


@dataclass(frozen=True)
class Breaker:
    """Whether a channel may be called at all, from how its last calls went.

    Closed until `THRESHOLD` calls in a row failed; then open until `open_until`; after that one call may try, and its
    result closes the breaker or opens it for twice as long, up to `LONGEST`. A value: each call gives a new one.
    """

    failures: int = 0
    open_until: datetime | None = None

    THRESHOLD = 3
    FIRST = timedelta(seconds=5)
    LONGEST = timedelta(minutes=5)

    def allows(self, now: datetime) -> bool:
        """Whether a call may be made at `now`."""
        return self.open_until is None or now >= self.open_until

    def succeeded(self) -> Breaker:
        """The breaker after a call that the channel answered as it should."""
        return Breaker()

    def failed(self, now: datetime, retry_after: float | None = None) -> Breaker:
        """The breaker after a call that failed; `retry_after` (seconds) opens it at once and for that long."""
        failures = self.failures + 1
        pauses = [timedelta()]
        if failures >= self.THRESHOLD:
            # The exponent is bounded because a channel may stay away for weeks.
            pauses.append(min(self.FIRST * 2 ** min(failures - self.THRESHOLD, 16), self.LONGEST))
        if retry_after is not None:
            pauses.append(timedelta(seconds=min(max(retry_after, 0.0), LONGEST_RETRY_AFTER)))
        pause = max(pauses)
        return Breaker(failures, now + pause if pause else None)
