"""How the database is opened: the settings that our promises rest on, and SQLite's log."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext

from ..extensions import db
from .transactions import LOCK_SECONDS, WRITE
from .writers import Writers

# A PostgreSQL client that went away in the middle of a transaction keeps its locks for this long at most.
ABANDONED_SECONDS = 30
# SQLite's log is tidied beyond this size in the background, and by writers beyond this number of pages.
LONG_LOG_BYTES = 4 * 1024 * 1024
FULL_LOG_PAGES = 16_384


def init_app(app: Flask) -> None:
    """Prepare the engine: every connection gets the settings that our promises rest on."""
    with app.app_context():
        engine = db.engine
    lock_seconds = app.config.get("LOCK_SECONDS", LOCK_SECONDS)
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            app.extensions["writers"] = Writers(Path(engine.url.database))
        event.listen(engine, "connect", _prepare_sqlite(lock_seconds))
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql(lock_seconds))
        event.listen(engine, "handle_error", _hide_details)
    # A forked child (a job) must not speak on its parent's connections.
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))


def _prepare_sqlite(lock_seconds: float) -> Any:
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, by us
        for pragma in (
            f"busy_timeout = {int(lock_seconds * 1000)}",
            "journal_mode = WAL",
            # The clock tidies the log; a request's commit does it only when nobody else has for long.
            f"wal_autocheckpoint = {FULL_LOG_PAGES}",
            # A submission must survive a power cut that its request did not.
            "synchronous = FULL",
            "foreign_keys = ON",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return prepare


def _prepare_postgresql(lock_seconds: float) -> Any:
    def prepare(connection: Any, _record: object) -> None:
        # A prepared plan does not know the values that our partial indexes need.
        connection.prepare_threshold = None
        for setting, seconds in (
            ("lock_timeout", lock_seconds),
            ("idle_in_transaction_session_timeout", ABANDONED_SECONDS),
        ):
            connection.execute(f"SET {setting} = {int(seconds * 1000)}")
        connection.commit()

    return prepare


def _hide_details(context: ExceptionContext) -> None:
    """PostgreSQL quotes the row in the further lines of an error: numbers and texts do not belong in a log."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            error.args = (str(error.args[0]).partition("\n")[0], *error.args[1:])


def _begin_sqlite(connection: Any) -> None:
    """Writers take the lock at once: a read that turns into a write would fail instead of waiting."""
    writing = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def checkpoint() -> None:
    """Bring SQLite's log into its file, without making anybody wait; for a process that has the time."""
    engine = db.engine
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file:
        return
    log = Path(f"{file}-wal")
    if log.exists() and log.stat().st_size > LONG_LOG_BYTES:
        with engine.connect() as connection:
            # Driver's own connection: a checkpoint inside of a transaction would find its own lock.
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # type: ignore[union-attr]


def settle() -> bool:
    """Bring the whole of SQLite's log into its file, and close it; False when somebody else has it open."""
    engine, is_busy = db.engine, 0
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            is_busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    engine.dispose()
    return not is_busy
