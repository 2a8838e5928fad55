"""Taking back what has not left: within the moment after it was written, or while it waits."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, func, select

from .. import refusals
from ..clock import now
from ..conversations import counting, unsent_replies
from ..extensions import db
from ..i18n import N_
from ..messages.history import add, add_all
from ..models import Message, Status
from ..models.message import FORM_FORGOTTEN
from ..storage.transactions import transaction

CALLED_BACK = N_("Rappelé avant l’envoi.")
CANCELLED = N_("Annulé par une personne de l’équipe.")
NEVER = float("inf")


class TooLate(refusals.Refused):
    """It is leaving, or has left."""

    def __init__(self) -> None:
        super().__init__(N_("Trop tard : ce SMS est déjà parti."))


def release_due() -> float:
    """Queue what was held for long enough; the seconds until the next is due."""
    due = and_(Message.status == Status.HELD, Message.held_until <= now())
    if db.session.scalar(select(Message.id).where(due).limit(1)) is not None:
        with transaction() as session:
            add_all(session, due, Status.QUEUED)
    following = db.session.scalar(select(func.min(Message.held_until)).where(Message.status == Status.HELD))
    return NEVER if following is None else max(0.0, (following - now()).total_seconds())


def take_back(message_id: int, user_id: int) -> int:
    """Cancel a message that is still held; its text is an unsent reply again, in the conversation of this id.

    Raises TooLate.
    """
    with transaction() as session:  # all of it, or nothing: a text is never between the two
        message = call_back(message_id, user_id)
        conversation_id = counting.of(session, message.phone_id, message.number).id
        unsent_replies.give_back(conversation_id, message.user_id or user_id, message.text)
    return conversation_id


def call_back(message_id: int, user_id: int | None) -> Message:
    """Cancel a message that is still held. Raises TooLate."""
    with transaction() as session:
        message = session.get_one(Message, message_id)
        if message.status is not Status.HELD:
            raise TooLate
        add(session, [message], Status.CANCELLED, reason=CALLED_BACK, user_id=user_id)
        message.dedup_key = None  # the same form may be sent again
        counting.recount_of(session, [(message.phone_id, message.number)])
        return message


def cancel_waiting(message_ids: Collection[int], user_id: int | None) -> int:
    """Cancel those of these messages that wait, written by hand or part of a campaign: how many there were."""
    with transaction() as session:
        waiting = list(
            session.scalars(
                select(Message)
                .where(Message.id.in_(message_ids), Message.status.in_((Status.HELD, Status.QUEUED)))
                .where(Message.submission_id.is_(None))
            )
        )
        add(session, waiting, Status.CANCELLED, reason=CANCELLED, user_id=user_id)
        for message in waiting:
            message.dedup_key = FORM_FORGOTTEN
        counting.recount_of(session, {(message.phone_id, message.number) for message in waiting})
    return len(waiting)
