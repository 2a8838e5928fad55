"""How the database is opened, written to and typed: transactions, SQLite's settings, UTC and euros."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, current_app
from rq.timeouts import JobTimeoutException
from sqlalchemy import BigInteger, DateTime, Dialect, String, Text, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from . import live
from .extensions import db
from .stride import Stride
from .words import N_
from .writers import Busy, Lane, Writers

WRITE = "raspisms_write"
FACTS = "raspisms_facts"
# PostgreSQL's writers queue for this number, as SQLite's do for its file: the code may count on it.
WRITERS_LOCK = 7247473
# Longer than any transaction of ours; a person waits this long at most for a lock.
LOCK_SECONDS = 5.0
# A step of a long job waits longer than that: nobody waits for it.
BULK_SECONDS = 30.0
# A PostgreSQL client that went away in the middle of a transaction keeps its locks for this long at most.
ABANDONED_SECONDS = 30
# SQLite's log is tidied beyond this size in the background, and by writers beyond this number of pages.
LONG_LOG_BYTES = 4 * 1024 * 1024
FULL_LOG_PAGES = 16_384


Answer = TypeVar("Answer")

OCCUPIED = N_("La base de données est occupée. Rien n’a été enregistré : réessayez dans quelques secondes.")


class StorageUnavailable(Exception):
    """The database took nothing; str(error) says what happened and what to do, in French (a msgid)."""


# What a general `except` must let pass: it is not the fault of the item at hand, which would be given up for it.
# The storage has trouble, or the job's own time is over.
INTERRUPTIONS = (
    JobTimeoutException,
    StorageUnavailable,
    OperationalError,
    InterfaceError,
    InternalError,
    PoolTimeout,
)


def now() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC: refuses times without a zone, gives back times with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def storable(words: str) -> str:
    """Words without what no database takes: NUL, and halves of characters."""
    return words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


class Foreign(TypeDecorator[str]):
    """Words that others gave us: what no database takes is left out, and what is too long is cut.

    SQLite takes any length; PostgreSQL refuses the row, and with it the report or the answer that it holds.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)[: self.length]


class ForeignText(TypeDecorator[str]):
    """The same, without a limit."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Euros(TypeDecorator[Decimal]):
    """An amount in euros, kept as whole millionths: exact, summable, and the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int((value * 1_000_000).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)) / 1_000_000


class DatabaseNow(FunctionElement[datetime]):
    """The present time by the database's own clock, so many seconds ahead: the one that all machines share."""

    type = UTCDateTime()
    inherit_cache = False

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        super().__init__()
        self.ahead = ahead


@compiles(DatabaseNow, "sqlite")
def _now_of_sqlite(element: DatabaseNow, _compiler: SQLCompiler, **_more: Any) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{element.ahead.total_seconds():+.3f} seconds')"


@compiles(DatabaseNow, "postgresql")
def _now_of_postgresql(element: DatabaseNow, _compiler: SQLCompiler, **_more: Any) -> str:
    return f"(clock_timestamp() + interval '{element.ahead.total_seconds():+.3f} seconds')"


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


@contextmanager
def transaction(*, bulk: bool = False) -> Iterator[Session]:
    """One short write: takes the database's write lock, commits at the end, rolls back on any error.

    Whatever was read before is read again under the lock. A `transaction` inside another joins it. A step of a
    long job says that it is `bulk`: people go before it.
    Raises StorageUnavailable when the database is locked for too long, full or unreadable.
    """
    session = db.session()
    if session.info.get(WRITE):
        yield session
        return
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("changes made outside of a transaction would be lost")
    session.rollback()
    session.expire_all()  # a rollback of nothing would leave what was read before as it was
    session.info[WRITE] = True
    session.info[FACTS] = {}
    try:
        with storage_errors(), _turn(bulk=bulk):
            connection = session.connection(execution_options={WRITE: True})
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
            yield session
            session.commit()
    except BaseException:
        session.rollback()
        live.forget(session)
        raise
    finally:
        session.info.pop(WRITE, None)
        session.info.pop(FACTS, None)
    live.tell(session)


def asked_once(session: Session, question: str, ask: Callable[[], Answer]) -> Answer:
    """The answer to a question that several ask in one transaction: while it lasts, nobody else can change it.

    Whoever changes it in the same transaction calls `ask_again`. Outside of a transaction it is asked each time.
    """
    facts: dict[str, Answer] | None = session.info.get(FACTS)
    if facts is None:
        return ask()
    if question not in facts:
        facts[question] = ask()
    return facts[question]


def ask_again(session: Session, question: str) -> None:
    """This transaction has changed the answer."""
    session.info.get(FACTS, {}).pop(question, None)


@contextmanager
def bulk_step(stride: Stride) -> Iterator[tuple[Session, int]]:
    """A step of a long job: a transaction, and the number of rows that it may take.

    Raises StorageUnavailable.
    """
    with transaction(bulk=True) as session, stride.measured() as rows:
        yield session, rows
        session.flush()  # what is written only now belongs to the time that it takes


def _turn(*, bulk: bool) -> AbstractContextManager[None]:
    """SQLite's writers queue, see writers.py; PostgreSQL's do so for their lock."""
    writers: Writers | None = current_app.extensions.get("writers")
    if writers is None:
        return nullcontext()
    seconds = current_app.config.get("LOCK_SECONDS", BULK_SECONDS if bulk else LOCK_SECONDS)
    for_people = current_app.config.get("WRITES_FOR_PEOPLE", False)
    return writers.turn(seconds, Lane.BULK if bulk else Lane.PEOPLE if for_people else Lane.JOB)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the driver's words for a locked, full or broken database into a sentence for people."""
    try:
        yield
    except Busy as error:
        raise StorageUnavailable(OCCUPIED) from error
    except OperationalError as error:
        raise StorageUnavailable(_sentence(error)) from error


def _sentence(error: DBAPIError) -> str:
    words = str(error.orig).lower()
    if "locked" in words or "busy" in words or "lock timeout" in words:
        return OCCUPIED
    if "full" in words or "disk i/o" in words or "no space" in words:
        return N_("Le disque est plein. Rien n’a été enregistré : libérez de la place, puis réessayez.")
    return N_(
        "La base de données ne répond pas. Rien n’a été enregistré : prévenez la personne qui a installé RaspiSMS."
    )
