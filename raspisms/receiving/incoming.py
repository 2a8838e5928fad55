"""A new incoming message, whatever brought it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ..models import Direction, Lane, Message, Phone, Status
from ..texts import segments
from ..timeline import note


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
