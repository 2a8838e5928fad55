"""Callbacks: stored as they came, then applied exactly once.

The route puts them into the inbox, a file of its own; a job brings them into the journal and applies them.
An entry changes state in the same transaction as everything it causes.
"""

from __future__ import annotations

import functools
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Select, func, insert, or_, select
from sqlalchemy.orm import Session

from .. import clock, job_queue
from ..adapters.base import (
    Adapter,
    Callback,
    Ignored,
    Item,
    OptOutNotice,
    Reply,
    Report,
    Unreadable,
    UnreadableCallback,
)
from ..clock import now
from ..delivery_reports import reports
from ..delivery_reports.reports import ERASED
from ..extensions import bell, db
from ..models import Action, JournalEntry, JournalState, Phone
from ..phones.settings import adapter_class
from ..storage import stride
from ..storage.transactions import INTERRUPTIONS, transaction
from ..team import audit
from . import envelope, replies, stops
from .inbox import SpooledCallback, inbox

log = logging.getLogger(__name__)

# What is applied in one transaction follows from how long the last ones took; what is imported in one.
_stride = stride.Stride(100, most=300, seconds=0.06)
APART = 200
# From so many replies on, asking once for all is worth its dozen statements.
CROWD = 5
# Begins the result of an item that could not be applied in this pass.
FAILED = "!"
MOST_ITEMS = 5_000
# Bytes of a callback that takes long to understand, and how many of those are looked at before they are applied.
LONG, AHEAD = 4096, 4
IMPORTED_TOGETHER, IMPORTED_BYTES = 500, 8 * 1024 * 1024
# When an item that could not be applied is tried again; then somebody is shown it.
PATIENCE = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10))


def spooled(phone_id: int, kind: str, content_type: str, query: str, body: bytes) -> SpooledCallback:
    """A callback as it came, now."""
    return SpooledCallback(phone_id, kind, content_type[:255], query[:4096], body, now().isoformat())


def keep(callbacks: list[SpooledCallback]) -> None:
    """Store callbacks for good, then ring. Raises OSError when they could be stored nowhere."""
    if store(callbacks):
        ring()


def store(callbacks: list[SpooledCallback]) -> bool:
    """Store callbacks for good; whether somebody has to ring for them. Raises OSError."""
    return inbox().add(*callbacks)


def ring() -> None:
    """Tell a worker that callbacks wait."""
    bell.ring(job_queue.RECEIVING, job_queue.APPLY_CALLBACKS, timeout=job_queue.APPLY_SECONDS)


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
        while callbacks := _some(reader.first(IMPORTED_TOGETHER)):
            opened = {name: envelope.opened(callback.body, callback.content_type) for _, name, callback in callbacks}
            with transaction() as session:
                _store(session, {name: callback for _, name, callback in callbacks}, opened)
            # Dying here does no harm: the journal knows their names.
            reader.forget(callbacks[-1][0])


def _some(callbacks: list[tuple[int, str, SpooledCallback]]) -> list[tuple[int, str, SpooledCallback]]:
    """The first callbacks, as far as memory and one transaction are to take them: opened, each may be larger."""
    size = 0
    for place, (_, _, callback) in enumerate(callbacks):
        size += envelope.LARGEST if envelope.is_packed(callback.body, callback.content_type) else len(callback.body)
        if size > IMPORTED_BYTES and place:
            return callbacks[:place]
    return callbacks


def _store(session: Session, callbacks: dict[str, SpooledCallback], opened: dict[str, bytes]) -> None:
    known = set(session.scalars(select(JournalEntry.inbox_id).where(JournalEntry.inbox_id.in_(callbacks))))
    phones = set(session.scalars(select(Phone.id)))
    rows = [
        vars(callback)
        | {"inbox_id": name, "received_at": datetime.fromisoformat(callback.received_at)}
        | {"body": opened[name]}
        for name, callback in callbacks.items()
        if name not in known and callback.phone_id in phones
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
            if not _apply_apart(ends):
                return False
    return True


def _apply_some() -> int:
    """One short transaction: how many entries it looked at."""
    _read_ahead()
    with transaction() as session, _stride.measured() as rows:
        waiting = _new_select().limit(rows).with_for_update(skip_locked=True, of=JournalEntry)
        entries = list(session.scalars(waiting))
        _apply_together(session, entries)
        session.flush()
    return len(entries)


def _read_ahead() -> None:
    """Understand long callbacks before the lock is taken: nobody waits for that."""
    first = _new_select().limit(_stride.rows).subquery()
    long = select(JournalEntry).where(JournalEntry.id.in_(select(first.c.id)), func.length(JournalEntry.body) > LONG)
    for entry in db.session.scalars(long.order_by(JournalEntry.id).limit(AHEAD)):
        with suppress(UnreadableCallback):  # said under the lock
            _read(entry)
    db.session.rollback()


def _apply_apart(ends: float) -> int:
    """Each entry in a transaction of its own: how many there were."""
    ids = db.session.scalars(_new_select().with_only_columns(JournalEntry.id).limit(APART)).all()
    for entry_id in ids:
        if monotonic() > ends:
            break
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
    return len(ids)


def _still_new(session: Session, entry_id: int) -> list[JournalEntry]:
    query = select(JournalEntry).where(JournalEntry.id == entry_id, JournalEntry.state == JournalState.NEW)
    return list(session.scalars(query.with_for_update(skip_locked=True, of=JournalEntry)))


@dataclass
class _Said:
    """An entry, what it says, and what became of each item so far."""

    entry: JournalEntry
    items: list[Item]
    results: list[str | None]
    unread: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place, item in enumerate(self.items):
            if isinstance(item, Ignored):
                self.results[place] = "ignored"
            elif isinstance(item, Unreadable):
                self.unread.append(item.reason)

    def open_places(self) -> list[int]:
        """The items that are to be applied, and were not tried in this pass through the entry."""
        return [
            place
            for place, result in enumerate(self.results)
            if result is None and not isinstance(self.items[place], Unreadable)
        ]

    def failures(self) -> list[int]:
        """The items that could not be applied in this pass."""
        return [place for place, result in enumerate(self.results) if (result or "").startswith(FAILED)]


def _apply_together(session: Session, entries: list[JournalEntry]) -> None:
    """As many items as there is time for: reports and replies as groups, since they come by the thousand; the rest one
    by one.

    What there is no more time for in this transaction waits for the next one, in the middle of an entry if need be.
    """
    said = _opened(entries)
    ends = monotonic() + stride.SECONDS
    open_items = [(one, place) for one in said for place in one.open_places()]
    now_or_never = open_items[: _stride.rows]
    _apply_group(session, reports.apply_many, [unit for unit in now_or_never if _is_plain_report(unit)])
    singular = {_number(unit) for unit in now_or_never if not (_is_plain_reply(unit) or _is_plain_report(unit))}
    plain = [unit for unit in now_or_never if _is_plain_reply(unit) and _number(unit) not in singular]
    if len(plain) >= CROWD:
        _apply_group(session, replies.apply_many, plain)
    tried = 0
    for one, place in now_or_never:
        if one.results[place] is not None:
            continue
        if tried and monotonic() > ends:
            break
        _apply_one(session, one, place)
        tried += 1
    for one in said:
        _note_progress(one)


def _opened(entries: list[JournalEntry]) -> list[_Said]:
    """What the first entries say, as many as make a transaction's worth; what of them needs no doing is done."""
    said: list[_Said] = []
    count, ends = 0, monotonic() + stride.SECONDS
    for place, entry in enumerate(entries):
        if count >= _stride.rows or (place and monotonic() > ends):
            break
        items = _read_or_note(entry)
        if items is not None:
            said.append(_Said(entry, items, _results(entry, items)))
            count += len(said[-1].open_places())
    return said


def _results(entry: JournalEntry, items: list[Item]) -> list[str | None]:
    if entry.results and len(entry.results) == len(items):
        return list(entry.results)
    return [None] * len(items)


def _is_plain_report(unit: tuple[_Said, int]) -> bool:
    one, place = unit
    item = one.items[place]
    return isinstance(item, Report) and not item.opted_out and not one.entry.attempts


def _is_plain_reply(unit: tuple[_Said, int]) -> bool:
    one, place = unit
    item = one.items[place]
    return isinstance(item, Reply) and replies.is_plain(item) and not one.entry.attempts


def _number(unit: tuple[_Said, int]) -> str | None:
    """Whose order must be kept: what a person said before and after a STOP is no group."""
    return getattr(unit[0].items[unit[1]], "number", None)


def _apply_group(session: Session, apply_many: Callable[..., dict[Any, str]], group: list[tuple[_Said, int]]) -> None:
    """Apply what can be applied together; nothing of it when our own fault prevents that."""
    if not group:
        return
    wanted = [((one.entry.id, place), one.entry, one.items[place]) for one, place in group]
    try:
        with session.begin_nested():
            done = apply_many(session, wanted)
    except INTERRUPTIONS:
        raise
    except Exception:
        log.exception("%s items could not be applied together, and are applied one by one", len(group))
        return
    for one, place in group:
        one.results[place] = done.get((one.entry.id, place))


def _apply_one(session: Session, one: _Said, place: int) -> None:
    """One item, in a savepoint of its own; one that fails is marked, and the others of its entry have their turn."""
    try:
        with session.begin_nested():
            one.results[place] = _apply_item(session, one.entry, one.items[place])
    except INTERRUPTIONS:
        raise  # nobody's fault: tried again as a whole
    except Exception as error:
        one.results[place] = f"{FAILED}{type(error).__name__}"[:64]
        log.exception("journal=%s could not be applied", one.entry.id)


def _note_progress(one: _Said) -> None:
    """What became of an entry: all of it, or so much of it so far."""
    entry, results, failures = one.entry, one.results, one.failures()
    if one.open_places():  # there was no time for the rest
        entry.results = results
    elif failures:
        reasons = [(results[place] or "").removeprefix(FAILED) for place in failures]
        for place in failures:
            results[place] = None
        entry.results = results
        _put_off(entry, reasons)
    elif one.unread:
        entry.results, entry.next_attempt_at = results, None
        entry.state, entry.outcome = JournalState.UNREADABLE, ", ".join(dict.fromkeys(one.unread))[:255]
        log.warning("journal=%s: %s of %s items unreadable", entry.id, len(one.unread), len(results))
    else:
        entry.state, entry.results, entry.next_attempt_at = JournalState.APPLIED, None, None
        entry.outcome = ", ".join(result or "" for result in results)[:255]
        if ERASED in results or set(results) == {"repeated"}:
            # Of somebody who was erased, nothing is kept; what is repeated says nothing that is not kept already.
            entry.body, entry.query = b"", ""


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
        timezone=clock.zone(),
    )
    adapter = adapter_class(entry.phone.adapter)
    if len(callback.body) <= LONG:
        return adapter.read_callback(callback)
    items, words = _read_long(adapter, callback)
    if words is not None:
        raise UnreadableCallback(words)
    return items


@functools.lru_cache(maxsize=2 * AHEAD)
def _read_long(adapter: type[Adapter], callback: Callback) -> tuple[list[Item], str | None]:
    """A callback of a thousand items is applied in several transactions, and understood once; or why it is not."""
    try:
        items = adapter.read_callback(callback)
    except INTERRUPTIONS:
        raise
    except Exception as error:
        return [], str(error) if isinstance(error, UnreadableCallback) else type(error).__name__
    return (items, None) if len(items) <= MOST_ITEMS else ([], "more items than a provider sends at once")


def _apply_item(session: Session, entry: JournalEntry, item: Item) -> str:
    """Apply one item of a callback; what became of it, in a word."""
    if isinstance(item, Report):
        return reports.apply(session, entry, item)
    if isinstance(item, Reply):
        return replies.apply(session, entry, item)
    if isinstance(item, OptOutNotice):
        return stops.apply_notice(session, entry, item)
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
        audit.record(session, user_id, Action.CALLBACK_TRIED_AGAIN, f"callback {entry_id}")
    ring()
    return True


def set_aside(entry_id: int, user_id: int | None) -> bool:
    """Somebody has looked, and nothing is to be done: it is shown no more."""
    with transaction() as session:
        entry = session.get(JournalEntry, entry_id)
        if entry is None or entry.state not in TROUBLED:
            return False
        entry.state, entry.outcome = JournalState.APPLIED, f"set aside ({entry.outcome})"
        audit.record(session, user_id, Action.CALLBACK_SET_ASIDE, f"callback {entry_id}")
    return True
