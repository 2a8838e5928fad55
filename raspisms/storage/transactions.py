"""Transactions: who writes when, what interrupts a job, what people read when the database takes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from flask import current_app
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from ..extensions import db
from ..i18n import N_
from ..live import changes
from .stride import Stride
from .writers import Busy, Lane, Writers

WRITE = "raspisms_write"
FACTS = "raspisms_facts"
# PostgreSQL's writers queue for this number, as SQLite's do for its file: the code may count on it.
WRITERS_LOCK = 7247473
# Longer than any transaction of ours; a person waits this long at most for a lock.
LOCK_SECONDS = 5.0
# A step of a long job waits longer than that: nobody waits for it.
BULK_SECONDS = 30.0
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
        changes.forget(session)
        raise
    finally:
        session.info.pop(WRITE, None)
        session.info.pop(FACTS, None)
    changes.tell(session)


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
