"""The process that works: one request after the other, each within limits that the kernel keeps."""

from __future__ import annotations

import json
import logging
import os
import pickle
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ..machine.folder import own_folders
from .crafts import CRAFTS, craft

log = logging.getLogger(__name__)

# Results are sent on at least this often, so that whoever waits sees that something happens.
FLUSH_SECONDS = 0.05
RESULT, DONE, STOPPED = b"=", b".", b"!"
LISTEN_SECONDS = 5.0


def serve(connection: socket.socket) -> None:
    """Do what is asked over a connection until its other end is closed."""
    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    with connection, connection.makefile("rb") as asked, connection.makefile("wb") as answer:
        answer.write(b"%d\n" % os.getpid())
        answer.flush()
        while head := asked.read(4):
            # Only our own processes reach the other end; what comes back from here is JSON.
            name, payload, seconds, memory, each = pickle.loads(asked.read(int.from_bytes(head)))  # noqa: S301
            _work(answer, name, payload, seconds, taken + memory, each=each)


def _work(answer: BinaryIO, name: str, payload: Any, seconds: float, memory: int, *, each: bool) -> None:
    """Send each result on its way. Time that a process used, not that passed: a busy machine ends nobody."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory if most == resource.RLIM_INFINITY else min(memory, most), most))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # the kernel ends us, whatever the interpreter is doing
    signal.setitimer(signal.ITIMER_PROF, seconds)
    flushed = float("-inf")  # the first result goes out at once: it says that the work was understood
    try:
        for result in craft(name)(payload):
            answer.write(RESULT + json.dumps(result).encode() + b"\n")
            if time.monotonic() - flushed > FLUSH_SECONDS:
                answer.flush()
                flushed = time.monotonic()
            if each:
                signal.setitimer(signal.ITIMER_PROF, seconds)
        ending = DONE
    except (MemoryError, RecursionError):
        ending = STOPPED
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    answer.write(ending + b"\n")
    answer.flush()


def listen(path: Path, beat: Callable[[], None]) -> None:
    """For the supervisor: fork a worker for everybody who connects, each light, since it shares what we have loaded."""
    for name in CRAFTS:
        craft(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the kernel buries them
    own_folders(path.parent.parent, path.parent)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(16)
        door.settimeout(LISTEN_SECONDS)
        while True:
            beat()
            try:
                connection, _ = door.accept()
            except TimeoutError:
                continue
            except OSError:  # out of files for a moment
                time.sleep(FLUSH_SECONDS)
                continue
            try:
                is_parent = os.fork() > 0
            except OSError:  # out of memory or processes for a moment: whoever asks starts a child of their own
                is_parent = True
            if is_parent:
                connection.close()
                continue
            door.close()
            connection.settimeout(None)
            code = 1
            try:
                serve(connection)
                code = 0
            finally:
                _say_why(sys.exc_info()[0])
                os._exit(code)


def _say_why(kind: type[BaseException] | None, *_: object) -> None:
    """In the log, what ended a child; never its words, which may hold what somebody wrote."""
    if kind is not None and not issubclass(kind, ConnectionError):
        log.error("a child of the workshop ended with %s", kind.__name__)


def main() -> None:
    """For whoever has no supervisor: the connection is the file descriptor that the command line names."""
    sys.excepthook = _say_why
    serve(socket.socket(fileno=int(sys.argv[1])))
