"""Where callbacks wait until the database has them: a small SQLite file that nothing else writes to.

Whatever the database is doing, a callback is stored and answered within milliseconds. Those that arrive
together share one commit: the first to come writes for all who wait.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from flask import Flask, current_app

from ..vault import new_token

# Nothing but a short import holds the file. Octopush waits for a second, but storing late beats refusing: what it
# repeats is applied once.
LOCK_SECONDS = 5.0

log = logging.getLogger(__name__)

# AUTOINCREMENT: an id is never given twice, even when everything was imported in between. The name of a callback is
# random: a file that comes back from an older copy gives its ids again.
SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    phone_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    content_type TEXT NOT NULL,
    query TEXT NOT NULL,
    body BLOB NOT NULL,
    received_at TEXT NOT NULL,
    name TEXT
);
CREATE TABLE IF NOT EXISTS identity (name TEXT NOT NULL);
"""


@dataclass(frozen=True)
class SpooledCallback:
    """One callback as it came."""

    phone_id: int
    kind: str
    content_type: str
    query: str
    body: bytes
    received_at: str
    """ISO 8601, UTC."""


class _Waiting:
    def __init__(self, callbacks: tuple[SpooledCallback, ...]) -> None:
        self.callbacks = callbacks
        self.error: BaseException | None = None
        self.done = False


class Inbox:
    """The file of one instance."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, tuple[int, int] | None] = (0, None)

    def add(self, *callbacks: SpooledCallback) -> bool:
        """Store callbacks for good; True for the one caller of many at a time that has something to announce.

        Raises OSError when the file takes nothing.
        """
        mine = _Waiting(callbacks)
        with self._guard:
            self._waiting.append(mine)
        wrote = False
        with self._turn:
            if not mine.done:
                with self._guard:
                    together, self._waiting = self._waiting, []
                self._write_all(together)
                wrote = True
        if mine.error is not None:
            raise OSError("the inbox takes nothing") from mine.error
        return wrote

    def _write_all(self, together: list[_Waiting]) -> None:
        try:
            try:
                self._write(together)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self.close()
                self.set_aside(error)
                self._write(together)
        except BaseException as error:
            self.close()  # the next one starts afresh
            for waiting in together:
                waiting.error = error
        finally:
            for waiting in together:
                waiting.done = True

    def _write(self, together: list[_Waiting]) -> None:
        connection = self._open_connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT INTO inbox (phone_id, kind, content_type, query, body, received_at, name)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*astuple(callback), new_token()[:32]) for waiting in together for callback in waiting.callbacks],
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def set_aside(self, error: Exception) -> None:
        """Begin a new file beside one that cannot be read any more, which is kept for whoever can."""
        with suppress(FileNotFoundError):
            broken = self.path.stat().st_ino
            with suppress(sqlite3.DatabaseError), closing(_connect(self.path)) as connection:
                connection.execute("SELECT count(*) FROM inbox").fetchone()
                return  # somebody else has done it already
            if self.path.stat().st_ino != broken:
                return
            aside = self.path.with_name(f"{self.path.name}.damaged-{int(time.time())}-{os.getpid()}")
            self.path.rename(aside)
            for rest in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    self.path.with_name(self.path.name + rest).rename(aside.with_name(aside.name + rest))
            log.error("the file of callbacks was damaged (%s) and is set aside as %s", error, aside.name)

    def damaged(self) -> list[Path]:
        """Files that were set aside: what they held, nobody has read."""
        found = self.path.parent.glob(f"{self.path.name}.damaged-*")
        return sorted(path for path in found if not path.name.endswith(("-wal", "-shm")))

    def _open_connection(self) -> sqlite3.Connection:
        """This process's connection to the file that is there now: not a fork's, nor one to a file that was removed."""
        if self._connection is None or self._opened != (os.getpid(), self._file()):
            self.close()
            self._connection = _connect(self.path)
            self._opened = (os.getpid(), self._file())
        return self._connection

    def _file(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def close(self) -> None:
        """Close this process's connection."""
        if self._connection is not None and self._opened[0] == os.getpid():
            self._connection.close()
        self._connection = None

    def settle(self) -> bool:
        """Bring the whole of its log into the file; False when somebody else has it open, or it is damaged."""
        if not self.path.exists():
            return True
        with suppress(sqlite3.DatabaseError), closing(_connect(self.path)) as connection:
            return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return False

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Look at what waits; a file that cannot be read is set aside. Raises sqlite3.Error."""
        try:
            with closing(_connect(self.path)) as connection:
                yield Reader(connection)
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                self.set_aside(error)
            raise

    def is_empty(self) -> bool:
        """Whether nothing waits; cheap. Raises sqlite3.Error."""
        if not self.path.exists():
            return True
        with self.reading() as reader:
            return not reader.first(1)


class Reader:
    """A look at the callbacks of an inbox."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.name: str = connection.execute("SELECT name FROM identity").fetchone()[0]
        """Tells this file's ids from those of a file that stood here before."""

    def first(self, limit: int) -> list[tuple[int, str, SpooledCallback]]:
        """The oldest callbacks, with their ids and their names."""
        rows = self._connection.execute(
            "SELECT id, name, phone_id, kind, content_type, query, body, received_at FROM inbox ORDER BY id LIMIT ?",
            (limit,),
        )
        # A callback from before callbacks had names is named after its file.
        return [(row[0], row[1] or f"{self.name}-{row[0]}", SpooledCallback(*row[2:])) for row in rows]

    def forget(self, last_id: int) -> None:
        """Remove the callbacks up to this one."""
        self._connection.execute("DELETE FROM inbox WHERE id <= ?", (last_id,))


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file itself is broken, rather than locked or full for a while."""
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'identity'").fetchone() == (0,):
            path.chmod(0o600)
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA}")
            connection.execute(
                "INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)", (new_token()[:16],)
            )
            connection.execute("COMMIT")
        columns = [row[1] for row in connection.execute("PRAGMA table_info(inbox)")]
        if "name" not in columns:
            connection.execute("ALTER TABLE inbox ADD COLUMN name TEXT")
    except BaseException:
        connection.close()
        raise
    return connection


def init_app(app: Flask) -> None:
    """Give the application its inbox; the file is made when something comes."""
    app.extensions["inbox"] = Inbox(Path(app.config["INSTANCE"]) / "callbacks.db")


def inbox() -> Inbox:
    """The current application's."""
    found: Inbox = current_app.extensions["inbox"]
    return found
