"""How far a long job goes in one transaction: people who wait for the write lock must not notice it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

# Well below the tenth of a second that no transaction may last, on a machine that is busy with other things.
SECONDS = 0.02


class Stride:
    """Rows for one transaction: as many as the last ones showed that there is time for."""

    def __init__(self, rows: int = 100, *, most: int = 2_000, seconds: float = SECONDS) -> None:
        self.rows = min(rows, most)
        self._most, self._seconds = most, seconds

    @contextmanager
    def measured(self) -> Iterator[int]:
        """Gives the number of rows to take; what the block takes decides on the next one."""
        begun = monotonic()
        yield self.rows
        took = max(monotonic() - begun, self._seconds / 100)
        self.rows = max(10, min(self._most, int(self.rows * min(2.0, self._seconds / took))))
