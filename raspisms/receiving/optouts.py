"""People who said STOP, by a reply or through the provider."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..adapters.base import OptOutNotice
from ..models import Direction, JournalEntry, Message, OptOut
from ..texts.optouts import is_stop
from . import incoming

# A STOP may come twice: as a reply, and as the provider's notice of it.
SAME_STOP = timedelta(minutes=10)


def add(session: Session, number: str, origin: str, message_id: int | None) -> None:
    """Send nothing more to this number. Call inside a transaction."""
    if session.scalar(select(OptOut.id).where(OptOut.number == number)) is None:
        session.add(OptOut(number=number, origin=origin, message_id=message_id))
        session.flush()


def apply_notice(session: Session, entry: JournalEntry, notice: OptOutNotice) -> str:
    """The provider's notice: on the list, and shown among the received messages unless it is there."""
    at = notice.at or entry.received_at
    recent = session.scalars(
        select(Message).where(
            Message.direction == Direction.IN,
            Message.number == notice.number,
            Message.created_at > at - SAME_STOP,
        )
    )
    message = next((message for message in recent if is_stop(message.text)), None)
    if message is None:
        message = incoming.store(session, entry.phone, notice.number, notice.text, at)
    add(session, notice.number, "callback", message.id)
    return "opt-out"
