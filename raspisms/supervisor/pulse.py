"""Signs of life: a service writes a byte now and then, and the supervisor replaces one that falls silent.

A pipe needs neither the database nor the queue server nor a disk: what hangs with them does not look alive. Whoever
beats must be what works: the thread that answers pages asks for a page first, the clock beats after a sweep.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import threading
import time
from collections.abc import Callable

BEAT_SECONDS = 5.0
# An answer that takes longer is none.
ANSWER_SECONDS = 15.0


class Pulse:
    """The supervisor's end: made before the fork, read afterwards."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def give(self) -> None:
        """In the child: from now on `beat` writes here."""
        global _mine
        os.close(self._read)
        _mine = self._write

    def keep(self) -> None:
        """In the parent: only read from now on."""
        os.close(self._write)

    def was_felt(self) -> bool:
        """Whether there was a beat since the last look."""
        felt = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4096):
                felt = True
        return felt

    def close(self) -> None:
        """The child is gone."""
        os.close(self._read)


_mine: int | None = None


def beat() -> None:
    """This process does its work; where nobody watches it, nothing happens."""
    if _mine is not None:
        with contextlib.suppress(OSError):  # full: felt anyway; broken: nobody is there any more
            os.write(_mine, b".")


def beat_while(works: Callable[[], bool]) -> None:
    """Look again and again whether this process works, in a thread of its own, and beat while it does."""

    def watch() -> None:
        while True:
            if works():
                beat()
            time.sleep(BEAT_SECONDS)

    if _mine is not None:
        threading.Thread(target=watch, name="pulse", daemon=True).start()


def answers(host: str, port: int, path: str) -> bool:
    """Whether a server of this machine answers anything at all."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
