"""Callbacks: stored as they came, then applied exactly once.

The route puts them into the inbox, a file of its own; a job brings them into the journal and applies them.
An entry changes state in the same transaction as everything it causes.
"""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Select, func, insert, or_, select
from sqlalchemy.orm import Session

from .. import audit, queues, stride
from ..adapters.base import Callback, Item, OptOutNotice, Reply, Report, UnreadableCallback
from ..database import INTERRUPTIONS, now, transaction
from ..extensions import bell, db
from ..models import JournalEntry, JournalState, Phone
from ..phones.settings import adapter_class
from . import optouts, replies, reports
from .inbox import Letter, inbox
from .reports import ERASED

log = logging.getLogger(__name__)

# What is applied in one transaction, and what is imported in one.
BATCH = 200
IMPORTED_TOGETHER = 500
# When an item that could not be applied is tried again; then somebody is shown it.
PATIENCE = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10))


def keep(phone_id: int, kind: str, content_type: str, query: str, body: bytes) -> None:
    """Store a callback for good, then ring. Raises OSError when it could be stored nowhere."""
    letter = Letter(phone_id, kind, content_type[:255], query[:4096], body, now().isoformat())
    if inbox().add(letter):
        bell.ring(queues.RECEIVING, queues.APPLY_CALLBACKS, timeout=queues.APPLY_SECONDS)


def import_inbox() -> None:
    """Bring callbacks from the inbox into the journal, oldest first, each once. Raises StorageUnavailable.

    A damaged inbox is set aside, see there: the next call finds the new one.
    """
    try:
        _import_inbox()
    except sqlite3.DatabaseError as error:
        log.error("the file of callbacks could not be read: %s", error)


def _import_inbox() -> None:
    if inbox().is_empty():
        return
    with inbox().reading() as reader:
        while letters := reader.first(IMPORTED_TOGETHER):
            with transaction() as session:
                _store(session, {name: letter for _, name, letter in letters})
            # Dying here does no harm: the journal knows their names.
            reader.forget(letters[-1][0])


def _store(session: Session, letters: dict[str, Letter]) -> None:
    known = set(session.scalars(select(JournalEntry.inbox_id).where(JournalEntry.inbox_id.in_(letters))))
    phones = set(session.scalars(select(Phone.id)))
    rows = [
        vars(letter) | {"inbox_id": name, "received_at": datetime.fromisoformat(letter.received_at)}
        for name, letter in letters.items()
        if name not in known and letter.phone_id in phones
    ]
    if rows:
        session.execute(insert(JournalEntry), [row | {"state": JournalState.NEW} for row in rows])


# -- applying -----------------------------------------------------------------------------------------


def has_new() -> bool:
    """Whether a stored callback waits to be applied now."""
    found = db.session.scalar(_new_select().limit(1)) is not None
    db.session.rollback()
    return found


def has_waiting(session: Session) -> bool:
    """The same inside of a transaction, and whether something waits in the inbox."""
    if session.scalar(_new_select().limit(1)) is not None:
        return True
    try:
        return not inbox().is_empty()
    except sqlite3.DatabaseError:  # nobody can tell; bringing it in says more
        return True


def _new_select() -> Select[JournalEntry]:
    due = or_(JournalEntry.next_attempt_at.is_(None), JournalEntry.next_attempt_at <= now())
    return select(JournalEntry).where(JournalEntry.state == JournalState.NEW, due).order_by(JournalEntry.id)


def apply_new(seconds: float = float("inf")) -> bool:
    """Apply stored callbacks that were not applied yet, in the order of arrival; True when time ended first.

    A job says how much time it has: it ends by itself, before its limit ends it in the middle of somebody's words.
    """
    ends = monotonic() + seconds
    while monotonic() < ends:
        try:
            if not _apply_some():
                return False
        except INTERRUPTIONS:
            raise
        except Exception:
            # Whose fault it is, nobody can tell: each of the next ones has a transaction of its own.
            log.exception("callbacks could not be applied together, and are applied one by one")
            _apply_apart(ends)
    return True


def _apply_some() -> int:
    """One short transaction: how many entries it looked at."""
    with transaction() as session:
        waiting = _new_select().limit(BATCH).with_for_update(skip_locked=True, of=JournalEntry)
        entries = list(session.scalars(waiting))
        _apply_together(session, entries)
    return len(entries)


def _apply_apart(ends: float) -> None:
    ids = db.session.scalars(_new_select().with_only_columns(JournalEntry.id).limit(BATCH)).all()
    for entry_id in ids:
        if monotonic() > ends:
            return
        try:
            with transaction() as session:
                _apply_together(session, _still_new(session, entry_id))
        except INTERRUPTIONS:
            raise
        except Exception as error:
            log.exception("journal=%s could not be applied", entry_id)
            with transaction() as session:
                for entry in _still_new(session, entry_id):
                    _put_off(entry, [type(error).__name__])


def _still_new(session: Session, entry_id: int) -> list[JournalEntry]:
    query = select(JournalEntry).where(JournalEntry.id == entry_id, JournalEntry.state == JournalState.NEW)
    return list(session.scalars(query.with_for_update(skip_locked=True, of=JournalEntry)))


def _apply_together(session: Session, entries: list[JournalEntry]) -> None:
    """Plain reports all at once, since they come by the thousand; then whatever else came, one by one.

    What there is no more time for in this transaction waits for the next one.
    """
    ends = monotonic() + stride.SECONDS
    read = {entry.id: items for entry in entries if (items := _read_or_note(entry)) is not None}
    plain: list[tuple[JournalEntry, Report]] = []
    for entry in entries:
        match read.get(entry.id):
            case [Report(opted_out=False) as report] if not entry.attempts:
                plain.append((entry, report))
    done = _apply_plain(session, plain) if plain else {}
    for entry in entries:
        if entry.id in done:
            entry.state, entry.outcome = JournalState.APPLIED, done[entry.id]
        elif entry.id in read:
            if monotonic() > ends and entry is not entries[0]:
                return
            _apply(session, entry, read[entry.id])


def _apply_plain(session: Session, plain: list[tuple[JournalEntry, Report]]) -> dict[int, str]:
    """What became of those that could be applied together, by entry; none when our own fault prevents it."""
    try:
        with session.begin_nested():
            return reports.apply_many(session, plain)
    except INTERRUPTIONS:
        raise
    except Exception:
        log.exception("%s reports could not be applied together, and are applied one by one", len(plain))
        return {}


def _read_or_note(entry: JournalEntry) -> list[Item] | None:
    """What an entry says; None when it cannot be read, which is noted: strangers write what no parser foresees."""
    try:
        return _read(entry)
    except INTERRUPTIONS:
        raise
    except Exception as error:
        words = str(error) if isinstance(error, UnreadableCallback) else type(error).__name__
        entry.state, entry.outcome = JournalState.UNREADABLE, words
        log.warning("journal=%s unreadable: %s", entry.id, type(error).__name__)
        return None


def _apply(session: Session, entry: JournalEntry, items: list[Item]) -> None:
    """Each item once, in a savepoint of its own; one that fails is tried again later, and the others are not."""
    results: list[str | None] = (
        list(entry.results) if entry.results and len(entry.results) == len(items) else [None] * len(items)
    )
    failed: list[str] = []
    for position, item in enumerate(items):
        if results[position] is not None:
            continue
        try:
            with session.begin_nested():
                results[position] = _apply_item(session, entry, item)
        except INTERRUPTIONS:
            raise  # nobody's fault: tried again as a whole
        except Exception as error:
            failed.append(type(error).__name__)
            log.exception("journal=%s could not be applied", entry.id)
    if failed:
        entry.results = results
        _put_off(entry, failed)
        return
    entry.state, entry.results, entry.next_attempt_at = JournalState.APPLIED, None, None
    entry.outcome = ", ".join(result or "" for result in results)[:255]
    if ERASED in results or set(results) == {"repeated"}:
        # Of somebody who was erased, nothing is kept; and what is repeated says nothing that is not kept already.
        entry.body, entry.query = b"", ""


def _put_off(entry: JournalEntry, failed: list[str]) -> None:
    """Try again later; after three attempts, a person is shown it."""
    entry.attempts += 1
    entry.outcome = ", ".join(failed)[:255]
    if entry.attempts > len(PATIENCE):
        entry.state, entry.next_attempt_at = JournalState.FAILED, None
    else:
        entry.next_attempt_at = now() + PATIENCE[entry.attempts - 1]


def _read(entry: JournalEntry) -> list[Item]:
    callback = Callback(
        body=entry.body,
        content_type=entry.content_type,
        query=entry.query,
        timezone=ZoneInfo(current_app.config["TIMEZONE"]),
    )
    return adapter_class(entry.phone.adapter).read_callback(callback)


def _apply_item(session: Session, entry: JournalEntry, item: Item) -> str:
    """Apply one item of a callback; what became of it, in a word."""
    if isinstance(item, Report):
        return reports.apply(session, entry, item)
    if isinstance(item, Reply):
        return replies.apply(session, entry, item)
    if isinstance(item, OptOutNotice):
        return optouts.apply_notice(session, entry, item)
    return "ignored"


# -- what nobody could apply ----------------------------------------------------------------------------


TROUBLED = (JournalState.FAILED, JournalState.UNREADABLE)


def troubled() -> Select[JournalEntry]:
    """Callbacks that somebody must look at."""
    return select(JournalEntry).where(JournalEntry.state.in_(TROUBLED))


def count_troubled() -> int:
    """How many there are."""
    return db.session.scalar(select(func.count()).select_from(troubled().subquery())) or 0


def try_again(entry_id: int, user_id: int | None) -> bool:
    """Somebody thinks that it may work now; False when it does not wait for that."""
    with transaction() as session:
        entry = session.get(JournalEntry, entry_id)
        if entry is None or entry.state not in TROUBLED:
            return False
        entry.state, entry.attempts, entry.next_attempt_at = JournalState.NEW, 0, None
        audit.record(session, user_id, "callback tried again", f"callback {entry_id}")
    bell.ring(queues.RECEIVING, queues.APPLY_CALLBACKS, timeout=queues.APPLY_SECONDS)
    return True


def set_aside(entry_id: int, user_id: int | None) -> bool:
    """Somebody has looked, and nothing is to be done: it is shown no more."""
    with transaction() as session:
        entry = session.get(JournalEntry, entry_id)
        if entry is None or entry.state not in TROUBLED:
            return False
        entry.state, entry.outcome = JournalState.APPLIED, f"set aside ({entry.outcome})"
        audit.record(session, user_id, "callback set aside", f"callback {entry_id}")
    return True
