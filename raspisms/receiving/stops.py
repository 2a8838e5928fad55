"""What comes of a STOP: the one answer to it, and the provider's own notice."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..adapters.base import OptOutNotice
from ..messages.history import believed
from ..models import JournalEntry, Message
from ..models.message import STOP_ANSWER
from ..people.opt_outs import add, digest
from ..team import preferences
from . import incoming


def answer(session: Session, stop: Message) -> None:
    """Confirm a STOP, once in a life, if the team wants it so. Call inside a transaction."""
    text = preferences.current().stop_answer
    key = STOP_ANSWER + digest(stop.number)[:40]
    if not text or session.scalar(select(Message.id).where(Message.dedup_key == key)) is not None:
        return
    incoming.answer_by_itself(session, [(stop, key)], text, answers_stop=True)


def apply_notice(session: Session, entry: JournalEntry, notice: OptOutNotice) -> str:
    """The provider's notice: on the list, and shown among the received messages unless it is there."""
    at, said_at = believed(notice.at, entry.received_at)
    key = _dedup_key(entry, notice)
    message = session.scalar(select(Message).where(Message.dedup_key == key)) or incoming.recent_stop(
        session, notice.number, at
    )
    if message is None:
        message = incoming.store(
            session, entry.phone, notice.number, notice.text, at, journal_id=entry.id, said_at=said_at
        )
        message.dedup_key = key
    add(session, notice.number, "callback", message.id, at=at)
    return "opt-out"


def _dedup_key(entry: JournalEntry, notice: OptOutNotice) -> str:
    """What makes the same notice, delivered twice, one message."""
    date = notice.at.isoformat() if notice.at else ""
    facts = "\0".join((str(entry.phone.account_id), notice.number, date, notice.text))
    return incoming.NOTICE + hashlib.sha256(facts.encode()).hexdigest()[:62]
