"""Names of processes: which one of which boot of which machine, so that a dead one is known at once."""

from __future__ import annotations

import functools
import os
from pathlib import Path


@functools.cache
def machine() -> str:
    """This boot of this machine, and what of its processes we see."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return "unknown"


def started(pid: int) -> str | None:
    """When a process of this machine started, in clock ticks since boot; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def holder() -> str:
    """The name of this process."""
    return f"{machine()}#{os.getpid()}#{started(os.getpid())}"


def is_alive(name: str) -> bool | None:
    """Whether the named process lives; None when it is another machine's."""
    where, _, process = name.partition("#")
    if where == "unknown" or where != machine():
        return None
    pid, _, since = process.partition("#")
    return started(int(pid)) == since
