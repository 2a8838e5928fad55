"""People who said STOP, by a reply or through the provider."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..adapters.base import OptOutNotice
from ..models import JournalEntry, Message, OptOut
from . import incoming


def add(session: Session, number: str, origin: str, message_id: int | None) -> None:
    """Send nothing more to this number. Call inside a transaction."""
    if session.scalar(select(OptOut.id).where(OptOut.number == number)) is None:
        session.add(OptOut(number=number, origin=origin, message_id=message_id))
        session.flush()


def apply_notice(session: Session, entry: JournalEntry, notice: OptOutNotice) -> str:
    """The provider's notice: on the list, and shown among the received messages unless it is there."""
    at = notice.at or entry.received_at
    key = _dedup_key(entry, notice)
    message = session.scalar(select(Message).where(Message.dedup_key == key)) or incoming.recent_stop(
        session, notice.number, at
    )
    if message is None:
        message = incoming.store(session, entry.phone, notice.number, notice.text, at)
        message.dedup_key = key
    add(session, notice.number, "callback", message.id)
    return "opt-out"


def _dedup_key(entry: JournalEntry, notice: OptOutNotice) -> str:
    """What makes the same notice, delivered twice, one message."""
    date = notice.at.isoformat() if notice.at else ""
    facts = "\0".join((str(entry.phone.account_id), notice.number, date, notice.text))
    return incoming.NOTICE + hashlib.sha256(facts.encode()).hexdigest()[:62]
