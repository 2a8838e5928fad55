"""Callbacks: stored as they came, then applied exactly once.

An entry changes state in the same transaction as everything it causes. When the database is busy or the
disk of the database is full, the callback waits in a file of the spool instead, and the sweep imports it.
"""

from __future__ import annotations

import json
import logging
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import Session

from .. import queues
from ..adapters.base import Callback, Item, OptOutNotice, Reply, Report, UnreadableCallback
from ..database import StorageUnavailable, now, transaction
from ..extensions import bell, db
from ..models import JournalEntry, JournalState
from ..phones.settings import adapter_class
from ..vault import new_token
from . import optouts, replies, reports

log = logging.getLogger(__name__)

BATCH = 100


def keep(phone_id: int, kind: str, content_type: str, query: str, body: bytes) -> None:
    """Store a callback for good, then ring. Raises OSError when neither database nor spool takes it."""
    fields: dict[str, Any] = {
        "phone_id": phone_id,
        "kind": kind,
        "content_type": content_type[:255],
        "query": query[:4096],
        "received_at": now(),
    }
    try:
        with transaction(alone=False) as session:
            session.add(JournalEntry(body=body, **fields))
    except StorageUnavailable:
        _spool(fields | {"received_at": fields["received_at"].isoformat(), "body": body.decode("latin-1")})
        return
    bell.ring(queues.RECEIVING, queues.APPLY_CALLBACKS, timeout=queues.APPLY_SECONDS)


# -- the spool ----------------------------------------------------------------------------------------


def _spool_folder() -> Path:
    return Path(current_app.config["INSTANCE"]) / "spool"


def _spool(fields: dict[str, object]) -> None:
    folder = _spool_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{time.time_ns():020d}-{new_token()[:12]}"
    draft = folder / f".{name}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(fields, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / f"{name}.json")
    log.warning("database busy: a callback for phone=%s waits in the spool", fields["phone_id"])


def import_spool() -> None:
    """Bring callbacks from the spool into the journal, oldest first, each once."""
    for path in sorted(_spool_folder().glob("*.json")):
        try:
            _import(path)
        except (ValueError, KeyError, TypeError, AttributeError, StatementError) as error:
            log.error("spool=%s cannot be imported (%s) and is set aside", path.stem, type(error).__name__)
            path.rename(path.with_suffix(".bad"))
        else:
            path.unlink()


def _import(path: Path) -> None:
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["body"] = fields["body"].encode("latin-1")
    fields["received_at"] = datetime.fromisoformat(fields["received_at"])
    with transaction() as session:
        known = session.scalar(select(JournalEntry.id).where(JournalEntry.spool_id == path.stem))
        if known is None:
            session.add(JournalEntry(spool_id=path.stem, **fields))


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
            for entry in entries:
                _apply(session, entry)
        if not entries:
            return


def _apply(session: Session, entry: JournalEntry) -> None:
    try:
        items = _read(entry)
    except UnreadableCallback as error:
        entry.state, entry.outcome = JournalState.UNREADABLE, str(error)
        log.warning("journal=%s unreadable: %s", entry.id, error)
        return
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
