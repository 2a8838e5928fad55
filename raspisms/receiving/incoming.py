"""A new incoming message, whatever brought it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Direction, Lane, Message, Phone, Status
from ..texts import segments
from ..texts.optouts import is_stop
from ..timeline import note

# A STOP may come twice, in any order: as a reply, and as the provider's notice of it.
SAME_STOP = timedelta(minutes=10)
# Begins the key of a message that only a notice told us of.
NOTICE = "n:"


def store(session: Session, phone: Phone, number: str, text: str, at: datetime) -> Message:
    """Store a message from `number`. Call inside a transaction."""
    message = Message(
        direction=Direction.IN,
        phone_id=phone.id,
        number=number[:32],
        text=text,
        status=Status.RECEIVED,
        lane=Lane.REPLY,
        parts=max(1, segments.count(text).parts),
        created_at=at,
    )
    session.add(message)
    session.flush()
    note(session, [message], Status.RECEIVED, at=at)
    return message


def recent_stop(session: Session, number: str, at: datetime) -> Message | None:
    """The STOP that this number sent around this time, if it is stored already."""
    around = session.scalars(
        select(Message).where(
            Message.direction == Direction.IN,
            Message.number == number,
            Message.created_at.between(at - SAME_STOP, at + SAME_STOP),
        )
    )
    return next((message for message in around if is_stop(message.text)), None)
