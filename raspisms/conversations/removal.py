"""Deleting received messages. What was sent stays: it was billed, and is counted."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ..messages import search
from ..models import Action, Direction, JournalEntry, Message, MessageEvent, OptOut
from ..people import traces
from ..storage.transactions import transaction
from ..team import audit
from . import counting


def delete_received(message_ids: Collection[int], user_id: int | None) -> int:
    """Delete these received messages for good: how many there were."""
    with transaction() as session:
        number = remove_received(session, message_ids)
        audit.record(session, user_id, Action.RECEIVED_DELETED, number)
    return number


def remove_received(session: Session, message_ids: Collection[int]) -> int:
    """Delete these received messages, with what points to them: how many there were. Call inside a transaction.

    A STOP stays on the list that it led to.
    """
    found = list(session.scalars(select(Message).where(Message.id.in_(message_ids), Message.direction == Direction.IN)))
    ids = [message.id for message in found]
    pairs = {(message.phone_id, message.number) for message in found}
    search.forget(session, found)
    session.execute(update(Message).where(Message.reply_to_id.in_(ids)).values(reply_to_id=None))
    session.execute(update(OptOut).where(OptOut.message_id.in_(ids)).values(message_id=None))
    told = select(MessageEvent.journal_id).where(MessageEvent.message_id.in_(ids))
    traces.wipe_journal(session, JournalEntry.id.in_(told))
    session.execute(delete(MessageEvent).where(MessageEvent.message_id.in_(ids)))
    session.execute(delete(Message).where(Message.id.in_(ids)))
    session.expire_all()
    counting.recount_of(session, pairs)
    return len(found)
