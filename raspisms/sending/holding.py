"""The moment in which an SMS that somebody wrote can still be called back."""

from __future__ import annotations

from sqlalchemy import and_, func, select

from ..conversations import threads
from ..database import now, transaction
from ..extensions import db
from ..models import Message, Status
from ..timeline import note, note_all
from ..words import N_

CALLED_BACK = N_("Rappelé avant l’envoi.")
NEVER = float("inf")


class TooLate(Exception):
    """It is leaving, or has left; str(error) is a sentence (a msgid)."""

    def __init__(self) -> None:
        super().__init__(N_("Trop tard : ce SMS est déjà parti."))


def let_go() -> float:
    """Queue what was held for long enough; the seconds until the next is due."""
    due = and_(Message.status == Status.HELD, Message.held_until <= now())
    if db.session.scalar(select(Message.id).where(due).limit(1)) is not None:
        with transaction() as session:
            note_all(session, due, Status.QUEUED)
    following = db.session.scalar(select(func.min(Message.held_until)).where(Message.status == Status.HELD))
    return NEVER if following is None else max(0.0, (following - now()).total_seconds())


def call_back(message_id: int, user_id: int | None) -> Message:
    """Cancel a message that is still held. Raises TooLate."""
    with transaction() as session:
        message = session.get_one(Message, message_id)
        if message.status is not Status.HELD:
            raise TooLate
        note(session, [message], Status.CANCELLED, reason=CALLED_BACK, user_id=user_id)
        message.dedup_key = None  # the same form may be sent again
        threads.recount_of(session, [(message.phone_id, message.number)])
        return message
