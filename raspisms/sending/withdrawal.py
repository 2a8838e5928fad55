"""Taking back messages that surely did not leave."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from ..conversations import threads
from ..database import transaction
from ..models import Message, Status
from ..timeline import note
from ..words import N_

CANCELLED = N_("Annulé par une personne de l’équipe.")


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
        note(session, waiting, Status.CANCELLED, reason=CANCELLED, user_id=user_id)
        threads.recount_of(session, {(message.phone_id, message.number) for message in waiting})
    return len(waiting)
