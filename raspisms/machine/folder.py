"""The instance folder: everything in it is for its owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

FOR_OWNER = 0o077
"""The umask, and the bits that nothing in the folder may have."""
# There while RaspiSMS runs, and after it was killed. It names its own inode, as a copy of it does not; the device has
# another number after a reboot.
RUNNING = "running"


def close(folder: Path) -> list[Path]:
    """Make the folder and close it to others, with all that it holds; what could not be closed is given back.

    From now on, whatever this process makes is for its owner alone. Raises OSError when the folder cannot be made.
    """
    os.umask(FOR_OWNER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [path for path in _all(folder) if not _is_closed(path)]


def own_folders(*folders: Path) -> None:
    """Make these, and be sure that nobody else made them before: what is said below them is for us alone.

    Raises PermissionError.
    """
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.lstat().st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to somebody else")


def mark_running(folder: Path) -> None:
    """From now on its files change: a copy of the folder would be of many moments at once."""
    mark = folder / RUNNING
    mark.unlink(missing_ok=True)
    mark.touch(mode=0o600)
    mark.write_text(_name_of(mark), encoding="ascii")


def mark_stopped(folder: Path) -> None:
    """Everything is written: it may be copied."""
    (folder / RUNNING).unlink(missing_ok=True)


def is_copied_while_running(folder: Path) -> bool:
    """Whether it is the copy of an installation that ran: SQLite's files in it may be of different moments."""
    mark = folder / RUNNING
    try:
        return mark.read_text(encoding="ascii", errors="replace") != _name_of(mark)
    except FileNotFoundError:
        return False


def _name_of(path: Path) -> str:
    return str(path.stat().st_ino)


def shown(path: Path | str) -> str:
    """A path as it can be printed: a name may hold bytes that are no text."""
    return os.fsencode(path).decode("utf-8", "replace")


def _all(folder: Path) -> Iterator[Path]:
    yield folder
    for below, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(below) / name


def _is_closed(path: Path) -> bool:
    """Whether nobody else may look into it, after we have done what we can."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return True  # what it leads to lies elsewhere
        if found.st_mode & FOR_OWNER:
            path.chmod(stat.S_IMODE(found.st_mode) & ~FOR_OWNER)
            return not path.lstat().st_mode & FOR_OWNER
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
