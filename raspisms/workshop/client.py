"""Asking the workshop: one child for each process that asks, kept warm, replaced when it ends."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app, has_app_context

from .child import DONE, RESULT

log = logging.getLogger(__name__)

# Of the limit of time, which counts what a process uses: so much longer may it last on a busy machine.
PATIENCE, LEAST_PATIENCE = 10.0, 20.0
START_SECONDS = 30.0
# Idle children that a process keeps.
KEPT = 2


class Ended(Exception):
    """The child was stopped before it was done: too much time or memory, or it broke."""


@dataclass(frozen=True)
class Limits:
    """What a request may take."""

    seconds: float
    """Of the processor's time; for each result if `each`, else for all."""
    memory: int
    """Bytes on top of what a child has from the start."""
    each: bool = True


class Child:
    """One child, and the connection to it."""

    def __init__(self, connection: socket.socket, started: subprocess.Popen[bytes] | None) -> None:
        self._connection, self._started = connection, started
        connection.settimeout(START_SECONDS)
        self._answers = connection.makefile("rb")
        self._pid = int(self._answers.readline() or b"0")
        if self._pid <= 1:
            raise OSError("the workshop does not answer")
        # Its number may be another process's once it has ended; this names it for ever.
        self._handle = os.pidfd_open(self._pid)

    def send(self, name: str, payload: Any, limits: Limits) -> None:
        """Ask for something; a child that is gone is noticed by `results`."""
        asked = pickle.dumps((name, payload, limits.seconds, limits.memory, limits.each), pickle.HIGHEST_PROTOCOL)
        with contextlib.suppress(OSError):
            self._connection.sendall(len(asked).to_bytes(4) + asked)

    def results(self, limits: Limits) -> Iterator[Any]:
        """Each result of what was asked for. Raises Ended."""
        self._connection.settimeout(max(LEAST_PATIENCE, limits.seconds * PATIENCE))
        try:
            while (line := self._answers.readline()).startswith(RESULT):
                yield json.loads(line[1:])
        except (OSError, ValueError) as error:  # a time-out among them
            raise Ended from error
        if not line.startswith(DONE):
            raise Ended

    def end(self) -> None:
        """Whatever it is doing, it stops."""
        with contextlib.suppress(OSError):
            self._answers.close()
            self._connection.close()
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.close(self._handle)
        if self._started is not None:
            self._started.wait()


def _end_idle() -> None:
    with _guard:
        if _owner == os.getpid():
            while _idle:
                _idle.pop().end()


atexit.register(_end_idle)
_guard = threading.Lock()
_idle: list[Child] = []
_owner = 0


def ask(name: str, payload: Any, limits: Limits) -> Asked:
    """Have a craft done, from now on: its results, one by one, while the caller does something else meanwhile.

    Reading them raises Ended in their middle when it is stopped.
    """
    return Asked(name, payload, limits)


class Asked:
    """A request under way. Read it to its end, or close it."""

    def __init__(self, name: str, payload: Any, limits: Limits) -> None:
        self._request = (name, payload, limits)
        self._is_over = False
        try:
            self._child, self._is_warm = _take()
        except OSError:  # no memory or no process left for a child: whoever reads is told
            log.exception("the workshop has no child for anybody")
            self._is_over, self._results = True, _nothing()
            return
        self._child.send(*self._request)
        self._results = self._read()

    def __iter__(self) -> Iterator[Any]:
        return self._results

    def close(self) -> None:
        """Nobody wants the rest: a child that goes on talking is of no use."""
        if not self._is_over:
            self._child.end()
            self._is_over = True

    def _read(self) -> Iterator[Any]:
        try:
            try:
                first = next(results := self._child.results(self._request[2]), _NOTHING)
            except Ended:
                if not self._is_warm:
                    raise
                self._child.end()  # perhaps it had ended since it was last asked, which says nothing of this request
                self._child = _new()
                self._child.send(*self._request)
                first = next(results := self._child.results(self._request[2]), _NOTHING)
            if first is not _NOTHING:
                yield first
                yield from results
        except BaseException:
            self.close()
            raise
        self._is_over = True
        _give_back(self._child)


_NOTHING = object()


def _nothing() -> Iterator[Any]:
    raise Ended
    yield


def _take() -> tuple[Child, bool]:
    global _owner
    with _guard:
        if _owner != os.getpid():  # a fork has none of its parent's
            _idle.clear()
            _owner = os.getpid()
        if _idle:
            return _idle.pop(), True
    return _new(), False


def _give_back(child: Child) -> None:
    with _guard:
        if _owner == os.getpid() and len(_idle) < KEPT:
            _idle.append(child)
            return
    child.end()


def _check_owner(connection: socket.socket) -> None:
    """Nobody but ourselves is told what people wrote. Raises OSError."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    if struct.unpack("3i", told)[1] != os.getuid():
        raise PermissionError("somebody else listens in our place")


def _new() -> Child:
    if has_app_context() and (path := current_app.config.get("WORKSHOP")):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(START_SECONDS)
            connection.connect(str(path))
            _check_owner(connection)
            return Child(connection, None)
        except OSError:  # nobody runs one for this installation
            connection.close()
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-c", "from raspisms.workshop.child import main; main()", str(theirs.fileno())]
        started = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command, pass_fds=[theirs.fileno()], cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL
        )
    return Child(ours, started)
