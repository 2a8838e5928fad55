"""What an address or a form brings, read with care."""

from __future__ import annotations

# What a database can count to; further, there is nothing.
MOST = 2**63 - 1


def whole(text: str) -> int:
    """A whole number that a database can hold: for `type=` where an id is read. Raises ValueError."""
    number = int(text)
    if not -MOST <= number <= MOST:
        raise ValueError("no id is as far away as that")
    return number
