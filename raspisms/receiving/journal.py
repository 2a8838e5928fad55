"""Callbacks: stored as they came, then applied exactly once.

The route puts them into the inbox, a file of its own; a job brings them into the journal and applies them.
An entry changes state in the same transaction as everything it causes.
"""

from __future__ import annotations

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Select, insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from .. import queues
from ..adapters.base import Callback, Item, OptOutNotice, Reply, Report, UnreadableCallback
from ..database import now, transaction
from ..extensions import bell, db
from ..models import JournalEntry, JournalState, Phone
from ..phones.settings import adapter_class
from . import optouts, replies, reports
from .inbox import Letter, inbox

log = logging.getLogger(__name__)

# What is applied in one transaction, and what is imported in one.
BATCH = 200
IMPORTED_TOGETHER = 500


def keep(phone_id: int, kind: str, content_type: str, query: str, body: bytes) -> None:
    """Store a callback for good, then ring. Raises OSError when it could be stored nowhere."""
    letter = Letter(phone_id, kind, content_type[:255], query[:4096], body, now().isoformat())
    if inbox().add(letter):
        bell.ring(queues.RECEIVING, queues.APPLY_CALLBACKS, timeout=queues.APPLY_SECONDS)


def import_inbox() -> None:
    """Bring callbacks from the inbox into the journal, oldest first, each once. Raises StorageUnavailable."""
    if inbox().is_empty():
        return
    with inbox().reading() as reader:
        while letters := reader.first(IMPORTED_TOGETHER):
            with transaction() as session:
                _store(session, {f"{reader.name}-{letter_id}": letter for letter_id, letter in letters})
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
    """Whether a stored callback waits to be applied."""
    found = db.session.scalar(_new_select().limit(1)) is not None
    db.session.rollback()
    return found


def _new_select() -> Select[JournalEntry]:
    return select(JournalEntry).where(JournalEntry.state == JournalState.NEW).order_by(JournalEntry.id)


def apply_new() -> None:
    """Apply every stored callback that was not applied yet, in the order of arrival."""
    while True:
        with transaction() as session:
            waiting = _new_select().limit(BATCH).with_for_update(skip_locked=True, of=JournalEntry)
            entries = list(session.scalars(waiting))
            _apply_together(session, entries)
        if not entries:
            return


def _apply_together(session: Session, entries: list[JournalEntry]) -> None:
    """Plain reports all at once, since they come by the thousand; then whatever else came, one by one."""
    read = {entry.id: items for entry in entries if (items := _read_or_note(entry)) is not None}
    plain: list[tuple[JournalEntry, Report]] = []
    for entry in entries:
        match read.get(entry.id):
            case [Report(opted_out=False) as report]:
                plain.append((entry, report))
    done = _apply_plain(session, plain) if plain else {}
    for entry in entries:
        if entry.id in done:
            entry.state, entry.outcome = JournalState.APPLIED, done[entry.id]
        elif entry.id in read:
            _apply(session, entry, read[entry.id])


def _apply_plain(session: Session, plain: list[tuple[JournalEntry, Report]]) -> dict[int, str]:
    """What became of those that could be applied together, by entry; none when our own fault prevents it."""
    try:
        with session.begin_nested():
            return reports.apply_many(session, plain)
    except OperationalError:
        raise
    except Exception:
        log.exception("%s reports could not be applied together, and are applied one by one", len(plain))
        return {}


def _read_or_note(entry: JournalEntry) -> list[Item] | None:
    """What an entry says; None when it cannot be read, which is noted."""
    try:
        return _read(entry)
    except UnreadableCallback as error:
        entry.state, entry.outcome = JournalState.UNREADABLE, str(error)
        log.warning("journal=%s unreadable: %s", entry.id, error)
        return None


def _apply(session: Session, entry: JournalEntry, items: list[Item]) -> None:
    entry.state = JournalState.APPLIED
    outcomes = []
    for item in items:
        try:
            with session.begin_nested():
                outcomes.append(_apply_item(session, entry, item))
        except OperationalError:
            raise  # locked or full: nobody's fault, tried again as a whole
        except Exception as error:  # one bad item must not hold up the others; it is kept and named
            entry.state = JournalState.FAILED
            outcomes.append(type(error).__name__)
            log.exception("journal=%s could not be applied", entry.id)
    entry.outcome = ", ".join(outcomes)[:255]


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
