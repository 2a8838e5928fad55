"""How long to wait before the next attempt."""

from __future__ import annotations

from datetime import timedelta

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=10)
# While the provider does not answer, its account is asked at least this often.
LONGEST_ACCOUNT_WAIT = timedelta(minutes=1)
# A provider that asks for an hour's patience is asked this soon all the same, for what people wrote by hand.
LONGEST_WAIT_BY_HAND = timedelta(minutes=1)


def backoff(attempts: int, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """The wait after so many attempts: 1 s, 2 s, 4 s … up to `longest`."""
    doublings = min(max(attempts - 1, 0), 20)
    return min(FIRST_WAIT * (1 << doublings), longest)
