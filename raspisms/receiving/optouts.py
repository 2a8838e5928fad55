"""People who said STOP, by a reply or through the provider."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..adapters.base import OptOutNotice
from ..models import JournalEntry, Message, OptOut
from ..vault import vault
from . import incoming


def silent(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of these numbers (a few thousand at most) that nothing may be sent to."""
    found = {number for number in session.scalars(select(OptOut.number).where(OptOut.number.in_(numbers))) if number}
    erased = session.scalar(select(OptOut.id).where(OptOut.digest.is_not(None)).limit(1))
    if erased is not None:
        digests = {digest(number): number for number in numbers}
        stored = session.scalars(select(OptOut.digest).where(OptOut.digest.in_(digests)))
        found |= {digests[known] for known in stored if known}
    return found


def digest(number: str) -> str:
    """What stands for the number of a person who was erased."""
    return vault().digest(number, "opt-out")


def add(session: Session, number: str, origin: str, message_id: int | None = None, user_id: int | None = None) -> bool:
    """Send nothing more to this number; False when it was on the list. Call inside a transaction."""
    if silent(session, [number]):
        return False
    session.add(OptOut(number=number, origin=origin, message_id=message_id, user_id=user_id))
    session.flush()
    return True


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
