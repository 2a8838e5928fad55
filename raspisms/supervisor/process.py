"""One child process: forked from a parent that has imported everything, so quick to start and light."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
M_ARENA_MAX = -8
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent goes, even by `kill -9` (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def keep_descendants_together() -> None:
    """From now on, no fork of this process or of its children outlives its parent."""
    os.register_at_fork(after_in_child=die_with_parent)


def fork(name: str, run: Callable[[], None]) -> int:
    """Run `run` in a child with a session of its own; its pid."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if os.getppid() == parent:
            _settle(name)
            run()
            code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class NotAgain(logging.Filter):
    """Lets the same line pass once in ten minutes: what fails every second is one story, not a full disk."""

    SECONDS = 600.0
    MOST = 500

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written; it tells how often it was left out before."""
        key = (record.name, record.getMessage())
        at, times = self._said.get(key, (float("-inf"), 0))
        if time.monotonic() - at < self.SECONDS:
            self._said[key] = (at, times + 1)
            return False
        if len(self._said) >= self.MOST:
            self._said.clear()
        self._said[key] = (time.monotonic(), 0)
        if times:
            record.msg, record.args = f"{record.getMessage()} (and {times} times before)", ()
        return True


def _show_name(name: str) -> None:
    """What `ps` and `top` call this process (Linux, 15 bytes)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, f"rsms:{name}"[:15].encode())


def _settle(name: str) -> None:
    _show_name(name)
    os.setsid()  # Ctrl-C reaches the supervisor alone, which then asks each child
    for signum in HANDLED:
        signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    logging.basicConfig(
        level=logging.INFO, format=f"%(asctime)s {name}[%(process)d] %(levelname)s %(message)s", force=True
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(NotAgain())
    logging.getLogger("alembic").setLevel(logging.WARNING)


def be_thrifty() -> None:
    """One heap for all threads of a process: a dozen processes idle here."""
    with contextlib.suppress(AttributeError, OSError):  # only the GNU library has it
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Return what starting up needed and running does not: nothing else would, for as long as a process idles."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # only the GNU library has it
        ctypes.CDLL(None).malloc_trim(0)


def send_signal(pid: int, signum: int) -> None:
    """Signal a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signum)


def kill_session(leader: int) -> None:
    """End at once whatever descends from a child, its jobs in groups of their own included (Linux)."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            fields = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == leader:
                os.kill(int(folder.name), signal.SIGKILL)
    kill_group(leader)


def kill_group(pid: int) -> None:
    """End at once whatever is left of a child and its own children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
