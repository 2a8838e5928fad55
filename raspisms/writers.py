"""Whose turn it is to write to a SQLite file: a queue across processes and threads.

SQLite lets whoever asks at the right instant write: a job that writes chunk after chunk starves everybody else.
Here a writer waits at a turnstile first. Whoever has just written must pass it again, behind the one who waits
inside, so that nobody gets two turns while somebody else gets none; and of long jobs (`bulk`) only one at a time
stands there with the people who wait for a page. The locks are the kernel's (flock): a process that dies gives its
own back.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# How often each gate is tried: whoever is next must not lose time, the others must not burn it.
TURN_POLL, GATE_POLL, BULK_POLL = 0.0005, 0.001, 0.004


class Busy(Exception):
    """The turn did not come in time."""


class Writers:
    """The queue in front of one database file."""

    def __init__(self, database: Path) -> None:
        self._turn, self._gate, self._bulk = (
            database.with_name(f"{database.name}-{name}") for name in ("turn", "gate", "bulk")
        )

    @contextmanager
    def turn(self, seconds: float, *, bulk: bool = False) -> Iterator[None]:
        """Wait for the turn, and keep it. Raises Busy after so many seconds."""
        ends = time.monotonic() + seconds
        with ExitStack() as kept:
            if bulk:
                kept.enter_context(_locked(self._bulk, ends, BULK_POLL))
            with _locked(self._gate, ends, GATE_POLL):
                kept.enter_context(_locked(self._turn, ends, TURN_POLL))
            yield


@contextmanager
def _locked(path: Path, ends: float, poll: float) -> Iterator[None]:
    """Hold a lock of the kernel's; where no file can be made for it, SQLite's own must do."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise Busy from None
                time.sleep(poll)
        yield
    finally:
        os.close(handle)
