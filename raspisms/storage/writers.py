"""Whose turn it is to write to a SQLite file: a queue across processes and threads.

SQLite lets whoever asks at the right instant write: a job that writes chunk after chunk starves everybody else.
Here a writer waits at a gate first. Whoever has just written must pass it again, behind the one who waits inside, so
that nobody gets two turns while somebody else gets none. Whoever writes for a person who looks at a page says so, and
the others let them pass; of long jobs (`bulk`) only one at a time stands at the gate. The locks are the kernel's
(flock): a process that dies gives its own back.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from pathlib import Path

# How often each lock is tried: whoever is next must not lose time, the others must not burn it.
TURN_POLL, GATE_POLL, BULK_POLL = 0.0005, 0.001, 0.004
# So long do jobs let people pass: a page that is asked for without an end must not stop them.
COURTESY_SECONDS = 0.2


class Busy(Exception):
    """The turn did not come in time."""


class Lane(Enum):
    """For whom somebody writes."""

    PEOPLE = "people"
    """Somebody waits for the page."""
    JOB = "job"
    BULK = "bulk"
    """A step of a long job, which nobody waits for."""


class Writers:
    """The queue in front of one database file."""

    def __init__(self, database: Path) -> None:
        self._turn, self._gate, self._bulk, self._people = (
            database.with_name(f"{database.name}-{name}") for name in ("turn", "gate", "bulk", "people")
        )

    @contextmanager
    def turn(self, seconds: float, lane: Lane = Lane.JOB) -> Iterator[None]:
        """Wait for the turn, and keep it. Raises Busy after so many seconds."""
        ends = time.monotonic() + seconds
        with ExitStack() as kept:
            if lane is Lane.BULK:
                kept.enter_context(_locked(self._bulk, ends, BULK_POLL))
            with ExitStack() as waiting:
                if lane is Lane.PEOPLE:
                    waiting.enter_context(_locked(self._people, ends, GATE_POLL, shared=True))
                else:
                    self._let_people_pass(ends)
                waiting.enter_context(_locked(self._gate, ends, GATE_POLL))
                kept.enter_context(_locked(self._turn, ends, TURN_POLL))
            yield

    def _let_people_pass(self, ends: float) -> None:
        """Wait while somebody stands at the gate for a person, though not for ever."""
        with suppress(Busy), _locked(self._people, min(ends, time.monotonic() + COURTESY_SECONDS), GATE_POLL):
            pass


@contextmanager
def _locked(path: Path, ends: float, poll: float, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock of the kernel's; where no file can be made for it, SQLite's own must do."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        while True:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise Busy from None
                time.sleep(poll)
        yield
    finally:
        os.close(handle)
